//! Envoys that serve one edge after the other.
//!
//! Whenever an Envoy loads the module, V8 compiles it, and that takes more of a core than most tests
//! do besides. What has been compiled in a process is good for each of its VMs, however they are
//! configured, while one of them lives. So an Envoy is kept when its edge goes, with a VM that nobody asks
//! for anything, and the next edge is a listener, clusters and VMs in it.
//!
//! Nothing of one edge reaches the next: memory is named by `vm_id`, and each has its own; what was
//! counted before is taken off, and the log begins where the one before has ended. The next one is served only
//! when the VMs of the one before are gone. What is Envoy's and cannot be told apart takes a process of its
//! own ([`Settings::alone`]).

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use streamgate_record::metric::{CLOCK_DIFFERENCE_MS, SHARDS_DOWN, WAITING};
use tempfile::TempDir;

use crate::run_envoy::{Run, is_ready};
use crate::settings::{Place, plugin_in};
use crate::statistics::stats;
use crate::{Client, Settings, eventually_within};

/// How many are kept for later at most, of whatever kind: an Envoy takes some 60 MB.
const IDLE_MAX: usize = 8;

/// How long Envoy may take to start, or to take an edge in, in seconds.
const SERVES_WITHIN_S: u64 = 180;

/// Has Envoy go when the tests do, however they end: their end of the pipe is closed then.
const GOES_ALONG: &str = r#"trap "" INT HUP; "$@" & read -r _; kill -9 $!; wait"#;

/// Those that serve nobody at present.
static IDLE: Mutex<Vec<SharedEnvoy>> = Mutex::new(Vec::new());

/// An Envoy that serves one edge after the other; killed when it goes.
#[derive(Debug)]
pub(crate) struct SharedEnvoy {
    process: Child,
    admin_port: u16,
    admin: Client,
    directory: TempDir,
    /// What it was started with besides listeners, clusters and its own port.
    bootstrap: Value,
    workers: u32,
    /// How often it was handed something over.
    version: u32,
    /// What the filter had counted before the edge that is served, by the statistic's name.
    counted_before: HashMap<String, u64>,
    /// How long the log was then, in bytes.
    log_before: usize,
}

impl SharedEnvoy {
    /// Serves an edge, by an Envoy that is there or by a new one.
    pub(crate) fn serving(settings: &Settings, place: &Place<'_>) -> Self {
        let mut bootstrap = settings.bootstrap(place);
        let listeners = bootstrap["static_resources"]["listeners"].take();
        let clusters = bootstrap["static_resources"]["clusters"].take();
        bootstrap["admin"]["address"]["socket_address"]["port_value"].take();
        let idle = Self::idle(&bootstrap, settings.workers);
        let mut envoy = idle.unwrap_or_else(|| Self::start(bootstrap, settings.workers));
        envoy.serve(listeners, clusters);
        envoy
    }

    /// One that was started with these settings and of which nothing needs to be known.
    fn idle(bootstrap: &Value, workers: u32) -> Option<Self> {
        loop {
            let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
            let mut kept = idle.iter();
            let at = kept.position(|kept| kept.workers == workers && kept.bootstrap == *bootstrap);
            let found = idle.remove(at?);
            drop(idle);
            found.serves_nobody();
            let shown = [SHARDS_DOWN, WAITING, CLOCK_DIFFERENCE_MS].join("|");
            let shown = stats(&found.admin, &format!("^wasmcustom\\.({shown})$"));
            if shown.iter().all(|(_, value)| *value == 0) {
                return Some(found);
            }
        }
    }

    fn start(bootstrap: Value, workers: u32) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let at = |name: &str| directory.path().join(name);
        let admin_port = crate::ports::free_port();
        let mut own = bootstrap.clone();
        own["admin"]["address"]["socket_address"]["port_value"] = admin_port.into();
        own["static_resources"] = json!({"listeners": [nobodys(&directory)]});
        let read_from = |name: &str| {
            let source = json!({"path": at(name), "watched_directory": {"path": directory.path()}});
            json!({"resource_api_version": "V3", "path_config_source": source})
        };
        own["dynamic_resources"] =
            json!({"lds_config": read_from("lds.json"), "cds_config": read_from("cds.json")});
        fs::write(at("bootstrap.json"), own.to_string()).expect("to write");
        for name in ["lds.json", "cds.json"] {
            fs::write(at(name), handed_over(0, &json!([])).to_string()).expect("to write");
        }
        let mut command = Command::new("sh");
        command.args(["-c", GOES_ALONG, "sh"]).arg(crate::envoy());
        let run = Run {
            bootstrap: &at("bootstrap.json"),
            log: &at("envoy.log"),
            workers,
            drains_for_s: 0,
        };
        let envoy = Self {
            process: run.by(command.stdin(Stdio::piped())),
            admin_port,
            admin: Client::new(admin_port),
            directory,
            bootstrap,
            workers,
            version: 0,
            counted_before: HashMap::new(),
            log_before: 0,
        };
        eventually_within(SERVES_WITHIN_S, "Envoy serves", || is_ready(&envoy.admin));
        envoy.serves_nobody();
        envoy
    }

    /// Waits until it has the VMs alone that nobody asks for anything: one for each worker, one for its main
    /// thread, and the one that these are copies of.
    fn serves_nobody(&self) {
        let left = 2 + u64::from(self.workers);
        eventually_within(SERVES_WITHIN_S, "the last edge's VMs are gone", || {
            self.sum_of("^wasm\\..*\\.active$") == left
        });
    }

    fn serve(&mut self, mut listeners: Value, mut clusters: Value) {
        let counted = stats(&self.admin, "^wasmcustom\\.");
        self.counted_before = counted.into_iter().collect();
        self.log_before = self.whole_log().len();
        for cluster in clusters.as_array_mut().expect("clusters") {
            cluster["@type"] = "type.googleapis.com/envoy.config.cluster.v3.Cluster".into();
        }
        let listeners_of_it = listeners.as_array_mut().expect("listeners");
        for (at, listener) in listeners_of_it.iter_mut().enumerate() {
            listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
            listener["name"] = format!("edge-{at}").into();
            let vm = &mut plugin_in(
                &mut listener["filter_chains"][0]["filters"][0]["typed_config"],
            )["vm_config"];
            vm["vm_id"] = format!("streamgate-{}", self.version).into();
        }
        let to_come =
            u64::try_from(listeners_of_it.len()).expect("a few") * u64::from(self.workers);
        let created = "^listener_manager\\.listener_create_success$";
        let before = self.sum_of(created);
        self.hand_over("cds", &clusters);
        self.is_taken_up("cluster_manager.cds");
        self.hand_over("lds", &listeners);
        self.is_taken_up("listener_manager.lds");
        eventually_within(SERVES_WITHIN_S, "each worker has the listeners", || {
            self.sum_of(created) == before + to_come
        });
    }

    /// Keeps it for the next edge.
    pub(crate) fn give_back(mut self) {
        let nothing = json!([]);
        self.hand_over("lds", &nothing);
        self.hand_over("cds", &nothing);
        let mut idle = IDLE.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(self);
        let longest_idle = (idle.len() > IDLE_MAX).then(|| idle.remove(0));
        drop(idle);
        drop(longest_idle);
    }

    /// Where it tells of itself.
    pub(crate) fn admin_port(&self) -> u16 {
        self.admin_port
    }

    /// What it has written for the edge that it serves.
    pub(crate) fn log(&self) -> String {
        let log = self.whole_log();
        String::from_utf8_lossy(log.get(self.log_before..).unwrap_or_default()).into_owned()
    }

    /// Names and values of the statistics that a regular expression picks, of which the filter's are
    /// counted from when the edge that it serves began.
    pub(crate) fn stats(&self, filter: &str) -> Vec<(String, u64)> {
        let mut stats = stats(&self.admin, filter);
        for (name, value) in &mut stats {
            let before = self.counted_before.get(name).copied().unwrap_or_default();
            *value = value.saturating_sub(before);
        }
        stats
    }

    /// Writes at one stroke what it is to take up.
    fn hand_over(&mut self, what: &str, resources: &Value) {
        self.version += 1;
        let [new, at] = [self.at("new"), self.at(&format!("{what}.json"))];
        fs::write(&new, handed_over(self.version, resources).to_string()).expect("to write");
        fs::rename(&new, at).expect("to move");
    }

    /// Waits until it has taken up what was written last.
    fn is_taken_up(&self, by: &str) {
        let by = by.replace('.', "\\.");
        let version = format!("/stats?format=json&filter=^{by}\\.version_text$");
        let rejected = format!("^{by}\\.update_rejected$");
        eventually_within(SERVES_WITHIN_S, "Envoy has taken the edge in", || {
            assert_eq!(self.sum_of(&rejected), 0, "refused:\n{}", self.log());
            let taken_up = self.admin.get(&version).send().expect(200).json();
            taken_up["stats"][0]["value"].as_str() == Some(&self.version.to_string())
        });
    }

    fn sum_of(&self, filter: &str) -> u64 {
        let stats = stats(&self.admin, filter);
        stats.iter().map(|(_, value)| value).sum()
    }

    fn whole_log(&self) -> Vec<u8> {
        fs::read(self.at("envoy.log")).unwrap_or_default()
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for SharedEnvoy {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// The listener that nobody asks for anything. Its VMs keep what V8 has compiled.
fn nobodys(directory: &TempDir) -> Value {
    let settings = Settings::default()
        .wasm()
        .answering_itself()
        .with("/state/slots", 16);
    let place = Place {
        directory: directory.path(),
        port: crate::ports::free_port(),
        door_port: 0,
        admin_port: 0,
        origin_port: 0,
    };
    let mut listener = settings.bootstrap(&place)["static_resources"]["listeners"][0].take();
    listener["name"] = "nobodys".into();
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    plugin_in(manager)["vm_config"]["vm_id"] = "nobodys".into();
    listener
}

/// A file of resources, as Envoy reads them.
fn handed_over(version: u32, resources: &Value) -> Value {
    json!({"version_info": version.to_string(), "resources": resources})
}
