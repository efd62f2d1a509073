"""A smaller operation that still does what a large one does.

Whatever can be left out of a document is left out, one thing after another, as long as
the operation still shows what is looked for: selections, arguments, directives, parts
of values, definitions, variables.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    InlineFragmentNode,
    Node,
    ObjectFieldNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    VariableNode,
    parse,
    print_ast,
    visit,
)
from graphql.language import Visitor
from operations import Operation

# The lists of a document's nodes from which one can be taken.
LISTS = ("selections", "arguments", "directives", "fields", "values", "definitions")
MOST_TRIES = 1_500

Shows = Callable[[Operation], Awaitable[bool]]


async def shrunk(operation: Operation, shows: Shows) -> Operation:
    """The least operation found for which `shows` still holds."""
    tries = 0
    going = True
    while going:
        going = False
        for smaller in _smaller(operation):
            tries += 1
            if tries > MOST_TRIES:
                return operation
            if await shows(smaller):
                operation, going = smaller, True
                break
    return operation


def _smaller(operation: Operation) -> Iterator[Operation]:
    """The operation with one thing less, each in turn; the largest things first."""
    tree = parse(operation.query)
    for gone in _removable(tree):
        smaller = visit(tree, _Without(gone))
        if _is_whole(smaller):
            yield _with(operation, smaller)
    for fragment in _inline_fragments(tree):
        yield _with(operation, visit(tree, _Unwrapped(fragment)))


def _removable(tree: DocumentNode) -> Iterator[Node]:
    """What can be taken away, breadth first."""
    level: list[Node] = [tree]
    while level:
        for node in level:
            for name in LISTS:
                items = getattr(node, name, None) or ()
                yield from (one for one in items if not _keeps_dry(one))
        level = [below for node in level for below in _children(node)]


def _keeps_dry(node: Node) -> bool:
    """Whether it is what makes a mutation a dry run: without it, it would be done."""
    if isinstance(node, ArgumentNode):
        return node.name.value == "input"
    return isinstance(node, ObjectFieldNode) and node.name.value == "dryRun"


def _children(node: Node) -> Iterator[Node]:
    for key in node.keys:
        child = getattr(node, key)
        children = child if isinstance(child, list | tuple) else [child]
        yield from (one for one in children if isinstance(one, Node))


def _inline_fragments(node: Node) -> Iterator[InlineFragmentNode]:
    if isinstance(node, InlineFragmentNode):
        yield node
    for below in _children(node):
        yield from _inline_fragments(below)


def _is_whole(node: Node) -> bool:
    """Whether no selection set has been emptied."""
    if isinstance(node, SelectionSetNode | DocumentNode) and not list(_children(node)):
        return False
    return all(map(_is_whole, _children(node)))


class _Without(Visitor):
    """Leaves one node out."""

    def __init__(self, gone: Node) -> None:
        super().__init__()
        self._gone = gone

    def enter(self, node: Node, *_: Any) -> Any:
        return self.REMOVE if node is self._gone else None


class _Unwrapped(Visitor):
    """Puts what an inline fragment selects in its place."""

    def __init__(self, fragment: InlineFragmentNode) -> None:
        super().__init__()
        self._fragment = fragment

    def enter_selection_set(self, node: SelectionSetNode, *_: Any) -> Any:
        selections: list[SelectionNode] = []
        for one in node.selections:
            if one is self._fragment:
                selections += self._fragment.selection_set.selections
            else:
                selections.append(one)
        if len(selections) == len(node.selections) and self._fragment in selections:
            return None
        return replace(node, selections=tuple(selections))


class _Undeclared(Visitor):
    """Drops the declarations of variables that are not used."""

    def __init__(self, used: set[str]) -> None:
        super().__init__()
        self._used = used

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: Any) -> Any:
        return None if node.variable.name.value in self._used else self.REMOVE


class _Used(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable_definition(self, *_: Any) -> Any:
        return self.SKIP

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)


def _with(operation: Operation, tree: DocumentNode) -> Operation:
    """The operation with another document, and no variable that it does not use."""
    used = _Used()
    visit(tree, used)
    tree = visit(tree, _Undeclared(used.names))
    variables = {k: v for k, v in operation.variables.items() if k in used.names}
    return replace(operation, query=print_ast(tree), variables=variables)
