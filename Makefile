# Two commands for everybody: `make demo` and `make test`. They need Python 3.11 or newer, make and a package index.

# The first interpreter here that is new enough; `make PYTHON=/path/to/python demo` overrides it.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { command -v $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
DEMO := .demo
DEMO_ENV := SEGUE_MODELS=$(DEMO)/models SEGUE_DATABASE_URL=sqlite:///$(DEMO)/segue.sqlite3 SEGUE_MODEL=

.PHONY: demo explore test soak lint format check bench bench-full bench-quality lock clean help
.DELETE_ON_ERROR:

help:                ## Show these commands
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /make \1	/' | expand -t 20

demo: $(DEMO)/models/current  ## Train on the bundled demo data and talk to the bot in this terminal
	@if [ -t 0 ]; then $(DEMO_ENV) $(BIN)/segue chat; else $(DEMO_ENV) $(BIN)/segue chat --demo; fi

explore: $(VENV)/explore.done $(DEMO)/models/compared  ## Compare three methods on the demo data, in your browser
	@$(DEMO_ENV) $(BIN)/segue explore --maps $(DEMO)/maps

test: $(VENV)/dev.done  ## Run all tests
	$(BIN)/python -m pytest --numprocesses logical --dist loadfile

soak: $(VENV)/dev.done  ## A thousand planted communities per case of what votes may conclude; and a report of a million rows
	$(BIN)/python benchmarks/feedback.py --size 1000000 --runs 1000

lint: $(VENV)/dev.done  ## Check style, types and the direction of imports
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/dev.done  ## Put the code into its standard form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: lint test     ## Both of these: what must be green at every commit

bench: $(VENV)/bench.done  ## Measure against other libraries, on a tenth of Last.fm-360K's size; minutes
	$(BIN)/python benchmarks/train.py --scale 0.1
	$(BIN)/python benchmarks/load.py --scale 0.1
	$(BIN)/python benchmarks/lsa.py --scale 0.1
	$(BIN)/python benchmarks/neighbours.py --scale 0.1
	$(BIN)/python benchmarks/serve.py --scale 0.1
	$(BIN)/python benchmarks/pipeline.py --scale 0.1

bench-full: $(VENV)/bench.done  ## The same at full size; needs 4 GB of memory
	$(BIN)/python benchmarks/train.py --scale 1.0 --iterations 4
	$(BIN)/python benchmarks/load.py --scale 1.0
	$(BIN)/python benchmarks/lsa.py --scale 1.0
	$(BIN)/python benchmarks/neighbours.py --scale 1.0
	$(BIN)/python benchmarks/serve.py --scale 1.0
	$(BIN)/python benchmarks/pipeline.py --scale 1.0

bench-quality: $(VENV)/bench.done  ## Judge similar artists beside other libraries; needs HetRec and a judge
	$(BIN)/python benchmarks/quality.py

# Needs uv; the files name no index, so that everybody's own is used.
LOCK := uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --upgrade \
	--no-header --no-emit-index-url --no-emit-find-links --quiet
lock: pyproject.toml  ## Resolve the dependencies anew, for every supported Python and platform (needs uv)
	$(LOCK) -o requirements.lock
	$(LOCK) --extra explore -c requirements.lock -o requirements-explore.lock
	$(LOCK) --extra dev --extra explore -c requirements.lock -c requirements-explore.lock -o requirements-dev.lock
	$(LOCK) --extra bench -c requirements.lock -o requirements-bench.lock

clean:               ## Remove the environment, the demo's model and votes, and all caches
	rm -rf $(VENV) $(DEMO) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Segue needs Python 3.11 or newer; '$(PYTHON)' is not that. Install it, or: make PYTHON=/path/to/python demo"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "No virtual environment could be made; on Debian and Ubuntu install python3-venv."; exit 1; }

$(VENV)/run.done: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing Segue into $(VENV); the first time this takes a minute."
	@$(PIP) install --quiet --require-hashes -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.done: requirements-dev.lock $(VENV)/run.done
	@echo "Installing what the tests need into $(VENV)."
	@$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/explore.done: requirements-explore.lock $(VENV)/run.done
	@echo "Installing what draws the map into $(VENV)."
	@$(PIP) install --quiet --require-hashes -r requirements-explore.lock
	@touch $@

$(VENV)/bench.done: requirements-bench.lock $(VENV)/run.done
	@echo "Installing the libraries to measure against into $(VENV)."
	@$(PIP) install --quiet --require-hashes -r requirements-bench.lock
	@touch $@

# Trained anew when the code that trains has changed.
$(DEMO)/models/current: $(VENV)/run.done $(wildcard recommender/*.py recommender/*/*.py) recommender/demo/plays.tsv.gz
	@echo "Training on the demo data; the first time takes some seconds more."
	@rm -rf $(DEMO)/models
	@$(DEMO_ENV) $(BIN)/segue train --data demo --model demo

# Beside the demo's own model, so that there is something to compare; it stays the current one.
$(DEMO)/models/compared: $(DEMO)/models/current
	@for preset in als article-lsa; do \
		$(DEMO_ENV) $(BIN)/segue train --data demo --preset $$preset --model $$preset || exit 1; done
	@echo demo > $(DEMO)/models/current
	@touch $@
