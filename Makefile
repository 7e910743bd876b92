# The two commands that do everything: `make demo` and `make test`. They need Python >= 3.11 and a package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SYSTEM := browser or systemd or prometheus
APART := $(SYSTEM) or faults

.PHONY: demo test system lint bench fuzz faults soak docs clean lock

demo: $(READY)
	@$(BIN)/alertd demo

# What needs nothing but Python. With PYTEST_ARGS only some tests may run: then coverage is shown, and not demanded.
test: lint
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "not ($(APART))" --cov --cov-report= $(PYTEST_ARGS)
	@$(BIN)/coverage report $(if $(PYTEST_ARGS),,--fail-under=90)
	@echo "NOT RUN HERE: tests with a browser, a real systemd and Prometheus (make system), and the fault suite (make faults)"

# The dashboard in Chromium, the unit in a booted systemd, rules and metrics before Prometheus. Where one of these is
# absent its tests are deselected, and the summary names them.
system: $(READY)
	@$(BIN)/python -m pytest -n auto --dist loadfile -m "$(SYSTEM)" --no-cov

lint: $(READY)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Measures, and writes the figures of README and docs anew; a quarter of an hour, on a machine that does nothing else.
# ONLY="checks scale" measures some and keeps what is known of the others, FULL=1 takes more of everything, and an hour.
bench: $(READY)
	@$(BIN)/python -m benchmarks $(if $(FULL),--full) $(ONLY)

# Requests made up from the OpenAPI document, many and never the same, and other examples for every law; `make test`
# makes few, always alike.
fuzz: $(READY)
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-500} $(BIN)/python -m pytest tests/admin/test_schemathesis.py
	@HYPOTHESIS_PROFILE=wild $(BIN)/python -m pytest -m hypothesis --no-cov -q --ignore tests/admin/test_schemathesis.py

# Everything that can break does, while 50 tenants are told the truth: a few minutes, always alike.
faults: $(READY)
	@$(BIN)/python -m pytest tests/faults tests/ops tests/e2e -m faults -q --no-cov -n 0

# The same with new seeds, which it prints, until so many processes were killed.
soak: $(READY)
	@$(BIN)/python -m tests.faults --kills $${KILLS:-200}

# What is made from the table of routes; a test says when it is time.
docs: $(READY)
	@$(BIN)/python -m alertd.admin docs

# Where python3-venv is missing, `virtualenv` does as well; where both are, one line says so.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "alertd needs Python >= 3.11; say 'make PYTHON=python3.12 $(MAKECMDGOALS)'" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); $(PYTHON) -m virtualenv -q $(VENV) 2>/dev/null; } \
	  || { rm -rf $(VENV); echo "No virtual environment can be made: install python3-venv (or virtualenv) and try again" >&2; exit 1; }
	@echo "Installing what is locked (once, about a minute) ..." >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

# The lock: hashes, and no addresses.
lock:
	uv pip compile --universal --generate-hashes --no-annotate --no-header --extra dev --python-version 3.11 \
	  pyproject.toml -o requirements.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
