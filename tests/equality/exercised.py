"""What a run of operations has reached: counted, printed, and held against the schema.

A field counts where an answer holds a value for it that is not null; an argument where
the operation that it stood in had data.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from both_ways import Compared
from every_mutation import OF_ACCESS, WAYS_IN
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
    is_object_type,
    parse,
)

Fields = set[tuple[str, str]]

# Nothing is forbidden to anyone yet, nor limited.
UNREACHABLE = {"ForbiddenError", "RateLimit"} | {
    f"{name[0].upper()}{name[1:]}Payload" for name in OF_ACCESS | WAYS_IN
}
# Of some 450 fields that lead on, and as many arguments, in 5,000 operations.
MOST_MISSING = 8


@dataclass
class Exercised:
    """The figures of a run."""

    schema: GraphQLSchema
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    paths: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    fields: Counter[tuple[str, str]] = field(default_factory=Counter)
    arguments: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def note(self, compared: Compared) -> None:
        """Count one operation and what its answer holds."""
        self.counts["examples"] += 1
        self.counts["with data"] += compared.has_data
        self.counts["with errors"] += bool(compared.codes)
        self.counts["refused"] += not compared.answer.executed
        self.codes.update(set(compared.codes))
        self.paths[compared.path] += 1
        if compared.has_data:
            self._reach(compared)

    def _reach(self, compared: Compared) -> None:
        tree = parse(compared.operation.query)
        reached = _Reached(self.schema, tree)
        operation = _chosen(tree, compared.operation.name)
        root = self.schema.get_root_type(operation.operation)
        assert root is not None
        reached.walk(root, [operation.selection_set], compared.answer.data or {})
        self.types.update(reached.types)
        self.fields.update(reached.fields)
        self.arguments.update(reached.arguments)

    def missing_types(self) -> list[str]:
        """The object types of which no answer had an object."""
        return sorted(
            t.name for t in object_types(self.schema) if not self.types[t.name]
        )

    def missing_fields(self) -> list[str]:
        """The fields that lead to other objects, and never did."""
        return sorted(
            f"{type.name}.{name}"
            for type in object_types(self.schema)
            if type.name not in UNREACHABLE
            for name, of in type.fields.items()
            if is_composite_type(get_named_type(of.type))
            and not self.fields[type.name, name]
        )

    def missing_arguments(self) -> list[str]:
        """The arguments that no operation with data has passed."""
        return sorted(
            f"{type.name}.{name}({argument}:)"
            for type in object_types(self.schema)
            for name, of in type.fields.items()
            for argument in of.args
            if not self.arguments[type.name, name, argument]
        )

    def missing_leaves(self) -> list[str]:
        """The fields with values that never had one."""
        return sorted(
            f"{type.name}.{name}"
            for type in object_types(self.schema)
            for name, of in type.fields.items()
            if not is_composite_type(get_named_type(of.type))
            and not self.fields[type.name, name]
        )

    def too_little(self) -> list[str]:
        """What a long run ought to have reached and has not, in words.

        All types but what no caller can meet yet; of the rest, which are hundreds and
        met at random, nearly all.
        """
        types = sorted(set(self.missing_types()) - UNREACHABLE)
        found = [f"no object of type {name}" for name in types]
        others = self.missing_fields(), self.missing_arguments()
        found += [f"never: {' '.join(w)}" for w in others if len(w) > MOST_MISSING]
        return found

    def report(self) -> str:
        """The figures, for people."""
        types = object_types(self.schema)
        relations = [
            (type.name, name)
            for type in types
            for name, of in type.fields.items()
            if is_composite_type(get_named_type(of.type))
        ]
        leaves = [
            (type.name, name)
            for type in types
            for name in type.fields
            if (type.name, name) not in set(relations)
        ]
        arguments = [
            (type.name, name, argument)
            for type in types
            for name, of in type.fields.items()
            for argument in of.args
        ]
        lines = [
            ", ".join(f"{count} {name}" for name, count in self.counts.items()),
            f"paths: {_figures(self.paths)}",
            f"codes: {_figures(self.codes)}",
            f"object types reached: {_share(self.types, [t.name for t in types])}",
            f"fields that lead on: {_share(self.fields, relations)}",
            f"fields with values: {_share(self.fields, leaves)}",
            f"arguments: {_share(self.arguments, arguments)}",
        ]
        return "\n".join(lines)


def object_types(schema: GraphQLSchema) -> list[GraphQLObjectType]:
    """The object types of a schema that are its own."""
    return [
        type
        for type in schema.type_map.values()
        if isinstance(type, GraphQLObjectType) and not type.name.startswith("__")
    ]


def _figures(counts: Counter[str]) -> str:
    return (
        ", ".join(f"{name} {count}" for name, count in counts.most_common()) or "none"
    )


def _share(counts: Counter[Any], of: list[Any]) -> str:
    reached = sum(1 for one in of if counts[one])
    return f"{reached} of {len(of)}"


def _chosen(tree: DocumentNode, name: str | None) -> OperationDefinitionNode:
    return next(
        one
        for one in tree.definitions
        if isinstance(one, OperationDefinitionNode)
        and (name is None or (one.name and one.name.value == name))
    )


class _Reached:
    """What one answer holds values for, found by walking it along its operation."""

    def __init__(self, schema: GraphQLSchema, tree: DocumentNode) -> None:
        self._schema = schema
        self._fragments: Mapping[str, FragmentDefinitionNode] = {
            one.name.value: one
            for one in tree.definitions
            if isinstance(one, FragmentDefinitionNode)
        }
        self.types: set[str] = set()
        self.fields: Fields = set()
        self.arguments: set[tuple[str, str, str]] = set()

    def walk(
        self, type: GraphQLNamedType, sets: list[SelectionSetNode], data: dict[str, Any]
    ) -> None:
        concrete: Any = type
        if not is_object_type(type):
            concrete = self._schema.get_type(str(data.get("__typename")))
        if concrete is None:
            return
        self.types.add(concrete.name)
        nodes: dict[str, list[FieldNode]] = {}
        for selection_set in sets:
            for node in self._fields(concrete, selection_set):
                key = node.alias.value if node.alias else node.name.value
                nodes.setdefault(key, []).append(node)
        for key, same in nodes.items():
            name = same[0].name.value
            if data.get(key) is None or name.startswith("__"):
                continue
            self.fields.add((concrete.name, name))
            for argument in same[0].arguments or ():
                self.arguments.add((concrete.name, name, argument.name.value))
            below = [node.selection_set for node in same if node.selection_set]
            if below:
                child = get_named_type(concrete.fields[name].type)
                for item in _objects(data[key]):
                    self.walk(child, below, item)

    def _fields(
        self, concrete: GraphQLObjectType, selection_set: SelectionSetNode
    ) -> Iterator[FieldNode]:
        for selection in selection_set.selections:
            if isinstance(selection, FieldNode):
                yield selection
            else:
                yield from self._fragment(concrete, selection)

    def _fragment(
        self, concrete: GraphQLObjectType, selection: SelectionNode
    ) -> Iterator[FieldNode]:
        if isinstance(selection, FragmentSpreadNode):
            fragment = self._fragments[selection.name.value]
            condition, inner = (
                fragment.type_condition.name.value,
                fragment.selection_set,
            )
        else:
            assert isinstance(selection, InlineFragmentNode)
            on = selection.type_condition
            condition = on.name.value if on else concrete.name
            inner = selection.selection_set
        interfaces = {one.name for one in concrete.interfaces}
        if condition in interfaces | {concrete.name}:
            yield from self._fields(concrete, inner)


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _objects(item)
