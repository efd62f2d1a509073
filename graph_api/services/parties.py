"""Keeping parties, and the roles they stand in."""

from ..models import Party, Role
from .entities import EntityService


class Parties(EntityService[Party]):
    model = Party


class Roles(EntityService[Role]):
    model = Role
    keeper = "user_id"
