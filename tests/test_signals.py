"""Taking signals in, and saying what has become of them."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from factories import Make
from running import Run
from writing import (
    Admin,
    Json,
    id_of,
    invalid,
    not_found,
    refusal,
    stored,
    types,
    write,
)

from graph_api.caller import Caller
from graph_api.ids import global_id
from graph_api.keys import new_key

SIGNAL = """
    signal {
      source payload receivedAt status dedupeKey extractionCost version
      extraction { uuid }
    }
"""
STATUS = "signal { status version extraction { uuid } } interaction { type }"


def final(to: str) -> Json:
    return refusal(
        "InvalidTransitionError",
        "INVALID_TRANSITION",
        "id",
        **{"from": "ARCHIVED", "to": to, "allowed": []},
    )


async def test_a_signal_is_ingested_as_given(run: Run) -> None:
    payload = await write(
        run,
        "ingestSignal",
        SIGNAL + "duplicate interaction { type }",
        source="VISION_UPLOAD",
        payload={"text": "a receipt"},
        receivedAt="2026-01-01T00:00:00Z",
        dedupeKey="photo:1",
        extractionCost="0.0012",
    )

    assert payload == {
        "signal": {
            "source": "VISION_UPLOAD",
            "payload": {"text": "a receipt"},
            "receivedAt": "2026-01-01T00:00:00Z",
            "status": "NEW",
            "dedupeKey": "photo:1",
            "extractionCost": "0.0012",
            "version": 1,
            "extraction": None,
        },
        "duplicate": False,
        "interaction": {"type": "signal.created"},
        "userErrors": [],
    }


@pytest.mark.parametrize("cost", ["0", "0e999999999", "-0", "0.0"])
async def test_nothing_is_an_amount_like_others(run: Run, cost: str) -> None:
    payload = await write(
        run,
        "ingestSignal",
        "signal { extractionCost } interaction { after }",
        source="API",
        payload={},
        extractionCost=cost,
    )

    assert payload["signal"] == {"extractionCost": "0.0000"}
    assert payload["interaction"]["after"]["extractionCost"] == "0.0000"


async def test_a_known_signal_is_answered_and_not_stored_again(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    known = await make.signal(dedupe_key="mail:1")
    before = await stored(admin, run)

    payload = await write(
        run,
        "ingestSignal",
        "signal { id } duplicate interaction { type }",
        source="EMAIL",
        payload={"other": True},
        dedupeKey="mail:1",
    )

    assert payload == {
        "signal": {"id": id_of(known)},
        "duplicate": True,
        "interaction": None,
        "userErrors": [],
    }
    assert await stored(admin, run) == before


async def test_a_signal_that_comes_ten_times_at_once_is_stored_once(
    run: Run, admin: "Admin[Any]"
) -> None:
    given = {"source": "EMAIL", "payload": {}, "dedupeKey": "mail:1"}

    payloads = await asyncio.gather(
        *(
            write(run, "ingestSignal", "signal { id } duplicate", **given)
            for _ in range(10)
        )
    )

    assert len({payload["signal"]["id"] for payload in payloads}) == 1
    assert Counter(payload["duplicate"] for payload in payloads) == {False: 1, True: 9}
    assert await types(admin, run) == {"signal.created": 1}


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"payload": "text"}, "payload"),
        ({"payload": {"x": "y" * 65_536}}, "payload"),
        ({"dedupeKey": ""}, "dedupeKey"),
        ({"dedupeKey": "x" * 256}, "dedupeKey"),
        ({"receivedAt": None}, "receivedAt"),
        ({"extractionCost": "0.00001"}, "extractionCost"),
        ({"extractionCost": "-1"}, "extractionCost"),
        ({"extractionCost": "1000000"}, "extractionCost"),
    ],
)
async def test_a_signal_that_cannot_be_is_not_ingested(
    run: Run, admin: "Admin[Any]", given: dict[str, Any], path: str
) -> None:
    before = await stored(admin, run)

    payload = await write(
        run, "ingestSignal", **{"source": "API", "payload": {}} | given
    )

    assert payload == invalid(path)
    assert await stored(admin, run) == before


async def test_a_signal_is_attached_to_the_document_made_of_it(
    run: Run, make: Make
) -> None:
    signal, document = await make.signal(), await make.document()

    payload = await write(
        run, "attachSignal", STATUS, id=id_of(signal), documentId=str(document.id)
    )

    assert payload == {
        "signal": {
            "status": "ATTACHED",
            "version": 2,
            "extraction": {"uuid": str(document.id)},
        },
        "interaction": {"type": "signal.attached"},
        "userErrors": [],
    }


async def test_an_attached_signal_is_not_attached_again(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    signal, document = await make.signal(), await make.document()
    given = {"id": id_of(signal), "documentId": id_of(document)}
    await write(run, "attachSignal", **given)
    before = await stored(admin, run)

    payload = await write(run, "attachSignal", **given)

    assert payload == refusal(
        "InvalidTransitionError",
        "INVALID_TRANSITION",
        "id",
        **{"from": "ATTACHED", "to": "ATTACHED", "allowed": ["ARCHIVED"]},
    )
    assert await stored(admin, run) == before


async def test_a_signal_is_attached_to_what_is_there(
    run: Run, make: Make, admin: "Admin[Any]", stranger: Caller
) -> None:
    signal = await make.signal()
    theirs = await make.by(stranger).document()
    before = await stored(admin, run)

    payload = await write(
        run, "attachSignal", id=id_of(signal), documentId=id_of(theirs)
    )

    assert payload == not_found("documentId")
    assert await stored(admin, run) == before


async def test_what_is_not_there_is_neither_attached_nor_archived(
    run: Run, make: Make
) -> None:
    document, id = await make.document(), global_id("Signal", new_key())

    attached = await write(run, "attachSignal", id=id, documentId=id_of(document))
    archived = await write(run, "archiveSignal", id=id)

    assert attached == archived == not_found("id")


async def test_a_signal_is_archived_before_and_after_it_is_attached(
    run: Run, make: Make
) -> None:
    fresh, attached = await make.signal(), await make.signal()
    document = await make.document()
    await write(run, "attachSignal", id=id_of(attached), documentId=id_of(document))

    first = await write(run, "archiveSignal", STATUS, id=id_of(fresh))
    second = await write(run, "archiveSignal", STATUS, id=id_of(attached))

    assert first == {
        "signal": {"status": "ARCHIVED", "version": 2, "extraction": None},
        "interaction": {"type": "signal.archived"},
        "userErrors": [],
    }
    assert second["signal"] == {
        "status": "ARCHIVED",
        "version": 3,
        "extraction": {"uuid": str(document.id)},
    }


async def test_an_archived_signal_stays_archived(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    signal, document = await make.signal(), await make.document()
    id = id_of(signal)
    await write(run, "archiveSignal", id=id)
    before = await stored(admin, run)

    archived = await write(run, "archiveSignal", id=id)
    attached = await write(run, "attachSignal", id=id, documentId=id_of(document))

    assert archived == final("ARCHIVED")
    assert attached == final("ATTACHED")
    assert await stored(admin, run) == before


@pytest.mark.parametrize("mutation", ["archiveSignal", "attachSignal"])
async def test_a_signal_of_a_stale_version_is_left_alone(
    run: Run, make: Make, admin: "Admin[Any]", mutation: str
) -> None:
    signal, document = await make.signal(), await make.document()
    own = {"archiveSignal": {}, "attachSignal": {"documentId": id_of(document)}}
    before = await stored(admin, run)

    payload = await write(
        run, mutation, id=id_of(signal), expectedVersion=2, **own[mutation]
    )

    assert payload["userErrors"][0]["version"] == 1
    assert await stored(admin, run) == before
