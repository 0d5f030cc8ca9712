//! So many calls a minute, and no more.

use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

use super::{Account, account_under, conflict, plays, streams};
use crate::testing::{MAX_STREAMS_PER_SUBJECT, book, test};
use crate::{OnConflict, Refused, Unknown, Verdict};

const MINUTE_MS: u64 = 60_000;

/// Three calls a minute per session, five creates per subject; at most two streams.
fn account() -> Account {
    let mut account = account_under(vec![streams(2, OnConflict::DenyNew)]);
    throttle(&mut account);
    account
}

fn throttle(account: &mut Account) {
    account.book.calls_per_minute = 3;
    account.book.creates_per_minute = 5;
}

fn create(account: &mut Account, application: &str) -> (StreamKey, Verdict) {
    let stream = account.mint(application);
    (stream, call(account, stream, Unknown::IsNew))
}

fn heartbeat(account: &mut Account, stream: StreamKey) -> Verdict {
    call(account, stream, Unknown::IsOver)
}

fn call(account: &mut Account, stream: StreamKey, unknown: Unknown) -> Verdict {
    account.wants_to_play(stream, unknown, |play| play.is_call = true)
}

/// Refused until the minute is over; nothing has changed.
#[track_caller]
fn throttled(account: &mut Account, act: impl FnOnce(&mut Account) -> Verdict) {
    let before = account.activity.clone();
    let verdict = act(account);
    let next = account.now.as_ms() / MINUTE_MS * MINUTE_MS + MINUTE_MS;
    let until = Moment::from_ms(next);
    assert_eq!(verdict, Verdict::Refused(Refused::Throttled { until }));
    assert_eq!(account.activity, before);
}

fn next_minute(account: &mut Account) {
    let into = account.now.as_ms() % MINUTE_MS;
    account.later(MINUTE_MS - into);
}

#[test]
fn a_session_has_its_heartbeats_and_the_next_minute_counts_again() {
    let mut account = account();
    let (stream, verdict) = create(&mut account, "app");
    plays(verdict);
    for _ in 0..3 {
        plays(heartbeat(&mut account, stream));
    }
    throttled(&mut account, |account| heartbeat(account, stream));
    throttled(&mut account, |account| heartbeat(account, stream));
    next_minute(&mut account);
    plays(heartbeat(&mut account, stream));
}

#[test]
fn heartbeats_and_stop_are_counted_together() {
    let mut account = account();
    let (stream, _) = create(&mut account, "app");
    for _ in 0..3 {
        plays(heartbeat(&mut account, stream));
    }
    throttled(&mut account, |account| account.stop(stream));
    assert_eq!(account.live(), [stream]);
    next_minute(&mut account);
    for _ in 0..2 {
        plays(heartbeat(&mut account, stream));
    }
    assert_eq!(account.stop(stream), Verdict::Stopped);
}

#[test]
fn each_session_is_counted_for_itself() {
    let mut account = account();
    let [first, second] = [(); 2].map(|()| create(&mut account, "app").0);
    for _ in 0..3 {
        plays(heartbeat(&mut account, first));
    }
    throttled(&mut account, |account| heartbeat(account, first));
    plays(heartbeat(&mut account, second));
}

#[test]
fn a_subject_has_its_creates_the_refused_ones_included() {
    let mut account = account();
    let streams = [(); 2].map(|()| create(&mut account, "app").0);
    for application in ["app", "other", "app"] {
        conflict(create(&mut account, application).1);
    }
    throttled(&mut account, |account| create(account, "app").1);
    throttled(&mut account, |account| create(account, "other").1);
    // Nobody's heartbeats suffer from that.
    for stream in streams {
        plays(heartbeat(&mut account, stream));
    }
    next_minute(&mut account);
    conflict(create(&mut account, "app").1);
    assert_eq!(account.stop(streams[0]), Verdict::Stopped);
    plays(create(&mut account, "app").1);
}

#[test]
fn a_stopped_stream_gives_no_create_back() {
    let mut account = account();
    let (keeps, _) = create(&mut account, "app");
    for _ in 0..4 {
        let (stream, verdict) = create(&mut account, "app");
        plays(verdict);
        assert_eq!(account.stop(stream), Verdict::Stopped);
    }
    throttled(&mut account, |account| create(account, "app").1);
    assert_eq!(account.live(), [keeps]);
}

#[test]
fn creates_of_a_subject_that_has_all_the_streams_it_may_are_counted_too() {
    let mut account = Account::new(book(Vec::new(), &[("app", &[])]));
    for _ in 0..MAX_STREAMS_PER_SUBJECT {
        account.starts("app");
    }
    throttle(&mut account);
    for _ in 0..5 {
        let (_, verdict) = create(&mut account, "app");
        assert_eq!(verdict, Verdict::Refused(Refused::SubjectFull));
    }
    throttled(&mut account, |account| create(account, "app").1);
}

#[test]
fn media_requests_are_never_throttled_and_do_not_count() {
    let mut account = account();
    let (stream, _) = create(&mut account, "app");
    for _ in 0..10 {
        plays(account.media(stream));
    }
    for _ in 0..3 {
        plays(heartbeat(&mut account, stream));
    }
    throttled(&mut account, |account| heartbeat(account, stream));
    for _ in 0..10 {
        plays(account.media(stream));
    }
    // Nor are implicit starts.
    for _ in 0..10 {
        let stream = account.mint("app");
        if let Verdict::Plays(_) = account.media(stream) {
            assert_eq!(account.stop(stream), Verdict::Stopped);
        }
    }
}

#[test]
fn a_throttled_create_does_not_count_as_another() {
    let mut account = account();
    let (stream, _) = create(&mut account, "app");
    for _ in 0..4 {
        let _ = create(&mut account, "app");
    }
    for _ in 0..20 {
        let late = account.mint("app");
        account.now = stream.issued_at().unwrap();
        throttled(&mut account, |account| call(account, late, Unknown::IsNew));
    }
    next_minute(&mut account);
    for _ in 0..5 {
        let (_, verdict) = create(&mut account, "app");
        assert!(!matches!(
            verdict,
            Verdict::Refused(Refused::Throttled { .. })
        ));
    }
}
