# make train    trains the SPIGOT parser on the embedded data set
# make test     runs the tests
# make lint | types | format | clean
#
# Each makes the environment first where it is missing. PYTHON chooses the interpreter, VENV the place
# of the environment, RUN the place of the results, EPOCHS how long it trains, JOBS how many
# processes run the tests.

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
EPOCHS ?= 5
CONFIG ?= training_config/syntactic_then_semantic/spigot.jsonnet
ifndef RUN
RUN := runs/spigot-$(shell date +%Y%m%d-%H%M%S)
endif

BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
SOURCES := spigot_allennlp spigot_allennlp_startup.py setup.py tests

# One thread for each process. The tensors are small; where other processes want the cores, too, two
# threads that wait for each other at every operation are many times slower than one.
OMP_NUM_THREADS ?= 1
export OMP_NUM_THREADS

.PHONY: train test lint types format clean environment

train: $(STAMP)
	@test ! -e "$(RUN)" || { echo "$(RUN) exists. Remove it, or choose another: make train RUN=..."; exit 1; }
	$(BIN)/allennlp train $(CONFIG) --serialization-dir "$(RUN)" --include-package spigot_allennlp \
	  --overrides '{"trainer.num_epochs": $(EPOCHS)}'
	@cat "$(RUN)/metrics.json"
	@printf '\nThe trained parser: %s\n' "$(RUN)/model.tar.gz"

test: $(STAMP)
	$(BIN)/python -m pytest --quiet --numprocesses $(JOBS) --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: $(STAMP)
	$(BIN)/mypy

format: $(STAMP)
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

# The results in runs/ stay.
clean:
	rm -rf "$(VENV)" build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis

environment: $(STAMP)

# PyTorch comes first, so that nothing else chooses its version; AllenNLP comes last, without its
# dependencies, which exclude every current PyTorch. Interrupted, it goes on where it was.
$(STAMP): setup.cfg setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed, for which constraints.txt is made: make PYTHON=python3.11 ..."; exit 1; }
	@echo "Making the environment in $(VENV). This takes some minutes."
	$(PYTHON) -m venv "$(VENV)"
	$(PIP) --constraint constraints.txt torch
	$(PIP) --constraint constraints.txt --editable ".[test,lint]"
	$(PIP) --no-deps allennlp==2.10.1 allennlp-models==2.10.1
	touch $@
