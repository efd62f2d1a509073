"""Operations' texts as parsed and validated documents, the last of which are kept.

A text is limited, parsed, limited again by its weight, and only then validated, for
validation is what takes time. What depends on variables is asked anew for each request.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from graphql import (
    ASTValidationRule,
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    parse,
    visit,
)

from graph_api.errors import TooComplex
from graph_api.execution.cost import Cost
from graph_api.execution.keeping import Kept
from graph_api.execution.limits import Limits, cost_of, refuse_above, refuse_rows
from graph_api.execution.literals import refuse_bad_literals
from graph_api.execution.openness import Disclosure
from graph_api.execution.pages import Decisive, Pages
from graph_api.execution.refusals import OperationUnresolved
from graph_api.execution.scale import Scale
from graph_api.execution.shape import Shape
from graph_api.execution.validation import Validation

# What is longer takes milliseconds to parse, weigh and validate.
LONG_TEXT = 2_000
# A parsed text takes about 200 bytes a character: these are some 50 MB at the most.
KEPT_CHARACTERS = 256 * 1024
# A plan takes about as much as a text of a thousand characters: no more than these.
KEPT_DOCUMENTS = 1_000
DEFAULT = Disclosure()
# Variants of one document: of its operations, and of what its directives decide.
KEPT_VARIANTS = 16
# Combinations of page sizes that are remembered as allowed, for each document.
KEPT_SIZES = 64


class Document:
    """A valid document, and what it costs with which page sizes, within its limits."""

    def __init__(self, text: str, tree: DocumentNode) -> None:
        self.text = text
        self.tree = tree
        self.fragments = {
            definition.name.value: definition
            for definition in tree.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        # How the variables of its operations are coerced, by the operations' names.
        self.variables: dict[str | None, Any] = {}
        # What was worked out for its operations, by what its directives decide.
        self.plans: Kept[Any] = Kept(KEPT_VARIANTS)
        # What its operations cost, by their names and what their variables say.
        self._costs: dict[tuple[object, ...], Cost] = {}
        self._decisive = Decisive()
        # What those cost for which no variable matters.
        self.fixed: dict[str, Cost] = {}

    @cached_property
    def deciding(self) -> list[str]:
        """The variables that decide what `@skip` and `@include` leave."""
        found = _Deciding()
        visit(self.tree, found)
        return sorted(found.names)

    def operation(self, name: str | None) -> OperationDefinitionNode:
        """The operation of this name, or the only one (GraphQL's GetOperation)."""
        operations = [
            definition
            for definition in self.tree.definitions
            if isinstance(definition, OperationDefinitionNode)
            and (name is None or (definition.name and definition.name.value == name))
        ]
        if len(operations) == 1 or (operations and name is not None):
            return operations[0]
        if name is not None:
            raise OperationUnresolved("The document has no operation of this name.")
        if operations:
            raise OperationUnresolved(
                "The document has several operations; `operationName` must choose one."
            )
        raise OperationUnresolved("The document has no operation.")

    def known_cost(self, name: str, pages: Pages) -> Cost | None:
        """What an operation costs, if it is known to be within its limits."""
        return self._costs.get((name, *pages.key(self._decisive)))

    def remember(self, name: str, pages: Pages, cost: Cost) -> None:
        """Remember that an operation is within its limits with these page sizes."""
        if not (pages.sizes or pages.lists or pages.filters):
            self.fixed[name] = cost
        decisive = self._decisive.beside(pages)
        if decisive != self._decisive:
            self._decisive = decisive
            self._costs.clear()
        if len(self._costs) < KEPT_SIZES:
            self._costs[name, *pages.key(decisive)] = cost


class _Deciding(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: object) -> None:
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.names.add(argument.value.name.value)


def _unlink(tree: DocumentNode) -> None:
    """Let the tokens know nothing of each other, which only the parser had need of.

    A tree without circles is gone as soon as it is forgotten, and not only when the
    garbage collector looks at all that there is, which it does seldom.
    """
    token = tree.loc and tree.loc.start_token
    while token:
        token.prev, token.next, token = None, None, token.next


class Documents:
    """The documents of one schema, by their texts."""

    def __init__(
        self,
        schema: GraphQLSchema,
        limits: Limits,
        rules: Collection[type[ASTValidationRule]] = (),
        *,
        disclosure: Disclosure = DEFAULT,
    ) -> None:
        self._schema = schema
        self._shape = Shape(schema)
        self._limits = limits
        self._disclosure = disclosure
        self._validation = Validation(schema, rules)
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._characters = 0
        # One at a time: who sends many waits for himself, and Python for nobody else.
        self._aside = ThreadPoolExecutor(1, "documents")

    def knows(self, text: str) -> bool:
        """Whether a text was read before, and is in order."""
        return text in self._kept

    def prepare(
        self,
        text: str,
        name: str | None,
        variables: Mapping[str, Any],
        *,
        only_open: bool = False,
    ) -> tuple[Document, OperationDefinitionNode, Cost]:
        """A valid document, the operation that this request runs of it, and its cost.

        Raises what refuses the request: a GraphApiError, a GraphQLSyntaxError or
        an InvalidDocument. With `only_open` that is everything but a way in, before
        anything is said of the schema.
        """
        made = self._made(self._kept.get(text), text, name, variables, only_open)
        self._keep(made[0])
        return made

    async def prepare_aside(
        self,
        text: str,
        name: str | None,
        variables: Mapping[str, Any],
        *,
        only_open: bool = False,
    ) -> tuple[Document, OperationDefinitionNode, Cost]:
        """The same, letting others be answered while a long text is read."""
        if len(text) <= LONG_TEXT or self.knows(text):
            return self.prepare(text, name, variables, only_open=only_open)
        loop = asyncio.get_running_loop()
        made = await loop.run_in_executor(
            self._aside, self._made, None, text, name, variables, only_open
        )
        self._keep(made[0])
        return made

    def _made(
        self,
        known: Document | None,
        text: str,
        name: str | None,
        variables: Mapping[str, Any],
        only_open: bool,
    ) -> tuple[Document, OperationDefinitionNode, Cost]:
        document = known or Document(text, self._parse(text))
        operation = document.operation(name)
        if only_open:
            self._disclosure.refuse_closed(operation)
        if known is None:
            self._disclosure.refuse(document.tree)
        cost = self._limited(document, operation, variables)
        if known is None:
            hides = self._disclosure.hides_suggestions(is_anonymous=only_open)
            self._validation.refuse_invalid(document.tree, hide_suggestions=hides)
        return document, operation, cost

    def _parse(self, text: str) -> DocumentNode:
        limits = self._limits
        refuse_above(
            "queryBytes",
            limits.query_bytes,
            len(text.encode(errors="surrogatepass")),
            "bytes of text",
            "Use variables for long values.",
        )
        try:
            tree = parse(
                text, max_lexical_tokens=limits.tokens, max_comments=limits.tokens
            )
        except GraphQLSyntaxError as error:
            if "Parsing aborted" in error.message:
                raise self._beyond_parsing(error) from None
            raise
        refuse_bad_literals(text, tree)
        _unlink(tree)
        return tree

    def _beyond_parsing(self, error: GraphQLSyntaxError) -> TooComplex:
        """The refusal of a text with too many tokens or comments, or nested too far."""
        allowed = self._limits.tokens
        told = error.message.removeprefix("Syntax Error: ")
        return TooComplex(
            f"{told.removesuffix(' Parsing aborted.')} At most {allowed} tokens, as "
            "many comments and 200 nested braces are allowed.",
            limit="tokens",
            allowed=allowed,
        )

    def _limited(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> Cost:
        """What the operation costs at most; raises if it asks for too much."""
        limits = self._limits
        name = operation.name.value if operation.name else ""
        fixed = document.fixed.get(name)
        if fixed is not None:
            return fixed
        pages = Pages(
            operation, variables, default=limits.default_page, largest=limits.page
        )
        known = document.known_cost(name, pages)
        pages.refuse_out_of_range()
        if known is not None:
            return known
        scale = Scale(self._schema, self._shape, limits, document.tree, pages)
        weight = scale.weigh()[name]
        pages.refuse_out_of_range()
        refuse_rows(weight, limits)
        cost = cost_of(weight, limits)
        document.remember(name, pages, cost)
        return cost

    def _keep(self, document: Document) -> None:
        if document.text not in self._kept:
            self._kept[document.text] = document
            self._characters += len(document.text)
        self._kept.move_to_end(document.text)
        while self._characters > KEPT_CHARACTERS or len(self._kept) > KEPT_DOCUMENTS:
            forgotten, _ = self._kept.popitem(last=False)
            self._characters -= len(forgotten)
