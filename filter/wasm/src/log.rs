//! What the access log is told of a decision.

use proxy_wasm::hostcalls;
use streamgate_core::exchange::Record;

/// Hands a decision to the access log: `%FILTER_STATE(wasm.streamgate:PLAIN)%`, an object of JSON.
pub(crate) fn record(record: &Record) {
    let _ = hostcalls::set_property(vec!["streamgate"], Some(&record.to_json()));
}
