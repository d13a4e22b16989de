# One command per verb. Each creates its own virtual environment if there is none.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint format bench dist docs fuzz browser

demo: .venv/.with-demo
	$(BIN)/preddiff explain "$$($(BIN)/python scripts/demo_picture.py)" --target top3 --output demo

test: .venv/.with-dev browser
	$(BIN)/pytest --numprocesses auto --dist worksteal

lint: .venv/.with-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.with-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Times the networks in $PREDDIFF_DATA/models, too, if that folder is set.
bench: .venv/.with-dev
	$(BIN)/preddiff bench $(wildcard $(addsuffix /models/*.onnx,$(PREDDIFF_DATA))) --output docs/performance.md
	$(BIN)/preddiff bench --scans --output docs/performance.md

# Builds sdist and wheel in dist/ and tries the wheel in an empty environment.
dist: .venv/.with-dist
	PYTHON=$(CURDIR)/$(BIN)/python scripts/dist.sh

# Builds the site in build/site, with every example run; a warning or a dead link ends it.
docs: .venv/.with-docs
	$(BIN)/python -m sphinx -W --keep-going -b html -c docs . build/site

# Reads damaged files of every kind; offenders are kept in fuzz-offenders.
fuzz: .venv/.with-dev
	$(BIN)/python scripts/fuzz.py

# The tests of the page need a real browser. Where none can be installed, they are skipped with the reason.
browser:
	@command -v chromium >/dev/null || ! command -v apt-get >/dev/null || \
		(apt-get update -qq && apt-get install -y -qq chromium) >/dev/null 2>&1 || true

.venv/.with-%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --editable ".[$*]"
	@touch $@
