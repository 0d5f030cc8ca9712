//! What is counted for policies, rules and streams that end.

use streamgate_policy::OnConflict;

use super::test_edge::TestEdge;
use crate::ports::Clock;
use crate::rule_metric::RuleMetric;
use crate::testing::test;

#[test]
fn a_start_counts_for_its_policy_and_an_eviction_for_its_rule() {
    let edge = TestEdge::with_limit(1, OnConflict::StopOldest);
    let rule = edge
        .records
        .book
        .policies_of(edge.records.book.application("app").unwrap());
    let rule = rule
        .map(|(_, policy)| policy.rules[0].name.clone())
        .next()
        .unwrap();
    edge.starts(1);
    edge.starts(1);
    let counted = edge.host.counted_by_rule();
    let expected = [
        (RuleMetric::PolicyStarts.name("P", "1"), 1),
        // Both at once, if none had given way.
        (RuleMetric::PolicyStarts.name("P", "2"), 1),
        (RuleMetric::PolicyAccounts.name("P", "1"), 1),
        (RuleMetric::PolicyAccounts.name("P", "2"), 1),
        (RuleMetric::Evictions.name("P", &rule), 1),
    ];
    assert_eq!(counted, expected.into());
}

#[test]
fn nothing_is_counted_twice_of_a_write_that_was_overtaken() {
    let edge = TestEdge::with_limit(1, OnConflict::StopOldest);
    edge.starts(1);
    edge.host.advance_ms(5_000);
    edge.host.lose_next_swaps(3);
    edge.starts(1);
    assert_eq!(edge.host.counted_by_rule().values().sum::<u64>(), 5);
    assert_eq!(edge.host.lasted_ms(), [5_000]);
}

#[test]
fn a_stream_that_stops_or_lapses_is_told_with_how_long_it_was_on_record() {
    let edge = TestEdge::with_limit(9, OnConflict::DenyNew);
    let stream = edge.starts(1);
    let silent = edge.starts(1);
    let began = edge.host.now();
    let lapses_at = edge.streams(1).iter().map(|stream| stream.lapses_at).max();
    let timeout = lapses_at.unwrap().ms_since(began);
    edge.host.advance_ms(7_000);
    let _ = edge.stop(1, stream);
    assert_eq!(edge.host.lasted_ms(), [7_000]);
    edge.host.advance_ms(timeout);
    assert!(edge.streams(1).iter().all(|stream| stream.key != silent));
    edge.sweep_all();
    assert_eq!(edge.host.lasted_ms(), [7_000, timeout]);
}
