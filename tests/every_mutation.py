"""For every mutation of the schema, the least input with which it changes something."""

from collections.abc import Awaitable, Callable
from typing import Any

from factories import PASSWORD, Make
from writing import Json, id_of

from graph_api.models import CommitmentState as State
from graph_api.schema import graphql_schema

# Those about access, whose rows are no entities; and of these, those that take or show
# what is kept nowhere.
OF_ACCESS = {
    "changeMemberRole",
    "changePassword",
    "createApiKey",
    "inviteMember",
    "removeMember",
    "revokeApiKey",
    "revokeInvitation",
    "rotateApiKey",
    "updateApiKey",
    "updateProfile",
    "updateWorkspace",
}
OF_SECRETS = {"changePassword", "createApiKey", "inviteMember", "rotateApiKey"}

Given = Callable[[Make], Awaitable[Json]]

assert graphql_schema.mutation_type is not None
# What nobody needs to be anybody for.
WAYS_IN = {"acceptInvitation", "signIn"}
MUTATIONS = sorted(graphql_schema.mutation_type.fields.keys() - WAYS_IN)


def _new(**values: Any) -> Given:
    async def given(_: Make) -> Json:
        return values

    return given


def _update(kind: str, **values: Any) -> Given:
    async def given(make: Make) -> Json:
        return {"id": id_of(await getattr(make, kind)()), **values}

    return given


def _delete(kind: str) -> Given:
    return _update(kind, expectedVersion=1)


def _move(state: State) -> Given:
    async def given(make: Make) -> Json:
        return {"id": id_of(await make.commitment(state=state))}

    return given


async def _role(make: Make) -> Json:
    return {"partyId": id_of(await make.party()), "roleName": "Vendor"}


async def _commitment(make: Make) -> Json:
    return {
        "roleId": id_of(await make.role()),
        "commitmentType": "OBLIGATION",
        "title": "Pay Invoice #123",
        "source": "MANUAL",
    }


async def _annotation(make: Make) -> Json:
    return {"documentId": id_of(await make.document())}


async def _attach(make: Make) -> Json:
    signal, document = await make.signal(), await make.document()
    return {"id": id_of(signal), "documentId": id_of(document)}


async def _tag(make: Make) -> Json:
    return {"ids": [id_of(await make.document())], "add": [id_of(await make.tag())]}


async def _link(make: Make) -> Json:
    document, party = await make.document(), await make.party()
    return {"documentId": id_of(document), "targetId": id_of(party)}


async def _unlink(make: Make) -> Json:
    return {"id": str(await make.link(await make.document(), await make.party()))}


async def _edge(make: Make) -> Json:
    node = id_of(await make.knowledge_node())
    return {"sourceId": node, "targetId": node, "edgeType": "relates_to"}


async def _edges(make: Make) -> Json:
    return {"items": [await _edge(make)]}


async def _password(make: Make) -> Json:
    await make.password()
    return {"currentPassword": PASSWORD, "newPassword": "staple correct horse"}


async def _member(make: Make) -> Json:
    return {"id": id_of(await make.member())}


async def _other_role(make: Make) -> Json:
    return {**await _member(make), "role": "VIEWER"}


GIVEN: dict[str, Given] = {
    "acceptCommitment": _move(State.PROPOSED),
    "activateCommitment": _move(State.ACCEPTED),
    "archiveDocument": _update("document"),
    "archiveSignal": _update("signal"),
    "attachSignal": _attach,
    "cancelCommitment": _move(State.ACTIVE),
    "changeMemberRole": _other_role,
    "changePassword": _password,
    "createAnnotation": _annotation,
    "createApiKey": _new(name="sync", scopes=["read"]),
    "createCollection": _new(name="Work"),
    "createCommitment": _commitment,
    "createDocument": _new(title="Invoice", source="MANUAL", sha256="a1" * 32),
    "createKnowledgeEdge": _edge,
    "createKnowledgeNode": _new(label="Graph", nodeType="concept"),
    "createParty": _new(kind="ORG", name="ACME"),
    "createRole": _role,
    "createTag": _new(name="tax"),
    "deleteAnnotation": _delete("annotation"),
    "deleteCollection": _delete("collection"),
    "deleteCommitment": _delete("commitment"),
    "deleteDocument": _delete("document"),
    "deleteKnowledgeEdge": _delete("knowledge_edge"),
    "deleteKnowledgeNode": _delete("knowledge_node"),
    "deleteParty": _delete("party"),
    "deleteRole": _delete("role"),
    "deleteTag": _delete("tag"),
    "fulfillCommitment": _move(State.ACTIVE),
    "ingestSignal": _new(source="MANUAL", payload={}),
    "inviteMember": _new(email="you@example.org", role="EDITOR"),
    "linkDocument": _link,
    "markCommitmentDelinquent": _move(State.ACTIVE),
    "pauseCommitment": _move(State.ACTIVE),
    "removeMember": _member,
    "resumeCommitment": _move(State.PAUSED),
    "revokeApiKey": _update("api_key"),
    "revokeInvitation": _update("invitation"),
    "rotateApiKey": _update("api_key"),
    "tagDocuments": _tag,
    "unlinkDocument": _unlink,
    "updateAnnotation": _update("annotation", text="Odd"),
    "updateApiKey": _update("api_key", name="backup"),
    "updateCollection": _update("collection", name="Home"),
    "updateCommitment": _update("commitment", priority=99),
    "updateDocument": _update("document", title="Receipt"),
    "updateKnowledgeEdge": _update("knowledge_edge", weight=0.5),
    "updateKnowledgeNode": _update("knowledge_node", label="Tree"),
    "updateParty": _update("party", name="ACME Ltd"),
    "updateProfile": _new(fullName="Ada Lovelace"),
    "updateRole": _update("role", roleName="Customer"),
    "updateTag": _update("tag", name="taxes"),
    "updateWorkspace": _new(name="Home"),
    "upsertKnowledgeEdges": _edges,
    "upsertKnowledgeNodes": _new(
        items=[{"externalRef": "wiki:1", "label": "Graph", "nodeType": "concept"}]
    ),
}
