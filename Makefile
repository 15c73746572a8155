# Everything a person needs is here; `make help` lists it.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup up test lint lock clean

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 20

setup: $(VENV)/.ready ## Make the virtual environment with everything installed

$(VENV)/.ready: pyproject.toml requirements.lock scripts/setup
	scripts/setup $(PYTHON) $(VENV)
	@touch $@

up: setup ## Start DREDGE on this machine: 3001, 3002, 9090 and a worker (Ctrl-C stops it)
	@$(BIN)/dredge up

test: setup ## Run every check and test, with all their set-up
	scripts/test $(BIN)

lint: setup ## Run ruff, mypy and the import rules
	scripts/lint $(BIN)

lock: setup ## Renew requirements.lock
	scripts/lock $(BIN)

clean: ## Remove what the build made (not your data)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
