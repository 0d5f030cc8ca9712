//! Many requests, fast and unmeasured: what has to be so before a measurement.
//!
//! Envoy answers no more than two pipelined requests on a connection where it answers by
//! itself, so each worker is asked over several connections at once instead.

use std::io::{self, BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::peer::WORKERS;
use crate::request::Request;

/// Connections to each worker.
const CONNECTIONS: usize = 8;

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Status code.
    pub(crate) status: u16,
    /// What the header `location` says.
    pub(crate) location: Option<String>,
    /// Why the filter refused.
    pub(crate) reason: Option<String>,
}

/// Sends each request to every worker, so that all of them know what it is about.
///
/// # Panics
///
/// If one is not answered with `expected`.
pub(crate) fn to_every_worker(port: u16, workers: usize, requests: &[Request], expected: u16) {
    std::thread::scope(|scope| {
        for mut connections in connections(port, workers) {
            scope.spawn(move || check(&mut connections, requests, expected));
        }
    });
}

/// Sends each request once, to whichever worker.
///
/// # Panics
///
/// If one is not answered with `expected`.
pub(crate) fn once(port: u16, requests: &[Request], expected: u16) -> Vec<Answer> {
    let share = requests.len().div_ceil(WORKERS).max(1);
    std::thread::scope(|scope| {
        let connections = connections(port, WORKERS).into_iter();
        let threads: Vec<_> = connections
            .zip(requests.chunks(share))
            .map(|(mut connections, share)| {
                scope.spawn(move || check(&mut connections, share, expected))
            })
            .collect();
        let answers = threads.into_iter().map(|thread| thread.join());
        answers
            .flat_map(|answers| answers.expect("no panic"))
            .collect()
    })
}

type Connection = BufReader<TcpStream>;

/// Several connections to each worker. Envoy gives a connection to the worker that has the
/// fewest, so those that are opened one after the other go round.
fn connections(port: u16, workers: usize) -> Vec<Vec<Connection>> {
    let mut by_worker: Vec<Vec<Connection>> = (0..workers).map(|_| Vec::new()).collect();
    for _ in 0..CONNECTIONS {
        for connections in &mut by_worker {
            let connection = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
            connection.set_nodelay(true).expect("no delay");
            let patience = Some(Duration::from_secs(20));
            connection.set_read_timeout(patience).expect("a timeout");
            let mut connection = BufReader::new(connection);
            // Once it is answered, the connection has its worker.
            let anything = Request::get("/".to_owned());
            let answer = send(&mut connection, &anything).and_then(|()| read(&mut connection));
            answer.unwrap_or_else(|error| panic!("{anything:?}: {error}"));
            connections.push(connection);
        }
    }
    by_worker
}

/// Sends requests over connections, one at a time over each.
fn check(connections: &mut [Connection], requests: &[Request], expected: u16) -> Vec<Answer> {
    let mut answers = Vec::with_capacity(requests.len());
    for batch in requests.chunks(connections.len()) {
        for (request, connection) in batch.iter().zip(&mut *connections) {
            send(connection, request).unwrap_or_else(|error| panic!("{request:?}: {error}"));
        }
        for (request, connection) in batch.iter().zip(&mut *connections) {
            let answer = read(connection).unwrap_or_else(|error| panic!("{request:?}: {error}"));
            assert_eq!(answer.status, expected, "{request:?}: {:?}", answer.reason);
            answers.push(answer);
        }
    }
    answers
}

fn send(connection: &mut Connection, request: &Request) -> io::Result<()> {
    connection.get_mut().write_all(&request.bytes())
}

/// Reads an answer whose length its head says.
fn read(reader: &mut impl BufRead) -> io::Result<Answer> {
    let mut answer = Answer {
        status: 0,
        location: None,
        reason: None,
    };
    let (mut line, mut body_len) = (String::new(), 0);
    loop {
        line.clear();
        if reader.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let text = line.trim_end();
        if text.is_empty() {
            break;
        }
        match text.split_once(": ") {
            None => {
                let status = text
                    .split(' ')
                    .nth(1)
                    .and_then(|status| status.parse().ok());
                answer.status = status.unwrap_or_else(|| panic!("no status: {text}"));
            }
            Some(("content-length", len)) => body_len = len.parse().expect("a length"),
            Some(("location", to)) => answer.location = Some(to.to_owned()),
            Some(("x-streamgate-reason", why)) => answer.reason = Some(why.to_owned()),
            Some(_) => {}
        }
    }
    io::copy(&mut reader.take(body_len), &mut io::sink())?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_one_by_one() {
        let mut bytes: &[u8] =
            b"HTTP/1.1 202 Accepted\r\nlocation: /a\r\ncontent-length: 2\r\n\r\nhi\
            HTTP/1.1 200 OK\r\n\r\n";
        let created = read(&mut bytes).expect("an answer");
        assert_eq!(
            (created.status, created.location.as_deref()),
            (202, Some("/a"))
        );
        assert_eq!(read(&mut bytes).map(|answer| answer.status).ok(), Some(200));
        assert!(read(&mut bytes).is_err());
    }
}
