# In a fresh clone every target runs the setup first. PYTHON must be 3.11 or newer for the pinned versions.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
LOCK := requirements.lock
STAMP := $(VENV)/.setup-done
# The lower bound of pyproject.toml.
OLDEST_TRANSFORMERS := 5.21.0
JOBS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup quickstart cards space browser common-tests test test-oldest test-newest docs lint format clean

# Nothing here may use a hub: a missing file must fail at once instead of being downloaded.
OFFLINE := HF_HUB_OFFLINE=1 HF_DATASETS_OFFLINE=1 TRANSFORMERS_OFFLINE=1 HF_EVALUATE_OFFLINE=1 \
	HF_HUB_DISABLE_TELEMETRY=1 HF_HUB_DISABLE_XET=1 TOKENIZERS_PARALLELISM=false

help:
	@echo "make setup       virtual environment in $(VENV) with the versions of $(LOCK)"
	@echo "make quickstart  trains and evaluates E2, IPAD and FR on the generated corpus, writes a report"
	@echo "make cards       the example cards in model_cards/, of the quickstart's models"
	@echo "make space       demo of the quickstart's models in the browser"
	@echo "make browser     Debian's Chromium for the demo's tests, if it is missing and this is root"
	@echo "make test        all tests, transformers' common tests among them"
	@echo "make test-oldest the same in $(VENV)-oldest with transformers $(OLDEST_TRANSFORMERS), the oldest that is supported"
	@echo "make test-newest the same in $(VENV)-newest with the newest transformers on PyPI"
	@echo "make docs        the site of the documentation, in build/site; fails on any warning"
	@echo "make lint        ruff check and ruff format --check"
	@echo "make format      ruff check --fix and ruff format"
	@echo "make clean       removes what the other targets made, except $(VENV)"

setup: $(STAMP)

$(STAMP): $(LOCK) pyproject.toml
	@test -n "$(PYTHON)" || { echo "No Python found: pass PYTHON=/path/to/python3.11"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint $(LOCK) torch
	$(BIN)/python -m pip install --quiet --no-deps --requirement $(LOCK)
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check
	@touch $@

common-tests: $(STAMP)
	$(BIN)/python tests/fetch_transformers_tests.py

quickstart: $(STAMP)
	$(OFFLINE) $(BIN)/python training/quickstart.py

cards: $(STAMP)
	$(OFFLINE) $(BIN)/python model_cards/render.py

space: $(STAMP)
	$(OFFLINE) GRADIO_ANALYTICS_ENABLED=False $(BIN)/python model_cards/space/app.py

# Without it the tests of the page are skipped, and say so.
browser:
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null \
		&& apt-get update --quiet && apt-get install --quiet --yes --no-install-recommends chromium; } \
		|| echo "No Chromium, and it cannot be installed here: the tests of the demo's page will be skipped."

# One thread a worker: the workers share the cores, and more threads only wait for each other.
test: $(STAMP) common-tests browser
	$(OFFLINE) OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 $(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder --durations 15

test-oldest: TRANSFORMERS := transformers==$(OLDEST_TRANSFORMERS)
test-newest: TRANSFORMERS := transformers
test-oldest test-newest: test-%:
	$(MAKE) setup VENV=$(VENV)-$*
	$(VENV)-$*/bin/python -m pip install --quiet --upgrade $(TRANSFORMERS)
	$(MAKE) test VENV=$(VENV)-$*

docs: $(STAMP)
	$(BIN)/python docs/site/stage.py build/site_source
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --config-file docs/site/mkdocs.yml

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .hf_common .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -not -path "./$(VENV)/*" -type d -prune -exec rm -rf {} +
