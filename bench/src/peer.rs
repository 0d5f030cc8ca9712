//! Those who are compared: how each is started, from its own configuration in
//! `bench/peers/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use streamgate_tests::{eventually, free_port, project};

use crate::envoy::Admin;
use crate::process::{LOAD_CORE, PROXY_CORE, Process, pinned};

/// A proxy in one of its set-ups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Envoy alone.
    Bare,
    /// Envoy with a Wasm filter that does nothing.
    Noop,
    /// Envoy with the filter: playback.
    Streamgate,
    /// The same for session API calls, which would fill the other one's record.
    SessionApi,
    /// Envoy with a Lua script that reads three headers.
    Lua,
    /// Envoy asking a service over HTTP.
    AuthzHttp,
    /// Envoy asking a service over gRPC.
    AuthzGrpc,
    /// nginx alone.
    Nginx,
    /// nginx counting in a shared dictionary.
    NginxLua,
    /// HAProxy alone.
    Haproxy,
    /// HAProxy counting in stick tables.
    HaproxyStick,
}

/// How many workers each proxy has, all on one core.
pub(crate) const WORKERS: usize = 2;

/// A running proxy.
#[derive(Debug)]
pub(crate) struct Peer {
    /// Where it serves.
    pub(crate) port: u16,
    /// Where it tells of itself, if it does.
    pub(crate) admin_port: u16,
    /// The proxy itself.
    pub(crate) process: Process,
    /// The services that it asks.
    pub(crate) helpers: Vec<Rc<Process>>,
    directory: PathBuf,
}

/// The services around the proxies.
#[derive(Debug)]
pub(crate) struct Surroundings {
    directory: tempfile::TempDir,
    origin_port: u16,
    authz_ports: Option<[u16; 2]>,
    helpers: Vec<Rc<Process>>,
    // Serves until dropped.
    _origin: Process,
}

/// Bytes in a segment.
pub(crate) const SEGMENT_LEN: usize = 200_000;

/// Lives for so long without a request on the filter's path `/due/`, in seconds; a third of
/// it later a lease is due.
pub(crate) const DUE_TIMEOUT_S: u64 = 12;

/// What the filter signs with, and hashes accounts with, for the time of a measurement.
pub(crate) const SIGNING_KEY: &str = "signing-key-of-a-measurement";
pub(crate) const SUBJECT_KEY: &str = "subject-key-of-a-measurement";

impl Surroundings {
    /// Starts the upstream and, if somebody will ask them, Redis and the service.
    pub(crate) fn start(kinds: &[Kind]) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let origin_port = free_port();
        let at = directory.path().join("origin");
        fs::create_dir(&at).expect("a directory");
        // Nothing that compresses, and no zeros that a kernel might know.
        let segment: Vec<u8> = (0..SEGMENT_LEN).map(|at| (at * 31 % 251) as u8).collect();
        fs::write(at.join("segment"), segment).expect("to write");
        let words = [
            ("PORT", origin_port.to_string()),
            ("DIRECTORY", at.display().to_string()),
        ];
        let conf = filled_in("origin.conf", &words, &at);
        let mut nginx = pinned(&[LOAD_CORE], "nginx");
        nginx.args(["-e", "stderr"]);
        nginx.arg("-c").arg(&conf);
        let mut origin = Process::start("origin", nginx, directory.path());
        origin.serves(origin_port);
        let asks = |kind: &Kind| matches!(kind, Kind::AuthzHttp | Kind::AuthzGrpc);
        let mut surroundings = Self {
            origin_port,
            authz_ports: None,
            helpers: Vec::new(),
            _origin: origin,
            directory,
        };
        if kinds.iter().any(asks) {
            surroundings.start_helpers();
        }
        surroundings
    }

    fn start_helpers(&mut self) {
        let [redis_port, http, grpc] = [(); 3].map(|()| free_port());
        let mut redis = pinned(&[PROXY_CORE], "redis-server");
        redis.args(["--port", &redis_port.to_string(), "--bind", "127.0.0.1"]);
        redis.args(["--save", "", "--appendonly", "no"]);
        let mut redis = Process::start("redis", redis, self.directory.path());
        redis.serves(redis_port);
        let mut authz = pinned(&[PROXY_CORE], built("target/authz/release/authz"));
        authz.args([http, grpc, redis_port].map(|port| port.to_string()));
        let mut authz = Process::start("authz", authz, self.directory.path());
        authz.serves(http);
        authz.serves(grpc);
        self.authz_ports = Some([http, grpc]);
        self.helpers = vec![Rc::new(authz), Rc::new(redis)];
    }
}

impl Surroundings {
    /// What is filled in where a configuration has a word.
    fn words(
        &self,
        port: u16,
        admin_port: u16,
        directory: &Path,
        options: &Options,
    ) -> Vec<(&'static str, String)> {
        let [http, grpc] = self.authz_ports.unwrap_or_default();
        vec![
            ("PORT", port.to_string()),
            ("ADMIN_PORT", admin_port.to_string()),
            ("ORIGIN_PORT", self.origin_port.to_string()),
            ("AUTHZ_HTTP_PORT", http.to_string()),
            ("AUTHZ_GRPC_PORT", grpc.to_string()),
            ("DIRECTORY", directory.display().to_string()),
            ("DUE_TIMEOUT", format!("{DUE_TIMEOUT_S}s")),
            ("SIGNING_KEY", SIGNING_KEY.to_owned()),
            ("SUBJECT_KEY", SUBJECT_KEY.to_owned()),
            ("SLOTS", options.slots.unwrap_or(65_536).to_string()),
            ("NOOP_WASM", path_of("build/bench/noop.wasm")),
            ("STREAMGATE_WASM", path_of("build/streamgate.wasm")),
        ]
    }
}

impl Kind {
    /// Its configuration's file in `bench/peers/`.
    fn file(self) -> &'static str {
        match self {
            Self::Bare => "envoy-bare.yaml",
            Self::Noop => "envoy-noop.yaml",
            Self::Streamgate | Self::SessionApi => "envoy-streamgate.yaml",
            Self::Lua => "envoy-lua.yaml",
            Self::AuthzHttp => "envoy-authz-http.yaml",
            Self::AuthzGrpc => "envoy-authz-grpc.yaml",
            Self::Nginx => "nginx.conf",
            Self::NginxLua => "nginx-lua.conf",
            Self::Haproxy => "haproxy.cfg",
            Self::HaproxyStick => "haproxy-stick.cfg",
        }
    }

    fn name(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// How a proxy is run otherwise than as every other.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    /// Workers of an Envoy.
    pub(crate) workers: usize,
    /// It may use the load's core, too.
    pub(crate) on_both_cores: bool,
    /// Places that the filter spreads accounts over; `None`: as many as by default.
    pub(crate) slots: Option<u32>,
    /// An Envoy takes its listener from a file, so that it can be updated, and tells how
    /// long each turn of its event loops is.
    pub(crate) updatable: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: WORKERS,
            on_both_cores: false,
            slots: None,
            updatable: false,
        }
    }
}

impl Peer {
    /// Starts a proxy, and waits until it serves.
    pub(crate) fn start(kind: Kind, around: &Surroundings, options: &Options) -> Self {
        let (port, admin_port) = (free_port(), free_port());
        let at = around
            .directory
            .path()
            .join(format!("{}-{port}", kind.name()));
        fs::create_dir(&at).expect("a directory");
        let words = around.words(port, admin_port, &at, options);
        let conf = filled_in(kind.file(), &words, &at);
        let cores: &[u32] = match options.on_both_cores {
            true => &[PROXY_CORE, LOAD_CORE],
            false => &[PROXY_CORE],
        };
        let command = match kind {
            Kind::Nginx | Kind::NginxLua => {
                let mut nginx = pinned(cores, "nginx");
                nginx.args(["-e", "stderr", "-c"]).arg(&conf);
                nginx
            }
            Kind::Haproxy | Kind::HaproxyStick => {
                let mut haproxy = pinned(cores, "haproxy");
                haproxy.arg("-db").arg("-f").arg(&conf);
                haproxy
            }
            _ => {
                let base = yaml(&filled_in("envoy.yaml", &words, &at));
                let mut bootstrap = with_peer(base, yaml(&conf));
                if options.updatable {
                    make_updatable(&mut bootstrap, &at);
                }
                let bootstrap_at = at.join("bootstrap.json");
                fs::write(&bootstrap_at, bootstrap.to_string()).expect("to write");
                let mut envoy = pinned(cores, streamgate_tests::envoy());
                envoy.arg("--config-path").arg(bootstrap_at);
                envoy.args(["--concurrency", &options.workers.to_string()]);
                // Whoever takes listeners from elsewhere has to have a name.
                envoy.args(["--service-cluster", "bench", "--service-node", "peer"]);
                envoy.args(["--log-level", "warning", "--disable-hot-restart"]);
                envoy
            }
        };
        let asks = matches!(kind, Kind::AuthzHttp | Kind::AuthzGrpc);
        let mut peer = Self {
            port,
            admin_port,
            process: Process::start(&kind.name(), command, &log_directory()),
            helpers: match asks {
                true => around.helpers.clone(),
                false => Vec::new(),
            },
            directory: at,
        };
        peer.process.serves(port);
        peer
    }

    /// Has an updatable Envoy take over its listener with a change.
    ///
    /// # Panics
    ///
    /// If it does not.
    pub(crate) fn update(&self, change: impl FnOnce(&mut Value)) {
        let admin = Admin::at(self.admin_port);
        let updates = || admin.counter("listener_manager.lds.update_success");
        let before = updates();
        let at = self.directory.join("lds.json");
        let text = fs::read_to_string(&at).expect("a listener");
        let mut lds = serde_json::from_str(&text).expect("a listener");
        change(&mut lds);
        // Envoy takes up files that are moved into place.
        let new = self.directory.join("lds.json.new");
        fs::write(&new, lds.to_string()).expect("to write");
        fs::rename(&new, &at).expect("to move");
        eventually("Envoy has taken over the update", || updates() > before);
    }

    /// CPU time that the proxy took so far, and what the services took that it asks, in
    /// nanoseconds.
    pub(crate) fn cpu_ns(&self) -> (u64, u64) {
        let helpers = self.helpers.iter().map(|helper| helper.cpu_ns()).sum();
        (self.process.cpu_ns(), helpers)
    }
}

/// An Envoy's bootstrap with what its peer's file adds.
fn with_peer(mut bootstrap: Value, mut peer: Value) -> Value {
    let listener = &mut bootstrap["static_resources"]["listeners"][0];
    let manager = &mut listener["filter_chains"][0]["filters"][0]["typed_config"];
    let added = |list: &mut Value| list.as_array_mut().map(std::mem::take).unwrap_or_default();
    let filters = manager["http_filters"].as_array_mut().expect("filters");
    filters.splice(0..0, added(&mut peer["http_filters"]));
    let clusters = bootstrap["static_resources"]["clusters"].as_array_mut();
    clusters
        .expect("clusters")
        .extend(added(&mut peer["clusters"]));
    bootstrap
}

/// Lets an Envoy take its listener from a file in a directory, and tell how long each turn
/// of its event loops is.
fn make_updatable(bootstrap: &mut Value, directory: &Path) {
    let mut listener = bootstrap["static_resources"]["listeners"][0].take();
    listener["@type"] = "type.googleapis.com/envoy.config.listener.v3.Listener".into();
    let lds = directory.join("lds.json");
    fs::write(&lds, json!({"resources": [listener]}).to_string()).expect("to write");
    bootstrap["static_resources"]["listeners"] = json!([]);
    bootstrap["dynamic_resources"] = json!({"lds_config": {
        "resource_api_version": "V3",
        "path_config_source": {"path": lds, "watched_directory": {"path": directory}},
    }});
    bootstrap["enable_dispatcher_stats"] = true.into();
    bootstrap["stats_flush_interval"] = "1s".into();
}

fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).expect("a configuration");
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A file of `bench/peers/` with words filled in, in a directory; where it is then.
fn filled_in(name: &str, words: &[(&str, String)], directory: &Path) -> PathBuf {
    let from = project().join("bench/peers").join(name);
    let text = fs::read_to_string(&from).unwrap_or_else(|error| panic!("{name}: {error}"));
    let to = directory.join(name);
    fs::write(&to, fill_in(&text, words)).expect("to write");
    to
}

fn fill_in(text: &str, words: &[(&str, String)]) -> String {
    let mut filled = text.to_owned();
    // nginx has variables of its own, in lower case.
    let mut longest_first: Vec<_> = words.iter().collect();
    longest_first.sort_by_key(|(word, _)| std::cmp::Reverse(word.len()));
    for (word, value) in longest_first {
        filled = filled.replace(&format!("${word}"), value);
    }
    filled
}

fn path_of(file: &str) -> String {
    project().join(file).display().to_string()
}

fn built(file: &str) -> PathBuf {
    let path = project().join(file);
    assert!(path.exists(), "there is no {file}; `make bench` builds it");
    path
}

/// Where peers' logs stay after a run.
fn log_directory() -> PathBuf {
    let directory = project().join("build/bench/log");
    fs::create_dir_all(&directory).expect("a directory");
    directory
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_filled_in_the_longest_first() {
        let words = [("PORT", "1".to_owned()), ("PORT_B", "2".to_owned())];
        assert_eq!(fill_in("$PORT_B:$PORT$port", &words), "2:1$port");
    }

    #[test]
    fn a_peers_filters_stand_in_front_of_the_router() {
        let read = |name: &str| yaml(&project().join("bench/peers").join(name));
        let added = with_peer(
            read("envoy.yaml"),
            json!({"http_filters": [{"name": "own"}]}),
        );
        let listener = &added["static_resources"]["listeners"][0];
        let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
        assert_eq!(manager["http_filters"][0]["name"], "own");
        assert_eq!(
            manager["http_filters"][1]["name"],
            "envoy.filters.http.router"
        );
        let clusters = |bootstrap: &Value| {
            let clusters = bootstrap["static_resources"]["clusters"].as_array();
            clusters.map(Vec::len)
        };
        assert_eq!(clusters(&added), Some(1));
        let asking = with_peer(read("envoy.yaml"), read("envoy-authz-http.yaml"));
        assert_eq!(clusters(&asking), Some(2));
    }
}
