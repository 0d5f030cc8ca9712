//! Web players: a headless Chromium whose tabs play through an edge.
//!
//! The page comes from a server of its own under another name, so all that a player
//! asks the edge for is cross-site, as it is for most.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Edge, Origin, awaited, eventually, node, project};

/// Where Debian's package puts it.
const CHROMIUM: &str = "/usr/bin/chromium";

/// How long one command to the browser may take on a machine that does much else
/// besides.
const PATIENCE: Duration = Duration::from_secs(60);

/// A player that runs in a web page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WebPlayer {
    /// hls.js
    HlsJs,
    /// Shaka Player
    Shaka,
    /// dash.js
    DashJs,
    /// Chromium's own HLS
    Native,
}

/// A running Chromium; closed when it goes.
#[derive(Debug)]
pub struct Browser {
    process: Child,
    /// Serves the page.
    pages: Origin,
    commands: RefCell<Option<ChildStdin>>,
    answers: Receiver<String>,
    directory: TempDir,
}

/// A tab of a browser, with one player in it.
#[derive(Debug)]
pub struct Tab<'a> {
    browser: &'a Browser,
    number: u64,
    /// Where the video stood when last looked at, in seconds.
    played: Cell<f64>,
}

/// A playback about to be opened.
#[derive(Debug)]
#[must_use]
pub struct Opening<'a> {
    browser: &'a Browser,
    settings: Value,
}

/// What a page shows of why it may not play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The refusal's machine-readable reason.
    pub reason: String,
    /// What the viewer reads.
    pub message: String,
}

impl Browser {
    /// Starts one.
    #[must_use]
    pub fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let log = File::create(directory.path().join("log")).expect("a log");
        let mut process = Command::new(node())
            .arg(project().join("tests/browser/drive.mjs"))
            .arg(CHROMIUM)
            .arg(directory.path().join("profile"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("to run Node");
        let commands = process.stdin.take();
        let lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let (sender, answers) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self {
            process,
            pages: Origin::serving(project().join("tests/browser")),
            commands: RefCell::new(commands),
            answers,
            directory,
        }
    }

    /// A tab that is to play a path of an edge.
    pub fn open(&self, player: WebPlayer, edge: &Edge, path: &str) -> Opening<'_> {
        let player = match player {
            WebPlayer::HlsJs => "hls",
            WebPlayer::Shaka => "shaka",
            WebPlayer::DashJs => "dash",
            WebPlayer::Native => "native",
        };
        let url = format!("http://127.0.0.1:{}{path}", edge.port);
        Opening {
            browser: self,
            settings: json!({"player": player, "url": url}),
        }
    }

    /// A tab with whatever page.
    #[must_use]
    #[track_caller]
    pub fn visit(&self, url: &str) -> Tab<'_> {
        let opened = self.tell(&json!({"do": "open", "page": url}));
        Tab {
            browser: self,
            number: opened["tab"].as_u64().expect("a number"),
            played: Cell::new(0.0),
        }
    }

    #[track_caller]
    fn tell(&self, command: &Value) -> Value {
        let mut commands = self.commands.borrow_mut();
        let commands = commands.as_mut().expect("an open browser");
        writeln!(commands, "{command}").expect("to write");
        let answer = self.answers.recv_timeout(PATIENCE);
        let answer = answer.unwrap_or_else(|error| panic!("{command}: {error}\n{}", self.log()));
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert_eq!(answer["error"], Value::Null, "{command}\n{}", self.log());
        answer
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl<'a> Opening<'a> {
    /// In the name of an account.
    pub fn account(self, account: &str) -> Self {
        self.with("account", account)
    }

    /// Saying in CMCD, by the query, that its playback is `sid`.
    pub fn cmcd_in_query(self, sid: &str) -> Self {
        self.with("cmcd", json!({"sid": sid, "mode": "query"}))
    }

    /// The same by headers.
    pub fn cmcd_in_headers(self, sid: &str) -> Self {
        self.with("cmcd", json!({"sid": sid, "mode": "headers"}))
    }

    /// Loading ahead as far as it does by itself. hls.js only.
    pub fn loading_as_it_likes(self) -> Self {
        self.with("ownBuffer", true)
    }

    /// Going to another rendition every so many seconds.
    pub fn switching_every(self, seconds: u32) -> Self {
        self.with("switchSeconds", seconds)
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.settings[name] = value.into();
        self
    }

    /// Opens it.
    #[must_use]
    #[track_caller]
    pub fn go(self) -> Tab<'a> {
        let settings: String = self
            .settings
            .to_string()
            .bytes()
            .map(|byte| format!("%{byte:02x}"))
            .collect();
        let port = self.browser.pages.port;
        let page = format!("http://localhost:{port}/player.html#{settings}");
        self.browser.visit(&page)
    }

    /// Opens it, and waits until it plays.
    #[must_use]
    #[track_caller]
    pub fn plays(self) -> Tab<'a> {
        let tab = self.go();
        tab.assert_plays();
        tab
    }
}

impl Tab<'_> {
    /// Waits until it has played on by a second, and has shown nothing else.
    #[track_caller]
    pub fn assert_plays(&self) {
        let from = self.played.get();
        eventually("the video goes on", || {
            let page = self.look();
            assert_eq!(page["reason"], Value::Null, "{page}");
            assert_eq!(page["errors"], "", "{page}");
            self.played.get() > from + 1.0
        });
    }

    /// Waits until it shows why it may not play.
    #[must_use]
    #[track_caller]
    pub fn refusal(&self) -> Shown {
        awaited("the page shows a reason", || {
            let page = self.look();
            let text = |name: &str| page[name].as_str().map(str::to_owned);
            Some(Shown {
                reason: text("reason")?,
                message: text("message")?,
            })
        })
    }

    /// Whether the player has come to this second of the film.
    #[must_use]
    #[track_caller]
    pub fn has_played(&self, seconds: f64) -> bool {
        self.look();
        self.played.get() >= seconds
    }

    /// Loads the page again, as a viewer does.
    #[track_caller]
    pub fn reload(&self) {
        self.command("reload");
        self.played.set(0.0);
    }

    /// Closes it: the player gets no chance to say goodbye.
    #[track_caller]
    pub fn close(self) {
        self.command("close");
    }

    /// What a JavaScript expression comes to in the page; a promise is waited for.
    #[track_caller]
    pub fn evaluate(&self, script: &str) -> Value {
        let number = self.number;
        let answer = json!({"do": "evaluate", "tab": number, "script": script});
        self.browser.tell(&answer)["value"].take()
    }

    /// Presses a key, by the name that browsers give it.
    #[track_caller]
    pub fn press(&self, key: &str) {
        let number = self.number;
        let command = json!({"do": "press", "tab": number, "key": key});
        self.browser.tell(&command);
    }

    #[track_caller]
    fn look(&self) -> Value {
        let page = self.command("look");
        self.played.set(page["played"].as_f64().expect("seconds"));
        page
    }

    #[track_caller]
    fn command(&self, name: &str) -> Value {
        self.tell(name, json!({}))
    }

    /// Has the driver do something with this tab, by these settings.
    #[track_caller]
    pub(crate) fn tell(&self, name: &str, mut settings: Value) -> Value {
        settings["do"] = name.into();
        settings["tab"] = self.number.into();
        self.browser.tell(&settings)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("The browser's log:\n{}", self.log());
        }
        // The end of its input ends the driver, and the driver ends Chromium.
        self.commands.take();
        for _ in 0..100 {
            if !matches!(self.process.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
