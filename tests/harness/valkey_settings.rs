//! What a store under test is started with.

use crate::Valkey;
use crate::certificates::Certificates;

/// The user that the tests themselves come as, where [`ValkeySettings::user`] leaves the
/// default user nothing.
const TESTS: &str = "the-tests-themselves";

impl Valkey {
    /// A store that asks nobody who he is.
    #[must_use]
    pub fn start() -> Self {
        Self::with().start()
    }

    /// A store that is to be different.
    pub fn with() -> ValkeySettings {
        ValkeySettings::default()
    }
}

/// A store about to be started.
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct ValkeySettings {
    password: Option<String>,
    user: Option<[String; 2]>,
    tls: bool,
    certificates: Option<Certificates>,
    /// After how many milliseconds a node that does not answer the others has failed.
    cluster: Option<u32>,
}

impl ValkeySettings {
    /// That lets in who knows a password.
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// That lets in a user who may read, write, run scripts and ask for the time, and do nothing else.
    pub fn user(mut self, name: &str, password: &str) -> Self {
        self.user = Some([name.to_owned(), password.to_owned()]);
        self
    }

    /// That speaks TLS, too, at a port of its own.
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// That speaks TLS, too, and shows the certificate of another one.
    ///
    /// # Panics
    ///
    /// If that one does not speak TLS.
    pub fn tls_like(mut self, other: &Valkey) -> Self {
        self.certificates = Some(other.certificates().clone());
        self.tls()
    }

    /// In cluster mode, with no slot served yet. A node that does not answer the others for so many
    /// milliseconds has failed.
    pub fn cluster(mut self, node_timeout_ms: u32) -> Self {
        self.cluster = Some(node_timeout_ms);
        self
    }

    /// Starts it.
    #[must_use]
    pub fn start(self) -> Valkey {
        let login = match (&self.user, &self.password) {
            (Some(_), _) => Some([TESTS.to_owned(), TESTS.to_owned()]),
            (None, Some(password)) => Some(["default".to_owned(), password.clone()]),
            (None, None) => None,
        };
        let certificates = self.certificates.clone();
        Valkey::start_with(login, self.tls, certificates, |valkey| {
            self.configuration(valkey)
        })
    }

    fn configuration(&self, valkey: &Valkey) -> String {
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            format!("port {}", valkey.port),
            format!("dir {}", valkey.directory.path().display()),
            "save \"\"".to_owned(),
            "appendonly no".to_owned(),
            "maxmemory-policy noeviction".to_owned(),
            // So that what `DUMP` shows of a value can be searched.
            "rdbcompression no".to_owned(),
        ];
        if let Some(node_timeout_ms) = self.cluster {
            lines.push("cluster-enabled yes".to_owned());
            lines.push(format!("cluster-port {}", crate::ports::free_port()));
            lines.push(format!("cluster-node-timeout {node_timeout_ms}"));
            lines.push("repl-diskless-sync-delay 0".to_owned());
        }
        if let Some(password) = &self.password {
            lines.push(format!("requirepass {}", quoted(password)));
        }
        if let Some([name, password]) = &self.user {
            let may = "~* +@read +@write +@scripting +time +@connection -@dangerous";
            let finds = self.cluster.map_or("", |_| "+cluster|slots");
            lines.push("user default off".to_owned());
            lines.push(format!("user {TESTS} on >{TESTS} ~* &* +@all"));
            let password = quoted(&format!(">{password}"));
            lines.push(format!("user {name} on {password} {may} {finds}"));
        }
        if let Some((port, files)) = &valkey.tls {
            lines.push(format!("tls-port {port}"));
            lines.push(format!("tls-cert-file {}", files.certificate.display()));
            lines.push(format!("tls-key-file {}", files.key.display()));
            lines.push(format!("tls-ca-cert-file {}", files.authority.display()));
            lines.push("tls-auth-clients no".to_owned());
            if self.cluster.is_some() {
                // Nodes speak it among themselves, too, and send who comes over TLS to TLS.
                lines.push("tls-cluster yes".to_owned());
            }
        }
        lines.join("\n")
    }
}

/// A word of its configuration, whatever is in it.
fn quoted(word: &str) -> String {
    let word = word.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{word}\"")
}
