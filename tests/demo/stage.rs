//! The edge the demo plays on, and how it tells its story.

use std::fmt;
use std::fs::File;
use std::io::{IsTerminal, Write};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use streamgate_tests::{Answer, Client, project};

use crate::account::Account;
use crate::player::{Player, Protocol};

/// Where `envoy/edge.yaml` listens.
const PORT: u16 = 10_000;
const ADMIN_PORT: u16 = 9901;

/// A step that did not come out as told.
#[derive(Debug)]
pub(crate) struct Unexpected(pub(crate) String);

impl fmt::Display for Unexpected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The edge of `make up`, running.
pub(crate) struct Stage {
    edge: Child,
    client: Client,
}

impl Stage {
    /// Starts the edge and its origin, and waits until they answer.
    pub(crate) fn set() -> Result<Self, Unexpected> {
        if Client::new(ADMIN_PORT).get("/ready").try_send().is_ok() {
            return Err(Unexpected(
                "an edge is running already; stop `make up` first".into(),
            ));
        }
        let log = project().join("build/demo-edge.log");
        let log = File::create(log).map_err(|error| Unexpected(error.to_string()))?;
        let errors = log
            .try_clone()
            .map_err(|error| Unexpected(error.to_string()))?;
        let edge = Command::new(project().join("scripts/edge"))
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|error| Unexpected(format!("scripts/edge: {error}")))?;
        let stage = Self {
            edge,
            client: Client::new(PORT),
        };
        let ready = Duration::from_secs(20);
        waiting("Envoy starts, with two workers", ready, || {
            let answer = Client::new(ADMIN_PORT).get("/ready").try_send();
            let origin = stage.client.get("/vod/").try_send();
            Ok(answer.is_ok_and(|answer| answer.status == 200) && origin.is_ok())
        })?;
        Ok(stage)
    }

    /// Starts a player for an account. The HLS one gets nothing but the manifest's
    /// address, and the account that an earlier hop vouches for; the edge redirects it
    /// to an address of its own. ffmpeg's DASH player does not resolve segments from
    /// where it was redirected to, so its app asks the session API for that address.
    pub(crate) fn play(&self, account: &str, protocol: Protocol) -> Result<Player, Unexpected> {
        let base = format!("http://127.0.0.1:{PORT}");
        match protocol {
            Protocol::Hls => Player::start(&format!("{base}/vod/sample/master.m3u8"), account),
            Protocol::Dash => {
                let created = self.account("demo-web", account).create("", None)?.json();
                let prefix = created["session"]["playbackPrefix"].as_str();
                let prefix = prefix.ok_or_else(|| Unexpected(format!("refused: {created}")))?;
                Player::start(&format!("{base}{prefix}/vod/sample/manifest.mpd"), account)
            }
        }
    }

    pub(crate) fn account<'a>(&'a self, application: &'a str, subject: &'a str) -> Account<'a> {
        Account::new(&self.client, application, subject)
    }

    pub(crate) fn get(&self, path: &str) -> Result<Answer, Unexpected> {
        answered(self.client.get(path).try_send())
    }

    pub(crate) fn get_as(&self, account: &str, path: &str) -> Result<Answer, Unexpected> {
        answered(self.client.get(path).account(account).try_send())
    }
}

impl Drop for Stage {
    /// Asks politely, so that the script stops both Envoys.
    fn drop(&mut self) {
        let id = self.edge.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        let _ = self.edge.wait();
    }
}

pub(crate) fn answered<E: fmt::Display>(answer: Result<Answer, E>) -> Result<Answer, Unexpected> {
    answer.map_err(|error| Unexpected(format!("the edge does not answer: {error}")))
}

/// Begins a part of the story.
pub(crate) fn chapter(text: &str) {
    println!("\n{text}");
}

/// Tells what came out right.
pub(crate) fn tell(text: &str) {
    println!("  ✓ {text}");
}

/// Tells what was found, if it is as it should be.
pub(crate) fn check(text: &str, holds: bool) -> Result<(), Unexpected> {
    if !holds {
        return Err(Unexpected(format!("not so: {text}")));
    }
    tell(text);
    Ok(())
}

/// Waits until something holds, showing that it waits.
pub(crate) fn waiting(
    what: &str,
    at_most: Duration,
    mut holds: impl FnMut() -> Result<bool, Unexpected>,
) -> Result<(), Unexpected> {
    let started = Instant::now();
    let live = std::io::stdout().is_terminal();
    while !holds()? {
        let waited = started.elapsed();
        if waited > at_most {
            return Err(Unexpected(format!(
                "waited {} s in vain: {what}",
                at_most.as_secs()
            )));
        }
        if live {
            print!("\r  … {what} ({} s)", waited.as_secs());
            let _ = std::io::stdout().flush();
        }
        sleep(Duration::from_millis(200));
    }
    let clear = if live { "\r" } else { "" };
    println!("{clear}  ✓ {what} ({} s)  ", started.elapsed().as_secs());
    Ok(())
}
