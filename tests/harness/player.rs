//! A player reduced to what the edge sees of it: a manifest, one redirect at most,
//! then paths relative to where that led.

use crate::{Answer, Client, eventually};

/// A player of one account on one connection.
#[derive(Debug, Clone)]
pub struct Player {
    client: Client,
    account: String,
    /// Directory of the manifest as it was reached, with a slash at its end.
    base: String,
}

impl Player {
    pub(crate) fn new(client: Client, account: &str) -> Self {
        Self {
            client,
            account: account.to_owned(),
            base: String::new(),
        }
    }

    /// Asks for a manifest and follows one redirect. Relative paths go on from there.
    pub fn open(&mut self, manifest: &str) -> Answer {
        let mut path = manifest.to_owned();
        let mut answer = self.client.get(&path).account(&self.account).send();
        if answer.status == 307 {
            path = answer.header("location").expect("a location").to_owned();
            // Players send their headers along; the token is what counts now.
            answer = self.client.get(&path).account(&self.account).send();
        }
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        self.base = format!("{directory}/");
        answer
    }

    /// Opens a manifest, which has to be allowed.
    #[track_caller]
    pub fn opens(&mut self, manifest: &str) {
        let _ = self.open(manifest).expect(200);
    }

    /// A player that has opened a manifest and plays the first segment.
    #[must_use]
    #[track_caller]
    pub fn playing(mut self, manifest: &str) -> Self {
        self.opens(manifest);
        self.plays();
        self
    }

    /// Asks for something next to the manifest.
    #[must_use]
    pub fn get(&self, relative: &str) -> Answer {
        self.request("GET", relative)
    }

    /// The same with another method.
    #[must_use]
    pub fn request(&self, method: &str, relative: &str) -> Answer {
        let path = self.path(relative);
        self.client
            .request(method, &path)
            .account(&self.account)
            .send()
    }

    /// Asks for a media segment.
    #[must_use]
    pub fn segment(&self) -> Answer {
        self.get("segment-1.m4s")
    }

    /// Asks for media segments until one is refused, which has to be for this reason: a worker
    /// hears at its next tick of a stream that was ended at another.
    #[track_caller]
    pub fn refused(&self, reason: &str) -> Answer {
        let mut answer = self.segment();
        eventually("the worker has heard that the stream was ended", || {
            if answer.status == 200 {
                answer = self.segment();
            }
            answer.status != 200
        });
        answer.expect_refusal(403, reason)
    }

    /// Asks for a media segment, which has to be allowed.
    #[track_caller]
    pub fn plays(&self) {
        let _ = self.segment().expect(200);
    }

    /// The whole path of something next to the manifest, token included.
    #[must_use]
    pub fn path(&self, relative: &str) -> String {
        format!("{}{relative}", self.base)
    }

    /// The token in its paths.
    ///
    /// # Panics
    ///
    /// If it was given none.
    #[must_use]
    pub fn token(&self) -> &str {
        let token = self.base.strip_prefix("/~");
        let token = token.and_then(|rest| rest.split_once('/'));
        token.expect("a token in front of the path").0
    }

    /// The same playback on another connection.
    #[must_use]
    pub fn on(&self, client: &Client) -> Self {
        Self {
            client: client.clone(),
            ..self.clone()
        }
    }
}
