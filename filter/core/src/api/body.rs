//! What the session API answers with, as JSON.

use serde::Serialize;

use crate::exchange::Answer;
use crate::named::Named;

/// Body of create and heartbeat.
#[derive(Serialize)]
pub(super) struct SessionBody {
    pub(super) session: Session,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Session {
    pub(super) id: String,
    pub(super) url: String,
    pub(super) expires: String,
    pub(super) heartbeat_seconds: u64,
    pub(super) policy_compliant: bool,
    /// How many streams the tightest rule counts that looks at this one; absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) active_streams: Option<u32>,
    /// How many it allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_streams: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) playback_prefix: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) playback_token: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunningStreams {
    pub(super) running_streams: Vec<RunningStream>,
    pub(super) other_streams: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunningStream {
    pub(super) session_id: String,
    pub(super) start_time: u64,
    pub(super) application_id: String,
    pub(super) application_name: String,
    pub(super) termination_code: String,
    pub(super) metadata: Named<String>,
}

/// A problem text (RFC 9457).
#[derive(Serialize)]
pub(super) struct ProblemDetails<'a> {
    pub(super) status: u16,
    pub(super) detail: &'a str,
}

/// An answer with a problem text.
pub(super) fn problem(status: u16, detail: &str) -> Answer {
    Answer::json(
        status,
        "application/problem+json",
        &ProblemDetails { status, detail },
    )
}
