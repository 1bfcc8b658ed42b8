# make run needs Go alone. The other targets install what they lack (.ci/install says what and why).

# make run ARGS='--listen 127.0.0.1:9000'
ARGS =
# make fuzz FUZZTIME=5m; make bench BENCH=Sign BENCHTIME=3s
FUZZTIME = 10s
BENCH = .
BENCHTIME = 1s
# make faults ROUNDS=20
ROUNDS = 3
# make load LOAD='-r 200 -d 30s code-flow'
LOAD =

export GOFLAGS := $(shell go env GOFLAGS) -tags=nomsgpack

.PHONY: run build test lint fuzz bench load faults clean

# Build and serve, with everything at its default.
run: build
	./bin/chancery serve $(ARGS)

# The static binaries, in bin.
build:
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o bin/ ./cmd/...

# Everything that must hold before a change is done.
test: build
	.ci/install
	.ci/lint
	CHANCERY_TEST_PROGRAM=$(CURDIR)/bin/chancery CHANCERY_TEST_IN_MEMORY=yes .ci/with-postgres .ci/test

# gofmt, go vet, staticcheck, govulncheck.
lint:
	.ci/lint

# Each fuzzer for FUZZTIME.
fuzz:
	CGO_ENABLED=0 .ci/fuzz $(FUZZTIME)

# The benchmarks, beside PostgreSQL.
bench:
	.ci/install postgres
	CGO_ENABLED=0 .ci/with-postgres go test -run '^$$' -bench '$(BENCH)' -benchtime $(BENCHTIME) -benchmem ./...

# A server beside PostgreSQL, driven through its HTTP API.
load: build
	.ci/install postgres
	.ci/with-postgres .ci/load $(LOAD)

# Three replicas, and one thing after the other that fails. make test has one short round.
faults:
	.ci/install postgres
	CGO_ENABLED=0 go test ./e2e/faults -count=1 -v -timeout 10h -args -long -rounds=$(ROUNDS)

clean:
	rm -rf bin
