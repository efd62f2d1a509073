"""Statements made from templates.

What is filled in are names and expressions made from the models' metadata; whatever
comes from a client or a file is a parameter, or lies in a temporary table.
"""


def sql(template: str, **parts: str) -> str:
    """`template` with its `{parts}` filled in."""
    return template.format(**parts)


def joined(parts: "list[str] | tuple[str, ...]", by: str = ", ") -> str:
    """`parts` one after another, or NULL where there are none."""
    return by.join(parts) or "NULL"
