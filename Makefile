# make run   creates the environment, prepares the workspace, starts the app
# make test  installs what the tests need, a browser included, and runs all of them
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PORT ?= 8501
VENV ?= .venv
PYTHON := $(VENV)/bin/python
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help run test test-fast lint format docs acceptance screenshots clean

help:
	@grep -E '^# make|^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/; s/^# //' | expand -t 14

run: $(VENV)/.installed ## start the app on http://127.0.0.1:$(PORT)
	@$(PYTHON) -m app --port $(PORT)

test: $(VENV)/.installed-dev ## every test, a real browser included
	@$(PYTHON) -m tests.browser
	$(PYTHON) -m pytest -n 2 --dist loadgroup -m "not acceptance and not e2e"
	$(PYTHON) -m pytest -m "e2e and not acceptance" tests/e2e

test-fast: $(VENV)/.installed-dev ## the tests without browser and chaos
	$(PYTHON) -m pytest -n 2 -m "not acceptance and not e2e and not chaos"

lint: $(VENV)/.installed-dev ## format, lint, types, import rules
	$(PYTHON) -m ruff format --check .
	$(PYTHON) -m ruff check .
	$(PYTHON) -m mypy
	$(VENV)/bin/lint-imports --no-cache

format: $(VENV)/.installed-dev ## format and mend what can be mended
	$(PYTHON) -m ruff format .
	$(PYTHON) -m ruff check --fix .

docs: $(VENV)/.installed ## write the generated pages under docs/
	$(PYTHON) -m tools.generate_docs

acceptance: $(VENV)/.installed-dev ## the literal commands of the issues, fuzzing, simulations (long)
	$(PYTHON) -m pytest -m acceptance --timeout 1800

screenshots: $(VENV)/.installed-dev ## take the pictures in docs/images with a real browser
	@$(PYTHON) -m tests.browser
	$(PYTHON) -m tests.screenshots

clean: ## remove the environment and caches; the workspace stays
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.created: tools/create_environment.sh
	@tools/create_environment.sh $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.created requirements.txt
	@echo "Installing what Fairloom runs on (about 6 GB the first time) …"
	@$(PYTHON) -m pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "Installing what the tests need …"
	@$(PYTHON) -m pip install --quiet -r requirements-dev.txt
	@touch $@
