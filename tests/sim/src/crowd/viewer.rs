//! One viewer of the crowd, and who lives with whom.

use super::Options;
use crate::request::Request;

/// One who watches one stream after the other.
#[derive(Debug, Clone)]
pub(super) struct Viewer {
    /// Among all viewers.
    pub(super) number: u32,
    /// How many streams it has begun.
    pub(super) playback: u16,
    /// The worker its connection is with.
    pub(super) worker: u8,
    /// Its stream is on record.
    pub(super) plays: bool,
}

impl Viewer {
    /// Its account. Of three viewers one lives alone and two share an account.
    const fn account(&self) -> u32 {
        let (household, member) = (self.number / 3, self.number % 3);
        household * 2 + if member == 0 { 0 } else { 1 }
    }

    /// The edge it watches at first: its household's, or for one in ten of those who share an
    /// account another one.
    pub(super) fn home(&self, options: &Options) -> u32 {
        let account = fastrand::Rng::with_seed(u64::from(self.account())).u32(..);
        let away = match self.number % 30 {
            2 => fastrand::Rng::with_seed(u64::from(self.number)).u32(..),
            _ => 0,
        };
        account.wrapping_add(away) % options.edges
    }

    /// The next segment of what it watches.
    pub(super) fn segment(&self) -> Request {
        let Self {
            number, playback, ..
        } = self;
        let film = number % 9973;
        Request::get(format!("/vod/film-{film:04}/1.m4s"))
            .with("x-account-id", format!("household-{:08}", self.account()))
            .with(
                "cmcd-session",
                format!("sid=\"{number:08x}-{playback:04x}\""),
            )
    }
}
