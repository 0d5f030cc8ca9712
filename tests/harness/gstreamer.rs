//! GStreamer as a player, in real time: televisions and set-top boxes play with it.
//! It fetches and takes apart, and decodes nothing.

use std::process::Command;

/// Which of GStreamer's HLS, DASH and Smooth players. Both are in use: they fetch in
/// different ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demuxers {
    /// `hlsdemux`, `dashdemux`, `mssdemux`: a segment ahead.
    First,
    /// `hlsdemux2`, `dashdemux2`, `mssdemux2`, preferred since 1.22: they fetch by
    /// themselves, half a minute ahead.
    Second,
}

/// Plays a URL, with these headers in the request for the manifest: GStreamer does not
/// send them on with the others.
pub(crate) fn gstreamer(demuxers: Demuxers, url: &str, headers: &[(&str, &str)]) -> Command {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!(",{name}=(string){value}"))
        .collect();
    let mut command = Command::new("gst-launch-1.0");
    command
        .args(["--quiet", "souphttpsrc"])
        .arg(format!("location={url}"))
        .arg(format!("extra-headers=headers{headers}"))
        .args(["!", "parsebin", "name=streams"])
        .args(["streams.", "!", "queue"])
        .args(["!", "progressreport", "update-freq=1"])
        .args(["!", "fakesink", "sync=true"])
        .args(["streams.", "!", "queue", "!", "fakesink", "sync=true"]);
    if demuxers == Demuxers::First {
        let without = "hlsdemux2:NONE,dashdemux2:NONE,mssdemux2:NONE";
        command.env("GST_PLUGIN_FEATURE_RANK", without);
    }
    command
}

/// In seconds, of a line such as `progressreport0 (00:00:47): 46 / 120 seconds (38.3 %)`.
pub(crate) fn position(line: &str) -> Option<u64> {
    let (_, position) = line.split_once("): ")?;
    position.split(' ').next()?.parse().ok()
}
