"""The schema, as clients meet it: described, sorted, regular, complete, compatible.

It reads `schema.graphql`, which the first test holds against the code, and needs no
database. tests/clients/check.py has the tools of others look at the same file.
"""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from every_mutation import OF_SECRETS, WAYS_IN
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    build_schema,
    find_breaking_changes,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
    lexicographic_sort_schema,
    parse,
    print_ast,
    print_schema,
    separate_operations,
)

from graph_api import models
from graph_api.execution.documents import Documents
from graph_api.execution.limits import Limits
from graph_api.models import Base, public_name
from graph_api.schema import graphql_schema, sdl
from graph_api.schema.registry import SHOWN

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "schema.graphql").read_text()
SCHEMA = build_schema(TEXT)
OPERATIONS = separate_operations(
    parse(
        "".join(
            file.read_text()
            for file in sorted(ROOT.glob("tests/clients/operations/*.graphql"))
        )
    )
)

OURS: list[GraphQLNamedType] = [
    type
    for type in SCHEMA.type_map.values()
    if not is_introspection_type(type) and not is_specified_scalar_type(type)
]
OUTPUTS = [
    type for type in OURS if isinstance(type, GraphQLObjectType | GraphQLInterfaceType)
]
OBJECTS = [type for type in OURS if isinstance(type, GraphQLObjectType)]
INPUTS = [type for type in OURS if isinstance(type, GraphQLInputObjectType)]
ENUMS = [type for type in OURS if isinstance(type, GraphQLEnumType)]
FILTERS = {type.name: type for type in INPUTS if type.name.endswith("Filter")}
CONNECTIONS = {
    type.name.removesuffix("Connection"): type
    for type in OBJECTS
    if type.name.endswith("Connection")
}
assert SCHEMA.query_type
assert SCHEMA.mutation_type
QUERIES = SCHEMA.query_type.fields
MUTATIONS = SCHEMA.mutation_type.fields

NOTHING: set[str] = set()
RE_SECTIONS = re.MULTILINE | re.DOTALL

# The lists that may be missing, or have gaps, and why.
NO_LIST = {
    "KnowledgeNode.embedding",  # A node need not have been embedded.
    "ApiKey.scopes",  # Only owners see those of others.
    "Commitment.occurrences",  # One bad rule must not take the other rows away.
}
WITH_GAPS = {"Query.nodes"}  # Null stands where there is nothing with that id.

# Columns that are shown under another name: DocumentLink.target has this id.
SHOWN_OTHERWISE = {"entityId"}

# What the server alone decides; to take it from a client would be mass assignment.
NOT_TO_BE_SET = {
    *("workspaceId", "workspace", "version", "createdAt", "updatedAt", "position"),
    *("xid", "uuid", "passwordHash", "actorId", "actorType", "requestId", "undoOf"),
}


def fields() -> Iterator[tuple[str, GraphQLField]]:
    """Each field of an output type, with its coordinate."""
    for type in OUTPUTS:
        for name, field in type.fields.items():
            yield f"{type.name}.{name}", field


def described() -> Iterator[tuple[str, str | None]]:
    """Each thing that a client can see, by its coordinate, with its description."""
    for type in OURS:
        yield type.name, type.description
    for coordinate, field in fields():
        yield coordinate, field.description
        for name, argument in field.args.items():
            yield f"{coordinate}({name}:)", argument.description
    for input in INPUTS:
        for name, input_field in input.fields.items():
            yield f"{input.name}.{name}", input_field.description
    for enum in ENUMS:
        for name, value in enum.values.items():
            yield f"{enum.name}.{name}", value.description


def taken_by_mutations() -> list[GraphQLInputObjectType]:
    """The input types that a mutation leads to."""
    found: dict[str, GraphQLInputObjectType] = {}
    waiting = [field.args["input"].type for field in MUTATIONS.values()]
    while waiting:
        type = get_named_type(waiting.pop())
        if isinstance(type, GraphQLInputObjectType) and type.name not in found:
            found[type.name] = type
            waiting.extend(field.type for field in type.fields.values())
    return list(found.values())


def typed(type: GraphQLObjectType | GraphQLInterfaceType) -> dict[str, str]:
    return {name: str(field.type) for name, field in type.fields.items()}


def upper(name: str) -> str:
    return name[0].upper() + name[1:]


def test_the_file_is_what_the_code_says() -> None:
    assert sdl() == TEXT, "Run `make schema` and look at the difference."


def test_the_file_is_sorted() -> None:
    in_order = print_schema(lexicographic_sort_schema(SCHEMA))

    assert in_order + "\n" == TEXT


def test_everything_is_described_in_whole_sentences() -> None:
    a_sentence = re.compile(r"[A-Z0-9`].*[.!?]", re.DOTALL)
    poor = [name for name, said in described() if not a_sentence.fullmatch(said or "")]

    assert poor == []


def test_descriptions_say_an_before_a_vowel() -> None:
    wrong = re.compile(r"\b[Aa] (?=[AEIOaeio])(?!one\b)\w+")

    assert [name for name, said in described() if wrong.search(said or "")] == []


def test_no_two_types_differ_in_case_alone() -> None:
    # Code generators rewrite names: IDFilter and IdFilter would be one class.
    assert len({type.name.casefold() for type in OURS}) == len(OURS)


def test_json_is_the_only_scalar_that_can_be_anything() -> None:
    scalars = {type.name for type in OURS if isinstance(type, GraphQLScalarType)}

    assert scalars == {"BigInt", "DateTime", "Decimal", "JSON", "UUID"}


def test_lists_have_no_gaps_and_are_never_missing() -> None:
    lists = {
        coordinate: str(field.type)
        for coordinate, field in fields()
        if "[" in str(field.type)
    }
    missing = {name for name, type in lists.items() if not type.endswith("]!")}
    gaps = {name for name, type in lists.items() if "!]" not in type}

    assert (missing, gaps) == (NO_LIST, WITH_GAPS)


def test_lists_that_are_sent_have_no_gaps() -> None:
    sent = [argument.type for _, field in fields() for argument in field.args.values()]
    sent += [field.type for input in INPUTS for field in input.fields.values()]

    assert [str(type) for type in sent if re.search(r"\w\]", str(type))] == []


def test_what_has_an_id_can_be_read_again_by_it() -> None:
    assert [str(field.type) for field in (QUERIES["node"], QUERIES["nodes"])] == [
        "Node",
        "[Node]!",
    ]
    assert str(QUERIES["node"].args["id"].type) == "ID!"
    assert str(QUERIES["nodes"].args["ids"].type) == "[ID!]!"
    with_id = {type.name for type in OBJECTS if typed(type).get("id") == "ID!"}
    # The key of a group may have the id of a group's objects.
    nodes = {type.name for type in OBJECTS if "Node" in map(str, type.interfaces)}
    assert with_id == nodes == {model.__name__ for model in SHOWN}


@pytest.mark.parametrize("name", sorted(CONNECTIONS))
def test_a_connection_is_what_relay_wants(name: str) -> None:
    connection = typed(CONNECTIONS[name])
    edge = SCHEMA.type_map[f"{name}Edge"]

    assert isinstance(edge, GraphQLObjectType)
    assert typed(edge) == {"cursor": "String!", "node": f"{name}!"}
    assert connection == {
        "aggregate": f"{name}Aggregate!",
        "edges": f"[{name}Edge!]!",
        "groups": f"[{name}Group!]!",
        "nodes": f"[{name}!]!",
        "pageInfo": "PageInfo!",
        "totalCount": "Int!",
        "totalCountCapped": "Boolean!",
    }


def test_every_connection_takes_the_same_arguments() -> None:
    different = {
        coordinate: arguments
        for coordinate, field in fields()
        if (target := get_named_type(field.type).name).endswith("Connection")
        and (arguments := {k: str(a.type) for k, a in field.args.items()})
        != {
            "after": "String",
            "before": "String",
            "filter": target.replace("Connection", "Filter"),
            "first": "Int",
            "last": "Int",
            "orderBy": f"[{target.replace('Connection', 'Order')}!]",
        }
    }

    assert different == {}


def test_a_page_is_what_relay_wants() -> None:
    page = SCHEMA.type_map["PageInfo"]

    assert isinstance(page, GraphQLObjectType)
    assert typed(page) == {
        "endCursor": "String",
        "hasNextPage": "Boolean!",
        "hasPreviousPage": "Boolean!",
        "startCursor": "String",
    }


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_a_mutation_has_one_input_and_one_payload(name: str) -> None:
    field = MUTATIONS[name]
    payload = get_named_type(field.type)

    assert {given: str(one.type) for given, one in field.args.items()} == {
        "input": f"{upper(name)}Input!"
    }
    # Nullable: one that fails must not take away the answers of the others.
    assert str(field.type) == f"{upper(name)}Payload"
    assert isinstance(payload, GraphQLObjectType)
    assert (
        typed(payload).items()
        >= {
            "interaction": "Interaction",
            "interactions": "[Interaction!]!",
            "replayed": "Boolean!",
            "userErrors": "[UserError!]!",
        }.items()
    )
    assert typed(payload).keys() > {
        *("interaction", "interactions", "replayed", "userErrors")
    }


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_every_mutation_takes_the_same_terms(name: str) -> None:
    taken = get_named_type(MUTATIONS[name].args["input"].type)

    assert isinstance(taken, GraphQLInputObjectType)
    terms = {name: str(field.type) for name, field in taken.fields.items()}
    wanted = {"dryRun": "Boolean!", "idempotencyKey": "String", "reason": "String"}
    if name in OF_SECRETS:
        # Nothing of them is kept to be answered again.
        del wanted["idempotencyKey"]
    if name in WAYS_IN:
        # What lets in is no rehearsal.
        wanted = {}
    assert terms.items() >= wanted.items()
    assert ("idempotencyKey" in terms) is (name not in OF_SECRETS | WAYS_IN)
    if name in WAYS_IN:
        return
    dry_run = taken.fields["dryRun"].ast_node
    assert dry_run
    assert print_ast(dry_run).endswith("dryRun: Boolean! = false")


def test_inputs_and_payloads_are_not_shared() -> None:
    named = {
        type.name
        for type in OURS
        if re.fullmatch(r"\w+(?<!Page)(Input|Payload)", type.name)
    }

    assert named == {
        upper(name) + end for name in MUTATIONS for end in ("Input", "Payload")
    }


def test_no_input_sets_what_the_server_decides() -> None:
    set = {
        f"{type.name}.{name}"
        for type in taken_by_mutations()
        for name in NOT_TO_BE_SET & type.fields.keys()
        # Where to go, and no column.
        if (type.name, name) != ("SignInInput", "workspaceId")
    }
    chosen = [name for name in MUTATIONS if name.startswith("create")]
    ids = {
        name
        for name in chosen
        if "id" in SCHEMA.type_map[f"{upper(name)}Input"].fields  # type: ignore[attr-defined]
    }

    assert (set, ids) == (NOTHING, NOTHING)


def test_no_filter_takes_a_pattern() -> None:
    # A pattern can be made to take for ever; `resembles` and `contains` cannot.
    patterns = re.compile("regex|similar|like|match|pattern|glob", re.IGNORECASE)
    filters = [*FILTERS.values(), SCHEMA.type_map["Resemblance"]]
    operators = {name for type in filters for name in type.fields}  # type: ignore[attr-defined]

    assert {name for name in operators if patterns.search(name)} == NOTHING


@pytest.mark.parametrize("name", sorted(CONNECTIONS))
def test_only_what_is_shown_can_be_filtered_grouped_and_ordered_by(name: str) -> None:
    type, order = SCHEMA.type_map[name], SCHEMA.type_map[f"{name}OrderField"]
    key = SCHEMA.type_map[f"{name}GroupKey"]
    assert isinstance(type, GraphQLObjectType)
    assert isinstance(key, GraphQLObjectType)
    assert isinstance(order, GraphQLEnumType)

    shown = {"and", "or", "not", *type.fields, *(f"{way}Id" for way in type.fields)}
    ordered = {public_name(value.lower()) for value in order.values}
    asked = {*FILTERS[f"{name}Filter"].fields, *key.fields, *ordered}

    assert asked - shown - SHOWN_OTHERWISE == NOTHING


def test_every_relation_is_a_field_of_its_type() -> None:
    relations = {
        f"{model.__name__}.{public_name(attribute)}": relation
        for model, shown in SHOWN.items()
        for attribute, relation in shown.relations.items()
    }
    targets = {
        way: relation.target.__name__ + ("Connection" if relation.to_many else "")
        for way, relation in relations.items()
    }
    given = {
        coordinate: get_named_type(field.type).name
        for coordinate, field in fields()
        if coordinate in relations
    }

    assert given == targets


def foreign_keys() -> Iterator[tuple[type[Base], str, type[Base]]]:
    """Each reference between rows: its model, its attribute, and what it leads to."""
    models_of = {mapper.class_.__table__: mapper.class_ for mapper in mappers()}
    for mapper in mappers():
        for key in mapper.class_.__table__.foreign_key_constraints:
            column = next(reversed(key.columns.values()))
            target = models_of[key.referred_table]
            # Users are named by their memberships, so that they are of the workspace.
            is_member = target is models.Membership
            yield (
                mapper.class_,
                mapper.get_property_by_column(column).key,
                models.User if is_member else target,
            )


def mappers() -> list[Any]:
    return list(Base.registry.mappers)


def leads(model: type[Base], name: str) -> bool:
    """Whether a relation of this name leaves `model` by its own id."""
    relations = SHOWN[model].relations.values()
    return any(one.name == name and one.leaves_by == "id" for one in relations)


def test_every_foreign_key_is_a_field_forwards() -> None:
    blind = {
        f"{model.__name__}.{attribute}"
        for model, attribute, _ in foreign_keys()
        if model in SHOWN
        and not any(
            relation.leaves_by == attribute and not relation.to_many
            for relation in SHOWN[model].relations.values()
        )
    }

    assert blind == NOTHING


def test_every_foreign_key_is_a_field_backwards() -> None:
    blind = {
        f"{target.__name__} from {model.__name__}.{attribute}"
        for model, attribute, target in foreign_keys()
        if model in SHOWN and not leads(target, f"{model.__name__}.{attribute}")
    }

    assert blind == NOTHING


def test_a_table_that_joins_two_is_crossed_both_ways() -> None:
    joining = [
        (model, attribute, target)
        for model, attribute, target in foreign_keys()
        if model not in SHOWN
    ]
    blind = {
        f"{target.__name__} through {near.__name__}.{attribute}"
        for near, attribute, target in joining
        for far, other, _ in joining
        if near is far
        and attribute != other
        and not leads(target, f"{near.__name__}.{attribute}>{far.__name__}.{other}")
    }

    assert blind == NOTHING


def test_what_points_at_any_entity_is_a_field_both_ways() -> None:
    pointing = [
        (mapper.class_, mapper.get_property_by_column(column).key)
        for mapper in mappers()
        for column in mapper.class_.__table__.columns
        if "entity_type" in column.info
    ]
    entities = [model for model in SHOWN if issubclass(model, models.Entity)]
    forwards = {
        model.__name__
        for model, _ in pointing
        if "Entity" in typed(SCHEMA.type_map[model.__name__]).values()  # type: ignore[arg-type]
    }
    blind = {
        f"{entity.__name__} from {model.__name__}.{attribute}"
        for entity in entities
        for model, attribute in pointing
        if not leads(entity, f"{model.__name__}.{attribute}")
    }

    assert forwards == {"DocumentLink", "Interaction"}
    assert blind == NOTHING


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_what_clients_are_checked_with_is_within_the_limits(name: str) -> None:
    operation = print_ast(OPERATIONS[name])

    Documents(graphql_schema, Limits()).prepare(operation, name, {})


def breaches(before: GraphQLSchema, after: GraphQLSchema, changelog: str) -> list[str]:
    """What breaks clients, and is not named under Breaking in the changelog."""
    sections = re.findall(r"^### Breaking\n(.*?)(?=^##|\Z)", changelog, RE_SECTIONS)
    named = set(re.findall(r"`([^`]+)`", "".join(sections)))
    return [
        change.description
        for change in find_breaking_changes(before, after)
        if coordinate(change.description) not in named
    ]


def coordinate(breach: str) -> str:
    """What a breach is about: `Party.taxId`, `Query.party`, `Viewer`, `@defer`."""
    found = re.search(r"@\w+|\w+\.\w+", breach) or re.match(r"\w+", breach)
    assert found
    return found[0]


def git(*command: str) -> str | None:
    """What git says; None where there is no git, no checkout, or no answer."""
    program = shutil.which("git")
    if program is None:
        return None
    done = subprocess.run(
        [program, *command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return None if done.returncode else done.stdout.strip()


def test_what_the_last_release_promised_is_kept_or_said_to_be_broken() -> None:
    release = git("describe", "--tags", "--abbrev=0", "--match=v*")
    before = release and git("show", f"{release}:schema.graphql")
    if not release or not before:
        pytest.skip("There is no release to compare with: nothing is promised yet.")

    changelog = (ROOT / "CHANGELOG.md").read_text()
    version = re.escape(release.removeprefix("v"))
    since = re.split(rf"^## .*{version}", changelog, flags=re.MULTILINE)[0]

    assert breaches(build_schema(before), SCHEMA, since) == []


def test_a_breach_is_excused_only_by_its_name() -> None:
    before = build_schema("type Query { party: Int, role: Int, roles: Int }")
    after = build_schema("type Query { party(id: ID!): Boolean, roles: Int }")
    breach = "Field Query.role was removed."
    others = [
        "A required argument Query.party(id:) was added.",
        "Field Query.party changed type from Int to Boolean.",
    ]
    said = "### Breaking\n\n- `Query.role` is gone.\n\n### Added\n\n- `Query.party`\n"

    assert sorted(breaches(before, after, "")) == [*others, breach]
    assert sorted(breaches(before, after, said)) == others
