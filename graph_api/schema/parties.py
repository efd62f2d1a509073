"""Parties and roles, as clients see them."""

import strawberry

from graph_api import models
from graph_api.models import PartyKind
from graph_api.schema.entity import Entity, entity, find, listing, many, one, through
from graph_api.schema.mutations import create, delete, update
from graph_api.schema.scalars import Json
from graph_api.services.parties import Parties, Roles


@entity(models.Party)
class Party(Entity):
    """A person or an organization: a vendor, a customer, a contact, yourself."""

    kind: PartyKind
    name: str
    tax_id: str | None
    contact: Json
    details: Json
    external_ref: str | None

    roles = many(models.Role.party_id, "The roles that it stands in.")
    commitments = through(
        models.Role.party_id,
        models.Commitment.role_id,
        "What it owes, in all of its roles.",
    )
    counterparty_commitments = many(
        models.Commitment.counterparty_id, "What is owed to it."
    )
    documents = through(
        models.DocumentLink.entity_id,
        models.DocumentLink.document_id,
        "The documents that are linked to it.",
    )


@entity(models.Role)
class Role(Entity):
    """A context that a party stands in, such as employee, parent or taxpayer."""

    role_name: str
    domain_tags: list[str]
    external_ref: str | None

    party = one(models.Role.party_id)
    user = one(models.Role.user_id, to=models.User)
    commitments = many(models.Commitment.role_id, "What is owed in this role.")
    documents = through(
        models.DocumentLink.entity_id,
        models.DocumentLink.document_id,
        "The documents that are linked to it.",
    )


@strawberry.type
class PartyQueries:
    """Where reading parties and roles starts."""

    party = find(models.Party, "The party with this id.")
    parties = listing(models.Party, "The parties of the workspace.")
    role = find(models.Role, "The role with this id.")
    roles = listing(models.Role, "The roles of the workspace.")


_PARTY = ("kind", "name", "tax_id", "contact", "details", "external_ref")
_ROLE = ("party_id", "user_id", "role_name", "domain_tags", "external_ref")


@strawberry.type
class PartyMutations:
    """What can be done with parties and roles."""

    create_party = create(Parties, _PARTY, "Make a person or an organization known.")
    update_party = update(Parties, _PARTY, "Change what is known of a party.")
    delete_party = delete(
        Parties, "Delete a party with its roles and what it owes in them."
    )
    create_role = create(Roles, _ROLE, "Put a party into a role.")
    update_role = update(Roles, _ROLE, "Change a role.")
    delete_role = delete(Roles, "Delete a role with what is owed in it.")
