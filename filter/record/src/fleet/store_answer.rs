//! What the store answers to a call.

use streamgate_policy::activity::Activity;
use streamgate_values::compact::Reader;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::resp::{NoReply, Replies, StoreReply};
use super::script::{FEED_READ, GREET, SWAP};
use super::sent::Batch;
use crate::metric::Metric;
use crate::{WriteId, copy};

/// What a call's answer begins with.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Greeting<'a> {
    /// What time it was at the store.
    pub(super) time: Moment,
    /// Since when the shard remembers.
    pub(super) since: Moment,
    /// Where to go on in the eviction feed, if they were read, and whose streams they are about.
    pub(super) feed: Option<(&'a [u8], Vec<SubjectKey>)>,
}

/// Why a call as a whole came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    Unreachable,
    Timeout,
    Protocol,
    /// The scripts are not there (any more).
    NoScript,
    Auth,
    Full,
    Other,
}

impl From<NoReply> for Failure {
    fn from(_: NoReply) -> Self {
        Self::Protocol
    }
}

impl Failure {
    /// The counter it adds to.
    pub(super) const fn metric(self) -> Metric {
        match self {
            Self::Unreachable => Metric::FleetErrorsUnreachable,
            Self::Timeout => Metric::FleetErrorsTimeout,
            Self::Protocol => Metric::FleetErrorsProtocol,
            Self::Auth => Metric::FleetErrorsAuth,
            Self::Full => Metric::FleetErrorsFull,
            Self::NoScript | Self::Other => Metric::FleetErrorsOther,
        }
    }

    /// What an error reply means, by its first word.
    pub(super) fn of(error: &[u8]) -> Self {
        let word = error.split(|byte| *byte == b' ').next().unwrap_or_default();
        match word {
            b"NOSCRIPT" => Self::NoScript,
            b"NOAUTH" | b"WRONGPASS" | b"NOPERM" => Self::Auth,
            b"OOM" => Self::Full,
            _ => Self::Other,
        }
    }
}

impl Batch {
    /// Reads an answer up to where what was said about subjects is answered.
    pub(super) fn greeting<'a>(&self, replies: &mut Replies<'a>) -> Result<Greeting<'a>, Failure> {
        if self.has_credentials
            && let StoreReply::Error(_) = replies.next()?
        {
            return Err(Failure::Auth);
        }
        if self.loads {
            for _ in [GREET, SWAP] {
                if let StoreReply::Error(error) = replies.next()? {
                    return Err(Failure::of(error));
                }
            }
        }
        match replies.next()? {
            StoreReply::Bytes(bytes) => self.read_greeting(bytes).ok_or(Failure::Protocol),
            StoreReply::Error(error) => Err(Failure::of(error)),
            StoreReply::Number(_) => Err(Failure::Protocol),
        }
    }

    fn read_greeting<'a>(&self, bytes: &'a [u8]) -> Option<Greeting<'a>> {
        let mut reader = Reader::new(bytes);
        let time = reader.moment()?;
        let since = reader.moment()?;
        if !self.reads_feed {
            return reader.is_empty().then_some(Greeting {
                time,
                since,
                feed: None,
            });
        }
        let length = usize::from(reader.byte()?);
        let cursor = reader.slice(length)?;
        let mut subjects = Vec::new();
        while !reader.is_empty() {
            // More than were asked for.
            if subjects.len() >= FEED_READ {
                return None;
            }
            subjects.push(SubjectKey::from_bytes(reader.array()?));
        }
        Some(Greeting {
            time,
            since,
            feed: Some((cursor, subjects)),
        })
    }
}

/// What the store says of one subject.
#[derive(Debug)]
pub(super) enum StoreAnswer {
    /// It was as expected.
    Done,
    /// There is another record, or none.
    Another(Activity, Option<WriteId>),
    /// It failed.
    Failed(Failure),
}

/// Reads what the store says of the next subject.
pub(super) fn store_answer(replies: &mut Replies<'_>, now: Moment) -> Result<StoreAnswer, NoReply> {
    Ok(match replies.next()? {
        StoreReply::Number(_) => StoreAnswer::Done,
        StoreReply::Bytes(b"") => StoreAnswer::Another(Activity::default(), None),
        StoreReply::Bytes(record) => {
            let mut reader = Reader::new(record);
            let id = reader.array().map(WriteId);
            let activity = copy::activity_in(reader.rest());
            // What cannot be read is as good as empty, and written over.
            let mut activity = activity.unwrap_or_default();
            activity.prune(now);
            StoreAnswer::Another(activity, id)
        }
        StoreReply::Error(error) => StoreAnswer::Failed(Failure::of(error)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn an_error_is_known_by_its_first_word() {
        for (error, failure) in [
            (&b"NOSCRIPT No matching script"[..], Failure::NoScript),
            (b"NOAUTH Authentication required.", Failure::Auth),
            (b"WRONGPASS invalid username-password pair", Failure::Auth),
            (b"NOPERM this user has no permissions", Failure::Auth),
            (b"OOM command not allowed", Failure::Full),
            (b"LOADING Valkey is loading", Failure::Other),
            (b"", Failure::Other),
        ] {
            assert_eq!(Failure::of(error), failure);
        }
    }
}
