//! What the access log is told of a decision.

use proxy_wasm::hostcalls;
use streamgate_core::exchange::LogEntry;

/// Hands a decision to the access log: `%FILTER_STATE(wasm.streamgate:PLAIN)%`, an object of JSON.
pub(crate) fn tell(log_entry: &LogEntry) {
    let _ = hostcalls::set_property(vec!["streamgate"], Some(&log_entry.to_json()));
}
