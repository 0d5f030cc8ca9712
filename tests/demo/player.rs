//! A real player: ffmpeg, playing at the speed of life into nowhere.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::stage::Unexpected;

/// How a player asks for its video.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Protocol {
    Hls,
    Dash,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Hls => "HLS, unmodified",
            Self::Dash => "DASH, with an app that uses the session API",
        })
    }
}

/// A running ffmpeg; killed when dropped.
pub(crate) struct Player(Child);

impl Player {
    /// Starts ffmpeg on a manifest, naming the account in a header.
    pub(crate) fn start(url: &str, account: &str) -> Result<Self, Unexpected> {
        Command::new("ffmpeg")
            .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-re"])
            .args(["-headers", &format!("x-account-id: {account}\r\n")])
            .args(["-i", url, "-c", "copy", "-f", "null", "-"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map(Self)
            .map_err(|error| Unexpected(format!("ffmpeg: {error}")))
    }

    /// Whether it still runs.
    pub(crate) fn plays(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Ends it the hard way (SIGKILL).
    pub(crate) fn kill(mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }

    /// Waits until it gives up; the last line it said.
    pub(crate) fn outcome(mut self, at_most: Duration) -> Result<String, Unexpected> {
        let started = Instant::now();
        while self.plays() {
            if started.elapsed() > at_most {
                return Err(Unexpected(
                    "a player plays that should be refused".to_owned(),
                ));
            }
            sleep(Duration::from_millis(100));
        }
        let mut said = String::new();
        if let Some(stderr) = &mut self.0.stderr {
            let _ = stderr.read_to_string(&mut said);
        }
        let refusal = said.lines().find(|line| line.contains("403"));
        let line = refusal.or_else(|| said.lines().last()).unwrap_or_default();
        // Without the address of the object that speaks, which ffmpeg puts in front.
        let text = line.rsplit_once("] ").map_or(line, |(_, text)| text);
        Ok(text.to_owned())
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
