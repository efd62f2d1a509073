"""Random sequences of mutations, for what must hold after any of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from graphql import GraphQLInputObjectType, GraphQLNonNull
from hypothesis import strategies as st
from running import Run
from writing import Admin, Json, log, send

from graph_api.ids import global_id
from graph_api.models import Base, DocumentLink
from graph_api.reading.columns import table_of
from graph_api.schema import graphql_schema
from graph_api.schema.entity import ENTITY_MODELS

# What each mutation does something to: by field of its input, what is to be there.
NEEDS: dict[str, dict[str, str]] = {
    "createParty": {},
    "createRole": {"partyId": "Party"},
    "createCommitment": {"roleId": "Role"},
    "createDocument": {},
    "createTag": {},
    "createCollection": {},
    "createAnnotation": {"documentId": "Document"},
    "createKnowledgeNode": {},
    "createKnowledgeEdge": {"sourceId": "KnowledgeNode", "targetId": "KnowledgeNode"},
    "ingestSignal": {},
    "attachSignal": {"id": "Signal", "documentId": "Document"},
    "archiveSignal": {"id": "Signal"},
    "archiveDocument": {"id": "Document"},
    "activateCommitment": {"id": "Commitment"},
    "pauseCommitment": {"id": "Commitment"},
    "cancelCommitment": {"id": "Commitment"},
    "upsertKnowledgeNodes": {},
    "upsertKnowledgeEdges": {"sourceId": "KnowledgeNode", "targetId": "KnowledgeNode"},
    "tagDocuments": {"ids": "Document", "add": "Tag", "remove": "Tag"},
    "unlinkDocument": {"id": "DocumentLink"},
    **{
        f"{verb}{model.__name__}": {"id": model.__name__}
        for verb in ("update", "delete")
        for model in ENTITY_MODELS.values()
        if (verb, model.__name__) not in {("update", "Signal"), ("delete", "Signal")}
    },
}
LINKS = [f"linkDocument to {model.__name__}" for model in ENTITY_MODELS.values()]
for link in LINKS:
    NEEDS[link] = {"documentId": "Document", "targetId": link.rpartition(" ")[2]}

# What is said where a plan says nothing else.
LEAST: dict[str, Json] = {
    "createParty": {"kind": "ORG", "name": "ACME"},
    "createRole": {"roleName": "Vendor"},
    "createCommitment": {
        "commitmentType": "GOAL",
        "title": "Pay",
        "source": "DOC",
    },
    "createDocument": {"title": "Invoice", "source": "API"},
    "createTag": {"name": "tax"},
    "createCollection": {"name": "Work"},
    "createKnowledgeNode": {"label": "Graph", "nodeType": "topic"},
    "createKnowledgeEdge": {"edgeType": "x"},
    "ingestSignal": {"source": "API", "payload": {}},
    "upsertKnowledgeNodes": {"externalRef": "a", "label": "B", "nodeType": "topic"},
    "upsertKnowledgeEdges": {"edgeType": "x"},
}
LISTS = {"ids", "add", "remove"}
# Ids that a plan may leave out.
OPTIONAL = {
    "parentId": "Collection",
    "collectionId": "Collection",
    "counterpartyId": "Party",
}

TEXTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20
)
OBJECTS = st.dictionaries(
    TEXTS, st.none() | st.booleans() | st.integers(-(2**60), 2**60) | TEXTS, max_size=3
)
PLACES = st.integers(0, 5)
VALUES = st.fixed_dictionaries(
    {},
    optional={
        "name": TEXTS,
        "label": TEXTS,
        "title": TEXTS,
        "roleName": TEXTS,
        "description": st.none() | TEXTS,
        "text": st.none() | TEXTS | st.just("long"),
        "externalRef": st.none() | st.sampled_from("abc"),
        "sha256": st.none() | st.sampled_from(["a" * 64, "b" * 64]),
        "dedupeKey": st.none() | st.sampled_from("abc"),
        "metadata": OBJECTS,
        "properties": OBJECTS,
        "payload": OBJECTS,
        "embedding": st.none() | st.lists(st.floats(-1, 1), max_size=3),
        "weight": st.sampled_from([-1.0, 0.0, 0.1, 1e300]),
        "priority": st.integers(-1, 101),
        "dueAt": st.none() | st.just("2026-03-29T01:30:00.000001+02:00"),
        "extractionCost": st.none() | st.sampled_from(["0", "0.10", "1.2345"]),
        "domainTags": st.lists(TEXTS, max_size=3),
        "edgeType": st.sampled_from("xyz"),
        "relation": st.sampled_from(["about", "evidence"]),
        **dict.fromkeys(OPTIONAL, PLACES),
    },
)


@dataclass(frozen=True)
class Step:
    """One mutation: to the things in some places of the lists of what there is."""

    mutation: str
    places: list[int]
    values: Json
    dry_run: bool


def plans() -> st.SearchStrategy[list[Step]]:
    # Deletions have been drawn as often as all else, and left nothing to work on.
    building = [name for name in NEEDS if not name.startswith("delete")]
    step = st.builds(
        _step,
        st.sampled_from([*building, *building, *NEEDS]),
        st.lists(PLACES, min_size=3, max_size=3),
        VALUES,
        st.integers(0, 9).map(lambda number: number == 9),
    )
    return st.lists(step, min_size=20, max_size=40)


def _step(mutation: str, places: list[int], values: Json, dry_run: bool) -> Step:
    fields = _fields(mutation)
    taken = {name: value for name, value in values.items() if name in fields}
    return Step(mutation, places, taken, dry_run)


async def play(plan: Iterable[Step], run: Run, admin: "Admin[Any]") -> None:
    """Send the mutations of a plan, as far as there is something to do them to.

    A dry run and a refusal tell nothing.
    """
    for step in plan:
        there = await _there(admin, run)
        given = _input(step, there)
        if given is None:
            continue
        mutation = step.mutation.partition(" ")[0]
        before = await log(admin, run)
        body = await send(run, mutation, "", given)
        codes = [error["extensions"]["code"] for error in body.get("errors", ())]
        assert set(codes) <= {"BAD_USER_INPUT"}, (mutation, given, body)
        if codes or step.dry_run or body["data"][mutation]["userErrors"]:
            assert await log(admin, run) == before


There = dict[str, list[tuple[UUID, int]]]

_MODELS: list[type[Base]] = [*ENTITY_MODELS.values(), DocumentLink]
_THERE = " UNION ALL ".join(
    f"SELECT '{model.__name__}' AS kind, id, "
    f"{'1' if model is DocumentLink else 'version'} AS version "
    f"FROM {table_of(model).name} WHERE workspace_id = $1"
    for model in _MODELS
)


async def _there(admin: "Admin[Any]", run: Run) -> There:
    there: There = {}
    for row in await admin.fetch(f"{_THERE} ORDER BY 1, 2", run.caller.workspace_id):
        there.setdefault(row["kind"], []).append((row["id"], row["version"]))
    return there


def _input(step: Step, there: There) -> Json | None:
    """The step's input; None where what it would need is not there."""
    needs = NEEDS[step.mutation]
    return _filled(step, there) if there.keys() >= set(needs.values()) else None


def _filled(step: Step, there: There) -> Json:
    def at(kind: str, place: int) -> tuple[UUID, int]:
        return there[kind][place % len(there[kind])]

    given: Json = dict(LEAST.get(step.mutation, {}))
    for name, value in step.values.items():
        kind = OPTIONAL.get(name)
        if kind is None or kind in there:
            given[name] = global_id(kind, at(kind, value)[0]) if kind else value
    for (name, kind), place in zip(
        NEEDS[step.mutation].items(), step.places, strict=False
    ):
        id, version = at(kind, place)
        given[name] = [global_id(kind, id)] if name in LISTS else global_id(kind, id)
        if step.mutation.startswith("delete"):
            given["expectedVersion"] = version
    if given.get("text") == "long":
        # Not drawn as such: Hypothesis would print it.
        given["text"] = "ü" * 40_000
    if step.mutation.startswith("upsert"):
        given = {"items": [given], "onError": "SKIP"}
    return given | {"dryRun": step.dry_run}


def _fields(mutation: str) -> set[str]:
    """The fields of a mutation's input, or of one of its items."""
    assert graphql_schema.mutation_type is not None
    name = mutation.partition(" ")[0]
    given = graphql_schema.mutation_type.fields[name].args["input"].type
    assert isinstance(given, GraphQLNonNull)
    of = given.of_type
    if "items" in of.fields:
        of = of.fields["items"].type.of_type.of_type.of_type
    assert isinstance(of, GraphQLInputObjectType)
    return set(of.fields)
