//! Streams that have ended, until they are told to operators.

use streamgate_policy::activity::Activity;
use streamgate_policy::effect::STOPPED;
pub use streamgate_policy::effect::StreamEnd;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

/// The most ends that are kept until they are told, which is at the next tick of a worker.
pub const ENDS_MAX: usize = 50;

/// The streams of a subject that have lapsed by now.
pub(crate) fn lapsed(
    activity: &Activity,
    subject: &SubjectKey,
    now: Moment,
) -> impl Iterator<Item = (SubjectKey, StreamEnd)> {
    let lapsed = activity.lapsed(now).into_iter();
    lapsed.map(|end| (*subject, end))
}

/// Streams that have ended and were not told yet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ends {
    /// The first of them, each with its account.
    pub kept: Vec<(SubjectKey, StreamEnd)>,
    /// How many more there were.
    pub left_out: usize,
}

impl Ends {
    /// An empty one.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            kept: Vec::new(),
            left_out: 0,
        }
    }

    /// One more has ended. Of one that its own application stopped nothing is kept: the call that
    /// did it is told of.
    pub fn add(&mut self, subject: &SubjectKey, end: &StreamEnd) {
        if end.why == STOPPED {
            return;
        }
        if self.kept.len() < ENDS_MAX {
            self.kept.push((*subject, end.clone()));
        } else {
            self.left_out = self.left_out.saturating_add(1);
        }
    }
}
