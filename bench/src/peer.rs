//! Those who are compared: how each is started, from its own configuration in
//! `bench/peers/`.

use std::fs;
use std::path::PathBuf;
use std::rc::Rc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use streamgate_tests::{eventually, free_port, project};

use crate::configuration::{filled_in, keep_routes, make_native, make_updatable, with_peer, yaml};
use crate::envoy::Admin;
use crate::process::{LOAD_CORE, PROXY_CORE, Process, pinned};
use crate::surroundings::{SIGNING_KEY, SUBJECT_KEY, Surroundings};

/// A proxy in one of its set-ups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Envoy alone.
    Bare,
    /// Envoy with a Wasm filter that does nothing.
    Noop,
    /// Envoy with a Wasm filter that makes the fast path's host calls and nothing else.
    Calls,
    /// Envoy with the filter: playback.
    Streamgate,
    /// The same for session API calls, which would fill the other one's record.
    SessionApi,
    /// Envoy with a native module that does nothing.
    NativeNoop,
    /// Envoy with the filter as a native module: playback.
    Native,
    /// The same for session API calls.
    NativeApi,
    /// Playback, with routes that are kept where a token is taken off.
    NativeKept,
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

impl Kind {
    /// Its configuration's file in `bench/peers/`.
    fn file(self) -> &'static str {
        match self {
            Self::Bare => "envoy-bare.yaml",
            Self::Noop => "envoy-noop.yaml",
            Self::Calls => "envoy-calls.yaml",
            Self::NativeNoop => "envoy-noop-native.yaml",
            _ if self.counts() => "envoy-streamgate.yaml",
            Self::Lua => "envoy-lua.yaml",
            Self::AuthzHttp => "envoy-authz-http.yaml",
            Self::AuthzGrpc => "envoy-authz-grpc.yaml",
            Self::Nginx => "nginx.conf",
            Self::NginxLua => "nginx-lua.conf",
            Self::Haproxy => "haproxy.cfg",
            _ => "haproxy-stick.cfg",
        }
    }

    /// Whether it is Envoy with the filter, in whichever form.
    pub(crate) const fn counts(self) -> bool {
        matches!(self, Self::Streamgate | Self::SessionApi) || self.is_native()
    }

    /// Whether it is the filter as a native module.
    const fn is_native(self) -> bool {
        matches!(self, Self::Native | Self::NativeApi | Self::NativeKept)
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
    /// An Envoy's log tells when it loads its Wasm filter.
    pub(crate) tells_of_loading: bool,
    /// The filter's module; `None`: the one that was built here.
    pub(crate) module: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            workers: WORKERS,
            on_both_cores: false,
            slots: None,
            updatable: false,
            tells_of_loading: false,
            module: None,
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
                let mut peer = yaml(&conf);
                let built = project().join("build/libstreamgate.so");
                let module = options.module.as_deref().unwrap_or(&built);
                if kind.is_native() {
                    make_native(&mut peer, module);
                }
                let mut bootstrap = with_peer(base, peer);
                if kind == Kind::NativeKept {
                    keep_routes(&mut bootstrap, module);
                }
                if options.updatable {
                    make_updatable(&mut bootstrap, &at);
                }
                let bootstrap_at = at.join("bootstrap.json");
                fs::write(&bootstrap_at, bootstrap.to_string()).expect("to write");
                let mut envoy = pinned(cores, streamgate_tests::envoy());
                // A native module has its secrets from there.
                envoy.env("STREAMGATE_SIGNING_KEY", SIGNING_KEY);
                envoy.env("STREAMGATE_SUBJECT_KEY", SUBJECT_KEY);
                envoy.arg("--config-path").arg(bootstrap_at);
                envoy.args(["--concurrency", &options.workers.to_string()]);
                // Whoever takes listeners from elsewhere has to have a name.
                envoy.args(["--service-cluster", "bench", "--service-node", "peer"]);
                envoy.args(["--log-level", "warning", "--disable-hot-restart"]);
                if options.tells_of_loading {
                    envoy.args(["--component-log-level", "wasm:debug"]);
                    // Seconds and nanoseconds.
                    envoy.args(["--log-format", "%E.%F %v"]);
                }
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

    /// Does something, and tells what CPU time it took, in nanoseconds: the proxy's, and that of
    /// the services that it asks.
    pub(crate) fn cpu_ns_of<T>(&self, work: impl FnOnce() -> T) -> (T, [u64; 2]) {
        let (proxy_before, helpers_before) = self.cpu_ns();
        let done = work();
        let (proxy, helpers) = self.cpu_ns();
        (done, [proxy - proxy_before, helpers - helpers_before])
    }

    fn cpu_ns(&self) -> (u64, u64) {
        let helpers = self.helpers.iter().map(|helper| helper.cpu_ns()).sum();
        (self.process.cpu_ns(), helpers)
    }
}

/// Where peers' logs stay after a run.
fn log_directory() -> PathBuf {
    let directory = project().join("build/bench/log");
    fs::create_dir_all(&directory).expect("a directory");
    directory
}
