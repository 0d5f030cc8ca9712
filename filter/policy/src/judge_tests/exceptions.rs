//! What an operator has said of an account holds in the place of its limits.

use streamgate_values::moment::Moment;

use super::{Account, account_under, conflict, distinct, plays, streams};
use crate::testing::test;
use crate::{
    Allowance, Event, Exception, Judgement, OnConflict, Operation, Recall, Refused, Verdict, judge,
};

fn except(account: &mut Account, allowance: Allowance) {
    let exception = Exception {
        allowance,
        // When it was said is known to who judges.
        set_at: Moment::EARLIEST,
        until: account.now.plus_ms(3_600_000),
        reason: "a test".to_owned(),
    };
    let verdict = operate(account, Operation::Except(exception)).verdict;
    assert!(matches!(verdict, Verdict::Operated { .. }), "{verdict:?}");
}

/// Leases go whatever an operator changes, so that what is judged is more than a stream's end.
fn operate(account: &mut Account, operation: Operation) -> Judgement {
    let recall = Recall {
        watermark: Moment::EARLIEST,
        memory_since: account.memory_since,
    };
    let event = Event::Operate(operation);
    let (activity, now) = (&mut account.activity, account.now);
    judge(activity, &event, &account.book, &recall, now)
}

#[test]
fn another_limit_holds_in_rules_that_count_all_streams_and_in_no_other() {
    let mut account = account_under(vec![streams(1, OnConflict::DenyNew)]);
    account.starts("app");
    conflict(account.start("app").1);
    except(&mut account, Allowance::Max(2));
    account.starts("app");
    assert_eq!(conflict(account.start("app").1)[0].threshold, 2);

    let mut account = account_under(vec![distinct("deviceId", 1, OnConflict::DenyNew)]);
    account.starts_with("app", &[("deviceId", "tv")]);
    except(&mut account, Allowance::Max(2));
    conflict(account.start_with("app", &[("deviceId", "phone")]).1);
}

#[test]
fn without_limits_nobody_is_refused_until_that_is_taken_back() {
    let mut account = account_under(vec![streams(0, OnConflict::DenyNew)]);
    except(&mut account, Allowance::Unlimited);
    account.starts("app");
    let lifted = operate(&mut account, Operation::Lift).verdict;
    assert_eq!(lifted, Verdict::Operated { stopped: 0 });
    conflict(account.start("app").1);
    let again = operate(&mut account, Operation::Lift).verdict;
    assert_eq!(again, Verdict::Refused(Refused::Over));
}

#[test]
fn on_a_blocked_account_all_is_stopped_and_nothing_starts() {
    let mut account = account_under(vec![streams(9, OnConflict::DenyNew)]);
    account.starts("app");
    except(&mut account, Allowance::Blocked);
    assert_eq!(account.live(), []);
    let (_, verdict) = account.start("app");
    assert_eq!(verdict, Verdict::Refused(Refused::Blocked));
    except(&mut account, Allowance::Unlimited);
    plays(account.start("app").1);
}

#[test]
fn to_stop_all_where_nothing_plays_changes_nothing() {
    let mut account = account_under(vec![streams(9, OnConflict::DenyNew)]);
    for (live, expected) in [(0, false), (1, true), (2, true)] {
        for _ in 0..live {
            account.starts("app");
        }
        let judgement = operate(&mut account, Operation::StopAll);
        assert_eq!(judgement.verdict, Verdict::Operated { stopped: live });
        assert_eq!(judgement.changed, expected, "{live}");
        assert_eq!(judgement.silenced, expected, "{live}");
    }
}

#[test]
fn what_is_said_last_was_said_last_also_where_two_operators_say_something_at_once() {
    let mut account = account_under(vec![streams(9, OnConflict::DenyNew)]);
    account.later(1_000);
    let at = account.now;
    for later_ms in 0..3 {
        except(&mut account, Allowance::Unlimited);
        let exception = account.activity.exception.as_ref().unwrap();
        assert_eq!(exception.set_at, at.plus_ms(later_ms));
    }
}
