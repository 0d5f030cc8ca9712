//! The clock of a machine, for one process: what time it is, not how time passes.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

/// What a process is loaded with that goes by such a clock.
const SOURCE: &str = include_str!("machine_clock.c");

/// A clock that a process goes by.
#[derive(Debug, Clone)]
pub struct MachineClock(Arc<TempDir>);

impl MachineClock {
    /// One that is so many seconds ahead of the true time.
    ///
    /// # Panics
    ///
    /// If the C compiler that `scripts/setup` leaves cannot make it.
    #[must_use]
    pub fn ahead(seconds: i64) -> Self {
        let clock = Self(Arc::new(tempfile::tempdir().expect("a directory")));
        fs::write(clock.file("ahead"), seconds.to_ne_bytes()).expect("to write");
        fs::write(clock.file("clock.c"), SOURCE).expect("to write");
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"])
            .args([clock.file("clock.so"), clock.file("clock.c")])
            .status();
        assert!(made.expect("to run cc").success());
        clock
    }

    /// Sets it so many seconds ahead of the true time, while the process runs.
    ///
    /// # Panics
    ///
    /// If that cannot be written.
    pub fn set_ahead(&self, seconds: i64) {
        let file = File::options().write(true).open(self.file("ahead"));
        let written = file.and_then(|file| file.write_all_at(&seconds.to_ne_bytes(), 0));
        written.expect("to write");
    }

    /// Has a process go by it.
    pub(crate) fn drives(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", self.file("clock.so"))
            .env("MACHINE_CLOCK", self.file("ahead"));
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }
}
