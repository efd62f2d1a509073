"""Keeping parties, and the roles they stand in."""

from graph_api.models import Party, Role
from graph_api.permissions import Scope
from graph_api.services.entities import EntityService


class Parties(EntityService[Party]):
    model = Party
    scope = Scope.WRITE_PARTIES


class Roles(EntityService[Role]):
    model = Role
    scope = Scope.WRITE_PARTIES
    keeper = "user_id"
