# Fleetpulse. `make` alone prints what there is.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check install --no-deps
ZIP := build/fleetpulse.zip
CODE := fleetpulse jobs sql udfs
ARGS ?=

.PHONY: help setup lock demo doctor stack-up stack-down stack-status test test-unit test-jobs test-e2e fuzz lint fmt bench package \
        run-detector savepoint docs test-rules run-producer load start-sensors run-generator simulate-dlt clean \
        secrets docker-build docker-up docker-down docker-logs docker-ps docker-clean start full-start stop status health \
        monitor build-sensors stop-sensors logs-sensors monitor-sensors verify-cluster test-topics test-external

help: ## Print the targets
	@awk -F':.*## ' '/^## / { printf "\n%s\n", substr($$0, 4) } /^[a-z0-9-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

## Set up

setup: $(STAMP) ## Install all that is needed into .venv; afterwards everything works offline

$(STAMP): requirements-build.txt requirements.txt requirements-dev.txt fleetpulse/stack/install/artifacts.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' \
	    || { echo "error: Python 3.11 is needed; name yours with PYTHON=/path/to/python3.11" >&2; exit 2; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	@echo "Python packages (about 600 MB)"
	@$(PIP) --quiet --require-hashes -r requirements-build.txt
	@$(PIP) --no-build-isolation --require-hashes -r requirements.txt -r requirements-dev.txt \
	    | { grep -v '^Requirement already satisfied' || true; }
	@$(PIP) --quiet --no-build-isolation --no-index --editable .
	@echo "Java artifacts (about 79 MB)"
	@$(BIN)/python -m fleetpulse.stack.install.artifacts
	@touch $@
	@echo "ready"

lock: setup ## Resolve all dependencies again and write the lock files
	@for name in requirements-build requirements requirements-dev bench/requirements deploy/docker/tools; do \
	    $(BIN)/uv pip compile --quiet --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url \
	        --no-emit-find-links --custom-compile-command "make lock" $$name.in -o $$name.txt; \
	done
	@$(BIN)/python -m fleetpulse.stack.install.lock

clean: ## Delete what was built; .venv and .fleetpulse stay
	@rm -rf build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

## On this machine

demo: setup package ## Start everything, simulate a fleet, and watch its alerts arrive (DURATION=60 ends by itself)
	@$(BIN)/fleetpulse demo $(if $(DURATION),--duration.seconds $(DURATION)) $(ARGS)

stack-up: setup ## Start Kafka, Flink and PostgreSQL on this machine
	@$(BIN)/fleetpulse stack up $(ARGS)

doctor: setup ## Check this machine, the broker, jobs, rules and the database; say what to do (ARGS="--kafka.bootstrap.servers localhost:9092")
	@$(BIN)/fleetpulse doctor $(ARGS)

stack-down: setup ## Stop all programs of the stack; data stays
	@$(BIN)/fleetpulse stack down $(ARGS)

stack-status: setup ## Show each program's state and address
	@$(BIN)/fleetpulse stack status $(ARGS)

## Jobs

package: setup $(ZIP) ## Make build/fleetpulse.zip, the code for `flink run -pyfs`

$(ZIP): $(shell find $(CODE) -name '*.py' -o -name '*.sql' -o -name '*.avsc')
	@mkdir -p $(@D)
	@$(BIN)/python -m fleetpulse.stack.install.package $@ $(CODE)

SUBMIT = $(BIN)/fleetpulse stack submit $* $(if $(RESTORE),--restore "$(RESTORE)") -- $(ARGS)

submit-%: package
	@$(SUBMIT)

submit-inactivity: ## Submit the inactivity job (ARGS="--timeout.ms 60000", RESTORE=savepoint, FLINK_REST=host:port, FLINK_PYTHON=path)
submit-anomaly: ## Submit the anomaly job (ARGS="--rules rules/fleet.yaml"; RESTORE, FLINK_REST, FLINK_PYTHON as above)
submit-aggregate: ## Submit the aggregate job (ARGS="--window 1m", … as above)
submit-monitor: ## Submit the monitor job, which decides all three (ARGS, … as above)
submit-rollup: ## Submit the rollup job (ARGS="--by site --window 1h", … as above)
submit-archive: ## Submit the archive job (ARGS="--archive alerts,aggregates,readings", … as above)
submit-cold: ## Submit the cold storage job (ARGS, … as above)

run-detector: package ## Run the anomaly job with the published limits (TELEMETRY_TOPIC=sensor.raw, MAX_TEMPERATURE=45, MIN_HUMIDITY=15; ARGS)
	@TELEMETRY_TOPIC=$${TELEMETRY_TOPIC:-$${FLEETPULSE_EVENTS_TOPIC:-telemetry.raw}} \
	    $(BIN)/fleetpulse stack submit anomaly -- --rules rules/fleet.yaml $(ARGS)

savepoint: setup ## Take a savepoint of a job and print its path (JOB=monitor; STOP=1 stops the job with it; JOB_ID=id of one of several)
	@$(BIN)/fleetpulse stack savepoint $(or $(JOB),inactivity) $(if $(STOP),--stop) $(if $(JOB_ID),--job.id $(JOB_ID))

## Simulated devices and tools

# Where nothing names a broker, and this folder has no stack, that of the containers is used if it runs.
ON_A_BROKER = bash deploy/docker/broker.sh

# What run-producer does where neither the environment nor ARGS says otherwise.
PRODUCER = METRICS_PORT=$${METRICS_PORT:-$${FLEETPULSE_METRICS_PORT:-2112}} \
    SENSOR_COUNT=$${SENSOR_COUNT:-$${FLEETPULSE_NUM_DEVICES:-1000}} \
    SENSOR_INTERVAL=$${SENSOR_INTERVAL:-$${FLEETPULSE_EVENT_INTERVAL_MS:-2s}} \
    FLEETPULSE_DIALECT=$${FLEETPULSE_DIALECT:-telemetry} \
    FLEETPULSE_DURATION_SECONDS=$${FLEETPULSE_DURATION_SECONDS:-forever} \
    FLEETPULSE_FAILURE_PROBABILITY=$${FLEETPULSE_FAILURE_PROBABILITY:-0}

run-producer: setup ## Simulate 1,000 devices that send temperature and humidity every 2 s, until Ctrl-C (ARGS="--dialect avro", SENSOR_COUNT=10)
	@$(PRODUCER) $(ON_A_BROKER) $(BIN)/fleetpulse generate $(ARGS)

load: setup ## Send 5,000 records/s; print the achieved rate, lag and latency (ARGS="--rate 10000 --duration.seconds 120")
	@$(BIN)/fleetpulse load $(ARGS)

ifdef DOCKER
start-sensors: secrets
	@$(COMPOSE) --profile sensors up --detach sensors
else
start-sensors: setup ## Simulate factory sensors, one of each type (SENSOR_TYPE=vibration … for one; DOCKER=1 in a container)
	@$(ON_A_BROKER) $(BIN)/fleetpulse sensors $(ARGS)
endif

run-generator: setup ## Simulate a fleet (ARGS="--num.devices 200 --seed 7")
	@$(ON_A_BROKER) $(BIN)/fleetpulse generate $(ARGS)

simulate-dlt: setup ## Send every kind of broken record and show where each ended (ARGS="--topic telemetry.raw")
	@$(ON_A_BROKER) $(BIN)/fleetpulse dlq simulate $(ARGS)

## Tests and checks

test: test-unit test-jobs test-e2e ## Run all tests

test-unit: setup ## Run the tests that need no JVM
	@$(BIN)/pytest -n 2 --dist loadfile tests/unit

fuzz: setup ## Bend a million records and see that none stops the decoder, for every night (FUZZ_SEED=20260131 repeats one)
	@FUZZ_MUTATIONS=$(or $(FUZZ_MUTATIONS),1000000) FUZZ_SEED=$(or $(FUZZ_SEED),$(shell date +%Y%m%d)) \
	    $(BIN)/pytest -v tests/unit/fleetpulse/test_fuzz.py

test-jobs: setup ## Run the tests on a local Flink
	@$(BIN)/pytest tests/jobs

test-e2e: package ## Run the tests on embedded stacks, two at a time
	@$(BIN)/pytest -n 2 --dist loadfile tests/e2e

test-rules: setup ## Run the fixtures of the rule sets
	@$(BIN)/fleetpulse rules test $(or $(ARGS),rules/tests/*.yaml)

lint: setup ## Check format, style, types, layers, spelling and links; changes nothing
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/codespell
	@$(BIN)/pytest -q tests/unit/test_links.py

docs: setup ## Write docs/configuration.md from the settings themselves
	@$(BIN)/python -m fleetpulse.cli.reference > docs/configuration.md.new && mv docs/configuration.md.new docs/configuration.md

fmt: setup ## Format, and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: package ## Measure, and write docs/benchmarks.md
	@$(BIN)/python -m bench $(ARGS)

## With Docker

# HA=1 for three brokers, SENSORS=1 for simulated devices too. No other target needs Docker.
ENVIRONMENT = $(wildcard .env) $(if $(HA),deploy/docker/ha.env)
COMPOSE = docker compose $(addprefix --env-file ,$(ENVIRONMENT)) $(if $(HA),--profile ha) $(if $(SENSORS),--profile sensors)
EVERYTHING = docker compose --profile ha --profile sensors

secrets: ## Create missing passwords in secrets/, readable by you alone
	@bash deploy/docker/secrets.sh

docker-build: ## Build the images of docker-compose.yaml
	@$(EVERYTHING) build

docker-up: secrets ## Start the whole system in containers (HA=1 for three brokers, SENSORS=1 for simulated devices)
	@$(COMPOSE) up --detach --build

docker-down: ## Remove the containers; data stays
	@$(EVERYTHING) down

docker-logs: ## Follow the logs of all containers (ARGS="kafka vector" for some)
	@$(EVERYTHING) logs --follow --tail 100 $(ARGS)

docker-ps: ## Show the containers
	@$(EVERYTHING) ps --all

docker-clean: ## Remove containers and volumes, with all data in them
	@$(EVERYTHING) down --volumes

start: docker-up ## The same as docker-up

full-start: secrets ## The same as docker-up, with simulated devices
	@$(MAKE) --no-print-directory docker-up SENSORS=1

stop: ## Stop the containers; `make start` goes on
	@$(EVERYTHING) stop

status: docker-ps ## The same as docker-ps

health: ## Show each container's health; fails where one is not healthy
	@$(EVERYTHING) ps --all --format '{{.Service}} {{.State}} {{.Health}} {{.ExitCode}}' | awk -f deploy/docker/health.awk

monitor: ## Open Kafka UI in the browser
	@echo "Kafka UI: http://localhost:8080"
	@xdg-open http://localhost:8080 2>/dev/null || open http://localhost:8080 2>/dev/null || true

build-sensors: ## Build the image of the simulator
	@$(EVERYTHING) build sensors

stop-sensors: ## Stop the containers with simulated devices
	@$(EVERYTHING) stop sensors simulator

logs-sensors: ## Follow the logs of the containers with simulated devices
	@$(EVERYTHING) logs --follow --tail 100 sensors simulator

monitor-sensors: setup ## Show what sensors send, as it comes (ARGS="telemetry.raw" for another topic)
	@$(ON_A_BROKER) $(BIN)/fleetpulse kafka watch $(or $(ARGS),sensor-data)

## A broker

verify-cluster: setup ## Show brokers, controllers and copies; fails where one is missing or behind
	@$(ON_A_BROKER) $(BIN)/fleetpulse kafka verify-cluster

test-topics: setup ## Compare our topics with what they should be, and list the others
	@$(ON_A_BROKER) $(BIN)/fleetpulse kafka test-topics

test-external: setup ## Reach every broker from this machine
	@$(ON_A_BROKER) $(BIN)/fleetpulse kafka test-external
