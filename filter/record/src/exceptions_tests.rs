//! An account's exception on record: as bytes, and how many there may be.

use core::num::NonZeroU32;

use streamgate_policy::activity::Activity;
use streamgate_policy::{Allowance, Event, Exception, OnConflict, Operation, Verdict};
use streamgate_values::subject::SubjectKey;

use crate::codec::{decode, encode};
use crate::exception_room::{EXCEPTIONS_PER_SLOT, has_room};
use crate::testing::{MemoryHost, NOW, book, limit, test};
use crate::{Records, transact};

fn exception(allowance: Allowance) -> Exception {
    Exception {
        allowance,
        set_at: NOW.plus_ms(1),
        until: NOW.plus_ms(60_000),
        reason: "a test".to_owned(),
    }
}

#[test]
fn an_exception_comes_back_from_its_bytes() {
    for allowance in [
        Allowance::Max(0),
        Allowance::Max(7),
        Allowance::Max((1 << 28) - 1),
        Allowance::Unlimited,
        Allowance::Blocked,
        Allowance::Lifted,
    ] {
        let activity = Activity {
            exception: Some(exception(allowance)),
            ..Activity::default()
        };
        assert_eq!(decode(&encode(&activity)), Some(activity));
    }
}

#[test]
fn of_the_accounts_of_a_slot_so_many_may_have_an_exception_and_who_has_one_may_have_another() {
    let records = Records {
        slots: NonZeroU32::MIN,
        max_streams: 1_000,
        book: book(
            vec![limit("P", 3, OnConflict::DenyNew)],
            &[("app1", &["P"])],
        ),
        has_fleet: false,
    };
    let host = MemoryHost::new();
    let subject = |n: usize| SubjectKey::from_bytes([n as u8; 16]);
    for n in 0..EXCEPTIONS_PER_SLOT {
        assert!(has_room(&host, &records, &subject(n)), "{n}");
        let event = Event::Operate(Operation::Except(exception(Allowance::Unlimited)));
        let recorded = transact(&host, &records, &subject(n), &event, NOW, NOW).unwrap();
        assert_eq!(recorded.decided.verdict, Verdict::Operated { stopped: 0 });
    }
    assert!(!has_room(&host, &records, &subject(EXCEPTIONS_PER_SLOT)));
    assert!(has_room(&host, &records, &subject(0)));
}
