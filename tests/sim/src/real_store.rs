//! What a real store needs for what a crowd told the model of it: memory, and CPU.
//!
//! It is started here, given what the model's first node held, and told again what that node
//! was told, a connection for each call as an edge's Envoy makes them.

use core::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use streamgate_tests::Valkey;

use crate::crowd::Recording;
use crate::store;

/// How much longer than in the model everything is kept, in milliseconds: telling a real store
/// takes longer than it took in virtual time. So what expired in the model meanwhile is still
/// there, and a few answers differ.
const KEPT_LONGER_MS: u64 = 600_000;

/// How many records are loaded in one piece.
const LOADED_AT_ONCE: usize = 1_000;

/// What was measured.
#[derive(Debug, Clone, Copy)]
pub struct Needs {
    /// Records loaded.
    pub records: u64,
    /// Bytes of their values.
    pub record_bytes: u64,
    /// Bytes of memory that they took: keys, expiry and allocation included.
    pub memory: u64,
    /// Calls made.
    pub calls: u64,
    /// Records written or compared in these.
    pub swaps: u64,
    /// CPU time that these took.
    pub cpu: Duration,
    /// Calls answered otherwise than by the model.
    pub other_answers: u64,
    /// CPU time of a call that only greets.
    pub greeting: Duration,
}

impl Needs {
    /// Bytes of memory for each record.
    #[must_use]
    pub fn memory_a_record(&self) -> f64 {
        self.memory as f64 / self.records.max(1) as f64
    }

    /// Microseconds of CPU for each record written, without the calls' own.
    #[must_use]
    pub fn swap_us(&self) -> f64 {
        let calls_us = micros(self.greeting) * self.calls as f64;
        (micros(self.cpu) - calls_us) / self.swaps.max(1) as f64
    }
}

/// Lines of a table.
impl fmt::Display for Needs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line =
            |name: &str, value: f64, digits: usize| writeln!(f, "  {name:<52}{value:>16.digits$}");
        line("records in the real store", self.records as f64, 0)?;
        line(
            "bytes of memory of one, key and expiry included",
            self.memory_a_record(),
            0,
        )?;
        line(
            "bytes of its value",
            self.record_bytes as f64 / self.records.max(1) as f64,
            0,
        )?;
        line("calls made", self.calls as f64, 0)?;
        line(
            "  of these answered otherwise than by the model",
            self.other_answers as f64,
            0,
        )?;
        line(
            "subjects in a call",
            self.swaps as f64 / self.calls.max(1) as f64,
            1,
        )?;
        line(
            "µs of CPU for a call, in all",
            micros(self.cpu) / self.calls.max(1) as f64,
            1,
        )?;
        line(
            "µs of CPU for a call without subjects",
            micros(self.greeting),
            1,
        )?;
        line("µs of CPU for each subject besides", self.swap_us(), 2)
    }
}

/// Measures a real store with what was recorded.
///
/// # Panics
///
/// If there is no `redis-server`, or it does not do what it is told.
#[must_use]
pub fn measure(recording: &Recording) -> Needs {
    let real = Valkey::start();
    let empty = real.used_memory();
    load(&real, recording);
    let memory = real.used_memory() - empty;
    let records = recording.held.len() as u64;
    assert_eq!(real.keys() as u64, records, "all are there");

    for script in store::SCRIPTS {
        let _ = real.command(&["SCRIPT", "LOAD", script]);
    }
    let greetings: Vec<_> = recording
        .calls
        .iter()
        .take(1_000)
        .map(|(call, _)| greeting(call))
        .collect();
    let before = real.cpu();
    for greeting in &greetings {
        let _ = call(&real, greeting).expect("an answer");
    }
    let greeted = real.cpu() - before;

    let before = real.cpu();
    let mut other_answers = 0;
    for (asked, said) in &recording.calls {
        let really = call(&real, asked).expect("an answer");
        other_answers += u64::from(really.len() != said.len());
    }
    Needs {
        records,
        record_bytes: recording
            .held
            .iter()
            .map(|(_, value, _)| value.len() as u64)
            .sum(),
        memory,
        calls: recording.calls.len() as u64,
        swaps: recording.swaps,
        cpu: real.cpu() - before,
        other_answers,
        greeting: greeted / u32::try_from(greetings.len().max(1)).expect("a thousand"),
    }
}

/// What a store answers to a whole call until it hangs up.
///
/// # Errors
///
/// What kept it from answering.
pub fn call(real: &Valkey, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut connection = TcpStream::connect(("127.0.0.1", real.port))?;
    connection.write_all(bytes)?;
    connection.shutdown(Shutdown::Write)?;
    let mut said = Vec::new();
    connection.read_to_end(&mut said)?;
    Ok(said)
}

fn load(real: &Valkey, recording: &Recording) {
    let mut connection = TcpStream::connect(("127.0.0.1", real.port)).expect("a connection");
    for some in recording.held.chunks(LOADED_AT_ONCE) {
        let mut bytes = Vec::new();
        for (key, value, for_ms) in some {
            let for_ms = (for_ms + KEPT_LONGER_MS).to_string();
            let command: [&[u8]; 5] = [b"SET", key, value, b"PX", for_ms.as_bytes()];
            store::say(&mut bytes, &command);
        }
        connection.write_all(&bytes).expect("to load");
        let mut said = vec![0; "+OK\r\n".len() * some.len()];
        connection.read_exact(&mut said).expect("an answer to each");
    }
}

/// A call without what it says of subjects.
fn greeting(call: &[u8]) -> Vec<u8> {
    let mut kept = Vec::new();
    let is_swap = |parts: &[&[u8]]| matches!(parts, [b"EVALSHA", _, b"3", ..]);
    for parts in store::commands(call).filter(|parts| !is_swap(parts)) {
        store::say(&mut kept, &parts);
    }
    kept
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
