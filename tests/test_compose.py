"""No Docker runs in tests: what `docker-compose.yml` promises is read from it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    compose: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    services: dict[str, Any] = compose["services"]
    return services


def test_there_is_a_database_and_a_server(services: dict[str, Any]) -> None:
    assert set(services) == {"db", "api"}


def test_the_database_is_of_a_version_that_we_support(services: dict[str, Any]) -> None:
    name, _, version = services["db"]["image"].partition(":")

    assert name == "postgres"
    assert 15 <= int(version) <= 18


def test_the_server_is_published_on_this_machine_alone(
    services: dict[str, Any],
) -> None:
    assert services["api"]["ports"] == ["127.0.0.1:8000:8000"]
    assert services["api"]["environment"]["GRAPH_API_TRUST_BIND"] == "1"


def test_the_server_waits_for_its_database_and_says_when_it_is_ready(
    services: dict[str, Any],
) -> None:
    api = services["api"]

    assert api["depends_on"] == {"db": {"condition": "service_healthy"}}
    assert "/readyz" in " ".join(api["healthcheck"]["test"])
    assert "healthcheck" in services["db"]


def test_zombies_are_reaped(services: dict[str, Any]) -> None:
    assert services["api"]["init"] is True


def test_the_image_is_built_from_the_pinned_package() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()

    assert "-c constraints.txt" in dockerfile
    assert "USER graph-api" in dockerfile
