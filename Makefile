# Two commands do all the set-up: `make serve` and `make test`. `make help` lists the rest.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
DEMO_DATA ?= $(HOME)/.local/share/graph-api-demo
PORT ?= 8000
PG15 ?= /usr/lib/postgresql/15/bin

.DEFAULT_GOAL := help
.PHONY: help serve demo test check lint format types imports schema-check migrations \
	schema docs test-postgres15 test-clients test-browser test-http clean

help: ## List the targets.
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

serve: $(VENV)/.runtime ## Serve the graph, with GraphiQL and a PostgreSQL of its own.
	$(BIN)/graph-api serve --port $(PORT) $(ARGS)

demo: $(VENV)/.runtime ## The same, with two thousand packages of Debian to explore.
	$(BIN)/graph-api import --data-dir "$(DEMO_DATA)" examples/debian-sample.jsonl.gz
	$(BIN)/graph-api serve --data-dir "$(DEMO_DATA)" --port $(PORT) $(ARGS)

test: $(VENV)/.dev ## Run everything that needs only pip.
	$(BIN)/pytest -q $(ARGS)

check: lint types imports schema-check migrations test ## Run what CI runs.

lint: $(VENV)/.dev ## Formatting and lint.
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

format: $(VENV)/.dev ## Format, and mend what lint can mend.
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(VENV)/.dev ## mypy --strict.
	$(BIN)/mypy

imports: $(VENV)/.dev ## Layers, and no circles.
	$(BIN)/lint-imports

schema-check: $(VENV)/.dev ## schema.graphql is what the code says.
	$(BIN)/graph-api schema --check

migrations: $(VENV)/.dev ## Up, down, up; models and migrations agree.
	@directory=$$(mktemp -d) && chmod 755 "$$directory" && set -e; \
	trap 'rm -rf "$$directory"' EXIT; \
	for step in "upgrade" "downgrade base" "upgrade" "check"; do \
		echo "graph-api migrate $$step"; \
		$(BIN)/graph-api migrate $$step --data-dir "$$directory/data"; \
	done

schema: $(VENV)/.dev ## Write schema.graphql anew.
	$(BIN)/graph-api schema -o schema.graphql

docs: $(VENV)/.dev ## Write the generated half of docs/database.md anew.
	$(BIN)/python docs/database_tables.py

test-postgres15: $(VENV)/.dev ## The tests on PostgreSQL 15, where Debian's is installed.
	@if [ -x "$(PG15)/postgres" ]; then \
		$(BIN)/python tests/on_postgres.py "$(PG15)" $(ARGS); \
	else echo "skipped: there is no $(PG15)/postgres (Debian: postgresql-15)"; fi

test-clients: $(VENV)/.dev ## Relay, codegen and linters accept the schema (needs npm).
	$(BIN)/python tests/clients/check.py

test-http: $(VENV)/.dev ## The audits of GraphQL over HTTP (needs npm).
	$(BIN)/python tests/clients/against_server.py http

test-browser: $(VENV)/.dev ## GraphiQL in a headless Chromium.
	$(BIN)/python tests/clients/against_server.py browser

clean: ## Remove what was made here; data directories stay.
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit("graph-api needs Python 3.11 or later; say make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.made pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/.runtime
