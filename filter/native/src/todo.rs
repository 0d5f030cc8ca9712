//! What a worker's desk has to say about a request. It goes from there to the request's thread.

use streamgate_core::exchange::{Record, Reply};
use streamgate_core::playback::Scrub;

/// What goes on with a request, or with its response.
pub(crate) enum Todo {
    /// It goes on as it is.
    Pass,
    /// The same, and the access log is told.
    Tell(Record),
    /// It goes on to the origin.
    Forward {
        strip: usize,
        scrub: Scrub,
        /// Its response is awaited.
        awaited: bool,
    },
    /// Its body is awaited.
    AwaitBody,
    /// It is answered.
    Reply(Box<Reply>),
    /// The fleet's store was asked.
    Park,
}

/// What becomes of a response whose headers are there.
pub(crate) struct Response {
    pub(crate) todo: Todo,
    /// A header to add.
    pub(crate) renewed: Option<(String, String)>,
    /// Its body is collected.
    pub(crate) is_collected: bool,
}
