# Two commands on a fresh machine: `make demo` shows the product, `make test` proves it.
# Each sets up what it needs: a virtual environment, pinned dependencies; for the tests also Chromium and PostgreSQL.

PYTHON ?= $(shell sh scripts/python.sh)
VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.ready-to-run
READY := $(VENV)/.ready
PORT ?= 8050

# Where the environment says so, each of the many processes of the tests would compile all source again.
unexport PYTHONDONTWRITEBYTECODE

# The tests make thousands of files and wait for each to be on the disk: in memory, where there is room, they need
# less than half the time.
IN_MEMORY := $(shell [ -w /dev/shm ] && [ "$$(df -Pk /dev/shm | awk 'NR == 2 {print $$4}')" -gt 6000000 ] && echo TMPDIR=/dev/shm)
# Many tests wait for a server or a browser, so half as many processes again as there are cores.
AT_ONCE := $(shell cores=$$(getconf _NPROCESSORS_ONLN); echo $$((cores + (cores + 1) / 2)))
# Tests of one file stay together, so that what they share is made once; who is done early takes some from another.
PYTEST := $(IN_MEMORY) $(BIN)/python -m pytest --dist worksteal

.PHONY: help pictures setup setup-run demo test test-quick test-all attack test-pythons coverage mutants check format docs build sbom bench lock sample clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(RUNS): requirements.lock pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/setup.sh run
	@touch $@

$(READY): requirements-dev.lock requirements.lock pyproject.toml scripts/setup.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" sh scripts/setup.sh dev
	@touch $(RUNS) $@

setup: $(READY) ## the virtual environment to develop: pinned dependencies and tools

setup-run: $(RUNS) ## the virtual environment to run mbc, without the tools

demo: $(RUNS) ## a synthetic clinic in the browser, on PORT (8050), until interrupted
	@$(BIN)/mbc demo --port $(PORT)

test: $(READY) ## the tests, those in a real browser included, without the slow ones
	@sh scripts/node.sh
	@sh scripts/chromium.sh
	@sh scripts/postgres.sh
	@$(PYTEST) -n $(AT_ONCE) -m "not slow"

test-quick: $(READY) ## for the working hour: no browser, no PostgreSQL, no killed processes, few examples
	@$(PYTEST) -n 2 --hypothesis-profile=quick tests \
		-m "not slow and not long and not browser and not postgres and not notebook"

test-all: $(READY) ## the slow tests too: more engines, databases, seeds and roles
	@sh scripts/node.sh
	@sh scripts/chromium.sh
	@sh scripts/postgres.sh
	@$(PYTEST) -n 2 --hypothesis-profile=thorough

attack: $(READY) ## what attackers tried, against a record that is served as a clinic would
	@sh scripts/node.sh
	@sh scripts/postgres.sh
	@$(PYTEST) -n 0 -p no:randomly -v tests/attack

test-pythons: ## make test on each Python that mbc supports and this machine has, each in .venv-3.X
	@MAKE="$(MAKE)" sh scripts/test_pythons.sh

coverage: $(READY) ## which lines the tests run, subprocesses included; the report is in build/coverage
	@$(PYTEST) -n 2 -m "not slow and not browser" --cov --cov-report=term:skip-covered \
		--cov-report=html:build/coverage

mutants: $(READY) ## change scoring, reliable change, suppression and access line by line: which changes no test notices
	@$(BIN)/python scripts/mutants.py

check: $(READY) ## lint, format, types, import contracts, documentation
	@sh scripts/node.sh
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright
	@$(BIN)/lint-imports
	@$(MAKE) --no-print-directory docs

docs: $(READY) ## the documentation as a site, in build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/site

pictures: $(READY) ## the pictures of the documentation again: figures of synthetic people, and every page of the demo
	@sh scripts/chromium.sh
	@$(BIN)/python scripts/figure_pictures.py
	@$(BIN)/python scripts/page_pictures.py
	@$(BIN)/python scripts/annotated_picture.py
	@$(BIN)/python scripts/circle_pictures.py
	@$(BIN)/python scripts/questionnaire_pictures.py

build: $(READY) ## the wheel and the source distribution, in dist
	@rm -f dist/mbc_toolkit-*
	@$(BIN)/python -m hatchling build

sbom: $(READY) ## what mbc needs to run, as a CycloneDX bill of materials, in dist
	@mkdir -p dist
	@$(BIN)/python -W ignore::UserWarning -m cyclonedx_py requirements requirements.lock --pyproject pyproject.toml \
		--output-reproducible --output-format JSON --output-file dist/mbc_toolkit.cdx.json

format: $(READY) ## mend what ruff can mend
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## timed cases beside peers, in one run
	@for f in benchmarks/[a-z]*.py; do echo "== $$f"; $(BIN)/python "$$f" || exit 1; done

LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-header \
	--extra dashboards --extra postgres --extra export --extra encrypted --extra reports --extra sign-in

lock: ## pin the dependencies to run and to develop (needs uv)
	$(LOCK) --group build -o requirements.lock
	$(LOCK) --group dev --constraints requirements.lock -o requirements-dev.lock

sample: $(RUNS) ## make data/sample again from its seed
	@$(BIN)/python -m mbc.simulate data/sample

clean:
	rm -rf $(VENV) .venv-3.* build dist demo site mutants
