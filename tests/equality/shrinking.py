"""A smaller operation that still does what a large one does.

Whatever can be left out of a document is left out, one thing after another, as long as
the operation still shows what is looked for: selections, arguments, directives, parts
of values, definitions, variables.
"""

from collections.abc import Awaitable, Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from typing import Any

from graphql import (
    DocumentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
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
    number = len(list(_removable(tree)))
    for place in range(number):
        copy = deepcopy(tree)
        holder, name, index = list(_removable(copy))[place]
        items = list(getattr(holder, name))
        del items[index]
        setattr(holder, name, tuple(items))
        if name == "selections" and not items:
            continue
        yield _with(operation, copy)
    for place in range(len(list(_fragments(tree)))):
        copy = deepcopy(tree)
        holder, index = list(_fragments(copy))[place]
        items = list(holder.selections)
        items[index : index + 1] = items[index].selection_set.selections  # type: ignore[attr-defined]
        holder.selections = tuple(items)
        yield _with(operation, copy)


def _removable(tree: DocumentNode) -> Iterator[tuple[Node, str, int]]:
    """What can be taken away, breadth first."""
    level: list[Node] = [tree]
    while level:
        below: list[Node] = []
        for node in level:
            for name in LISTS:
                items = getattr(node, name, None) or ()
                yield from ((node, name, index) for index in range(len(items)))
            for key in node.keys:
                child = getattr(node, key)
                children = child if isinstance(child, list | tuple) else [child]
                below += [one for one in children if isinstance(one, Node)]
        level = below


def _fragments(tree: DocumentNode) -> Iterator[tuple[SelectionSetNode, int]]:
    """The inline fragments that could be their contents."""
    stack: list[Node] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, SelectionSetNode):
            for index, one in enumerate(node.selections):
                if one.kind == "inline_fragment":
                    yield node, index
        for key in node.keys:
            child = getattr(node, key)
            children = child if isinstance(child, list | tuple) else [child]
            stack += [one for one in children if isinstance(one, Node)]


class _Used(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self._declaring = False

    def enter_variable_definition(self, *_: Any) -> Any:
        return self.SKIP

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)


def _with(operation: Operation, tree: DocumentNode) -> Operation:
    """The operation with another document, and no variable that it does not use."""
    used = _Used()
    visit(tree, used)
    for one in tree.definitions:
        if isinstance(one, OperationDefinitionNode):
            one.variable_definitions = tuple(
                declared
                for declared in one.variable_definitions or ()
                if declared.variable.name.value in used.names
            )
    variables = {k: v for k, v in operation.variables.items() if k in used.names}
    return replace(operation, query=print_ast(tree), variables=variables)
