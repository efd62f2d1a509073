"""The arguments of fields: values and variables, of which the latter are declared.

A value stands in the document, or in a variable, or has variables within it; variables
are declared in all the ways that the specification allows for their places, given,
absent, or null.
"""

from collections.abc import Mapping
from random import Random
from typing import Any

from givens import CONNECTION, Givens, Place
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLSchema,
    Undefined,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_non_null_type,
)
from literals import ABSENT, Variable, is_unwritable, literal
from world import World

from graph_api.errors import BadUserInput
from graph_api.ids import global_id, parse_global_id
from graph_api.keys import new_key
from graph_api.models import Base, public_name
from graph_api.reading.columns import columns_of
from graph_api.reading.relations import Relation, Rows, all_rows
from graph_api.schema.registry import SHOWN, model_named

# One operation of so many has something wrong in it.
WRONG = 0.07
# The states from which a mutation moves a commitment.
MOVES = {
    "acceptCommitment": "proposed",
    "activateCommitment": "accepted",
    "cancelCommitment": "active",
    "fulfillCommitment": "active",
    "markCommitmentDelinquent": "active",
    "pauseCommitment": "active",
    "resumeCommitment": "paused",
}
# Of what only one row can have, most are new.
UNIQUE = {"externalRef", "name", "sha256", "dedupeKey"}


class Arguments:
    """The arguments and variables of one document."""

    def __init__(self, schema: GraphQLSchema, givens: Givens) -> None:
        self.declared: dict[str, str] = {}
        self.variables: dict[str, Any] = {}
        self._schema = schema
        self._givens = givens
        self._random = givens.random
        self._chance = givens.chance
        # The place of the value that is not as it should be, if any.
        wrong = self._chance(WRONG)
        self._until_wrong = self._random.randint(1, 6) if wrong else 10**9

    def of(
        self, type: Any, name: str, of: GraphQLField
    ) -> tuple[str, GraphQLNamedType | None]:
        """The arguments of a field, as a text, and what type its object may be of."""
        if type is self._schema.mutation_type:
            return self._mutation_arguments(name, of), None
        given = self._given(of, _place(type, name, of))
        if not given:
            return "", None
        likely = self._likely(given)
        texts = []
        for argument, value in given.items():
            hoisted = self._perhaps_hoisted(of.args[argument], value)
            if hoisted is not ABSENT:
                texts.append(f"{argument}: {literal(hoisted)}")
        return (f"({', '.join(texts)})" if texts else ""), likely

    def _given(self, of: GraphQLField, place: Place) -> dict[str, Any]:
        """The values of a field's arguments, in whatever order."""
        if of.args.keys() >= CONNECTION:
            return self._page(of, place)
        given = {
            argument: self._given_one(argument, of.args[argument], place)
            for argument, definition in of.args.items()
            if (is_non_null_type(definition.type) and _has_no_default(definition))
            or self._chance(0.6)
        }
        return self._shuffled(given)

    def _given_one(
        self, argument: str, definition: GraphQLArgument, place: Place
    ) -> Any:
        if argument == "hash":
            hashes = [row["file_hash"] for row in _rows(self._givens.world, "FileHash")]
            return self._random.choice([*hashes, hashes[0].upper(), "x"])
        return self._givens.value(definition.type, argument, place)

    def _page(self, of: GraphQLField, place: Place) -> dict[str, Any]:
        """The arguments of a connection: small pages, forwards or backwards."""
        given = {
            name: self._givens.value(of.args[name].type, name, Place())
            for name in ("filter", "orderBy")
            if self._chance(0.3)
        }
        place = Place(place.model, rows=place.rows, order=given.get("orderBy"))
        backward = self._chance(0.3)
        if self._chance(0.85):
            given |= self._size(of, backward=backward)
        likely = {"after": 0.15, "before": 0.35} if backward else {"after": 0.3}
        for name, chance in likely.items():
            if self._chance(chance):
                given[name] = self._givens.value(of.args[name].type, name, place)
        for name in sorted(of.args.keys() - given.keys()):
            if self._chance(0.02):
                given[name] = None
        return self._shuffled(given)

    def _size(self, of: GraphQLField, *, backward: bool) -> dict[str, Any]:
        """The size of a page, once in a hundred one that cannot be."""
        name = "last" if backward else "first"
        if self._chance(0.01):
            return {name: self._random.choice([100, 101, -1, None])}
        if self._chance(0.01):
            return {"first": 1, "last": 1}
        return {name: self._givens.value(of.args[name].type, name, Place())}

    def _shuffled(self, given: dict[str, Any]) -> dict[str, Any]:
        names = sorted(given)
        self._random.shuffle(names)
        return {name: given[name] for name in names}

    def _likely(self, given: dict[str, Any]) -> GraphQLNamedType | None:
        """The type of the object that an id among the arguments names."""
        ids = given.get("id") or given.get("ids") or ""
        one = self._random.choice(ids) if isinstance(ids, list) and ids else ids
        model = _model_of_id(one) if isinstance(one, str) else None
        return self._schema.get_type(model.__name__) if model else None

    def _perhaps_hoisted(
        self, of: GraphQLArgument | GraphQLInputField, value: Any
    ) -> Any:
        """The value, or a variable with it; ABSENT where nothing is to be said."""
        self._until_wrong -= 1
        if self._until_wrong == 0:
            value = self._givens.wrong()
        if self._chance(0.3) or is_unwritable(value):
            return self._hoisted(of, value)
        return self._inner(of.type, value)

    def _inner(self, type: GraphQLInputType, value: Any) -> Any:
        """The value with variables in some places of its inside."""
        nullable = get_nullable_type(type)
        if is_list_type(nullable) and isinstance(value, list):
            return [
                Variable(self.declare(str(nullable.of_type), item))
                if self._chance(0.1) or is_unwritable(item)
                else self._inner(nullable.of_type, item)
                for item in value
            ]
        named = get_named_type(type)
        if isinstance(named, GraphQLInputObjectType) and isinstance(value, dict):
            made = {}
            for name, item in value.items():
                of = named.fields.get(name)
                if of is not None and (self._chance(0.08) or is_unwritable(item)):
                    made[name] = self._hoisted(of, item)
                else:
                    made[name] = self._inner(of.type, item) if of else item
            return {name: item for name, item in made.items() if item is not ABSENT}
        return value

    def _hoisted(self, of: GraphQLArgument | GraphQLInputField, value: Any) -> Any:
        """A variable for a value, declared in one of the ways that would do."""
        ways = [(str(of.type), value)] * 6
        bare = str(get_nullable_type(of.type))
        optional = not is_non_null_type(of.type)
        if optional:
            ways += [(str(of.type), ABSENT), (str(of.type), None)]
        if value is not None:
            ways += [(f"{bare}!", value)] * 2
        if value is not None and not is_unwritable(value):
            default = f"{bare} = {literal(value)}"
            ways += [(default, ABSENT), (default, value)]
            ways += [(default, None)] if optional else []
        if not optional and not _has_no_default(of):
            ways += [(bare, ABSENT), (bare, value)]
        return Variable(self.declare(*self._random.choice(ways)))

    def declare(self, type: str, value: Any) -> str:
        if self._until_wrong < 0 and self._chance(0.01):
            value = self._random.choice([None, "wrong", 2**40, [], {}])
        name = f"v{len(self.declared)}"
        self.declared[name] = type
        if value is not ABSENT:
            self.variables[name] = value
        return name

    # Mutations

    def _mutation_arguments(self, name: str, of: GraphQLField) -> str:
        argument = of.args["input"]
        type = get_named_type(argument.type)
        assert isinstance(type, GraphQLInputObjectType)
        given = self._mutation_input(name, type, _written_model(name))
        given["dryRun"] = True
        if self._chance(0.5):
            hoisted: Any = Variable(self.declare(str(argument.type), given))
        else:
            hoisted = self._inner(argument.type, given)
            hoisted["dryRun"] = True
        return f"(input: {literal(hoisted)})"

    def _mutation_input(
        self, mutation: str, type: GraphQLInputObjectType, model: type[Base]
    ) -> dict[str, Any]:
        rows = self._givens.world.rows.get(model) or [{"id": new_key(), "version": 1}]
        if (state := MOVES.get(mutation)) and self._chance(0.7):
            rows = [row for row in rows if row["state"] == state] or rows
        row = self._random.choice(rows)
        given: dict[str, Any] = {}
        for name, of in type.fields.items():
            needed = is_non_null_type(of.type) and _has_no_default(of)
            if needed or self._chance(0.25):
                given[name] = self._mutation_value(mutation, name, of, model, row)
        return self._shuffled(given)

    def _mutation_value(
        self,
        mutation: str,
        name: str,
        of: GraphQLInputField,
        model: type[Base],
        row: Mapping[str, Any],
    ) -> Any:
        self._until_wrong -= 1
        if self._until_wrong == 0:
            return self._givens.wrong()
        item = get_named_type(of.type)
        if isinstance(item, GraphQLInputObjectType):
            number = self._random.choice([0, 1, 1, 2, 3])
            return [self._mutation_input(mutation, item, model) for _ in range(number)]
        right = {
            "id": global_id(model.__name__, row["id"]),
            "expectedVersion": row.get("version", 1),
        }
        if name in right and self._chance(0.85):
            return right[name]
        if not is_non_null_type(of.type) and self._chance(0.05):
            return None
        if name in UNIQUE and self._chance(0.7):
            return _fresh(name, self._random)
        return self._givens.value(of.type, name, _meant(name, model))


def _meant(name: str, model: type[Base]) -> Place:
    """What the field of a mutation's input is about."""
    attribute = {public_name(key): key for key in columns_of(model)}.get(name)
    if name == "id":
        return Place(model)
    if attribute is not None:
        return Place(model, attribute)
    named = {"add": "Tag", "remove": "Tag", "ids": "Document"}.get(name)
    if named is None and name.endswith("Id"):
        named = f"{name[0].upper()}{name[1:-2]}"
    return Place(model_named(named or ""))


def _place(type: GraphQLNamedType, name: str, of: GraphQLField) -> Place:
    """What the arguments of a field are about: the list that it shows, its model."""
    shown = get_named_type(of.type).name
    model = model_named(shown.removesuffix("Connection"))
    if of.args.keys() >= CONNECTION and model is not None:
        return Place(model, rows=_list_shown(type, name, model))
    return Place(model)


def _list_shown(type: GraphQLNamedType, name: str, model: type[Base]) -> Rows:
    parent = model_named(type.name)
    if parent is None:
        return all_rows(model)
    relations: dict[str, Relation] = {
        public_name(key): relation for key, relation in SHOWN[parent].relations.items()
    }
    return relations.get(name) or all_rows(model)


def _fresh(name: str, random: Random) -> str:
    if name == "sha256":
        return f"{random.getrandbits(256):064x}"
    return f"new {random.getrandbits(32)}"


def _written_model(name: str) -> type[Base]:
    """The model whose rows a mutation writes."""
    if name in {"linkDocument", "unlinkDocument"}:
        found = model_named("DocumentLink")
    elif name == "tagDocuments":
        found = model_named("Document")
    else:
        words = name.lstrip("abcdefghijklmnopqrstuvwxyz")
        found = next(
            model_named(one)
            for one in (
                words,
                words.removesuffix("s"),
                words.removesuffix("Delinquent"),
            )
            if model_named(one)
        )
    assert found is not None, name
    return found


def _model_of_id(id: str) -> type[Base] | None:
    try:
        return model_named(parse_global_id(id)[0])
    except BadUserInput:
        return None


def _has_no_default(of: GraphQLArgument | GraphQLInputField) -> bool:
    default = getattr(of, "default", None)
    return of.default_value is Undefined and default is None


def _rows(world: World, name: str) -> list[dict[str, Any]]:
    return next(rows for model, rows in world.rows.items() if model.__name__ == name)
