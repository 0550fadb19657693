# Needs Python 3.11 or later, git and make; everything else it brings itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check unit wire lock bench schema clean stand-ins

demo: $(VENV)/.run ## install, then run a real command as a job
	$(BIN)/dayfly run -- sh -c 'echo "hello from a job"; echo "this went to stderr" >&2; exit 0'

test: $(VENV)/.dev stand-ins ## install what the tests need, then run every check and every test
	tools/docker-engine.sh
	$(MAKE) --no-print-directory check
	$(MAKE) --no-print-directory unit

check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	tools/wire.sh --check

# The engine and the stand-ins are one for all: a file of tests is one worker's. Those that wait
# for them and those that compute go together, because neither alone fills two cores.
unit: $(VENV)/.dev stand-ins
	$(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder $(PYTEST_ARGS)

wire: $(VENV)/.dev ## generate src/dayfly/contract/wire from proto/
	tools/wire.sh

lock: $(VENV)/.dev ## pin all dependencies anew
	tools/lock.sh

# Each stand-in for a cloud has an environment of its own: they pin what dayfly uses too.
stand-ins: $(VENV)/ministack/.done $(VENV)/moto/.done

$(VENV)/%/.done: requirements/%.lock $(VENV)/.run
	test -d $(VENV)/$* || $(PYTHON) -m venv $(VENV)/$*
	$(VENV)/$*/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

bench: $(VENV)/.dev ## measure, side by side with yardsticks
	tools/docker-engine.sh
	$(BIN)/python -m compileall -q src
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) dist build

# Compiled ahead, because an environment may forbid Python to write bytecode as it runs.
$(VENV)/.run: requirements/run.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and \
	  "dayfly needs Python 3.11 or later; name one: make PYTHON=python3.12 ...")'
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/run.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	touch $@

$(VENV)/.dev: requirements/dev.lock $(VENV)/.run
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	touch $@
