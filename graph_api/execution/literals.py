"""Literals in an operation's text that no column and no IEEE 754 number can hold.

They are rare, so that the text is searched for what they look like before the document
is. PostgreSQL stores no U+0000; graphql-core lets it pass, and 1e400 as infinity. (Lone
surrogates do not parse.)
"""

import re
from math import isinf

from graphql import (
    DocumentNode,
    FloatValueNode,
    IntValueNode,
    StringValueNode,
    Visitor,
    visit,
)

from graph_api.errors import BadUserInput

SUSPECT = re.compile(r"\x00|\\u(?:0000|\{0+\})|[0-9]{20}|[eE]\+?[0-9]{3}")
# 64 bits; whatever is longer is an identifier, and written as a string.
MAX_DIGITS = 19


def refuse_bad_literals(text: str, document: DocumentNode) -> None:
    """Refuse strings with U+0000 and numbers too large for 64 bits."""
    if SUSPECT.search(text):
        visit(document, _Literals())


class _Literals(Visitor):
    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        if "\0" in node.value:
            raise BadUserInput("Text cannot contain U+0000.")

    def enter_int_value(self, node: IntValueNode, *_: object) -> None:
        if len(node.value.lstrip("-")) > MAX_DIGITS:
            raise BadUserInput(
                f"An integer has at most {MAX_DIGITS} digits; write longer ones as "
                "strings."
            )

    def enter_float_value(self, node: FloatValueNode, *_: object) -> None:
        if isinf(float(node.value)):
            raise BadUserInput("A number is at most 1.7976931348623157e308.")
