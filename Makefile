# `make help` lists what there is. Needs Rust, Node with npm, and a C compiler; `make test` fetches browsers.

SHELL := /bin/sh
SYMPOSIA := target/release/symposia
WEB_SOURCES := $(shell find web -name node_modules -prune -o -name dist -prune -o -type f -print 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help run build test check bench netlab soak sim bandwidth drift fuzz

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

# ---- use it

ifeq ($(LAN),)
run: build ## build and start for trying out: http://localhost:8080; LAN=1: for others in the local network
	@exec $(SYMPOSIA) serve --dev
else
# Others' browsers give camera and microphone only to https:// pages, so there is a self-signed certificate;
# anyone in the network can reach it, so the API token is a random one.
run: build
	@umask 077 && mkdir -p data && printf '[tls]\nself_signed = true\n' >data/lan.toml
	@SYMPOSIA_API_TOKEN=$$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n') && export SYMPOSIA_API_TOKEN && \
	echo "API token (until the next start): $$SYMPOSIA_API_TOKEN" && \
	exec $(SYMPOSIA) serve --config data/lan.toml --listen 0.0.0.0:8080
endif

build: web/dist/index.html ## the web app and target/release/symposia with it inside
	cargo build --release --locked

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run build
	@touch $@

web/node_modules/.package-lock.json: web/package.json web/package-lock.json
	@command -v npm >/dev/null || { echo "Node.js with npm is needed to build the web app: https://nodejs.org" >&2; exit 1; }
	cd web && npm ci
	@touch $@

# ---- prove it

test: build ## everything: web unit tests, browsers, encoders, fuzzing for 15 s each, and all Rust tests; installs what is missing
	scripts/install-test-tools
	cd web && npm test
	scripts/test-browsers $(SYMPOSIA)
	scripts/test-netlab $(SYMPOSIA)
	scripts/test-encoders $(SYMPOSIA)
	scripts/fuzz smoke
	@# The store that recordings are put into.
	npm ci --prefix recordings/tests/s3 --ignore-scripts --no-audit --no-fund
	@# Last, so that its summary closes the log.
	cargo test --workspace --locked

check: web/node_modules/.package-lock.json ## format, lints, documentation, the code base's own rules, licences
	cargo fmt --all --check
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
	@# Licences, bans and sources are among the rules, see tests/tidy/licences.rs.
	cargo test --locked --test tidy
	cd web && npm run lint

bench: build ## costs and delays beside the bare limit, as tables for docs/benchmarks.md; ten minutes, wants a quiet machine
	cargo bench --locked --bench load
	cd tests/encoders && npm ci --no-audit --no-fund
	node tests/load/paint.mjs
	node tests/load/join.mjs
	node tests/load/audience.mjs

netlab: build ## real browsers over bad links, judged: ONLY=N2, SECONDS=30, SEED=7, BROWSER=firefox; root, 20 minutes
	ONLY=$(ONLY) SECONDS=$(SECONDS) SEED=$(or $(SEED),1) BROWSER=$(or $(BROWSER),chromium) scripts/test-netlab $(SYMPOSIA) all

drift: build ## lip sync of a recording over MINUTES=10 in real browsers, by beeps and flashes (R3)
	cd tests/browsers && npm ci --no-audit --no-fund
	MINUTES=$(MINUTES) SYMPOSIA=$(CURDIR)/$(SYMPOSIA) node tests/load/drift.mjs

soak: ## sessions come and go for SECONDS=60, then memory, descriptors and threads must be back; fails where not
	SOAK_SECONDS=$(SECONDS) cargo bench --locked --bench load -- soak

sim: ## meetings on a virtual clock over bad links; SEED=n replays one
	SYMPOSIA_SEED=$(SEED) cargo test --release --locked --test simulation -- --nocapture
	SEEDS=64 cargo test --release --locked --test bandwidth -- --nocapture

bandwidth: ## the table of how links are used, and docs/bandwidth.svg
	DRAW=$(CURDIR)/docs/bandwidth.svg cargo test --locked --test bandwidth -- --nocapture --test-threads 1

fuzz: ## fuzz one target: TARGET=name, until Ctrl-C or for SECONDS=n; without TARGET all for 15 s
	scripts/fuzz $(if $(TARGET),run $(TARGET) $(SECONDS),smoke $(SECONDS))
