# Needs only Python >= 3.11 and make. `.venv` is made on the first run and kept current by two stamps.
PYTHON ?= python3
BIN := .venv/bin
PROJECTS := kernel $(wildcard plugins/*)
# Material prints a notice about MkDocs 2 unless told otherwise.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict
EDITABLE := $(foreach project,$(PROJECTS),-e ./$(project))
# Where it is set, each start of galvo compiles all of its modules anew: three times the CPU of a start.
export PYTHONDONTWRITEBYTECODE :=
MANIFESTS := constraints.txt $(foreach project,$(PROJECTS),$(project)/pyproject.toml)

.PHONY: demo test check docs bench asyncpg sqlalchemy clean
demo: .venv/.run
	@$(BIN)/galvo run demo $(ARGS)

test: .venv/.dev
	@$(BIN)/pytest -q --numprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS) || { [ $$? -eq 1 ] && \
	    echo "Once more, one by one, in case that four at a time were too many for this machine:" && \
	    $(BIN)/pytest -v --last-failed --last-failed-no-failures none $(ARGS); }

check: .venv/.dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/galvo check
	@built=$$(mktemp -d) && trap 'rm -rf "$$built"' EXIT && $(MKDOCS) --quiet --site-dir "$$built"

# To read it with its search: `.venv/bin/python -m http.server --directory site --bind 127.0.0.1`
docs: .venv/.dev
	@$(MKDOCS)

# All groups, or some: `make bench ARGS="cache pool"`. BENCHMARKS.md: `make bench ARGS="--claims --markdown BENCHMARKS.md"`.
bench: .venv/.dev
	@$(BIN)/galvo bench $(ARGS)

# asyncpg's own test suite on the pool; downloads it from PyPI. `make asyncpg ARGS="--variant none -k test_pool"`.
asyncpg: .venv/.dev
	@$(BIN)/python -m tests.asyncpg_suite $(ARGS)

# SQLAlchemy's suite for dialects on galvo's, beside asyncpg's. `make sqlalchemy ARGS="-k JSONTest"`.
sqlalchemy: .venv/.dev
	@$(BIN)/python -m tests.sqlalchemy_suite $(ARGS)

.venv/.run: $(MANIFESTS) .ci/install
	@PYTHON="$(PYTHON)" .ci/install $(EDITABLE)
	@touch $@

# One installation of all. pyvips has no wheel of its own: it is pure Python, built with setuptools, pkgconfig and cffi.
.venv/.dev: $(MANIFESTS) .ci/install tests/requirements.txt
	@PYTHON="$(PYTHON)" BUILDING="setuptools pkgconfig cffi" .ci/install $(EDITABLE) -r tests/requirements.txt
	@touch .venv/.run $@

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis site
