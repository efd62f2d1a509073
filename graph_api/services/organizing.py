"""Keeping collections, tags and annotations."""

from uuid import UUID

from graph_api.errors import Invalid
from graph_api.models import Annotation, Collection, Tag
from graph_api.permissions import Scope
from graph_api.services.entities import EntityService, Values
from graph_api.services.unit_of_work import Work


class Collections(EntityService[Collection]):
    model = Collection
    scope = Scope.WRITE_DOCUMENTS
    keeper = "owner_id"

    async def _update(
        self, work: Work, row: Collection, values: Values, verb: str = "updated"
    ) -> bool:
        if values.get("parent_id") is not None:
            await _refuse_circle(work, row, values["parent_id"])
        return await super()._update(work, row, values, verb)


class Tags(EntityService[Tag]):
    model = Tag
    scope = Scope.WRITE_DOCUMENTS


class Annotations(EntityService[Annotation]):
    model = Annotation
    scope = Scope.WRITE_DOCUMENTS
    keeper = "author_id"

    async def _check(
        self,
        work: Work,
        values: Values,
        row: Annotation | None = None,
        changed: Values | None = None,
    ) -> None:
        await super()._check(work, values, row, changed)
        start, end = values.get("start_offset"), values.get("end_offset")
        if start is not None and end is not None and start > end:
            raise Invalid(
                f"`endOffset` must not lie before `startOffset`, which is {start}.",
                path=("endOffset",),
            )


async def _refuse_circle(work: Work, row: Collection, parent_id: UUID) -> None:
    """Refuse a parent that lies within the collection itself."""
    above: UUID | None = parent_id
    while above is not None:
        if above == row.id:
            raise Invalid("A collection cannot lie within itself.", path=("parentId",))
        above = (await work.get(Collection, above, path=("parentId",))).parent_id
