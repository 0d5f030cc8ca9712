//! A store that comes back, frozen or empty: those who play go on, and a third of a timeout later
//! nobody is over the limit.

use std::time::Duration;

use streamgate_tests::Valkey;

use super::households::{ACCOUNTS, Households, TIMEOUT};

fn play(valkey: &Valkey, on_outage: &str) -> Households {
    let settings = Households::settings(&[valkey.port]);
    Households::play(&settings.with("/fleet/on_outage", on_outage))
}

#[test]
#[ignore = "takes long: make trials"]
fn a_store_that_was_frozen_for_longer_than_streams_live() {
    for on_outage in ["refuse", "admit"] {
        let valkey = Valkey::start();
        let mut households = play(&valkey, on_outage);
        valkey.freeze();
        households.goes_on_for(TIMEOUT + Duration::from_secs(1));
        valkey.thaw();
        households.become_exact(&format!("frozen for 13 s, {on_outage}"));
    }
}

#[test]
fn a_store_that_was_restarted_without_what_it_held() {
    for on_outage in ["refuse", "admit"] {
        let mut valkey = Valkey::start();
        let mut households = play(&valkey, on_outage);
        households.goes_round();
        valkey.kill();
        households.goes_on_for(Duration::from_secs(3));
        valkey.start_again();
        households.become_exact(&format!("gone for 3 s and back empty, {on_outage}"));
    }
}

#[test]
#[ignore = "takes long: make trials"]
fn a_store_that_is_emptied_while_it_runs() {
    for on_outage in ["refuse", "admit"] {
        let valkey = Valkey::start();
        let mut households = play(&valkey, on_outage);
        households.goes_round();
        let _ = valkey.command(&["FLUSHALL"]);
        households.become_exact(&format!("FLUSHALL, {on_outage}"));
        assert!(valkey.records() >= ACCOUNTS);
    }
}
