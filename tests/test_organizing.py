"""Writing collections, tags and annotations."""

import asyncio
from typing import Any

import pytest
from factories import Make
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
    user_of,
    write,
)

from graph_api.caller import Caller
from graph_api.ids import global_id
from graph_api.keys import new_key

COLLECTION = """
    collection {
      name description color icon externalRef version parent { uuid } owner { id }
    }
"""
TAG = "tag { name color icon externalRef version }"
ANNOTATION = """
    annotation {
      kind text quote startOffset endOffset page color externalRef version
      document { uuid } author { id }
    }
"""


async def test_a_collection_needs_only_a_name(run: Run, caller: Caller) -> None:
    payload = await write(run, "createCollection", COLLECTION, name="Taxes")

    assert payload == {
        "collection": {
            "name": "Taxes",
            "description": None,
            "color": None,
            "icon": None,
            "externalRef": None,
            "version": 1,
            "parent": None,
            "owner": {"id": user_of(caller)},
        },
        "userErrors": [],
    }


async def test_a_collection_is_created_as_given(run: Run, make: Make) -> None:
    parent = await make.collection()
    given = {
        "name": "2026",
        "description": "All of it",
        "color": "#1f77B4",
        "icon": "🐜",
        "externalRef": "dms:1",
    }

    payload = await write(
        run,
        "createCollection",
        COLLECTION,
        **given,
        parentId=id_of(parent),
        ownerId=None,
    )

    assert payload["collection"] == given | {
        "version": 1,
        "parent": {"uuid": str(parent.id)},
        "owner": None,
    }


async def test_a_collection_moves_to_the_top(run: Run, make: Make) -> None:
    parent = await make.collection()
    child = await make.collection(parent_id=parent.id, color="#000000")

    payload = await write(
        run, "updateCollection", COLLECTION, id=id_of(child), parentId=None
    )

    assert payload["collection"]["parent"] is None
    assert payload["collection"]["color"] == "#000000"
    assert payload["collection"]["version"] == 2


COLLECTIONS_THAT_CANNOT_BE = [
    ({"name": ""}, "name"),
    ({"name": "x" * 256}, "name"),
    ({"description": "x" * 20_001}, "description"),
    ({"color": "blue"}, "color"),
    ({"color": "#1f77b4\n"}, "color"),
    ({"icon": "x" * 51}, "icon"),
    ({"parentId": "nonsense"}, "parentId"),
    ({"ownerId": "nonsense"}, "ownerId"),
]


@pytest.mark.parametrize(("given", "path"), COLLECTIONS_THAT_CANNOT_BE)
async def test_a_collection_that_cannot_be_is_not_created(
    run: Run, admin: "Admin[Any]", given: Json, path: str
) -> None:
    before = await stored(admin, run)

    payload = await write(run, "createCollection", **{"name": "Work"} | given)

    assert payload == invalid(path)
    assert await stored(admin, run) == before


@pytest.mark.parametrize(
    ("given", "path"), [*COLLECTIONS_THAT_CANNOT_BE, ({"name": None}, "name")]
)
async def test_a_collection_does_not_become_what_it_cannot_be(
    run: Run, make: Make, admin: "Admin[Any]", given: Json, path: str
) -> None:
    collection = await make.collection()
    before = await stored(admin, run)

    payload = await write(run, "updateCollection", id=id_of(collection), **given)

    assert payload == invalid(path)
    assert await stored(admin, run) == before


@pytest.mark.parametrize("mutation", ["createCollection", "updateCollection"])
async def test_a_strangers_collection_is_no_parent(
    run: Run,
    make: Make,
    admin: "Admin[Any]",
    stranger: Caller,
    mutation: str,
) -> None:
    ours, theirs = await make.collection(), await make.by(stranger).collection()
    own = {"createCollection": {}, "updateCollection": {"id": id_of(ours)}}
    before = await stored(admin, run)

    payload = await write(
        run, mutation, name="New", parentId=id_of(theirs), **own[mutation]
    )

    assert payload == not_found("parentId")
    assert await stored(admin, run) == before


async def test_a_collection_does_not_lie_within_itself(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    top = await make.collection()
    middle = await make.collection(parent_id=top.id)
    bottom = await make.collection(parent_id=middle.id)
    before = await stored(admin, run)

    in_itself = await write(run, "updateCollection", id=id_of(top), parentId=id_of(top))
    in_its_child = await write(
        run, "updateCollection", id=id_of(top), parentId=id_of(middle)
    )
    in_its_grandchild = await write(
        run, "updateCollection", id=id_of(top), parentId=id_of(bottom)
    )

    assert in_itself == in_its_child == in_its_grandchild == invalid("parentId")
    assert await stored(admin, run) == before


async def test_of_two_moves_at_once_that_would_close_a_circle_one_is_refused(
    run: Run, make: Make
) -> None:
    first, second = await make.collection(), await make.collection()
    below_first = await make.collection(parent_id=first.id)
    below_second = await make.collection(parent_id=second.id)

    payloads = await asyncio.gather(
        write(run, "updateCollection", id=id_of(first), parentId=id_of(below_second)),
        write(run, "updateCollection", id=id_of(second), parentId=id_of(below_first)),
    )

    assert {"userErrors": []} in payloads
    assert invalid("parentId") in payloads


async def test_what_lay_in_a_deleted_collection_then_lies_in_none(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    collection = await make.collection()
    await make.collection(parent_id=collection.id)
    await make.document(collection_id=collection.id)

    payload = await write(
        run,
        "deleteCollection",
        "deletedId interactions { type changeSetId after }",
        id=id_of(collection),
        expectedVersion=1,
    )
    left = await stored(admin, run)

    *updates, deletion = payload["interactions"]
    by_type = {one["type"]: one["after"] for one in updates}
    assert payload["deletedId"] == id_of(collection)
    assert by_type.keys() == {"collection.updated", "document.updated"}
    assert by_type["collection.updated"]["parentId"] is None
    assert by_type["document.updated"]["collectionId"] is None
    assert deletion["type"] == "collection.deleted"
    assert len({one["changeSetId"] for one in payload["interactions"]}) == 1
    assert [len(left["collections"]), len(left["documents"])] == [1, 1]


async def test_a_tag_needs_only_a_name(run: Run) -> None:
    payload = await write(run, "createTag", TAG, name="tax")

    assert payload == {
        "tag": {
            "name": "tax",
            "color": None,
            "icon": None,
            "externalRef": None,
            "version": 1,
        },
        "userErrors": [],
    }


async def test_a_tag_changes_by_what_is_given(run: Run, make: Make) -> None:
    tag = await make.tag(name="tax", color="#000000", icon="x")

    payload = await write(run, "updateTag", TAG, id=id_of(tag), name="Tax", icon=None)

    assert payload["tag"] == {
        "name": "Tax",
        "color": "#000000",
        "icon": None,
        "externalRef": None,
        "version": 2,
    }


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"color": "#12345"}, "color"),
        ({"icon": "x" * 51}, "icon"),
        ({"externalRef": "x" * 501}, "externalRef"),
    ],
)
async def test_a_tag_that_cannot_be_is_neither_created_nor_become(
    run: Run, make: Make, admin: "Admin[Any]", given: Json, path: str
) -> None:
    tag = await make.tag()
    before = await stored(admin, run)

    created = await write(run, "createTag", **{"name": "tax"} | given)
    updated = await write(run, "updateTag", id=id_of(tag), **given)

    assert created == updated == invalid(path)
    assert await stored(admin, run) == before


async def test_two_tags_cannot_have_one_name(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    tax, home = await make.tag(name="tax"), await make.tag(name="home")
    before = await stored(admin, run)

    created = await write(run, "createTag", name="tax")
    updated = await write(run, "updateTag", id=id_of(home), name="tax")

    assert created == updated == duplicate(tax, "name")
    assert await stored(admin, run) == before


async def test_a_deleted_tag_is_taken_from_all_documents(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    tag, stays = await make.tag(), await make.tag()
    first, second = await make.document(), await make.document()
    await make.tagged(first, tag, stays)
    await make.tagged(second, tag)

    payload = await write(
        run,
        "deleteTag",
        "deletedId interactions { type changeSetId after }",
        id=id_of(tag),
        expectedVersion=1,
    )
    left = await stored(admin, run)

    told = payload["interactions"]
    assert payload["deletedId"] == id_of(tag)
    assert [one["type"] for one in told] == [
        "document.untagged",
        "document.untagged",
        "tag.deleted",
    ]
    assert [one["after"] and one["after"]["tags"] for one in told] == [
        [str(stays.id)],
        [],
        None,
    ]
    assert len({one["changeSetId"] for one in told}) == 1
    assert [len(left["tags"]), len(left["document_tags"])] == [1, 1]


async def test_an_annotation_is_a_note_of_whoever_made_it(
    run: Run, make: Make, caller: Caller
) -> None:
    document = await make.document()

    payload = await write(
        run, "createAnnotation", ANNOTATION, documentId=id_of(document)
    )

    assert payload == {
        "annotation": {
            "kind": "NOTE",
            "text": None,
            "quote": None,
            "startOffset": None,
            "endOffset": None,
            "page": None,
            "color": None,
            "externalRef": None,
            "version": 1,
            "document": {"uuid": str(document.id)},
            "author": {"id": user_of(caller)},
        },
        "userErrors": [],
    }


async def test_an_annotation_is_created_as_given(run: Run, make: Make) -> None:
    document = await make.document()
    given = {
        "kind": "HIGHLIGHT",
        "text": "Odd",
        "quote": "as of today",
        "startOffset": 0,
        "endOffset": 2**31 - 1,
        "page": 1,
        "color": "#ffff00",
        "externalRef": "note:1",
    }

    payload = await write(
        run,
        "createAnnotation",
        ANNOTATION,
        **given,
        documentId=str(document.id),
        authorId=None,
    )

    assert payload["annotation"] == given | {
        "version": 1,
        "document": {"uuid": str(document.id)},
        "author": None,
    }


async def test_an_annotation_changes_by_what_is_given(run: Run, make: Make) -> None:
    note = await make.annotation(text="Odd", start_offset=3, end_offset=7)

    payload = await write(
        run, "updateAnnotation", ANNOTATION, id=id_of(note), text=None, startOffset=7
    )

    assert payload["annotation"]["text"] is None
    assert payload["annotation"]["startOffset"] == 7
    assert payload["annotation"]["endOffset"] == 7
    assert payload["annotation"]["version"] == 2


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"kind": None}, "kind"),
        ({"text": "x" * 20_001}, "text"),
        ({"quote": "x" * 20_001}, "quote"),
        ({"startOffset": -1}, "startOffset"),
        ({"endOffset": -1}, "endOffset"),
        ({"startOffset": 5, "endOffset": 4}, "endOffset"),
        ({"page": 0}, "page"),
        ({"page": 1_000_001}, "page"),
        ({"color": "yellow"}, "color"),
        ({"authorId": "nonsense"}, "authorId"),
    ],
)
async def test_an_annotation_that_cannot_be_is_neither_created_nor_become(
    run: Run, make: Make, admin: "Admin[Any]", given: Json, path: str
) -> None:
    note = await make.annotation()
    before = await stored(admin, run)

    created = await write(
        run, "createAnnotation", documentId=str(note.document_id), **given
    )
    updated = await write(run, "updateAnnotation", id=id_of(note), **given)

    assert created == updated == invalid(path)
    assert await stored(admin, run) == before


async def test_an_end_is_held_against_the_start_that_is_there(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    note = await make.annotation(start_offset=5, end_offset=9)
    before = await stored(admin, run)

    payload = await write(run, "updateAnnotation", id=id_of(note), endOffset=4)

    assert payload == invalid("endOffset")
    assert await stored(admin, run) == before


async def test_a_strangers_document_is_not_annotated(
    run: Run, make: Make, stranger: Caller
) -> None:
    document, theirs = await make.document(), await make.by(stranger).document()

    elsewhere = await write(run, "createAnnotation", documentId=id_of(theirs))
    by_stranger = await write(
        run,
        "createAnnotation",
        documentId=id_of(document),
        authorId=user_of(stranger),
    )

    assert elsewhere == not_found("documentId")
    assert by_stranger == not_found("authorId")


async def test_a_deleted_annotation_leaves_its_document(
    run: Run, make: Make, admin: "Admin[Any]"
) -> None:
    note = await make.annotation()

    payload = await write(
        run,
        "deleteAnnotation",
        "deletedId interactions { type }",
        id=id_of(note),
        expectedVersion=1,
    )
    left = await stored(admin, run)

    assert payload == {
        "deletedId": id_of(note),
        "interactions": [{"type": "annotation.deleted"}],
        "userErrors": [],
    }
    assert [len(left["annotations"]), len(left["documents"])] == [0, 1]


@pytest.mark.parametrize(
    "mutation",
    [
        f"{verb}{kind}"
        for verb in ("update", "delete")
        for kind in ("Collection", "Tag", "Annotation")
    ],
)
async def test_what_is_stale_or_missing_is_left_alone(
    run: Run, make: Make, admin: "Admin[Any]", mutation: str
) -> None:
    kind = mutation[6:]
    row = await getattr(make, kind.lower())()
    before = await stored(admin, run)

    stale = await write(run, mutation, id=id_of(row), expectedVersion=2)
    missing = await write(
        run, mutation, id=global_id(kind, new_key()), expectedVersion=1
    )

    assert stale == conflict(row, 1)
    assert missing == not_found("id")
    assert await stored(admin, run) == before
