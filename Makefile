# `make help` lists the targets. All of them work in a virtual environment of their own,
# which they make; PYTHON is what it is made with.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

BIN := $(VENV)/bin
# A module of tests has a database of its own, and stays in one process.
TOGETHER := --numprocesses auto --maxprocesses 4 --dist loadscope
SERVER := $(VENV)/.server-installed
DEVELOPMENT := $(VENV)/.development-installed
SOURCES := graph_api migrations tests examples docs benchmarks
POSTGRES15 ?= /usr/lib/postgresql/15/bin

.DEFAULT_GOAL := help
.PHONY: help serve demo migrate check docs format lint types layers schema schema-check \
	migrations test fuzz attack-documents test-wheel test-postgres15 test-clients test-http test-browser \
	bench attack attack-documents attack-faults attack-isolation install clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' Makefile

serve: $(SERVER) ## Serve http://127.0.0.1:8000/graphql; ARGS="--port 8001" goes on to it
	$(BIN)/graph-api serve $(ARGS)

demo: $(SERVER) ## Import two thousand packages of Debian into .demo, and serve that
	$(BIN)/graph-api import --data-dir .demo --reason demo examples/debian-sample.jsonl.gz
	$(BIN)/graph-api serve --data-dir .demo $(ARGS)

migrate: $(SERVER) ## Bring the database to this version's revision
	$(BIN)/graph-api migrate upgrade $(ARGS)

check: ## Everything that CI runs
check: lint types layers schema-check migrations test test-wheel test-postgres15
check: test-clients test-http test-browser

format: $(DEVELOPMENT) ## Format the code, and mend what the linter can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

lint: $(DEVELOPMENT) ## Formatting and lint
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: $(DEVELOPMENT) ## Types, strictly
	$(BIN)/mypy

layers: $(DEVELOPMENT) ## Imports go one way, and in no circle
	$(BIN)/lint-imports

schema: $(SERVER) ## Write schema.graphql anew
	$(BIN)/graph-api schema -o schema.graphql

docs: $(SERVER) ## Write the generated half of docs/database.md anew
	$(BIN)/python docs/database_tables.py

schema-check: $(SERVER) ## schema.graphql is the schema as it is
	$(BIN)/graph-api schema --check

migrations: $(SERVER) ## All revisions up, down and up again; then the models agree
	data=$$(mktemp -d) && trap 'rm -rf "$$data"' EXIT && set -x && \
	$(BIN)/graph-api migrate upgrade --data-dir "$$data" && \
	$(BIN)/graph-api migrate downgrade base --data-dir "$$data" && \
	$(BIN)/graph-api migrate upgrade --data-dir "$$data" && \
	$(BIN)/graph-api migrate check --data-dir "$$data" && \
	$(BIN)/graph-api check --data-dir "$$data"

test: $(DEVELOPMENT) ## The tests, which need only pip; ARGS="-k paging" goes on to pytest
	$(BIN)/python -m pytest $(TOGETHER) $(ARGS)

fuzz: $(DEVELOPMENT) ## Both ways of answering are equal; ARGS="--examples 5000 --seed 7"
	$(BIN)/python tests/equality/fuzz.py $(ARGS)

attack: attack-documents attack-faults attack-isolation ## All of the following, at length

attack-documents: $(DEVELOPMENT) ## Hostile documents beside good traffic; ARGS="--seconds 60"
	$(BIN)/python tests/attack/documents.py $(ARGS)

test-wheel: $(DEVELOPMENT) ## A wheel, installed elsewhere, serves from any folder
	$(BIN)/python tests/wheel.py

test-postgres15: $(DEVELOPMENT) ## The tests on PostgreSQL 15, where it is installed
	$(BIN)/python tests/other_postgres.py $(POSTGRES15) -- -q $(TOGETHER) $(ARGS)

test-clients: $(DEVELOPMENT) ## Code generators and linters of clients; needs npm
	$(BIN)/python tests/clients/check.py

test-http: $(DEVELOPMENT) ## The audits of npm's graphql-http; needs npm
	$(BIN)/python tests/clients/against_server.py http

test-browser: $(DEVELOPMENT) ## GraphiQL in a headless Chromium
	$(BIN)/python tests/clients/against_server.py browser

attack-faults: $(DEVELOPMENT) ## Nothing acknowledged is lost; ARGS="--faults 100 --seed 7"
	$(BIN)/python tests/faults/harness.py $(ARGS)

attack-isolation: $(DEVELOPMENT) ## Nobody sees another's row, at length
	$(BIN)/python tests/isolation/attack.py $(ARGS)

bench: $(DEVELOPMENT) ## Measure against peers; ARGS="--quick" in short; see benchmarks/README.md
	$(BIN)/python -m benchmarks $(ARGS)

install: $(DEVELOPMENT) ## The virtual environment, for developing

clean: ## Remove what was made here: environment, caches, demo; not your data
	rm -rf $(VENV) .demo build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache \
		.hypothesis .import_linter_cache tests/clients/node_modules tests/clients/build \
		.benchmarks benchmarks/postgraphile/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(SERVER): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or later is needed: make PYTHON=python3.11 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -qq --constraint constraints.txt --editable .
	@touch $@

$(DEVELOPMENT): $(SERVER)
	$(BIN)/pip install -qq --constraint constraints.txt --editable '.[dev]'
	@touch $@
