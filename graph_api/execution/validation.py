"""Validation by GraphQL's own rules, with a bound on the one that is quadratic."""

from collections.abc import Collection

from graphql import (
    ASTValidationRule,
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OverlappingFieldsCanBeMergedRule,
    ValidationContext,
    specified_rules,
    validate,
)

from graph_api.errors import TooComplex
from graph_api.execution.masking import MAX_ERRORS

# A sixtieth of what graphql-core allows, which takes it half a second.
OVERLAP_BUDGET = 8_000
# Shorter ones have not the fields that it would take.
LONG_TEXT = 2_000
# How graphql-core's errors begin where one of its own limits is reached.
ABORTED = "Validation aborted"


class BoundedOverlapRule(OverlappingFieldsCanBeMergedRule):
    """The rule for overlapping fields, which is quadratic, with less patience."""

    def __init__(self, context: ValidationContext) -> None:
        super().__init__(context)
        self.rule_context.remaining_complexity_budget = OVERLAP_BUDGET


class InvalidDocument(Exception):
    """A document that is not of this schema, with what graphql-core says of it."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        super().__init__("The document is not valid.")
        self.errors = errors


class Validation:
    """Validates documents of one schema, by `rules` beside those of GraphQL."""

    def __init__(
        self,
        schema: GraphQLSchema,
        rules: Collection[type[ASTValidationRule]],
    ) -> None:
        self._schema = schema
        self._rules = [
            BoundedOverlapRule if rule is OverlappingFieldsCanBeMergedRule else rule
            for rule in (*specified_rules, *rules)
        ]

    def refuse_invalid(self, tree: DocumentNode, *, hide_suggestions: bool) -> None:
        """Raise what is wrong with a document: InvalidDocument or TooComplex."""
        # Long texts meet the rule that may take long before they meet the others.
        if tree.loc and tree.loc.end > LONG_TEXT:
            self._validate(tree, [BoundedOverlapRule], hide_suggestions)
        self._validate(tree, self._rules, hide_suggestions)

    def _validate(
        self,
        tree: DocumentNode,
        rules: Collection[type[ASTValidationRule]],
        hide_suggestions: bool,
    ) -> None:
        errors = validate(
            self._schema,
            tree,
            rules,
            max_errors=MAX_ERRORS,
            hide_suggestions=hide_suggestions,
        )
        if any(error.message.startswith(ABORTED) for error in errors):
            raise TooComplex(
                "The operation asks for the same fields too often in one place. "
                "Ask for each once.",
                limit="overlap",
                allowed=OVERLAP_BUDGET,
            )
        if errors:
            raise InvalidDocument(errors)
