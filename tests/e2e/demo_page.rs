//! The demo's page (`demo/`) and the web client's (`client/`), in a real browser.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use streamgate_tests::{
    Browser, Client, Edge, Settings, Tab, awaited, envoy, eventually, free_port, node, project,
    sample, wasm,
};
use tempfile::TempDir;

/// An edge whose origin serves the page besides the films.
struct Stage {
    edge: Edge,
    browser: Browser,
    _files: TempDir,
}

impl Stage {
    fn set() -> Self {
        let files = tempfile::tempdir().expect("a directory");
        let link = |name: &str, to: std::path::PathBuf| {
            symlink(to, files.path().join(name)).expect("a link");
        };
        link("demo", project().join("demo"));
        link("client", project().join("client"));
        link("vod", sample().join("vod"));
        // No stream lapses, and a screen hears of its end by its next heartbeat at the latest.
        let settings = Settings::default().lapsing_after(900);
        Self {
            edge: Edge::start(settings.serving(files.path().to_owned())),
            browser: Browser::start(),
            _files: files,
        }
    }

    fn open(&self, page: &str) -> Tab<'_> {
        let port = self.edge.port;
        self.browser
            .visit(&format!("http://127.0.0.1:{port}{page}"))
    }

    /// The page of four screens, on which all were told to play.
    fn all_four(&self, account: &str, mode: &str) -> Tab<'_> {
        let tab = self.open(&format!("/demo/index.html?account={account}&mode={mode}"));
        tab.evaluate("document.querySelector('#all').click()");
        awaits_states(&tab, ["playing", "playing", "playing", "refused"]);
        tab
    }
}

fn awaits_states(tab: &Tab<'_>, wanted: [&str; 4]) {
    let states = "[...document.querySelectorAll('.screen')].map((screen) => screen.dataset.state)";
    eventually(&format!("the screens are {wanted:?}"), || {
        tab.evaluate(states) == json!(wanted)
    });
}

/// What a screen shows, in plain text; screens are counted from one.
fn text(tab: &Tab<'_>, screen: usize, selector: &str) -> String {
    let script = format!(
        "document.querySelector('.screen:nth-child({screen}) {selector}').textContent.trim()"
    );
    tab.evaluate(&script).as_str().expect("text").to_owned()
}

fn click(tab: &Tab<'_>, selector: &str) {
    tab.evaluate(&format!("document.querySelector(\"{selector}\").click()"));
}

/// The streams that a screen shows to be in the way.
fn choices(tab: &Tab<'_>, screen: usize) -> Value {
    tab.evaluate(&format!(
        "[...document.querySelectorAll('.screen:nth-child({screen}) .choices li')].map((row) => \
         row.querySelector('strong').textContent + ': ' + row.querySelector('span').textContent)"
    ))
}

/// Nothing that proves something, or ends somebody's stream, is shown or stands in the address.
fn assert_shows_no_token(tab: &Tab<'_>, edge: &Edge, account: &str) {
    let page = tab.evaluate(
        "document.body.innerText + location.href \
         + [...document.querySelectorAll('input:not([type=checkbox]), a')]\
         .map((one) => one.value ?? one.href)",
    );
    let page = page.as_str().expect("text").to_owned();
    assert!(!page.contains("/~"), "{page}");
    let running = edge.app("demo-web").running(account);
    assert!(!running.is_empty());
    for stream in running {
        for secret in ["sessionId", "terminationCode"] {
            let secret = stream[secret].as_str().expect("text");
            assert!(!page.contains(secret), "{secret} in {page}");
        }
    }
}

#[test]
fn three_screens_play_and_the_one_that_the_viewer_chose_says_who_stopped_it() {
    let stage = Stage::set();
    let tab = stage.all_four("alice", "asks");
    assert_eq!(text(&tab, 4, "h2"), "Too many streams on this account");
    let all = json!([
        "Living room: Aurora",
        "Laptop: Tides",
        "Tablet: The Long Zoom"
    ]);
    assert_eq!(choices(&tab, 4), all);
    eventually("the page counts what the edge counts", || {
        tab.evaluate("document.querySelector('#count').textContent") == json!("3 of 3 screens")
    });
    assert_shows_no_token(&tab, &stage.edge, "alice");
    tab.assert_accessible();

    click(&tab, ".screen:nth-child(4) .choices li:nth-child(2) button");
    awaits_states(&tab, ["playing", "terminated", "playing", "playing"]);
    assert_eq!(text(&tab, 2, "h2"), "Stopped by Phone");
    assert_eq!(text(&tab, 2, ".said p"), "Colonies plays there now.");
    assert_eq!(text(&tab, 2, ".play"), "Play here again");
    assert_shows_no_token(&tab, &stage.edge, "alice");

    click(&tab, ".screen:nth-child(2) .play");
    awaits_states(&tab, ["playing", "refused", "playing", "playing"]);
    let others = json!([
        "Living room: Aurora",
        "Tablet: The Long Zoom",
        "Phone: Colonies"
    ]);
    assert_eq!(choices(&tab, 2), others);

    // Stopped here, the place is free at once.
    click(&tab, ".screen:nth-child(1) .stop");
    awaits_states(&tab, ["stopped", "refused", "playing", "playing"]);
    eventually("the edge was told", || {
        stage.edge.app("demo-web").count_running("alice") == 2
    });
    click(&tab, ".screen:nth-child(2) .play");
    awaits_states(&tab, ["stopped", "playing", "playing", "playing"]);
    let paths = stage.edge.origin.paths();
    assert!(paths.iter().all(|path| !path.contains('~')), "{paths:?}");
}

/// Nobody asks: the same limit, and the same words, in answers to a player that nobody changed.
#[test]
fn screens_that_just_play_are_limited_named_and_told_who_stopped_them() {
    let stage = Stage::set();
    let tab = stage.all_four("bob", "plays");
    assert_eq!(text(&tab, 4, "h2"), "Too many streams on this account");
    let all = json!([
        "Living room: Aurora",
        "Laptop: Tides",
        "Tablet: The Long Zoom"
    ]);
    assert_eq!(choices(&tab, 4), all);
    let buttons = tab.evaluate("document.querySelectorAll('.choices button').length");
    assert_eq!(buttons, json!(0), "a player cannot choose");
    assert_shows_no_token(&tab, &stage.edge, "bob");
    tab.assert_accessible();

    let app = stage.edge.app("demo-tv");
    let is_laptop = |stream: &Value| stream["metadata"]["deviceName"] == "Laptop";
    let running = app.running("bob");
    let laptop = running.iter().find(|stream| is_laptop(stream));
    let code = laptop.expect("it runs")["terminationCode"].as_str();
    let television = app
        .create("bob")
        .form("deviceName=Television&channel=News")
        .terminate(code.expect("a code"))
        .start();
    awaits_states(&tab, ["playing", "terminated", "playing", "refused"]);
    assert_eq!(text(&tab, 2, "h2"), "Stopped by Television");

    assert_eq!(television.stop().status, 202);
    click(&tab, ".screen:nth-child(4) .play");
    awaits_states(&tab, ["playing", "terminated", "playing", "playing"]);
}

/// Everything by the keyboard, from the address bar to the choice.
#[test]
fn a_keyboard_is_enough() {
    let stage = Stage::set();
    let tab = stage.open("/demo/index.html?account=carol");
    let tab_to = |selector: &str| {
        for _ in 0..40 {
            tab.press("Tab");
            if tab.evaluate(&format!("document.activeElement.matches(\"{selector}\")")) == true {
                return;
            }
        }
        panic!("the keyboard does not come to {selector}");
    };
    let has_focus = |selector: &str| {
        eventually(&format!("{selector} has the focus"), || {
            tab.evaluate(&format!("document.activeElement.matches(\"{selector}\")")) == true
        });
    };
    tab_to("[name=mode]");
    tab.press("ArrowRight");
    has_focus("[value=plays]:checked");
    tab.press("ArrowLeft");
    has_focus("[value=asks]:checked");
    for (screen, then) in [
        (1, ".stop"),
        (2, ".stop"),
        (3, ".stop"),
        (4, ".choices li:first-child button"),
    ] {
        tab_to(&format!(".screen:nth-child({screen}) .play"));
        tab.press("Enter");
        has_focus(&format!(".screen:nth-child({screen}) {then}"));
        let state = if screen == 4 { "refused" } else { "playing" };
        eventually("it plays, or says why not", || {
            tab.evaluate(&format!(
                "document.querySelector('.screen:nth-child({screen})').dataset.state"
            )) == state
        });
    }
    tab.press("Enter");
    awaits_states(&tab, ["terminated", "playing", "playing", "playing"]);
    // What happens elsewhere takes the focus from nobody.
    has_focus(".screen:nth-child(4) .stop");
    tab.press("Space");
    awaits_states(&tab, ["terminated", "playing", "playing", "stopped"]);
    has_focus(".screen:nth-child(4) .play");
}

#[test]
fn an_edge_that_is_gone_is_missed_and_when_it_is_back_the_screens_play_on() {
    let mut stage = Stage::set();
    let port = stage.edge.port;
    let Stage { edge, browser, .. } = &mut stage;
    let url = format!("http://127.0.0.1:{port}/demo/index.html?account=dave");
    let tab = browser.visit(&url);
    click(&tab, ".screen:nth-child(1) .play");
    click(&tab, ".screen:nth-child(2) .play");
    awaits_states(&tab, ["playing", "playing", "idle", "idle"]);
    edge.power_off();
    eventually("the page says so", || {
        tab.evaluate("document.querySelector('#gone').innerText")
            .as_str()
            .is_some_and(|text| text.starts_with("The edge does not answer."))
    });
    // A start says so at once, and what plays when it has come to the end of what it has.
    click(&tab, ".screen:nth-child(3) .play");
    awaits_states(&tab, ["lost", "lost", "lost", "idle"]);
    assert_eq!(text(&tab, 1, "h2"), "The edge does not answer");
    edge.power_on();
    awaits_states(&tab, ["playing", "playing", "playing", "idle"]);
    eventually("the page says nothing more", || {
        tab.evaluate("document.querySelector('#gone').hidden") == true
    });
    eventually("the edge knows their names again", || {
        let streams = tab.evaluate("document.querySelector('#streams').innerText");
        ["Living room · Aurora", "Laptop · Tides"]
            .iter()
            .all(|name| streams.as_str().is_some_and(|text| text.contains(name)))
    });
}

#[test]
fn a_film_that_breaks_is_said_to_be_broken_and_its_place_is_free() {
    let stage = Stage::set();
    stage
        .edge
        .origin
        .answers("/vod/aurora/segment-0-001.m4s", 500);
    let tab = stage.open("/demo/index.html?account=erin");
    click(&tab, ".screen:nth-child(1) .play");
    awaits_states(&tab, ["broken", "idle", "idle", "idle"]);
    assert_eq!(text(&tab, 1, "h2"), "Playback broke");
    eventually("its place is free", || {
        stage.edge.app("demo-web").running("erin").is_empty()
    });
    stage.edge.origin.recovers("/vod/aurora/segment-0-001.m4s");
    click(&tab, ".screen:nth-child(1) .play");
    awaits_states(&tab, ["playing", "idle", "idle", "idle"]);
}

/// The page for app developers, with the browser's own player.
#[test]
fn the_web_clients_page_tells_devices_by_name_and_says_when_the_edge_is_gone() {
    let mut stage = Stage::set();
    let Stage { edge, browser, .. } = &mut stage;
    let app = edge.app("demo-tv");
    let sessions = ["Kitchen", "Bedroom", "Phone"].map(|device| {
        let create = app.create("frank");
        let form = format!("deviceName={device}&channel=News");
        let session = create.form(&form).start();
        // Streams of one and the same millisecond have no order.
        std::thread::sleep(std::time::Duration::from_millis(5));
        session
    });
    let tab = browser.visit(&format!("http://127.0.0.1:{}/client/index.html", edge.port));
    tab.evaluate("document.querySelector('[name=subject]').value = 'frank'");
    click(&tab, "#player button");
    let shows = |id: &str, wanted: &str| {
        eventually(&format!("#{id} says {wanted:?}"), || {
            let text = tab.evaluate(&format!("document.querySelector('#{id}').innerText"));
            text.as_str().is_some_and(|text| text.contains(wanted))
        });
    };
    shows("status", "Too many streams on this account");
    eventually("the streams in the way are listed by device", || {
        tab.evaluate("document.querySelector('#conflicts').innerText.match(/\\w+: \\w+/g)")
            == json!(["Kitchen: News", "Bedroom: News", "Phone: News"])
    });
    // The keyboard stands at the first of them, which is chosen.
    eventually("the keyboard is there", || {
        tab.evaluate("document.querySelector('#conflicts').contains(document.activeElement)")
            == json!(true)
    });
    tab.press("Enter");
    shows("status", "Playing");
    assert_shows_no_token(&tab, edge, "frank");
    assert_eq!(sessions[0].heartbeat().status, 410);

    edge.power_off();
    shows("trouble", "The edge does not answer");
    edge.power_on();
    eventually("it is back", || {
        tab.evaluate("document.querySelector('#trouble').innerText") == ""
    });
}

#[test]
fn the_pages_scripts_do_what_their_tests_say() {
    let files = fs::read_dir(project().join("demo/test")).expect("a directory");
    let run = Command::new(node())
        .args(["--test", "--test-reporter=tap"])
        .args(files.map(|file| file.expect("a file").path()))
        .output()
        .expect("to run Node");
    let report = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{report}");
    assert!(report.contains("\n# skipped 0\n"), "{report}");
}

/// The edge and the origin of `make up`, at other ports.
struct Shipped {
    envoys: [Child; 2],
    port: u16,
    _directory: TempDir,
}

impl Shipped {
    fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let [port, origin, admin] = [free_port(), free_port(), free_port()];
        let envoys = ["origin.yaml", "edge.yaml"].map(|name| {
            let text = fs::read_to_string(project().join("envoy").join(name)).expect("text");
            let text = text
                .replace("port_value: 10000", &format!("port_value: {port}"))
                .replace("port_value: 10080", &format!("port_value: {origin}"))
                .replace("port_value: 9901", &format!("port_value: {admin}"));
            let path = directory.path().join(name);
            fs::write(&path, text).expect("to write");
            let log = File::create(directory.path().join("log")).expect("a log");
            Command::new(envoy())
                .current_dir(project())
                .args([
                    "--disable-hot-restart",
                    "--concurrency",
                    "1",
                    "--config-path",
                ])
                .arg(path)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(log)
                .spawn()
                .expect("to run Envoy")
        });
        Self {
            envoys,
            port,
            _directory: directory,
        }
    }

    /// Status, type and target of what a path is answered with.
    fn get(&self, path: &str) -> (u16, String, String) {
        let answer = awaited("the edge and its origin serve", || {
            let answer = Client::new(self.port).get(path).try_send().ok()?;
            (answer.status != 503).then_some(answer)
        });
        let header = |name| answer.header(name).unwrap_or_default().to_owned();
        (answer.status, header("content-type"), header("location"))
    }
}

impl Drop for Shipped {
    fn drop(&mut self) {
        for envoy in &mut self.envoys {
            let _ = envoy.kill();
            let _ = envoy.wait();
        }
    }
}

#[test]
fn the_address_in_the_banner_leads_to_the_page_and_all_it_loads_is_there() {
    let _built = wasm();
    let shipped = Shipped::start();
    let (status, _, location) = shipped.get("/");
    assert_eq!(status, 302);
    assert!(location.ends_with("/demo/"), "{location}");
    for (path, media_type) in [
        ("/demo/", "text/html; charset=utf-8"),
        ("/demo/page.css", "text/css"),
        ("/demo/icon.svg", "image/svg+xml"),
        ("/demo/page.js", "text/javascript"),
        ("/demo/players/hls.js", "text/javascript"),
        (
            "/demo/node_modules/hls.js/dist/hls.light.min.mjs",
            "text/javascript",
        ),
        ("/client/", "text/html; charset=utf-8"),
        ("/client/streamgate.js", "text/javascript"),
    ] {
        let (status, found, _) = shipped.get(path);
        assert_eq!((status, found.as_str()), (200, media_type), "{path}");
    }
    let banner = fs::read_to_string(project().join("scripts/edge")).expect("text");
    assert!(banner.contains("open   http://127.0.0.1:10000 "));
}
