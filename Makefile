# Everything a person needs is here; `make help` lists it.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin

.DEFAULT_GOAL := help
.PHONY: help setup up test test-stack lint lock clean secrets docker-build docker-up-cpu docker-up-gpu docker-up-full docker-down \
    docker-logs docker-ps backup restore

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

test-stack: setup ## Test images, compose, nginx and monitoring; makes a Docker engine where there is none (Debian 12, root)
	tests/stack/engine/engine up
	$(BIN)/pip install --quiet -c requirements.lock --group test
	$(BIN)/pytest -m stack

lint: setup ## Run ruff, mypy and the import rules
	scripts/lint $(BIN)

lock: setup ## Renew requirements.lock
	scripts/lock $(BIN)

# The container stack. COMPOSE="docker compose" where there is no docker-compose.
COMPOSE ?= docker-compose
STARTED = $(COMPOSE) --profile cpu --profile gpu --profile full --profile workers --profile monitoring --profile proxy \
    --profile alerting --profile tracing

secrets: ## Make the secrets of the containers, once, and show the API key and Grafana's password
	@$(COMPOSE) --profile full run --rm --quiet-pull prepare secrets /secrets --show

docker-build: ## Build the images cpu, gpu and dev
	docker build --target cpu-build -t dredge-cli:cpu .
	docker build --target gpu-build -t dredge-cli:gpu .
	docker build --target dev -t dredge-cli:dev .

docker-up-cpu: ## Start the DREDGE server and Redis in containers
	$(COMPOSE) --profile cpu up -d --wait

docker-up-gpu: ## Start the MCP server with a GPU, and Redis, in containers
	$(COMPOSE) --profile gpu up -d --wait

docker-up-full: ## Start the whole stack in containers
	$(COMPOSE) --profile full up -d --wait

docker-down: ## Stop all containers; their data stays in volumes
	$(STARTED) down --remove-orphans

docker-logs: ## Follow the logs of all containers
	$(STARTED) logs -f

docker-ps: ## Show the containers and their health
	$(STARTED) ps

backup: ## Copy store and queue of the running containers into FILE (default backups/dredge-DATE.tar)
	@COMPOSE="$(COMPOSE)" scripts/backup $(FILE)

restore: ## Put FILE back into the containers' volumes: make restore FILE=backups/dredge-….tar
	@COMPOSE="$(COMPOSE)" scripts/restore $(FILE)

clean: ## Remove what the build made (not your data)
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
