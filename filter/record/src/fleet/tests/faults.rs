//! What becomes of questions when the store does not do as it is told.

use super::*;
use crate::testing::test;

#[test]
fn a_store_that_lacks_the_scripts_is_brought_them() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 7);
    let call = worker.call();
    let lacks = b"-NOSCRIPT No matching script.\r\n".repeat(2);
    worker.hears(&call, Ok(&[&lacks[..], b"+OK\r\n"].concat()));
    let again = worker.call();
    let names: Vec<_> = commands(&again)
        .into_iter()
        .map(|command| command[0].clone())
        .collect();
    let expected: [&[u8]; 5] = [b"SCRIPT", b"SCRIPT", b"EVALSHA", b"EVALSHA", b"QUIT"];
    assert_eq!(names, expected);
    let loaded = [GREET, SWAP]
        .map(|script| bulk(script.hash.as_bytes()))
        .concat();
    let said = [loaded, answer(&again, &[done()])].concat();
    worker.hears(&again, Ok(&said));
    assert!(matches!(
        worker.verdicts()[..],
        [(7, Ok(Verdict::Plays(_)))]
    ));
    assert!(worker.fleet.is_up(&subject(1, 1)));
}

#[test]
fn whoever_waits_for_a_call_that_fails_is_told_and_the_shard_is_left_alone_for_a_while() {
    let mut worker = Worker::acquainted();
    let alice = subject(1, 1);
    worker.asks(alice, 1);
    let call = worker.call();
    worker.asks(subject(1, 2), 2);
    worker.hears(&call, Err(CallFailure));
    let again = worker.call();
    worker.hears(&again, Err(CallFailure));
    let unanswered = [(1, Err(Unavailable::Fleet)), (2, Err(Unavailable::Fleet))];
    let mut told = worker.verdicts();
    told.sort_by_key(|(ticket, _)| *ticket);
    assert_eq!(told, unanswered);
    assert!(!worker.fleet.is_up(&alice));
    assert!(worker.fleet.is_up(&subject(2, 1)));
    assert_eq!(worker.host.count(Metric::FleetErrorsUnreachable), 2);
    let mut probes = Vec::new();
    for _ in 0..5 {
        assert!(probes.is_empty());
        probes = worker.tick();
    }
    let [probe] = &probes[..] else {
        panic!("one probe: {probes:?}");
    };
    let said = answer(probe, &[]);
    worker.hears(probe, Ok(&said));
    assert!(worker.fleet.is_up(&alice));
}

#[test]
fn nobody_waits_for_longer_than_starts_may() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 1);
    let call = worker.call();
    for _ in 0..4 {
        let _ = worker.tick();
        assert!(worker.verdicts().is_empty());
    }
    let _ = worker.tick();
    let settled = worker.fleet.settled();
    assert_eq!(settled[0].answer, Err(Unavailable::Fleet));
    assert!(settled[0].may_be_recorded, "it was sent");
    // What comes of it is known all the same.
    let said = answer(&call, &[done()]);
    worker.hears(&call, Ok(&said));
    assert!(worker.verdicts().is_empty());
    assert_eq!(worker.live(&subject(1, 1)), 1);
}

#[test]
fn an_answer_that_is_cut_has_the_rest_said_again() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 1);
    worker.asks(subject(1, 2), 2);
    let call = worker.call();
    let said = answer(&call, &[done(), done()]);
    worker.hears(&call, Ok(&said[..said.len() - 8]));
    assert!(matches!(
        worker.verdicts()[..],
        [(1, Ok(Verdict::Plays(_)))]
    ));
    assert_eq!(worker.host.count(Metric::FleetErrorsProtocol), 1);
    let again = &worker.tick()[0];
    assert_eq!(swaps(again).len(), 1);
    let said = answer(again, &[done()]);
    worker.hears(again, Ok(&said));
    assert!(matches!(
        worker.verdicts()[..],
        [(2, Ok(Verdict::Plays(_)))]
    ));
}

#[test]
fn no_answer_is_a_trap_whatever_it_is() {
    let whole = answer(
        &{
            let mut worker = Worker::acquainted();
            worker.asks(subject(1, 1), 1);
            worker.call()
        },
        &[another(&Activity::default())],
    );
    let mut answers: Vec<Vec<u8>> = (0..whole.len()).map(|len| whole[..len].to_vec()).collect();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        answers.push(changed);
    }
    answers.push(b"*1\r\n".repeat(50_000));
    answers.push(b"-ERR unknown command\r\n".to_vec());
    for said in answers {
        let mut worker = Worker::acquainted();
        worker.asks(subject(1, 1), 1);
        let call = worker.call();
        worker.hears(&call, Ok(&said));
        let _ = worker.verdicts();
    }
}

#[test]
fn a_full_store_is_an_outage_for_starts_and_no_reason_to_leave_it_alone() {
    let mut worker = Worker::acquainted();
    worker.asks(subject(1, 1), 1);
    let call = worker.call();
    let full = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n";
    let said = answer(&call, &[full.to_vec()]);
    worker.hears(&call, Ok(&said));
    assert_eq!(worker.verdicts(), [(1, Err(Unavailable::Fleet))]);
    assert!(worker.fleet.is_up(&subject(1, 1)));
    assert_eq!(worker.host.count(Metric::FleetErrorsFull), 1);
}
