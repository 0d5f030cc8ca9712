//! Requests in lists: as lines for wrk, as URLs for h2load, as bytes for [`crate::rehearsal`].

use std::cell::Cell;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Request {
    method: &'static str,
    /// Path.
    pub(crate) path: String,
    /// Made in the name of the application.
    by_application: bool,
}

/// What session API calls authenticate with.
fn credentials() -> String {
    format!("Basic {}", STANDARD.encode("player:"))
}

impl Request {
    /// A `GET`.
    pub(crate) fn get(path: String) -> Self {
        Self {
            method: "GET",
            path,
            by_application: false,
        }
    }

    /// A session API call.
    pub(crate) fn call(method: &'static str, path: String) -> Self {
        Self {
            method,
            path,
            by_application: true,
        }
    }

    /// As `bench/load/list.lua` reads it.
    fn line(&self) -> String {
        match self.by_application {
            true => format!("{} {} {}", self.method, self.path, credentials()),
            false => format!("{} {}", self.method, self.path),
        }
    }

    /// As it goes over a connection.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{} {} HTTP/1.1\r\nhost: tiny\r\n", self.method, self.path);
        if self.by_application {
            text.push_str(&format!("authorization: {}\r\n", credentials()));
        }
        if self.method == "POST" {
            text.push_str("content-length: 0\r\n");
        }
        text.push_str("\r\n");
        text.into_bytes()
    }
}

/// Requests that are sent one after the other, slice by slice, and then again.
#[derive(Debug)]
pub(crate) struct List {
    requests: Rc<[Request]>,
    next: Cell<usize>,
}

impl List {
    /// A list of at least one request.
    pub(crate) fn new(requests: Rc<[Request]>) -> Self {
        Self {
            requests,
            next: Cell::new(0),
        }
    }

    /// Writes the next requests to a file, as `bench/load/list.lua` reads them: at most so
    /// many, and none twice.
    pub(crate) fn write_next(&self, file: &Path, most: usize) {
        let (before, from_next) = self.requests.split_at(self.next.get());
        let next = from_next.iter().chain(before).take(most);
        lines(file, next.map(Request::line));
    }

    /// All of its requests.
    pub(crate) fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// Notes that so many were sent.
    pub(crate) fn advance(&self, sent: u64) {
        let len = self.requests.len() as u64;
        let next = (self.next.get() as u64 + sent) % len.max(1);
        self.next.set(next as usize);
    }
}

/// Writes URLs of a peer for h2load.
pub(crate) fn write_urls(file: &Path, port: u16, paths: &[String]) {
    let urls = paths
        .iter()
        .map(|path| format!("http://127.0.0.1:{port}{path}"));
    lines(file, urls);
}

fn lines(file: &Path, lines: impl Iterator<Item = String>) {
    let mut file = BufWriter::new(File::create(file).expect("a file"));
    for line in lines {
        writeln!(file, "{line}").expect("to write");
    }
    file.flush().expect("to write");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_the_same_in_every_form() {
        let get = Request::get("/a".to_owned());
        assert_eq!(get.line(), "GET /a");
        assert_eq!(get.bytes(), b"GET /a HTTP/1.1\r\nhost: tiny\r\n\r\n");
        let call = Request::call("POST", "/v2/b".to_owned());
        assert_eq!(call.line(), "POST /v2/b Basic cGxheWVyOg==");
        let bytes = String::from_utf8(call.bytes()).expect("text");
        assert!(bytes.contains("authorization: Basic cGxheWVyOg==\r\ncontent-length: 0\r\n\r\n"));
    }

    #[test]
    fn a_list_goes_on_where_it_was_and_round() {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("list");
        let requests = ["/a", "/b", "/c"].map(|path| Request::get(path.to_owned()));
        let list = List::new(requests.into());
        let next = |most| {
            list.write_next(&file, most);
            std::fs::read_to_string(&file)
                .expect("a file")
                .replace('\n', ";")
        };
        assert_eq!(next(2), "GET /a;GET /b;");
        list.advance(2);
        assert_eq!(next(2), "GET /c;GET /a;");
        list.advance(2);
        assert_eq!(next(9), "GET /b;GET /c;GET /a;");
    }
}
