//! Free ports on the loopback interface.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which systems take the ports of outgoing connections, so
/// that none of the tests' own thousands of connections takes one away.
const FIRST: u16 = 15_000;
const COUNT: u16 = 16_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A port nobody listens on, and that this process gives out once.
///
/// # Panics
///
/// If there is none.
#[must_use]
pub fn free_port() -> u16 {
    // Each process starts somewhere else.
    let offset = u16::try_from(std::process::id().wrapping_mul(97) % u32::from(COUNT));
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = FIRST + (offset.unwrap_or_default() + step) % COUNT;
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port on 127.0.0.1");
}
