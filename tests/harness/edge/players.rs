//! Real players at an edge.

use super::Edge;
use crate::{Demuxers, Program, RealPlayer, ffmpeg, gstreamer};

impl Edge {
    /// ffmpeg, playing a manifest with these headers in each of its requests: a segment
    /// of four seconds each second.
    #[must_use]
    pub fn ffmpeg(&self, manifest: &str, headers: &[(&str, &str)]) -> RealPlayer {
        self.ffmpeg_at(4, manifest, headers)
    }

    /// The same in real time, for live programmes.
    #[must_use]
    pub fn ffmpeg_live(&self, manifest: &str, headers: &[(&str, &str)]) -> RealPlayer {
        self.ffmpeg_at(1, manifest, headers)
    }

    fn ffmpeg_at(&self, rate: u32, manifest: &str, headers: &[(&str, &str)]) -> RealPlayer {
        let player = ffmpeg::ffmpeg(&self.url(manifest), rate, headers);
        RealPlayer::start(player, self.directory.path(), ffmpeg::position)
    }

    /// GStreamer, playing a manifest with these headers in the request for it.
    #[must_use]
    pub fn gstreamer(
        &self,
        demuxers: Demuxers,
        manifest: &str,
        headers: &[(&str, &str)],
    ) -> RealPlayer {
        let player = gstreamer::gstreamer(demuxers, &self.url(manifest), headers);
        RealPlayer::start(player, self.directory.path(), gstreamer::position)
    }

    /// Another player, playing a manifest. It says nowhere how far it has come.
    #[must_use]
    pub fn program(&self, program: Program, manifest: &str) -> RealPlayer {
        self.program_with(program, manifest, &[])
    }

    /// The same, with more on its command line.
    #[must_use]
    pub fn program_with(&self, program: Program, manifest: &str, more: &[&str]) -> RealPlayer {
        let mut player = program.play(&self.url(manifest), self.directory.path());
        player.args(more);
        RealPlayer::start(player, self.directory.path(), |_| None)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}
