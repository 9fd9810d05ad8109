# Common tasks; `make help` lists them. They expect the environment of the README's test command in .venv.
# Tests run on every core; threads of Polars beside them take an eighth longer.
export POLARS_MAX_THREADS ?= 1

.PHONY: help test coverage thorough matrix lint types contracts format docs samples charts check

help:  ## list the tasks
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

test:  ## run the tests
	.venv/bin/pytest -n auto --dist worksteal

coverage:  ## run the tests with twice the examples and 1,000 mutants, and see which lines they reach
	COSTSCAN_EXAMPLES=1 COSTSCAN_MUTANTS=1000 COSTSCAN_BROWSER=$${COSTSCAN_BROWSER:-$$(command -v chromium)} .venv/bin/pytest -n auto --dist worksteal --cov --cov-report=term

thorough:  ## run all of the tests: every example, 10,000 mutants, pages in Chromium; takes hours
	COSTSCAN_THOROUGH=1 COSTSCAN_BROWSER=$${COSTSCAN_BROWSER:-$$(command -v chromium)} .venv/bin/pytest -n auto --dist worksteal

matrix:  ## run the tests with each Python that is here, with the newest and the lowest Polars
	bash ci/matrix/run.sh

lint:  ## check style
	.venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/shellcheck ci/*/*.sh && .venv/bin/oxlint analyzer/costscan/reports/html/*.js

types:  ## check types
	.venv/bin/mypy

contracts:  ## check that imports run one way
	.venv/bin/lint-imports

format:  ## reformat the code
	.venv/bin/ruff format . && .venv/bin/ruff check --fix .

docs:  ## write the generated parts of the documents
	.venv/bin/python docs/generate.py

samples:  ## write the sample logs again
	.venv/bin/python sample_logs/make.py && .venv/bin/python sample_logs/make.py --formats

charts:  ## take the chart library of the HTML report from its packages again
	bash analyzer/costscan/reports/html/vendor/refresh.sh

check:  ## everything CI runs
	bash .ci/run
