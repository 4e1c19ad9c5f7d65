# Every verb sets up what it needs: a virtual environment in .venv, from requirements.lock.
PYTHON ?= python3
BIN := .venv/bin
SEEDS ?= 100000
DRILLS := tests/drill/test_drills.py
READY := .venv/.ready
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
UV := $(BIN)/uv pip install --python $(BIN)/python --quiet --system-certs --compile-bytecode
OURS := --no-deps --no-build-isolation --editable .

.DEFAULT_GOAL := help
.PHONY: help drill long test check fix sim bench faults fuzz docs evidence pictures site dist

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock requirements-uv.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "otherside needs Python 3.11 or newer; set PYTHON=python3.12, for instance")'
	$(PYTHON) -m venv .venv
	@# uv takes seconds where pip takes minutes. It does not read pip's settings, so pip does it where it has an index of its own.
	@echo "installing what requirements.lock names into .venv"; \
	if ! $(BIN)/pip config list | grep -q index && $(PIP) --only-binary :all: --requirement requirements-uv.lock && \
	$(UV) --require-hashes --requirement requirements.lock; then $(UV) $(OURS); \
	else echo "by pip, which takes a few minutes" && $(PIP) --require-hashes --requirement requirements.lock && $(PIP) $(OURS); fi
	@touch $@

drill: $(READY) ## Kill a Region under load and measure what was promised
	$(BIN)/otherside drill --stack examples/standard

long: $(READY) ## All that make test leaves out, every other scenario among it: most of an hour
	$(BIN)/pytest -m long

test: check ## Everything: lint, types, contracts and all tests
	@# Drills by themselves: they measure time, and whatever runs beside them is in what they measure.
	$(BIN)/pytest -m 'slow and not long' $(DRILLS)
	$(BIN)/pytest --numprocesses auto --dist loadscope -m 'slow and not long' --ignore $(DRILLS)

check: $(READY) ## Lint, types, contracts and the fast tests
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/deptry src
	$(BIN)/python tools/docs.py --check
	@# Types beside tests: either is a minute, and neither has work for two cores all the time.
	$(BIN)/mypy & types=$$!; trap "kill $$types 2>/dev/null" INT TERM; \
	$(BIN)/pytest --numprocesses auto -m 'not slow and not long'; tests=$$?; \
	wait $$types && exit $$tests

fix: $(READY) ## Mend what a tool can mend: format and lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

sim: $(READY) ## Let the simulator try to break the orchestrator
	$(BIN)/otherside sim --matrix
	$(BIN)/otherside sim --seeds $(SEEDS)

bench: $(READY) ## Measure us beside our peers, in one run, into docs/reference/benchmarks.md
	$(BIN)/python tools/benchmarks.py

faults: $(READY) ## Kill, freeze and starve twins at random moments; print what they leave
	$(BIN)/python tools/faults.py

fuzz: $(READY) ## Feed the check's loaders a million inputs each, guided by coverage
	$(BIN)/python tools/fuzz.py $(LOADERS)

evidence: $(READY) ## Run the drills that the documents show, and keep what came of them
	$(BIN)/python tools/evidence.py
	$(BIN)/python tools/docs.py

pictures: $(READY) ## Take the pictures that the documents show; needs Chromium
	$(BIN)/python tools/pictures.py

docs: $(READY) ## Write docs/reference from the code
	$(BIN)/python tools/docs.py

site: $(READY) ## Build the documentation as a site, in site/
	$(PYTHON) -m venv .venv-site
	.venv-site/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-site.lock
	.venv-site/bin/mkdocs build --strict --quiet

dist: $(READY) ## Build the wheel and the source archive, in dist/
	rm -rf dist
	$(BIN)/python -m hatchling build -d dist
