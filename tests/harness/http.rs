//! Plain HTTP, from a client that follows no redirect and changes no path; and bytes
//! by hand, for what no client would send.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;
use ureq::http::{HeaderName, HeaderValue, Method};

/// A client with one keep-alive connection of its own.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    base: String,
}

/// A request about to be sent.
#[derive(Debug, Clone)]
#[must_use]
pub struct Request {
    client: Client,
    method: Method,
    path: String,
    headers: Vec<(HeaderName, HeaderValue)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// Body.
    pub body: Vec<u8>,
    headers: Vec<(String, String)>,
    asked: String,
}

impl Client {
    /// A client of whatever listens on a port of 127.0.0.1.
    #[must_use]
    pub fn new(port: u16) -> Self {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(Duration::from_secs(3600))
            .timeout_global(Some(Duration::from_secs(30)))
            .user_agent("streamgate-tests")
            .build();
        Self {
            agent: config.into(),
            base: format!("http://127.0.0.1:{port}"),
        }
    }

    /// A request.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request {
            client: self.clone(),
            method: method.parse().expect("a method"),
            path: path.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// A `GET`.
    pub fn get(&self, path: &str) -> Request {
        self.request("GET", path)
    }
}

impl Request {
    /// With a header more; the same one may be given several times.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = name.parse().expect("a header name");
        self.headers
            .push((name, value.parse().expect("a header value")));
        self
    }

    /// In the name of an account, as an earlier hop would vouch for it.
    pub fn account(self, account: &str) -> Self {
        self.header("x-account-id", account)
    }

    /// With a query; several are joined.
    pub fn query(mut self, query: &str) -> Self {
        self.path
            .push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(query);
        self
    }

    /// With bytes as its body.
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// With a form as its body.
    pub fn form(self, form: &str) -> Self {
        self.body(form.as_bytes())
            .header("content-type", "application/x-www-form-urlencoded")
    }

    /// Sends it.
    ///
    /// # Panics
    ///
    /// If no answer comes.
    #[must_use]
    pub fn send(self) -> Answer {
        let asked = format!("{} {}", self.method, self.path);
        self.try_send()
            .unwrap_or_else(|error| panic!("{asked}: {error}"))
    }

    /// Sends it, where no answer may come.
    ///
    /// # Errors
    ///
    /// What kept an answer from coming.
    pub fn try_send(self) -> Result<Answer, ureq::Error> {
        let asked = format!("{} {}", self.method, self.path);
        let with_body = matches!(self.method, Method::POST | Method::PUT);
        let mut request = ureq::http::Request::builder()
            .method(self.method)
            .uri(format!("{}{}", self.client.base, self.path));
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let mut response = if with_body {
            self.client.agent.run(request.body(self.body)?)?
        } else {
            self.client.agent.run(request.body(())?)?
        };
        let body = response.body_mut().read_to_vec()?;
        let headers = response.headers().iter();
        Ok(Answer {
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes());
                    (name.as_str().to_owned(), value.into_owned())
                })
                .collect(),
            body,
            asked,
        })
    }
}

impl Answer {
    /// The first value of a header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// Every value of a header.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&str> {
        let headers = self.headers.iter().filter(|(known, _)| known == name);
        headers.map(|(_, value)| value.as_str()).collect()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    /// The reason code of a refusal; empty if there is none.
    #[must_use]
    pub fn reason(&self) -> String {
        self.header("x-streamgate-reason")
            .unwrap_or_default()
            .to_owned()
    }

    /// This answer, if it has that status.
    ///
    /// # Panics
    ///
    /// If it has another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        let Self {
            asked,
            status: found,
            ..
        } = &self;
        assert_eq!(
            *found,
            status,
            "{asked}: {:?} {}",
            self.headers,
            self.text()
        );
        self
    }

    /// This answer, if it is a refusal with that status and reason.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[track_caller]
    pub fn expect_refusal(self, status: u16, reason: &str) -> Self {
        let answer = self.expect(status);
        assert_eq!(
            answer.reason(),
            reason,
            "{}: {}",
            answer.asked,
            answer.text()
        );
        assert_eq!(answer.json()["reason"], reason);
        answer
    }
}

/// Sends `pieces` one after the other, with a pause between them, on a connection of
/// their own, and returns status and whole text of the first answer. There is no status
/// if the other side closes the connection without one.
#[must_use]
pub fn raw(port: u16, pieces: &[&[u8]]) -> (Option<u16>, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.set_nodelay(true).expect("no delay");
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).expect("a timeout");
    stream.set_write_timeout(patience).expect("a timeout");
    for (at, piece) in pieces.iter().enumerate() {
        if at > 0 {
            std::thread::sleep(Duration::from_millis(200));
        }
        // Whoever is refused early may find the connection closed while it writes.
        if stream.write_all(piece).is_err() {
            break;
        }
    }
    let (mut answer, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    while !is_whole(&answer) {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => answer.extend(buffer.iter().take(read)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                panic!("no answer to {}", String::from_utf8_lossy(pieces[0]))
            }
            // A reset after the answer leaves the answer there.
            Err(_) => break,
        }
    }
    let text = String::from_utf8_lossy(&answer).into_owned();
    let status = text
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok());
    (status, text)
}

/// Whether an answer is there to its last byte.
fn is_whole(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let head = head.to_ascii_lowercase();
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .and_then(|length| length.parse().ok());
    match length {
        Some(length) => body.len() >= length,
        None if head.contains("transfer-encoding: chunked") => body.ends_with("0\r\n\r\n"),
        None => true,
    }
}
