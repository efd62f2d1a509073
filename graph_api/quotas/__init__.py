"""Quotas: how much a caller may ask in a time, however it is spread over requests."""

from graph_api.quotas.attempts import Attempts as Attempts
from graph_api.quotas.charging import Charge as Charge
from graph_api.quotas.charging import Quotas as Quotas
