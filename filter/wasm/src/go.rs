//! What Envoy is to do after a callback.

use proxy_wasm::types::Action;

/// Whether Envoy goes on with a request or its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Go {
    On,
    Wait,
    /// The response's headers wait until its body is there, which the filter collects.
    Collect,
}

impl Go {
    /// Envoy's name for holding back headers, body and all, with the origin made to wait
    /// (`FilterHeadersStatus::StopAllIterationAndWatermark`). After a mere pause Envoy goes
    /// on to hand over the body, keeps what the filter does not let through, and turns the
    /// response into an error when that is too much: a segment of a few megabytes.
    pub(crate) const STOP_ALL: u32 = 4;

    /// Envoy's name for taking a piece of a body away
    /// (`FilterDataStatus::StopIterationNoBuffer`). What Envoy keeps for a filter that waits
    /// is bounded by the listener's buffer, and what is put there in the end, too: a response
    /// beyond it becomes an error.
    pub(crate) const KEEP_NOTHING: u32 = 3;

    /// What Envoy takes a callback's answer for.
    pub(crate) const fn to_envoy(self) -> u32 {
        match self {
            Self::On => Action::Continue as u32,
            Self::Wait | Self::Collect => Action::Pause as u32,
        }
    }
}
