# The commands of the house. `make` alone lists them.

PYTHON ?= $(shell command -v python3.11 || command -v python3 || echo python3.11)
VENV := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test campaign bench shots format messages lock environment environment-for-tests

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

run: environment ## Run the whole shop on this machine: http://127.0.0.1:8000
	@exec $(VENV) -m tools.start

test: environment-for-tests ## Everything CI runs: style, types, rooms, translations, tests on both databases, browser (ONLY="lint types")
	@exec $(VENV) -m tools.checks test $(ONLY)

campaign: environment-for-tests ## The long ones: whole replays, many seeds (CAMPAIGN_ARGS=…)
	@exec $(VENV) -m tools.checks campaign $(CAMPAIGN_ARGS)

bench: environment-for-tests ## Measure; the figures belong in docs/benchmarks.md (ONLY="speed Oscar", BENCH_SIZES=S,L)
	@exec $(VENV) -m tools.checks bench $(ONLY)

shots: environment-for-tests ## Walk the shop in a browser and write docs/pictures anew
	@exec $(VENV) -m tools.checks shots

format: environment-for-tests ## Format the code and mend what ruff can mend
	@$(VENV) -m ruff format . && $(VENV) -m ruff check --fix .

messages: environment-for-tests ## Bring the catalogues of translations up to date and compile them
	@$(VENV) -m tools.messages

lock: environment-for-tests ## Compile both locks anew from the .in files
	@$(VENV) -m uv pip compile --quiet --generate-hashes --no-config --no-emit-find-links --python-version 3.11 requirements.in -o requirements.txt
	@$(VENV) -m uv pip compile --quiet --generate-hashes --no-config --no-emit-find-links --python-version 3.11 requirements-dev.in -c requirements.txt -o requirements-dev.txt

environment:
	@command -v $(PYTHON) >/dev/null || { echo "Tadamon needs Python 3.11 (on Debian: apt-get install python3.11 python3.11-venv)."; exit 1; }
	@$(PYTHON) tools/environment.py run

environment-for-tests: environment
	@$(PYTHON) tools/environment.py test
