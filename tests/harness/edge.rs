//! A real Envoy with the filter.

mod players;
mod telling;
mod updates;

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::run_envoy::{Run, is_ready};
use crate::settings::Place;
use crate::shared_envoy::SharedEnvoy;
use crate::{App, Client, Origin, Player, Settings, awaited_within};

pub use updates::Lds;

/// How long Envoy is given to start, in seconds: a second where nothing else keeps the machine busy.
const STARTS_WITHIN_S: u64 = 180;

/// A running edge and the origin behind it. When it goes, it has to have been sound
/// all the time; when a test fails, its log is shown.
#[derive(Debug)]
pub struct Edge {
    /// The origin behind it.
    pub origin: Origin,
    /// Where it serves.
    pub port: u16,
    door_port: u16,
    admin_port: u16,
    pub(crate) admin: Client,
    settings: Settings,
    directory: TempDir,
    envoy: Envoy,
}

/// What an edge runs in.
#[derive(Debug)]
enum Envoy {
    /// It is off.
    None,
    /// A process of its own.
    Own(Child),
    /// One that has served others.
    Shared(SharedEnvoy),
}

impl Edge {
    /// Starts an edge. Its Envoy may have served others before, with a VM, memory, statistics and a log
    /// of their own, unless the settings want it [alone](Settings::alone).
    ///
    /// # Panics
    ///
    /// With Envoy's log if it does not start.
    #[must_use]
    pub fn start(settings: Settings) -> Self {
        if !settings.shares_an_envoy() {
            let edge = Self::try_start(settings);
            return edge.unwrap_or_else(|log| panic!("Envoy does not start:\n{log}"));
        }
        let mut edge = Self::off(settings);
        edge.write_nodes();
        let envoy = SharedEnvoy::serving(&edge.settings, &edge.place());
        edge.admin_port = envoy.admin_port();
        edge.admin = Client::new(edge.admin_port);
        edge.envoy = Envoy::Shared(envoy);
        edge
    }

    /// Starts an edge that may refuse to.
    ///
    /// # Errors
    ///
    /// Envoy's log.
    pub fn try_start(settings: Settings) -> Result<Self, String> {
        let mut edge = Self::off(settings);
        edge.run()?;
        Ok(edge)
    }

    /// An edge that is not started.
    fn off(settings: Settings) -> Self {
        let origin = match &settings.files {
            Some(files) => Origin::serving(files.clone()),
            None => Origin::start(),
        };
        let admin_port = crate::ports::free_port();
        Self {
            origin,
            port: crate::ports::free_port(),
            door_port: crate::ports::free_port(),
            admin_port,
            admin: Client::new(admin_port),
            settings,
            directory: tempfile::tempdir().expect("a directory"),
            envoy: Envoy::None,
        }
    }

    /// Starts Envoy and waits until it serves, or returns its log.
    fn run(&mut self) -> Result<(), String> {
        let place = self.place();
        let bootstrap = self.settings.bootstrap(&place).to_string();
        let listeners = self.settings.lds(&place).to_string();
        let bootstrap_at = self.at("bootstrap.json");
        fs::write(&bootstrap_at, bootstrap).expect("to write");
        fs::write(self.at("lds.json"), listeners).expect("to write");
        self.write_nodes();
        let mut envoy = Command::new(crate::envoy());
        if let Some(clock) = &self.settings.clock {
            clock.drives(&mut envoy);
        }
        envoy.envs(self.settings.environment()).stdin(Stdio::null());
        let run = Run {
            bootstrap: &bootstrap_at,
            log: &self.at("envoy.log"),
            workers: self.settings.workers,
            drains_for_s: self.settings.drains_for_s,
        };
        self.envoy = Envoy::Own(run.by(&mut envoy));
        let serves = awaited_within(STARTS_WITHIN_S, "Envoy serves or gives up", || {
            match self.is_running() {
                true => is_ready(&self.admin).then_some(true),
                false => Some(false),
            }
        });
        if serves {
            return Ok(());
        }
        self.envoy = Envoy::None;
        Err(self.log())
    }

    /// Tells Envoy which nodes make up the store, if there is one.
    fn write_nodes(&self) {
        if let Some(store) = &self.settings.store {
            fs::write(self.at("nodes.json"), store.nodes().to_string()).expect("to write");
        }
    }

    fn is_running(&mut self) -> bool {
        match &mut self.envoy {
            Envoy::None => false,
            Envoy::Own(envoy) => matches!(envoy.try_wait(), Ok(None)),
            Envoy::Shared(_) => is_ready(&self.admin),
        }
    }

    /// Kills Envoy, as a power failure would, and starts it again at the same place.
    pub fn restart(&mut self) {
        self.power_off();
        self.power_on();
    }

    /// Kills Envoy, as a power failure would.
    pub fn power_off(&mut self) {
        self.assert_sound();
        if let Envoy::Shared(envoy) = &self.envoy {
            fs::write(self.at("envoy.log"), envoy.log()).expect("to write");
        }
        self.stop();
    }

    /// Starts it again at the same place.
    ///
    /// # Panics
    ///
    /// With Envoy's log if it does not start.
    pub fn power_on(&mut self) {
        // Connections to the killed one are of no use any more.
        self.admin = Client::new(self.admin_port);
        self.run()
            .unwrap_or_else(|log| panic!("Envoy does not start again:\n{log}"));
    }

    /// Its Envoy, which serves no other edge, neither before nor after.
    fn own(&self) -> &Child {
        match &self.envoy {
            Envoy::Own(envoy) => envoy,
            Envoy::None => panic!("the edge is off"),
            Envoy::Shared(_) => panic!("start it with Settings::alone"),
        }
    }

    /// The id of Envoy's process.
    pub(crate) fn pid(&self) -> u32 {
        self.own().id()
    }

    /// Kills Envoy. One that served others before serves nobody after that.
    fn stop(&mut self) {
        if let Envoy::Own(mut envoy) = std::mem::replace(&mut self.envoy, Envoy::None) {
            let _ = envoy.kill();
            let _ = envoy.wait();
        }
    }

    /// Where Envoy tells of itself.
    #[must_use]
    pub fn admin_port(&self) -> u16 {
        let _ = self.own();
        self.admin_port
    }

    /// A client with a connection of its own.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.port)
    }

    /// The port of the operator's door.
    #[must_use]
    pub const fn door_port(&self) -> u16 {
        self.door_port
    }

    /// A client of the operator's door, with a connection of its own.
    #[must_use]
    pub fn door(&self) -> Client {
        Client::new(self.door_port)
    }

    /// Sends a `GET` on a fresh connection.
    pub fn get(&self, path: &str) -> crate::Request {
        self.client().get(path)
    }

    /// Sends bytes as they are; see [`crate::raw`].
    #[must_use]
    pub fn raw(&self, pieces: &[&[u8]]) -> (Option<u16>, String) {
        crate::raw(self.port, pieces)
    }

    /// The session API, in the name of an application.
    #[must_use]
    pub fn app(&self, application: &str) -> App {
        App::new(self.client(), application)
    }

    /// A player that an account watches with.
    #[must_use]
    pub fn player(&self, account: &str) -> Player {
        Player::new(self.client(), account)
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings.clone()
    }

    fn place(&self) -> Place<'_> {
        Place {
            directory: self.directory.path(),
            port: self.port,
            door_port: self.door_port,
            admin_port: self.admin_port,
            origin_port: self.origin.port,
        }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        // One that did not start has said so already.
        let trouble = match self.envoy {
            Envoy::None => None,
            _ if failed => None,
            _ => self.trouble(),
        };
        if failed || trouble.is_some() {
            eprintln!("Envoy's log ends:\n{}", end_of(&self.log()));
            eprintln!("The access log ends:\n{}", end_of(&self.access_log()));
        }
        match std::mem::replace(&mut self.envoy, Envoy::None) {
            Envoy::Shared(envoy) if !failed && trouble.is_none() => envoy.give_back(),
            // One that a test has failed with serves nobody else.
            envoy => self.envoy = envoy,
        }
        self.stop();
        if let Some(trouble) = trouble {
            panic!("the edge was not sound: {trouble}");
        }
    }
}

/// The last lines of a log that may be long.
fn end_of(log: &str) -> String {
    let mut lines: Vec<&str> = log.lines().rev().take(100).collect();
    lines.reverse();
    lines.join("\n")
}
