//! A real Envoy with the filter.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::body::Body;
use crate::settings::Place;
use crate::{
    App, Client, Demuxers, Origin, Player, Program, RealPlayer, Settings, awaited, awaited_within,
    eventually, ffmpeg, gstreamer, statistic,
};

/// What Envoy writes when the filter traps, or when it is in trouble itself.
/// How long Envoy is given to start, in seconds: a second where nothing else keeps the machine busy.
const STARTS_WITHIN_S: u64 = 180;

const TRAPS: [&str; 8] = [
    "panicked at",
    "proc_exit",
    "in-VM backtrace",
    "Function: ",
    "unreachable",
    "[critical][assert]",
    "[critical][backtrace]",
    "[critical][main]",
];

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
    envoy: Option<Child>,
}

/// How often the listeners' configuration was taken over, and refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lds {
    /// Taken over.
    pub accepted: u64,
    /// Refused.
    pub rejected: u64,
}

/// A line of the access log, with what `decision` holds as fields beside the others, and nothing for those
/// that are not there.
fn decision(line: &str) -> Value {
    let parse = |text: &str| -> Value {
        serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {line}"))
    };
    let mut fields = parse(line);
    let decision = fields["decision"].take();
    let decision = parse(decision.as_str().expect("text in `decision`"));
    let told = decision.as_object().expect("an object").clone();
    fields.as_object_mut().expect("an object").extend(told);
    fields
}

impl Edge {
    /// Starts an edge.
    ///
    /// # Panics
    ///
    /// With Envoy's log if it does not start.
    #[must_use]
    pub fn start(settings: Settings) -> Self {
        Self::try_start(settings).unwrap_or_else(|log| panic!("Envoy does not start:\n{log}"))
    }

    /// Starts an edge that may refuse to.
    ///
    /// # Errors
    ///
    /// Envoy's log.
    pub fn try_start(settings: Settings) -> Result<Self, String> {
        let origin = match &settings.files {
            Some(files) => Origin::serving(files.clone()),
            None => Origin::start(),
        };
        let admin_port = crate::ports::free_port();
        let mut edge = Self {
            origin,
            port: crate::ports::free_port(),
            door_port: crate::ports::free_port(),
            admin_port,
            admin: Client::new(admin_port),
            settings,
            directory: tempfile::tempdir().expect("a directory"),
            envoy: None,
        };
        edge.run()?;
        Ok(edge)
    }

    /// Starts Envoy and waits until it serves, or returns its log.
    fn run(&mut self) -> Result<(), String> {
        let place = self.place();
        let bootstrap = self.settings.bootstrap(&place).to_string();
        let listeners = self.settings.lds(&place).to_string();
        let bootstrap_at = self.at("bootstrap.json");
        fs::write(&bootstrap_at, bootstrap).expect("to write");
        fs::write(self.at("lds.json"), listeners).expect("to write");
        if let Some(store) = &self.settings.store {
            fs::write(self.at("nodes.json"), store.nodes().to_string()).expect("to write");
        }
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.at("envoy.log"))
            .expect("a log");
        let mut envoy = Command::new(crate::envoy());
        if let Some(clock) = &self.settings.clock {
            clock.drives(&mut envoy);
        }
        let envoy = envoy
            .arg("--config-path")
            .arg(bootstrap_at)
            .args(["--concurrency", &self.settings.workers.to_string()])
            // Its main component begins with a list of all it was built with.
            .args(["--log-level", "info"])
            .args(["--component-log-level", "main:warning"])
            .args(["--file-flush-interval-msec", "50"])
            .args(["--drain-time-s", &self.settings.drains_for_s.to_string()])
            // Whoever takes listeners from elsewhere has to have a name.
            .args(["--service-cluster", "tests", "--service-node", "edge"])
            .arg("--disable-hot-restart")
            .envs(self.settings.environment())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .expect("to run Envoy");
        self.envoy = Some(envoy);
        let serves = awaited_within(STARTS_WITHIN_S, "Envoy serves or gives up", || {
            match self.is_running() {
                true => self.is_ready().then_some(true),
                false => Some(false),
            }
        });
        if serves {
            return Ok(());
        }
        self.envoy = None;
        Err(self.log())
    }

    /// Whether all its workers accept connections. It is not one of them that is asked:
    /// they would count whoever asks.
    fn is_ready(&self) -> bool {
        let started = "/stats?format=json&filter=^listener_manager\\.workers_started$";
        let answer = self.admin.get(started).try_send();
        answer.is_ok_and(|answer| {
            answer.status == 200 && answer.json()["stats"][0]["value"].as_u64() == Some(1)
        })
    }

    fn is_running(&mut self) -> bool {
        let envoy = self.envoy.as_mut();
        envoy.is_some_and(|envoy| matches!(envoy.try_wait(), Ok(None)))
    }

    /// Kills Envoy, as a power failure would, and starts it again at the same place.
    pub fn restart(&mut self) {
        self.power_off();
        self.power_on();
    }

    /// Kills Envoy, as a power failure would.
    pub fn power_off(&mut self) {
        self.assert_sound();
        self.kill();
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

    /// The id of Envoy's process.
    pub(crate) fn pid(&self) -> u32 {
        self.envoy.as_ref().expect("a running Envoy").id()
    }

    fn kill(&mut self) {
        if let Some(mut envoy) = self.envoy.take() {
            let _ = envoy.kill();
            let _ = envoy.wait();
        }
    }

    /// Where Envoy tells of itself.
    #[must_use]
    pub fn admin_port(&self) -> u16 {
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

    /// Clients that are connected to different workers: one for each of them.
    #[must_use]
    pub fn one_client_per_worker(&self) -> Vec<Client> {
        let mut before = self.connections_by_worker();
        let mut found: Vec<Option<Client>> = vec![None; before.len()];
        // Kept open until the end, so that Envoy balances against them.
        let mut others = Vec::new();
        while found.iter().any(Option::is_none) {
            assert!(others.len() < 64, "one worker accepts no connection");
            let client = self.client();
            let _ = client.get("/elsewhere/hello").send();
            let now = self.connections_by_worker();
            let worker = now
                .iter()
                .zip(&before)
                .position(|(now, before)| now > before);
            match worker.and_then(|worker| found.get_mut(worker)) {
                Some(place @ None) => *place = Some(client),
                _ => others.push(client),
            }
            before = now;
        }
        found.into_iter().flatten().collect()
    }

    /// How many connections each worker has accepted so far.
    #[must_use]
    pub fn connections_by_worker(&self) -> Vec<u64> {
        let filter = format!(
            "^listener\\..*{}\\.worker_.*\\.downstream_cx_total$",
            self.port
        );
        let found = self.stats(&filter);
        assert_eq!(found.len(), usize::try_from(self.settings.workers).unwrap());
        found.into_iter().map(|(_, value)| value).collect()
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

    /// ffmpeg, playing a manifest with these headers in each of its requests: a segment
    /// of four seconds each second.
    #[must_use]
    pub fn ffmpeg(&self, manifest: &str, headers: &[(&str, &str)]) -> RealPlayer {
        self.ffmpeg_at(4, manifest, headers)
    }

    /// The same in real time, for live programmes.
    #[must_use]
    pub fn ffmpeg_live(&self, manifest: &str, headers: &[(&str, &str)]) -> RealPlayer {
        self.ffmpeg_at(1, manifest, headers)
    }

    fn ffmpeg_at(&self, rate: u32, manifest: &str, headers: &[(&str, &str)]) -> RealPlayer {
        let player = ffmpeg::ffmpeg(&self.url(manifest), rate, headers);
        RealPlayer::start(player, self.directory.path(), ffmpeg::position)
    }

    /// GStreamer, playing a manifest with these headers in the request for it.
    #[must_use]
    pub fn gstreamer(
        &self,
        demuxers: Demuxers,
        manifest: &str,
        headers: &[(&str, &str)],
    ) -> RealPlayer {
        let player = gstreamer::gstreamer(demuxers, &self.url(manifest), headers);
        RealPlayer::start(player, self.directory.path(), gstreamer::position)
    }

    /// Another player, playing a manifest. It says nowhere how far it has come.
    #[must_use]
    pub fn program(&self, program: Program, manifest: &str) -> RealPlayer {
        self.program_with(program, manifest, &[])
    }

    /// The same, with more on its command line.
    #[must_use]
    pub fn program_with(&self, program: Program, manifest: &str, more: &[&str]) -> RealPlayer {
        let mut player = program.play(&self.url(manifest), self.directory.path());
        player.args(more);
        RealPlayer::start(player, self.directory.path(), |_| None)
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// One of the filter's counters or gauges, by its name in short (see [`statistic`]).
    #[must_use]
    pub fn metric(&self, name: &str) -> u64 {
        let stat = statistic(name);
        let found = self.stats(&format!("^{}$", stat.replace('.', "\\.")));
        let [(_, value)] = found.as_slice() else {
            panic!("Envoy knows no {stat}");
        };
        *value
    }

    /// How often the listeners' configuration was taken over, and refused.
    #[must_use]
    pub fn lds(&self) -> Lds {
        Lds {
            accepted: self.sum_of("^listener_manager\\.lds\\.update_success$"),
            rejected: self.sum_of("^listener_manager\\.lds\\.update_rejected$"),
        }
    }

    /// Hands other settings over while it runs, and waits until they are in force or
    /// refused.
    ///
    /// # Errors
    ///
    /// What Envoy's log says since then, if they are refused.
    pub fn update(&mut self, settings: Settings) -> Result<(), String> {
        self.hand_over(settings)?;
        // The filters of the old listener go when it has drained.
        eventually("the old listener is gone", || {
            self.sum_of("^listener_manager\\.total_(listeners|filter_chains)_(warming|draining)$")
                == 0
        });
        Ok(())
    }

    /// Hands other settings over while it runs, and waits until new connections go by them, or they are
    /// refused.
    ///
    /// # Errors
    ///
    /// What Envoy's log says since then, if they are refused.
    pub fn hand_over(&mut self, settings: Settings) -> Result<(), String> {
        assert!(self.settings.by_lds && settings.by_lds, "only by LDS");
        let before = self.lds();
        let log_before = self.log().len();
        let listeners = settings.lds(&self.place()).to_string();
        self.replace("lds.json", &listeners);
        eventually("Envoy has read the update", || self.lds() != before);
        if self.lds().rejected > before.rejected {
            let log = self.log();
            return Err(log.get(log_before..).unwrap_or_default().to_owned());
        }
        self.settings = settings;
        eventually("new connections go by it", || {
            self.sum_of("^listener_manager\\.total_(listeners|filter_chains)_warming$") == 0
        });
        Ok(())
    }

    /// Lets other nodes make up the store, and waits until Envoy knows of it.
    ///
    /// # Panics
    ///
    /// If the edge is alone.
    pub fn store_moves_to(&mut self, nodes: &[u16]) {
        self.settings = self.settings.clone().store_at(nodes);
        let store = self.settings.store.as_ref().expect("a fleet");
        let updates = || self.sum_of("^cluster\\.valkey\\.update_success$");
        let before = updates();
        self.replace("nodes.json", &store.nodes().to_string());
        eventually("Envoy has read the nodes", || updates() > before);
    }

    /// The settings in force.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.settings.clone()
    }

    /// Envoy's log.
    #[must_use]
    pub fn log(&self) -> String {
        self.text("envoy.log")
    }

    /// The access log as it stands in the file.
    #[must_use]
    pub fn access_log(&self) -> String {
        self.text("access.log")
    }

    /// The decisions in the access log, once there are at least so many.
    #[must_use]
    pub fn decisions(&self, at_least: usize) -> Vec<Value> {
        awaited(
            &format!("there are {at_least} decisions in the log"),
            || {
                let log = self.access_log();
                let lines = log.lines();
                let decisions: Vec<Value> = lines.map(decision).collect();
                (decisions.len() >= at_least).then_some(decisions)
            },
        )
    }

    /// Checks that Envoy runs, that the filter never trapped and that no VM had to be
    /// started anew.
    ///
    /// # Panics
    ///
    /// With the line that says otherwise.
    pub fn assert_sound(&mut self) {
        if let Some(trouble) = self.trouble() {
            panic!("the edge is not sound: {trouble}");
        }
    }

    fn trouble(&mut self) -> Option<String> {
        let log = self.log();
        let is_asked_for = |line: &str| {
            self.settings.body == Body::Panicking && line.contains("streamgate: panicked at")
        };
        let is_trap =
            |line: &&str| TRAPS.iter().any(|trap| line.contains(trap)) && !is_asked_for(line);
        if let Some(line) = log.lines().find(is_trap) {
            return Some(line.to_owned());
        }
        if !self.is_running() {
            return Some("Envoy has stopped by itself".to_owned());
        }
        let reloads = self.sum_of("^wasm\\..*\\.vm_reload.*$");
        (reloads > 0).then(|| format!("{reloads} VM reloads"))
    }

    /// All of Envoy's statistics, as text.
    #[must_use]
    pub fn all_statistics(&self) -> String {
        self.admin.get("/stats").send().expect(200).text()
    }

    /// All of Envoy's statistics, as Prometheus scrapes them.
    #[must_use]
    pub fn scrape(&self) -> String {
        self.admin
            .get("/stats/prometheus")
            .send()
            .expect(200)
            .text()
    }

    /// Sets all of Envoy's counters back, as an operator may.
    pub fn reset_counters(&self) {
        let _ = self
            .admin
            .request("POST", "/reset_counters")
            .send()
            .expect(200);
    }

    /// The sum of the statistics that a regular expression picks.
    #[must_use]
    pub fn sum_of(&self, filter: &str) -> u64 {
        self.stats(filter).iter().map(|(_, value)| value).sum()
    }

    /// Names and values of the statistics that a regular expression picks.
    fn stats(&self, filter: &str) -> Vec<(String, u64)> {
        let path = format!("/stats?format=json&filter={}", filter.replace('+', "%2B"));
        let mut stats = self.admin.get(&path).send().expect(200).json();
        let stats = stats["stats"].as_array_mut().expect("a list").split_off(0);
        stats
            .into_iter()
            .filter_map(|stat| Some((stat["name"].as_str()?.to_owned(), stat["value"].as_u64()?)))
            .collect()
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

    /// Replaces a file at one stroke: Envoy takes up files that are moved into place.
    fn replace(&self, name: &str, text: &str) {
        let new = self.at(&format!("{name}.new"));
        fs::write(&new, text).expect("to write");
        fs::rename(&new, self.at(name)).expect("to move");
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        let bytes = fs::read(self.at(name)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        let failed = std::thread::panicking();
        // One that did not start has said so already.
        let trouble = match self.envoy {
            Some(_) if !failed => self.trouble(),
            _ => None,
        };
        self.kill();
        if failed || trouble.is_some() {
            eprintln!("Envoy's log ends:\n{}", end_of(&self.log()));
            eprintln!("The access log ends:\n{}", end_of(&self.access_log()));
        }
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
