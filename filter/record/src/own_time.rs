//! An edge's own time: a clock that only goes forth, and how far it is set ahead.
//!
//! The clock of a machine is set back and forth while streams play. What is on record must not
//! follow: a stream would stay for as long as the clock was set back, or lapse at once. So an
//! edge takes the time from its machine's clock once, and goes on by the clock that nobody can
//! set. In a fleet the store's clock corrects it (`fleet::store_clock`), so that all edges agree.
//!
//! How far own time is ahead of the steady clock is one shared entry: the same for all workers,
//! until Envoy restarts. `docs/decisions/0026-one-time.md` says what else was considered.

use streamgate_values::compact::Reader;

use crate::ports::{Clock, Host, Store, StoreKey, Swap, TRIES};

/// How often at most an edge says that its machine's clock differs, in milliseconds.
const TOLD_EVERY_MS: u64 = 60_000;

/// From which difference on it is worth a warning, and from which on an error, in milliseconds.
const WARNS_BEYOND_MS: u64 = 1_000;
const ALARMS_BEYOND_MS: u64 = 60_000;

/// By how many milliseconds two readings of one clock may differ.
const READING_MS: u64 = 2;

/// The shared entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Setting {
    /// By how many milliseconds own time is ahead of the steady clock.
    ahead_ms: i64,
    /// When, by the steady clock, a difference was told last, in milliseconds: a warning, and an error; 0 for
    /// never.
    told_at_ms: [u64; 2],
}

impl Setting {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(Self {
            ahead_ms: i64::from_be_bytes(reader.array()?),
            told_at_ms: [reader.array()?, reader.array()?].map(u64::from_be_bytes),
        })
    }

    fn to_bytes(self) -> Vec<u8> {
        let [warned, alarmed] = self.told_at_ms.map(u64::to_be_bytes);
        [self.ahead_ms.to_be_bytes(), warned, alarmed].concat()
    }
}

/// A difference of the machine's clock that an operator should hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockDifference {
    /// By how many milliseconds the machine's clock is ahead of own time.
    pub ahead_ms: i64,
    /// It is beyond a minute: no warning, an error.
    pub is_alarming: bool,
}

/// Changes the entry, which begins as the machine's clock stands. Gives how it was before and
/// is now; unchanged where `change` leaves it alone, or another worker changes it all the time.
fn change<H: Clock + Store>(
    host: &H,
    change: impl Fn(Setting) -> Option<Setting>,
) -> (Setting, Setting) {
    let of_machine = || Setting {
        ahead_ms: difference(host.machine().as_ms(), host.steady().as_ms()),
        told_at_ms: [0; 2],
    };
    for _ in 0..TRIES {
        let found = host.load(StoreKey::OwnTime);
        let version = found.as_ref().map(|(_, version)| *version);
        let known = found.and_then(|(bytes, _)| Setting::parse(&bytes));
        let before = known.unwrap_or_else(of_machine);
        let after = change(before);
        if known.is_some() && after.is_none() {
            return (before, before);
        }
        let after = after.unwrap_or(before);
        match host.swap(StoreKey::OwnTime, version, &after.to_bytes()) {
            Swap::Done => return (before, after),
            Swap::Conflict => {}
            Swap::Failed => return (before, before),
        }
    }
    let setting = of_machine();
    (setting, setting)
}

/// Goes by what all workers have agreed on. To be called at every tick, before the time is asked for.
/// Gives by how many milliseconds own time is ahead of the steady clock.
pub fn learn<H: Clock + Store>(host: &H) -> i64 {
    let (setting, _) = change(host, |_| None);
    go_by(host, setting.ahead_ms)
}

fn go_by<H: Clock>(host: &H, ahead_ms: i64) -> i64 {
    let own = host.steady().shifted_ms(ahead_ms);
    let machine_ahead_ms = difference(host.machine().as_ms(), own.as_ms());
    let is_none = machine_ahead_ms.unsigned_abs() <= READING_MS;
    host.go_by(ahead_ms, if is_none { 0 } else { machine_ahead_ms });
    ahead_ms
}

/// Sets own time by no more than it takes to be ahead of the steady clock by at least
/// `least_ms` and at most `most_ms`. Gives by how many milliseconds it was set.
pub(crate) fn keep_within<H: Clock + Store>(host: &H, least_ms: i64, most_ms: i64) -> i64 {
    let within = |setting: Setting| {
        let ahead_ms = setting.ahead_ms.min(most_ms).max(least_ms);
        (ahead_ms != setting.ahead_ms).then_some(Setting {
            ahead_ms,
            ..setting
        })
    };
    let (before, after) = change(host, within);
    go_by(host, after.ahead_ms);
    after.ahead_ms.saturating_sub(before.ahead_ms)
}

/// The difference of the machine's clock, if an operator should hear of it and no worker of
/// this edge has said so of one as bad within the last minute.
pub fn notice<H: Host>(host: &H) -> Option<ClockDifference> {
    let ahead_ms = host.machine_ahead_ms();
    if ahead_ms.unsigned_abs() <= WARNS_BEYOND_MS {
        return None;
    }
    let is_alarming = ahead_ms.unsigned_abs() > ALARMS_BEYOND_MS;
    let now_ms = host.steady().as_ms().max(1);
    let (before, after) = change(host, |setting| {
        let [warned, alarmed] = setting.told_at_ms;
        let told_ms = if is_alarming {
            alarmed
        } else {
            warned.max(alarmed)
        };
        let is_due = told_ms == 0 || now_ms.saturating_sub(told_ms) >= TOLD_EVERY_MS;
        is_due.then_some(Setting {
            told_at_ms: match is_alarming {
                true => [warned, now_ms],
                false => [now_ms, alarmed],
            },
            ..setting
        })
    });
    (before != after).then_some(ClockDifference {
        ahead_ms,
        is_alarming,
    })
}

/// By how many milliseconds one moment is after another one.
pub(crate) fn difference(ms: u64, from_ms: u64) -> i64 {
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    signed(ms).saturating_sub(signed(from_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{MemoryHost, NOW, test};

    const JUMPS_MS: [i64; 6] = [
        -5_000,
        5_000,
        -3_600_000,
        3_600_000,
        -3 * 86_400_000,
        3 * 86_400_000,
    ];

    #[test]
    fn own_time_is_the_machines_and_goes_on_whatever_the_machines_is_set_to() {
        for jump in JUMPS_MS {
            let host = MemoryHost::new();
            learn(&host);
            assert_eq!((host.now(), host.machine_ahead_ms()), (NOW, 0));
            host.set_machine_ahead(jump);
            host.advance_ms(7);
            learn(&host);
            assert_eq!(host.now(), NOW.plus_ms(7), "{jump}");
            assert_eq!(host.machine_ahead_ms(), jump);
        }
    }

    #[test]
    fn own_time_is_set_no_further_than_it_takes() {
        let host = MemoryHost::new();
        learn(&host);
        assert_eq!(keep_within(&host, -10, 10), 0);
        assert_eq!(keep_within(&host, 20, 30), 20);
        assert_eq!(host.now(), NOW.plus_ms(20));
        assert_eq!(host.machine_ahead_ms(), -20);
        assert_eq!(keep_within(&host, -9, 5), -15);
        assert_eq!(host.now(), NOW.plus_ms(5));
    }

    #[test]
    fn a_worker_that_hears_of_a_correction_late_goes_by_it_from_its_next_tick_on() {
        let host = MemoryHost::new();
        learn(&host);
        keep_within(&host, 5_000, 5_010);
        host.go_by(0, 0);
        assert_eq!(learn(&host), 5_000);
        assert_eq!(host.now(), NOW.plus_ms(5_000));
    }

    #[test]
    fn an_entry_that_cannot_be_read_is_as_good_as_none() {
        let host = MemoryHost::new();
        host.plant(StoreKey::OwnTime, b"junk");
        assert_eq!(learn(&host), 0);
        assert_eq!(keep_within(&host, 3, 3), 3);
    }

    #[test]
    fn a_difference_is_told_once_a_minute_and_beyond_a_minute_loudly() {
        let host = MemoryHost::new();
        let differs = |ms| {
            host.set_machine_ahead(ms);
            learn(&host);
            notice(&host)
        };
        assert_eq!(differs(0), None);
        assert_eq!(differs(-1_000), None);
        let warned = ClockDifference {
            ahead_ms: -1_001,
            is_alarming: false,
        };
        assert_eq!(differs(-1_001), Some(warned));
        host.advance_ms(TOLD_EVERY_MS - 1);
        assert_eq!(differs(60_000), None);
        host.advance_ms(1);
        assert_eq!(differs(60_000).map(|told| told.is_alarming), Some(false));
        // What is worse does not wait.
        let told = differs(60_001).unwrap();
        assert!(told.is_alarming && told.ahead_ms == 60_001);
        for ms in [60_001, -1_001] {
            assert_eq!(differs(ms), None);
        }
    }
}
