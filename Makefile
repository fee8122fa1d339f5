# Every command of the project. `make` alone lists them.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
ARGS ?=

INSTALLED := $(VENV)/installed
BUILT := build/native
NATIVE := $(wildcard media/native/*.pyx media/native/*.pxd media/native/*.pxi media/native/*.h)
NATIVE_MODULES := $(subst /,.,$(basename $(wildcard media/native/*.pyx)))
# Side by side, what takes longest first: each by itself has no use for the other cores.
CHECKS := check-types check-style check-scripts check-layers check-stubs check-tidiness
CODE := media signaling recorder webapi control_api lms benchmarks tests halqa

.DEFAULT_GOAL := help
.PHONY: help setup up test check format bench fuzz pins clean $(CHECKS)
.DELETE_ON_ERROR:

help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

setup: $(INSTALLED) $(BUILT)  ## install what is missing and build the native modules; nothing to do, nothing done

up: setup  ## start a server on this computer and print links for a teacher and a student
	@exec $(RUN)/halqa up $(ARGS)

test: setup  ## run the whole test suite
	@scripts/system-packages $(PYTHON) test
	@$(RUN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder $(ARGS)

check: setup  ## lint, types, layers, native stubs, tidiness
	@scripts/system-packages $(PYTHON) check
	@mkdir -p build
	@$(MAKE) --no-print-directory --jobs 2 --keep-going --output-sync=target $(CHECKS)

check-types:
	@echo "check: types"
	@$(RUN)/mypy --no-error-summary $(addprefix -p ,$(CODE))

check-style:
	@echo "check: ruff"
	@$(RUN)/ruff check --quiet .
	@$(RUN)/ruff format --check --quiet . || { echo "check: run 'make format'"; exit 1; }

check-scripts:
	@echo "check: scripts"
	@scripts/check-scripts

check-layers:
	@echo "check: layers"
	@$(RUN)/lint-imports --no-logo > build/layers || { cat build/layers; exit 1; }

check-stubs:
	@echo "check: native stubs"
	@$(RUN)/stubtest --concise --allowlist scripts/stubtest-allowlist --ignore-unused-allowlist $(NATIVE_MODULES)

check-tidiness:
	@echo "check: tidiness"
	@$(RUN)/python -m pytest --quiet --no-header tests/test_tidy.py

format: setup  ## put all Python into the one format
	@$(RUN)/ruff check --quiet --fix --exit-zero --select I,UP034,F401 .
	@$(RUN)/ruff format --quiet .

bench: setup  ## measure the fan-out; ARGS="NAME ..." for another benchmark
	@$(RUN)/python -m benchmarks $(or $(ARGS),fanout)

fuzz: setup  ## build with AddressSanitizer and fuzz the native parsers
	@scripts/system-packages $(PYTHON) fuzz
	@scripts/fuzz $(ARGS)

pins: setup  ## write the versions that are installed into constraints.txt
	@scripts/pins $(RUN)/python > build/pins && mv build/pins constraints.txt

clean:  ## remove what was built and what tools left; the environment and halqa-data stay
	@rm -rf build ./*.egg-info .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .work
	@find media -name '*.so' -delete
	@rm -f $(patsubst %.pyx,%.c,$(wildcard media/native/*.pyx))
	@find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

# The environment: made once, filled again when a pin or a wish changed. It builds the native modules too.
$(INSTALLED): pyproject.toml constraints.txt scripts/install scripts/system-packages
	@scripts/system-packages $(PYTHON) build
	@scripts/install $(PYTHON) $(VENV)
	@mkdir -p $(dir $(BUILT)) && touch $(BUILT) $@

$(BUILT): $(NATIVE) scripts/build-native | $(INSTALLED)
	@scripts/build-native $(RUN)/python
	@mkdir -p $(dir $@) && touch $@
