"""Fields and types that are made by functions, for Strawberry to put together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Optional

import strawberry
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.lazy_type import LazyType

from graph_api.schema.sources import Plain, Source


class RowField(StrawberryField):
    """A field whose values come from a source."""

    source: Source
    is_basic_field = False

    def get_result(
        self,
        source: Any,
        info: Any,
        args: list[Any],  # noqa: ARG002 - Strawberry's signature
        kwargs: dict[str, Any],
    ) -> Any:
        return self.source.resolve(source, info, kwargs)

    def __copy__(self) -> "RowField":
        copied = super().__copy__()
        copied.source = self.source
        return copied


def row_field(
    type: Any,
    source: Source | Callable[..., Any],
    description: str,
    arguments: Sequence[StrawberryArgument] = (),
    name: str | None = None,
) -> Any:
    """A field of `type` from a source: by itself, `source(object, arguments)`."""
    made = RowField(
        type_annotation=StrawberryAnnotation(type),
        description=description,
        graphql_name=name,
    )
    made.source = source if isinstance(source, Source) else Plain(source)
    made.arguments = list(arguments)
    return made


def argument(
    name: str, type: Any, description: str, default: Any = strawberry.UNSET
) -> StrawberryArgument:
    """An argument of a field."""
    return StrawberryArgument(
        name, None, StrawberryAnnotation(type), description=description, default=default
    )


class Deferred(LazyType[Any, Any]):
    """A type that is made when the schema is put together, for types go in circles."""

    def __init__(self, name: str, make: Callable[[], Any]) -> None:
        super().__init__(name, __name__)
        object.__setattr__(self, "make", make)

    def resolve_type(self) -> Any:
        return self.make()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash(self.type_name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Deferred) and self.type_name == other.type_name


def object_type(name: str, description: str, fields: Mapping[str, Any]) -> Any:
    """An object type of this name, with these fields."""
    return strawberry.type(type(name, (), dict(fields)), description=description)


@dataclass(frozen=True)
class Input:
    """A field of an input type: optional where its type may be null."""

    type: Any
    description: str
    default: Any = strawberry.UNSET


def input_type(name: str, description: str, fields: Mapping[str, Input]) -> Any:
    """An input type whose values reach us as dictionaries by GraphQL name.

    What a client left out is not in them.
    """
    members: dict[str, Any] = {}
    for graphql_name, of in fields.items():
        member = StrawberryField(
            graphql_name=graphql_name,
            type_annotation=StrawberryAnnotation(of.type),
            description=of.description,
            default=of.default,
        )
        # Never read: but `in` and `not` are no names in Python.
        members[f"{graphql_name}_"] = member
    made: Any = strawberry.input(type(name, (), members), description=description)
    made.__strawberry_definition__.from_input = _as_sent
    return made


def _as_sent(_type: Any, value: Mapping[str, Any], _context: Any) -> dict[str, Any]:
    return dict(value)


def enum_type(name: str, description: str, words: Mapping[str, str]) -> Any:
    """An enumeration whose values are the attributes in `words`, each described."""
    make: Any = StrEnum
    made = make(name, {word.upper(): word for word in words})
    strawberry.enum(made, description=description)
    describe(made, dict(zip((w.upper() for w in words), words.values(), strict=True)))
    return made


def describe(enum: Any, descriptions: Mapping[str, str]) -> None:
    """Give each value of a GraphQL enumeration its description, by name."""
    definition: StrawberryEnumDefinition = enum.__strawberry_definition__
    for value in definition.values:
        value.description = descriptions[value.name]


def maybe(type: Any) -> Any:
    """`type`, or null."""
    return Optional[type]  # noqa: UP045 - `|` does not take what is deferred
