"""Writes the generated half of `database.md`: the diagram, and every table.

`python docs/database_tables.py` renews it; a test holds the file against it.
"""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, ForeignKeyConstraint, Index, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex

from graph_api.models import Base

PAGE = Path(__file__).with_name("database.md")
START = "<!-- generated: everything below is written by docs/database_tables.py -->"

_DIALECT = postgresql.dialect()  # type: ignore[no-untyped-call]


def generated() -> str:
    """The diagram and the tables, as Markdown."""
    tables = Base.metadata.sorted_tables
    return "\n".join([*_diagram(tables), "", *_tables(tables)]).rstrip() + "\n"


def renewed(page: str) -> str:
    """The page with its generated half as it should be."""
    written, _, _ = page.partition(START)
    return f"{written}{START}\n\n{generated()}"


def _diagram(tables: list[Table]) -> Iterator[str]:
    yield "```mermaid"
    yield "erDiagram"
    for table in tables:
        for key in sorted(table.foreign_key_constraints, key=_key_name):
            column = _key_columns(key)[-1]
            many = "o" if column.nullable else "|"
            yield (
                f"    {key.referred_table.name} |{many}--o{{ {table.name} "
                f': "{column.name}"'
            )
    yield "```"


def _tables(tables: list[Table]) -> Iterator[str]:
    for table in sorted(tables, key=lambda table: table.name):
        yield f"## `{table.name}`"
        yield ""
        yield "| column | type | what it is |"
        yield "|---|---|---|"
        for column in table.columns:
            yield f"| `{column.name}` | {_type(column)} | {_cell(column.comment)} |"
        yield ""
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            yield f"- {_index(index)}"
        yield ""


def _type(column: Column[object]) -> str:
    kind = column.type.compile(dialect=_DIALECT).lower()
    return kind if column.nullable else f"{kind} not null"


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


def _index(index: Index) -> str:
    assert index.table is not None
    statement = str(CreateIndex(index).compile(dialect=_DIALECT))
    unique = "unique " if index.unique else ""
    _, _, columns = statement.partition(f"{index.table.name} ")
    return f"{unique}`{index.name}` {columns.replace('USING', '').strip()}"


def _key_name(key: ForeignKeyConstraint) -> str:
    return _key_columns(key)[-1].name


def _key_columns(key: ForeignKeyConstraint) -> list[Column[object]]:
    return [element.parent for element in key.elements]


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text()))
