//! A call as it was understood.

use std::sync::Arc;

use streamgate_policy::Application;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use crate::request::viewer::Proof;

/// What a call wishes for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CallWish {
    Create(StreamKey),
    Heartbeat(StreamKey),
    Stop(StreamKey),
    RunningStreams,
}

/// A call as it was understood.
#[derive(Debug, Clone)]
pub(crate) struct Understood {
    pub(super) wish: CallWish,
    pub(super) application: Arc<Application>,
    pub(super) account_path: String,
    pub(super) subject: SubjectKey,
    /// What the application calls the device.
    pub(super) device: Option<String>,
    pub(super) proof: Proof,
    pub(super) logged_path: String,
    pub(super) languages: String,
}
