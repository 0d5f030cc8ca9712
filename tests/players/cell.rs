//! One player, one protocol, one way to write URLs.

use std::fmt;
use std::thread::sleep;
use std::time::{Duration, Instant};

use streamgate_tests::{Browser, Edge, RealPlayer, Settings, Tab, Urls, sample};

use crate::roster::{Kind, Protocol, Roster};

/// How long a player may take until it has fetched enough.
const PATIENCE: Duration = Duration::from_secs(40);

/// What became of a player.
pub(crate) struct Cell {
    /// How many streams the edge counted.
    streams: u64,
    /// It has fetched of the picture and of the sound what it had to.
    has_played: bool,
    /// It was refused somewhere.
    refusals: u64,
}

/// Keeps what plays alive.
enum Playing<'a> {
    Tab(Tab<'a>),
    Process(RealPlayer),
}

impl Playing<'_> {
    fn has_ended(&mut self) -> bool {
        match self {
            Self::Tab(_) => false,
            Self::Process(player) => player.has_ended(),
        }
    }
}

impl Cell {
    /// Lets it play.
    pub(crate) fn measure(
        entry: &Roster,
        protocol: Protocol,
        urls: Urls,
        browser: &Browser,
    ) -> Self {
        let edge = edge();
        edge.writes_sample_urls(urls);
        let manifest = match protocol {
            Protocol::Hls => "/vod/sample/master.m3u8",
            Protocol::Dash => "/vod/sample/manifest.mpd",
        };
        let mut playing = match entry.kind {
            Kind::Web(player) => Playing::Tab(browser.open(player, &edge, manifest).go()),
            Kind::Ffmpeg => Playing::Process(edge.ffmpeg(manifest, &[])),
            Kind::GStreamer(demuxers) => Playing::Process(edge.gstreamer(demuxers, manifest, &[])),
            Kind::Program(program) => Playing::Process(edge.program(program, manifest)),
        };
        let started = Instant::now();
        while !has_enough(&edge) && !playing.has_ended() && started.elapsed() < PATIENCE {
            sleep(Duration::from_millis(100));
        }
        let cell = Self {
            streams: edge.metric("starts"),
            has_played: has_enough(&edge),
            refusals: refusals(&edge),
        };
        match playing {
            Playing::Tab(tab) => tab.close(),
            Playing::Process(mut player) => {
                player.kill();
                if !cell.is_one_stream() {
                    eprintln!("{}\n{}", edge.access_log(), player.output());
                }
            }
        }
        cell
    }

    /// Whether it is as it should be.
    pub(crate) fn is_one_stream(&self) -> bool {
        self.streams == 1 && self.has_played
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.streams)?;
        if self.refusals > 0 {
            write!(f, ", refused {} times", self.refusals)?;
        }
        match self.has_played {
            true => Ok(()),
            false => write!(f, ", does not play"),
        }
    }
}

/// An edge where the account is one that an earlier hop has found out, so that each player
/// comes as it is, and where ten streams may play: more than one are counted, not refused.
fn edge() -> Edge {
    let settings = Settings::default().with("/policies/0/rules/0/max", 10);
    Edge::start(settings.serving(sample()).signed_in("alice"))
}

/// Whether the third segment of the picture and of the sound was asked for.
fn has_enough(edge: &Edge) -> bool {
    let paths = edge.origin.paths();
    let has = |file: &str| paths.iter().any(|path| path.contains(file));
    has("/segment-2-003") && (has("/segment-0-003") || has("/segment-1-003"))
}

/// How many requests the edge refused, whatever for.
fn refusals(edge: &Edge) -> u64 {
    let log = edge.access_log();
    let lines = log.lines().filter(|line| line.contains("\"refusal\""));
    lines.count() as u64
}
