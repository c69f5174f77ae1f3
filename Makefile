# The build of the relay. `make help` lists what there is; `make check` is what
# CI runs. Tools are pinned here and installed below .bin, never system-wide.

MAKEFLAGS += --no-print-directory --warn-undefined-variables
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

# ---- what is pinned ----

GOLANGCI_VERSION := v2.15.0
PROTOC_GEN_GO_VERSION := v1.36.12
PROTOC_GEN_GO_GRPC_VERSION := v1.6.2
BUF_VERSION := 1.75.0
# The official reference server, of the official Go SDK.
REFERENCE_VERSION := v1.8.0
# The official Python SDK.
PYTHON_SDK_VERSION := 2.3.0

# ---- where things are ----

BIN := $(CURDIR)/.bin
GOLANGCI := $(BIN)/golangci-lint-$(GOLANGCI_VERSION)
GENERATORS := $(BIN)/protoc-gen-go-$(PROTOC_GEN_GO_VERSION)-grpc-$(PROTOC_GEN_GO_GRPC_VERSION)
BUF := $(BIN)/buf-$(BUF_VERSION)/node_modules/.bin/buf

# Official MCP programs from npm, pinned in internal/interop/package.json.
INTEROP := $(BIN)/interop/node_modules/.installed
PYTHON_SDK := $(BIN)/python-sdk-$(PYTHON_SDK_VERSION)

# What the example of a scanner in Python needs, pinned in its requirements.txt.
PYTHON_SCANNER := $(BIN)/python-scanner/.installed

# The official conformance suite, pinned in internal/conformance/package.json, and
# the reference server.
CONFORMANCE := $(BIN)/conformance/node_modules/.installed
REFERENCE := $(BIN)/conformance-server-$(REFERENCE_VERSION)/everything-server

# Every module of the repository, the main one first.
MODULES := $(shell find . -name go.mod -not -path './.*' -not -path '*/node_modules/*' -not -path '*/testdata/*' -exec dirname {} ';' | sort)
# What a release is built for.
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64
# Platforms whose code is vetted too; the other architecture of a system has
# the same files.
VETTED := darwin/arm64 windows/amd64

# ---- how things are built ----

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X github.com/mcp-relay/relay/internal/cli.version=$(VERSION)
# The version is passed in, so Go need not ask git, which refuses in checkouts
# that belong to somebody else.
GOFLAGS ?=
export GOFLAGS := $(filter-out -buildvcs%,$(GOFLAGS)) -buildvcs=false
# Nothing of ours is C. Only the race detector needs a C compiler, on Linux;
# RACE= turns both off.
export CGO_ENABLED := 0
RACE ?= -race
TESTFLAGS ?=

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z][a-z-]*:.*## ' $(firstword $(MAKEFILE_LIST)) | sort | awk 'BEGIN {FS = ":.*## "} {printf "  %-12s %s\n", $$1, $$2}'

.PHONY: build
build: ## Build bin/relay
	go build -trimpath -tags "$(TAGS)" -ldflags "$(LDFLAGS)" -o bin/relay ./cmd/relay
# Leaves out what gRPC can show of itself over HTTP: nobody does, and every
# process of the relay would carry it.
TAGS := grpcnotrace

.PHONY: test
test: ## Run the tests of every module under the race detector
	@for m in $(MODULES); do (cd "$$m" && CGO_ENABLED=$(if $(RACE),1,0) go test $(RACE) -timeout 25m $(TESTFLAGS) ./...) || exit 1; done

.PHONY: fuzz
fuzz: ## Fuzz every parser for FUZZTIME each (default 20s)
	@grep -rlE '^func Fuzz' --include='*_test.go' . | while read -r file; do \
		dir=$$(dirname "$$file"); \
		sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$$file" | while read -r name; do \
			echo "$$dir $$name"; \
			(cd "$$dir" && go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) .) </dev/null; \
		done; \
	done
FUZZTIME ?= 20s

.PHONY: vet
vet: ## Run go vet on every module
	@for m in $(MODULES); do (cd "$$m" && go vet ./...) || exit 1; done

UNOPTIMISED := GOFLAGS="$(GOFLAGS) '-gcflags=all=-N -l'"

# It asks whether code compiles, not how fast it is, so the compiler need not
# optimise. Of the programs only the relay is linked: the others are three lines.
.PHONY: cross
cross: ## Build for every other platform of a release, and vet what differs
	@export $(UNOPTIMISED); host=$$(go env GOOS)/$$(go env GOARCH); \
	libraries=$$(go list -f '{{if ne .Name "main"}}{{.ImportPath}}{{end}}' ./...); \
	for p in $(PLATFORMS); do \
		[[ $$p != "$$host" ]] || continue; \
		echo "build $$p"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} go build -o /dev/null ./cmd/relay || exit 1; \
		GOOS=$${p%/*} GOARCH=$${p#*/} go build $$libraries || exit 1; \
	done
	@export $(UNOPTIMISED); for p in $(VETTED); do \
		echo "vet $$p"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} go vet ./... || exit 1; \
	done

.PHONY: lint
lint: $(GOLANGCI) ## Run every linter (.golangci.yml); LINTFLAGS=--fix mends what it can
	@for m in $(MODULES); do echo "lint $$m"; (cd "$$m" && $(GOLANGCI) run --config "$(CURDIR)/.golangci.yml" $(LINTFLAGS) ./...) || exit 1; done
LINTFLAGS ?=

.PHONY: format
format: $(GOLANGCI) ## Format the code as the linters want it
	@for m in $(MODULES); do (cd "$$m" && $(GOLANGCI) fmt --config "$(CURDIR)/.golangci.yml" ./...) || exit 1; done

.PHONY: tidy
tidy: ## Check that go.mod and go.sum are tidy in every module
	@for m in $(MODULES); do \
		echo "tidy $$m"; \
		changes=$$(cd "$$m" && go mod tidy -diff) || { head -40 <<<"$$changes"; echo "run go mod tidy in $$m" >&2; exit 1; }; \
	done

.PHONY: proto
proto: $(BUF) $(GENERATORS) ## Generate the code of the scanner contract
	PATH="$(GENERATORS):$$PATH" $(BUF) generate

.PHONY: proto-check
proto-check: $(BUF) $(GENERATORS) ## Lint the contract, check compatibility and the generated code
	$(BUF) lint
	$(BUF) format --diff --exit-code
	@BUF="$(BUF)" .ci/breaking
	@out=$$(mktemp -d) && trap 'rm -rf "$$out"' EXIT && \
		PATH="$(GENERATORS):$$PATH" $(BUF) generate --output "$$out" && \
		find proto -name '*.pb.go' | while read -r f; do \
			diff -q "$$f" "$$out/$$f" >/dev/null || { echo "$$f is not what the contract generates; run make proto" >&2; exit 1; }; \
		done

.PHONY: docs-check
docs-check: build ## Run the commands that README.md shows
	@.ci/readme README.md

.PHONY: guard-bench
guard-bench: build ## Measure the time and memory of the scanner guard
	GUARD_PROGRAM="$(CURDIR)/bin/relay __scanner guard" go test ./plugins/guard -run '^$$' -bench 'Scan|Size|Start' -benchtime 30x

.PHONY: interop
interop: $(INTEROP) $(REFERENCE) $(PYTHON_SDK) ## Test with official servers and clients (needs Node, and Python for one)
	RELAY_INTEROP_NODE_MODULES="$(dir $(INTEROP))" RELAY_REFERENCE="$(REFERENCE)" \
		RELAY_INTEROP_PYTHON="$$(ls $(PYTHON_SDK)/bin/python 2>/dev/null || true)" go test -count=1 -timeout 20m ./internal/interop

.PHONY: python-scanner
python-scanner: $(PYTHON_SCANNER) ## Check the example of a scanner in Python, and have it block a call (needs Python)
	@python=$$(ls $(dir $(PYTHON_SCANNER))bin/python 2>/dev/null || true); \
		[[ -n $$python ]] || { echo "no Python environment: the scanner in Python is left out"; exit 0; }; \
		RELAY_SCANNER_PYTHON="$$python" go test -count=1 -timeout 10m -run '^TestPython$$' ./internal/thirdparty

.PHONY: conformance
conformance: $(CONFORMANCE) $(REFERENCE) ## Run the official conformance suite and refresh its tables (needs Node)
	RELAY_CONFORMANCE="$(BIN)/conformance" RELAY_REFERENCE="$(REFERENCE)" RELAY_CONFORMANCE_DOCS="$(CURDIR)/docs/conformance.md" \
		go test -count=1 -timeout 30m -v $(CONFORMANCEFLAGS) ./internal/conformance -thorough
CONFORMANCEFLAGS ?=

.PHONY: soak
soak: ## Run clients of both eras against a relay whose servers and scanners die (SOAK=5m)
	CGO_ENABLED=$(if $(RACE),1,0) go test $(RACE) -count=1 -timeout 30m -run '^TestSoak$$' -v ./internal/conformance -soak $(SOAK)
SOAK ?= 5m

.PHONY: chaos
chaos: ## Torment scanners and an emulated AIRS under load, and put a hostile server beside another (CHAOS=5m)
	CGO_ENABLED=$(if $(RACE),1,0) go test $(RACE) -count=1 -timeout 40m -run '^Test(Chaos|HostileNeighbour)$$' -v ./internal/conformance -chaos $(CHAOS)
CHAOS ?= 5m

.PHONY: demo
demo: ## Show the relay at work, with no account and no network
	go run ./cmd/relay demo

.PHONY: bench
bench: build ## Measure what the relay costs beside its floor, and refresh the tables (ten quiet minutes)
	cd bench && go build -trimpath -o ../bin/bench . && go build -trimpath -o ../bin/floor ./floor
	bin/bench report -relay bin/relay -floor bin/floor -docs docs/performance.md $(BENCHFLAGS)
BENCHFLAGS ?=

.PHONY: airs-bench
airs-bench: build ## Measure calls with the emulator of Prisma AIRS, and refresh the table (two minutes)
	go build -trimpath -o bin/airsbench ./cmd/airsbench
	bin/airsbench -relay bin/relay -docs docs/performance.md $(AIRSBENCHFLAGS)
AIRSBENCHFLAGS ?=

# Steps before the tests run two at a time; the tests come last, so that their
# results close the output.
.PHONY: check
check: ## Everything that CI checks
	@$(MAKE) -j2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) build lint proto-check tidy
	@$(MAKE) vet cross
	@$(MAKE) docs-check
	@if command -v npm >/dev/null; then $(MAKE) interop conformance; else echo "no npm here: the tests with official programs are left out"; fi
	@$(MAKE) python-scanner
	@$(MAKE) soak SOAK=20s
	@$(MAKE) chaos CHAOS=20s
	@$(MAKE) test

.PHONY: clean
clean: ## Remove what was built; the tools in .bin stay
	rm -rf bin dist coverage.out

# ---- tools ----

$(GOLANGCI):
	@mkdir -p $(BIN)/install
	GOBIN=$(BIN)/install go install -trimpath -ldflags "-s -w" github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	@mv $(BIN)/install/golangci-lint $@

$(GENERATORS):
	@mkdir -p $@.new
	GOBIN=$@.new go install -trimpath google.golang.org/protobuf/cmd/protoc-gen-go@$(PROTOC_GEN_GO_VERSION)
	GOBIN=$@.new go install -trimpath google.golang.org/grpc/cmd/protoc-gen-go-grpc@$(PROTOC_GEN_GO_GRPC_VERSION)
	@mv $@.new $@

$(INTEROP): internal/interop/package.json
	@mkdir -p $(BIN)/interop && cp $< $(BIN)/interop
	npm install --prefix $(BIN)/interop --no-audit --no-fund --ignore-scripts --no-package-lock --loglevel=error
	@touch $@

# Some systems have Python without what makes an environment of its own; the tests
# with its SDK are left out there.
$(PYTHON_SDK):
	@rm -rf $@.new && { python3 -m venv $@.new && $@.new/bin/pip install --quiet --disable-pip-version-check mcp==$(PYTHON_SDK_VERSION); } || \
		{ echo "no Python environment: the tests with the Python SDK are left out" >&2; rm -rf $@.new; mkdir -p $@.new; }
	@mv $@.new $@

$(PYTHON_SCANNER): examples/python-scanner/requirements.txt
	@rm -rf $(@D) $(@D).new && { python3 -m venv $(@D).new && $(@D).new/bin/pip install --quiet --disable-pip-version-check -r $<; } || \
		{ echo "no Python environment: the scanner in Python is left out" >&2; rm -rf $(@D).new; mkdir -p $(@D).new; }
	@mv $(@D).new $(@D) && touch $@

$(CONFORMANCE): internal/conformance/package.json
	@mkdir -p $(BIN)/conformance && cp $< $(BIN)/conformance
	npm install --prefix $(BIN)/conformance --no-audit --no-fund --ignore-scripts --no-package-lock --loglevel=error
	@touch $@

$(REFERENCE):
	@mkdir -p $(@D)
	GOBIN=$(@D) go install -trimpath -ldflags "-s -w" github.com/modelcontextprotocol/go-sdk/conformance/everything-server@$(REFERENCE_VERSION)

$(BUF):
	@mkdir -p $(BIN)/buf-$(BUF_VERSION)
	npm install --prefix $(BIN)/buf-$(BUF_VERSION) --no-save --no-audit --no-fund --ignore-scripts --loglevel=error @bufbuild/buf@$(BUF_VERSION)
	@touch $@
