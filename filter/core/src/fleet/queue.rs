//! What one shard is to be asked and told, subject by subject.

use std::collections::VecDeque;

use hashbrown::HashMap;

use super::Ticket;
use crate::activity::Activity;
use crate::ledger::WriteId;
use crate::moment::Moment;
use crate::policy::Event;
use crate::subject::SubjectKey;

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
pub(super) struct Item {
    /// In the order in which they came.
    pub(super) asks: Vec<Ask>,
    /// This edge's copy of the record may be ahead of the store.
    pub(super) tells: bool,
    /// It was told once, and that may have got lost.
    pub(super) again: bool,
    /// Other edges want to know: a stream was ended.
    pub(super) news: bool,
    /// What was just found in the store. A record without streams leaves no copy behind.
    pub(super) found: Option<Box<(WriteId, Activity)>>,
}

/// Subjects in turn: first those of whom something is asked.
#[derive(Debug, Default)]
pub(super) struct Queue {
    items: HashMap<SubjectKey, Item>,
    urgent: VecDeque<SubjectKey>,
    patient: VecDeque<SubjectKey>,
}

impl Queue {
    /// How many subjects there are.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn has_urgent(&self) -> bool {
        !self.urgent.is_empty()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// A question about a subject.
    pub(super) fn ask(&mut self, subject: SubjectKey, ask: Ask) {
        let item = self.items.entry(subject).or_default();
        if item.asks.is_empty() {
            self.urgent.push_back(subject);
        }
        item.asks.push(ask);
    }

    /// The store has something to learn about a subject; soon, if it is `news`.
    pub(super) fn tell(&mut self, subject: SubjectKey, news: bool) {
        let is_new = !self.items.contains_key(&subject);
        let item = self.items.entry(subject).or_default();
        item.tells = true;
        item.news |= news;
        match (news, is_new) {
            (true, _) => self.urgent.push_back(subject),
            (false, true) => self.patient.push_back(subject),
            (false, false) => {}
        }
    }

    /// What was taken out comes first again, before what came meanwhile.
    pub(super) fn put_back(&mut self, subject: SubjectKey, mut item: Item) {
        let is_urgent = !item.asks.is_empty() || item.news;
        if let Some(newer) = self.items.remove(&subject) {
            item.asks.extend(newer.asks);
            item.tells |= newer.tells;
            item.again |= newer.again;
            item.news |= newer.news;
        }
        self.items.insert(subject, item);
        match is_urgent {
            true => self.urgent.push_front(subject),
            false => self.patient.push_front(subject),
        }
    }

    /// The next subject, and what there is to say.
    pub(super) fn take(&mut self) -> Option<(SubjectKey, Item)> {
        while let Some(subject) = self.urgent.pop_front().or_else(|| self.patient.pop_front()) {
            // A subject stands in both lines where it became urgent while it waited.
            if let Some(item) = self.items.remove(&subject) {
                return Some((subject, item));
            }
        }
        None
    }

    /// Takes out the questions that nobody waits for any more: those of before `until`, and
    /// those for which `is_void`.
    pub(super) fn give_up(&mut self, is_void: impl Fn(&Ask) -> bool) -> Vec<Ask> {
        let mut given_up = Vec::new();
        // In the order in which they came: an edge that decides by itself then admits those
        // who came first. Whoever asks something stands in this line.
        for subject in &self.urgent {
            if let Some(item) = self.items.get_mut(subject) {
                given_up.extend(item.asks.extract_if(.., |ask| is_void(ask)));
            }
        }
        self.items
            .retain(|_, item| item.tells || !item.asks.is_empty());
        given_up
    }
}
