# Sluice: everything a developer or user needs, one word each. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help

MODULES  := . kubemark benchmarks
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS  := -X main.version=$(VERSION)
BIN      := $(CURDIR)/bin
ARGS     ?=

.PHONY: build
build: ## compile sluice and the local-cluster tool into bin/
	CGO_ENABLED=0 go build -ldflags '$(LDFLAGS)' -o $(BIN)/ ./cmd/...
	cd kubemark && CGO_ENABLED=0 go build -o $(BIN)/ ./cmd/...

.PHONY: components
components: build ## build etcd and Kubernetes 1.37.2 once (some eight minutes on two cores)
	$(BIN)/sluice-cluster build

.PHONY: test
test: build components ## all tests of every module, the real local cluster included
	@set -e; for m in $(MODULES); do echo "== go test $$m"; (cd $$m && go test -timeout 30m ./...); done

.PHONY: lint
lint: ## go vet, staticcheck, gofumpt and the layering of the packages
	@mkdir -p $(BIN)/tools
	@go build -o $(BIN)/tools/ honnef.co/go/tools/cmd/staticcheck mvdan.cc/gofumpt
	@set -e; for m in $(MODULES); do echo "== lint $$m"; \
	  (cd $$m && go vet ./... && $(BIN)/tools/staticcheck ./...); done
	@out=$$($(BIN)/tools/gofumpt -l $$(git ls-files '*.go')); \
	  if [ -n "$$out" ]; then echo "not formatted (run gofumpt -w):"; echo "$$out"; exit 1; fi
	@bad=$$(go list -deps ./pkg/core/... ./pkg/app/... | grep -E '^k8s.io/(client-go|kubernetes)' || true); \
	  if [ -n "$$bad" ]; then echo "pkg/core and pkg/app must not depend on:"; echo "$$bad"; exit 1; fi
	@echo "lint: clean"

TRACES ?= $(abspath $(wildcard ../shared/traces))

.PHONY: bench-trace
bench-trace: ## how well pods with GPUs are placed, against kube-scheduler's scoring, on a real cluster's trace in TRACES= (generated without)
	cd benchmarks && go build -o $(BIN)/bench-trace ./cmd/bench-trace && TRACES="$(TRACES)" $(BIN)/bench-trace -results results $(ARGS)

.PHONY: fuzz
fuzz: ## fuzz core.Step for FUZZTIME (default 60s)
	go test ./pkg/core -run '^$$' -fuzz FuzzStep -fuzzminimizetime 2s -fuzztime $${FUZZTIME:-60s}

.PHONY: bench
bench: ## the core alone: decisions per second, growth with size and fill (ARGS="-rounds 1 -case pack" for less)
	cd benchmarks && go run ./cmd/bench-core -out results/core.json $(ARGS)

PAIRS ?= 1000000
SEED  ?= 1

.PHONY: oracle
oracle: ## Sluice's placement rules against kube-scheduler's own plugins on random clusters: PAIRS= of pod and node, SEED= of the worlds
	cd benchmarks && CGO_ENABLED=0 go build -o $(BIN)/oracle ./cmd/oracle && $(BIN)/oracle -pairs $(PAIRS) -seed $(SEED) $(ARGS)

.PHONY: mutations
mutations: ## the oracle must find each of the faults in benchmarks/oracle/mutations, seeded into a copy of the tree
	cd benchmarks && go run ./cmd/mutations $(ARGS)

.PHONY: bench-e2e
bench-e2e: build components ## end to end against kube-scheduler and the ceiling; hours (ARGS="--case quiet --rounds 1" for less)
	cd benchmarks && go build -o $(BIN)/bench-e2e ./cmd/bench-e2e && $(BIN)/bench-e2e --results results $(ARGS)

.PHONY: bench-flink
bench-flink: build components ## pods that must start together, Flink's first, beside kube-scheduler; twenty minutes (ARGS="--case 'contend-*' --jobs 2,10" for less)
	cd benchmarks && go build -o $(BIN)/bench-flink ./cmd/bench-flink && $(BIN)/bench-flink --results results $(ARGS)

.PHONY: demo
demo: build ## a real control plane, a hundred nodes, Sluice and a Flink job (ARGS=--once ends by itself)
	@$(BIN)/sluice-cluster demo --sluice $(BIN)/sluice $(ARGS)

.PHONY: cluster
cluster: build ## the local cluster alone, until Ctrl-C (ARGS=--help lists its flags)
	@$(BIN)/sluice-cluster up $(ARGS)

.PHONY: clean
clean: ## stop leftovers of local clusters and remove what was built here (the cached components stay)
	@if [ -x $(BIN)/sluice-cluster ]; then $(BIN)/sluice-cluster clean; fi
	rm -rf $(BIN)

.PHONY: help
help: ## this list
	@echo "Sluice: a batch scheduler for Kubernetes. Targets:"; echo
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | awk -F'\t' '{printf "  make %-12s %s\n", $$1, $$2}'
