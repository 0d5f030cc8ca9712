//! The accounts with the most streams, found by going over all slots, a stretch at each tick.
//! Workers share the work and what they find: whoever moves the hand on counts the stretch.

use streamgate_record::Records;
use streamgate_record::ports::{Host, StoreKey, Swap};
use streamgate_record::slot::Slot;
use streamgate_values::compact::{Reader, Writer};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

use super::json::Json;
use crate::exchange::Answer;

/// How much is done at once: half a millisecond's work. A slot is as much as [`SLOT_WORK`] accounts, and
/// so is each kibibyte of it.
const WORK_MAX: usize = 1_536;
const SLOT_WORK: usize = 8;

/// How many accounts are remembered.
const TOP: usize = 256;

/// How many accounts stand on a page.
const PAGE: usize = 50;

/// For how long counting goes on when nobody asks, in milliseconds.
const WANTED_MS: u64 = 120_000;

/// How old a count may be for those who ask for the accounts, and for those who only ask how
/// many there are, in milliseconds.
const FRESH_MS: u64 = 30_000;
const FRESH_ENOUGH_MS: u64 = 600_000;

/// A count, under way or finished.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct AccountCount {
    at: Moment,
    streams: u64,
    accounts: u64,
    /// Those with the most streams, the most first.
    top: Vec<(u32, SubjectKey)>,
}

impl AccountCount {
    fn add(&mut self, subject: SubjectKey, streams: usize) {
        let streams = u32::try_from(streams).unwrap_or(u32::MAX);
        self.accounts = self.accounts.saturating_add(1);
        self.streams = self.streams.saturating_add(u64::from(streams));
        let least = self.top.last().map_or(0, |(least, _)| *least);
        if self.top.len() >= TOP && streams <= least {
            return;
        }
        let at = self.top.partition_point(|(more, _)| *more >= streams);
        self.top.insert(at, (streams, subject));
        self.top.truncate(TOP);
    }

    fn put(&self, out: &mut Vec<u8>) {
        out.put_moment(self.at);
        out.put(&self.streams.to_be_bytes());
        out.put(&self.accounts.to_be_bytes());
        out.put_number(self.top.len());
        for (streams, subject) in &self.top {
            out.put(&streams.to_be_bytes());
            out.put(subject.as_bytes());
        }
    }

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut count = Self {
            at: reader.moment()?,
            streams: u64::from_be_bytes(reader.array()?),
            accounts: u64::from_be_bytes(reader.array()?),
            top: Vec::new(),
        };
        for _ in 0..reader.number()? {
            let streams = u32::from_be_bytes(reader.array()?);
            let subject = SubjectKey::from_bytes(reader.array()?);
            count.top.push((streams, subject));
        }
        Some(count)
    }
}

/// What workers share.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shared {
    /// The slot that is next; none under way if it is the first.
    next: u32,
    under_way: AccountCount,
    finished: Option<AccountCount>,
}

impl Shared {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let next = u32::from_be_bytes(reader.array()?);
        let under_way = AccountCount::read(&mut reader)?;
        let finished = match reader.is_empty() {
            true => None,
            false => Some(AccountCount::read(&mut reader)?),
        };
        Some(Self {
            next,
            under_way,
            finished,
        })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.put(&self.next.to_be_bytes());
        self.under_way.put(&mut out);
        if let Some(finished) = &self.finished {
            finished.put(&mut out);
        }
        out
    }

    fn is_fresh(&self, fresh_ms: u64, now: Moment) -> bool {
        let is_fresh = |count: &AccountCount| count.at <= now && now.ms_since(count.at) < fresh_ms;
        self.finished.as_ref().is_some_and(is_fresh)
    }
}

/// One worker's part.
#[derive(Debug, Default)]
pub(super) struct Accounts {
    wanted: Option<WantedCount>,
}

#[derive(Debug, Clone, Copy)]
struct WantedCount {
    until: Moment,
    fresh_ms: u64,
}

impl Accounts {
    /// Somebody asks; what there is to show on a page, the first being 1.
    pub(super) fn page(&mut self, host: &impl Host, page: usize, now: Moment) -> Answer {
        self.want(FRESH_MS, now);
        let shared = shared(host).unwrap_or_default();
        let (count, complete) = match &shared.finished {
            Some(finished) => (finished, true),
            None => (&shared.under_way, false),
        };
        let before = page.saturating_sub(1).saturating_mul(PAGE);
        let has_more = count.top.len() > before.saturating_add(PAGE);
        Json::answer(200, |json| {
            // Whether all slots were counted.
            json.truth("complete", complete);
            json.text("at", &count.at.to_rfc3339_millis());
            json.number("accounts", count.accounts);
            json.number("streams", count.streams);
            json.count("page", page);
            let rows = count.top.iter().skip(before).take(PAGE);
            json.list("rows", rows, |json, (streams, subject)| {
                json.object("", |json| {
                    json.text("account", &subject.to_string());
                    json.number("streams", (*streams).into());
                });
            });
            if has_more {
                let next = page.saturating_add(1);
                json.text("next", &format!("accounts?order=streams&page={next}"));
            }
        })
    }

    /// How many accounts there were, and when, as far as they were counted.
    pub(super) fn how_many(&mut self, host: &impl Host, now: Moment) -> Option<(u64, Moment)> {
        self.want(FRESH_ENOUGH_MS, now);
        let finished = shared(host)?.finished?;
        Some((finished.accounts, finished.at))
    }

    fn want(&mut self, fresh_ms: u64, now: Moment) {
        let until = now.plus_ms(WANTED_MS);
        let known = self.wanted.filter(|wanted| now < wanted.until);
        let fresh_ms = known.map_or(fresh_ms, |wanted| wanted.fresh_ms.min(fresh_ms));
        self.wanted = Some(WantedCount { until, fresh_ms });
    }

    pub(super) fn on_tick(&mut self, host: &impl Host, records: &Records, now: Moment) {
        let Some(wanted) = self.wanted else {
            return;
        };
        if now >= wanted.until {
            self.wanted = None;
            return;
        }
        let found = host.load(StoreKey::Accounts);
        let shared = found.as_ref().and_then(|(bytes, _)| Shared::parse(bytes));
        let mut shared = shared.unwrap_or_default();
        if shared.next == 0 {
            if shared.is_fresh(wanted.fresh_ms, now) {
                self.wanted = None;
                return;
            }
            shared.under_way = AccountCount::default();
        }
        let slots = records.slots.get();
        let mut work = 0_usize;
        while shared.next < slots && work < WORK_MAX {
            let slot = host.load(StoreKey::Slot(shared.next));
            shared.next = shared.next.saturating_add(1);
            let bytes = slot.map(|(bytes, _)| bytes).unwrap_or_default();
            work = work.saturating_add(
                (bytes.len() >> 10)
                    .saturating_add(1)
                    .saturating_mul(SLOT_WORK),
            );
            for (subject, streams) in Slot::parse(&bytes).unwrap_or_default().live_counts(now) {
                work = work.saturating_add(1);
                shared.under_way.add(subject, streams);
            }
        }
        shared.under_way.at = now;
        if shared.next >= slots {
            shared.next = 0;
            shared.finished = Some(core::mem::take(&mut shared.under_way));
        }
        let version = found.map(|(_, version)| version);
        // On a conflict another worker has counted the same.
        let _: Swap = host.swap(StoreKey::Accounts, version, &shared.to_bytes());
    }
}

fn shared(host: &impl Host) -> Option<Shared> {
    let (bytes, _) = host.load(StoreKey::Accounts)?;
    Shared::parse(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn the_most_come_first_and_what_is_shared_is_read_as_it_was_written() {
        let mut count = AccountCount::default();
        for n in 0..1_000_u32 {
            let [.., a, b] = n.to_be_bytes();
            let mut bytes = [0; 16];
            bytes[..2].copy_from_slice(&[a, b]);
            count.add(
                SubjectKey::from_bytes(bytes),
                usize::try_from(n % 300).unwrap(),
            );
        }
        assert_eq!((count.accounts, count.top.len()), (1_000, TOP));
        assert!(
            count
                .top
                .is_sorted_by_key(|(streams, _)| u32::MAX - streams)
        );
        assert_eq!(count.top[0].0, 299);
        let shared = Shared {
            next: 7,
            under_way: count.clone(),
            finished: Some(count),
        };
        assert_eq!(Shared::parse(&shared.to_bytes()), Some(shared));
        assert_eq!(Shared::parse(b"damaged"), None);
    }
}
