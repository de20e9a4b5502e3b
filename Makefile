# Nhịp: `make demo` shows a city, `make test` checks everything, `make build` leaves bin/nhip.
SHELL := /bin/bash
.DEFAULT_GOAL := build

DEMO_DIR ?= demo-data
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
GOFUMPT := mvdan.cc/gofumpt@v0.12.0
WEB := api/web

# Without the folder's path in what is compiled, every clone finds it in the cache; and with one setting for all
# commands, nothing is compiled twice.
export GOFLAGS := $(strip $(filter-out -trimpath,$(shell go env GOFLAGS)) -trimpath)

# What make bench runs: which benchmarks of which packages, and how often.
BENCH ?= .
BENCH_PACKAGES ?= ./...
BENCH_ROUNDS ?= 3
WEB_SOURCES := $(shell find $(WEB) -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -name '*.go' 2>/dev/null)

# Real recordings and reference values live beside the checkout, where there are any.
ifneq ($(wildcard ../shared/data),)
export TESTDATA_DIR ?= $(abspath ../shared/data)
endif

# Counts the packages that go build -v names, on one line; anything else (an error) is shown whole.
count = 2>&1 | awk '/ /{print; next} {printf "\r    %d packages", ++n; fflush()} END {if (n) print ""}'

say = @printf '\033[1m==> %s\033[0m\n' "$(1)"

.PHONY: build demo test influx2 test-influx2 suites torture bench check vulnerabilities notices fmt deps clean bin/nhip

build: bin/influxd $(WEB)/dist/index.html bin/nhip

demo: build
	$(call say,a simulated Hanoi; Ctrl-C stops it)
	@exec bin/nhip up --simulate --data-dir $(DEMO_DIR)

bin/nhip: $(WEB)/dist/index.html
	$(call say,building bin/nhip)
	@set -o pipefail; go build -v -trimpath -o bin/nhip ./cmd/nhip $(count)

bin/influxd: $(wildcard deploy/influxd/*.go) deploy/influxd/go.mod deploy/influxd/go.sum
	$(call say,building bin/influxd: InfluxDB 1.8.10 - about 90 s the first time)
	@set -o pipefail; cd deploy/influxd && go build -v -trimpath -o ../../bin/influxd . $(count) && touch ../../bin/influxd

# InfluxDB 2.7, for tests. Needs Rust; says in one line why it can't be built.
influx2:
	$(call say,building bin/influxd2: InfluxDB 2.7 - 10 to 40 minutes the first time)
	@.ci/influx2

# The tests that use a database, on bin/influxd2.
test-influx2: build
	$(call say,go test -race on InfluxDB 2.7)
	@.ci/influx2-test

$(WEB)/node_modules/.package-lock.json: $(WEB)/package-lock.json
	$(call say,fetching the libraries of the web map)
	@cd $(WEB) && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

$(WEB)/dist/index.html: $(WEB)/node_modules/.package-lock.json $(WEB_SOURCES)
	$(call say,building the web map)
	@cd $(WEB) && npm run --silent build && touch dist/index.html

# What the tests need beside Go and Node; says what is missing where it can't be installed.
deps:
	@.ci/deps

# Longest line of a Go file, in characters; a tab is one.
MAX_LINE := 120

check: $(WEB)/node_modules/.package-lock.json
	$(call say,vet and lint)
	@unformatted=$$(go run $(GOFUMPT) -l $$(git ls-files -co --exclude-standard '*.go')) && if [ -n "$$unformatted" ]; then echo "not gofumpt'ed: $$unformatted"; exit 1; fi
	@long=$$(LC_ALL=C.UTF-8 grep -HnE '.{$(MAX_LINE)}.' $$(git ls-files -co --exclude-standard '*.go') /dev/null | cut -d: -f1,2) && if [ -n "$$long" ]; then echo "lines longer than $(MAX_LINE) characters:"; echo "$$long"; exit 1; fi
	@go mod tidy -diff && (cd deploy/influxd && go mod tidy -diff)
	@go vet ./... && (cd deploy/influxd && go vet ./...)
	@go run $(STATICCHECK) ./...
	@go run ./deploy/notices -check
	@$(MAKE) --no-print-directory vulnerabilities

# The database of known vulnerabilities: a copy in a folder (https://vuln.go.dev/vulndb.zip, unpacked), or the server.
# Where there is neither, the check is skipped with a line.
export VULNDB ?= https://vuln.go.dev

vulnerabilities:
	@GOVULNCHECK=$(GOVULNCHECK) .ci/vulnerabilities

# The licences of everything in our programs, and the bill of materials.
notices: $(WEB)/node_modules/.package-lock.json
	@go run ./deploy/notices

fmt:
	@go run $(GOFUMPT) -w $$(git ls-files -co --exclude-standard '*.go')

# Ends with go test's own lines. The browser test is one of the Go tests, in app. INFLUX_URL=… INFLUX_TOKEN=… INFLUX_ORG=…
# make the tests use another InfluxDB than the embedded one, with buckets of their own names; the token is an administrator's.
test: deps build check
	$(call say,the web map: types and units)
	@cd $(WEB) && npm run --silent check && npm test --silent
	$(call say,the database child)
	@cd deploy/influxd && go test ./...
	$(call say,go test -race)
	@TEST_OUTPUT=$(abspath test-output) go test -race -vet=off -timeout 18m ./...

# The full forms of what takes longer than half a minute and stands in make test in a small form: run before a change
# is called finished.
suites: deps build
	$(call say,suites in full)
	@SUITES=full go test -race -vet=off -timeout 1h $$(go list -f '{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./... | awk '/ nhip\/internal\/suitetest/ {print $$1}')

# What make torture spends on each fuzz test, and on how many cases each property is tried.
FUZZ_TIME ?= 60s
PROPERTY_CASES ?= 10000

# The same faults, kills, fuzzers and properties as in make test, at full count: an hour and a half. A
# failure names the seed that does it again.
torture: deps build
	$(call say,faults and kills in full)
	@TORTURE=full go test -race -vet=off -timeout 3h $$(go list -f '{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./... | awk '/ nhip\/internal\/torturetest/ {print $$1}')
	$(call say,properties: $(PROPERTY_CASES) cases each)
	@go test -timeout 1h $$(go list -f '{{.ImportPath}} {{join .TestImports " "}} {{join .XTestImports " "}}' ./... | awk '/pgregory.net\/rapid/ {print $$1}') -rapid.checks=$(PROPERTY_CASES)
	$(call say,fuzzers: $(FUZZ_TIME) each)
	@set -o pipefail; grep -rhoE --include='*_test.go' --exclude-dir=node_modules -H '^func Fuzz[A-Za-z]+' . | sed -E 's|^\./(.*)/[^/]*:func (.*)|\1 \2|' | \
		while read -r folder fuzz; do \
			echo "$$folder $$fuzz"; go test -run '^$$' -fuzz "^$$fuzz\$$" -fuzztime $(FUZZ_TIME) "./$$folder" | tail -1 || exit 1; \
		done

# Every benchmark, round after round, so that what one round meets by chance the next does not: a quarter
# of an hour. test-output/bench.txt is for benchstat, see docs/benchmarks.md. Temporary files go beside
# it, on a disk, because a sync to memory costs nothing.
bench: bin/influxd
	$(call say,$(BENCH_ROUNDS) rounds of benchmarks)
	@command -v wrk >/dev/null || echo "MISSING: wrk — install with: apt-get install wrk; BenchmarkServe is skipped"
	@mkdir -p test-output/tmp
	@set -o pipefail; for round in $$(seq $(BENCH_ROUNDS)); do \
		TMPDIR=$(abspath test-output/tmp) go test -run '^$$' -bench '$(BENCH)' -benchtime 300ms -timeout 9m $(BENCH_PACKAGES) || exit 1; \
	done | grep --line-buffered -vE '^(ok|PASS|\?)' | tee test-output/bench.txt

clean:
	rm -rf bin test-output $(WEB)/node_modules $(WEB)/dist/assets $(WEB)/dist/index.html
