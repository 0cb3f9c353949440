# make demo    an asset becomes a live market, from nothing but Python and the package registries
# make up      the same stack, kept running
# make test    the tests
# Options travel in ARGS: make demo ARGS="--json --exit", make up ARGS=--fresh, make test ARGS="-k lane"

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
# Whoever names one gets that one; otherwise .venv is made of the fastest that fits.
BOOTSTRAP = $(PYTHON) tools/bootstrap.py $(1) $(if $(filter file,$(origin PYTHON)),,named)
ifeq ($(strip $(PYTHON)),)
$(error Deedbook needs Python 3.11, 3.12 or 3.13 on the PATH)
endif
BIN := .venv/bin
ARGS ?=
# Tests run in an order of no meaning, and the same everywhere, so that a failure can be repeated: SEED=7 is another.
SEED ?= 1
# So many processes share the tests, each with servers of its own; WORKERS=0 runs all in one, as a debugger needs it.
WORKERS ?= 2
# Every command starts processes: without compiled modules each of them would compile a thousand files first.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo up test check fmt lint types floors contracts console screenshots release docs site lock compile clean

demo:
	@$(call BOOTSTRAP,run)
	@$(BIN)/deedbook demo $(ARGS)

up:
	@$(call BOOTSTRAP,run)
	@$(BIN)/deedbook up $(ARGS)

test: dev
	$(BIN)/python -m pytest --randomly-seed=$(SEED) -n $(WORKERS) --no-loadscope-reorder $(ARGS)

check: lint types floors docs contracts console test

lint: dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: dev
	$(BIN)/mypy

floors: dev
	$(BIN)/lint-imports

docs: dev
	$(BIN)/deedbook docs

contracts: dev
	PATH="$(CURDIR)/.tools/node/bin:$$PATH" node contracts/build.mjs --check

# Types against the API's contract, the tests of what is pure; `dev` has built it where something changed.
console: dev
	PATH="$(CURDIR)/.tools/node/bin:$$PATH" npm run -s --prefix console check

# Wheel and sdist, with the console inside, into dist/.
release: console
	DEEDBOOK_RELEASE=1 $(BIN)/python -m hatchling build

# Every page at every size and in both themes, into screenshots/.
screenshots: dev
	$(BIN)/python -m tests.console.screenshots $(ARGS)

site: dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

fmt: dev
	$(BIN)/ruff check --fix -q . || true
	$(BIN)/ruff format -q .

# Host-free locks: names, versions and hashes, and nothing of where they came from.
LOCK := .tools/uv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate
lock:
	$(LOCK) --group build -o requirements.lock pyproject.toml
	$(LOCK) --group build --group dev -o requirements-dev.lock pyproject.toml

# The matching engine compiled by mypyc: the same source, about twice as fast. `make compile ARGS=--undo` takes it back.
compile: dev
	$(BIN)/python tools/compile_engine.py $(ARGS)

clean:
	rm -rf .venv .tools contracts/node_modules console/node_modules src/deedbook/console

.PHONY: dev
dev:
	@$(call BOOTSTRAP,dev)
