//! Answers of the door that leave no line in the log.

use super::json::Json;
use crate::exchange::{Answer, Reply};
use crate::step::Step;

/// The answer to what cannot be read.
pub(super) fn malformed(detail: &str) -> Answer {
    wrong(400, detail)
}

/// The answer to what cannot be done, and why.
pub(super) fn wrong(status: u16, detail: &str) -> Answer {
    Json::answer(status, |json| {
        json.number("status", status.into());
        json.text("detail", detail);
    })
}

/// An answer that changes nothing leaves no line.
pub(super) fn unlogged(answer: Answer, logged_path: &str) -> Step {
    Step::Reply(Reply {
        answer,
        logged_path: Some(logged_path.as_bytes().to_vec()),
        log_entry: None,
    })
}
