# Dowel. `make` lists what there is.

SHELL   := /bin/bash
GO      ?= go
BIN     := dowel
TOOLS   := -modfile=.tools/go.mod
PKGS    := ./...
MONGO   := engine/storage/mongo/mongotest
OPENID  := engine/e2e/openidtest

.DEFAULT_GOAL := help

##@ Use

.PHONY: help
help: ## List the targets
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build ./dowel
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o $(BIN) ./cmd/dowel

.PHONY: run
run: build ## Run with simulated providers; needs nothing but Go
	./$(BIN) serve --dev

##@ Prove

.PHONY: test
test: browser ## Everything a change must pass: race detector, both stores, real processes, real browser
	cd $(MONGO) && $(GO) vet ./... && $(GO) test -race -count=1 ./...
	cd $(OPENID) && $(GO) vet ./...
	$(GO) vet $(PKGS)
	$(GO) test -race -count=1 -timeout 20m $(PKGS)

.PHONY: browser
browser: ## Install chromium for the browser tests, where that can be done
	@if command -v chromium >/dev/null || command -v google-chrome >/dev/null || command -v chromium-browser >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	else echo "No chromium here and no way to install it (apt-get as root): the browser tests will be reported as not run."; fi

.PHONY: check
check: fmt-check lint docs-check ## Formatting, linters, definitions, documentation
	$(GO) run ./cmd/dowel connectors lint connectors

.PHONY: lint
lint: ## Run the linters
	$(GO) tool $(TOOLS) golangci-lint run

.PHONY: fmt
fmt: ## Format
	gofmt -w cmd engine connectors schemas ui

.PHONY: fmt-check
fmt-check:
	@bad=$$(gofmt -l cmd engine connectors schemas ui); if [ -n "$$bad" ]; then echo "not formatted:"; echo "$$bad"; exit 1; fi

.PHONY: bench
bench: ## Measure speed and size, as ratios within one run
	$(GO) test -run '^$$' -bench . -benchtime 1x -count 1 ./engine/bench

.PHONY: fuzz
fuzz: ## Fuzz every target for a minute
	@for t in $$(grep -rl 'func Fuzz' --include='*_test.go' engine | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -ho 'func Fuzz[A-Za-z]*' $$t/*_test.go | cut -c6-); do \
	    echo "$$t $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime 60s ./$$t || exit 1; done; done

.PHONY: golden
golden: ## Rewrite the golden files; the diff is reviewed like code
	$(GO) test ./ui ./engine/auth -update

.PHONY: docs
docs: ## Rewrite the generated parts of the documentation
	$(GO) test ./cmd/dowel -run TestDocs -update

.PHONY: docs-check
docs-check:
	$(GO) test ./cmd/dowel -run TestDocs
