# Two commands on a fresh machine with Python 3.11 and make:  make demo  and  make test
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check docs bench clean

demo: .venv/run.done
	$(BIN)/lucency demo --out demo

test: .venv/test.done
	$(BIN)/pytest --cov --cov-report=term:skip-covered

check: .venv/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: .venv/docs.done
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: .venv/bench.done
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist site demo .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis

# uv resolves and unpacks several times faster than pip; each environment adds one extra to the one before it.
.venv/bin/uv:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

.venv/run.done: .venv/bin/uv pyproject.toml constraints.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable .
	touch $@

.venv/test.done: .venv/run.done
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[test]'
	touch $@

.venv/docs.done: .venv/run.done
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[docs]'
	touch $@

.venv/bench.done: .venv/test.done
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[test,bench]'
	touch $@
