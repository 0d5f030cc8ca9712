# The few commands. Each is a script in scripts/ that says what it does.

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: sample ## see three streams play and a fourth refused, in a minute
	cargo run -p streamgate-tests --bin demo

up: sample ## run the edge with four screens on a page, http://127.0.0.1:10000, until Ctrl-C (BODY=native: as a native module)
	scripts/edge $(BODY)

fleet: sample ## run three edges that share one limit, until Ctrl-C
	scripts/setup --fleet
	scripts/fleet

check: ## what every change is held to: format, lints, tests without a proxy, what a request costs (minutes)
	scripts/check

test: ## everything CI checks, `make check` first (twenty minutes on two cores)
	scripts/test

players: sample ## every player there is, each one stream however URLs are written (minutes)
	scripts/players $(ARGS)

mutants: ## which small changes to the heart of it no unit test notices (hours; ARGS="--shard 0/20")
	scripts/mutants $(ARGS)

test-native: build ## the end-to-end tests with the native module in the place of the Wasm module
	scripts/test-native

native-memory: ## the native module's unit tests under valgrind
	scripts/native-memory

soak: build ## a million invented accounts, and memory stays where it was (minutes)
	cargo test -p streamgate-tests --test e2e -- --ignored --nocapture memory

trials: ## faults and rollouts of a fleet under load, and the door beside a million streams (twenty minutes)
	scripts/trials $(ARGS)

sim: ## ten million streams at forty edges in virtual time, and what their store needs (a quarter of an hour)
	cargo run --profile measure -p streamgate-sim --bin sizing

bench: ## what a request costs, beside what others cost (twenty minutes; a quiet machine)
	scripts/bench $(ARGS)

bench-scale: ## what a request costs with up to a million live streams
	scripts/bench --scale $(ARGS)

build: setup ## build/streamgate.wasm, the filter
	scripts/build

cli: ## build/streamgate, the command line for operators
	scripts/cli

native: ## build/libstreamgate.so, the same filter as a native module (docs/native.md)
	scripts/native

sample: build
	scripts/sample-video

setup: ## bring Envoy, ffmpeg and a wasm32 Rust onto this machine
	scripts/setup

clean: ## remove what was built (keeps the tools in .tools)
	rm -rf build target

.PHONY: help demo up fleet check test test-native native-memory players mutants soak trials sim bench bench-scale build cli native sample setup clean
