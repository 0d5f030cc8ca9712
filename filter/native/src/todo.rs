//! What a worker's desk has to say about a request. It goes from there to the request's thread.

use streamgate_core::exchange::{LogEntry, Reply};
use streamgate_core::playback::Scrub;

/// What goes on with a request.
pub(crate) enum Todo {
    /// It goes on as it is.
    Pass,
    /// The same, and the access log is told.
    Tell(LogEntry),
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

/// What goes on with a response.
pub(crate) enum ResponseTodo {
    /// It goes on as it is.
    Pass,
    /// The same, and the access log is told.
    Tell(LogEntry),
    /// It gives way to an answer.
    Reply(Box<Reply>),
    /// The fleet's store was asked.
    Park,
}

/// What becomes of what was parked.
pub(crate) enum Resumption {
    /// The fleet's store has not answered yet.
    Waits,
    /// A panic took what it waited for.
    Lost,
    Request(Todo),
    Response {
        todo: ResponseTodo,
        /// It has no body.
        ends: bool,
    },
}

/// What becomes of a response whose headers are there.
pub(crate) struct Response {
    pub(crate) todo: ResponseTodo,
    /// A header to add.
    pub(crate) renewed: Option<(String, String)>,
    /// Its body is collected.
    pub(crate) is_collected: bool,
}
