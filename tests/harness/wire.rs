//! Requests by hand on a connection that is kept: many of them in little time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A connection to an edge, opened anew whenever the edge has closed it.
#[derive(Debug)]
pub struct Wire {
    port: u16,
    stream: Option<TcpStream>,
}

impl Wire {
    /// To whatever listens on this port of 127.0.0.1.
    #[must_use]
    pub fn to(port: u16) -> Self {
        Self { port, stream: None }
    }

    /// Sends the bytes of one request and returns the answer's status, and its head as text.
    /// `None` if the other side closes the connection without an answer, also on a fresh one.
    pub fn ask(&mut self, request: &[u8]) -> Option<(u16, String)> {
        let was_open = self.stream.is_some();
        let answer = self.try_ask(request);
        // An open connection may have been closed since the last answer.
        match answer {
            None if was_open => self.try_ask(request),
            answer => answer,
        }
    }

    fn try_ask(&mut self, request: &[u8]) -> Option<(u16, String)> {
        let mut stream = self.stream.take().unwrap_or_else(|| {
            let stream = TcpStream::connect(("127.0.0.1", self.port)).expect("a connection");
            stream.set_nodelay(true).expect("no delay");
            let patience = Some(Duration::from_secs(20));
            stream.set_read_timeout(patience).expect("a timeout");
            stream.set_write_timeout(patience).expect("a timeout");
            stream
        });
        // Whoever is refused early may find the connection closed while it writes.
        let _ = stream.write_all(request);
        let mut answer = Vec::new();
        let end = loop {
            if let Some(end) = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end;
            }
            more(&mut stream, &mut answer)?;
        };
        let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
        let status: u16 = head.strip_prefix("http/1.1 ")?.get(..3)?.parse().ok()?;
        let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
        let bodiless = request.starts_with(b"HEAD ") || matches!(status, 204 | 304);
        let length = field("content-length: ").and_then(|length| length.parse::<usize>().ok());
        let whole = |answer: &[u8]| match length {
            _ if bodiless => true,
            Some(length) => answer.len() >= end + 4 + length,
            None => answer.ends_with(b"0\r\n\r\n"),
        };
        while !whole(&answer) {
            if more(&mut stream, &mut answer).is_none() {
                return Some((status, head));
            }
        }
        if field("connection: ") != Some("close") {
            self.stream = Some(stream);
        }
        Some((status, head))
    }
}

/// Reads what is there; `None` at the end.
fn more(stream: &mut TcpStream, answer: &mut Vec<u8>) -> Option<()> {
    let mut buffer = [0; 16 * 1024];
    match stream.read(&mut buffer) {
        Ok(0) | Err(_) => None,
        Ok(read) => {
            answer.extend(buffer.iter().take(read));
            Some(())
        }
    }
}
