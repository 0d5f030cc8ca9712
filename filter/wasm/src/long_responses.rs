//! Responses that take long: at each tick, the edge hears how they stand, and says which to cut.

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
        let status = |Ticket(context)| host::act_for(context).then(host::status_so_far).flatten();
        let cuts = self.edge.borrow_mut().cuts(&self.envoy, status);
        for cut in &cuts {
            let Ticket(context) = cut.ticket;
            if host::act_for(context) {
                crate::log::record(&cut.record);
                host::reset_response();
            }
        }
        host::act_for(self.root);
    }
}
