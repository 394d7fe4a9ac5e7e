# make help lists the targets.
GO   ?= go
GOLANGCI ?= $(GO) tool -modfile=tools/go.mod golangci-lint

.PHONY: help test check lint bench mutate nightly fuzz

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

test: ## all tests, with the race detector
	$(GO) test -race ./...

check: lint test ## what CI runs: format, vet, lint, tests, tidy module files, no test code in the binary
	$(GO) mod tidy -diff
	@! $(GO) list -deps ./cmd/... | grep -qx testing || { echo 'cmd links package testing'; exit 1; }

lint: ## gofmt, vet, the linters of .golangci.yml, and whether every mutant still applies
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'not formatted:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./... ./testdata/mutants
	$(GOLANGCI) run ./...
	@for p in testdata/mutants/*.patch; do git apply --check $$p || { echo "make $$p again"; exit 1; }; done

bench: ## benchmarks of every package, and of peers beside ours
	$(GO) test -run '^$$' -bench . -benchmem ./...
	cd bench && $(GO) test -run '^$$' -bench . -benchmem ./...

mutate: ## apply each patch of testdata/mutants and name the test that kills it
	$(GO) run ./testdata/mutants $(MUTANTS)

fuzz: ## fuzz every parser for FUZZTIME (10s) each
	@for pkg in $$($(GO) list ./...); do \
		for f in $$($(GO) test -list '^Fuzz' $$pkg | grep '^Fuzz'); do \
			$(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(or $(FUZZTIME),10s) $$pkg || exit 1; \
		done; \
	done

nightly: check mutate fuzz bench ## everything, with fuzzing: for a machine that has the time
