//! Players that fetch one file to its end, each at its own pace, over any version of HTTP.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::{Edge, project};

/// A version of HTTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.1.
    One,
    /// HTTP/2, without TLS.
    Two,
    /// HTTP/3, of an edge that speaks it ([`Settings::over_http_3`](crate::Settings::over_http_3)).
    Three,
}

/// A player that fetches one file to its end.
#[derive(Debug)]
pub struct Fetch {
    child: Child,
}

/// How a fetch ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The status.
    pub status: u16,
    /// How many bytes came.
    pub bytes: usize,
    /// Whether it came to its end.
    pub is_whole: bool,
}

impl Fetch {
    /// Begins to fetch a path at so many bytes a second. `more` is for curl, and for HTTP/1.1 and 2.
    ///
    /// # Panics
    ///
    /// If the program that does is not there.
    #[must_use]
    pub fn begin(
        edge: &Edge,
        version: Version,
        path: &str,
        headers: &[(&str, &str)],
        bytes_per_s: u64,
        more: &[&str],
    ) -> Self {
        let mut program = match version {
            Version::One | Version::Two => {
                let mut curl = Command::new("curl");
                curl.args(["--silent", "--output", "/dev/null", "--max-time", "100"]);
                curl.args(["--write-out", "%{http_code} %{size_download}"]);
                curl.args(["--limit-rate", &bytes_per_s.to_string()]);
                if version == Version::Two {
                    curl.arg("--http2-prior-knowledge");
                }
                for (name, value) in headers {
                    curl.args(["--header", &format!("{name}: {value}")]);
                }
                curl.args(more);
                curl.arg(format!("http://127.0.0.1:{}{path}", edge.port));
                curl
            }
            Version::Three => {
                let mut python = Command::new(http_3_python());
                python.arg(project().join("tests/http3/fetch.py"));
                python.args([&edge.port.to_string(), path, &bytes_per_s.to_string()]);
                python.args(
                    headers
                        .iter()
                        .map(|(name, value)| format!("{name}:{value}")),
                );
                python
            }
        };
        let child = program
            .stdout(Stdio::piped())
            .spawn()
            .expect("to run a player");
        Self { child }
    }

    /// How it ended.
    ///
    /// # Panics
    ///
    /// If it says nothing.
    #[must_use]
    pub fn ended(self) -> Fetched {
        let output = self.child.wait_with_output().expect("a player to end");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (status, bytes) = text.trim().split_once(' ').expect("two numbers");
        Fetched {
            status: status.parse().expect("a status"),
            bytes: bytes.parse().expect("a number"),
            is_whole: output.status.success(),
        }
    }

    /// Closes the player.
    ///
    /// # Panics
    ///
    /// If that cannot be done.
    pub fn stop(mut self) {
        self.child.kill().expect("to end it");
        let _ = self.child.wait();
    }

    /// Whether it has not ended yet.
    ///
    /// # Panics
    ///
    /// If that cannot be found out.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("to ask for it").is_none()
    }
}

/// A Python that speaks HTTP/3, as `scripts/setup --tests` leaves it. Debian's curl does not.
fn http_3_python() -> PathBuf {
    let python = project().join(".tools/bin/python-aioquic");
    assert!(
        python.exists(),
        "there is no HTTP/3 client; run scripts/setup --tests first"
    );
    python
}
