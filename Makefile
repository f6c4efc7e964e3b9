# `make demo` and `make test` do all the set-up on a fresh machine with Python 3.11; `make help` lists the rest.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Spinning threads cost up to 35 times on a busy host; the services set the same for themselves.
export OMP_WAIT_POLICY := PASSIVE
export GOMP_SPINCOUNT := 0
export PATH := $(abspath $(BIN)):$(PATH)

.DEFAULT_GOAL := help

.PHONY: help
help:  ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

$(READY): pyproject.toml protos/pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt -e ./protos -e ".[dev]"
	@touch $@

.PHONY: setup
setup: $(READY)  ## Make the virtual environment and install everything

.PHONY: demo
demo: $(READY)  ## Make portraits of a sample identity with a trained adapter; leaves out/demo/
	likeness demo --train --out out/demo

.PHONY: demo-fast
demo-fast: $(READY)  ## The same without training
	likeness demo --train-free --out out/demo-fast

.PHONY: test
test: $(READY)  ## Run the tests (under 6 minutes on 2 cores)
	python -m pytest -q -n 2 --dist worksteal -m "not slow and not gpu and not triton"

.PHONY: test-slow
test-slow: $(READY)  ## Run the tests that take longer: the main job on the starter pack, kill and resume in every stage
	python -m pytest -q -m slow --timeout 1200

.PHONY: format
format: $(READY)  ## Format the code
	ruff check --fix .
	ruff format .

.PHONY: lint
lint: $(READY)  ## Check style
	ruff check .
	ruff format --check .

.PHONY: type
type: $(READY)  ## Check types
	mypy shared services cli starter loadtests

.PHONY: protos
protos: $(READY)  ## Generate the stubs
	python protos/tools/generate.py

.PHONY: protos-check
protos-check: $(READY)  ## Check that the stubs are up to date, lint the protos, look for breaking changes
	python protos/tools/generate.py --check

.PHONY: check
check: lint type protos-check test  ## Everything that CI checks, but for the demo

.PHONY: serve
serve: $(READY)  ## Serve all services on port 50051, metrics on 9464
	likeness serve --metrics-port 9464

.PHONY: load
load: $(READY)  ## Load-test the real stubs; leaves out/reports/load.html and load.json
	python -m pip install --quiet --constraint constraints.txt -e ".[load]"
	python -m loadtests.run

.PHONY: triton-setup
triton-setup: $(READY)  ## Install a Triton server for CPU into .triton (144 MB) and its client; tests: pytest -m triton
	deploy/triton/setup.sh

.PHONY: triton-serve
triton-serve: $(READY)  ## Export the starter model and serve its UNet with Triton on port 18001
	likeness export --model starter/weights --target triton --out out/triton
	deploy/triton/run.sh out/triton

.PHONY: bench-overhead
bench-overhead: $(READY)  ## Measure what the orchestrator adds to its stages
	python -m loadtests.overhead

.PHONY: bench-engine
bench-engine: $(READY)  ## Measure the diffusion engine against diffusers (15 minutes on an idle machine)
	python -m pip install --quiet --constraint constraints.txt -e ".[bench]"
	python -m loadtests.engine

.PHONY: bench-scheduler
bench-scheduler: $(READY)  ## Measure the row batcher over a published GPU curve, in virtual time
	python -m pip install --quiet --constraint constraints.txt -e ".[bench]"
	python -m loadtests.scheduler

.PHONY: eval-identity
eval-identity: $(READY)  ## Similarity of the sample identities' portraits to their own and to the others' references
	python -m loadtests.identity

.PHONY: eval-starter
eval-starter: $(READY)  ## How good the starter pack is, with intervals and pictures; leaves out/reports/eval-starter.html
	python -m pip install --quiet --constraint constraints.txt -e ".[eval]"
	python -m loadtests.starter

.PHONY: gate-starter
gate-starter: $(READY)  ## The same on a small fixed subset, against committed floors: fails where portraits got worse
	python -m loadtests.starter --gate

.PHONY: bench-torch
bench-torch: $(READY)  ## How long a portrait of the starter pack takes in plain torch, eager and compiled; leaves out/reports/bench-torch.json
	python -m loadtests.torch_speed

.PHONY: eval-few-step
eval-few-step: $(READY)  ## Whether the few-step adapter pays, with pictures; leaves out/reports/eval-few-step.html
	python -m pip install --quiet --constraint constraints.txt -e ".[eval]"
	python -m loadtests.adapters few-step

.PHONY: eval-common-face
eval-common-face: $(READY)  ## Whether trainings of one photo profit from the common face; leaves out/reports/eval-common-face.html
	python -m pip install --quiet --constraint constraints.txt -e ".[eval]"
	python -m loadtests.adapters common-face

.PHONY: eval-acting
eval-acting: $(READY)  ## Where a person's adapter should act, with pictures; leaves out/reports/eval-acting.html
	python -m pip install --quiet --constraint constraints.txt -e ".[eval]"
	python -m loadtests.adapters acting

.PHONY: eval-fusion
eval-fusion: $(READY)  ## What fusion, restoration and ranking do to a likeness, with pictures; leaves out/reports/eval-fusion.html
	python -m loadtests.fusion

.PHONY: bench-fusion
bench-fusion: $(READY)  ## Time what is done to a portrait after generation, stage by stage
	python -m loadtests.fusion.bench

.PHONY: clean
clean:  ## Remove the virtual environment and everything generated
	rm -rf $(VENV) out .pytest_cache .mypy_cache .ruff_cache
