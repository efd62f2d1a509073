"""Taking documents in, and saying what they are about."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from factories import NOBODY, Make
from running import Run
from writing import (
    Admin,
    Json,
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
from graph_api.models import Entity, EntityType
from graph_api.schema.entity import ENTITY_MODELS

DOCUMENT = """
    document {
      title language pageCount isActive fileName mimeType fileSize sha256 source
      ingestionStatus ingestedAt errorMessage processingStatus text metadataExtracted
      metadata classification classificationStatus classificationConfidence
      extractionType extractionData extractionCost extractedAt externalRef version
      owner { id } collection { id } fileHash { fileHash duplicateCount }
    }
"""
HASH = "a1" * 32
OTHER_HASH = "b2" * 32
COUNTED = """
    document { id title version fileHash { fileHash duplicateCount } }
    duplicate
    interaction { type metadata before after }
"""
LINKED = """
    document { uuid version }
    link { relation entityType target { uuid } document { uuid } }
    interaction { type before after }
"""
TAGGED = "documents { title version tags { nodes { id } } } interactions { type }"

MAKES: dict[EntityType, Callable[[Make], Awaitable[Entity]]] = {
    EntityType.PARTY: Make.party,
    EntityType.ROLE: Make.role,
    EntityType.COMMITMENT: Make.commitment,
    EntityType.SIGNAL: Make.signal,
    EntityType.DOCUMENT: Make.document,
    EntityType.COLLECTION: Make.collection,
    EntityType.TAG: Make.tag,
    EntityType.ANNOTATION: Make.annotation,
    EntityType.KNOWLEDGE_NODE: Make.knowledge_node,
    EntityType.KNOWLEDGE_EDGE: Make.knowledge_edge,
}


def test_the_tests_know_every_kind_of_entity() -> None:
    assert set(MAKES) == set(ENTITY_MODELS)


async def test_a_document_needs_only_a_title_and_a_source(
    run: Run, caller: Caller
) -> None:
    payload = await write(
        run, "createDocument", DOCUMENT + "duplicate", title="Note", source="MANUAL"
    )

    ingested_at = payload["document"].pop("ingestedAt")
    assert ingested_at is not None
    assert payload == {
        "document": {
            "title": "Note",
            "language": None,
            "pageCount": None,
            "isActive": True,
            "fileName": None,
            "mimeType": None,
            "fileSize": None,
            "sha256": None,
            "source": "MANUAL",
            "ingestionStatus": "SUCCESS",
            "errorMessage": None,
            "processingStatus": "PENDING",
            "text": None,
            "metadataExtracted": {},
            "metadata": {},
            "classification": None,
            "classificationStatus": None,
            "classificationConfidence": None,
            "extractionType": None,
            "extractionData": None,
            "extractionCost": None,
            "extractedAt": None,
            "externalRef": None,
            "version": 1,
            "owner": {"id": user_of(caller)},
            "collection": None,
            "fileHash": None,
        },
        "duplicate": False,
        "userErrors": [],
    }


FULL = {
    "title": "Invoice",
    "language": "en-GB",
    "pageCount": 2,
    "fileName": "invoice.pdf",
    "mimeType": "application/pdf",
    "fileSize": "9007199254740992",
    "sha256": HASH,
    "source": "UPLOAD",
    "ingestionStatus": "FAILED",
    "ingestedAt": "2026-01-01T00:00:00Z",
    "errorMessage": "Too blurred",
    "processingStatus": "RUNNING",
    "text": "Pay up",
    "metadataExtracted": {"total": 1.5},
    "metadata": {"mine": None},
    "classification": "invoice",
    "classificationStatus": "COMPLETED",
    "classificationConfidence": 0.1,
    "extractionType": "invoice",
    "extractionData": {"lines": [1, 2]},
    "extractionCost": "0.0100",
    "extractedAt": "2026-01-01T00:00:00.000001Z",
    "externalRef": "dms:1",
}


async def test_a_document_is_created_as_given(run: Run, make: Make) -> None:
    collection = await make.collection()

    payload = await write(
        run,
        "createDocument",
        DOCUMENT,
        **FULL,
        ownerId=None,
        collectionId=id_of(collection),
    )

    assert payload["document"] == FULL | {
        "isActive": True,
        "version": 1,
        "owner": None,
        "collection": {"id": id_of(collection)},
        "fileHash": {"fileHash": HASH, "duplicateCount": 0},
    }


async def test_an_update_leaves_alone_what_it_does_not_name(
    run: Run, caller: Caller
) -> None:
    created = await write(run, "createDocument", "document { id }", **FULL)

    payload = await write(
        run,
        "updateDocument",
        DOCUMENT,
        id=created["document"]["id"],
        text="Paid",
        classification=None,
    )

    assert payload["document"] == FULL | {
        "text": "Paid",
        "classification": None,
        "isActive": True,
        "version": 2,
        "owner": {"id": user_of(caller)},
        "collection": None,
        "fileHash": {"fileHash": HASH, "duplicateCount": 0},
    }


BAD = [
    ({"title": " "}, "title"),
    ({"title": None}, "title"),
    ({"title": "x" * 501}, "title"),
    ({"language": "x" * 36}, "language"),
    ({"pageCount": -1}, "pageCount"),
    ({"fileName": ""}, "fileName"),
    ({"fileSize": "-1"}, "fileSize"),
    ({"fileSize": str(2**53 + 1)}, "fileSize"),
    ({"sha256": "abc"}, "sha256"),
    ({"sha256": "A1" * 32}, "sha256"),
    ({"ingestionStatus": None}, "ingestionStatus"),
    ({"errorMessage": "x" * 2_001}, "errorMessage"),
    ({"text": "x" * 5_000_001}, "text"),
    ({"metadata": None}, "metadata"),
    ({"metadataExtracted": [1]}, "metadataExtracted"),
    ({"extractionData": "text"}, "extractionData"),
    ({"classificationConfidence": 1.1}, "classificationConfidence"),
    ({"extractionCost": "1.00001"}, "extractionCost"),
    ({"collectionId": "nonsense"}, "collectionId"),
    ({"ownerId": "nonsense"}, "ownerId"),
]


@pytest.mark.parametrize(("given", "path"), [b for b in BAD if b[0] != {"title": None}])
async def test_a_document_that_cannot_be_is_not_created(
    run: Run, admin: "Admin[Any]", given: Json, path: str
) -> None:
    before = await stored(admin, run)

    payload = await write(
        run, "createDocument", **{"title": "A", "source": "API"} | given
    )

    assert payload == invalid(path)
    assert await stored(admin, run) == before


@pytest.mark.parametrize(("given", "path"), BAD)
async def test_a_document_does_not_become_what_it_cannot_be(
    run: Run, make: Make, admin: "Admin[Any]", given: Json, path: str
) -> None:
    document = await make.document()
    before = await stored(admin, run)

    payload = await write(run, "updateDocument", id=id_of(document), **given)

    assert payload == invalid(path)
    assert await stored(admin, run) == before


async def test_a_strangers_collection_and_user_are_not_found(
    run: Run, make: Make, admin: "Admin[Any]", stranger: Caller
) -> None:
    theirs = await make.by(stranger).collection()
    least = {"title": "A", "source": "API"}
    before = await stored(admin, run)

    collection = await write(run, "createDocument", **least, collectionId=id_of(theirs))
    owner = await write(run, "createDocument", **least, ownerId=user_of(stranger))

    assert collection == not_found("collectionId")
    assert owner == not_found("ownerId")
    assert await stored(admin, run) == before


async def test_two_documents_cannot_have_one_external_ref(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    first = await make.document(external_ref="dms:1")
    before = await stored(admin, run)

    payload = await write(
        run, "createDocument", title="B", source="API", externalRef="dms:1"
    )

    assert payload == duplicate(first, "externalRef")
    assert await stored(admin, run) == before


async def test_the_same_file_again_is_counted_and_not_stored(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    known = await make.document(sha256=HASH, title="First")

    payload = await write(
        run, "createDocument", COUNTED, title="Second", source="EMAIL", sha256=HASH
    )

    assert payload == {
        "document": {
            "id": id_of(known),
            "title": "First",
            "version": 1,
            "fileHash": {"fileHash": HASH, "duplicateCount": 1},
        },
        "duplicate": True,
        "interaction": {
            "type": "document.duplicate_detected",
            "metadata": {"duplicateCount": 1},
            "before": {},
            "after": {},
        },
        "userErrors": [],
    }
    assert len((await stored(admin, run))["documents"]) == 1


async def test_a_file_that_is_seen_again_moves_last_seen(run: Run, make: Make) -> None:
    await make.document(sha256=HASH)
    seen = "query ($h: String!) { fileByHash(hash: $h) { firstSeen lastSeen } }"
    first = (await run(seen, h=HASH))["data"]["fileByHash"]

    await write(run, "createDocument", title="B", source="API", sha256=HASH)
    second = (await run(seen, h=HASH))["data"]["fileByHash"]

    assert first["lastSeen"] == first["firstSeen"] == second["firstSeen"]
    assert second["lastSeen"] > first["lastSeen"]


async def test_the_same_file_ten_times_at_once_is_one_document_counted_nine_times(
    run: Run, admin: "Admin[Any]"
) -> None:
    given = {"title": "A", "source": "UPLOAD", "sha256": HASH}

    payloads = await asyncio.gather(
        *(
            write(run, "createDocument", "document { id } duplicate", **given)
            for _ in range(10)
        )
    )
    answer = await run(
        "query ($h: String!) { fileByHash(hash: $h) { duplicateCount } }", h=HASH
    )

    assert len({payload["document"]["id"] for payload in payloads}) == 1
    assert Counter(payload["duplicate"] for payload in payloads) == {False: 1, True: 9}
    assert answer == {"data": {"fileByHash": {"duplicateCount": 9}}}
    assert await types(admin, run) == {
        "document.created": 1,
        "document.duplicate_detected": 9,
    }


async def test_a_strangers_file_is_no_duplicate(
    run: Run, make: Make, stranger: Caller
) -> None:
    await make.by(stranger).document(sha256=HASH)

    payload = await write(
        run, "createDocument", "duplicate", title="A", source="API", sha256=HASH
    )

    assert payload == {"duplicate": False, "userErrors": []}


async def test_a_file_that_is_broken_otherwise_is_refused_and_not_counted(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    await make.document(sha256=HASH)
    before = await stored(admin, run)

    payload = await write(run, "createDocument", title="", source="API", sha256=HASH)

    assert payload == invalid("title")
    assert await stored(admin, run) == before


async def test_a_document_cannot_take_the_hash_of_another(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    known = await make.document(sha256=HASH)
    other = await make.document(sha256=OTHER_HASH)
    before = await stored(admin, run)

    payload = await write(run, "updateDocument", id=id_of(other), sha256=HASH)

    assert payload == duplicate(known, "sha256")
    assert await stored(admin, run) == before


async def test_the_hash_index_follows_a_documents_hash(run: Run, make: Make) -> None:
    document = await make.document(sha256=HASH)

    moved = await write(
        run, "updateDocument", DOCUMENT, id=id_of(document), sha256=OTHER_HASH
    )
    emptied = await write(
        run, "updateDocument", DOCUMENT, id=id_of(document), sha256=None
    )

    assert moved["document"]["fileHash"] == {
        "fileHash": OTHER_HASH,
        "duplicateCount": 0,
    }
    assert emptied["document"]["fileHash"] is None


async def test_an_update_with_the_same_hash_keeps_the_count(
    run: Run, make: Make
) -> None:
    document = await make.document(sha256=HASH)
    await write(run, "createDocument", title="B", source="API", sha256=HASH)

    payload = await write(
        run, "updateDocument", DOCUMENT, id=id_of(document), sha256=HASH, title="C"
    )

    assert payload["document"]["title"] == "C"
    assert payload["document"]["fileHash"] == {"fileHash": HASH, "duplicateCount": 1}


async def test_a_document_is_archived_once(run: Run, make: Make) -> None:
    document = await make.document()
    answer = "document { isActive version } interaction { type }"

    first = await write(run, "archiveDocument", answer, id=id_of(document))
    second = await write(run, "archiveDocument", answer, id=id_of(document))

    assert first == {
        "document": {"isActive": False, "version": 2},
        "interaction": {"type": "document.archived"},
        "userErrors": [],
    }
    assert second == {
        "document": {"isActive": False, "version": 2},
        "interaction": None,
        "userErrors": [],
    }


@pytest.mark.parametrize(
    "mutation", ["updateDocument", "archiveDocument", "deleteDocument"]
)
async def test_a_stale_or_missing_document_is_left_alone(
    run: Run, make: Make, admin: "Admin[Any]", mutation: str
) -> None:
    document = await make.document()
    nobody = global_id("Document", new_key())
    before = await stored(admin, run)

    stale = await write(run, mutation, id=id_of(document), expectedVersion=2)
    missing = await write(run, mutation, id=nobody, expectedVersion=1)

    assert stale == conflict(document, 1)
    assert missing == not_found("id")
    assert await stored(admin, run) == before


async def test_a_deleted_document_takes_along_what_belongs_to_it(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    document = await make.document(sha256=HASH)
    other, tag, signal = await make.document(), await make.tag(), await make.signal()
    await make.annotation(document_id=document.id)
    await make.tagged(document, tag)
    await make.link(document, tag)
    await make.link(other, document)
    await write(run, "attachSignal", id=id_of(signal), documentId=id_of(document))

    payload = await write(
        run,
        "deleteDocument",
        "deletedId interactions { type changeSetId }",
        id=id_of(document),
        expectedVersion=3,
    )
    left = await stored(admin, run)

    told = payload["interactions"]
    assert payload["deletedId"] == id_of(document)
    assert [one["type"] for one in told] == [
        "signal.updated",
        "document.unlinked",
        "annotation.deleted",
        "document.deleted",
    ]
    assert len({one["changeSetId"] for one in told}) == 1
    assert [len(left[table]) for table in ("documents", "tags", "signals")] == [1] * 3
    assert left["document_links"] == left["document_tags"] == left["hash_index"] == []


@pytest.mark.parametrize("kind", ENTITY_MODELS)
async def test_a_document_is_linked_to_any_entity_by_its_global_id(
    run: Run, make: Make, kind: EntityType
) -> None:
    document, target = await make.document(), await MAKES[kind](make)

    payload = await write(
        run,
        "linkDocument",
        LINKED,
        documentId=id_of(document),
        targetId=id_of(target),
    )

    interaction = payload.pop("interaction")
    (link,) = interaction["after"]["links"].values()
    assert payload == {
        "document": {"uuid": str(document.id), "version": 2},
        "link": {
            "relation": "about",
            "entityType": kind.name,
            "target": {"uuid": str(target.id)},
            "document": {"uuid": str(document.id)},
        },
        "userErrors": [],
    }
    assert interaction["type"] == "document.linked"
    assert interaction["before"]["links"] == {}
    assert link == {
        "entityType": kind.value,
        "entityId": str(target.id),
        "relation": "about",
        "createdAt": link["createdAt"],
    }


@pytest.mark.parametrize("kind", ENTITY_MODELS)
async def test_a_document_is_linked_to_any_entity_by_its_kind_and_uuid(
    run: Run, make: Make, kind: EntityType
) -> None:
    document, target = await make.document(), await MAKES[kind](make)

    payload = await write(
        run,
        "linkDocument",
        LINKED,
        documentId=str(document.id),
        targetId=str(target.id),
        targetType=kind.name,
        relation="evidence",
    )

    assert payload["link"] == {
        "relation": "evidence",
        "entityType": kind.name,
        "target": {"uuid": str(target.id)},
        "document": {"uuid": str(document.id)},
    }


@pytest.mark.parametrize("kind", ENTITY_MODELS)
async def test_a_strangers_entity_is_not_linked_to(
    run: Run,
    make: Make,
    admin: "Admin[Any]",
    stranger: Caller,
    kind: EntityType,
) -> None:
    document, theirs = await make.document(), await MAKES[kind](make.by(stranger))
    before = await stored(admin, run)

    payload = await write(
        run, "linkDocument", documentId=id_of(document), targetId=id_of(theirs)
    )

    assert payload == not_found("targetId")
    assert await stored(admin, run) == before


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"documentId": "nonsense"}, "documentId"),
        ({"targetId": "nonsense"}, "targetId"),
        ({"targetId": str(new_key())}, "targetId"),
        ({"targetId": global_id("Interaction", new_key())}, "targetId"),
        ({"targetId": global_id("Nonsense", new_key())}, "targetId"),
        ({"targetType": "TAG"}, "targetId"),
        ({"relation": ""}, "relation"),
        ({"relation": " "}, "relation"),
        ({"relation": "x" * 101}, "relation"),
    ],
)
async def test_a_link_that_cannot_be_is_not_made(
    run: Run, make: Make, admin: "Admin[Any]", given: Json, path: str
) -> None:
    document, party = await make.document(), await make.party()
    ids = {"documentId": id_of(document), "targetId": id_of(party)}
    before = await stored(admin, run)

    payload = await write(run, "linkDocument", **ids | given)

    assert payload == invalid(path)
    assert await stored(admin, run) == before


async def test_a_missing_document_is_not_linked(run: Run, make: Make) -> None:
    party = await make.party()

    payload = await write(
        run, "linkDocument", documentId=str(new_key()), targetId=id_of(party)
    )

    assert payload == not_found("documentId")


async def test_the_same_link_again_changes_nothing(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    document, party = await make.document(), await make.party()
    given = {"documentId": id_of(document), "targetId": id_of(party)}
    first = await write(run, "linkDocument", "link { id }", **given)
    before = await stored(admin, run)

    again = await write(
        run, "linkDocument", "link { id } interaction { type }", **given
    )

    assert again == first | {"interaction": None}
    assert await stored(admin, run) == before


async def test_linking_again_changes_the_relation(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    document, party = await make.document(), await make.party()
    given = {"documentId": id_of(document), "targetId": id_of(party)}
    link = await make.link(document, party)

    payload = await write(
        run,
        "linkDocument",
        "link { id relation } interaction { type before after }",
        **given,
        relation="invoice",
    )

    told = payload["interaction"]
    assert payload["link"] == {
        "id": global_id("DocumentLink", link),
        "relation": "invoice",
    }
    assert told["before"]["links"][str(link)]["relation"] == "about"
    assert told["after"]["links"][str(link)]["relation"] == "invoice"
    assert len((await stored(admin, run))["document_links"]) == 1


async def test_the_same_link_ten_times_at_once_is_one(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    document, party = await make.document(), await make.party()
    given = {"documentId": id_of(document), "targetId": id_of(party)}

    payloads = await asyncio.gather(
        *(write(run, "linkDocument", "link { id }", **given) for _ in range(10))
    )

    assert len({payload["link"]["id"] for payload in payloads}) == 1
    assert (await types(admin, run))["document.linked"] == 1


async def test_a_link_is_removed(run: Run, make: Make, admin: "Admin[Any]") -> None:
    document, party = await make.document(), await make.party()
    link = await make.link(document, party)
    id = global_id("DocumentLink", link)

    payload = await write(
        run,
        "unlinkDocument",
        "deletedId document { uuid version } interaction { type after }",
        id=id,
    )

    after = payload["interaction"]["after"]
    assert payload == {
        "deletedId": id,
        "document": {"uuid": str(document.id), "version": 3},
        "interaction": {
            "type": "document.unlinked",
            "after": {
                "links": {str(link): None},
                "version": 3,
                "updatedAt": after["updatedAt"],
            },
        },
        "userErrors": [],
    }
    assert (await stored(admin, run))["document_links"] == []


async def test_a_link_is_removed_once_however_many_try_at_once(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    document, party = await make.document(), await make.party()
    id = str(await make.link(document, party))

    payloads = await asyncio.gather(
        *(write(run, "unlinkDocument", id=id) for _ in range(10))
    )

    refused = [payload for payload in payloads if payload["userErrors"]]
    assert refused == [not_found("id")] * 9
    assert (await types(admin, run))["document.unlinked"] == 1


@pytest.mark.parametrize("id", ["nonsense", global_id("Document", NOBODY)])
async def test_what_is_no_link_is_not_removed(run: Run, id: str) -> None:
    assert await write(run, "unlinkDocument", id=id) == invalid("id")


async def test_documents_are_tagged_and_answered_in_the_order_asked_for(
    run: Run, make: Make
) -> None:
    first = await make.document(title="First")
    second = await make.document(title="Second")
    old, new = await make.tag(), await make.tag()
    await make.tagged(first, old)

    payload = await write(
        run,
        "tagDocuments",
        TAGGED,
        ids=[id_of(second), id_of(first), id_of(second)],
        add=[id_of(new)],
        remove=[id_of(old)],
    )

    bears = {"tags": {"nodes": [{"id": id_of(new)}]}}
    assert payload == {
        "documents": [
            {"title": "Second", "version": 2, **bears},
            {"title": "First", "version": 3, **bears},
        ],
        "interactions": [{"type": "document.tagged"}, {"type": "document.tagged"}],
        "userErrors": [],
    }


async def test_tags_are_told_as_the_documents(run: Run, make: Make) -> None:
    document = await make.document()
    stays, goes = await make.tag(), await make.tag()
    await make.tagged(document, stays, goes)

    payload = await write(
        run,
        "tagDocuments",
        "interaction { type before after }",
        ids=[id_of(document)],
        remove=[id_of(goes)],
    )

    told = payload["interaction"]
    assert told["type"] == "document.untagged"
    assert told["before"]["tags"] == sorted([str(stays.id), str(goes.id)])
    assert told["after"]["tags"] == [str(stays.id)]


async def test_tags_that_a_document_bears_already_change_nothing(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    document, borne, other = await make.document(), await make.tag(), await make.tag()
    await make.tagged(document, borne)
    before = await stored(admin, run)

    payload = await write(
        run,
        "tagDocuments",
        "interactions { type }",
        ids=[id_of(document)],
        add=[id_of(borne)],
        remove=[id_of(other)],
    )

    assert payload == {"interactions": [], "userErrors": []}
    assert await stored(admin, run) == before


async def test_nothing_is_tagged_unless_everything_is_there(
    run: Run, make: Make, admin: "Admin[Any]", stranger: Caller
) -> None:
    document, tag = await make.document(), await make.tag()
    theirs = make.by(stranger)
    sound = {"ids": [id_of(document)], "add": [id_of(tag)]}
    foreign = [id_of(document), id_of(await theirs.document())]
    foreign_tag = [id_of(await theirs.tag())]
    before = await stored(admin, run)

    by_ids = await write(run, "tagDocuments", **sound | {"ids": foreign})
    by_add = await write(run, "tagDocuments", **sound | {"add": foreign_tag})
    by_remove = await write(run, "tagDocuments", **sound, remove=foreign_tag)

    assert by_ids == not_found("ids")
    assert by_add == not_found("add")
    assert by_remove == not_found("remove")
    assert await stored(admin, run) == before


@pytest.mark.parametrize(("path", "count"), [("ids", 101), ("add", 51), ("remove", 51)])
async def test_too_many_are_not_tagged(
    run: Run, make: Make, admin: "Admin[Any]", path: str, count: int
) -> None:
    document = await make.document()
    before = await stored(admin, run)

    payload = await write(
        run,
        "tagDocuments",
        **{"ids": [id_of(document)]} | {path: [str(new_key())] * count},
    )

    assert payload == invalid(path)
    assert await stored(admin, run) == before


@pytest.mark.parametrize("path", ["ids", "add", "remove"])
async def test_what_is_no_id_is_not_tagged(run: Run, make: Make, path: str) -> None:
    document = await make.document()

    payload = await write(
        run, "tagDocuments", **{"ids": [id_of(document)]} | {path: ["nonsense"]}
    )

    assert payload == invalid(path)
