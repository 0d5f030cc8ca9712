//! A real store: Debian's `redis-server`, which speaks and does what Valkey does.

use std::fs;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis_protocol::resp2::decode::decode;
pub use redis_protocol::resp2::types::OwnedFrame as Reply;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::awaited;
use crate::certificates::Certificates;

/// What a store's certificate is made out to.
pub(crate) const NAME: &str = "valkey";

/// A running store that keeps everything in memory; it ends with the test.
#[derive(Debug)]
pub struct Valkey {
    /// Where it listens, without TLS.
    pub port: u16,
    pub(crate) tls: Option<(u16, Certificates)>,
    /// What the tests have to say first.
    login: Option<[String; 2]>,
    pub(crate) directory: TempDir,
    process: Option<Child>,
}

impl Valkey {
    /// Starts a store with a configuration that is written when its place is known.
    pub(crate) fn start_with(
        login: Option<[String; 2]>,
        tls: bool,
        certificates: Option<Certificates>,
        configuration: impl FnOnce(&Self) -> String,
    ) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let tls = tls.then(|| {
            let new = || Certificates::of(NAME, directory.path());
            (crate::ports::free_port(), certificates.unwrap_or_else(new))
        });
        let mut valkey = Self {
            port: crate::ports::free_port(),
            tls,
            login,
            directory,
            process: None,
        };
        let configuration = configuration(&valkey);
        fs::write(valkey.at("valkey.conf"), configuration).expect("to write");
        valkey.start_again();
        valkey
    }

    /// Where it speaks TLS.
    ///
    /// # Panics
    ///
    /// If it does not.
    #[must_use]
    pub fn tls_port(&self) -> u16 {
        self.tls.as_ref().expect("a store with TLS").0
    }

    /// The same, where it does.
    #[must_use]
    pub fn tls_port_if_any(&self) -> Option<u16> {
        self.tls.as_ref().map(|(port, _)| *port)
    }

    /// The certificate of the authority to believe, in PEM.
    ///
    /// # Panics
    ///
    /// If it does not speak TLS.
    #[must_use]
    pub fn authority(&self) -> PathBuf {
        self.certificates().authority.clone()
    }

    pub(crate) fn certificates(&self) -> &Certificates {
        &self.tls.as_ref().expect("a store with TLS").1
    }

    /// Kills it, as a power failure would. All it held is gone.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    /// Starts it after it was killed: empty, at the same port.
    pub fn start_again(&mut self) {
        assert!(self.process.is_none(), "it runs");
        let log = fs::File::options()
            .append(true)
            .create(true)
            .open(self.at("valkey.log"))
            .expect("a log");
        let process = Command::new("redis-server")
            .arg(self.at("valkey.conf"))
            .stdin(Stdio::null())
            .stdout(log)
            .spawn()
            .unwrap_or_else(|error| panic!("redis-server: {error}; run scripts/setup --tests"));
        self.process = Some(process);
        awaited("the store answers", || {
            let ended = self.process.as_mut().expect("a process").try_wait();
            if let Ok(Some(status)) = ended {
                let log = fs::read_to_string(self.at("valkey.log"));
                panic!("redis-server: {status}\n{}", log.unwrap_or_default());
            }
            self.try_command(&["PING"]).ok()
        });
    }

    /// Stops it in its tracks: connections are accepted and nothing is answered.
    pub fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on. It still does what it was asked to do meanwhile.
    pub fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        let process = self.process.as_ref().expect("a running store");
        kill_process(Pid::from_child(process), signal).expect("to signal");
    }

    /// From now on it has no room for anything more: what would need memory is answered
    /// with `-OOM`. What it holds stays.
    pub fn fill(&self) {
        let _ = self.command(&["CONFIG", "SET", "maxmemory", "1"]);
    }

    /// It has room again.
    pub fn make_room(&self) {
        let _ = self.command(&["CONFIG", "SET", "maxmemory", "0"]);
    }

    /// What it answers to a command.
    ///
    /// # Panics
    ///
    /// If it answers nothing.
    pub fn command<T: AsRef<[u8]>>(&self, command: &[T]) -> Reply {
        self.try_command(command)
            .unwrap_or_else(|error| panic!("the store at {}: {error}", self.port))
    }

    /// What it answers to a command, where it may not.
    ///
    /// # Errors
    ///
    /// What kept it from answering within five seconds.
    pub fn try_command<T: AsRef<[u8]>>(&self, command: &[T]) -> io::Result<Reply> {
        let mut connection = TcpStream::connect(("127.0.0.1", self.port))?;
        connection.set_read_timeout(Some(Duration::from_secs(5)))?;
        let mut answers = 1;
        if let Some([user, password]) = &self.login {
            connection.write_all(&in_resp(&["AUTH", user, password]))?;
            answers += 1;
        }
        connection.write_all(&in_resp(command))?;
        let (mut received, mut buffer) = (Vec::new(), [0; 16 * 1024]);
        loop {
            let decoded = decode(&received).map_err(io::Error::other)?;
            if let Some((reply, length)) = decoded {
                received.drain(..length);
                answers -= 1;
                if answers == 0 {
                    return Ok(reply);
                }
                continue;
            }
            match connection.read(&mut buffer)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                read => received.extend(buffer.iter().take(read)),
            }
        }
    }

    /// How many keys it holds.
    #[must_use]
    pub fn keys(&self) -> usize {
        match self.command(&["DBSIZE"]) {
            Reply::Integer(keys) => usize::try_from(keys).expect("a number of keys"),
            other => panic!("{other:?}"),
        }
    }

    /// How many accounts it has a record of. Keys of shards are not among them.
    #[must_use]
    pub fn records(&self) -> usize {
        let Reply::Array(keys) = self.command(&["KEYS", "sg5:*"]) else {
            panic!("no list of keys");
        };
        let is_record = |key: &Reply| match key {
            // The subject's sixteen bytes stand behind the prefix and the shard's tag.
            Reply::BulkString(key) => key.len() == 24,
            other => panic!("{other:?}"),
        };
        keys.iter().filter(|key| is_record(key)).count()
    }

    /// All it holds: each key, and its value as `DUMP` shows it, whatever its type.
    #[must_use]
    pub fn contents(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let Reply::Array(keys) = self.command(&["KEYS", "*"]) else {
            panic!("no list of keys");
        };
        let bytes = |reply: Reply| match reply {
            Reply::BulkString(bytes) => bytes,
            // It has just expired.
            Reply::Null => Vec::new(),
            other => panic!("{other:?}"),
        };
        let contents = keys.into_iter().map(bytes).map(|key| {
            let value = bytes(self.command(&[b"DUMP", key.as_slice()]));
            (key, value)
        });
        contents.collect()
    }

    /// Bytes it has allocated, by its own account.
    #[must_use]
    pub fn used_memory(&self) -> u64 {
        self.info("used_memory")
    }

    /// CPU time it has used, by its own account.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        let seconds = |name: &str| self.info_text(name).parse::<f64>();
        let used = ["used_cpu_user", "used_cpu_sys"].map(seconds);
        Duration::from_secs_f64(used.into_iter().flatten().sum())
    }

    /// A number that `INFO` gives, such as `total_connections_received`.
    #[must_use]
    pub fn info(&self, name: &str) -> u64 {
        let value = self.info_text(name);
        value
            .parse()
            .unwrap_or_else(|_| panic!("no number: {value}"))
    }

    /// How often it was given a command, such as `evalsha`.
    #[must_use]
    pub fn calls(&self, command: &str) -> u64 {
        let name = format!("cmdstat_{command}");
        let Some(value) = self.find_info(&name) else {
            return 0;
        };
        let calls = value.strip_prefix("calls=");
        let calls = calls.and_then(|rest| rest.split(',').next());
        calls.and_then(|calls| calls.parse().ok()).expect("a count")
    }

    fn info_text(&self, name: &str) -> String {
        self.find_info(name)
            .unwrap_or_else(|| panic!("INFO knows no {name}"))
    }

    fn find_info(&self, name: &str) -> Option<String> {
        let Reply::BulkString(info) = self.command(&["INFO", "all"]) else {
            panic!("INFO says nothing");
        };
        let info = String::from_utf8_lossy(&info);
        let mut values = info
            .lines()
            .filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        values.next().map(str::to_owned)
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

impl Drop for Valkey {
    fn drop(&mut self) {
        // A frozen one ends, too: nothing stops this signal.
        self.kill();
    }
}

/// A command as it goes over the wire.
pub(crate) fn in_resp<T: AsRef<[u8]>>(command: &[T]) -> Vec<u8> {
    let mut bytes = format!("*{}\r\n", command.len()).into_bytes();
    for part in command {
        let part = part.as_ref();
        bytes.extend(format!("${}\r\n", part.len()).bytes());
        bytes.extend(part);
        bytes.extend(b"\r\n");
    }
    bytes
}
