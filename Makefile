# OpenPOS hub. `make run` and `make test` set up everything they need.
PORT ?= 8000
OPENPOS_DATA ?= data
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OPENPOS_DATA

.PHONY: run test types suite check format lock bench growth faults fuzz conformance docs help clean

run: $(VENV)/.run  ## Start the hub with demo venues and POS sandboxes.
	@$(BIN)/openpos-hub demo --port $(PORT)

test: $(VENV)/.test  ## Formatting, types and all tests.
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(MAKE) --no-print-directory --jobs 2 types suite

types:
	@$(BIN)/mypy

suite:
	@$(BIN)/pytest --numprocesses 6 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

format: $(VENV)/.test
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.test  ## Ratios of the hub against its ceilings, one run.
	@$(BIN)/python -m bench

growth: $(VENV)/.test  ## What orders cost at a million, and deleting them; takes an hour and 10 GB.
	@$(BIN)/python -m bench.growth

faults: $(VENV)/.test  ## The long kill and outage runs.
	@$(BIN)/pytest tests/journeys --long $(PYTEST_ARGS)

# Programs of others to try the hub with, each with a lock file and a place of its own.
TRIED := conformance/.tools
TRIED_LOCKS := conformance/node.lock conformance/python-v1.lock conformance/python-v2.lock

conformance: $(VENV)/.run $(TRIED)/.ready  ## The MCP conformance suite and other people's MCP clients, against a hub.
	@$(BIN)/python -m conformance.run

$(TRIED)/.ready: $(TRIED_LOCKS) conformance/package-lock.json
	@echo "Setting up $(TRIED) (first time only) …"
	@for name in node python-v1 python-v2; do \
	  $(PYTHON) -m venv $(TRIED)/$$name && \
	  $(TRIED)/$$name/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    -r conformance/$$name.lock || exit 1; done
	@PATH="$(CURDIR)/$(TRIED)/node/bin:$$PATH" npm ci --loglevel error --no-audit --no-fund --ignore-scripts --prefix conformance
	@touch $@

fuzz: $(VENV)/.test  ## The API against its OpenAPI document, thousands of requests.
	@$(BIN)/pytest tests/api/test_fuzz.py --long $(PYTEST_ARGS)

docs: $(VENV)/.run  ## Write the generated tables of README.md and docs/ anew.
	@$(BIN)/python docs/generate.py

help:  ## This list.
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

# The lock files carry hashes and no index addresses. `uv` is needed here only.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

lock:  ## Renew the lock files (needs uv).
	$(COMPILE) pyproject.toml requirements-build.in -o requirements.lock
	$(COMPILE) --extra test pyproject.toml requirements-build.in -c requirements.lock -o requirements-test.lock
	for name in node python-v1 python-v2; do $(COMPILE) conformance/$$name.in -o conformance/$$name.lock; done

$(VENV)/.run: requirements.lock pyproject.toml
	@echo "Setting up $(VENV) (first time only) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.run requirements-test.lock
	@echo "Adding what the tests need …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-test.lock
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
