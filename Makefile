# Needs Python >= 3.11, make and pip. `make test` checks everything; `make demo` shows what BrainSift does.
PYTHON ?= python3
DEV := .venv
BASE := .venv-demo
PARALLEL ?= 2

# One thread per library and test worker: two workers on two cores must not fight over them.
export OMP_NUM_THREADS := 1

.PHONY: test demo lint types rules page tests services clean
.DEFAULT_GOAL := test

test: lint types rules page services tests

lint: $(DEV)/installed
	$(DEV)/bin/ruff check .
	$(DEV)/bin/ruff format --check .

types: $(DEV)/installed
	$(DEV)/bin/mypy

rules: $(DEV)/installed
	$(DEV)/bin/lint-imports

page: $(DEV)/installed
	$(DEV)/bin/python hatch_build.py
	$(DEV)/bin/python hatch_build.py test

services:
	@sh tests/services.sh

tests: $(DEV)/installed
	$(DEV)/bin/pytest -n $(PARALLEL) --dist loadgroup

demo: $(BASE)/installed
	$(BASE)/bin/brainsift demo demo

$(DEV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(DEV)
	$(DEV)/bin/python -m pip install --quiet -c constraints.txt -e '.[all,dev]'
	@touch $@

$(BASE)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(BASE)
	$(BASE)/bin/python -m pip install --quiet -c constraints.txt -e .
	@touch $@

clean:
	rm -rf $(DEV) $(BASE) demo dist build
