"""Nothing acknowledged is lost, in short; `make attack-faults` does it at length."""

from collections.abc import Iterator

import pytest
from checking import violations
from harness import Result, run
from rig import Rig

from graph_api.database.local import LOCAL_WORKSPACE_ID

FAULTS, WRITES = 10, 1_000

# What would spoil the database, past all guards, and what is then found.
SPOILT = {
    "an interaction is lost": (
        (
            "DELETE FROM interactions WHERE id = (SELECT id FROM interactions "
            "WHERE reason IS NOT NULL AND type = 'tag.created' LIMIT 1)"
        ),
        "acknowledged, and 0 of 1 told",
    ),
    "a row is lost": (
        (
            "DELETE FROM tags WHERE id = (SELECT primary_entity_id FROM interactions "
            "WHERE reason IS NOT NULL AND type = 'tag.created' LIMIT 1)"
        ),
        "the tag is gone",
    ),
    "a row is changed": (
        "UPDATE knowledge_graph_nodes SET description = 'spoilt'",
        "the log tells another end",
    ),
    "a version is lost": (
        "UPDATE knowledge_graph_nodes SET version = version + 1",
        "told",
    ),
    "a key is lost": ("DELETE FROM idempotency_keys", "the key is lost"),
}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with Rig(tmp_path_factory.mktemp("faults") / "data") as rig:
        yield rig


@pytest.fixture(scope="module")
async def result(rig: Rig) -> Result:
    return await run(rig, faults=FAULTS, seed=7, least=WRITES)


async def test_nothing_acknowledged_is_lost_or_half_done(result: Result) -> None:
    assert result.violations == []
    assert result.faults == FAULTS
    assert result.load.acknowledged >= WRITES


async def test_each_kind_of_fault_is_recovered_from(result: Result) -> None:
    assert len(result.recovery) == 5
    # Within seconds on a quiet machine; `until_ready` bounds it on a busy one.
    assert all(len(seconds) == 2 for seconds in result.recovery.values())


async def test_no_fault_is_told_as_a_bug(result: Result) -> None:
    assert "INTERNAL" not in result.load.answers


@pytest.mark.parametrize("name", SPOILT)
async def test_what_is_spoilt_is_found(rig: Rig, result: Result, name: str) -> None:
    spoil, found = SPOILT[name]
    connection = await rig.database()
    spoiling = connection.transaction()
    await spoiling.start()
    for table in ("interactions", "tags", "knowledge_graph_nodes"):
        await connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    await connection.execute(spoil)

    told = await violations(connection, LOCAL_WORKSPACE_ID, result.load.writes)
    await spoiling.rollback()
    await connection.close()

    assert any(found in one for one in told), told[:3]
