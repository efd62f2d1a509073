"""Operations as hypothesis-graphql makes them: wide rather than deep, and shrinking.

It knows the schema but not our data: the strategies for ids and other scalars are ours.
Of a mutation, every input says that it is a dry run.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zlib import crc32

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DocumentNode,
    FieldNode,
    IntValueNode,
    NameNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    StringValueNode,
    ValueNode,
    Visitor,
    print_ast,
    visit,
)
from hypothesis import strategies as st
from hypothesis_graphql import mutations, nodes, queries
from operations import Operation
from rich_world import RICH, TIMES, Worlds
from world import World

from graph_api.ids import global_id
from graph_api.reading.columns import Kind
from graph_api.schema import graphql_schema
from graph_api.schema.registry import SHOWN

MALFORMED = ("", "x", "x" * 36, "UGFydHk6", "Tm9uZTo=", "%%%")

# The root fields that find a row by its id, and of what model.
SINGULAR = {model.__name__[0].lower() + model.__name__[1:]: model for model in SHOWN}


def operations_of(worlds: Worlds) -> st.SearchStrategy[Operation]:
    """Queries, and now and then a mutation."""
    scalars = _scalars(worlds)
    made = [(queries, False)] * 3 + [(queries, True), (mutations, False)]
    documents = [
        make(
            graphql_schema,
            custom_scalars=scalars,
            print_ast=lambda tree: tree,
            allow_x00=False,
            allow_null=allow_null,
        )
        for make, allow_null in made
    ]
    return st.builds(
        _operation,
        st.sampled_from([worlds.sound] * 5 + [worlds.broken]),
        st.one_of(documents),
    )


def _operation(world: World, tree: Any) -> Operation:
    assert isinstance(tree, DocumentNode)
    dry = visit(visit(tree, _Sensible(world)), _Dry())
    return Operation(world, print_ast(dry), label="from the schema")


def _scalars(worlds: Worlds) -> dict[str, st.SearchStrategy[ValueNode]]:
    ids = [
        global_id(model.__name__, row["id"])
        for world in (worlds.sound, worlds.broken, worlds.strange)
        for model, rows in world.rows.items()
        if model in SHOWN
        for row in rows[:6]
    ]
    return {
        "ID": st.one_of(
            st.sampled_from(ids).map(nodes.String),
            st.sampled_from(MALFORMED).map(nodes.String),
            st.uuids().map(str).map(nodes.String),
        ),
        "DateTime": _strings([time.isoformat() for time in TIMES]),
        "BigInt": st.one_of(
            _strings(list(map(str, RICH[Kind.BIG_INT]))),
            st.integers(-(2**63), 2**63 - 1).map(nodes.Int),
        ),
        "Decimal": _strings(list(map(str, RICH[Kind.DECIMAL]))),
        "UUID": st.uuids().map(str).map(nodes.String),
        "JSON": st.one_of(
            st.none().map(lambda _: nodes.Null),
            st.integers(-9, 2**31).map(nodes.Int),
            st.booleans().map(nodes.Boolean),
            _strings(["", "a", "\u2028"]),
            st.just(ObjectValueNode(fields=())),
        ),
    }


def _strings(values: Sequence[str]) -> st.SearchStrategy[ValueNode]:
    return st.sampled_from(values).map(nodes.String)


class _Sensible(Visitor):
    """Makes arguments that exclude each other, or never fit, mostly fit.

    What it does to a field depends on the values there, so that it can be repeated.
    """

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def enter_field(self, node: FieldNode, *_: Any) -> Any:
        given = {one.name.value: one for one in node.arguments or ()}
        turn = crc32(print_ast(node).encode())
        for size in {"first", "last"} & given.keys():
            given[size] = _with_value(given[size], IntValueNode(value=str(turn % 4)))
        if {"first", "last"} <= given.keys() and turn % 16:
            del given["last" if turn % 3 else "first"]
        for cursor in {"after", "before"} & given.keys():
            if turn % 16:
                del given[cursor]
        model = SINGULAR.get(node.name.value)
        if model is not None and "id" in given and turn % 8:
            rows = self._world.rows[model]
            id = global_id(model.__name__, rows[turn % len(rows)]["id"])
            given["id"] = _with_value(given["id"], StringValueNode(value=id))
        return replace(node, arguments=tuple(given.values()))


def _with_value(node: ArgumentNode, value: ValueNode) -> ArgumentNode:
    return replace(node, value=value)


class _Dry(Visitor):
    """Makes dry runs of mutations."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> Any:
        return None if node.operation is OperationType.MUTATION else self.SKIP

    def enter_field(self, node: FieldNode, *_: Any) -> Any:
        arguments = tuple(map(_dry, node.arguments or ()))
        return replace(node, arguments=arguments)


def _dry(node: ArgumentNode) -> ArgumentNode:
    if node.name.value != "input" or not isinstance(node.value, ObjectValueNode):
        return node
    fields = [one for one in node.value.fields if one.name.value != "dryRun"]
    fields.append(
        ObjectFieldNode(
            name=NameNode(value="dryRun"), value=BooleanValueNode(value=True)
        )
    )
    return replace(node, value=ObjectValueNode(fields=tuple(fields)))
