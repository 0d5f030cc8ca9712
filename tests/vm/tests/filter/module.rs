//! The built filter as a whole: what it weighs, and what Envoy sees of it.

use std::collections::BTreeSet;

use streamgate_vm::module::{allowed, exports, imports, size};
use streamgate_vm::scenarios::{memory_after, memory_of_films};

/// The most bytes the filter may have. Every worker compiles it, once per configuration.
const SIZE_MAX: u64 = 800_000;

/// The most memory a worker may take, in bytes.
const MEMORY_MAX: usize = 16 << 20;

/// The most memory that one film in one response may take, in bytes.
const FILM_MAX: usize = 200;

/// More streams than a worker remembers.
const STREAMS: u32 = 120_000;

#[test]
fn it_is_small() {
    assert!(size() <= SIZE_MAX, "{} bytes", size());
}

/// Envoy makes every callback it finds: one that the filter does not need costs a call for
/// nothing, for each request or for each piece of a body.
#[test]
fn it_exports_what_it_needs_and_no_more() {
    let needed = [
        "_initialize",
        "malloc",
        "memory",
        "proxy_abi_version_0_2_1",
        "proxy_on_configure",
        "proxy_on_context_create",
        "proxy_on_delete",
        "proxy_on_http_call_response",
        "proxy_on_queue_ready",
        "proxy_on_request_body",
        "proxy_on_request_headers",
        "proxy_on_request_trailers",
        "proxy_on_response_body",
        "proxy_on_response_headers",
        "proxy_on_response_trailers",
        "proxy_on_tick",
    ];
    assert_eq!(exports(), needed.map(str::to_owned).into());
}

#[test]
fn a_worker_with_a_full_table_stays_small() {
    let memory = memory_after(STREAMS);
    println!("{} KiB", memory >> 10);
    assert!(memory <= MEMORY_MAX, "{} KiB", memory >> 10);
}

/// A name too many is a right that the filter does not need; one too few fails where it is
/// first used, and a callback too few lets through what it would have refused.
#[test]
fn the_hardened_example_allows_exactly_what_the_module_imports_and_is_called_for() {
    let callbacks = exports();
    let callbacks = callbacks.into_iter();
    let mut needed: BTreeSet<String> = callbacks
        .filter(|name| name.starts_with("proxy_on_"))
        .collect();
    needed.extend(imports());
    let allowed = allowed();
    let missing: Vec<_> = needed.difference(&allowed).collect();
    let too_many: Vec<_> = allowed.difference(&needed).collect();
    assert!(
        missing.is_empty() && too_many.is_empty(),
        "envoy/hardened.yaml allows {too_many:?} for nothing, and lacks {missing:?}"
    );
}

/// A worker remembers each response under way, so that its stream lives while its bytes flow.
#[test]
fn a_film_in_one_response_takes_little() {
    // Also just after a table of a power of two has grown.
    for films in [4_000, 15_200] {
        let memory = memory_of_films(films);
        let each = memory / films as usize;
        println!("{films} films: {each} bytes each");
        assert!(each <= FILM_MAX, "{films} films: {each} bytes each");
    }
}
