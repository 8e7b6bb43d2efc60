# One command each, on a fresh machine too: every target sets up what it needs first. `make` lists them.

BIN := .venv/bin
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
FRONTEND := orchestration_kit/widgets/frontend
# What `make test` runs; the package for the examples in its docstrings. make test TESTS=tests/engine
TESTS := tests orchestration_kit $(NOTEBOOKS)
# The notebook that `make demo` leaves behind; `make lab` opens it if it is there.
RUN := $(wildcard demo_site/run.ipynb)
# Further arguments for the command behind a target: make demo ARGS="--seed 7", make test ARGS="-k retry".
ARGS :=
# make PYTHON=/usr/bin/python3.12 picks the interpreter of a new .venv.
export PYTHON
# Tests start hundreds of processes that import the same modules: compiled once, wherever this is set.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help demo test lab dashboard bench check docs docs-test soak coverage lock frontend dist release-check third-parties lite clean \
  setup-demo setup-dev setup-lab setup-bench setup-docs setup-release
# Targets share one environment. With `make -j` they still take turns; pytest is parallel by itself.
.NOTPARALLEL:

help: ## Print what there is.
	@echo "Targets (each sets up what it needs):"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 24

demo: setup-demo ## Build a real website through a workflow.
	$(BIN)/orchestration-kit demo $(ARGS)

test: setup-dev ## Run the tests, and every notebook.
	@scripts/system-packages dot chromium
ifeq ($(NOTEBOOKS),)
	@echo "notebooks/ holds no notebook: none is tested." >&2; test "$(CI)" != true
endif
	ORCHESTRATION_KIT_CASSETTE=replay TQDM_DISABLE=1 $(BIN)/python -m pytest -n 2 --dist loadfile \
	  --hypothesis-profile=short --nbval --nbval-sanitize-with tests/nbval_sanitize.cfg $(TESTS) $(ARGS)

lab: setup-lab ## Open the tutorials in JupyterLab, and the demo's run if there is one.
	@$(BIN)/jupyter trust $(NOTEBOOKS) $(RUN) >/dev/null # or JupyterLab hides their pictures until they are run
	@$(BIN)/jupyter labextension disable --level=sys_prefix @jupyterlab/apputils-extension:announcements 2>/dev/null # which ask over the tutorials
	$(BIN)/jupyter lab --ServerApp.root_dir=. --LabApp.default_url=/lab/tree/notebooks \
	  $(if $(filter 0,$(shell id -u)),--allow-root) $(RUN) $(ARGS)

dashboard: setup-lab ## Serve a page with the runs of a journal, live: make dashboard JOURNAL=runs.db
	$(BIN)/orchestration-kit dashboard $(if $(JOURNAL),--journal "$(JOURNAL)") $(ARGS)

bench: setup-bench ## Compare our speed with a bare loop and with other libraries.
	.venv-bench/bin/python -m benchmarks $(ARGS)

check: setup-dev $(FRONTEND)/node_modules ## Lint, formatting, types, layers, bundles, links and spelling.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.docs.links
	$(BIN)/python -m scripts.docs.spelling
	scripts/check-bundles
	$(BIN)/python -m scripts.release.third_parties --check

docs: setup-docs ## Build the documentation into docs/_build/html; a warning is an error.
	.venv-docs/bin/python -m sphinx --builder html --fresh-env --fail-on-warning --keep-going --nitpicky --jobs auto --quiet \
	  docs docs/_build/html $(ARGS)
	.venv-docs/bin/python -m scripts.docs.site docs/_build/html

docs-test: setup-dev ## Look at the built documentation in a browser.
	@scripts/system-packages chromium
	$(BIN)/python -m pytest -m site tests/docs/test_site.py $(ARGS)

soak: setup-dev ## Run the long tests, and every law with many examples.
	@scripts/system-packages dot chromium
	$(BIN)/python -m pytest -m soak tests $(ARGS)
	$(BIN)/python -m pytest -m "hypothesis and not soak and not site" --hypothesis-profile=long tests $(ARGS)

# Measuring slows tests down, and those that hold a time may fail: whether tests pass is for `make test` to say. Notebooks
# and browsers run in processes of their own, which are not measured.
coverage: setup-dev ## Measure which branches of the package the tests take: fails under 93 %.
	@scripts/system-packages dot
	$(BIN)/python -m coverage erase
	-ORCHESTRATION_KIT_CASSETTE=replay TQDM_DISABLE=1 $(BIN)/python -m pytest -n 2 --dist loadfile -q --cov=orchestration_kit \
	  --cov-branch --cov-report= --ignore=tests/browser tests orchestration_kit $(ARGS)
	$(BIN)/python -m coverage report --skip-covered --fail-under=93

# dev first, as it holds every extra; demo and lab then take its versions, so that one .venv fits all.
# What is pinned stays as it is while it fits: make lock ARGS=--upgrade moves everything on.
lock: ## Compile requirements/*.txt from pyproject.toml.
	@command -v uv >/dev/null || test -x $(BIN)/uv || { scripts/setup dev && $(BIN)/python -m pip install --quiet uv; }
	@set -e; PATH="$$PATH:$(CURDIR)/$(BIN)"; compile() { \
	  output=requirements/$$1.txt; shift; \
	  uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate $(ARGS) \
	    "$$@" -o "$$output"; echo "$$output" >&2; }; \
	compile dev pyproject.toml --all-extras --group test --group check; \
	compile demo pyproject.toml --extra demo --extra llm -c requirements/dev.txt; \
	compile lab pyproject.toml --extra lab --extra demo --extra plot --extra dashboard --extra llm --extra rules --extra otel --extra evals --extra reliability --extra dask -c requirements/dev.txt; \
	compile bench pyproject.toml --group bench --extra rules --extra otel --extra reliability --extra dask; \
	compile docs pyproject.toml --group docs; \
	compile release --group release # the tools alone

frontend: $(FRONTEND)/node_modules ## Bundle the widgets for the browser; what is committed is what this makes.
	cd $(FRONTEND) && node build.mjs $(ARGS)

$(FRONTEND)/node_modules: $(FRONTEND)/package-lock.json
	@scripts/system-packages --require node npm
	cd $(FRONTEND) && npm ci --silent && touch node_modules

third-parties: setup-dev $(FRONTEND)/node_modules ## List the licences of what is bundled, and the bill of materials.
	$(BIN)/python -m scripts.release.third_parties

dist: setup-release ## Build wheel and sdist into dist/, and see that they are whole and reproducible.
	.venv-release/bin/python -m scripts.release.dist

# The long form: an hour or more. make release-check ARGS="--only extras" makes a part of it.
release-check: dist ## Try what was built: alone, by extra, on every Python, with the oldest dependencies.
	.venv-release/bin/python -m scripts.release.check $(ARGS)

lite: setup-dev ## Try the core in a browser: bring Pyodide, build a site of JupyterLite, run notebooks there.
	@scripts/system-packages --require node npm
	@scripts/system-packages chromium
	$(BIN)/python -m scripts.lite.site
	$(BIN)/python -m pytest -m "soak or not soak" tests/lite $(ARGS)

clean: ## Remove the environments and every cache; what you made stays.
	rm -rf .venv .venv-bench .venv-docs .venv-release .cache .coverage .coverage.* .hypothesis .import_linter_cache \
	  .pytest_cache .ruff_cache build dist htmlcov
	rm -rf docs/_build docs/project docs/tutorials/*.ipynb docs/_static/gallery docs/_static/made
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

setup-demo setup-dev setup-lab setup-bench setup-docs setup-release: setup-%:
	@scripts/setup $*
