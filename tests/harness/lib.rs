//! A real Envoy with the filter, an origin behind it, and those who watch: what the
//! end-to-end tests and the demo are written with.
//!
//! ```text
//! let edge = Edge::start(Settings::default());
//! let session = edge.app("demo-tv").start("alice");
//! edge.player("alice").opens("/vod/film/master.m3u8");
//! ```
//!
//! Everything blocks: a test reads from top to bottom.

mod access_token;
mod app;
mod body;
mod browser;
mod certificates;
mod collector;
mod crowd;
mod edge;
mod faulty_link;
mod fetch;
mod ffmpeg;
mod file_server;
mod fleet;
mod gstreamer;
mod http;
mod jwt;
mod live;
mod machine_clock;
mod noise;
mod origin;
mod page;
mod player;
mod ports;
mod programs;
mod prometheus;
mod real_player;
mod run_envoy;
mod sample_urls;
mod settings;
mod shared_envoy;
mod statistics;
mod store_cluster;
mod turns;
mod usage;
mod valkey;
mod valkey_settings;
mod wait;
mod wire;

pub use access_token::AccessToken;
pub use app::{App, Creation, Session};
pub use browser::{Browser, Opening, Shown, Tab, WebPlayer};
pub use collector::{Collector, LogRecord};
pub use crowd::Crowd;
pub use edge::{Edge, Lds};
pub use faulty_link::{Fault, FaultyLink};
pub use fetch::{Fetch, Fetched, Version};
pub use file_server::FileServer;
pub use fleet::Fleet;
pub use gstreamer::Demuxers;
pub use http::{Answer, Client, Request, raw};
pub use jwt::Jwt;
pub use machine_clock::MachineClock;
pub use noise::Noise;
pub use origin::{Given, Origin, Seen};
pub use player::Player;
pub use ports::free_port;
pub use programs::Program;
pub use prometheus::{Prometheus, Sample};
pub use real_player::RealPlayer;
pub use sample_urls::Urls;
pub use settings::{IDP, Settings, secret_of, signing_key, subject_key};
pub use statistics::statistic;
pub use turns::Busy;
pub use valkey::{Reply, Valkey};
pub use valkey_settings::ValkeySettings;
pub use wait::{awaited, awaited_within, eventually, eventually_within};
pub use wire::Wire;

use std::path::{Path, PathBuf};

/// The project's directory.
#[must_use]
pub fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// The filter, as `scripts/build` leaves it.
#[must_use]
pub fn wasm() -> PathBuf {
    there("build/streamgate.wasm", "scripts/build")
}

/// The filter as a native module, as `scripts/native` leaves it.
#[must_use]
pub fn native() -> PathBuf {
    there("build/libstreamgate.so", "scripts/native")
}

/// The same with panics that requests ask for.
#[must_use]
pub fn panicking() -> PathBuf {
    there("build/libstreamgate-panics.so", "scripts/native --panics")
}

/// The directory that holds `vod/sample/`, as `scripts/sample-video` leaves it.
#[must_use]
pub fn sample() -> PathBuf {
    there("build/sample", "scripts/sample-video")
}

/// The same directory with `vod/packagings/` in it, as `scripts/sample-packagings`
/// leaves it.
#[must_use]
pub fn packagings() -> PathBuf {
    let _ = there("build/sample/vod/packagings", "scripts/sample-packagings");
    sample()
}

/// The same directory with `vod/live/` in it, as `scripts/sample-live` leaves it: what is
/// broadcast below `/vod/live/<channel>/`.
#[must_use]
pub fn live() -> PathBuf {
    let _ = there("build/sample/vod/live", "scripts/sample-live");
    sample()
}

/// Envoy itself, as `scripts/setup` leaves it.
#[must_use]
pub fn envoy() -> PathBuf {
    there(".tools/bin/envoy", "scripts/setup")
}

/// The Node that `scripts/setup` left, or the machine's own.
#[must_use]
pub fn node() -> PathBuf {
    let ours = project().join(".tools/bin/node");
    if ours.exists() { ours } else { "node".into() }
}

fn there(path: &str, made_by: &str) -> PathBuf {
    let full = project().join(path);
    full.canonicalize()
        .unwrap_or_else(|_| panic!("there is no {path}; run {made_by} first"))
}
