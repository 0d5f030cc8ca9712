//! Players of desktops and command lines, with all that is theirs unchanged. What they have
//! fetched is seen at the origin; none of them says how far it has come.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project;

/// A player that is a program of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// mpv, which takes HLS and DASH apart with ffmpeg's libraries.
    Mpv,
    /// VLC, which has HLS and DASH of its own. It sends no header it is given.
    Vlc,
    /// yt-dlp, which stores what it fetches.
    YtDlp,
}

impl Program {
    /// Where it is.
    fn path(self) -> PathBuf {
        match self {
            Self::Mpv => "mpv".into(),
            Self::Vlc => "vlc".into(),
            Self::YtDlp => project().join(".tools/bin/yt-dlp"),
        }
    }

    /// What it says of its version, in a line.
    #[must_use]
    pub fn version(self) -> String {
        let mut command = Command::new(self.path());
        match self {
            Self::Vlc => as_nobody(&mut command),
            Self::Mpv | Self::YtDlp => &mut command,
        };
        let output = command.arg("--version").output();
        let output = output.expect("scripts/setup --players brings it");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().next().unwrap_or_default().to_owned()
    }

    /// Plays a URL, and shows it to nobody. What is to be stored is stored in a directory.
    pub(crate) fn play(self, url: &str, directory: &Path) -> Command {
        let mut command = Command::new(self.path());
        match self {
            Self::Mpv => command.args(["--no-config", "--vo=null", "--ao=null"]),
            Self::Vlc => as_nobody(&mut command)
                .args(["--intf", "dummy", "--vout", "dummy", "--aout", "dummy"])
                .args(["--no-video-title-show", "--play-and-exit"]),
            Self::YtDlp => command
                .args(["--ignore-config", "--no-cache-dir", "--no-progress"])
                // A file for the picture, and one for the sound.
                .args(["--format", "bestvideo,bestaudio"])
                .args(["--output", "stored.%(format_id)s"])
                .current_dir(directory),
        };
        command.arg(url);
        command
    }
}

/// VLC refuses to run as root, and needs no right that nobody has.
fn as_nobody(command: &mut Command) -> &mut Command {
    const NOBODY: u32 = 65_534;
    if rustix::process::getuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    command.env("HOME", "/nonexistent").current_dir("/")
}
