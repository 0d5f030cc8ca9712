//! One player and what it asks.

use serde_json::Value;
use streamgate_core::exchange::Answer;

use crate::edge::Outcome;
use crate::request::Request;
use crate::settings::IDP;

/// How a player is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// It names its playback itself (CMCD).
    OwnId,
    /// Its manifest request is redirected under a token.
    Redirect,
    /// Its app creates a session and plays under the token it is given.
    Session,
}

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::OwnId, Self::Redirect, Self::Session];
}

/// What a player has asked for and has not been told yet, or last was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Manifest,
    Create,
    Segment,
    Heartbeat,
    Stop,
}

/// How it stands with a player.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It has nothing.
    Idle,
    /// It has what it needs to ask for segments.
    Plays,
    /// It waits for what it asked for.
    Waits { plays: bool, since_ms: u64 },
}

/// What an answer comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
    Yes,
    /// It is to come again.
    Later,
    /// The status and why.
    No(u16, String),
}

/// One player.
#[derive(Debug)]
pub(super) struct Viewer {
    pub(super) account: usize,
    /// Newcomers are refused where its account is full; otherwise they push out the oldest.
    pub(super) refuses_newcomers: bool,
    pub(super) edge: usize,
    pub(super) worker: usize,
    pub(super) way: Way,
    pub(super) standing: Standing,
    pub(super) wish: Wish,
    /// When a segment was last let through, in milliseconds.
    pub(super) served_ms: u64,
    application: &'static str,
    id: String,
    playback: u32,
    /// What stands in front of its paths.
    prefix: String,
    session: Option<String>,
}

impl Viewer {
    pub(super) fn new(
        account: usize,
        application: &'static str,
        way: Way,
        edge: usize,
        worker: usize,
        id: String,
    ) -> Self {
        Self {
            account,
            refuses_newcomers: application == "vod",
            edge,
            worker,
            way,
            standing: Standing::Idle,
            wish: Wish::Segment,
            served_ms: 0,
            application,
            id,
            playback: 0,
            prefix: String::new(),
            session: None,
        }
    }

    /// What it needs first to play something.
    pub(super) const fn first_wish(&self) -> Wish {
        match self.way {
            Way::OwnId => Wish::Segment,
            Way::Redirect => Wish::Manifest,
            Way::Session => Wish::Create,
        }
    }

    /// It gives up what it has: next time it plays something else.
    pub(super) fn leaves(&mut self) {
        self.standing = Standing::Idle;
        self.playback += 1;
        self.prefix.clear();
        self.session = None;
    }

    /// Its request came to nothing: it stands as before.
    pub(super) fn waits_no_longer(&mut self) {
        if let Standing::Waits { plays, .. } = self.standing {
            self.standing = match plays {
                true => Standing::Plays,
                false => Standing::Idle,
            };
        }
    }

    /// It has played something before, or tried to.
    pub(super) const fn has_left(&self) -> bool {
        self.playback > 0
    }

    pub(super) const fn has_session(&self) -> bool {
        self.session.is_some()
    }

    /// The request for what it wishes.
    pub(super) fn request(&self, account: &str) -> Request {
        let Self {
            application,
            prefix,
            ..
        } = self;
        let session = self.session.clone().unwrap_or_default();
        match self.wish {
            Wish::Manifest => Request::get(format!("/{application}/film/master.m3u8"))
                .with("x-account-id", account),
            Wish::Create => {
                let path = format!("/v2/sessions/{IDP}/{account}");
                Request::call("POST", path, application)
            }
            Wish::Heartbeat => Request::call("POST", session, application),
            Wish::Stop => Request::call("DELETE", session, application),
            Wish::Segment => {
                let segment = Request::get(format!("{prefix}/{application}/film/1.m4s"));
                match self.way {
                    Way::OwnId => segment.with("x-account-id", account).with(
                        "cmcd-session",
                        format!("sid=\"{}-{}\"", self.id, self.playback),
                    ),
                    Way::Redirect | Way::Session => segment,
                }
            }
        }
    }

    /// Takes note of what it was told.
    pub(super) fn told(&mut self, outcome: Outcome, now_ms: u64) -> Told {
        let told = match (self.wish, outcome) {
            (Wish::Segment, Outcome::Served) => {
                self.served_ms = now_ms;
                Told::Yes
            }
            (_, Outcome::Served) => Told::No(200, "no answer".to_owned()),
            (Wish::Manifest, Outcome::Answered(answer)) if answer.status == 307 => {
                let location = answer.header("location").expect("where to");
                let end = location[1..].find('/').expect("a path") + 1;
                self.prefix = location[..end].to_owned();
                Told::Yes
            }
            (Wish::Create, Outcome::Answered(answer)) if answer.status == 202 => {
                let body: Value = serde_json::from_slice(&answer.body).expect("JSON");
                let text = |name: &str| body["session"][name].as_str().expect("text").to_owned();
                self.prefix = text("playbackPrefix");
                self.session = Some(text("url"));
                Told::Yes
            }
            (Wish::Heartbeat | Wish::Stop, Outcome::Answered(answer)) if answer.status == 202 => {
                Told::Yes
            }
            (_, Outcome::Answered(answer)) if answer.status == 503 => Told::Later,
            (_, Outcome::Answered(answer)) => Told::No(answer.status, reason(&answer)),
        };
        match (&told, self.wish) {
            (Told::Yes, Wish::Stop) | (Told::No(..), _) => self.leaves(),
            (Told::Yes, _) => self.standing = Standing::Plays,
            (Told::Later, _) => self.waits_no_longer(),
        }
        told
    }
}

fn reason(answer: &Answer) -> String {
    let reason = answer.header("x-streamgate-reason");
    let body = || String::from_utf8_lossy(&answer.body).into_owned();
    reason.map_or_else(body, str::to_owned)
}
