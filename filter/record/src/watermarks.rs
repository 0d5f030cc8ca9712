//! What is left of ended streams that are no longer remembered one by one: for each account
//! of a slot one moment.
//!
//! A stream that was issued up to its account's watermark and is not on record is over. So what
//! one account starts and stops, however often, costs fourteen bytes and changes nothing for
//! its neighbours in the slot.
//!
//! Only where more accounts of a slot than [`WATERMARKS_MAX`] have one, or one is older than
//! [`WATERMARK_KEPT_MS`], the oldest goes, and the slot's watermark moves up to it: from then on
//! it holds for all accounts of the slot. That touches only a playback that was minted before
//! a moment that lies far back and has not begun since.

use streamgate_values::compact::{Reader, Writer};
use streamgate_values::moment::Moment;
use streamgate_values::subject::SubjectKey;

/// The most accounts of a slot that have a watermark of their own: 896 bytes.
pub(super) const WATERMARKS_MAX: usize = 64;

/// How long a watermark lies back at most, in milliseconds: twice as long as a playback token
/// is good by default, so that hardly any token is left that the watermark could hit.
pub(super) const WATERMARK_KEPT_MS: u64 = 24 * 3_600_000;

/// An account, by eight bytes that are as evenly spread as its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Account([u8; 8]);

impl Account {
    fn of(subject: &SubjectKey) -> Self {
        let mut folded = [0; 8];
        let (front, back) = subject.as_bytes().split_at(8);
        for (to, (front, back)) in folded.iter_mut().zip(front.iter().zip(back)) {
            *to = front ^ back;
        }
        Self(folded)
    }
}

/// The watermarks of a slot's accounts, in no particular order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Watermarks(Vec<(Account, Moment)>);

impl Watermarks {
    /// Reads them: how many there are, then of each the account (8 bytes) and the moment (6).
    pub(super) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let mut watermarks = Self::default();
        for _ in 0..reader.number()? {
            let account = Account(reader.array()?);
            watermarks.0.push((account, reader.moment()?));
        }
        Some(watermarks)
    }

    pub(super) fn encode(&self, out: &mut impl Writer) {
        out.put_number(self.0.len());
        for (Account(account), moment) in &self.0 {
            out.put(account);
            out.put_moment(*moment);
        }
    }

    /// An account's watermark; the earliest moment if it has none.
    pub(super) fn of(&self, subject: &SubjectKey) -> Moment {
        let account = Account::of(subject);
        let found = self.0.iter().find(|(known, _)| *known == account);
        found.map_or(Moment::EARLIEST, |(_, moment)| *moment)
    }

    /// Raises an account's watermark, to no less than it was.
    pub(super) fn raise(&mut self, subject: &SubjectKey, to: Moment) {
        if to == Moment::EARLIEST {
            return;
        }
        let account = Account::of(subject);
        match self.0.iter_mut().find(|(known, _)| *known == account) {
            Some((_, moment)) => *moment = to.max(*moment),
            None => self.0.push((account, to)),
        }
    }

    /// Whether one of them lies too far back.
    pub(super) fn has_old(&self, now: Moment) -> bool {
        self.0.iter().any(|(_, moment)| is_old(*moment, now))
    }

    /// Takes out those that lie too far back, and the oldest of too many. The latest of what
    /// was taken out, which the slot's watermark has to hold from now on.
    pub(super) fn forget(&mut self, now: Moment) -> Option<Moment> {
        let mut latest = None;
        self.0.retain(|(_, moment)| {
            let goes = is_old(*moment, now);
            if goes {
                latest = latest.max(Some(*moment));
            }
            !goes
        });
        while self.0.len() > WATERMARKS_MAX {
            let moments = self.0.iter().enumerate();
            let oldest = moments.min_by_key(|(_, (_, moment))| *moment);
            let Some((at, (_, moment))) = oldest else {
                break;
            };
            latest = latest.max(Some(*moment));
            self.0.swap_remove(at);
        }
        latest
    }
}

fn is_old(moment: Moment, now: Moment) -> bool {
    moment.plus_ms(WATERMARK_KEPT_MS) <= now
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, test};

    fn subject(n: u8) -> SubjectKey {
        SubjectKey::from_bytes([n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
    }

    fn some(n: u8) -> Watermarks {
        let mut watermarks = Watermarks::default();
        for n in 0..n {
            watermarks.raise(&subject(n), NOW.plus_ms(u64::from(n)));
        }
        watermarks
    }

    #[test]
    fn each_account_has_one_and_it_never_sinks() {
        let mut watermarks = some(3);
        watermarks.raise(&subject(1), NOW.plus_ms(9));
        watermarks.raise(&subject(1), NOW);
        watermarks.raise(&subject(7), Moment::EARLIEST);
        assert_eq!(watermarks.of(&subject(1)), NOW.plus_ms(9));
        assert_eq!(watermarks.of(&subject(2)), NOW.plus_ms(2));
        assert_eq!(watermarks.of(&subject(7)), Moment::EARLIEST);
        assert_eq!(watermarks.0.len(), 3);
    }

    #[test]
    fn of_too_many_the_oldest_goes() {
        let mut watermarks = some(WATERMARKS_MAX as u8);
        assert_eq!(watermarks.forget(NOW), None);
        watermarks.raise(&subject(200), NOW.plus_ms(500));
        watermarks.raise(&subject(201), NOW.plus_ms(500));
        assert_eq!(watermarks.forget(NOW), Some(NOW.plus_ms(1)));
        assert_eq!(watermarks.0.len(), WATERMARKS_MAX);
        assert_eq!(watermarks.of(&subject(1)), Moment::EARLIEST);
        assert_eq!(watermarks.of(&subject(2)), NOW.plus_ms(2));
    }

    #[test]
    fn what_lies_far_back_goes() {
        let mut watermarks = some(3);
        let later = NOW.plus_ms(WATERMARK_KEPT_MS + 1);
        assert!(!watermarks.has_old(NOW) && watermarks.has_old(later));
        assert_eq!(watermarks.forget(later), Some(NOW.plus_ms(1)));
        assert_eq!(watermarks.0.len(), 1);
    }

    #[test]
    fn they_are_read_as_written_and_nothing_else_is() {
        let mut bytes = Vec::new();
        some(5).encode(&mut bytes);
        assert_eq!(Watermarks::read(&mut Reader::new(&bytes)), Some(some(5)));
        for len in 0..bytes.len() {
            assert_eq!(Watermarks::read(&mut Reader::new(&bytes[..len])), None);
        }
        let endless = [0xff; 9];
        assert_eq!(Watermarks::read(&mut Reader::new(&endless)), None);
    }

    #[test]
    fn a_watermark_is_kept_for_a_day() {
        let day = core::time::Duration::from_secs(86_400);
        assert_eq!(u128::from(WATERMARK_KEPT_MS), day.as_millis());
    }
}
