# make help lists the targets.
GO   ?= go

# The modules of the workspace, as go.work has them; "work" names all of their
# packages, ./... those of the library alone.
MODULES = $(shell sed -n 's/^[[:space:]]*\(\.[a-z0-9/]*\)$$/\1/p' go.work)

# The tools are modules of their own, outside of the workspace in which they run.
tool = $$(GOWORK=off $(GO) tool -modfile=$(1)/go.mod -n $(2))
GOLANGCI ?= $(call tool,tools,golangci-lint)

# The older of the two Go releases that the library is for.
OLDER_GO ?= go1.25.5

# NIGHT=1 makes each target whole. Without it, make check and the tests together have
# twenty minutes on two cores: what they leave out is named here, and only here.
NIGHT ?=

.PHONY: help install test check lint library tidy firstminute interop fleet helpers helpers-node helpers-python arm program programs packages packages-linux completion installs cross wine image licences notices sbom vuln bench mutate crashes pace soak nightly fuzz

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

# What a release is built with. The tag leaves out of the driver of PostgreSQL the types
# that no statement of ours has (quota/postgres/types.go).
RELEASE = -trimpath -tags=nopgxregisterdefaulttypes -ldflags '-s -w'

# Its files keep their names, by which init finds this clone again.
install: ## build hsharness and put it where Go puts programs
	@$(GO) install -trimpath=false ./cmd/hsharness
	@bin=$$($(GO) env GOBIN); [ -n "$$bin" ] || { bin=$$($(GO) env GOPATH); bin=$${bin%%:*}/bin; }; \
		echo "installed $$bin/hsharness"; \
		case ":$$PATH:" in *":$$bin:"*) ;; *) echo "$$bin is not on PATH; for this shell: export PATH=\"$$bin:\$$PATH\"";; esac; \
		first=$$(command -v hsharness || :); \
		case "$$first" in ''|"$$bin/hsharness") ;; *) echo "what a shell finds is another one: $$first";; esac

# The detector makes a process wait a second at its end, and the tests start
# hundreds of them. What vet has to say is said by lint.
RACE = GORACE=atexit_sleep_ms=10 $(GO) test -race -vet=off -timeout 20m

# The packages, or tests of packages, that have to do with several goroutines: in the
# others the detector has nothing to see, nor in three that make something once. Of those
# that bring a store's driver, which takes the detector's compiler longer than all else, what
# each ledger must pass.
SYNCED = $$($(GO) list -f '{{join .Imports " "}} {{join .TestImports " "}} {{join .XTestImports " "}} {{.ImportPath}}' work | grep -w sync | sed 's/.* //' | grep -v -e '/cmd/hsharness$$' -e '/cmd/internal/\(gateway\|notify\)$$' -e '/internal/\(learn\|pgtest\|secret\|mockapi/catalogue\)$$' -e '/quota/\(sqlite\|postgres\)$$')

# One goroutine each, or one in each process, at something large, and ten times as long under
# the detector.
LONG = ABomb|AbsurdNumbers|LargeAnswers(Are|Have)|LargeTables|ExpressionsHave|OfAllRows|OfAllCases|FiguresO[fn]|OneInMemory|TimesTheirLength|ManyRows|ManyErrors|ManyLists|OneAtATime|OneAfterTheOther|BesideTooMuch|TooLongStays|ListsAreNot|MatrixIs|RefuseTheSame|GatheredIs|UnpackedBefore|FuzzLoad|LongTexts|IsNotRead|TestSuite/ahead|BrokenIndex|IndexIsOf|TitlesWith|EqualAnswers$$|DamagedPack|NothingIsFound|EveryPair|CopiesTogether|CopiesStarted|SixtyEight|LargeBodiesAre|AreLegalLines|StateOfAnySize|StateHasALimit|WrongBatches|SecretsThatAreCut|FuzzExpression|TakesAreMerged|InAnotherOrder|LimitOfBytes|APathHas|ExpressionsOfACase|TextsOfAStep|FailuresOfOne|OfTheEnvironmentTogether|CapturesThatAre|OfManyFailures|BelowALongName|SoManyCodes|AxesOfMany

test: ## with the race detector, the tests in which several things happen at once; with NIGHT=1 all tests
ifdef NIGHT
	$(RACE) work
else
	$(RACE) -skip '$(LONG)' $(SYNCED)
	$(RACE) -skip '$(LONG)' -run '^TestSuite$$' ./quota/sqlite
	$(RACE) -run '^TestSuiteTogether$$' ./quota/postgres
endif

check: lint test library tidy firstminute interop helpers cross installs licences vuln ## what CI runs after go test work: all of these, tidy module files, no test code in the binary
	$(GO) test -tags=nopgxregisterdefaulttypes -run '$(TAGGED)' ./quota/postgres # as a release is built
	@! $(GO) list -deps ./cmd/... | grep -qx testing || { echo 'cmd links package testing'; exit 1; }

# The way of asking the server that goes by the types which the driver lacks there.
TAGGED = $(if $(NIGHT),^TestSuite,^TestSuiteWithoutDescriptions$$)

# vet is one of the linters, for the modules; what belongs to none is vetted by itself.
lint: ## gofmt, vet, the linters of .golangci.yml, the workflows, and whether every row of the mutant table applies
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'not formatted:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet ./testdata/mutants
	$(GOLANGCI) run $(addsuffix /...,$(MODULES))
	$(call tool,tools/actionlint,actionlint) .github/workflows/*.yml ci/github.yml cmd/internal/starter/testdata/*.yml
	$(GO) test ./testdata/mutants

# Where the older release can't be fetched, that is said, and the library is tested
# with the one that is there. All of it is built, and what users import is tested; with
# NIGHT=1 all of that, too.
LIBRARY = $(if $(NIGHT),./...,./harness ./mockidp/... ./quota ./scenarios ./examples/...)

library: ## the library outside of the workspace: its lowest versions, the older of the two Go releases, and in a module that requires older ones
	@old=$(OLDER_GO); GOTOOLCHAIN=$$old $(GO) version >/dev/null 2>&1 || { old=local; echo 'library: NOT CHECKED with $(OLDER_GO), which can not be fetched here'; }; \
		export GOWORK=off GOTOOLCHAIN=$$old; echo "GOWORK=off GOTOOLCHAIN=$$old $(GO) test $(LIBRARY)"; $(GO) build ./... && $(GO) test -vet=off $(LIBRARY)
	$(GO) vet ./testdata/consumer
	$(GO) test -count=1 ./testdata/consumer

tidy: ## whether every go.mod is tidy; .ci/tidy -fix makes them so
	GO=$(GO) .ci/tidy
	cd interop && GOWORK=off $(GO) mod tidy -diff
	cd bench && GOWORK=off $(GO) mod tidy -diff

firstminute: ## from an empty folder to a first test, in each language, typed and timed
	$(GO) vet ./testdata/firstminute
	$(GO) test -count=1 -v ./testdata/firstminute

# Without the race detector, which looked at the same servers in test: here it would
# compile all of them again.
interop: ## clients that others wrote: go-oidc, openid-client, Chromium; 22 with the real URLs built in, sealed; tests in Java, Ruby, PHP and Perl; both ledgers on arm64, by qemu
	cd interop && GOWORK=off $(GO) vet ./... && GOWORK=off $(GO) test -vet=off -timeout 20m $(INTEROP) ./...

# The emulated processor is for a job of its own, beside make check (.github/workflows).
check: INTEROP = $(if $(NIGHT),,-skip '^TestLedgerOnARM64$$')

# Of the walks of a ledger in a file, qemu takes a tenth in interop.
arm: ## both ledgers on arm64, by qemu, with as many walks as here
	cd interop && GOWORK=off $(GO) test -count=1 -timeout 60m -run '^TestLedgerOnARM64$$' -v . -arm64.walks=50

fleet: ## eight processes with a folder each ask 1,000 equal questions, and 1,000 are bought: two minutes
	$(GO) test ./quota/postgres -count=1 -v -run 'TestFleetBuysOnce$$' -args -fleet.questions=1000

helpers: helpers-node helpers-python ## the helpers for other languages, in the runners of each

# What their tests run is the program as a release has it. npm is asked for what the
# lock file names, once.
helpers-node: program
	cd helpers/node/testdata && \
		{ cmp -s package-lock.json node_modules/.installed || { npm ci --ignore-scripts --no-audit --no-fund --prefer-offline --loglevel=error && cp package-lock.json node_modules/.installed; }; } && \
		node prepare.mjs && export HSHARNESS_BIN=$(CURDIR)/dist/hsharness && \
		{ node --test counts.test.mjs & counts=$$!; node --test $$(ls *.test.mjs | grep -v counts); others=$$?; wait $$counts && exit $$others; }

# Debian's Python, whose pytest there is.
PYTHON ?= /usr/bin/python3

helpers-python: program
	cd helpers/python && HSHARNESS_BIN=$(CURDIR)/dist/hsharness $(PYTHON) -m pytest -q -p no:cacheprovider -n 3

program:
	CGO_ENABLED=0 $(GO) build $(RELEASE) -o dist/ ./cmd/hsharness

# The systems of .goreleaser.yaml, with its flags; a test compares them. vet needs
# minutes, so it looks at each system once, and lint at this one.
SYSTEMS = linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

# The one whose files differ most. With NIGHT=1 all are built.
CROSS = $(if $(NIGHT),$(SYSTEMS),windows/amd64)

# No program of a release is larger, in bytes.
LARGEST = 32100000

cross: ## build for each kind of system that a release is for, none larger than LARGEST, and vet it
	@for system in $(CROSS); do \
		echo "GOOS=$${system%/*} GOARCH=$${system#*/}"; \
		export CGO_ENABLED=0 GOOS=$${system%/*} GOARCH=$${system#*/}; \
		case $$system in windows/amd64|darwin/arm64) $(GO) vet -trimpath -tags=nopgxregisterdefaulttypes work || exit 1;; esac; \
		$(GO) build $(RELEASE) -o dist/$$system/ ./cmd/hsharness || exit 1; \
		size=$$(cat dist/$$system/hsharness* | wc -c); [ $$size -le $(LARGEST) ] || { echo "$$system: $$size bytes, more than $(LARGEST)"; exit 1; }; \
	done

# Not a part of check: it needs root, by sudo if need be, and 2 GB in the user's
# cache folder, where a small Debian with Wine is made the first time.
wine: ## the program for Windows, under Wine: a purchase, four processes at once, the transcripts of the commands, the packages with files for Windows
	$(GO) vet ./testdata/wine/...
	$(GO) test -count=1 -timeout 30m ./testdata/wine $(if $(NIGHT),-every)

# The version of what make packages builds: make packages VERSION=1.2.3
VERSION ?= 0.0.0

packages: programs packages-linux ## npm packages and wheels with the program of each system, deb and rpm: dist/npm, dist/python, dist/linux
	node helpers/node/pack.mjs --programs dist --version $(VERSION) --out dist/npm
	$(PYTHON) helpers/python/build_wheels.py --programs dist --version $(VERSION) --out dist/python

# Of one commit they are the same, byte by byte, whenever they are built.
ARCHES = amd64 arm64
packages-linux: completion
	@nfpm=$(call tool,tools/nfpm,nfpm) && export VERSION=$(VERSION) SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) && \
	for arch in $(ARCHES); do export ARCH=$$arch; \
		CGO_ENABLED=0 GOOS=linux GOARCH=$$arch $(GO) build $(RELEASE) -o dist/linux/$$arch/ ./cmd/hsharness || exit 1; \
		for packager in deb rpm; do $$nfpm package --config .nfpm.yaml --packager $$packager --target dist/linux || exit 1; done; \
	done

# What shells complete, by the program itself. It is not in dist, which has to be empty
# when a release begins.
completion:
	@mkdir -p completion && for shell in bash zsh fish; do $(GO) run ./cmd/hsharness completion $$shell >completion/hsharness.$$shell || exit 1; done

installs: ## the deb and the rpm: built, installed by dpkg and by rpm, run, removed
	@[ "$$($(GO) env GOOS)" = linux ] || { echo 'installs: NOT CHECKED: dpkg and rpm are of Linux'; exit 0; }; \
		$(GO) vet ./testdata/installs && $(GO) test -count=1 -v ./testdata/installs

programs:
	@for system in $(SYSTEMS); do \
		CGO_ENABLED=0 GOOS=$${system%/*} GOARCH=$${system#*/} $(GO) build $(RELEASE) -o dist/$$system/ ./cmd/hsharness || exit 1; \
	done

image: ## a container image of this clone, by docker
	CGO_ENABLED=0 GOOS=linux $(GO) build $(RELEASE) -o dist/linux/$$($(GO) env GOARCH)/ ./cmd/hsharness
	cp LICENSE THIRD_PARTY_NOTICES dist/
	docker build -t hsharness -f Dockerfile dist

# The standard library needs no leave. go-sqlite3-wasm is MIT-0, which the
# classifier does not know.
licences: ## the licence of every module that the binary links, and whether THIRD_PARTY_NOTICES has them
	$(call tool,tools/licences,go-licenses) check ./cmd/hsharness 2>&1 \
		--allowed_licenses=Apache-2.0,BSD-2-Clause,BSD-3-Clause,ISC,MIT \
		--ignore github.com/hsharness/hsharness,github.com/ncruces/go-sqlite3-wasm,$$($(GO) list std | paste -sd, -)
	$(GO) vet ./testdata/notices
	$(GO) run ./testdata/notices -check $(SYSTEMS)
	$(GO) test -count=1 ./testdata/notices

notices: ## write THIRD_PARTY_NOTICES: whose work the binary links, and the text of each licence
	$(GO) run ./testdata/notices $(SYSTEMS)

# A release makes one for each of its programs.
BINARY ?= dist/hsharness
SBOM   ?= $(BINARY).cdx.json
sbom: ## what a program is made of, as CycloneDX, by what Go wrote into it: BINARY, SBOM
	$(call tool,tools/sbom,cyclonedx-gomod) bin -json -std -output $(SBOM) $(BINARY)

# The database is a file: the newest, where there is a network, else the one that was
# kept of it, or VULN_DB. Without one that is said, and no failure unless VULN_REQUIRED is
# set, as it is before a release: then it is none of more than VULN_DAYS either.
VULN_DAYS ?= 14
vuln: ## known vulnerabilities in what the binary links, by a database that is a file: VULN_DB
	$(GO) vet ./testdata/vulns
	$(GO) test -count=1 ./testdata/vulns
	$(GO) run ./testdata/vulns -govulncheck "$(call tool,tools,govulncheck)" $(if $(VULN_DB),-db $(VULN_DB)) $(if $(VULN_REQUIRED),-required) -days $(VULN_DAYS) ./cmd/... ./harness

# One that finds its machine at other work says so and fails; the peers are measured all the same.
bench: ## benchmarks of every package, and of peers beside ours
	@echo "go test -run '^$$' -bench . -benchmem work, and in bench"; $(GO) test -run '^$$' -bench . -benchmem work; ours=$$?; \
		cd bench && GOWORK=off $(GO) test -run '^$$' -bench . -benchmem ./... && exit $$ours

mutate: program ## apply each row of testdata/mutants/mutants.yaml and name the test that kills it; MUTANTS picks rows by their words
	$(GO) run ./testdata/mutants $(MUTANTS)
	cd helpers/python && HSHARNESS_BIN=$(CURDIR)/dist/hsharness $(PYTHON) tests/mutants.py $(MUTANTS)
	cd helpers/node/testdata && HSHARNESS_BIN=$(CURDIR)/dist/hsharness node mutants.mjs $(MUTANTS)

fuzz: ## fuzz every parser of outside data for FUZZTIME (10s), at least 10,000 executions each; FUZZ picks some by their words
	$(GO) vet ./testdata/fuzzing
	$(GO) run ./testdata/fuzzing -time $(or $(FUZZTIME),10s) $(FUZZ)

crashes: ## the crash harness with 200 seeds, 10.0.0 runs that begin side by side, 500 walks of the model and an upgrade cut at each step, on each store; 1000 kills of sealed runs
	$(GO) test -run '^TestCrashes$$|^TestParallelBegins$$|^TestServerKillsConnections$$|^TestUpgradeUnderLoad$$|^TestUpgradeCutAtEachStep$$|^TestSuite$$/^model$$' -timeout 2h -v ./quota/sqlite ./quota/postgres -crash.seeds=200 -upgrade.steps=1000 -parallel.begins=10000 -rapid.checks=500
	$(GO) test -count=1 -run '^TestKillsLeaveNothingOfASeal$$' -timeout 1h -v ./cmd/hsharness -seal.kills=1000

pace: ## 2,000 requests of six processes at 25 a second, on each store, with and without kills
	$(GO) test -count=1 -run '^TestPacedProcesses$$' -p 1 -parallel 1 -timeout 30m -v ./quota/sqlite ./quota/postgres -pace.requests=2000 -pace.rate=25/1s

# Each thing happens as often in a shorter time: SOAK=5m. It needs PostgreSQL, and root,
# by sudo if need be, for a small disk that can be full.
soak: ## an hour, or SOAK, of two gateways, a serve and 200 clients, with faults, kills of the database and a full disk: what they take stays as it was
	$(GO) vet ./testdata/soak
	$(GO) test -count=1 -timeout 0 -v ./testdata/soak -soak.length=$(or $(SOAK),1h)

nightly: ## everything, each as a whole: for a machine that has the time
	$(MAKE) NIGHT=1 check arm wine mutate fuzz crashes pace soak bench
