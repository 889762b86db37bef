# Touchstone from a clone. `make help` lists the commands; docs/contributing.md explains them.
# Kept to what GNU make 3.81 knows, which is what macOS carries.

VENV ?= .venv
CORPUS ?= ../shared/corpus
TRAIN ?= .train
BIN := $(VENV)/bin
# The environment's own programs come first, so that a Node.js installed into it is found.
export PATH := $(abspath $(BIN)):$(PATH)

PACKAGES := $(VENV)/installed.stamp
EXTENSION_PACKAGES := extension/node_modules/installed.stamp
EXTENSION := extension/.output/built.stamp
E2E_PACKAGES := tests/e2e/node_modules/installed.stamp
EXTENSION_SOURCES := $(shell find extension -type f \
	-not -path '*/node_modules/*' -not -path '*/.output/*' -not -path '*/.wxt/*' 2>/dev/null)

.PHONY: help train-detector run stop test lint bench bench-peers check-marks screenshots docs lock clean

help: ## List the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name text; do \
		printf '  make %-12s %s\n' "$$name" "$$text"; done

run: $(PACKAGES) $(EXTENSION) ## Set everything up, start the daemon, scan a sample, say what to do next
	@$(BIN)/touchstone up --no-autostart --sample --extension extension/.output

stop: ## End the daemon that `make run` started
	@$(BIN)/touchstone stop

test: $(PACKAGES) $(EXTENSION) $(E2E_PACKAGES) ## Run every check, real browsers included
	@tools/setup/browsers.sh
	@tools/setup/fonts.sh
	@$(BIN)/python tools/run_checks.py

lint: $(PACKAGES) $(EXTENSION_PACKAGES) $(E2E_PACKAGES) ## Run the linters and type checks only
	@$(BIN)/python tools/run_checks.py --only lint

bench: $(PACKAGES) ## Measure everything in docs/benchmarks.md on this machine, and write it down there
	@$(BIN)/python tools/bench.py --write

bench-peers: ## Fetch what `make bench` compares the reading of watermarks with
	@python3 -m venv .cache/bench/peers
	@.cache/bench/peers/bin/pip install --quiet --no-deps invisible-watermark==0.2.0 PyWavelets \
		opencv-python-headless "numpy>=2,<3"

check-marks: $(PACKAGES) ## Hold the scans of the corpus of marked files against what they must show
	@$(BIN)/python tools/marks_table.py --corpus $(CORPUS)/marks --write docs/marks.md

screenshots: $(PACKAGES) $(EXTENSION) $(E2E_PACKAGES) ## Make the pictures in docs/screenshots again
	@tools/setup/browsers.sh
	@cd tests/e2e && npm run --silent screenshots

docs: $(PACKAGES) $(EXTENSION_PACKAGES) ## Write the generated pages and notices again
	@$(BIN)/python tools/cli_docs.py
	@$(BIN)/python tools/notices.py
	@$(BIN)/python tools/visible_marks_table.py

lock: $(PACKAGES) ## Resolve and pin the newest allowed packages
	@tools/lock.sh

train-detector: $(TRAIN)/detector.stamp ## Train the detector on CORPUS: about an hour on one core; goes on where it was; NETS=1 adds nets
	@PYTHONPATH=model_zoo/training:daemon $(TRAIN)/bin/python -m detector.train --corpus $(CORPUS) \
		--cache $(TRAIN)/detector --out $(TRAIN)/detector/model $(if $(NETS),--nets) \
		--page model_zoo/training/detector/README.md

$(TRAIN)/detector.stamp: model_zoo/training/detector/requirements.txt
	@test -x $(TRAIN)/bin/python || python3 -m venv $(TRAIN)
	@$(TRAIN)/bin/python -m pip install --quiet --requirement $<
	@touch $@

clean: ## Remove everything that the other commands made
	rm -rf $(VENV) extension/node_modules extension/.output extension/.wxt tests/e2e/node_modules
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
	rm -rf .pytest_cache .mypy_cache .ruff_cache build dist daemon/*.egg-info

$(PACKAGES): requirements.lock pyproject.toml tools/setup/venv.sh tools/setup/node.lock
	@tools/setup/venv.sh $(VENV)
	@touch $@

$(EXTENSION_PACKAGES): extension/package-lock.json $(PACKAGES)
	@cd extension && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(E2E_PACKAGES): tests/e2e/package-lock.json $(PACKAGES)
	@cd tests/e2e && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(EXTENSION): $(EXTENSION_PACKAGES) $(EXTENSION_SOURCES)
	@cd extension && npm run --silent build
	@touch $@
