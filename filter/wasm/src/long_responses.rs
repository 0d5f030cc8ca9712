//! Responses that take long: at each tick, the edge hears how they stand, and says which to cut.

// One function of Envoy's is declared by hand; see `reset_response`.
#![allow(unsafe_code)]

use streamgate_record::fleet::Ticket;

use crate::host;
use crate::worker::Worker;

impl Worker {
    /// Cuts the responses of streams that have lost their place. Their heads are with the
    /// viewers, so nothing can be said any more: HTTP/1 viewers find their connection closed
    /// before the end, others their stream reset, and the access log says why.
    pub(crate) fn cut(&self) {
        if !self.edge.borrow().has_flows() {
            return;
        }
        let status = |Ticket(context)| host::act_for(context).then(status_so_far).flatten();
        let cuts = self.edge.borrow_mut().cuts(&self.envoy, status);
        for cut in &cuts {
            let Ticket(context) = cut.ticket;
            if host::act_for(context) {
                if let Some(log_entry) = &cut.log_entry {
                    crate::log::tell(log_entry);
                }
                reset_response();
            }
        }
        host::act_for(self.root);
    }
}

/// The response's status as Envoy has noted it, after its headers have gone; `None` before.
fn status_so_far() -> Option<u16> {
    let status = host::property(vec!["response", "code"])?;
    let status = status.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    u16::try_from(status?).ok()
}

/// Breaks off the response that is acted for.
fn reset_response() {
    const HTTP_RESPONSE: u32 = 1;
    // SAFETY: takes and returns a number.
    let _ = unsafe { proxy_close_stream(HTTP_RESPONSE) };
}

#[link(wasm_import_module = "env")]
unsafe extern "C" {
    /// The SDK's own call traps where Envoy does not do it.
    fn proxy_close_stream(kind: u32) -> u32;
}
