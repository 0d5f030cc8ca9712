//! What the store that a whole fleet shares is asked and told.
//!
//! [`Fleet`] is one worker's part of that, without I/O: [`Fleet::ask`] takes questions in,
//! [`Fleet::flush`] takes note of copies that are dirty, [`Fleet::calls`] and [`Fleet::on_tick`] give
//! the calls to make, [`Fleet::on_reply`] takes what came back, [`Fleet::settled`] gives answers out.
//!
//! The algorithm is the record's: read the record, judge, write if nobody else wrote
//! meanwhile, else again. Here the record read is this edge's copy (`record::copy`), and
//! the write is a script in the store that refuses where the copy is out of date and
//! sends what is there ([`script`]). So a start takes one round trip where the copy is
//! current and two where it is not.
//!
//! Subjects are spread over shards; which node a shard is on is the proxy's business.
//! One call for each shard is under way at a time, and what comes up meanwhile goes with
//! the next one. What somebody waits for goes at once. Signs of life are gathered: one
//! call in [`TICK_MS`] suffices for all of them.

mod call;
mod feed;
mod hash_tag;
mod layout;
mod patience;
mod queue;
mod resp;
mod retelling;
mod returns;
mod script;
mod sent;
mod settings;
mod shard;
mod store_answer;
mod store_clock;
#[cfg(test)]
mod tests;
mod turns;

pub(crate) use call::At;
pub use call::{AnsweredQuestion, CallFailure, CallId, StoreCall, TICK_MS, Ticket};
pub use layout::layout_line;
pub use queue::Question;
pub use script::record_key;
pub use settings::{OnOutage, Settings, StoreCredentials};

use streamgate_values::moment::Moment;
use streamgate_values::recent::Recent;
use streamgate_values::subject::SubjectKey;

use self::call::{fingerprint, shard_of};
use self::patience::{Patience, WorkerTimes};
use self::queue::Ask;
use self::retelling::Retelling;
use self::shard::Shard;
use crate::Records;
use crate::copy_version::WriteIds;
use crate::ports::Host;

/// The most subjects of which the store has yet to be asked or told something, in one
/// worker; each shard has its share, and for the time of an outage one call's subjects more.
/// A sign of life, or an end, that finds no room is told with the next sign of life of its
/// subject; of a subject that has ended all its streams the store's record lapses. A question
/// that finds none is answered as in an outage. Full, it takes 10 MB.
const SUBJECTS_MAX: usize = 65_536;

/// The most bytes of an answer that are looked at: a store that sends more has failed. What
/// is asked for in one call takes a tenth of it.
pub const REPLY_MAX: usize = 4 << 20;

/// Of how many subjects a worker knows that their copies were just found up to date, and
/// how long that counts, in milliseconds.
const CONFIRMED_MAX: usize = 4_096;
const CONFIRMED_MS: u64 = 2_000;

/// One worker's part in a fleet.
#[derive(Debug)]
pub struct Fleet {
    settings: Settings,
    shards: Vec<Shard>,
    /// Shards of which something is asked.
    urgent: Vec<usize>,
    /// The shard that is next to be told of signs of life.
    next_patient: usize,
    /// The shard whose eviction feed is read next.
    next_feed: usize,
    /// The calls under way, each with the shard that it asks: one for each shard.
    in_flight: Vec<(CallId, usize)>,
    last_call: u64,
    ids: Option<WriteIds>,
    settled: Vec<AnsweredQuestion>,
    confirmed: Recent<Moment>,
    times: WorkerTimes,
    retelling: Retelling,
}

impl Fleet {
    /// A worker's part under these settings.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let shards = usize::try_from(settings.shards.get()).unwrap_or(usize::MAX);
        let share = SUBJECTS_MAX.div_ceil(shards.max(1));
        Self {
            shards: (0..settings.shards.get())
                .map(|number| Shard::new(number, share))
                .collect(),
            settings,
            urgent: Vec::new(),
            next_patient: 0,
            next_feed: 0,
            in_flight: Vec::new(),
            last_call: 0,
            ids: None,
            settled: Vec::new(),
            confirmed: Recent::new(CONFIRMED_MAX),
            times: WorkerTimes::default(),
            retelling: Retelling::default(),
        }
    }

    /// How it speaks with the store.
    #[must_use]
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Whether there is a point in asking about a subject now: its shard answers and knows what
    /// plays, or has yet to be met.
    #[must_use]
    pub fn is_up(&self, subject: &SubjectKey) -> bool {
        let shard = self.shards.get(self.shard_of(subject));
        let refuses = self.settings.on_outage == OnOutage::Refuse;
        shard.is_some_and(|shard| !(shard.is_down() || refuses && shard.back.is_unsettled()))
    }

    /// Since when the store remembers a subject's streams, as far as is known.
    #[must_use]
    pub fn memory_since(&self, subject: &SubjectKey) -> Option<Moment> {
        self.shards.get(self.shard_of(subject))?.memory_since()
    }

    /// Whether this edge's copy of a record was found up to date, or brought up to date, a
    /// moment ago.
    #[must_use]
    pub fn is_confirmed(&self, subject: &SubjectKey, now: Moment) -> bool {
        let at = self.confirmed.value(fingerprint(subject));
        // One in the future means that own time was set back since.
        at.is_some_and(|at| *at <= now && now.ms_since(*at) < CONFIRMED_MS)
    }

    /// Asks about a subject; the answer comes out of [`Fleet::settled`]. Without a `ticket`
    /// nobody waits for it, but what follows is recorded. `steady` is the present moment by the steady
    /// clock.
    pub fn ask(
        &mut self,
        subject: SubjectKey,
        ticket: Option<Ticket>,
        question: Question,
        steady: Moment,
    ) {
        self.times.begin(steady);
        let at = self.shard_of(&subject);
        let Some(shard) = self.shards.get_mut(at) else {
            return;
        };
        let ask = Ask {
            ticket,
            question,
            since: steady,
        };
        match shard.queue.ask(subject, ask) {
            Ok(()) => self.is_urgent(at),
            // Whoever waits is told at once; where nobody does, the next sign of life asks again.
            Err(ticket) => self.settled.extend(ticket.map(shard::no_room)),
        }
    }

    /// This edge's copy of a record is dirty: the store was not told all of it. With `feed`, other edges have to
    /// hear of it: a stream was ended.
    pub fn flush(&mut self, subject: SubjectKey, feed: bool) {
        let at = self.shard_of(&subject);
        let Some(shard) = self.shards.get_mut(at) else {
            return;
        };
        shard.queue.flush(subject, feed);
        if feed {
            self.is_urgent(at);
        }
    }

    /// Something of a shard is to be said as soon as it may be called.
    fn is_urgent(&mut self, at: usize) {
        if !self.urgent.contains(&at) {
            self.urgent.push(at);
        }
    }

    /// Whoever asked under this ticket is gone.
    pub fn forget(&mut self, ticket: Ticket) {
        for shard in &mut self.shards {
            shard.forget(ticket);
        }
        self.settled.retain(|settled| settled.ticket != ticket);
    }

    /// How many shards do not answer.
    #[must_use]
    pub fn shards_down(&self) -> usize {
        self.shards.iter().filter(|shard| shard.is_down()).count()
    }

    /// Of each shard, whether it answers, and since when it remembers, as far as is known.
    pub fn shards(&self) -> impl Iterator<Item = (bool, Option<Moment>)> {
        let shards = self.shards.iter();
        shards.map(|shard| (!shard.is_down(), shard.memory_since()))
    }

    /// How other edges lay accounts out in the store, where that is not as this edge does it: the
    /// same account then has its limit once more.
    #[must_use]
    pub fn other_layout(&self) -> Option<&str> {
        self.shards.iter().find_map(Shard::other_layout)
    }

    /// Whether [`Fleet::calls`] has something to give.
    #[must_use]
    pub fn has_calls(&self) -> bool {
        // Or there is an answer to give that needs none.
        !self.urgent.is_empty() || !self.settled.is_empty()
    }

    /// The calls to make now: those that somebody waits for.
    pub fn calls(&mut self, host: &impl Host, records: &Records, now: Moment) -> Vec<StoreCall> {
        let here = At::new(host, records, now);
        let steady = here.steady;
        let urgent = core::mem::take(&mut self.urgent);
        let mut calls = Vec::new();
        for at in urgent {
            let shard = self.shards.get(at);
            if shard.is_some_and(|shard| shard.may_speak(steady) && shard.queue.has_urgent()) {
                calls.extend(self.call(here, at));
            }
        }
        calls
    }

    fn call<H: Host>(&mut self, here: At<'_, H>, at: usize) -> Option<StoreCall> {
        let ids = self.ids.get_or_insert_with(|| {
            let [a, b, c, d, e, f, g, h, ..] = here.host.random();
            WriteIds::new([a, b, c, d, e, f, g, h])
        });
        self.last_call = self.last_call.wrapping_add(1);
        let id = CallId(self.last_call);
        let call = self
            .shards
            .get_mut(at)?
            .call(here, &self.settings, ids, id)?;
        self.in_flight.push((id, at));
        Some(call)
    }

    /// Takes what came back of a call.
    pub fn on_reply(
        &mut self,
        host: &impl Host,
        records: &Records,
        call: CallId,
        reply: Result<&[u8], CallFailure>,
        now: Moment,
    ) {
        let here = At::new(host, records, now);
        let steady = here.steady;
        let patience = self.patience(steady);
        let mut known = self.in_flight.iter();
        let Some(index) = known.position(|(id, _)| *id == call) else {
            return;
        };
        let (_, at) = self.in_flight.swap_remove(index);
        // All edges go by the same store's clock: that of the first shard that answers.
        let leads = !self.shards.iter().take(at).any(Shard::tells_the_time);
        let Some(shard) = self.shards.get_mut(at) else {
            return;
        };
        shard.leads = leads;
        let (settled, confirmed) = (&mut self.settled, &mut self.confirmed);
        shard.on_reply(
            here,
            call,
            reply,
            patience,
            &self.settings,
            (settled, confirmed),
        );
        if shard.queue.has_urgent() {
            self.is_urgent(at);
        }
    }

    /// The questions answered since the last time.
    pub fn settled(&mut self) -> Vec<AnsweredQuestion> {
        core::mem::take(&mut self.settled)
    }

    fn patience(&self, steady: Moment) -> Patience {
        let Settings {
            wait_ms,
            start_within_ms,
            ..
        } = self.settings;
        self.times.patience(wait_ms, start_within_ms, steady)
    }

    fn shard_of(&self, subject: &SubjectKey) -> usize {
        shard_of(self.settings.shards, subject)
    }
}
