//! A real player: ffmpeg, that plays a manifest and throws the pictures away.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{awaited, eventually};

/// How much faster than real time it plays: a segment of four seconds each second.
const RATE: &str = "4";

/// A running ffmpeg; killed when it goes.
#[derive(Debug)]
pub struct Ffmpeg {
    process: Child,
    log: PathBuf,
    progress: PathBuf,
}

impl Ffmpeg {
    pub(crate) fn start(url: &str, headers: &[(&str, &str)], directory: &Path) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let log = directory.join(format!("ffmpeg-{number}.log"));
        let progress = directory.join(format!("ffmpeg-{number}.progress"));
        let headers: String = headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let process = Command::new("ffmpeg")
            .args(["-nostdin", "-hide_banner", "-loglevel", "info"])
            .args(["-stats_period", "0.2", "-progress"])
            .arg(&progress)
            .args(["-readrate", RATE])
            .args(["-headers", &headers])
            .args(["-i", url])
            // Every rendition, and nothing is decoded: a player's requests at a
            // fraction of its cost.
            .args(["-map", "0", "-codec", "copy", "-f", "null", "-"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).expect("a log"))
            .spawn()
            .expect("to run ffmpeg");
        Self {
            process,
            log,
            progress,
        }
    }

    /// Waits until it has played something.
    #[track_caller]
    pub fn assert_plays(&mut self) {
        let before = self.played_us();
        let mut ended = None;
        eventually("ffmpeg plays or ends", || {
            ended = self.process.try_wait().expect("to wait");
            ended.is_some() || self.played_us() > before
        });
        assert_eq!(ended, None, "ffmpeg has ended:\n{}", self.output());
    }

    /// Waits until it has ended, and says whether it did so without an error.
    #[must_use]
    pub fn ends_well(&mut self) -> bool {
        awaited("ffmpeg ends", || self.process.try_wait().expect("to wait")).success()
    }

    /// All it wrote.
    #[must_use]
    pub fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// How far it has come, in microseconds of the programme.
    fn played_us(&self) -> u64 {
        let progress = fs::read_to_string(&self.progress).unwrap_or_default();
        let values = progress
            .lines()
            .filter_map(|line| line.strip_prefix("out_time_us="));
        values
            .filter_map(|us| us.parse().ok())
            .next_back()
            .unwrap_or(0)
    }

    /// Kills it: no goodbye, as when a television is switched off.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        self.kill();
    }
}
