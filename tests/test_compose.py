"""What docker-compose.yml and the Dockerfile promise, read as Docker reads them."""

import shlex
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from server import PROJECT
from sqlalchemy import make_url

from graph_api.config import Settings

Services = dict[str, dict[str, Any]]


@pytest.fixture
def services() -> Services:
    compose = yaml.safe_load((PROJECT / "docker-compose.yml").read_text())
    found: Services = compose["services"]
    return found


def test_there_are_a_database_and_a_server(services: Services) -> None:
    assert services.keys() == {"db", "api"}
    assert services["db"]["image"] == "postgres:18"
    assert services["api"]["build"] == "."


def test_the_server_trusts_its_bind_and_is_published_on_this_machine_alone(
    services: Services,
) -> None:
    api = services["api"]

    assert api["environment"]["GRAPH_API_TRUST_BIND"] == "1"
    assert api["ports"] == ["127.0.0.1:8000:8000"]
    assert "ports" not in services["db"]


def test_the_server_is_pointed_to_the_database(services: Services) -> None:
    database, api = services["db"]["environment"], services["api"]["environment"]
    url = make_url(api["DATABASE_URL"].replace(":-", ""))

    assert (url.host, url.port) == ("db", 5432)
    assert url.username == database["POSTGRES_USER"]
    assert url.database == database["POSTGRES_DB"]
    assert database["POSTGRES_PASSWORD"] in api["DATABASE_URL"]


def test_the_server_waits_for_the_database_and_reaps_its_zombies(
    services: Services,
) -> None:
    api = services["api"]

    assert api["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert api["init"] is True
    assert "pg_isready" in services["db"]["healthcheck"]["test"]


def test_the_server_is_healthy_when_it_can_serve(services: Services) -> None:
    *_, program = services["api"]["healthcheck"]["test"]

    assert urlsplit(program.split("'")[1]).path == "/readyz"
    compile(program, "healthcheck", "exec")


def test_what_the_server_is_told_are_settings(services: Services) -> None:
    told = {name.lower() for name in services["api"]["environment"]}

    assert told <= Settings.model_fields.keys()


def test_the_data_of_both_is_kept(services: Services) -> None:
    # The image of PostgreSQL 18 keeps its cluster in a folder of its version there.
    assert services["db"]["volumes"] == ["db:/var/lib/postgresql"]
    assert services["api"]["volumes"] == ["api:/var/lib/graph-api"]


def test_the_image_is_built_of_what_is_there_and_nothing_else() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text()
    ignored = (PROJECT / ".dockerignore").read_text().split()
    copied = {
        name
        for line in dockerfile.splitlines()
        if line.startswith("COPY ")
        for name in shlex.split(line)[1:-1]
    }

    assert all((PROJECT / name).exists() for name in copied)
    assert {one[1:] for one in ignored if one.startswith("!")} == copied
    assert "USER graph-api" in dockerfile
