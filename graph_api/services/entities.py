"""What all entities have in common: they are created, updated and deleted."""

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from graph_api.errors import Duplicate
from graph_api.models import Entity, public_name
from graph_api.services.deletion import delete_with_all
from graph_api.services.log import values_of
from graph_api.services.references import refuse_duplicates, require_references
from graph_api.services.unit_of_work import Service, Work
from graph_api.services.validation import validate

E = TypeVar("E", bound=Entity)

Values = Mapping[str, Any]


class EntityService(Service, Generic[E]):
    """Keeps the rows of one model; values come by attribute, absent ones untouched."""

    # The attribute that is the caller's user unless another is given.
    keeper: ClassVar[str | None] = None

    async def create(self, values: Values) -> None:
        """Store a new row."""
        async with self.writing() as work:
            self.outcome.subject = await self._create(work, values)

    async def update(
        self, id: UUID, values: Values, expected_version: int | None
    ) -> None:
        """Change the values given, if the row is as expected."""
        async with self.writing() as work:
            row: E = await work.get(self.model, id, expected_version)
            await self._update(work, row, values)
            self.outcome.subject = row

    async def delete(self, id: UUID, expected_version: int) -> None:
        """Delete the row with all that belongs to it, if it is as expected."""
        async with self.writing() as work:
            row: E = await work.get(self.model, id, expected_version)
            await delete_with_all(work, row)
            self.outcome.subject = row
            self.outcome.deleted = True
            self.outcome.extra["id"] = str(row.id)

    async def _create(self, work: Work, values: Values) -> E:
        given = {**self._defaults(), **values}
        await self._check(work, given)
        row: E = await work.create(self.model, given)
        return row

    async def _create_unless_known(
        self, work: Work, values: Values, by: str
    ) -> tuple[E, bool]:
        """A new row, or the one that has the same `by` already; and whether it had."""
        # To find it is no exception, which would be cheaper to run into.
        work.care.is_taken = work.care.is_taken or values.get(by) is not None
        try:
            return await self._create(work, values), False
        except Duplicate as error:
            if error.path != (public_name(by),):
                raise
            known: E = error.details["existing"]
            return known, True

    async def _update(
        self, work: Work, row: E, values: Values, verb: str = "updated"
    ) -> bool:
        await self._check(work, {**values_of(row), **values}, row, values)
        return await work.update(row, values, verb)

    async def _check(
        self,
        work: Work,
        values: Values,
        row: E | None = None,
        changed: Values | None = None,
    ) -> None:
        """Refuse what the row cannot be.

        `values` are all of it; of a row that is there already, `changed` the new ones.
        """
        new = values if changed is None else changed
        validate(self.model, new)
        await require_references(work, self.model, new)
        await refuse_duplicates(work, self.model, values, row)

    def _defaults(self) -> dict[str, Any]:
        if self.keeper is None or self.caller.user_id is None:
            return {}
        return {self.keeper: self.caller.user_id}
