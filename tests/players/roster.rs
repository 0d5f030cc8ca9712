//! Who plays.

use std::process::Command;

use streamgate_tests::{Demuxers, Program, WebPlayer, node, project};

/// What a player is asked to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    Hls,
    Dash,
}

/// What kind of player it is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Web(WebPlayer),
    Ffmpeg,
    GStreamer(Demuxers),
    Program(Program),
}

/// A player, and what it plays.
pub(crate) struct Roster {
    pub(crate) kind: Kind,
    name: &'static str,
    pub(crate) protocols: &'static [Protocol],
}

const BOTH: &[Protocol] = &[Protocol::Hls, Protocol::Dash];

/// All of them.
pub(crate) const fn all() -> [Roster; 10] {
    const fn one(kind: Kind, name: &'static str, protocols: &'static [Protocol]) -> Roster {
        Roster {
            kind,
            name,
            protocols,
        }
    }
    [
        one(Kind::Web(WebPlayer::HlsJs), "hls.js", &[Protocol::Hls]),
        one(Kind::Web(WebPlayer::Shaka), "Shaka Player", BOTH),
        one(Kind::Web(WebPlayer::DashJs), "dash.js", &[Protocol::Dash]),
        one(
            Kind::Web(WebPlayer::Native),
            "Chromium's own",
            &[Protocol::Hls],
        ),
        one(Kind::Ffmpeg, "ffmpeg", BOTH),
        one(Kind::Program(Program::Mpv), "mpv", BOTH),
        one(Kind::Program(Program::Vlc), "VLC", BOTH),
        one(Kind::Program(Program::YtDlp), "yt-dlp", BOTH),
        one(
            Kind::GStreamer(Demuxers::First),
            "GStreamer, hlsdemux and dashdemux",
            BOTH,
        ),
        one(
            Kind::GStreamer(Demuxers::Second),
            "GStreamer, hlsdemux2 and dashdemux2",
            BOTH,
        ),
    ]
}

impl Roster {
    /// Whether it is called so on the command line: by part of its name, in any case.
    pub(crate) fn is(&self, wanted: &str) -> bool {
        let name = self.name.to_ascii_lowercase();
        name.contains(&wanted.to_ascii_lowercase())
    }

    /// Its name, and its version.
    pub(crate) fn title(&self) -> String {
        let version = match self.kind {
            Kind::Web(WebPlayer::HlsJs) => of_package("hls.js"),
            Kind::Web(WebPlayer::Shaka) => of_package("shaka-player"),
            Kind::Web(WebPlayer::DashJs) => of_package("dashjs"),
            Kind::Web(WebPlayer::Native) => said("/usr/bin/chromium", "--version"),
            Kind::Ffmpeg => said("ffmpeg", "-version"),
            Kind::GStreamer(_) => said("gst-launch-1.0", "--version"),
            Kind::Program(program) => program.version(),
        };
        let is_number = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
        let version = version.split_whitespace().find(is_number).unwrap_or("?");
        // Debian adds its own.
        let version = version.split(['-', '+']).next().unwrap_or_default();
        format!("{} {version}", self.name)
    }
}

/// The first line that a program writes of its version.
fn said(program: &str, option: &str) -> String {
    let output = Command::new(program).arg(option).output();
    let output = output.expect("scripts/setup --players brings it");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.lines().next().unwrap_or_default().to_owned()
}

/// The version of a package of the web.
fn of_package(name: &str) -> String {
    let at = project().join(format!("tests/browser/node_modules/{name}/package.json"));
    let version = format!("require({:?}).version", at.display().to_string());
    let output = Command::new(node()).args(["-p", &version]).output();
    String::from_utf8_lossy(&output.expect("to run Node").stdout).into_owned()
}
