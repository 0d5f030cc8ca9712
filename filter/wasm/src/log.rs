//! What the access log is told of a decision.

use std::cell::RefCell;

use proxy_wasm::hostcalls;
use streamgate_core::exchange::Record;
use streamgate_core::refusal::lines::Lines;

use crate::host;

thread_local! {
    /// What this worker has told the access log of late.
    static LINES: RefCell<Lines> = RefCell::default();
}

/// Hands a decision to the access log: `%FILTER_STATE(wasm.streamgate.event:PLAIN)%`.
pub(crate) fn record(record: &Record) {
    let Some(repeated) = LINES.with_borrow_mut(|lines| lines.tells(record, host::now)) else {
        return;
    };
    let set = |name: &str, value: &str| {
        let _ = hostcalls::set_property(vec![name], Some(value.as_bytes()));
    };
    set("streamgate.event", record.event);
    if repeated > 0 {
        set("streamgate.repeated", &repeated.to_string());
    }
    if let Some(reason) = record.reason {
        set("streamgate.reason", reason);
    }
    if let Some(subject) = &record.subject {
        set("streamgate.subject", &subject.to_string());
    }
    if let Some(stream) = &record.stream {
        set("streamgate.stream", &stream.termination_code());
    }
    if let Some(application) = &record.application {
        set("streamgate.application", application);
    }
}
