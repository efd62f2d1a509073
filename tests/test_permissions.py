"""Who may do what: the matrix of roles and scopes, over every mutation there is."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from every_mutation import GIVEN, MUTATIONS
from factories import Make
from running import Run
from writing import Admin, stored, write

from graph_api.permissions import EVERYTHING, SCOPES, MemberRole, Scope

SECURITY = Path(__file__).parent.parent / "docs" / "security.md"

# What a mutation's name ends in, and the scope that it needs; the first one counts.
NEEDS = {
    "Commitment|CommitmentDelinquent": Scope.WRITE_COMMITMENTS,
    "Document|Documents|Collection|Tag|Annotation": Scope.WRITE_DOCUMENTS,
    "Signal": Scope.WRITE_SIGNALS,
    "Party|(create|update|delete)Role": Scope.WRITE_PARTIES,
    "KnowledgeNodes?|KnowledgeEdges?": Scope.WRITE_KNOWLEDGE,
    "changeMemberRole": Scope.ADMINISTER,
    "ApiKey|Profile|Password": Scope.READ,
    "Member|Invitation|Workspace": Scope.ADMINISTER,
}
FORBIDDEN = "userErrors { ... on ForbiddenError { message needs } }"


def needed(mutation: str) -> Scope:
    return next(
        scope for ending, scope in NEEDS.items() if re.search(f"({ending})$", mutation)
    )


def with_scopes(run: Run, *scopes: Scope) -> Run:
    """The same caller with these scopes alone."""
    return run.by(replace(run.caller, scopes=frozenset(scopes)))


@pytest.mark.parametrize("role", MemberRole)
@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_member_may_do_what_the_matrix_says(
    run: Run, make: Make, admin: "Admin[Any]", mutation: str, role: MemberRole
) -> None:
    given = await GIVEN[mutation](make)
    before = await stored(admin, run)

    payload = await write(
        with_scopes(run, *SCOPES[role]), mutation, "replayed", **given
    )

    scope = needed(mutation)
    may = scope in SCOPES[role]
    codes = [error["code"] for error in payload["userErrors"]]
    assert codes == ([] if may else ["FORBIDDEN"])
    assert (await stored(admin, run) == before) is not may


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_a_key_may_do_what_its_scopes_name(
    run: Run, make: Make, mutation: str
) -> None:
    scope = needed(mutation)
    given = await GIVEN[mutation](make)

    refused = await write(
        with_scopes(run, *(EVERYTHING - {scope})), mutation, FORBIDDEN, **given
    )
    done = await write(with_scopes(run, Scope.READ, scope), mutation, **given)

    assert [error["needs"] for error in refused["userErrors"]] == [scope.value]
    assert done == {"userErrors": []}


async def test_a_refusal_says_who_may(run: Run) -> None:
    viewer = with_scopes(run, *SCOPES[MemberRole.VIEWER])

    payload = await write(viewer, "createTag", FORBIDDEN, name="tax")

    (error,) = payload["userErrors"]
    assert error["message"] == (
        "This needs the scope `documents:write`: that of a member who is owner, editor "
        "or agent, or of a key that names it."
    )


async def test_a_rehearsal_needs_the_scope_as_well(run: Run) -> None:
    viewer = with_scopes(run, Scope.READ)

    payload = await write(viewer, "createTag", name="tax", dryRun=True)

    assert [error["code"] for error in payload["userErrors"]] == ["FORBIDDEN"]


async def test_what_was_done_is_not_answered_again_to_who_may_not_do_it(
    run: Run,
) -> None:
    given = {"name": "tax", "idempotencyKey": "once"}
    await write(run, "createTag", **given)

    payload = await write(with_scopes(run, Scope.READ), "createTag", **given)

    assert [error["code"] for error in payload["userErrors"]] == ["FORBIDDEN"]


def test_the_documented_matrix_is_the_one_that_holds() -> None:
    row = re.compile(r"^\| `([\w:]+)` \|.*?\|(.*)\|$", re.MULTILINE)
    told = {
        Scope(name): [cell.strip() == "yes" for cell in cells.split("|")]
        for name, cells in row.findall(SECURITY.read_text())
    }

    assert told == {
        scope: [scope in SCOPES[role] for role in MemberRole] for scope in Scope
    }
