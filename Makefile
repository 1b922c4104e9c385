# Everything needs `make setup` only, and every target runs it first. Nothing here needs the pulumi command.
STACK ?= azure-germany
EXECUTIONS ?= 1000000
MUTATIONS ?= 25000
VENV := .venv
READY := $(VENV)/.ready

# Provider SDKs are large: without cached bytecode every command would compile them again.
unexport PYTHONDONTWRITEBYTECODE
BIN := $(VENV)/bin

.PHONY: help setup up test lint format types bench fuzz differential docs lock softhsm clean

help:  ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 12

setup: $(READY) softhsm  ## the project's own environment, and SoftHSM 2 where it may be installed

up: setup  ## bring up a sovereign region in the emulated cloud (STACK=azure-germany)
	@$(BIN)/bailiwick up $(STACK)

test: setup  ## the test suite
	@$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(READY)  ## ruff, formatting and strict types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY)  ## apply ruff's formatting and fixes
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: setup  ## every measured claim, as ratios of one run
	@$(BIN)/python -m bench

fuzz: $(READY)  ## a long random test of everything that reads evidence (EXECUTIONS=1000000, for each parser)
	@$(BIN)/python -m tests.fuzz --executions $(EXECUTIONS)

differential: $(READY)  ## the same TDX quotes, genuine and mutated, to dcap-qvl (MUTATIONS=25000)
	@BAILIWICK_MUTATIONS=$(MUTATIONS) $(BIN)/python -m pytest -q tests/verifier/tdx/test_differential.py

docs: $(READY)  ## regenerate the generated pages and schemas; the tests fail when they drift
	@$(BIN)/python docs/generate.py
	@$(BIN)/python docs/release.py
	@$(BIN)/python docs/checks.py
	@$(BIN)/python -m components.spec
	@$(BIN)/python -m components.hosted.package
	@$(BIN)/python -m policies.reference

lock: $(READY)  ## resolve pyproject.toml into hashed requirements
	@for extra in verifier dev; do \
		$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
			--no-annotate --no-header --no-emit-index-url --extra $$extra pyproject.toml -o requirements/$$extra.txt; \
	done

$(READY): requirements/uv.txt requirements/dev.txt pyproject.toml
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "bailiwick needs Python 3.11 or newer: apt-get install python3 python3-venv" >&2; exit 1; }
	@test ! -L $(VENV) || { echo "$(VENV) is a link: make would rebuild the environment that it leads to" >&2; exit 1; }
	@python3 -m venv $(VENV) >/dev/null 2>&1 || { sh scripts/system-package python3-venv && python3 -m venv --clear $(VENV); }
	@echo "setting up $(VENV) (once; about 90 hashed packages)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

softhsm:
	@command -v softhsm2-util >/dev/null 2>&1 || sh scripts/system-package softhsm2 || \
		echo "SoftHSM 2 is not installed and could not be: keys go to an encrypted file store, which is NOT an HSM" >&2

clean:  ## remove the environment and every emulated region
	rm -rf $(VENV) .bailiwick
