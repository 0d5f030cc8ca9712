//! What a worker at the operator's door does at once, held to what it may, because nobody else is served
//! meanwhile; and what its answers weigh. docs/operator.md says what that is in milliseconds.

use streamgate_vm::Cost;
use streamgate_vm::door::{Crowd, Door};

/// The most instructions of a tick: counting accounts and decisions, in slices.
const SLICE_MAX: u64 = 2_500_000;

/// The most instructions of a call.
const CALL_MAX: u64 = 4_500_000;

/// The most values of shared data that either reads.
const READS_MAX: u32 = 250;

/// The most host calls besides, each of which is a tenth of a read: a counter is told, or looked up.
const OTHERS_MAX: u32 = 2_200;

/// The most instructions of a refusal.
const REFUSAL_MAX: u64 = 300_000;

/// The largest answer in bytes.
const ANSWER_MAX: usize = 64 << 10;

#[track_caller]
fn hold(what: &str, cost: &Cost, fuel_max: u64) {
    let (fuel, reads) = (cost.fuel, cost.buffers());
    let others: u32 = cost.other_calls.values().sum();
    println!("{what}: {fuel} instructions, {reads} reads, {others} others");
    assert!(fuel <= fuel_max, "{what}: {fuel} instructions");
    assert!(reads <= READS_MAX, "{what}: {reads} reads");
    assert!(others <= OTHERS_MAX, "{what}: {others} other calls");
}

/// All calls that read, and ticks until all is counted.
fn hold_all(crowd: &Crowd) -> Door {
    println!("{crowd:?}");
    let mut door = Door::among(crowd);
    hold_calls(&mut door);
    door
}

fn hold_calls(door: &mut Door) {
    door.advance_ms(40_000);
    let ask_all = |door: &mut Door| {
        for path in [
            "/v1/summary",
            "/v1/accounts/acme/of-many",
            "/v1/accounts/acme/refused-1",
            "/v1/decisions",
            "/v1/accounts?order=streams",
        ] {
            let (cost, _, bytes) = door.ask("GET", path);
            hold(path, &cost, CALL_MAX);
            assert!(bytes <= ANSWER_MAX, "{path}: {bytes} bytes");
        }
    };
    ask_all(door);
    let (cost, bytes) = door.page();
    hold("the page", &cost, 100_000);
    assert!(bytes <= 10 << 10, "{bytes} bytes");
    for tick in 0..60 {
        hold(&format!("tick {tick}"), &door.tick(), SLICE_MAX);
    }
    ask_all(door);
}

/// Far more policies refuse than are told apart.
#[test]
fn after_refusals_by_hundreds_of_policies_each_slice_and_each_call_is_short() {
    let crowd = Crowd {
        policies: 150,
        refusals: 400,
        ..Crowd::default()
    };
    let mut door = hold_all(&crowd);
    let (_, summary, _) = door.ask("GET", "/v1/summary");
    let minute = &summary["lastMinute"];
    assert!(minute["refusals"].as_u64() > Some(350), "{summary}");
    assert!(minute["kinds"].as_array().map_or(0, Vec::len) < 80);
}

/// As full as a million streams make 65,536 slots: all are counted.
#[test]
fn among_a_million_streams_each_slice_and_each_call_is_short() {
    let crowd = Crowd {
        slots: 64,
        accounts: 976,
        ..Crowd::default()
    };
    let mut door = hold_all(&crowd);
    let (_, accounts, _) = door.ask("GET", "/v1/accounts?order=streams");
    assert_eq!(accounts["complete"], true);
    // One played before.
    assert_eq!(accounts["accounts"], 977);
}

/// Too few slots, so that each has hundreds of accounts.
#[test]
fn where_slots_are_too_few_each_slice_is_short() {
    let crowd = Crowd {
        slots: 2,
        accounts: 600,
        ..Crowd::default()
    };
    let _ = hold_all(&crowd);
}

/// All that apps may send of each stream is kept.
#[test]
fn where_streams_have_all_attributes_each_slice_is_short() {
    let crowd = Crowd {
        slots: 16,
        accounts: 240,
        attributes: 2_000,
        ..Crowd::default()
    };
    let _ = hold_all(&crowd);
}

/// The worst account: as many streams as one has by default, each on a channel and a device of its own,
/// under rules that count devices per channel.
#[test]
fn an_account_of_many_streams_under_many_rules_is_told_in_a_short_call() {
    let crowd = Crowd {
        of_one: 64,
        listed: 64,
        ..Crowd::default()
    };
    let mut door = hold_all(&crowd);
    let (_, account, _) = door.ask("GET", "/v1/accounts/acme/of-many");
    assert_eq!(account["limits"][0]["count"], 64);
    assert_eq!(account["limits"][1]["count"], 1);
    let told = account["limits"].as_array().map_or(0, Vec::len);
    assert_eq!(account["otherLimits"], 128 - told);
}

/// Each of so many policies has refused somebody, all of them between two ticks.
#[test]
fn under_five_thousand_policies_each_call_and_each_tick_is_short() {
    const POLICIES: u32 = 5_000;
    let mut door = Door::among(&Crowd {
        policies: POLICIES,
        ..Crowd::default()
    });
    let mut dearest = Cost::default();
    for policy in 0..POLICIES {
        let cost = door.refuse(policy);
        if cost.fuel > dearest.fuel {
            dearest = cost;
        }
    }
    hold("a refusal", &dearest, REFUSAL_MAX);
    // Two counters of each policy are told, some at each tick.
    let mut told = 0;
    for tick in 0..8 {
        let cost = door.viewers_tick();
        hold(&format!("a viewers' tick {tick}"), &cost, SLICE_MAX);
        told += cost
            .other_calls
            .iter()
            .filter(|(name, _)| name.contains("policy"))
            .count();
    }
    assert_eq!(told, 2 * POLICIES as usize);

    hold_calls(&mut door);
    for path in [
        "/v1/levels",
        "/v1/levels?page=313",
        "/v1/levels?page=626",
        "/v1/accounts/acme/nobody",
        "/v1/decisions?after=1",
    ] {
        let (cost, _, bytes) = door.ask("GET", path);
        hold(path, &cost, CALL_MAX);
        assert!(bytes <= ANSWER_MAX, "{path}: {bytes} bytes");
        // Each is as long as many requests where Envoy does not know the counter.
        let defined = cost
            .other_calls
            .keys()
            .filter(|name| name.starts_with("define"));
        assert!(defined.count() <= 8, "{path}: {cost:?}");
    }
    let (_, levels, _) = door.ask("GET", "/v1/levels?page=313");
    assert_eq!(levels["policies"][0]["attempted"][0], 1, "{levels}");
    let account = "/v1/accounts/acme/someone-before";
    let exception = format!("{account}/exception");
    let unlimited = r#"{"unlimited": true, "reason": "a", "for": "1h"}"#;
    let put = door.change("PUT", &exception, Some(unlimited));
    hold("an exception", &put, CALL_MAX);
    hold(
        "its end",
        &door.change("DELETE", &exception, None),
        CALL_MAX,
    );
    hold("a stop", &door.change("DELETE", account, None), CALL_MAX);
}
