# What one does here; `make help` lists it. Every target makes what it needs first and is instant when nothing changed.
# Works with GNU make 3.81 (macOS) and a POSIX shell.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Wheels only: a source package would fetch unlocked build tools to build itself.
INSTALL := $(PIP) install --quiet --require-hashes --only-binary :all: --progress-bar off
WORKERS ?= 2
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo demo-once demo-reset test check bench fuzz explore lock setup setup-dev

help: ## this list
	@echo "make …"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "ARGS=… is handed on to the command, e.g. make test ARGS='-k deadline', make demo ARGS=--help"

demo: setup ## a whole centre on this machine, with simulated recorders; Ctrl-C stops it
	@deploy/setup/system-packages demo
	@exec $(BIN)/ecg-center demo $(ARGS)

demo-once: setup ## the whole way of two recordings unattended; succeeds only if every step happened
	@deploy/setup/system-packages demo
	@exec $(BIN)/ecg-center demo --once $(ARGS)

demo-reset: setup ## forget the demo's data
	@exec $(BIN)/ecg-center demo --reset $(ARGS)

test: setup-dev ## every test; says what it skips and why
	@deploy/setup/system-packages test
	@WORKERS=$(WORKERS) deploy/setup/test $(ARGS)

check: setup-dev ## ruff, mypy, import-linter, tsc --checkJs
	@deploy/setup/system-packages check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@deploy/setup/check-js

bench: setup-dev ## measure; one of them: make bench ARGS=latency
	@deploy/setup/bench $(ARGS)

fuzz: setup-dev ## hostile recordings for every reader: make fuzz ARGS='scp --seconds 3600'
	@$(VENV)/bin/python -m fuzz $(ARGS)

explore: setup-dev ## the property tests on examples that nobody has seen: make explore ARGS='-k statements'
	@$(BIN)/pytest -q -m 'not faults and not e2e and not database' --hypothesis-profile explore tests/property $(ARGS)

lock: setup-dev ## renew requirements/ and package-lock.json after a change of pyproject.toml or package.json
	@deploy/setup/lock

setup: $(VENV)/.runtime ## the environment to run it (.venv)
setup-dev: $(VENV)/.dev ## the environment to work on it

$(VENV)/bin/python:
	@python=$$(deploy/setup/python) && echo "making $(VENV) with $$($$python --version)" && $$python -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python requirements/runtime.txt requirements/build.txt
	@echo "installing the locked packages into $(VENV) (about a minute the first time)"
	@$(INSTALL) -r requirements/build.txt -r requirements/runtime.txt
	@touch $@

$(VENV)/.runtime: $(VENV)/.installed pyproject.toml
	@$(PIP) install --quiet --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements/dev.txt
	@echo "installing the locked development packages"
	@$(INSTALL) -r requirements/dev.txt
	@touch $@
