# make train    trains a small parser with SPIGOT on the embedded data set, from words and their characters
# make parser   trains a semantic parser on a treebank of your own: SPIGOT_SDP_TRAIN and SPIGOT_SDP_DEV name its files
# make sentiment  on the same data: a parser, then the sentiment classifiers with and without its graph
# make test     runs the tests
# make check    lint, format, types and tests: all that has to pass before a change lands
# make fuzz     feeds readers and predictors FUZZ_INPUTS mutated inputs, and tells what came of them
# make bench    measures ours against other libraries; make bench-quick, a part of it, in two minutes
# make site     writes the documentation as a site to build/site
# make lint | types | format | clean
#
# Each makes the environment first where it is missing. PYTHON chooses the interpreter, VENV the place
# of the environment, RUN the place of the results, CONFIG and EPOCHS what `make train` trains, and how
# long, PARSER_CONFIG what `make parser` trains, JOBS how many processes run the tests, BENCH_OPTIONS
# what is measured and how (say "--without snntorch"; see python -m benchmarks --help).

PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
EPOCHS ?= 5
CONFIG ?= training_config/syntactic_then_semantic/raw_text.jsonnet
PARSER_CONFIG ?= training_config/semantic_parser/raw_text.jsonnet
ifndef RUN
RUN := runs/$(or $(firstword $(MAKECMDGOALS)),train)-$(shell date +%Y%m%d-%H%M%S)
endif

BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
PEERS := $(VENV)/.peers
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
SOURCES := spigot_allennlp spigot_allennlp_startup.py setup.py benchmarks studies tests docs/*.py docs/notebooks

# One thread for each process. The tensors are small; where other processes want the cores, too, two
# threads that wait for each other at every operation are many times slower than one.
OMP_NUM_THREADS ?= 1
export OMP_NUM_THREADS

# What `make train` and `make environment` end with.
define GO_ON
To have the command `allennlp` at hand, type
  source $(BIN)/activate

endef
export GO_ON

.PHONY: train parser treebank sentiment check test fuzz bench bench-quick site lint types format clean environment

train: $(STAMP)
	@test ! -e "$(RUN)" || { echo "$(RUN) exists. Remove it, or choose another: make train RUN=..."; exit 1; }
	$(BIN)/allennlp train $(CONFIG) --serialization-dir "$(RUN)" \
	  --overrides '{"trainer.num_epochs": $(EPOCHS)}'
	@printf '\nMetrics are in %s.\n%s' "$(RUN)/metrics.json" "$$GO_ON"

parser: treebank $(STAMP)
	@test ! -e "$(RUN)" || { echo "$(RUN) exists. Remove it, or choose another: make parser RUN=..."; exit 1; }
	$(BIN)/allennlp train $(PARSER_CONFIG) --serialization-dir "$(RUN)"
	@printf '\nTo publish it: allennlp pack %s --name NAME --licence LICENCE --to FOLDER (docs/named_archives.md)\n%s' \
	  "$(RUN)" "$$GO_ON"

treebank:
	@for name in SPIGOT_SDP_TRAIN SPIGOT_SDP_DEV; do \
	  eval "file=\$$$$name"; \
	  case "$$file" in \
	    '') echo "$$name is not set. Name the files of a treebank: make parser SPIGOT_SDP_TRAIN=... SPIGOT_SDP_DEV=..."; exit 1;; \
	    synthetic:*) ;; \
	    *) test -f "$$file" || { echo "$$name: there is no file $$file."; exit 1; };; \
	  esac; done

# In small, so that it takes some minutes. What each classifier prints is in $(RUN)/<its name>.log.
CLASSIFIERS ?= bilstm pipeline straight_through spigot structured_attention
SMALL_PARSER := {"trainer.num_epochs": 4, "model.arc_scorer.hidden_dim": 100, "model.label_scorer.hidden_dim": 50, \
  "model.encoder.encoder": {"type": "lstm", "input_size": 200, "hidden_size": 100, "bidirectional": true}}
SMALL_CLASSIFIER := {"trainer.num_epochs": 4, "model.encoder.text_field_embedder.token_embedders.words.embedding_dim": 100, \
  "model.encoder.encoder.input_size": 100, "model.encoder.encoder.hidden_size": 50}

sentiment: $(STAMP)
	@test ! -e "$(RUN)" || { echo "$(RUN) exists. Remove it, or choose another: make sentiment RUN=..."; exit 1; }
	$(BIN)/allennlp train training_config/semantic_parser/raw_text.jsonnet --serialization-dir "$(RUN)/parser" \
	  --include-package spigot_allennlp --overrides '$(SMALL_PARSER)'
	@echo "Training the classifiers, $(JOBS) at a time: $(CLASSIFIERS)"
	@printf '%s\n' $(CLASSIFIERS) | SPIGOT_ARCHIVE="$(RUN)/parser/model.tar.gz" xargs -P $(JOBS) -I {} sh -c \
	  '$(BIN)/allennlp train training_config/semantic_then_sentiment/{}.jsonnet --serialization-dir "$(RUN)/{}" \
	  --include-package spigot_allennlp --overrides "$$0" > "$(RUN)/{}.log" 2>&1' '$(SMALL_CLASSIFIER)'
	@$(BIN)/allennlp print-results "$(RUN)" --keys best_validation_accuracy best_validation_arcs_changed \
	  best_validation_labelled_f1

check: lint types test

test: $(STAMP)
	$(BIN)/python -m pytest --quiet --numprocesses $(JOBS) --dist loadfile --no-loadscope-reorder

# Other inputs each time; one that fails is printed as small as it can be made.
FUZZ_INPUTS ?= 20000

fuzz: $(STAMP)
	FUZZ_INPUTS=$(FUZZ_INPUTS) $(BIN)/python -m pytest --quiet tests/fuzz

bench: $(PEERS)
	$(BIN)/python -m benchmarks --output "$(RUN)" $(BENCH_OPTIONS)

bench-quick: $(PEERS)
	$(BIN)/python -m benchmarks --quick --output "$(RUN)" $(BENCH_OPTIONS)

# With the notebooks run. NO_MKDOCS_2_WARNING: Material's announcement of its successor.
site: $(STAMP)
	SITE_NOTEBOOKS=true NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
	@echo "To read it: $(BIN)/python -m http.server --directory build/site"

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
	@printf '%s' "$$GO_ON"

# PyTorch comes first, so that nothing else chooses its version; AllenNLP comes last, without its
# dependencies, which exclude every current PyTorch. Interrupted, it goes on where it was.
$(STAMP): setup.cfg setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed, for which constraints.txt is made: make PYTHON=python3.11 ..."; exit 1; }
	@echo "Making the environment in $(VENV). This takes some minutes."
	$(PYTHON) -m venv "$(VENV)"
	$(PIP) --constraint constraints.txt torch
	$(PIP) --constraint constraints.txt --editable ".[test,lint,docs]"
	$(PIP) --no-deps allennlp==2.10.1 allennlp-models==2.10.1
	touch $@

# Without their dependencies, so that none of them brings another PyTorch. Where one cannot be
# installed, the benchmark measures the others, says so, and fails unless it is told to do --without.
$(PEERS): $(STAMP) benchmarks/requirements.txt
	@grep -v '^#' benchmarks/requirements.txt | while read peer; do \
	  $(PIP) --no-deps "$$peer" </dev/null || echo "$$peer cannot be installed, and will be missing."; done
	touch $@
