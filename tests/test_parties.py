"""Writing parties and the roles they stand in."""

from typing import Any

import pytest
from factories import Make
from running import Run
from writing import (
    Admin,
    conflict,
    duplicate,
    id_of,
    invalid,
    not_found,
    stored,
    types,
    user_of,
    write,
)

from graph_api.caller import Caller
from graph_api.ids import global_id
from graph_api.keys import new_key

PARTY = "party { kind name taxId contact metadata externalRef version }"
ROLE = "role { roleName domainTags externalRef version party { uuid } user { id } }"


async def test_a_party_is_created_as_given(run: Run) -> None:
    payload = await write(
        run,
        "createParty",
        PARTY + "interaction { type reason } replayed",
        kind="ORG",
        name="ACME",
        taxId="DE 123",
        contact={"emails": ["a@acme.example"]},
        metadata={"paid": True},
        externalRef="crm:1",
        reason="First order",
    )

    assert payload == {
        "party": {
            "kind": "ORG",
            "name": "ACME",
            "taxId": "DE 123",
            "contact": {"emails": ["a@acme.example"]},
            "metadata": {"paid": True},
            "externalRef": "crm:1",
            "version": 1,
        },
        "interaction": {"type": "party.created", "reason": "First order"},
        "replayed": False,
        "userErrors": [],
    }


async def test_a_party_needs_only_a_kind_and_a_name(run: Run) -> None:
    payload = await write(run, "createParty", PARTY, kind="PERSON", name="Ada")

    assert payload["party"] == {
        "kind": "PERSON",
        "name": "Ada",
        "taxId": None,
        "contact": {},
        "metadata": {},
        "externalRef": None,
        "version": 1,
    }


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"taxId": "x" * 51}, "taxId"),
        ({"externalRef": "x" * 501}, "externalRef"),
        ({"contact": None}, "contact"),
        ({"contact": [1]}, "contact"),
        ({"metadata": "text"}, "metadata"),
        ({"metadata": {"x": "y" * 65_536}}, "metadata"),
    ],
)
async def test_a_party_that_cannot_be_is_not_created(
    run: Run, admin: "Admin[Any]", given: dict[str, Any], path: str
) -> None:
    before = await stored(admin, run)

    payload = await write(run, "createParty", **{"kind": "ORG", "name": "A"} | given)

    assert payload == invalid(path)
    assert await stored(admin, run) == before


async def test_two_parties_cannot_have_one_external_ref(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    first = await make.party(external_ref="crm:1")
    second = await make.party(external_ref="crm:2")
    before = await stored(admin, run)

    created = await write(
        run, "createParty", kind="ORG", name="Other", externalRef="crm:1"
    )
    updated = await write(run, "updateParty", id=id_of(second), externalRef="crm:1")

    assert created == updated == duplicate(first, "externalRef")
    assert await stored(admin, run) == before


async def test_another_workspace_may_use_the_same_external_ref(
    run: Run, make: Make, stranger: Caller
) -> None:
    await make.by(stranger).party(external_ref="crm:1")

    payload = await write(run, "createParty", kind="ORG", name="A", externalRef="crm:1")

    assert payload == {"userErrors": []}


async def test_an_update_changes_what_is_given_and_nothing_else(
    run: Run, make: Make
) -> None:
    party = await make.party(
        name="ACME", tax_id="1", contact={"a": 1}, external_ref="crm:1"
    )

    payload = await write(
        run,
        "updateParty",
        PARTY + "interaction { type before after }",
        id=id_of(party),
        name="ACME Ltd",
    )

    told = payload["interaction"]
    assert payload["party"] == {
        "kind": "ORG",
        "name": "ACME Ltd",
        "taxId": "1",
        "contact": {"a": 1},
        "metadata": {},
        "externalRef": "crm:1",
        "version": 2,
    }
    assert told["type"] == "party.updated"
    assert told["before"] == {
        "name": "ACME",
        "version": 1,
        "updatedAt": told["before"]["updatedAt"],
    }
    assert told["after"] == {
        "name": "ACME Ltd",
        "version": 2,
        "updatedAt": told["after"]["updatedAt"],
    }


async def test_null_empties_what_absence_leaves_alone(run: Run, make: Make) -> None:
    party = await make.party(tax_id="1", external_ref="crm:1")

    payload = await write(run, "updateParty", PARTY, id=id_of(party), taxId=None)

    assert payload["party"] == {
        "kind": "ORG",
        "name": "ACME",
        "taxId": None,
        "contact": {},
        "metadata": {},
        "externalRef": "crm:1",
        "version": 2,
    }


async def test_an_update_to_what_is_there_changes_and_tells_nothing(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    party = await make.party(name="ACME", details={"paid": 1})
    before = await stored(admin, run)

    payload = await write(
        run,
        "updateParty",
        "party { version } interaction { type } interactions { type }",
        id=id_of(party),
        name="ACME",
        metadata={"paid": 1},
    )

    assert payload == {
        "party": {"version": 1},
        "interaction": None,
        "interactions": [],
        "userErrors": [],
    }
    assert await stored(admin, run) == before


async def test_true_is_not_one(run: Run, make: Make) -> None:
    party = await make.party(details={"paid": 1})

    payload = await write(
        run,
        "updateParty",
        "party { metadata version }",
        id=id_of(party),
        metadata={"paid": True},
    )
    stays = await run(
        "query ($id: ID!) { party(id: $id) { metadata } }", id=id_of(party)
    )

    assert payload["party"] == {"metadata": {"paid": True}, "version": 2}
    assert stays == {"data": {"party": {"metadata": {"paid": True}}}}


@pytest.mark.parametrize("path", ["kind", "name", "contact", "metadata"])
async def test_what_a_party_must_have_cannot_become_null(
    run: Run, make: Make, admin: "Admin[Any]", path: str
) -> None:
    party = await make.party()
    before = await stored(admin, run)

    payload = await write(run, "updateParty", PARTY, id=id_of(party), **{path: None})

    assert payload == {"party": None} | invalid(path)
    assert await stored(admin, run) == before


@pytest.mark.parametrize(
    ("mutation", "terms"),
    [
        ("updateParty", {}),
        ("deleteParty", {"expectedVersion": 1}),
        ("updateRole", {}),
        ("deleteRole", {"expectedVersion": 1}),
    ],
)
async def test_what_is_not_there_cannot_be_changed(
    run: Run, admin: "Admin[Any]", mutation: str, terms: dict[str, Any]
) -> None:
    id = global_id(mutation[6:], new_key())
    before = await stored(admin, run)

    payload = await write(run, mutation, id=id, **terms)

    assert payload == not_found("id")
    assert await stored(admin, run) == before


@pytest.mark.parametrize("mutation", ["updateParty", "deleteParty"])
async def test_the_id_of_something_else_is_refused(
    run: Run, make: Make, admin: "Admin[Any]", mutation: str
) -> None:
    role = await make.role()
    before = await stored(admin, run)

    payload = await write(run, mutation, id=id_of(role), expectedVersion=1)

    assert payload == invalid("id")
    assert await stored(admin, run) == before


async def test_a_stale_version_is_not_deleted(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    party = await make.party()
    await write(run, "updateParty", id=id_of(party), name="New")
    before = await stored(admin, run)

    payload = await write(run, "deleteParty", id=id_of(party), expectedVersion=1)

    assert payload == conflict(party, 2)
    assert await stored(admin, run) == before


async def test_a_deleted_party_takes_its_roles_and_their_commitments_along(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    party = await make.party()
    role = await make.role(party_id=party.id)
    owed = await make.commitment(role_id=role.id)
    document = await make.document()
    await make.link(document, party)
    await make.link(document, role)
    await make.link(document, owed)

    payload = await write(
        run,
        "deleteParty",
        "deletedId interaction { type } "
        "interactions { type changeSetId primaryEntity { __typename } }",
        id=id_of(party),
        expectedVersion=1,
    )

    (change_set,) = {one["changeSetId"] for one in payload["interactions"]}
    assert payload == {
        "deletedId": id_of(party),
        "interaction": {"type": "party.deleted"},
        "interactions": [
            {
                "type": "document.unlinked",
                "changeSetId": change_set,
                "primaryEntity": {"__typename": "Document"},
            },
            *(
                {"type": type, "changeSetId": change_set, "primaryEntity": None}
                for type in ("commitment.deleted", "role.deleted", "party.deleted")
            ),
        ],
        "userErrors": [],
    }
    assert (await stored(admin, run))["document_links"] == []


async def test_what_was_owed_to_a_deleted_party_is_then_owed_to_nobody(
    run: Run, make: Make
) -> None:
    party = await make.party()
    owed = await make.commitment(counterparty_id=party.id)

    payload = await write(
        run,
        "deleteParty",
        "interactions { type after }",
        id=id_of(party),
        expectedVersion=1,
    )
    answer = await run(
        "query ($id: ID!) { commitment(id: $id) { version counterparty { name } } }",
        id=id_of(owed),
    )

    update, deletion = payload["interactions"]
    assert update["type"] == "commitment.updated"
    assert update["after"]["counterpartyId"] is None
    assert deletion == {"type": "party.deleted", "after": None}
    assert answer == {"data": {"commitment": {"version": 2, "counterparty": None}}}


async def test_a_commitment_that_goes_with_its_debtor_is_told_once(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    party = await make.party()
    role = await make.role(party_id=party.id)
    await make.commitment(role_id=role.id, counterparty_id=party.id)
    before = await types(admin, run)

    await write(run, "deleteParty", id=id_of(party), expectedVersion=1)

    assert await types(admin, run) - before == {
        "party.deleted": 1,
        "role.deleted": 1,
        "commitment.deleted": 1,
    }


async def test_a_role_is_kept_by_whoever_made_it(
    run: Run, make: Make, caller: Caller
) -> None:
    party = await make.party()

    payload = await write(
        run, "createRole", ROLE, partyId=id_of(party), roleName="Vendor"
    )

    assert payload == {
        "role": {
            "roleName": "Vendor",
            "domainTags": [],
            "externalRef": None,
            "version": 1,
            "party": {"uuid": str(party.id)},
            "user": {"id": user_of(caller)},
        },
        "userErrors": [],
    }


async def test_a_role_can_be_kept_by_nobody(run: Run, make: Make) -> None:
    party = await make.party()

    payload = await write(
        run, "createRole", ROLE, partyId=id_of(party), roleName="Vendor", userId=None
    )

    assert payload["role"]["user"] is None


async def test_a_role_can_pass_to_another_party_and_back_to_its_maker(
    run: Run, make: Make, caller: Caller
) -> None:
    role = await make.role(user_id=None)
    party = await make.party()

    payload = await write(
        run,
        "updateRole",
        ROLE,
        id=str(role.id),
        partyId=str(party.id),
        userId=user_of(caller),
        domainTags=["tax", "home"],
    )

    assert payload["role"] == {
        "roleName": "Vendor",
        "domainTags": ["tax", "home"],
        "externalRef": None,
        "version": 2,
        "party": {"uuid": str(party.id)},
        "user": {"id": user_of(caller)},
    }


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"roleName": ""}, "roleName"),
        ({"roleName": "x" * 101}, "roleName"),
        ({"domainTags": ["x"] * 51}, "domainTags"),
        ({"domainTags": [""]}, "domainTags"),
        ({"domainTags": ["x" * 101]}, "domainTags"),
        ({"domainTags": None}, "domainTags"),
        ({"partyId": "nonsense"}, "partyId"),
        ({"userId": "nonsense"}, "userId"),
    ],
)
async def test_a_role_that_cannot_be_is_not_created(
    run: Run,
    make: Make,
    admin: "Admin[Any]",
    given: dict[str, Any],
    path: str,
) -> None:
    party = await make.party()
    before = await stored(admin, run)

    payload = await write(
        run, "createRole", **{"partyId": id_of(party), "roleName": "Vendor"} | given
    )

    assert payload == invalid(path)
    assert await stored(admin, run) == before


async def test_a_strangers_party_and_user_are_not_found(
    run: Run, make: Make, admin: "Admin[Any]", stranger: Caller
) -> None:
    ours, theirs = await make.party(), await make.by(stranger).party()
    role = {"roleName": "Vendor", "partyId": id_of(ours)}
    before = await stored(admin, run)

    party = await write(run, "createRole", **role | {"partyId": id_of(theirs)})
    user = await write(run, "createRole", **role | {"userId": str(stranger.user_id)})

    assert party == not_found("partyId")
    assert user == not_found("userId")
    assert await stored(admin, run) == before


async def test_a_deleted_role_leaves_its_party(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    party = await make.party()
    role = await make.role(party_id=party.id)
    await make.commitment(role_id=role.id)

    payload = await write(
        run,
        "deleteRole",
        "deletedId interactions { type }",
        id=id_of(role),
        expectedVersion=1,
    )
    left = await stored(admin, run)

    assert payload == {
        "deletedId": id_of(role),
        "interactions": [{"type": "commitment.deleted"}, {"type": "role.deleted"}],
        "userErrors": [],
    }
    assert [left["roles"], left["commitments"], len(left["parties"])] == [[], [], 1]
