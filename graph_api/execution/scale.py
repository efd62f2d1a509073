"""The weight of an operation, taken before it is validated or touches SQL.

The weight of a fragment depends on nothing around it, so that each is taken once:
one pass is linear in the document, however its fragments multiply. A page size is a
factor of the field that has it; lists below count "per page" until they meet it.
"""

from collections.abc import Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    VariableDefinitionNode,
    get_named_type,
)

from graph_api.execution.cost import (
    FIGURES,
    FREE,
    ITEM,
    MUTATION,
    ROOT_FIELD,
    SCAN,
)
from graph_api.execution.limits import (
    CAP,
    MAX_NESTING,
    Amount,
    Limits,
    Weight,
    refuse_above,
    refuse_breadth,
    refuse_weight,
)
from graph_api.execution.pages import Pages
from graph_api.execution.shape import Shape, is_introspection, is_list

# What an operation can write a directive at.
Directed = (
    SelectionNode
    | FragmentDefinitionNode
    | OperationDefinitionNode
    | VariableDefinitionNode
)


class Scale:
    """Weighs one document, each fragment once; refuses what is too much of anything."""

    def __init__(
        self,
        schema: GraphQLSchema,
        shape: Shape,
        limits: Limits,
        document: DocumentNode,
        pages: Pages,
    ) -> None:
        self._schema = schema
        self._shape = shape
        self._limits = limits
        self._pages = pages
        self._definitions = document.definitions
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._weights: dict[str, Weight] = {}
        self._open: set[str] = set()
        self._directives = 0

    def weigh(self) -> Mapping[str, Weight]:
        """The weight of each operation by its name, refused if one is too heavy.

        Their rows are those for this scale's pages, and left to `refuse_rows`.
        """
        # Fragments that no operation uses are weighed too: validation visits them.
        for name in self._fragments:
            self._fragment(name, 0)
        weights = {}
        for definition in self._definitions:
            if isinstance(definition, OperationDefinitionNode):
                for variable in definition.variable_definitions or ():
                    self._count_directives(variable)
                self._count_directives(definition)
                root = self._schema.get_root_type(definition.operation)
                weight = self._selections(definition.selection_set, root, 0)
                refuse_weight(weight, self._limits)
                name = definition.name.value if definition.name else ""
                weights[name] = weight
        return weights

    def _selections(
        self,
        selection_set: SelectionSetNode,
        parent: GraphQLNamedType | None,
        level: int,
    ) -> Weight:
        refuse_above("nesting", MAX_NESTING, level, "nested braces", "Nest less.")
        weight = Weight()
        for selection in selection_set.selections:
            self._count_directives(selection)
            part = self._selection(selection, parent, level)
            weight.add(part)
            weight.names.update(part.names)
            refuse_breadth(weight, part, self._limits)
        return weight

    def _selection(
        self, selection: SelectionNode, parent: GraphQLNamedType | None, level: int
    ) -> Weight:
        if isinstance(selection, FieldNode):
            return self._field(selection, parent, level)
        if isinstance(selection, FragmentSpreadNode):
            return self._fragment(selection.name.value, level + 1)
        assert isinstance(selection, InlineFragmentNode)
        condition = selection.type_condition
        if condition is not None:
            parent = self._schema.get_type(condition.name.value)
        return self._selections(selection.selection_set, parent, level + 1)

    def _fragment(self, name: str, level: int) -> Weight:
        """The weight of a fragment; nothing for unknown and open (cyclic) ones,
        which validation refuses.
        """
        fragment = self._fragments.get(name)
        if fragment is None or name in self._open:
            return Weight()
        if name not in self._weights:
            self._open.add(name)
            self._count_directives(fragment)
            condition = self._schema.get_type(fragment.type_condition.name.value)
            self._weights[name] = self._selections(
                fragment.selection_set, condition, level
            )
            self._open.discard(name)
        return self._weights[name]

    def _field(
        self, node: FieldNode, parent: GraphQLNamedType | None, level: int
    ) -> Weight:
        name = node.name.value
        weight = Weight(fields=1, aliases=int(node.alias is not None))
        if node.selection_set is not None:
            definition = self._shape.field(parent, name)
            child = get_named_type(definition.type) if definition else None
            below = self._selections(node.selection_set, child, level + 1)
            weight.add(below)
            if is_introspection(parent, name):
                weight.introspection_depth += 1
                weight.schemas += int(name == "__schema")
            else:
                free = self._shape.is_paging(parent)
                weight.depth += int(not free)
                size = self._pages.of(node, definition)
                listed = is_list(definition)
                own = int(listed or not (free or self._shape.is_paging(child)))
                weight.rows = self._spread(below.rows, own, size, listed=listed)
                weight.figures = self._spread(below.figures, 0, size, listed=listed)
        weight.figures.total += int(name in FIGURES and self._shape.is_paging(parent))
        weight.fixed += self._fixed(node, parent)
        weight.names[node.alias.value if node.alias else name] += 1
        return weight

    def _fixed(self, node: FieldNode, parent: GraphQLNamedType | None) -> int:
        """What a field costs whatever is found, in hundredths of a point."""
        cost = SCAN * self._pages.scans(node)
        if parent is not None and parent is self._schema.query_type:
            cost += 0 if node.name.value in FREE else ROOT_FIELD
        elif parent is not None and parent is self._schema.mutation_type:
            cost += MUTATION + ITEM * (self._pages.of(node, None) or 0)
        return cost

    def _spread(
        self, below: Amount, own: int, size: int | None, *, listed: bool
    ) -> Amount:
        """What a field has of something, of which it has `own` itself, or each item.

        A list that says its size has as many rows; one that does not has as many as
        the field around it says (`nodes` of a connection), or as a page by default.
        """
        default = self._limits.default_page
        if listed:
            each = own + below.on_page_of(default)
            return Amount(min((size or 0) * each, CAP), each if size is None else 0)
        pages = default if size is None else size
        return Amount(min(own + below.on_page_of(pages), CAP))

    def _count_directives(self, node: Directed) -> None:
        self._directives += len(node.directives or ())
        refuse_above(
            "directives",
            self._limits.directives,
            self._directives,
            "or more directives",
            "Leave the others out, or use several operations.",
        )
