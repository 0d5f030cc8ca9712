//! A link between edges and a store that fails as it is told.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;

/// A port that leads to a store, as long as it is told so.
#[derive(Debug)]
pub struct FaultyLink {
    /// Where it listens.
    pub port: u16,
    shared: Arc<Shared>,
}

/// What becomes of the connections that are opened from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// They lead to the store.
    None,
    /// They lead to the store, and each reply comes that much later.
    Delay(Duration),
    /// The store does what it is asked, and after so many bytes of its reply the
    /// connection is closed.
    CutAfter(usize),
    /// The same, but the connection is reset.
    ResetAfter(usize),
    /// They are accepted, and nothing ever comes back. The store hears nothing of them.
    Hang,
    /// The store does what it is asked, and no byte of its reply arrives.
    Mute,
    /// They are answered with these bytes, whatever is asked, and closed.
    Answer(&'static [u8]),
    /// They are answered with these bytes over and over, without an end.
    Endless(&'static [u8]),
    /// Nobody listens.
    Refuse,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    store: u16,
    fault: Fault,
    listening: bool,
    ended: bool,
    connections: u64,
    heard: Vec<u8>,
}

impl FaultyLink {
    /// A link to whatever listens on a port of 127.0.0.1, healthy at first.
    #[must_use]
    pub fn to(store: u16) -> Self {
        let port = crate::ports::free_port();
        let state = State {
            store,
            fault: Fault::None,
            listening: false,
            ended: false,
            connections: 0,
            heard: Vec::new(),
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let link = Self { port, shared };
        let shared = Arc::clone(&link.shared);
        thread::spawn(move || shared.run(port));
        link.until(|state| state.listening);
        link
    }

    /// Fails from now on as it is told, or no more. Connections that are open already go
    /// on as they began.
    pub fn fails(&self, fault: Fault) {
        let mut state = self.shared.lock();
        state.fault = fault;
        let listens = fault != Fault::Refuse;
        let turns = state.listening != listens;
        drop(state);
        self.shared.changed.notify_all();
        if turns && !listens {
            // Whoever waits for a connection is woken by one.
            let _ = TcpStream::connect(("127.0.0.1", self.port));
        }
        self.until(|state| state.listening == listens);
    }

    /// Leads to the store again, as in the beginning.
    pub fn recovers(&self) {
        self.fails(Fault::None);
    }

    /// How many connections were opened so far, whatever became of them.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.lock().connections
    }

    /// All that was said to the store so far.
    #[must_use]
    pub fn heard(&self) -> Vec<u8> {
        self.shared.lock().heard.clone()
    }

    fn until(&self, holds: impl Fn(&State) -> bool) {
        let mut state = self.shared.lock();
        while !holds(&state) {
            state = self.shared.changed.wait(state).expect("a lock");
        }
    }
}

impl Drop for FaultyLink {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_all();
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("a lock")
    }

    /// Listens while it is to listen.
    fn run(self: Arc<Self>, port: u16) {
        loop {
            let mut state = self.lock();
            while state.fault == Fault::Refuse && !state.ended {
                state = self.changed.wait(state).expect("a lock");
            }
            if state.ended {
                return;
            }
            let listener = TcpListener::bind(("127.0.0.1", port)).expect("the port");
            state.listening = true;
            drop(state);
            self.changed.notify_all();
            self.serve(&listener);
            drop(listener);
            self.lock().listening = false;
            self.changed.notify_all();
        }
    }

    /// Accepts connections until nobody is to listen any more.
    fn serve(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            let mut state = self.lock();
            if state.ended || state.fault == Fault::Refuse {
                return;
            }
            state.connections += 1;
            let (fault, store) = (state.fault, state.store);
            drop(state);
            let shared = Arc::clone(self);
            if let Ok(client) = client {
                // However a connection ends, that is not this link's concern.
                thread::spawn(move || shared.lead(&client, fault, store));
            }
        }
    }

    fn lead(&self, client: &TcpStream, fault: Fault, store: u16) -> io::Result<()> {
        client.set_nodelay(true)?;
        match fault {
            Fault::Hang => {
                self.until_dropped();
                return Ok(());
            }
            Fault::Answer(bytes) => return answer(client, bytes),
            Fault::Endless(bytes) => return flood(client, bytes),
            _ => {}
        }
        let store = &TcpStream::connect(("127.0.0.1", store))?;
        store.set_nodelay(true)?;
        thread::scope(|scope| {
            scope.spawn(|| self.ask(client, store));
            let led = self.lead_back(store, client, fault);
            // Whoever asks is no longer listened to.
            let _ = store.shutdown(Shutdown::Both);
            let _ = client.shutdown(Shutdown::Read);
            led
        })
    }

    /// Hands on what is asked, and that nothing more will be.
    fn ask(&self, mut client: &TcpStream, mut store: &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        loop {
            let read = client.read(&mut buffer)?;
            if read == 0 {
                return store.shutdown(Shutdown::Write);
            }
            let asked = buffer.get(..read).unwrap_or_default();
            self.lock().heard.extend(asked);
            store.write_all(asked)?;
        }
    }

    /// Hands back what is answered, as far as the fault lets it.
    fn lead_back(
        &self,
        mut store: &TcpStream,
        mut client: &TcpStream,
        fault: Fault,
    ) -> io::Result<()> {
        let mut left = match fault {
            Fault::CutAfter(bytes) | Fault::ResetAfter(bytes) => bytes,
            _ => usize::MAX,
        };
        let mut buffer = [0; 16 * 1024];
        // Before anything fails, the store has done what it was asked to do.
        let mut read = store.read(&mut buffer)?;
        match fault {
            Fault::Delay(time) => thread::sleep(time),
            Fault::Mute => self.until_dropped(),
            _ => {}
        }
        while read > 0 {
            let answered = buffer.get(..read.min(left)).unwrap_or_default();
            client.write_all(answered)?;
            left -= answered.len();
            if left == 0 {
                break;
            }
            read = store.read(&mut buffer)?;
        }
        if matches!(fault, Fault::ResetAfter(_)) {
            rustix::net::sockopt::set_socket_linger(client, Some(Duration::ZERO))?;
        }
        Ok(())
    }

    /// For as long as the link is there. That the other side asks nothing more does not
    /// mean that it no longer waits for an answer.
    fn until_dropped(&self) {
        let mut state = self.lock();
        while !state.ended {
            state = self.changed.wait(state).expect("a lock");
        }
    }
}

/// Answers whatever is asked with these bytes.
fn answer(mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let mut buffer = [0; 16 * 1024];
    let _ = client.read(&mut buffer)?;
    client.write_all(bytes)?;
    client.shutdown(Shutdown::Write)?;
    // What is left unread would turn the end into a reset.
    client.set_read_timeout(Some(Duration::from_secs(1)))?;
    while client.read(&mut buffer)? > 0 {}
    Ok(())
}

/// Answers with these bytes until the other side has enough.
fn flood(mut client: &TcpStream, bytes: &[u8]) -> io::Result<()> {
    let bytes = bytes.repeat(1024);
    loop {
        client.write_all(&bytes)?;
        // Without an end, but not all of the machine.
        thread::sleep(Duration::from_millis(5));
    }
}
