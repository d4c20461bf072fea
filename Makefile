# Every target makes .venv and installs what it needs, from the hash-locked lists in requirements/.
# Another interpreter: make test PYTHON=python3.13 (after make clean, if .venv exists already).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
MADE := $(VENV)/.made
RUN_INSTALLED := $(VENV)/.run-installed
DEV_INSTALLED := $(VENV)/.dev-installed
# What the editable install depends on: it copies the first two into the environment's metadata, and compiles the rest.
METADATA := pyproject.toml src/pulse_core/version.py hatch_build.py $(wildcard src/pulse_core/kernel/*.[ch])
# Where a machine has no C compiler, this one is put here for the build of the kernel and taken away again.
COMPILER := $(CURDIR)/build/compiler
define install_pulse
@if command -v $(firstword $(CC)) >/dev/null; then \
	PIP_REQUIRE_HASHES=0 $(PIP) install --quiet --no-deps --no-build-isolation --editable .; \
else \
	echo "No C compiler here: the kernel is compiled with that of the package ziglang (100 MB to fetch) ..."; \
	trap 'rm -rf "$(COMPILER)"' EXIT; \
	$(PIP) install --quiet --require-hashes --only-binary :all: --target "$(COMPILER)" \
		--requirement requirements/compiler.txt && \
	PYTHONPATH="$(COMPILER)" PIP_REQUIRE_HASHES=0 \
		$(PIP) install --quiet --no-deps --no-build-isolation --editable .; \
fi
endef

# A caller's settings that would send packages elsewhere than into .venv.
unexport PIP_PREFIX PIP_ROOT PIP_TARGET PIP_USER PYTHONHOME

# run, test and lint share one environment.
.NOTPARALLEL:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help run test test-browser test-kernel lint docs chaos bench lock image-check clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(RUN_INSTALLED) ## replay nine years of the sample data: the S&P 500 and the oil price
	$(BIN)/pulse train --data sample --variables spx_close wti_price --start-date 2010-01-01 --end-date 2018-12-31 \
		--benchmark drift --report

test: $(DEV_INSTALLED) ## run all tests but those in a browser and those that need cc
	$(BIN)/python -m pytest

test-browser: $(DEV_INSTALLED) ## run the tests of the report in the Chromium that is there
	$(BIN)/python -m pytest tests/browser

test-kernel: $(DEV_INSTALLED) ## run the kernel's tests under sanitizers and with faults put into it (needs cc)
	$(BIN)/python -m pytest tests/kernel

lint: $(DEV_INSTALLED) ## check style, format, types and the direction of imports
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(DEV_INSTALLED) ## build the documentation into build/docs, warnings as errors
	$(BIN)/python -m sphinx --builder html --fail-on-warning --keep-going --fresh-env --quiet \
		--doctree-dir build/doctrees docs build/docs

image-check: $(DEV_INSTALLED) ## build the container image without Docker and run it (root, buildah, debootstrap)
	$(BIN)/hadolint Dockerfile
	$(BIN)/python -m tools.image_check

chaos: $(DEV_INSTALLED) ## kill and disturb 600 runs and writers, and race 200 pairs of runs (an hour; parts need root)
	$(BIN)/python -m tests.chaos

bench: $(DEV_INSTALLED) ## run the measurements in benchmarks/, one after the other
	@set -e; for script in $(sort $(wildcard benchmarks/[a-z]*.py benchmarks/[0-9]*.py)); do \
		echo "== $$script"; $(BIN)/python "$$script"; \
	done

# Without --upgrade uv keeps every version in the present lists that still fits; `make lock UPGRADE=--upgrade`
# looks for newer ones. The shorter lists are cut to the longest one's versions: two of them have to fit into one
# .venv, and the image holds what was tested.
UPGRADE ?=
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --custom-compile-command 'make lock' $(UPGRADE)
lock: $(MADE) ## write requirements/*.txt anew from pyproject.toml
	$(PIP) install --quiet 'uv>=0.13,<0.14'
	$(COMPILE) pyproject.toml --all-extras --group dev --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra report --group build --constraints requirements/dev.txt --output-file requirements/run.txt
	$(COMPILE) pyproject.toml --extra aws --extra dask --extra report --constraints requirements/dev.txt \
		--output-file requirements/image.txt
	$(COMPILE) --group pyproject.toml:compiler --output-file requirements/compiler.txt

clean: ## remove .venv, caches and what was built; results and logs stay
	-umount build/image/storage/overlay 2>/dev/null
	rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	rm -f src/pulse_core/kernel/*.so
	find src tests tools benchmarks -type d -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Pulse needs Python 3.11 or newer, and $(PYTHON) is `$(PYTHON) --version 2>&1`." >&2; \
		echo "Name a newer one: make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(RUN_INSTALLED): $(MADE) requirements/run.txt $(METADATA)
	@echo "Installing what pulse needs into $(VENV) ..."
	@$(PIP) install --quiet --require-hashes --only-binary :all: --requirement requirements/run.txt
	$(install_pulse)
	@touch $@

$(DEV_INSTALLED): $(MADE) requirements/dev.txt $(METADATA)
	@echo "Installing pulse and its development tools into $(VENV) (one to two minutes the first time) ..."
	@$(PIP) install --quiet --require-hashes --only-binary :all: --requirement requirements/dev.txt
	$(install_pulse)
	@touch $@
