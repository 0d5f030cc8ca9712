//! A real player's process: started, watched and killed alike, whichever player it is.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::{awaited, eventually};

/// A running player that throws away what it plays; killed when it goes.
#[derive(Debug)]
pub struct RealPlayer {
    process: Child,
    /// What it wrote to its error output.
    log: PathBuf,
    /// What it wrote to its output: how far it has come.
    progress: PathBuf,
    position: Position,
}

/// How far a player has come according to a line of its output, in whatever unit.
pub(crate) type Position = fn(&str) -> Option<u64>;

impl RealPlayer {
    pub(crate) fn start(mut command: Command, directory: &Path, position: Position) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let log = directory.join(format!("player-{number}.log"));
        let progress = directory.join(format!("player-{number}.progress"));
        let process = command
            .stdin(Stdio::null())
            .stdout(File::create(&progress).expect("a file"))
            .stderr(File::create(&log).expect("a log"))
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}; run scripts/setup --tests"));
        Self {
            process,
            log,
            progress,
            position,
        }
    }

    /// Waits until it has played something more.
    #[track_caller]
    pub fn assert_plays(&mut self) {
        let before = self.position();
        let mut ended = None;
        eventually("the player plays or ends", || {
            ended = self.process.try_wait().expect("to wait");
            ended.is_some() || self.position() > before
        });
        assert_eq!(ended, None, "the player has ended:\n{}", self.output());
    }

    /// Waits until it has ended, and says whether it did so without an error.
    #[must_use]
    pub fn ends_well(&mut self) -> bool {
        let ended = || self.process.try_wait().expect("to wait");
        awaited("the player ends", ended).success()
    }

    /// Whether it has ended, well or not.
    #[must_use]
    pub fn has_ended(&mut self) -> bool {
        self.process.try_wait().expect("to wait").is_some()
    }

    /// All its messages.
    #[must_use]
    pub fn output(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    fn position(&self) -> u64 {
        let progress = fs::read_to_string(&self.progress).unwrap_or_default();
        let mut positions = progress.lines().filter_map(self.position);
        positions.next_back().unwrap_or(0)
    }

    /// Kills it: no goodbye, as when a television is switched off.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Drop for RealPlayer {
    fn drop(&mut self) {
        self.kill();
    }
}
