//! What one call says, of each subject, and what becomes of it.

use streamgate_policy::Judgement;
use streamgate_policy::activity::Activity;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::CallId;
use super::queue::{Ask, QueueItem};
use crate::WriteId;

/// A call under way.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) call: CallId,
    /// When, by the steady clock.
    pub(super) made_at: Moment,
    pub(super) sent: Vec<Sent>,
    /// It brings the scripts along.
    pub(super) loads: bool,
    /// It reads the shard's eviction feed.
    pub(super) reads_feed: bool,
    pub(super) has_credentials: bool,
    /// It asks the node how it is laid out.
    pub(super) asks_layout: bool,
}

/// What was said about one subject.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) subject: SubjectKey,
    pub(super) kind: SentKind,
    /// The questions, in the order in which they came, as they are answered if the store
    /// agrees.
    pub(super) answered: Vec<AnsweredAsk>,
    /// The copy was dirty: it held something the store was not told.
    pub(super) was_dirty: bool,
    /// It was told before, and that may have got lost.
    pub(super) again: bool,
    pub(super) feed: bool,
    /// How much is expected in answer, at worst, in bytes.
    pub(super) expects: usize,
}

#[derive(Debug)]
pub(super) enum SentKind {
    /// Nothing is written: is the copy up to date?
    Check {
        /// The generation of the subject's slot group before the copy was read, if there is one.
        generation: Option<u32>,
    },
    /// What follows from the questions is written.
    Write {
        id: WriteId,
        /// In the place of this write.
        before: Option<WriteId>,
        activity: Activity,
    },
    /// The copy is written as it is.
    Tell,
}

/// A question as it is answered if the store agrees.
#[derive(Debug)]
pub(super) struct AnsweredAsk {
    pub(super) ask: Ask,
    pub(super) answer: PreparedAnswer,
}

#[derive(Debug)]
pub(super) enum PreparedAnswer {
    Looked,
    Judged(Box<Judgement>),
    /// The edge has no room for another stream.
    Full,
}

impl Sent {
    /// What there is to say again.
    pub(super) fn back(self, was_lost: bool) -> QueueItem {
        let is_told = matches!(self.kind, SentKind::Tell);
        let flushes = is_told || self.was_dirty || self.again;
        QueueItem {
            asks: self
                .answered
                .into_iter()
                .map(|answered| answered.ask)
                .collect(),
            flushes,
            again: self.again || (is_told && was_lost),
            feed: self.feed && flushes,
            found: None,
        }
    }
}
