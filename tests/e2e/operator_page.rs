//! The page over the operator's door, in a real browser: what a support agent reads and does.

use serde_json::json;
use streamgate_tests::{Browser, Edge, Settings, Tab, eventually};

const KEY: &str = "the key of the tests' operators";
const MANIFEST: &str = "/vod/film/master.m3u8";

fn open<'b>(browser: &'b Browser, edge: &Edge) -> Tab<'b> {
    browser.visit(&format!(
        "http://127.0.0.1:{}/streamgate/",
        edge.door_port()
    ))
}

fn fills(tab: &Tab<'_>, field: &str, text: &str) {
    let script = format!("document.querySelector('#{field}').value = {}", json!(text));
    let _ = tab.evaluate(&script);
}

fn submits(tab: &Tab<'_>, form: &str) {
    let _ = tab.evaluate(&format!(
        "document.querySelector('#{form}').requestSubmit()"
    ));
}

fn reads(tab: &Tab<'_>, what: &str) -> bool {
    let text = tab.evaluate("document.body.innerText");
    text.as_str().expect("text").contains(what)
}

#[track_caller]
fn shows(tab: &Tab<'_>, what: &str) {
    eventually(&format!("the page shows {what}"), || reads(tab, what));
}

#[test]
fn a_support_agent_reads_why_and_stops_a_stream() {
    let edge = Edge::start(Settings::default().with_door(KEY));
    let browser = Browser::start();
    let tab = open(&browser, &edge);
    fills(&tab, "key", "not the key of anybody");
    submits(&tab, "login");
    shows(&tab, "That is not a key of this door");
    assert!(!reads(&tab, "Live streams"), "it is shown without a key");

    fills(&tab, "key", KEY);
    submits(&tab, "login");
    shows(&tab, "Live streams");
    let players = [(); 3].map(|()| edge.player("alice").playing(MANIFEST));
    eventually("a start beyond the limit is kept for the page", || {
        let _ = edge.player("alice").open(MANIFEST).expect(403);
        reads(&tab, "household / three-streams allows 3")
    });

    fills(&tab, "idp", "demo");
    fills(&tab, "subject", "alice");
    submits(&tab, "find");
    shows(&tab, "Plays now: 3");
    shows(&tab, "Last refused: household / three-streams allows 3");
    tab.assert_accessible();

    // By keyboard: the first of the buttons that stop one, and the answer that does it.
    let _ = tab.evaluate(
        "[...document.querySelectorAll('#account button')].find((it) => it.textContent === 'Stop').focus()",
    );
    tab.press("Enter");
    shows(&tab, "Its viewer is told");
    tab.press("Tab");
    tab.press("Enter");
    shows(&tab, "Plays now: 2");
    let stopped = |player: &&streamgate_tests::Player| player.segment().status == 403;
    eventually("one player is stopped", || {
        players.iter().filter(stopped).count() == 1
    });
    // What ended it, and what another limit would have met.
    shows(&tab, "an operator stopped it");
    let levels = tab.evaluate("document.querySelector('#levels').innerText");
    let levels = levels.as_str().expect("text");
    assert!(levels.contains("household"), "{levels}");
    eventually("the fourth start is among the levels", || {
        let row = "[...document.querySelectorAll('#levels tr')].at(-1)?.innerText";
        let row = tab.evaluate(row);
        row.as_str().is_some_and(|row| row.starts_with('4'))
    });
    tab.assert_accessible();
    let kept =
        tab.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])");
    assert_eq!(
        kept,
        json!("[{},{},\"\"]"),
        "the key is in the page's memory alone"
    );
}
