"""Streams: values for all rows of a place, worked out together."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from graph_api.execution.plan.asked import Arguments, GroupsAt
from graph_api.execution.plan.planning import Branch, Shown
from graph_api.execution.plan.running import Anomaly, Running
from graph_api.models import Base
from graph_api.models.rules import Words
from graph_api.reading.aggregates import Measure
from graph_api.reading.columns import column_of
from graph_api.schema.sources import Computed, Referred

Gather = Callable[[list[Any], Any], list[Any]]


class Stream(Protocol):
    """Values in the order in which the code visits the rows they belong to."""

    @property
    def rows(self) -> Gather:
        """What gives the rows, of all that a step has read."""

    def prepare(self, rows: list[Any], running: Running) -> Sequence[Any]:
        """What is known before other rows are read, and asks for those."""

    def values(self, prepared: Sequence[Any], running: Running) -> Iterable[Any]:
        """The values, one for each row."""


@dataclass(frozen=True)
class ComputedStream:
    """The values of a computed field, reckoned in one call."""

    rows: Gather
    source: Computed
    arguments: Arguments
    shown: Shown

    def prepare(self, rows: list[Any], running: Running) -> Sequence[Any]:
        if not rows:
            return []
        given, now = running.given(self.arguments), running.context.now
        values = self.source.values(rows, given, now)
        for value in values:
            if isinstance(value, Exception):
                raise Anomaly("a field that cannot be reckoned") from value
            self.shown.gather(value, running)
        return values

    def values(self, prepared: Sequence[Any], running: Running) -> Iterable[Any]:
        return [self.shown.build(value, running) for value in prepared]


@dataclass(frozen=True)
class ValueStream:
    """Objects that a column holds, and what they lead to."""

    rows: Gather
    shown: Shown

    def prepare(self, rows: list[Any], running: Running) -> Sequence[Any]:
        values = [row[0] for row in rows]
        for value in values:
            self.shown.gather(value, running)
        return values

    def values(self, prepared: Sequence[Any], running: Running) -> Iterable[Any]:
        return [self.shown.build(value, running) for value in prepared]


@dataclass(frozen=True)
class MeantStream:
    """Rows that are meant by columns of these."""

    rows: Gather
    source: Referred
    arguments: Arguments
    branch: Branch
    is_required: bool

    def prepare(self, rows: list[Any], running: Running) -> Sequence[Any]:
        context = running.context
        given = running.given(self.arguments)
        keys = [self.source.key(row, context, given) for row in rows]
        for key in keys:
            if key is not None:
                running.want(self.branch, key)
        return keys

    def values(self, prepared: Sequence[Any], running: Running) -> Iterable[Any]:
        required = self.is_required
        return [self.branch.row(key, running, required=required) for key in prepared]


class GroupsShown:
    """Shows groups: records of their keys, their count and their measures."""

    def __init__(
        self, model: type[Base], measures: tuple[Measure, ...], shown: Shown
    ) -> None:
        self._model = model
        self._labels = ("count", *(measure.label for measure in measures))
        self._shown = shown

    def __call__(self, records: list[Any], at: GroupsAt, running: Running) -> Any:
        by = at.grouping.by
        labels = (*by, *self._labels)
        words = {name: _words(self._model, name) for name in by}
        groups = []
        for record in records:
            group = dict(zip(labels, record, strict=True))
            for name, read in words.items():
                if read is not None and group[name] is not None:
                    group[name] = read(group[name])
            groups.append(group)
        return self._shown.build(groups, running)


def _words(model: type[Base], attribute: str) -> Callable[[Any], Any] | None:
    type_ = column_of(model, attribute).type
    return type_.words if isinstance(type_, Words) else None
