# Needs Python 3.11 or later and make; everything else is installed into $(VENV).
VENV    ?= .venv
WORKERS ?= 2

RECENT := import sys; sys.exit(sys.version_info < (3, 11))

# The first interpreter that is recent enough; PYTHON=/path/to/python overrides.
PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,\
	$(shell $(name) -c '$(RECENT)' 2>/dev/null && echo $(name))))

BIN  := $(VENV)/bin
LOCK := requirements/constraints.txt
PIP  := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test lint format docs bench bench-peers lock clean

help: ## Say what can be made
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/.base ## Learn the shipped flights, write a synthetic copy to ./simulacra-demo
	$(BIN)/simulacra demo

# The many processes that tests start would compile all modules again, were they not kept compiled.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/.dev ## Run all tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

lint: $(VENV)/.dev ## Check style, types, layers and dependencies
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy examples/plugin/src
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: $(VENV)/.dev ## Put the code in shape
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.dev ## Build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/.dev ## Measure (minutes to an hour) and write docs/benchmarks.md
	$(BIN)/python benchmarks/run.py

bench-peers: $(VENV)/.dev ## Measure the peers (hours; goes on where it stopped), write docs/benchmarks.md
	$(PIP) install -q -c $(LOCK) -e '.[charts]'
	cd benchmarks && $(abspath $(BIN))/python -m peers $(ARGS) && $(abspath $(BIN))/python render.py

lock: ## Renew $(LOCK) from a fresh environment
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip --disable-pip-version-check install -q '.[dev]' hatchling
	{ sed -n '/^#/p' $(LOCK); build/lock/bin/python -m pip freeze --exclude simulacra; } > build/lock.txt
	mv build/lock.txt $(LOCK) && rm -rf build/lock

clean: ## Remove what was built, and the environment
	rm -rf $(VENV) build dist site simulacra-demo .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that is missing, or whose Python is gone or too old, is made anew.
ifneq ($(shell $(BIN)/python -c '$(RECENT)' 2>/dev/null && echo yes),yes)
FRESH := venv
endif
.PHONY: venv
venv:
	@test -n "$(PYTHON)" || { echo "Simulacra needs Python 3.11 or later; there is none here" >&2; exit 1; }
	rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml $(LOCK) $(FRESH)
	$(PIP) install -q -c $(LOCK) -e .
	@touch $@

$(VENV)/.dev: pyproject.toml $(LOCK) examples/plugin/pyproject.toml $(FRESH)
	$(PIP) install -q -c $(LOCK) -e '.[dev]' -e examples/plugin
	@touch $@ $(VENV)/.base
