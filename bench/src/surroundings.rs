//! What proxies have around them: an upstream, and the services that some of them ask.

use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use streamgate_tests::{free_port, project};

use crate::configuration::filled_in;
use crate::peer::{Kind, Options};
use crate::process::{LOAD_CORE, PROXY_CORE, Process, pinned};

/// Bytes in a segment.
pub(crate) const SEGMENT_LEN: usize = 200_000;

/// Lives for so long without a request on the filter's path `/due/`, in seconds; a third of
/// it later a lease is due.
pub(crate) const DUE_TIMEOUT_S: u64 = 12;

/// What the filter signs with, and hashes accounts with, for the time of a measurement.
pub(crate) const SIGNING_KEY: &str = "signing-key-of-a-measurement";
pub(crate) const SUBJECT_KEY: &str = "subject-key-of-a-measurement";

/// The services around the proxies.
#[derive(Debug)]
pub(crate) struct Surroundings {
    /// Where everybody's files are.
    pub(crate) directory: tempfile::TempDir,
    origin_port: u16,
    authz_ports: Option<[u16; 2]>,
    /// The services that are asked.
    pub(crate) helpers: Vec<Rc<Process>>,
    // Serves until dropped.
    _origin: Process,
}

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

    /// What is filled in where a configuration has a word.
    pub(crate) fn words(
        &self,
        port: u16,
        admin_port: u16,
        directory: &Path,
        options: &Options,
    ) -> Vec<(&'static str, String)> {
        let [http, grpc] = self.authz_ports.unwrap_or_default();
        let module = match &options.module {
            Some(module) => module.display().to_string(),
            None => path_of("build/streamgate.wasm"),
        };
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
            ("NOOP_NATIVE", path_of("build/bench/libnoop.so")),
            ("STREAMGATE_WASM", module),
        ]
    }
}

fn path_of(file: &str) -> String {
    project().join(file).display().to_string()
}

fn built(file: &str) -> PathBuf {
    let path = project().join(file);
    assert!(path.exists(), "there is no {file}; `make bench` builds it");
    path
}
