"""The types of lines: which fields they have, made from the columns of the models.

A field is a column under its public name. A column that refers to another row becomes
a field without the `Id` (`party` for `party_id`), whose value is a reference.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql

from graph_api.models import (
    Annotation,
    Base,
    Collection,
    Commitment,
    Document,
    DocumentLink,
    DocumentTag,
    Entity,
    FileHash,
    Imported,
    KnowledgeEdge,
    KnowledgeNode,
    Membership,
    Party,
    Role,
    Signal,
    Tag,
    Tenant,
    public_name,
)
from graph_api.reading.columns import referred_model, table_of

# What a reference may lead to, beside the name of a type.
ANY = "*"
USER = "User"

# Made by the server, derived, or what other fields say.
_NO_FIELDS = frozenset(
    {
        "workspace_id",
        "id",
        "external_ref",
        "updated_at",
        "version",
        "search",
        "storage_uri",
        "entity_type",
    }
)

# Columns of other tables that a line brings along for its new row.
_BROUGHT: dict[type[Base], tuple[tuple[type[Base], str], ...]] = {
    Document: (
        (FileHash, "first_seen"),
        (FileHash, "last_seen"),
        (FileHash, "duplicate_count"),
    )
}

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's own


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True)
class Field:
    """A field of a line.

    `refers_to` is the type that a reference leads to, `ANY` or `USER`; None for plain
    values. `once` says that it counts for new rows only. `bit` marks in a staged row
    that the line has the field, for an absent one is not null.
    """

    name: str
    column: Column[Any]
    refers_to: str | None
    once: bool
    own: bool
    bit: int

    @property
    def is_reference(self) -> bool:
        """Whether it is known only when all lines are: users are known before."""
        return self.refers_to not in {None, USER}

    @property
    def required(self) -> bool:
        return not self.column.nullable and self.column.server_default is None

    @property
    def staged(self) -> tuple[tuple[str, str], ...]:
        """The columns that hold it in a staged row, with their types."""
        name = self.column.name
        if not self.is_reference:
            return ((name, self.column.type.compile(_DIALECT)),)
        parts = ((f"{name}_ref", "text"), (f"{name}_key", "uuid"))
        return (*parts, (f"{name}_type", "text")) if self.refers_to == ANY else parts

    @property
    def default(self) -> str | None:
        """The column's default, as SQL."""
        compiler = _DIALECT.ddl_compiler(_DIALECT, None)  # type: ignore[arg-type]
        return compiler.get_column_default_string(self.column)


@dataclass(frozen=True)
class Kind:
    """A type of line and the table its rows are in.

    `natural` are the columns, beside the ref, by which its rows are known.
    """

    model: type[Tenant]
    natural: tuple[str, ...] = ()
    fields: tuple[Field, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", tuple(_fields(self.model)))

    @property
    def name(self) -> str:
        return self.model.__name__

    @property
    def table(self) -> Table:
        return table_of(self.model)

    @property
    def stored(self) -> str:
        return quoted(self.table.name)

    def temporary(self, role: str) -> str:
        """The name of the temporary table for its `role` in an import."""
        return quoted(f"import_{role}_{self.table.name}")

    def field(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    def held(self, column: str) -> str:
        """Where a line's value of `column` is: in `lines AS s` or in `ends AS e`."""
        resolved = {f.column.name for f in self.references} | {"entity_type"}
        return f"{'e' if column in resolved else 's'}.{quoted(column)}"

    def when_given(self, field: Field, otherwise: str) -> str:
        """A line's value of `field`, or `otherwise` where it has none."""
        here = self.held(field.column.name)
        if field.required:
            return here
        return f"CASE WHEN s.given & {field.bit} <> 0 THEN {here} ELSE {otherwise} END"

    @property
    def sources(self) -> str:
        """The lines with what they refer to, to be joined by `n`."""
        sources = f"JOIN {self.temporary('lines')} AS s USING (n)"
        if self.references:
            sources += f" JOIN {self.temporary('ends')} AS e USING (n)"
        return sources

    @property
    def is_entity(self) -> bool:
        return issubclass(self.model, Entity)

    @property
    def entity_type(self) -> str:
        assert issubclass(self.model, Entity)
        return self.model.entity_type().value

    @property
    def keeps_ref(self) -> bool:
        """Whether rows remember their ref; signals have none but their key."""
        return issubclass(self.model, Imported)

    @property
    def references(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields if f.is_reference)

    @property
    def own_fields(self) -> tuple[Field, ...]:
        return tuple(f for f in self.fields if f.own)

    @property
    def mutable_fields(self) -> tuple[Field, ...]:
        """The fields that an import may change; links are known by most of theirs."""
        fixed = () if self.is_entity else self.natural
        return tuple(
            f for f in self.fields if not f.once and f.column.name not in fixed
        )

    @property
    def known_by_references(self) -> bool:
        """Whether a row can be found only once what it refers to is."""
        return any(f.column.name in self.natural for f in self.references)


def _fields(model: type[Tenant]) -> Iterator[Field]:
    mapped: list[tuple[type[Base], Column[Any]]] = [
        (model, column) for column in table_of(model).columns
    ]
    mapped += [
        (other, table_of(other).c[name]) for other, name in _BROUGHT.get(model, ())
    ]
    wanted = [(m, c) for m, c in mapped if c.name not in _NO_FIELDS]
    for place, (owner, column) in enumerate(wanted):
        attribute = owner.__mapper__.get_property_by_column(column).key
        refers_to = _refers_to(owner, attribute, column)
        yield Field(
            name=_name(attribute, refers_to),
            column=column,
            refers_to=refers_to,
            once=owner is not model or attribute == "created_at",
            own=owner is model,
            bit=1 << place,
        )


def _refers_to(model: type[Base], attribute: str, column: Column[Any]) -> str | None:
    if "entity_type" in column.info:
        return ANY
    if not column.foreign_keys:
        return None
    target = referred_model(model, attribute)
    return USER if target is Membership else target.__name__


def _name(attribute: str, refers_to: str | None) -> str:
    if refers_to == ANY:
        return "target"
    return public_name(attribute.removesuffix("_id") if refers_to else attribute)


# What a line refers to stands before it here: rows are written in this order. All that
# documents are linked to is there before them, so that most links can be written with
# their document.
KINDS = (
    Kind(Party),
    Kind(Role),
    Kind(Collection),
    Kind(Tag, natural=("name",)),
    Kind(Commitment),
    Kind(KnowledgeNode),
    Kind(KnowledgeEdge, natural=("source_id", "target_id", "edge_type")),
    Kind(Document, natural=("sha256",)),
    Kind(Annotation),
    Kind(Signal, natural=("dedupe_key",)),
    Kind(DocumentLink, natural=("document_id", "entity_type", "entity_id")),
    Kind(DocumentTag, natural=("document_id", "tag_id")),
)

BY_NAME = {kind.name: kind for kind in KINDS}
ENTITIES = tuple(kind for kind in KINDS if kind.is_entity)

ANNOTATIONS = BY_NAME["Annotation"]
COLLECTIONS = BY_NAME["Collection"]
DOCUMENTS = BY_NAME["Document"]
EDGES = BY_NAME["KnowledgeEdge"]
LINKS = BY_NAME["DocumentLink"]
TAGGINGS = BY_NAME["DocumentTag"]
