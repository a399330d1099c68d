# The only task runner. `make` lists the targets; every target that needs the environment sets it up itself.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/.stamps

# Which build of the Rust core `make setup` installs: `release` is what users run, `quick` is for the edit loop.
PROFILE ?= release
# A terminal shows cargo's progress; a log file does not need it.
QUIET := $(if $(MAKE_TERMOUT),,--quiet)
# Arguments for `make devnet` and friends: make devnet ARGS="--port 9000"
ARGS ?=
# Seeds and rounds of the long targets.
SEED ?=
COUNT ?=

# A folder named `coc` in the user's cache folder is an invitation to share built crates between clones.
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/coc
ifndef CARGO_TARGET_DIR
CARGO_TARGET_DIR := $(if $(wildcard $(CACHE)/.),$(CACHE)/target,$(CURDIR)/target)
endif
export CARGO_TARGET_DIR
export SEED COUNT

NATIVE_SOURCES := pyproject.toml Cargo.toml Cargo.lock \
	$(shell find crates -type f \( -name '*.rs' -o -name Cargo.toml \) -not -path '*/target/*')
PYTHON_PLACES := $(wildcard src tests tools bench)
RUN := $(BIN)/python tools/run_tests.py
# npm writes this file when it has installed what the lock file names: compiler and test runner of the contracts.
SOLC := contracts/node_modules/.package-lock.json

.PHONY: help setup devnet test check check-python check-rust check-stub check-tidy check-contracts test-python test-rust \
	test-contracts test-e2e contracts conformance vectors differential sim nightly bench fmt docs picture lock hooks clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMPS)/native-$(PROFILE) ## build the Rust core and leave a working .venv/bin/coc (again: only what changed)

devnet: setup ## start a chain on this machine: ARGS="--port 8545 --data DIR"
	@exec $(BIN)/coc up $(ARGS)

test: setup $(STAMPS)/clients $(SOLC) ## run every suite; the last line is the sum
	@$(RUN)

check: check-python check-tidy check-rust check-stub ## lint, types, import rules, stub, clippy, formatting, tidy

test-python: setup ## the Python suites without processes
	@$(RUN) python

test-rust: setup ## the tests of the crates
	@$(RUN) rust

test-contracts: $(STAMPS)/python $(SOLC) ## the system contracts: artifacts are what sources give, forge unit, fuzz, invariants
	@$(RUN) contracts

test-e2e: setup $(STAMPS)/clients ## real processes: unmodified clients over a socket, kill -9
	@$(RUN) e2e

contracts: $(SOLC) ## compile the system contracts and write what the package ships of them
	@node contracts/build.mjs

conformance: setup ## test data written by others; needs CONFORMANCE_DIR
	@$(RUN) conformance

vectors: setup ## the chains and states written from the executable specification and kept in tests/vectors
	@$(RUN) vectors

differential: setup $(STAMPS)/oracle ## fresh random chains against the executable specification: SEED= COUNT=
	@PYTHONPATH=. build/oracle/bin/python -m tests.differential $(if $(SEED),--seed $(SEED)) $(if $(COUNT),--count $(COUNT)) $(ARGS)

sim: setup ## run networks in a simulated world: SEED= COUNT=
	@$(BIN)/coc sim --seed $(or $(SEED),0) --count $(or $(COUNT),1) $(ARGS)

nightly: setup $(STAMPS)/clients $(STAMPS)/oracle ## the long campaigns, from where they stopped: ARGS="--minutes 60 --only simulator"
	@$(BIN)/python -m tools.nightly $(ARGS)

bench: setup $(STAMPS)/clients ## measure, and print the table of docs/benchmarks.md
	@for script in $$(grep -l '^if __name__' bench/*.py); do $(BIN)/python "$$script" $(ARGS); done

fmt: $(STAMPS)/python ## format Python and Rust
	@$(BIN)/ruff check --quiet --select I --fix $(PYTHON_PLACES)
	@$(BIN)/ruff format --quiet $(PYTHON_PLACES)
	@cargo fmt --all

docs: setup ## write the generated parts of the documentation again
	@for generator in tools/generate_*.py; do $(BIN)/python "$$generator"; done

picture: setup ## take the picture of the README again
	@$(BIN)/python tools/take_picture.py docs/images/devnet.svg 10 -- $(BIN)/coc up --port 18545

lock: $(STAMPS)/python ## resolve the Python lock files again
	@$(BIN)/pip install --quiet uv && PATH="$(CURDIR)/$(BIN):$$PATH" tools/lock.sh

hooks: $(STAMPS)/python ## run the quick checks before every commit
	@$(BIN)/pre-commit install

clean: ## remove what was built here (not a shared cache)
	@rm -rf $(VENV) build target .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@rm -f src/coc/_native*.so
	@find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# ── Parts of `check` ────────────────────────────────────────────────────────────────────────────────────────────────

check-python: $(STAMPS)/python
	@echo "check: ruff";        $(BIN)/ruff check --quiet --output-format concise $(PYTHON_PLACES)
	@echo "check: ruff format"; $(BIN)/ruff format --quiet --check $(PYTHON_PLACES)
	@echo "check: mypy";        $(BIN)/mypy --no-error-summary $(PYTHON_PLACES)
	@echo "check: imports";     PYTHONPATH=src $(BIN)/lint-imports --no-cache > build/imports.log || { cat build/imports.log; exit 1; }

check-rust:
	@echo "check: rustfmt";     cargo fmt --all --check -- -l
	@echo "check: clippy";      cargo clippy --quiet --workspace --all-targets --locked -- -D warnings

check-stub: setup
	@echo "check: stubtest";    MYPYPATH=src $(BIN)/python -m mypy.stubtest --concise coc._native

check-contracts: $(STAMPS)/python $(STAMPS)/slither $(SOLC)
	@echo "check: slither";     $(BIN)/python tools/check_contracts.py

check-tidy: $(STAMPS)/python
	@echo "check: tidy";        $(BIN)/pytest -q tests/tidy

# ── Environment: a stamp is older than its sources exactly when there is work to do ─────────────────────────────────

$(STAMPS)/python: requirements/dev.txt tools/check_system.sh
	@python="$$(tools/check_system.sh)"; \
	echo "setup: Python environment in $(VENV)"; \
	test -x $(BIN)/python || "$$python" -m venv $(VENV); \
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@mkdir -p $(STAMPS) build && touch $@

$(STAMPS)/native-$(PROFILE): $(STAMPS)/python $(NATIVE_SOURCES)
	@echo "setup: Rust core, profile $(PROFILE), built in $(CARGO_TARGET_DIR) (about three minutes the first time)"
	@VIRTUAL_ENV="$(CURDIR)/$(VENV)" PATH="$(CURDIR)/$(BIN):$$PATH" PIP_QUIET=1 maturin develop --locked --profile $(PROFILE) $(QUIET)
	@rm -f $(STAMPS)/native-* && touch $@

$(STAMPS)/clients: $(STAMPS)/python $(wildcard tests/e2e/clients/setup.sh tests/e2e/clients/package-lock.json tests/e2e/clients/requirements.txt)
	@if [ -x tests/e2e/clients/setup.sh ]; then echo "setup: clients for the end-to-end tests"; tests/e2e/clients/setup.sh; fi
	@touch $@

$(SOLC): contracts/package-lock.json
	@echo "setup: compiler and test runner of the system contracts"
	@cd contracts && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

$(STAMPS)/slither: $(STAMPS)/python contracts/requirements.txt
	@echo "setup: slither in build/slither"
	@test -x build/slither/bin/python || $(BIN)/python -m venv build/slither
	@build/slither/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r contracts/requirements.txt
	@touch $@

$(STAMPS)/oracle: $(STAMPS)/python $(wildcard tests/differential/requirements.txt)
	@echo "setup: the executable specification in build/oracle"
	@test -x build/oracle/bin/python || $(BIN)/python -m venv build/oracle
	@build/oracle/bin/python -m pip install --quiet --disable-pip-version-check -r tests/differential/requirements.txt
	@touch $@
