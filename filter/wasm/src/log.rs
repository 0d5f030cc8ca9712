//! What the access log is told of a decision.

use proxy_wasm::hostcalls;
use streamgate_core::exchange::Record;

/// Hands a decision to the access log: `%FILTER_STATE(wasm.streamgate.event:PLAIN)%`.
pub(crate) fn record(record: &Record) {
    for (name, value) in record.fields() {
        let _ = hostcalls::set_property(vec![name], Some(value.as_bytes()));
    }
}
