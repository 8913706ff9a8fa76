# Everything runs in .venv, made from nothing when missing; only Python and make are needed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export KERAS_BACKEND ?= jax

.PHONY: help demo test lint check test-all corpus clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/'

demo: $(VENV)/.installed ## train, score and explain on MNIST; writes report.html
	$(BIN)/truecopy demo

test: $(VENV)/.dev ## the tests and the examples in docstrings, under 5 minutes
	$(BIN)/pytest -n 2

lint: $(VENV)/.dev ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint test ## all that must hold before a change is proposed

test-all: $(VENV)/.dev ## the slow tests, and the TensorFlow and PyTorch backends
	$(BIN)/pytest -n 2 -m slow
	sh tests/backends.sh $(PYTHON)

corpus: $(VENV)/.dev ## audit every program of tests/programs, about an hour
	$(BIN)/python benchmarks/audit_quality.py tests/programs --jobs 2

$(VENV)/.installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e .
	touch $@

$(VENV)/.dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $@

clean: ## remove .venv and caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist *.egg-info
