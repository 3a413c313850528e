# Two commands on a fresh machine with Python 3.11 and make:  make demo  and  make test
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check docs bench reliability debian clean

demo: .venv/run.done
	$(BIN)/lucency demo --out demo

test: .venv/test.done debian
	$(BIN)/pytest -n auto --dist loadfile --cov --cov-report=term:skip-covered

check: .venv/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Counts every promise of docs/reliability.md anew and writes the counts there.
reliability: .venv/test.done debian
	$(BIN)/pytest tests/reliability --reliability docs/reliability.md

docs: .venv/docs.done
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: .venv/bench.done
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv build dist site demo .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis

# The tests talk to a real PACS and to DICOM's own checkers where they are installed, and skip where they cannot be.
debian:
	@command -v Orthanc >/dev/null && command -v dciodvfy >/dev/null && command -v storescu >/dev/null || \
	{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends orthanc orthanc-dicomweb dcmtk dicom3tools >/dev/null; } || \
	echo "Tests of the PACS will skip: install orthanc, orthanc-dicomweb, dcmtk and dicom3tools."

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
