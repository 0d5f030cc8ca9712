//! What tokens that are worth nothing cost: little, once, and nobody else.

use streamgate_tokens::cat::testing::{Computed, counted};

use super::*;
use crate::testing::test;

const NOTHING: Computed = Computed { hmac: 0, es256: 0 };

fn cost(world: &mut World, ask: Ask) -> u32 {
    let (_, computed) = counted(|| world.ask(ask));
    computed.hmac + computed.es256
}

#[test]
fn a_worthless_token_is_judged_once_a_minute() {
    let mut world = by_token();
    for token in [
        alice().id("one").sign_with("new", &[b'#'; 32]),
        "x".to_owned(),
    ] {
        let ask = || segment().cat(&token);
        for expected in [2, 0, 0] {
            assert_eq!(cost(&mut world, ask()), expected);
        }
        world.host.advance_ms(59_999);
        assert_eq!(cost(&mut world, ask()), 0);
        world.host.advance_ms(1);
        assert_eq!(cost(&mut world, ask()), 2);
        assert_eq!(world.ask(ask()).refusal(), refused(403, "token-invalid"));
    }
}

#[test]
fn what_only_waits_for_its_time_or_its_request_is_not_taken_for_worthless() {
    let mut world = by_token();
    let early = alice()
        .id("one")
        .from(NOW.plus_ms(LEEWAY_MS + 2_000))
        .sign();
    let (label, value) = BELOW_A;
    let narrow = alice().id("two").claim(label, value).sign();
    let elsewhere = |token: &str| get("/vod/b/1.m4s").cat(token);
    assert_eq!(world.ask(segment().cat(&early)).answer().status, 403);
    assert_eq!(world.ask(elsewhere(&narrow)).answer().status, 403);
    world.ask(segment().cat(&narrow)).served();
    world.host.advance_ms(2_000);
    let (outcome, computed) = counted(|| world.ask(segment().cat(&early)));
    outcome.served();
    assert_eq!(computed, NOTHING);
}

#[test]
fn no_flood_of_worthless_tokens_pushes_a_good_one_out() {
    let mut world = by_token();
    let good = alice().id("one").sign();
    world.ask(segment().cat(&good)).served();
    for n in 0..6_000 {
        let _ = world.ask(segment().cat(&format!("{good}{n}")));
    }
    let (outcome, computed) = counted(|| world.ask(segment().cat(&good)));
    outcome.served();
    assert_eq!(computed, NOTHING);
}

#[test]
fn the_good_one_of_several_tokens_in_a_place_counts() {
    let mut world = by_token();
    let good = alice().id("one").sign();
    let old = alice().id("one").until(NOW).sign();
    world.host.advance_ms(LEEWAY_MS);
    let name = "CTA-Common-Access-Token";
    let encoded = good.replace('-', "%2D").replace('_', "%5f");
    for ask in [
        segment().header("cookie", format!("{name}={old}; x=1; {name}={good}")),
        segment().header("cookie", format!("{name}=; {name}=\"{good}\"")),
        segment().header(
            "cookie",
            format!("$Version=1; {name}=\"{good}\"; $Path=\"/\""),
        ),
        segment()
            .header("cookie", format!("{name}={old}"))
            .header("cookie", format!("{name}={good}")),
        get(format!("/vod/a/1.m4s?CAT=&CAT={good}")),
        get(format!("/vod/a/1.m4s?CAT={old}&v=1&%43AT={encoded}")),
    ] {
        let reached = world.ask(ask).reached();
        let shown = format!("{reached:?}");
        assert!(
            !shown.contains(&good[..20]) && !shown.contains(name),
            "{shown}"
        );
    }
    assert_eq!(world.streams("alice"), 1);
    for path in ["/vod/a/1.m4s?CAT=", "/vod/a/1.m4s?CAT=&CAT=x"] {
        let refusal = world.ask(get(path)).refusal();
        assert_eq!(refusal, refused(403, "token-invalid"), "{path}");
    }
}

#[test]
fn a_heap_of_tokens_costs_four_signatures() {
    let name = "CTA-Common-Access-Token";
    let mut world = by_token();
    let heap: Vec<_> = (0..500).map(|n| format!("{name}=x{n}")).collect();
    let ask = || segment().header("cookie", heap.join("; "));
    assert_eq!(cost(&mut world, ask()), 4);
    // The next two are looked at with the next request, and so on to the eighth.
    let costs: Vec<_> = (0..5).map(|_| cost(&mut world, ask())).collect();
    assert_eq!(costs, [4, 4, 4, 0, 0]);
}
