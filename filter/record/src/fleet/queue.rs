//! What there is to ask and tell one shard, by subject, until a call takes it along.

use std::collections::VecDeque;

use streamgate_policy::Event;
use streamgate_policy::activity::Activity;
use streamgate_values::hash::HashMap;
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::Ticket;
use crate::WriteId;

/// What the store is asked about a subject.
#[derive(Debug, Clone)]
pub enum Question {
    /// May this be? If so, it is recorded.
    Decide(Event),
    /// What is on record?
    Look,
}

/// A question, and who asked.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    /// Who waits for the answer, if anybody does.
    pub(super) ticket: Option<Ticket>,
    pub(super) question: Question,
    /// Since when.
    pub(super) since: Moment,
}

/// What there is to say about a subject.
#[derive(Debug, Clone, Default)]
pub(super) struct QueueItem {
    /// In the order in which they came.
    pub(super) asks: Vec<Ask>,
    /// This edge's copy of the record may be dirty.
    pub(super) flushes: bool,
    /// It was told once, and that may have got lost.
    pub(super) again: bool,
    /// Other edges want to know: a stream was ended.
    pub(super) feed: bool,
    /// What was just found in the store. A record without streams leaves no copy behind.
    pub(super) found: Option<Box<(WriteId, Activity)>>,
}

/// The most questions about one subject for which nobody waits. Each of the others has a
/// request that waits, and Envoy bounds those. A question beyond that is asked again at the
/// next sign of life.
const UNWAITED_MAX: usize = 16;

/// Subjects in turn: first those of whom something is asked, or of whom other edges have to
/// hear. Each stands in it once, and it holds so many.
#[derive(Debug)]
pub(super) struct Queue {
    items: HashMap<SubjectKey, Queued>,
    urgent: Line,
    patient: Line,
    max: usize,
}

/// A subject in line.
#[derive(Debug)]
struct Queued {
    item: QueueItem,
    is_urgent: bool,
    turn: i64,
}

/// Subjects with their turns, the first in front.
#[derive(Debug, Default)]
struct Line(VecDeque<(i64, SubjectKey)>);

impl Line {
    /// A turn behind all others.
    fn join(&mut self, subject: SubjectKey) -> i64 {
        let last = self.0.back();
        let turn = last.map_or(0, |(turn, _)| turn.saturating_add(1));
        self.0.push_back((turn, subject));
        turn
    }

    /// A turn before all others.
    fn go_first(&mut self, subject: SubjectKey) -> i64 {
        let first = self.0.front();
        let turn = first.map_or(0, |(turn, _)| turn.saturating_sub(1));
        self.0.push_front((turn, subject));
        turn
    }

    /// Whoever has this turn leaves.
    fn leave(&mut self, turn: i64) {
        if let Ok(index) = self.0.binary_search_by_key(&turn, |(turn, _)| *turn) {
            self.0.remove(index);
        }
    }
}

impl Queue {
    /// An empty one that has room for `max` subjects.
    pub(super) fn new(max: usize) -> Self {
        Self {
            items: HashMap::default(),
            urgent: Line::default(),
            patient: Line::default(),
            max,
        }
    }

    /// How many subjects there are.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// How many places in line are taken.
    #[cfg(test)]
    pub(super) fn in_line(&self) -> usize {
        self.urgent.0.len() + self.patient.0.len()
    }

    /// Whether a subject is there.
    #[cfg(test)]
    pub(super) fn has(&self, subject: &SubjectKey) -> bool {
        self.items.contains_key(subject)
    }

    pub(super) fn has_urgent(&self) -> bool {
        !self.urgent.0.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// A question about a subject.
    ///
    /// # Errors
    ///
    /// Who asks, where there is no room for another subject.
    pub(super) fn ask(&mut self, subject: SubjectKey, ask: Ask) -> Result<(), Option<Ticket>> {
        if !self.items.contains_key(&subject) && !self.has_room(true) {
            return Err(ask.ticket);
        }
        let asks = &mut self.urgent_item(subject).asks;
        let unwaited = asks.iter().filter(|ask| ask.ticket.is_none()).count();
        if ask.ticket.is_some() || unwaited < UNWAITED_MAX {
            asks.push(ask);
        }
        Ok(())
    }

    /// The store has something to learn about a subject; soon, if it is for the `feed`. Where there
    /// is no room for another subject it learns of it at its next sign of life, or what it
    /// knows lapses.
    pub(super) fn flush(&mut self, subject: SubjectKey, feed: bool) {
        if !self.items.contains_key(&subject) && !self.has_room(feed) {
            return;
        }
        let item = match feed {
            true => self.urgent_item(subject),
            false => self.item(subject),
        };
        item.flushes = true;
        item.feed |= feed;
    }

    /// What the store was told of a subject is to be told again: it has lost it.
    pub(super) fn flush_again(&mut self, subject: SubjectKey) {
        if self.items.contains_key(&subject) || self.has_room(false) {
            let item = self.item(subject);
            (item.flushes, item.again) = (true, true);
        }
    }

    /// Whether there is room for another subject. What is urgent takes the place of a sign of
    /// life, the one that came last.
    fn has_room(&mut self, is_urgent: bool) -> bool {
        if self.items.len() < self.max {
            return true;
        }
        if is_urgent && let Some((_, subject)) = self.patient.0.pop_back() {
            self.items.remove(&subject);
        }
        self.items.len() < self.max
    }

    /// What there is to say about a subject, which has its turn sometime.
    fn item(&mut self, subject: SubjectKey) -> &mut QueueItem {
        let patient = &mut self.patient;
        let queued = self.items.entry(subject).or_insert_with(|| Queued {
            item: QueueItem::default(),
            is_urgent: false,
            turn: patient.join(subject),
        });
        &mut queued.item
    }

    /// What there is to say about a subject, which has its turn before those that are patient.
    fn urgent_item(&mut self, subject: SubjectKey) -> &mut QueueItem {
        let (urgent, patient) = (&mut self.urgent, &mut self.patient);
        let queued = self.items.entry(subject).or_insert_with(|| Queued {
            item: QueueItem::default(),
            is_urgent: true,
            turn: urgent.join(subject),
        });
        if !queued.is_urgent {
            patient.leave(queued.turn);
            queued.is_urgent = true;
            queued.turn = urgent.join(subject);
        }
        &mut queued.item
    }

    /// What was taken out comes first again, before what came meanwhile. There is always room
    /// for it: one call holds only so many subjects.
    pub(super) fn put_back(&mut self, subject: SubjectKey, mut item: QueueItem) {
        if let Some(Queued { item: newer, .. }) = self.remove(&subject) {
            item.asks.extend(newer.asks);
            item.flushes |= newer.flushes;
            item.again |= newer.again;
            item.feed |= newer.feed;
        }
        let is_urgent = !item.asks.is_empty() || item.feed;
        let turn = match is_urgent {
            true => self.urgent.go_first(subject),
            false => self.patient.go_first(subject),
        };
        let queued = Queued {
            item,
            is_urgent,
            turn,
        };
        self.items.insert(subject, queued);
    }

    /// The next subject, and what there is to say.
    pub(super) fn take(&mut self) -> Option<(SubjectKey, QueueItem)> {
        let next = self.urgent.0.pop_front();
        let (_, subject) = next.or_else(|| self.patient.0.pop_front())?;
        let queued = self.items.remove(&subject)?;
        Some((subject, queued.item))
    }

    fn remove(&mut self, subject: &SubjectKey) -> Option<Queued> {
        let queued = self.items.remove(subject)?;
        match queued.is_urgent {
            true => self.urgent.leave(queued.turn),
            false => self.patient.leave(queued.turn),
        }
        Some(queued)
    }

    /// Takes out the questions that nobody waits for any more: those for which
    /// `is_void`.
    pub(super) fn give_up(&mut self, is_void: impl Fn(&Ask) -> bool) -> Vec<Ask> {
        let mut given_up = Vec::new();
        // In the order in which they came: an edge that decides by itself then admits those
        // who came first. Whoever asks something stands in this line.
        let items = &mut self.items;
        self.urgent.0.retain(|(_, subject)| {
            let Some(Queued { item, .. }) = items.get_mut(subject) else {
                return false;
            };
            given_up.extend(item.asks.extract_if(.., |ask| is_void(ask)));
            let stays = item.flushes || !item.asks.is_empty();
            if !stays {
                items.remove(subject);
            }
            stays
        });
        given_up
    }
}
