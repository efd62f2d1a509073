"""The root fields, and the application that answers them."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import orjson
import strawberry
from sqlalchemy import Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from benchmarks.limit import settings
from benchmarks.usual.inputs import (
    CommitmentFilter,
    CommitmentOrder,
    CreateCommitmentInput,
    DocumentOrder,
)
from benchmarks.usual.loaders import Loaders, clauses
from benchmarks.usual.types import (
    Asked,
    BigInt,
    Collection,
    Commitment,
    Connection,
    Document,
    KnowledgeNode,
    PageInfo,
    Party,
    loaders,
    ordering,
)
from graph_api import models
from graph_api.database.engine import async_url
from graph_api.services.log import told, values_of


@strawberry.type
class Interaction:
    type: str


@strawberry.type
class UserError:
    code: str
    message: str


@strawberry.type
class CreateCommitmentPayload:
    commitment: Commitment | None
    interaction: Interaction | None
    user_errors: list[UserError]


@strawberry.type
class Query:
    @strawberry.field
    async def party(self, info: Asked, id: strawberry.ID) -> Party | None:
        found: Party | None = await loaders(info).party.load(UUID(id))
        return found

    @strawberry.field
    async def knowledge_node(
        self, info: Asked, id: strawberry.ID
    ) -> KnowledgeNode | None:
        node = await loaders(info).knowledge_node.load(UUID(id))
        found: KnowledgeNode | None = node
        return found

    @strawberry.field
    async def collection(self, info: Asked, id: strawberry.ID) -> Collection | None:
        found: Collection | None = await loaders(info).collection.load(UUID(id))
        return found

    @strawberry.field
    async def parties(self, info: Asked, first: int = 20) -> Connection[Party]:
        statement = _all(info, models.Party).order_by(models.Party.id)
        return Connection(nodes=await _rows(info, statement.limit(first)))

    @strawberry.field
    async def commitments(
        self,
        info: Asked,
        filter: CommitmentFilter | None = None,
        order_by: list[CommitmentOrder] | None = None,
        first: int = 20,
    ) -> Connection[Commitment]:
        statement = _filtered(_all(info, models.Commitment), filter)
        order = clauses(models.Commitment, ordering(order_by))
        page = statement.order_by(*order).limit(first)
        return Connection(
            nodes=await _rows(info, page),
            total_count=await _count(info, statement)
            if _is_selected(info, "totalCount")
            else None,
        )

    @strawberry.field
    async def documents(
        self,
        info: Asked,
        order_by: list[DocumentOrder] | None = None,
        first: int = 20,
        after: str | None = None,
    ) -> Connection[Document]:
        """Pages by title, which is the one order they are asked for in."""
        statement = _all(info, models.Document)
        if after is not None:
            title, id = orjson.loads(after)
            place = tuple_(models.Document.title, models.Document.id)
            statement = statement.where(place > tuple_(title, UUID(id)))
        order = clauses(models.Document, ordering(order_by))
        rows = await _rows(info, statement.order_by(*order).limit(first + 1))
        nodes = rows[:first]
        cursor = orjson.dumps([nodes[-1].title, str(nodes[-1].id)]) if nodes else None
        return Connection(
            nodes=nodes,
            page_info=PageInfo(
                has_next_page=len(rows) > first,
                end_cursor=cursor.decode() if cursor else None,
            ),
        )


@strawberry.type
class Mutation:
    @strawberry.mutation
    async def create_commitment(
        self, info: Asked, input: CreateCommitmentInput
    ) -> CreateCommitmentPayload:
        workspace = loaders(info).workspace
        engine: AsyncEngine = info.context["engine"]
        writing = engine.execution_options(isolation_level="READ COMMITTED")
        async with AsyncSession(writing, expire_on_commit=False) as session:
            commitment = models.Commitment(
                workspace_id=workspace,
                role_id=UUID(input.role_id),
                title=input.title,
                commitment_type=input.commitment_type,
                source=input.source,
                priority=input.priority,
                due_at=input.due_at,
            )
            session.add(commitment)
            await session.flush()
            interaction = models.Interaction(
                workspace_id=workspace,
                type="commitment.created",
                actor_type=models.ActorType.USER,
                primary_entity_type=models.EntityType.COMMITMENT,
                primary_entity_id=commitment.id,
                after=told(values_of(commitment)),
            )
            session.add(interaction)
            await session.commit()
        made: Any = commitment
        return CreateCommitmentPayload(
            commitment=made,
            interaction=Interaction(type=interaction.type),
            user_errors=[],
        )


class Endpoint(GraphQL[dict[str, Any], None]):
    """Strawberry's view, with a session and loaders for each request."""

    def __init__(self, engine: AsyncEngine, workspace: UUID) -> None:
        super().__init__(schema, graphql_ide=None, allow_queries_via_get=False)
        self._engine, self._workspace = engine, workspace

    async def get_context(
        self,
        request: Request | WebSocket,
        response: Response | WebSocket,  # noqa: ARG002 - as Strawberry calls it
    ) -> dict[str, Any]:
        session: AsyncSession = request.state.session
        return {
            "loaders": Loaders(session, self._workspace),
            "engine": self._engine,
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async with AsyncSession(self._engine, expire_on_commit=False) as session:
            scope.setdefault("state", {})["session"] = session
            await super().__call__(scope, receive, send)

    def encode_json(self, data: object) -> bytes:
        return orjson.dumps(data)


schema = strawberry.Schema(
    Query,
    Mutation,
    # Made anew for each request; what they keep is shared.
    extensions=[lambda: ParserCache(maxsize=100), lambda: ValidationCache(maxsize=100)],
    config=StrawberryConfig(
        scalar_map={BigInt: strawberry.scalar(name="BigInt", serialize=str)}
    ),
)


def create_app() -> Starlette:
    return application(os.environ["DATABASE_URL"], UUID(os.environ["WORKSPACE"]))


def application(url: str, workspace: UUID) -> Starlette:
    """The application, on a database of which it sees one workspace."""
    engine = create_async_engine(
        async_url(url),
        # Reads need no BEGIN and no ROLLBACK around them.
        isolation_level="AUTOCOMMIT",
        pool_size=10,
        max_overflow=0,
        connect_args={"server_settings": settings(workspace)},
    )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await engine.dispose()

    routes = [Route("/graphql", Endpoint(engine, workspace), methods=["POST"])]
    return Starlette(routes=routes, lifespan=lifespan)


def _all(info: Asked, model: Any) -> Select[Any]:
    return select(model).where(model.workspace_id == loaders(info).workspace)


async def _rows(info: Asked, statement: Select[Any]) -> list[Any]:
    return [row[0] for row in await loaders(info).rows(statement)]


async def _count(info: Asked, statement: Select[Any]) -> int:
    counted = statement.with_only_columns(func.count())
    ((count,),) = await loaders(info).rows(counted)
    return int(count)


def _is_selected(info: Asked, name: str) -> bool:
    (field,) = info.selected_fields
    return any(one.name == name for one in field.selections)  # type: ignore[union-attr]


def _filtered(statement: Select[Any], given: CommitmentFilter | None) -> Select[Any]:
    if given is None:
        return statement
    if given.state and given.state.eq is not None:
        statement = statement.where(models.Commitment.state == given.state.eq)
    if given.priority and given.priority.lte is not None:
        statement = statement.where(models.Commitment.priority <= given.priority.lte)
    party = given.role.party if given.role else None
    if party and party.kind and party.kind.eq is not None:
        statement = (
            statement.join(models.Role, _same(models.Commitment.role_id, models.Role))
            .join(models.Party, _same(models.Role.party_id, models.Party))
            .where(models.Party.kind == party.kind.eq)
        )
    return statement


def _same(column: Any, model: Any) -> Any:
    owner = column.class_
    return (owner.workspace_id == model.workspace_id) & (column == model.id)
