"""Keeping parties, and the roles they stand in."""

from graph_api.models import Party, Role
from graph_api.services.entities import EntityService


class Parties(EntityService[Party]):
    model = Party


class Roles(EntityService[Role]):
    model = Role
    keeper = "user_id"
