//! Many requests, fast and unmeasured: what has to be so before a measurement. One
//! connection for each worker, and requests sent without waiting for answers.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use crate::peer::WORKERS;
use crate::request::Request;

/// Requests under way on one connection.
const DEPTH: usize = 32;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// What the header `location` says.
    pub(crate) location: Option<String>,
}

/// Sends each request to every worker, so that all of them know what it is about.
///
/// # Panics
///
/// If one is not answered with `expected`.
pub(crate) fn to_every_worker(port: u16, workers: usize, requests: &[Request], expected: u16) {
    let requests: Arc<[Request]> = requests.into();
    let connections = connections(port, workers);
    let threads = connections.into_iter().map(|connection| {
        let requests = Arc::clone(&requests);
        std::thread::spawn(move || check(send(connection, &requests), expected))
    });
    join(threads.collect());
}

/// Sends each request once, to whichever worker.
///
/// # Panics
///
/// If one is not answered with `expected`.
pub(crate) fn once(port: u16, requests: &[Request], expected: u16) -> Vec<Answer> {
    let share = requests.len().div_ceil(WORKERS).max(1);
    let shares = requests.chunks(share).map(<[Request]>::to_vec);
    let connections = connections(port, WORKERS);
    let threads = connections.into_iter().zip(shares).map(|(connection, share)| {
        std::thread::spawn(move || check(send(connection, &share), expected))
    });
    join(threads.collect()).into_iter().flatten().collect()
}

/// Connections opened together, which Envoy spreads over its workers.
fn connections(port: u16, number: usize) -> Vec<TcpStream> {
    let connect = |_| {
        let connection = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
        connection.set_nodelay(true).expect("no delay");
        let patience = Some(Duration::from_secs(20));
        connection.set_read_timeout(patience).expect("a timeout");
        connection
    };
    (0..number).map(connect).collect()
}

fn join<T>(threads: Vec<std::thread::JoinHandle<T>>) -> Vec<T> {
    let joined = threads.into_iter().map(std::thread::JoinHandle::join);
    joined.map(|answers| answers.expect("no panic")).collect()
}

fn check(answers: Vec<Answer>, expected: u16) -> Vec<Answer> {
    let other = answers.iter().find(|answer| answer.status != expected);
    assert!(other.is_none(), "answered {other:?} instead of {expected}");
    answers
}

fn send(mut connection: TcpStream, requests: &[Request]) -> Vec<Answer> {
    let mut reader = BufReader::new(connection.try_clone().expect("a connection"));
    let mut answers = Vec::with_capacity(requests.len());
    for batch in requests.chunks(DEPTH) {
        let bytes: Vec<u8> = batch.iter().flat_map(Request::bytes).collect();
        connection.write_all(&bytes).expect("to send");
        answers.extend(batch.iter().map(|_| read(&mut reader)));
    }
    answers
}

/// Reads an answer whose length its head says.
fn read(reader: &mut impl BufRead) -> Answer {
    let mut answer = Answer {
        status: 0,
        location: None,
    };
    let (mut line, mut body_len) = (String::new(), 0);
    loop {
        line.clear();
        assert!(reader.read_line(&mut line).expect("an answer") > 0, "the connection was closed");
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        match text.split_once(": ") {
            None => {
                let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
                answer.status = status.unwrap_or_else(|| panic!("no status: {text}"));
            }
            Some(("content-length", len)) => body_len = len.parse().expect("a length"),
            Some(("location", to)) => answer.location = Some(to.to_owned()),
            Some(_) => {}
        }
    }
    std::io::copy(&mut reader.take(body_len), &mut std::io::sink()).expect("a body");
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_one_by_one() {
        let mut bytes: &[u8] = b"HTTP/1.1 202 Accepted\r\nlocation: /a\r\ncontent-length: 2\r\n\r\nhi\
            HTTP/1.1 200 OK\r\n\r\n";
        let created = read(&mut bytes);
        assert_eq!((created.status, created.location.as_deref()), (202, Some("/a")));
        assert_eq!(read(&mut bytes).status, 200);
    }
}
