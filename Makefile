# The way into this repository: `make` lists what there is to do.
#
# Needs a Rust toolchain, a C compiler and make; what else a target wants it fetches by
# itself (on Debian and its relatives through apt-get, as root or with sudo).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := list
MAKEFLAGS += --no-print-directory

TARGET := $(or $(CARGO_TARGET_DIR),target)
LISTEN ?= 127.0.0.1:8080
CHROMIUM ?= $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome) /usr/bin/chromium)
ARGS ?=
# A node of our own, made only where the system's is too old for the browser tests.
NODE := $(abspath $(TARGET))/tools/node
# What stands in front of Masthead in some of them, where the system has none.
NGINX := $(abspath $(TARGET))/tools/nginx
# What gives Masthead a clock of its own in one of them.
CLOCK := $(abspath $(TARGET))/tools/faketime

# What makes sure of all that.
SETUP = end2end/setup '$(CHROMIUM)' '$(NODE)' '$(NGINX)'
# What every browser test is told.
IN_END2END = cd end2end && PATH="$(NODE)/node_modules/.bin:$$PATH" CHROMIUM='$(CHROMIUM)' MASTHEAD_BIN='$(abspath $(TARGET))/demo/masthead' \
	NGINX_BIN='$(firstword $(wildcard /usr/sbin/nginx /usr/local/sbin/nginx) $(NGINX)/usr/sbin/nginx)'

# What is built once needs no notes for the next time: a third less of disk.
ifneq ($(filter-out false,$(CI)),)
export CARGO_INCREMENTAL := 0
endif

# Where the server's build finds the page.
export MASTHEAD_SITE := $(abspath $(TARGET))/site

.PHONY: list
list:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---- Run it ---------------------------------------------------------------------------------

.PHONY: demo
demo: cargo ## an invented cluster at http://127.0.0.1:8080; needs no Kubernetes
	@begin=$$SECONDS; $(MAKE) demo-binary; \
	echo "Set up in $$((SECONDS - begin)) s."; \
	exec $(TARGET)/demo/masthead --demo --listen $(LISTEN) $(ARGS)

.PHONY: run
run: cargo demo-binary ## the cluster of your current kubeconfig; options in ARGS="…"
	@exec $(TARGET)/demo/masthead $(ARGS)

.PHONY: dev
dev: cargo ## the demo, built again and restarted at every change; options in ARGS="…"
	@stamp=$$(mktemp); server=; \
	trap 'rm -f "$$stamp"; [ -z "$$server" ] || kill "$$server" 2>/dev/null || true' EXIT; \
	trap 'exit 0' INT TERM; \
	changed() { find app server style public Cargo.toml Cargo.lock -type f -newer "$$stamp" ! -name '.*' ! -name '*~' -print -quit; }; \
	while true; do \
		touch "$$stamp"; \
		if app/build-wasm --dev && cargo build --quiet --package server; then \
			if [ -n "$$server" ]; then kill "$$server" 2>/dev/null || true; wait "$$server" 2>/dev/null || true; fi; \
			$(TARGET)/debug/masthead --demo --listen $(LISTEN) $(ARGS) & server=$$!; \
		else \
			echo 'dev: not built, see above; what ran before goes on, and the next change tries again'; \
		fi; \
		while [ -z "$$(changed)" ]; do sleep 0.5; done; \
	done

# ---- Build it -------------------------------------------------------------------------------

.PHONY: build
build: cargo ## the release: one binary with everything inside, target/release/masthead
	@app/build-wasm --release
	@cargo build --release --package server
	@ls -lh $(TARGET)/release/masthead | awk '{ print $$NF ", " $$5 "B" }'

.PHONY: demo-binary
demo-binary:
	@app/build-wasm --demo
	@cargo build --quiet --profile demo --package server

.PHONY: clean
clean: ## removes what was built and fetched
	@cargo clean --quiet
	@rm -rf target end2end/node_modules end2end/test-results

# ---- Check it -------------------------------------------------------------------------------

.PHONY: test
test: cargo lint test-rust test-browser test-cluster-here ## everything a change must pass, from nothing

.PHONY: lint
lint: cargo ## formatting, and clippy over the server's and the browser's half
	@if cargo fmt --version >/dev/null 2>&1; then cargo fmt --all --check; cargo fmt --manifest-path server/fuzz/Cargo.toml --check; \
	else echo 'lint: no rustfmt here, formatting not checked (rustup component add rustfmt)'; fi
	@if cargo clippy --version >/dev/null 2>&1; then cargo clippy --quiet --profile demo --workspace --all-targets -- -D warnings; \
	else echo 'lint: no clippy here, not run (rustup component add clippy)'; fi
	@cargo fetch --quiet --locked --manifest-path server/fuzz/Cargo.toml
	@app/build-wasm --lint

.PHONY: test-rust
test-rust: cargo ## the tests of both crates
	@cargo test --profile demo --workspace

.PHONY: test-browser
test-browser: cargo browser demo-binary ## a real browser against the real binary; one spec: ARGS="pods"
	@cd end2end && PATH="$(NODE)/node_modules/.bin:$$PATH" node_modules/.bin/tsc
	@$(IN_END2END) \
		node_modules/.bin/playwright test $(ARGS)

# Nothing here fetches Go, so where there is none this does not fail; nor should anybody take it for having passed.
.PHONY: test-cluster-here
test-cluster-here:
	@if command -v go >/dev/null; then $(MAKE) test-cluster; \
	else printf '%s\n' '' \
		'test: ################################ NOT ALL WAS TESTED ################################' \
		'test: There is no Go here, so no Kubernetes was built: nothing was compared with kubectl,' \
		'test: and no real API server or etcd was stopped, cut off, compacted or restored.' \
		'test: Install Go 1.26 (https://go.dev/dl), then: make test-cluster' \
		'test: ####################################################################################' '' >&2; fi

# Only a kubeconfig named on the command line: nobody's current cluster is tested on by accident.
.PHONY: test-cluster
test-cluster: cargo demo-binary ## every cell against kubectl's on a real cluster, made here with Go; or KUBECONFIG=file
	@$(SETUP) '$(CLOCK)'
	@$(IN_END2END) \
		CLOCK='$(CLOCK)' CLUSTER_BIN='$(abspath $(TARGET))/tools/cluster' CLUSTER_KUBECONFIG='$(if $(findstring command line,$(origin KUBECONFIG)),$(abspath $(KUBECONFIG)))' \
		node_modules/.bin/playwright test --config cluster.config.ts $(ARGS)

# `make test-rust` does a little of each of these, but for `outage`.
QUICK = cargo test --quiet --profile demo --package app --package server
# Two cores of those there are, where that can be said.
TWO_CORES = $(shell command -v taskset >/dev/null && echo taskset -c 0,1)

.PHONY: weather
weather: cargo ## 100,000 schedules of changes and faults, or SEEDS; others with CHANCE=1
	@SEEDS='$(or $(SEEDS),100000)' $(QUICK) --test convergence

.PHONY: model
model: cargo ## the larger cases of the resync protocol, in every order; most of a minute
	@cargo test --quiet --profile demo --package server --lib hub::model -- --ignored --nocapture

.PHONY: endurance
endurance: cargo ## 10,000,000 changes while viewers come and go, or EVENTS; EVENTS=100000000 is a year
	@EVENTS='$(or $(EVENTS),10000000)' $(QUICK) --test endurance -- --nocapture

# Each is a file here and one there: as many as may be open.
.PHONY: crowd
crowd: cargo ## 10,000 viewers, or VIEWERS, come back after 20 s, or AWAY; on two cores
	@$(QUICK) --test crowd --no-run
	@ulimit -Sn "$$(ulimit -Hn)"; \
	VIEWERS='$(or $(VIEWERS),10000)' AWAY='$(or $(AWAY),20)' $(TWO_CORES) $(QUICK) --test crowd -- --nocapture

.PHONY: outage
outage: ## a real API server that cannot be reached for an hour, or CUT_SECONDS, and other faults; needs Go
	@CUT_SECONDS='$(or $(CUT_SECONDS),3600)' $(MAKE) test-cluster ARGS='$(or $(ARGS),faults.spec)'

# What is found and kept is tried again by every `make test-rust`. After a longer run: make fuzz-keep.
.PHONY: fuzz
fuzz: cargo ## what reads foreign bytes, given any; a minute each, or FUZZ_SECONDS; one: ARGS="objects"
	@server/fuzz/run fuzz $(ARGS)

.PHONY: fuzz-keep
fuzz-keep: cargo ## server/fuzz/corpus anew: the fewest of seeds, kept and found inputs that reach as much
	@server/fuzz/run build
	@server/fuzz/run seeds
	@server/fuzz/run keep $(ARGS)

# Chromium, node, nginx and the packages that package-lock.json pins.
.PHONY: browser
browser:
	@$(SETUP)

.PHONY: deny
deny: cargo ## licences, sources and known holes of what we depend on
	@if ! cargo deny --version >/dev/null 2>&1; then \
		echo 'deny: skipped, there is no cargo-deny here (cargo install cargo-deny)'; \
	else \
		cargo deny --all-features check licenses bans sources; \
		if cargo deny fetch db >/dev/null 2>&1; then cargo deny --all-features check advisories; \
		else echo 'deny: advisories skipped, their database could not be fetched'; fi; \
	fi

.PHONY: cargo
cargo:
	@command -v cargo >/dev/null || { echo 'There is no cargo here: install Rust from https://rustup.rs, then try again.' >&2; exit 1; }
