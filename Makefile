# The two commands of a newcomer are `make demo` and `make test`; the rest is for those who stay.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Most of what is installed is never imported: what is, gets compiled then, and stays so whatever the shell says.
INSTALL := $(PIP) install --no-compile
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo demo-cluster test lint format install install-dev lock golden bench bench-cluster profile kills kills-cluster clean

help:
	@echo "make demo | demo-cluster | test | lint | format | install | lock | golden | bench | bench-cluster | profile | kills | kills-cluster | clean"

demo: install
	@$(BIN)/mailer demo

# PostgreSQL from the wheel, two workers, one killed in mid-send, the account that reconciles.
demo-cluster: install-dev
	@$(BIN)/python -m benchmarks.demo_cluster

# The whole suite runs in three processes, for much of it waits for servers; what ARGS narrows runs in one.
WORKERS := 3
test: install-dev
	@$(BIN)/python -m pytest $(or $(ARGS),--numprocesses=$(WORKERS) --dist=worksteal)

lint: install-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

format: install-dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

install: $(VENV)/.installed

install-dev: $(VENV)/.installed-dev

$(VENV)/.installed: requirements.txt pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the locked dependencies into $(VENV) …"
	@$(INSTALL) --require-hashes --requirement requirements.txt
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q mailer && $(BIN)/python -c "import mailer.editions.compose, mailer.app, rich.table"
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.txt
	@echo "Installing the locked test dependencies into $(VENV) …"
	@$(INSTALL) --use-pep517 --require-hashes --requirement requirements-dev.txt
	@touch $@

# Needs uv (https://docs.astral.sh/uv/); the lock holds hashes and no index address.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate
lock:
	$(LOCK) pyproject.toml build-requirements.in --output-file requirements.txt
	$(LOCK) pyproject.toml build-requirements.in --extra dev --constraint requirements.txt --output-file requirements-dev.txt

golden: install-dev
	@$(BIN)/python -m pytest --update-golden $(ARGS)

# What each figure means and what bounds it: benchmarks/README.md.
bench: install-dev
	@$(BIN)/python -m benchmarks.sending $(ARGS)
	@$(BIN)/python -m benchmarks.freezing

profile: install-dev
	@$(BIN)/python -m benchmarks.profiling $(ARGS)

kills: install-dev
	@$(BIN)/python -m benchmarks.kills --kills 200 $(ARGS)

kills-cluster: install-dev
	@$(BIN)/python -m benchmarks.cluster_kills --kills 100 --people 10000 $(ARGS)

# What several machines send, measured and worked out: docs/scale.md.
bench-cluster: install-dev
	@$(BIN)/python -m benchmarks.cluster --people 8000 $(ARGS)
	@$(BIN)/python -m benchmarks.cluster --bits 4096 --rounds 1
	@$(BIN)/python -m benchmarks.scale

clean:
	rm -rf $(VENV) var out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
