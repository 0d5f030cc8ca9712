//! What can be seen of an account from outside: who plays, since when, and whether a refusal was
//! right.
//!
//! An account is over its limit at a moment if more of its players than may play were served before it
//! and after it. Whoever is refused has to make room for as many others as may play, and who
//! is not let in has to find as many there: streams that play, or that may be believed to.

use core::fmt;

use streamgate_policy::activity::ENDED_KEPT_MAX;

use super::options::Options;
use super::viewer::{Viewer, Way, Wish};
use super::world::BEGIN_MS;

/// By how much what is seen from outside is late, in milliseconds: the ways of an answer, and two ticks.
const SEEN_WITHIN_MS: u64 = 1_000;

/// A stream as its player knows it, or what may have become one.
struct Seen {
    viewer: usize,
    /// Newcomers are refused rather than that others are pushed out.
    refuses_newcomers: bool,
    /// It did not start before.
    asked_ms: u64,
    /// It had started by then, if it did.
    began_ms: Option<u64>,
    /// When it was served first and last.
    served_ms: Option<(u64, u64)>,
    /// Its last sign of life was not after that.
    last_asked_ms: u64,
    /// At which edge it asked last.
    asked_at: usize,
    /// At which edge it was served last.
    served_at: Option<usize>,
    /// Its player is still there.
    is_current: bool,
    /// When it was over for certain.
    over_ms: Option<u64>,
    /// It pauses, and comes back under the same id.
    pauses: bool,
    /// It came back, and may have been ended meanwhile.
    may_be_over: bool,
    /// Its id does not say when it started, and what knew it may have been lost.
    has_no_age: bool,
}

/// What is seen of one account.
#[derive(Debug)]
pub(super) struct Witness {
    limit: usize,
    /// For how long a stream that fell silent may be taken for live, in milliseconds.
    ghost_ms: u64,
    /// Within what time an end is heard of everywhere, in milliseconds.
    heard_within_ms: u64,
    /// Clocks differ by more than a minute, so ids may be of a time that is yet to come.
    issues_ahead: bool,
    /// A store in trouble does not excuse that somebody loses a place.
    judges_in_trouble: bool,
    /// While the store is out, an edge judges starts by what it knows itself.
    admits_in_outage: bool,
    streams: Vec<Seen>,
}

impl Witness {
    pub(super) fn new(options: &Options) -> Self {
        let timeout_ms = options.timeout_s * 1_000;
        let timeouts = match options.trouble.skew_ms {
            0 => 1,
            _ => 2,
        };
        Self {
            limit: options.limit as usize,
            ghost_ms: timeouts * timeout_ms + SEEN_WITHIN_MS,
            heard_within_ms: timeout_ms / 3 + SEEN_WITHIN_MS,
            issues_ahead: options.trouble.skew_ms > 60_000,
            judges_in_trouble: options.has_one_trouble,
            admits_in_outage: options.on_outage == "admit",
            streams: Vec::new(),
        }
    }

    /// A player asks for something.
    pub(super) fn asks(&mut self, viewer: usize, of: &Viewer, now_ms: u64) {
        let kept_ms = 2 * self.ghost_ms;
        self.streams
            .retain(|it| it.is_current || it.pauses || it.last_asked_ms + kept_ms >= now_ms);
        let is_theirs = |it: &&mut Seen| it.is_current && it.viewer == viewer;
        let paused = self.streams.iter_mut();
        let mut paused = paused.filter(|it| it.viewer == viewer && it.pauses);
        let may_be_over = paused
            .next()
            .is_some_and(|it| core::mem::take(&mut it.pauses));
        match self.streams.iter_mut().find(is_theirs) {
            Some(stream) => (stream.last_asked_ms, stream.asked_at) = (now_ms, of.edge),
            None => self.streams.push(Seen {
                viewer,
                refuses_newcomers: of.refuses_newcomers,
                asked_ms: now_ms,
                began_ms: None,
                served_ms: None,
                last_asked_ms: now_ms,
                asked_at: of.edge,
                served_at: None,
                is_current: true,
                over_ms: None,
                pauses: false,
                may_be_over,
                has_no_age: false,
            }),
        }
    }

    /// A player has what it asked for. Says what is wrong with that.
    pub(super) fn is_granted(
        &mut self,
        viewer: usize,
        wish: Wish,
        now_ms: u64,
        excused_until_ms: u64,
    ) -> Option<String> {
        let stream = self.current(viewer)?;
        match wish {
            Wish::Manifest => return None,
            Wish::Stop => {
                // Where the store was out, others hear of it later.
                stream.over_ms = (now_ms > excused_until_ms).then_some(now_ms);
                stream.is_current = false;
                return None;
            }
            Wish::Create | Wish::Heartbeat | Wish::Segment => {}
        }
        stream.began_ms.get_or_insert(now_ms);
        // A request that had to wait is a sign of life when it is judged.
        stream.last_asked_ms = now_ms;
        if wish != Wish::Segment {
            return None;
        }
        let (first_ms, _) = stream.served_ms.unwrap_or((now_ms, now_ms));
        (stream.served_ms, stream.served_at) = (Some((first_ms, now_ms)), Some(stream.asked_at));
        self.is_over_the_limit(excused_until_ms)
    }

    fn is_over_the_limit(&self, excused_until_ms: u64) -> Option<String> {
        let current = self.streams.iter().filter(|it| it.is_current);
        let mut served: Vec<_> = current
            .filter_map(|it| it.served_ms.map(|(first, last)| (last, first, it)))
            .collect();
        served.sort_by_key(|(last, ..)| core::cmp::Reverse(*last));
        let surplus = served.get(..=self.limit)?;
        let (at_ms, _, stream) = surplus.last()?;
        let within_ms = match stream.refuses_newcomers {
            true => 0,
            false => self.heard_within_ms,
        };
        let all_play = surplus
            .iter()
            .all(|(_, first_ms, _)| first_ms + within_ms <= *at_ms);
        (all_play && *at_ms > excused_until_ms).then(|| {
            format!(
                "{} s: more than {} are served: {surplus:?}",
                after_s(*at_ms),
                self.limit
            )
        })
    }

    /// A player is refused what it asked for at `since_ms`, and told `why`. Says what is wrong with
    /// that.
    pub(super) fn is_refused(
        &mut self,
        viewer: usize,
        (since_ms, now_ms): (u64, u64),
        why: &str,
        (out_until_ms, excused_until_ms): (u64, u64),
    ) -> Option<String> {
        let at = self
            .streams
            .iter()
            .position(|it| it.is_current && it.viewer == viewer)?;
        let others = self.streams.iter().enumerate();
        let others = others.filter(|(other, _)| *other != at).map(|(_, it)| it);
        let stream = &self.streams[at];
        let in_the_way = match (stream.began_ms, stream.refuses_newcomers) {
            (None, true) => {
                let others = others.filter(|it| self.may_live_until(it) >= since_ms);
                others.count()
            }
            (began_ms, is_oldest_first) => {
                let began_ms = began_ms.unwrap_or(stream.asked_ms);
                let (_, served_ms) = stream.served_ms.unwrap_or((began_ms, began_ms));
                // It may have lost its place as long ago as that.
                let since_ms = served_ms.saturating_sub(self.heard_within_ms);
                let may_go_before = |it: &&Seen| match is_oldest_first {
                    true => it.asked_ms <= began_ms,
                    false => it.began_ms.unwrap_or(it.last_asked_ms) >= stream.asked_ms,
                };
                let others = others.filter(|it| self.may_live_until(it) >= since_ms);
                others.filter(may_go_before).count()
            }
        };
        // A stream that moves while the store is out is a start where it comes to. That edge may be full by what
        // it knows, of streams that are younger but that it let in itself, and nobody can tell it which of them
        // the account would have without the outage.
        let has_moved = stream.served_at.is_some_and(|edge| edge != stream.asked_at);
        let is_out = now_ms <= out_until_ms + SEEN_WITHIN_MS;
        let others = self.streams.iter().filter(|it| !core::ptr::eq(*it, stream));
        let live = others.filter(|it| self.may_live_until(it) >= since_ms);
        let is_full_there =
            self.admits_in_outage && is_out && has_moved && live.count() >= self.limit;
        let is_start = stream.began_ms.is_none();
        let is_excused = now_ms <= excused_until_ms && (is_start || !self.judges_in_trouble)
            || (self.issues_ahead && why == "stream-over");
        // Where many ended, not each is remembered, and an id issued before one of them that has not
        // begun yet is taken for over: its player begins anew.
        let ended = self.streams.iter().filter(|it| !it.is_current).count();
        let is_forgotten = is_start && why == "stream-over" && ended >= ENDED_KEPT_MAX;
        let is_right = is_excused
            || is_forgotten
            || is_full_there
            || stream.may_be_over
            || in_the_way >= self.limit
            || (stream.has_no_age && stream.began_ms.is_some());
        let wrong = (!is_right).then(|| {
            format!(
                "{in_the_way} of {} were in the way of {stream:?} among {:?}",
                self.limit, self.streams
            )
        });
        let stream = &mut self.streams[at];
        stream.is_current = false;
        match stream.began_ms {
            // It never started.
            None => {
                let _ = self.streams.swap_remove(at);
            }
            Some(_) => stream.over_ms = (now_ms > excused_until_ms).then_some(now_ms),
        }
        wrong
    }

    /// A player is gone, or has lost what it had; its stream may be taken for live for a while.
    pub(super) fn loses(&mut self, viewer: usize) {
        if let Some(stream) = self.current(viewer) {
            stream.is_current = false;
        }
    }

    /// A player never hears what became of its request. As long as that waited it may have started a
    /// stream, which lives from then on.
    pub(super) fn never_hears(&mut self, viewer: usize, now_ms: u64) {
        if let Some(stream) = self.current(viewer) {
            (stream.is_current, stream.last_asked_ms) = (false, now_ms);
        }
    }

    /// A player pauses for so long that its stream lapses.
    pub(super) fn pauses(&mut self, viewer: usize) {
        if let Some(stream) = self.current(viewer) {
            (stream.is_current, stream.pauses) = (false, true);
        }
    }

    /// A player is told to come again, for longer than its stream lives perhaps, or does not hear that it was
    /// stopped.
    pub(super) fn waits(&mut self, viewer: usize) {
        if let Some(stream) = self.current(viewer) {
            stream.may_be_over = true;
        }
    }

    /// What nobody else was told of is lost.
    pub(super) fn may_all_be_over(&mut self) {
        for stream in &mut self.streams {
            stream.may_be_over = true;
        }
    }

    /// What an edge or a store knew is lost: of whoever names its playback itself nobody may know any more
    /// when it started.
    pub(super) fn ages_are_lost(&mut self, viewers: &[Viewer]) {
        for stream in &mut self.streams {
            stream.has_no_age |= viewers[stream.viewer].way == Way::OwnId;
        }
    }

    fn current(&mut self, viewer: usize) -> Option<&mut Seen> {
        let mut streams = self.streams.iter_mut();
        streams.find(|it| it.is_current && it.viewer == viewer)
    }

    /// Until when a stream may be taken for live.
    fn may_live_until(&self, stream: &Seen) -> u64 {
        let silent = stream.last_asked_ms + self.ghost_ms;
        match stream.is_current {
            true => u64::MAX,
            false => stream.over_ms.unwrap_or(silent),
        }
    }
}

/// In milliseconds since the beginning.
impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = |ms: u64| ms - BEGIN_MS;
        write!(f, "{}: asked {}", self.viewer, after(self.asked_ms))?;
        if let Some(began_ms) = self.began_ms {
            write!(f, ", began by {}", after(began_ms))?;
        }
        if let Some((first_ms, last_ms)) = self.served_ms {
            write!(f, ", served {} to {}", after(first_ms), after(last_ms))?;
        }
        write!(f, ", asked last {}", after(self.last_asked_ms))?;
        match (self.is_current, self.over_ms) {
            (true, _) => Ok(()),
            (false, Some(over_ms)) => write!(f, ", over {}", after(over_ms)),
            (false, None) => f.write_str(", gone"),
        }
    }
}

/// How many seconds after the beginning a moment is.
pub(super) const fn after_s(ms: u64) -> u64 {
    (ms - BEGIN_MS) / 1_000
}
