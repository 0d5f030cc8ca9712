//! ffmpeg as a player: it plays a manifest and throws the pictures away.

use std::process::Command;

/// Plays a URL so many times faster than real time, with these headers in each request.
pub(crate) fn ffmpeg(url: &str, rate: u32, headers: &[(&str, &str)]) -> Command {
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-hide_banner", "-loglevel", "info"])
        .args(["-stats_period", "0.2", "-progress", "pipe:1"])
        .args(["-readrate", &rate.to_string()])
        .args(["-headers", &headers])
        .args(["-i", url])
        // Every rendition, and nothing is decoded: a player's requests at a
        // fraction of its cost.
        .args(["-map", "0", "-codec", "copy", "-f", "null", "-"]);
    command
}

/// In microseconds of the programme.
pub(crate) fn position(line: &str) -> Option<u64> {
    line.strip_prefix("out_time_us=")?.parse().ok()
}
