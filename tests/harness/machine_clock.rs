//! The clock of a machine, as Debian's libfaketime lets a test set it: what time it is, not
//! how time passes.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use tempfile::TempDir;

/// A clock that a process goes by.
#[derive(Debug, Clone)]
pub struct MachineClock(Arc<TempDir>);

impl MachineClock {
    /// One that is so many seconds ahead of the true time.
    #[must_use]
    pub fn ahead(seconds: i64) -> Self {
        let clock = Self(Arc::new(tempfile::tempdir().expect("a directory")));
        clock.set_ahead(seconds);
        clock
    }

    /// Sets it so many seconds ahead of the true time, while the process runs.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn set_ahead(&self, seconds: i64) {
        let new = self.0.path().join("new");
        fs::write(&new, format!("{seconds:+}s\n")).expect("to write");
        fs::rename(new, self.file()).expect("to move");
    }

    /// Has a process go by it.
    pub(crate) fn drives(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", library())
            .env("FAKETIME_TIMESTAMP_FILE", self.file())
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_DISABLE_SHM", "1")
            .env("NO_FAKE_STAT", "1");
    }

    fn file(&self) -> PathBuf {
        self.0.path().join("ahead")
    }
}

fn library() -> PathBuf {
    let directories = fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    let found = directories
        .map(|one| one.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists());
    found.expect("no libfaketime; run scripts/setup --tests first")
}
