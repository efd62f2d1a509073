"""Fields of objects that are at hand: where each value comes from, and its rows.

`gather` asks for what has to be read, and `build` has it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from graphql import GraphQLObjectType, get_named_type, is_leaf_type

from graph_api.execution.plan.asked import Arguments
from graph_api.execution.plan.planning import Branch, Planning, Shown
from graph_api.execution.plan.running import Anomaly, Running
from graph_api.execution.plan.selections import Selected, Unplanned
from graph_api.execution.plan.steps import PageStep
from graph_api.models import Base
from graph_api.schema.context import Context
from graph_api.schema.sources import (
    ColumnValue,
    Computed,
    Connected,
    GlobalId,
    Itself,
    Listed,
    OfRequest,
    Plain,
    Referred,
    ReferredMany,
    Related,
    Restricted,
)

# The value of an object's field, given its arguments and the operation's context.
Get = Callable[[Any, dict[str, Any], Context], Any]


def field_of(planning: Planning, selected: Selected, depth: int, rest: "Rest") -> Shown:
    """How one field of an object is shown."""
    source = selected.source
    if source is None:
        return Constant(selected.parent.name)
    if is_rest(source):
        return RestField(rest, selected)
    if isinstance(source, Restricted):
        shown = replace(selected, source=source.source)
        return ForSome(source, field_of(planning, shown, depth, rest))
    if isinstance(source, Connected | Listed):
        step = planning.page(selected, lambda: PageStep(planning, selected, depth + 1))
        return Read(step, step.show(selected))
    if isinstance(source, Referred | ReferredMany):
        return _meant(planning, selected, source, depth)
    get = _getter(selected)
    arguments_ = planning.arguments(selected) if selected.row_field else None
    below = planning.show(selected.definition.type, selected, depth, planning)
    leads_on = not is_leaf_type(get_named_type(selected.definition.type))
    return Got(get, arguments_, below, leads_on)


def _meant(
    planning: Planning, selected: Selected, source: Referred | ReferredMany, depth: int
) -> Shown:
    branch = planning.branch(selected, depth + 1)
    arguments = planning.arguments(selected)
    if isinstance(source, Referred):
        return Meant(source, arguments, branch, selected.is_required)
    return MeantMany(source, arguments, branch)


def _getter(selected: Selected) -> Get:
    """What gives a value that the object itself has, given the field's arguments."""
    match selected.source:
        case Plain(get=get):
            return lambda of, given, _: get(of, given)
        case ColumnValue(attribute=attribute):
            return lambda of, *_: getattr(of, attribute)
        case GlobalId() as source:
            return lambda of, *_: source.resolve(of)
        case Itself():
            return lambda of, *_: of
        case Computed(values=values):
            return lambda of, given, context: _reckoned(
                values([of], given, context.now)
            )
        case OfRequest(get=tell):
            return lambda _, __, context: tell(context)
    raise Unplanned(f"{selected} is resolved")


def _reckoned(values: Sequence[Any]) -> Any:
    (value,) = values
    if isinstance(value, Exception):
        raise Anomaly("a field that cannot be reckoned") from value
    return value


@dataclass(frozen=True)
class Constant:
    """The name of a type."""

    value: str

    def gather(self, of: Any, running: Running) -> None:
        """Nothing to read."""

    def build(self, _: Any, __: Running) -> Any:
        return self.value


@dataclass(frozen=True)
class Got:
    """A value that the object itself has."""

    get: Get
    arguments: Arguments | None
    below: Shown
    leads_on: bool

    def gather(self, of: Any, running: Running) -> None:
        if self.leads_on:
            self.below.gather(self._value(of, running), running)

    def build(self, of: Any, running: Running) -> Any:
        return self.below.build(self._value(of, running), running)

    def _value(self, of: Any, running: Running) -> Any:
        given = running.given(self.arguments) if self.arguments else {}
        return self.get(of, given, running.context)


@dataclass(frozen=True)
class Meant:
    """The row that the object or the arguments mean."""

    source: Referred
    arguments: Arguments
    branch: Branch
    is_required: bool

    def gather(self, of: Any, running: Running) -> None:
        key = self._key(of, running)
        if key is not None:
            running.want(self.branch, key)

    def build(self, of: Any, running: Running) -> Any:
        key = self._key(of, running)
        return self.branch.row(key, running, required=self.is_required)

    def _key(self, of: Any, running: Running) -> Any:
        given = running.given(self.arguments)
        return self.source.key(of, running.context, given)


@dataclass(frozen=True)
class MeantMany:
    """The rows that the arguments mean, in their order."""

    source: ReferredMany
    arguments: Arguments
    branch: Branch

    def gather(self, of: Any, running: Running) -> None:
        for key in self._keys(of, running):
            running.want(self.branch, key)

    def build(self, of: Any, running: Running) -> Any:
        return [
            self.branch.row(key, running, required=False)
            for key in self._keys(of, running)
        ]

    def _keys(self, of: Any, running: Running) -> list[Any]:
        given = running.given(self.arguments)
        return self.source.keys(of, running.context, given)


@dataclass(frozen=True)
class Read:
    """A page of a table."""

    step: PageStep
    place: int

    def gather(self, _: Any, running: Running) -> None:
        running.want(self.step)

    def build(self, _: Any, running: Running) -> Any:
        return running.found(self.step)[self.place]


@dataclass(frozen=True)
class ForSome:
    """A field that not everybody may see."""

    source: Restricted
    field: Shown

    def gather(self, of: Any, running: Running) -> None:
        if self._is_shown(of, running):
            self.field.gather(of, running)

    def build(self, of: Any, running: Running) -> Any:
        return self.field.build(of, running) if self._is_shown(of, running) else None

    def _is_shown(self, of: Any, running: Running) -> bool:
        return self.source.is_shown(running.context, self.source.owner(of))


class Rest:
    """What a row that is at hand leads to: read by its key, all in one statement."""

    def __init__(
        self,
        planning: Planning,
        type: GraphQLObjectType,
        fields: list[Selected],
        depth: int,
    ) -> None:
        self._planning = planning
        self._type = type
        self._fields = [one for one in fields if one.source and is_rest(one.source)]
        self._depth = depth

    @cached_property
    def branch(self) -> Branch:
        fields = self._fields
        signature = "".join(
            f"{one.response_name}: {one.node.name.value} {one.signature}"
            for one in fields
        )
        return self._planning.branch_of(
            self._depth + 1,
            signature,
            lambda _: fields,
            frozenset({self._type.name}),
        )


@dataclass(frozen=True)
class RestField:
    """A field of a row that is at hand, which is read by the row's key."""

    rest: Rest
    selected: Selected

    def gather(self, of: Any, running: Running) -> None:
        if not isinstance(of, Base):
            raise Anomaly(f"{self.selected} is asked of what is no row")
        running.want(self.rest.branch, _key(of))

    def build(self, of: Any, running: Running) -> Any:
        row = self.rest.branch.row(_key(of), running, required=True)
        return row[self.selected.response_name]


def _key(row: Any) -> Any:
    return type(row), row.id


def is_rest(source: Any) -> bool:
    """Whether a row at hand does not have it."""
    if isinstance(source, Restricted):
        return is_rest(source.source)
    if isinstance(source, ColumnValue):
        return source.is_deferred
    return isinstance(source, Related) or (
        isinstance(source, Connected) and source.is_of_a_row
    )
