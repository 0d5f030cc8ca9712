//! Web players in a real browser, on a page from another site.

use serde_json::json;
use streamgate_tests::WebPlayer::{DashJs, HlsJs, Native, Shaka};
use streamgate_tests::{
    Browser, Edge, Settings, Tab, WebPlayer, eventually, eventually_within, sample,
};

const HLS: &str = "/vod/sample/master.m3u8";
const DASH: &str = "/vod/sample/manifest.mpd";

/// A player, what it plays, and the account it plays for.
type Playback = (&'static str, WebPlayer, &'static str);

const OF_HLS: [Playback; 2] = [("hls-js", HlsJs, HLS), ("shaka-hls", Shaka, HLS)];
const OF_DASH: [Playback; 2] = [("dash-js", DashJs, DASH), ("shaka-dash", Shaka, DASH)];

fn all_players() -> impl Iterator<Item = Playback> {
    OF_HLS.into_iter().chain(OF_DASH)
}

/// No stream lapses, however slow the machine is.
fn settings() -> Settings {
    lapsing_after(900)
}

fn lapsing_after(seconds: u32) -> Settings {
    Settings::default().serving(sample()).lapsing_after(seconds)
}

/// After how many seconds of silence streams are gone where that is looked at. The players load
/// eight seconds ahead and from then on ask for four more every four seconds: a stream that
/// plays is never silent for nearly as long, unless eight players are too much for the machine.
const TIMEOUT: u32 = 20;

/// Within how many seconds it is seen that a stream is gone.
const LAPSED_WITHIN: u64 = 2 * TIMEOUT as u64;

fn assert_the_origin_saw_no_token(edge: &Edge) {
    assert!(edge.origin.paths().iter().all(|path| !path.contains('~')));
}

/// Two players beside each other, to be done in half the time.
fn three_play_and_a_closed_one_makes_room(players: [Playback; 2]) {
    let (edge, browser) = (Edge::start(lapsing_after(TIMEOUT)), Browser::start());
    let open = |(account, player, manifest): Playback| {
        browser.open(player, &edge, manifest).account(account)
    };
    let tabs = players.map(|one| [(); 3].map(|()| open(one).go()));
    for tab in tabs.iter().flatten() {
        tab.assert_plays();
    }
    for fourth in players.map(|one| open(one).go()) {
        let shown = fourth.refusal();
        assert_eq!(shown.reason, "limit-reached");
        assert_eq!(shown.message, "Too many streams on this account");
    }
    assert_eq!(edge.metric("starts"), 6);

    let others = tabs.map(|[first, others @ ..]| {
        first.close();
        others
    });
    for (account, ..) in players {
        let running = || edge.app("demo-web").running(account).len();
        eventually_within(LAPSED_WITHIN, "its place is free", || running() == 2);
    }
    let next = players.map(|one| open(one).go());
    for tab in others.iter().flatten().chain(&next) {
        tab.assert_plays();
    }
    // Whatever they asked for, on however many connections: four playbacks each.
    assert_eq!(edge.metric("starts"), 8);
    assert_eq!(edge.metric("lapses"), 2);
    assert_the_origin_saw_no_token(&edge);
}

#[test]
fn three_tabs_of_each_hls_player_play_the_fourth_shows_why_not_and_a_closed_one_makes_room() {
    three_play_and_a_closed_one_makes_room(OF_HLS);
}

#[test]
fn three_tabs_of_each_dash_player_play_the_fourth_shows_why_not_and_a_closed_one_makes_room() {
    three_play_and_a_closed_one_makes_room(OF_DASH);
}

/// Two renditions in turn, audio beside them, several connections, two workers.
#[test]
#[ignore = "takes long: make trials"]
fn a_minute_of_quality_switches_is_one_stream_on_two_workers() {
    const PLAYED: u64 = 60;
    let edge = Edge::start(lapsing_after(TIMEOUT));
    let browser = Browser::start();
    let tab = browser
        .open(HlsJs, &edge, HLS)
        .account("alice")
        .switching_every(10)
        .plays();
    eventually_within(PLAYED + 60, "a minute has been played", || {
        assert_eq!(edge.metric("live_streams"), 1);
        tab.has_played(PLAYED as f64)
    });
    assert_eq!(edge.metric("starts"), 1);
    assert_eq!(edge.metric("lapses"), 0);

    let workers = edge.connections_by_worker();
    assert!(workers.iter().all(|count| *count > 0), "{workers:?}");
    let asked = edge.origin.paths();
    let asked_for = |rendition: u32| {
        let name = format!("/segment-{rendition}-");
        asked.iter().filter(|path| path.contains(&name)).count()
    };
    assert!(asked_for(0) > 3 && asked_for(1) > 3, "{asked:?}");
    // One write for the start, and one for each third of the timeout, whichever worker
    // makes it.
    let writes = edge.metric("record_writes");
    let most = 1 + PLAYED.div_ceil(u64::from(TIMEOUT / 3));
    assert!((2..=most).contains(&writes), "{writes}, not {most}");
    assert_the_origin_saw_no_token(&edge);
}

#[test]
fn two_tabs_are_two_streams_and_a_reload_is_a_new_one() {
    let (edge, browser) = (Edge::start(lapsing_after(TIMEOUT)), Browser::start());
    let [first, second] =
        [(); 2].map(|()| browser.open(HlsJs, &edge, HLS).account("alice").plays());
    assert_eq!(edge.metric("starts"), 2);
    assert_eq!(edge.metric("live_streams"), 2);

    first.reload();
    first.assert_plays();
    assert_eq!(edge.metric("starts"), 3);
    let lapsed = "what played before the reload has lapsed";
    eventually_within(LAPSED_WITHIN, lapsed, || edge.metric("lapses") == 1);
    assert_eq!(edge.metric("live_streams"), 2);
    first.assert_plays();
    second.assert_plays();
    assert_eq!(edge.metric("starts"), 3);
}

#[test]
fn an_evicted_player_shows_why_stays_out_and_is_judged_afresh_when_loaded_again() {
    let edge = Edge::start(settings().with("/playback/0/application", "demo-mobile"));
    let browser = Browser::start();
    let open = |(account, player, manifest): Playback| {
        browser.open(player, &edge, manifest).account(account)
    };
    let all_play = || {
        let tabs: Vec<Tab<'_>> = all_players().map(|one| open(one).go()).collect();
        tabs.iter().for_each(Tab::assert_plays);
        tabs
    };
    let victims = all_play();
    let winners = all_play();
    for victim in &victims {
        let shown = victim.refusal();
        assert_eq!(shown.reason, "evicted");
        assert_eq!(shown.message, "This account plays on another device now");
    }
    // A victim tries again until what it has loaded ahead is played.
    eventually("the others have played on", || {
        winners.iter().all(|tab| tab.has_played(16.0))
    });
    assert_eq!(edge.metric("starts"), 8);

    victims.iter().for_each(Tab::reload);
    victims.iter().for_each(Tab::assert_plays);
    for winner in &winners {
        assert_eq!(winner.refusal().reason, "evicted");
    }
    assert_eq!(edge.metric("starts"), 12);
    assert_eq!(edge.metric("evictions"), 8);
}

/// No redirect here: what a player says of itself is all there is.
#[test]
fn a_player_that_names_its_playback_by_cmcd_is_one_stream() {
    let cmcd = json!([{"cmcd": "sid"}]);
    let edge = Edge::start(settings().with("/playback/0/stream", cmcd));
    let browser = Browser::start();
    let tabs: Vec<Tab<'_>> = all_players()
        .flat_map(|(account, player, manifest)| {
            let open = || browser.open(player, &edge, manifest).account(account);
            let uuid = "6e2fb550-c457-11e9-bb97-0800200c9a66";
            [
                open().cmcd_in_query(uuid).go(),
                open().cmcd_in_headers("playback-2").go(),
            ]
        })
        .collect();
    tabs.iter().for_each(Tab::assert_plays);
    for (account, ..) in all_players() {
        assert_eq!(edge.app("demo-web").running(account).len(), 2);
    }
    assert_eq!(edge.metric("starts"), 8);
    assert_eq!(edge.metric("redirects_minted"), 0);
}

/// As on a television, no header can be added.
#[test]
fn the_browsers_own_player_plays_under_the_prefix_of_its_session() {
    let (edge, browser) = (Edge::start(settings()), Browser::start());
    let session = edge.app("demo-web").start("alice");
    let path = format!("{}{HLS}", session.playback_prefix);
    let tab = browser.open(Native, &edge, &path).plays();
    tab.assert_plays();
    assert_eq!(edge.metric("starts"), 1);
    assert_eq!(edge.metric("live_streams"), 1);
    assert_the_origin_saw_no_token(&edge);
}
