//! Many clients that do something at the same moment.

use std::sync::Barrier;
use std::thread;

use crate::{Client, Edge};

/// Clients with open connections, spread over all workers.
#[derive(Debug)]
pub struct Crowd {
    clients: Vec<Client>,
}

impl Edge {
    /// So many clients, all connected, and every worker serves some of them.
    #[must_use]
    pub fn crowd(&self, size: usize) -> Crowd {
        let before = self.connections_by_worker();
        let clients: Vec<Client> = (0..size).map(|_| self.client()).collect();
        for client in &clients {
            let _ = client.get("/elsewhere/hello").send().expect(200);
        }
        let now = self.connections_by_worker();
        let mut workers = now.iter().zip(&before);
        assert!(
            workers.all(|(now, before)| now > before),
            "one worker serves nobody: {before:?} {now:?}"
        );
        Crowd { clients }
    }
}

impl Crowd {
    /// One crowd made of several: the first of each, then the second of each, and so on,
    /// until there are so many.
    pub(crate) fn mixed(crowds: Vec<Self>, size: usize) -> Self {
        let mut crowds: Vec<_> = crowds
            .into_iter()
            .map(|crowd| crowd.clients.into_iter())
            .collect();
        let mut clients = Vec::new();
        while clients.len() < size {
            let before = clients.len();
            clients.extend(crowds.iter_mut().filter_map(Iterator::next));
            assert!(clients.len() > before, "not so many clients");
        }
        clients.truncate(size);
        Self { clients }
    }

    /// Lets every client act at the same moment, and returns what came of it. The
    /// first argument counts the clients.
    pub fn at_once<T: Send>(&self, act: impl Fn(usize, &Client) -> T + Sync) -> Vec<T> {
        let (act, start) = (&act, &Barrier::new(self.clients.len()));
        thread::scope(|scope| {
            let clients = self.clients.iter().enumerate();
            let threads: Vec<_> = clients
                .map(|(at, client)| {
                    scope.spawn(move || {
                        start.wait();
                        act(at, client)
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().expect("no panic"))
                .collect()
        })
    }
}
