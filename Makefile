# Everything runs from .venv; the first target that needs it sets it up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help setup demo serve test faults bench check format clean

help:            ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

setup: $(VENV)/.run  ## Set up .venv with what the gateway needs to run

demo: $(VENV)/.run  ## Push the example set through the whole gateway and show the outcome
	$(BIN)/tongguan demo

serve: $(VENV)/.run  ## Run the gateway on the embedded defaults until Ctrl-C
	$(BIN)/tongguan serve

test: $(VENV)/.dev  ## Get the services the tests need and run every test
	$(BIN)/python tests/services.py --install
	$(BIN)/python -m pytest

faults: $(VENV)/.dev  ## Live through 10,000 seeds of the simulation and a million damaged inputs
	$(BIN)/python -m pytest tests/simulation --seeds 10000 --numprocesses auto --quiet
	TONGGUAN_TEST_HOSTILE=1000000 $(BIN)/python -m pytest tests/hostile --quiet

bench: $(VENV)/.run  ## Measure how fast triples go all the way, against real services
	$(BIN)/python tests/services.py --install
	$(BIN)/python bench

check: $(VENV)/.dev  ## Lint, types, dead code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/vulture

format: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:           ## Remove what was made here (not .venv)
	rm -rf build dist var *.egg-info .pytest_cache .ruff_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# types are checked through a link, because the checkout's own folder is the package `tongguan`
$(VENV)/.run: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	mkdir -p $(VENV)/typings && ln -sfn ../.. $(VENV)/typings/tongguan
	touch $@

$(VENV)/.dev: $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@
