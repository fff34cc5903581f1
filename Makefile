# `make checkpoint` verifies the embedded demo; `make test` tests the suite itself.
# Both create .venv from pinned, hashed requirements; nothing but Python >= 3.11 and make is needed.

PYTHON ?= python3
ENV ?= demo
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help checkpoint smoke load test integration benchmarks lint generated clean

help:
	@echo "make checkpoint [ENV=demo]   verify an environment once and write its report"
	@echo "make smoke      [ENV=demo]   the quick post-deploy part of it"
	@echo "make load       [ENV=demo]   whether it holds the load it must, within its budgets"
	@echo "make test                    test the suite itself (no root, no Docker, loopback only)"
	@echo "make integration             tests on real servers from Debian packages (root)"
	@echo "make benchmarks              measured costs, beside a peer in the same run"
	@echo "make lint                    ruff, mypy --strict, import contracts, freshness of generated files"
	@echo "make generated               write environments/schema.json, docs/checks.md, docs/criteria.md"

$(READY): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ": set PYTHON=python3.11")'
	@echo "preparing $(VENV) (once) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

checkpoint: $(READY)
	$(BIN)/pytest --env=$(ENV) -m checkpoint

smoke: $(READY)
	$(BIN)/pytest --env=$(ENV) -m smoke

load: $(READY)
	$(BIN)/pytest --env=$(ENV) -m load

# Long files whose tests need not stay together: whoever has nothing left to do takes over half of the other's.
SHARED := tests/demo tests/checks/test_faults.py
# What presses a target takes all that a machine has, and so is kept away from what is measured.
PRESSING := tests/load tests/fixtures/test_load_runs.py
# What measures this machine, or needs it quiet, runs alone.
ALONE := tests/checks/hosts tests/checks/test_faults_alone.py tests/checks/load/test_load_faults.py tests/watch/test_day.py

test: $(READY)
	$(BIN)/pytest tests --ignore=tests/integration --ignore=tests/benchmarks $(patsubst %,--ignore=%,$(SHARED) $(PRESSING) $(ALONE)) -n 2 --dist=loadfile
	$(BIN)/pytest $(SHARED) -n 2 --dist=worksteal
	$(BIN)/pytest $(PRESSING) -n 2 --dist=loadfile
	$(BIN)/pytest $(ALONE)

integration: $(READY)
	$(BIN)/pytest tests/integration

benchmarks: $(READY)
	$(BIN)/pytest tests/benchmarks -s

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/golive schema --check
	$(BIN)/golive docs --check

generated: $(READY)
	$(BIN)/golive schema
	$(BIN)/golive docs

clean:
	-@test -x $(BIN)/golive && $(BIN)/golive demo down
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
