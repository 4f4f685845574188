# Each target works as the first command ever run: it sets up what it needs.
.PHONY: setup demo test test-fast lint types bench bench-crosscheck up down chaos chaos-short clean help
.DEFAULT_GOAL := help

BIN := .venv/bin
# A file of tests stays in one process: it shares a home. In the order of collection, the long scheduler run starts early.
BOTH_CORES := --numprocesses 2 --dist loadfile --no-loadscope-reorder

help:
	@echo "make demo        two business days of thirteen agencies through the real scheduler, then the numbers"
	@echo "make test        lint, types, import contract and the whole test suite"
	@echo "make bench       speed and memory beside the plain pandas script (prints JSON)"
	@echo "make bench-crosscheck  reports and subjects compared: speed, memory, precision, recall (prints JSON)"
	@echo "make up / down   Airflow with its UI and the workbench on this machine / stop them"
	@echo "make chaos       ten days of thirteen agencies with every fault, compared with ten without"
	@echo "make chaos-short three such days; kill -9 in ingest and publish, then resume"
	@echo "make clean       remove var/ (the state) but not .venv/"

setup: .venv/.ready

.venv/.ready: requirements.lock pyproject.toml tools/setup.sh
	@tools/setup.sh

demo: setup
	@$(BIN)/disclosure demo

test: setup lint types
	@$(BIN)/python -m pytest $(BOTH_CORES)

test-fast: setup
	@$(BIN)/python -m pytest -m "not scheduler"

lint: setup
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports --no-logo

types: setup
	@$(BIN)/mypy

bench: setup
	@$(BIN)/python -m bench.run

bench-crosscheck: setup
	@$(BIN)/python -m bench.crosscheck

up: setup
	@$(BIN)/disclosure up

down: setup
	@$(BIN)/disclosure down

chaos-short: setup
	@$(BIN)/python -m pytest tests/pipeline tests/simulator -k "kill or chaos"

chaos: setup
	@$(BIN)/python -m simulator.chaos --home var/chaos

clean:
	@[ ! -x $(BIN)/disclosure ] || $(BIN)/disclosure down || true
	@rm -rf var
