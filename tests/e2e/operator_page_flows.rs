//! All that a support agent does with the operator's page, by its keyboard alone, in a real browser; and what
//! the page makes of texts that somebody chose to harm it, and of an edge that is gone.

use serde_json::{Value, json};
use streamgate_tests::{Browser, Edge, Settings, Tab, eventually};

const KEY: &str = "the key of the tests' operators";
const MANIFEST: &str = "/vod/film/master.m3u8";

/// One whose workers have seen that there is a door.
fn edge() -> Edge {
    let edge = Edge::start(Settings::default().with_door(KEY));
    let _ = edge.one_client_per_worker();
    eventually("both workers have said that they serve", || {
        let summary = edge.door().get("/streamgate/v1/summary");
        let summary = summary.header("authorization", &format!("Bearer {KEY}"));
        summary.send().expect(200).json()["workers"] == 2
    });
    edge
}

#[track_caller]
fn shows(tab: &Tab<'_>, what: &str) {
    eventually(&format!("the page shows {what}"), || reads(tab, what));
}

fn reads(tab: &Tab<'_>, what: &str) -> bool {
    let text = tab.evaluate("document.body.innerText");
    text.as_str().expect("text").contains(what)
}

/// Moves the focus to what a script finds.
fn focus(tab: &Tab<'_>, found: &str) {
    assert_eq!(tab.evaluate(&format!("{found}.focus()")), Value::Null);
}

/// Moves the focus to the first button of the account that says this.
fn to_button(tab: &Tab<'_>, says: &str) {
    let all = "[...document.querySelectorAll('#account button')]";
    let says = json!(says);
    focus(
        tab,
        &format!("{all}.find((it) => it.textContent === {says})"),
    );
}

fn field(tab: &Tab<'_>, id: &str, text: &str) {
    focus(tab, &format!("document.querySelector('#{id}')"));
    let _ = tab.evaluate("document.activeElement.select?.()");
    tab.types(text);
}

/// The door's page, opened by the key, showing an account.
fn opened<'b>(browser: &'b Browser, edge: &Edge, account: &str) -> Tab<'b> {
    let tab = browser.visit(&format!(
        "http://127.0.0.1:{}/streamgate/",
        edge.door_port()
    ));
    // The focus is where the key goes.
    tab.types(KEY);
    tab.press("Enter");
    shows(&tab, "Live streams");
    field(&tab, "idp", "demo");
    tab.press("Tab");
    tab.types(account);
    tab.press("Enter");
    shows(&tab, "Plays now");
    tab
}

/// Says yes where the page asks whether one is sure; the focus is on no.
fn is_sure(tab: &Tab<'_>, question: &str) {
    shows(tab, question);
    tab.press("Tab");
    tab.press("Enter");
}

fn focused(tab: &Tab<'_>) -> String {
    let text = tab.evaluate("document.activeElement.textContent");
    text.as_str().unwrap_or_default().to_owned()
}

/// Chooses an exception by its first letter, and sets it.
fn set(tab: &Tab<'_>, letter: &str, streams: Option<&str>, question: &str) {
    focus(tab, "document.querySelector('#x-exception')");
    tab.press(letter);
    if let Some(streams) = streams {
        field(tab, "x-streams", streams);
    }
    field(tab, "x-reason", "ticket 4711");
    tab.press("Enter");
    is_sure(tab, question);
}

#[test]
fn an_account_is_excepted_blocked_and_freed_by_the_keyboard() {
    let edge = edge();
    let _players = [(); 3].map(|()| edge.player("alice").playing(MANIFEST));
    let browser = Browser::start();
    let tab = opened(&browser, &edge, "alice");
    eventually("the focus is on the account's name", || {
        focused(&tab).starts_with("Account demo / alice")
    });

    // A limit of nothing that somebody forgot to type is none.
    field(&tab, "x-streams", "");
    tab.press("Backspace");
    field(&tab, "x-reason", "ticket 4711");
    tab.press("Enter");
    assert_eq!(tab.evaluate("document.querySelector('#sure').open"), false);
    set(&tab, "a", Some("4"), "A limit of 4 streams for 1h?");
    shows(&tab, "Exception: 4 streams until");
    let fourth = edge.player("alice").playing(MANIFEST);
    let _ = edge.player("alice").open(MANIFEST).expect(403);
    set(&tab, "n", None, "No limit for 1h?");
    shows(&tab, "Exception: no limit until");
    let fifth = edge.player("alice").playing(MANIFEST);

    set(
        &tab,
        "b",
        None,
        "Stop all streams of this account, and block it, for 1h?",
    );
    shows(&tab, "Exception: blocked until");
    shows(&tab, "Plays now: 0");
    for player in [&fourth, &fifth] {
        let _ = player.refused("blocked");
    }
    let _ = edge
        .player("alice")
        .open(MANIFEST)
        .expect_refusal(403, "blocked");
    tab.pictures("blocked");
    to_button(&tab, "Take the exception back");
    tab.press("Enter");
    is_sure(&tab, "Take the exception of this account back?");
    eventually("the exception is gone", || {
        !reads(&tab, "Exception: blocked")
    });
    let again = edge.player("alice").playing(MANIFEST);

    // One thinks better of it, and then does not.
    field(&tab, "subject", "alice");
    tab.press("Enter");
    shows(&tab, "Plays now: 1");
    for key in ["Enter", "Escape"] {
        to_button(&tab, "Stop all");
        tab.press("Enter");
        shows(&tab, "Stop all streams of this account?");
        tab.press(key);
        eventually("nothing is asked any more", || {
            tab.evaluate("document.querySelector('#sure').open") == false
        });
    }
    again.plays();
    to_button(&tab, "Stop all");
    tab.press("Enter");
    is_sure(&tab, "Stop all streams of this account?");
    shows(&tab, "Plays now: 0");
    let _ = again.refused("remote-termination");
}

/// What apps send is shown as what it is, whoever wrote it; and each button says which stream it is for.
#[test]
fn texts_of_apps_and_viewers_are_texts_on_the_page() {
    let edge = edge();
    let markup = "<img src=x onerror=\"document.title='harmed'\">";
    let account = "al\"ice'/<script>document.title='harmed'</script>";
    let app = edge.app("demo-tv");
    let encoded =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
    for device in [
        markup,
        "Living room",
        "Living room",
        "javascript:alert(1)",
        "\u{202e}txet",
    ] {
        let form = format!(
            "deviceName={0}&channel={0}&__proto__={0}&constructor={0}",
            encoded(device)
        );
        let status = app.create(&encoded(account)).form(&form).send().status;
        assert!(matches!(status, 202 | 409), "{status}");
    }
    let browser = Browser::start();
    let tab = opened(&browser, &edge, account);
    shows(&tab, "Plays now: 3");
    shows(&tab, markup);
    shows(&tab, &format!("Account demo / {account}"));
    eventually("the refusals stand among the latest decisions", || {
        reads(&tab, "javascript:alert(1)")
    });
    let harm =
        "[document.title, document.querySelectorAll('img, #inside script, [onerror], a').length]";
    assert_eq!(
        tab.evaluate(harm),
        json!(["streamgate: who plays, and why not", 0])
    );
    // Nor would a script run that got in.
    let _ = tab.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'document.title = 1'}))",
    );
    assert_eq!(
        tab.evaluate("document.title"),
        "streamgate: who plays, and why not"
    );

    let buttons = tab.names("button");
    let mut stops: Vec<&String> = buttons
        .iter()
        .filter(|name| name.starts_with("Stop "))
        .collect();
    stops.retain(|name| *name != "Stop all");
    assert_eq!(stops.len(), 3, "{buttons:?}");
    assert_eq!(
        stops
            .iter()
            .filter(|name| name.starts_with("Stop Living room, "))
            .count(),
        2
    );
    stops.sort();
    stops.dedup();
    assert_eq!(stops.len(), 3, "{buttons:?}");
    for role in [
        "button",
        "textbox",
        "combobox",
        "spinbutton",
        "region",
        "heading",
    ] {
        let names = tab.names(role);
        assert!(
            names.iter().all(|name| !name.is_empty()),
            "{role}: {names:?}"
        );
    }
    tab.assert_accessible();
    tab.pictures("texts");

    // Each line of the log is one object still.
    eventually("the refusals are logged", || edge.decisions(5).len() >= 5);
    for line in edge.access_log().lines() {
        let line: Value = serde_json::from_str(line).expect(line);
        let decision = line["decision"].as_str().unwrap_or("{}");
        let _: Value = serde_json::from_str(decision).expect(decision);
    }
}

/// More is decided than one answer holds: the page shows the latest, not what was long ago.
#[test]
fn a_page_that_fell_behind_shows_the_latest() {
    let edge = edge();
    let _players = [(); 3].map(|()| edge.player("alice").playing(MANIFEST));
    let browser = Browser::start();
    let tab = opened(&browser, &edge, "alice");
    shows(&tab, "started");
    let _ = tab.evaluate("document.querySelector('#pause').click()");
    let app = edge.app("demo-tv");
    for account in 0..350 {
        let _ = app.start(&format!("account-{account}"));
    }
    let last = app.start("the-last").termination_code();
    let asked = tab.evaluate("performance.getEntriesByType('resource').length");
    let _ = tab.evaluate("document.querySelector('#pause').click()");
    shows(&tab, &last);
    let now = tab.evaluate("performance.getEntriesByType('resource').length");
    let calls = now.as_u64().unwrap() - asked.as_u64().unwrap();
    assert!(calls <= 5, "{calls} calls to catch up");
}

#[test]
fn an_edge_that_is_gone_is_told_and_the_key_is_forgotten_with_the_page() {
    let mut edge = Edge::start(Settings::default().with_door(KEY));
    let browser = Browser::start();
    let tab = opened(&browser, &edge, "alice");
    edge.power_off();
    shows(&tab, "No answer");
    to_show(&tab, "bob");
    eventually("the account is not there either", || {
        tab.evaluate("document.querySelector('#account [role=alert]')?.textContent")
            == "No answer of the edge"
    });
    tab.assert_accessible();
    tab.pictures("gone");
    edge.power_on();
    eventually("it goes on by itself", || {
        tab.evaluate("document.querySelector('#state').textContent") == "Live"
    });
    tab.reload();
    shows(&tab, "Key of the operator's door");
    assert!(!reads(&tab, "Live streams"));
    assert_eq!(tab.evaluate("document.querySelector('#key').value"), "");
}

fn to_show(tab: &Tab<'_>, account: &str) {
    field(tab, "subject", account);
    tab.press("Enter");
}
