//! Accounts that watch, and the path tokens of their streams, minted as an edge would.

use std::time::{SystemTime, UNIX_EPOCH};

use streamgate_tokens::signed::{KeyRing, PlaybackToken, SigningKey};
use streamgate_values::attributes::Attributes;
use streamgate_values::limits::Limits;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectHasher;

use crate::surroundings::{SIGNING_KEY, SUBJECT_KEY};

/// For how long tokens are good, in milliseconds.
const TOKEN_LIFETIME_MS: u64 = 12 * 60 * 60 * 1000;

/// What mints the tokens of one run.
pub(crate) struct Viewers {
    ring: KeyRing,
    hasher: SubjectHasher,
}

impl Viewers {
    /// Viewers under the keys of `bench/peers/envoy-streamgate.yaml`.
    pub(crate) fn new() -> Self {
        Self {
            ring: KeyRing::new(SigningKey::new("bench", SIGNING_KEY.as_bytes()), Vec::new()),
            hasher: SubjectHasher::new(SUBJECT_KEY.as_bytes()),
        }
    }

    /// A path below a fresh token, of a stream that starts now: stream number `stream` of
    /// account number `account` of a group.
    pub(crate) fn path(&self, group: &str, account: usize, stream: usize, path: &str) -> String {
        self.path_under("player", (group, account, stream), path)
    }

    /// The same under the policies of this application.
    pub(crate) fn path_under(
        &self,
        application: &str,
        (group, account, stream): (&str, usize, usize),
        path: &str,
    ) -> String {
        let mut random = [0; StreamKey::RANDOM_LEN];
        let number = account as u64 * 16 + stream as u64;
        for (to, from) in random.iter_mut().zip(group.bytes().take(2)) {
            *to = from;
        }
        random[2..].copy_from_slice(&number.to_be_bytes());
        let now = now();
        let token = PlaybackToken {
            subject: self.hasher.subject("bench", &format!("{group}-{account}")),
            stream: StreamKey::mint(now, random),
            application: application.to_owned(),
            scope: String::new(),
            attributes: Attributes::default(),
            limits: Limits::default(),
            expires_at: now.plus_ms(TOKEN_LIFETIME_MS),
        };
        format!("/~{}{path}", token.issue(&self.ring))
    }

    /// The same for each of many streams, so many to an account.
    pub(crate) fn paths(
        &self,
        group: &str,
        streams: usize,
        each: usize,
        path: &str,
    ) -> Vec<String> {
        (0..streams)
            .map(|at| self.path(group, at / each, at % each, path))
            .collect()
    }
}

fn now() -> Moment {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    let ms = since_epoch.expect("a clock").as_millis();
    Moment::from_ms(u64::try_from(ms).expect("a moment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stream_has_a_token_of_its_own_and_all_are_of_one_length() {
        let mut paths = Viewers::new().paths("group", 600, 3, "/vod/1.m4s");
        let len = paths[0].len();
        assert!(paths.iter().all(|path| path.len() == len));
        assert!(
            paths
                .iter()
                .all(|path| path.starts_with("/~") && path.ends_with("/vod/1.m4s"))
        );
        paths.sort();
        paths.dedup();
        assert_eq!(paths.len(), 600);
    }
}
