//! Several edges that share a store.

use std::ops::{Index, IndexMut};
use std::thread;

use crate::{App, Crowd, Edge, Settings};

/// Running edges with the same settings, and so with the same secrets and one store.
#[derive(Debug)]
pub struct Fleet {
    edges: Vec<Edge>,
}

impl Fleet {
    /// Starts so many edges.
    ///
    /// # Panics
    ///
    /// With Envoy's log if one does not start.
    #[must_use]
    pub fn start(settings: &Settings, edges: usize) -> Self {
        let starts: Vec<_> = (0..edges)
            .map(|_| {
                let settings = settings.clone();
                thread::spawn(|| Edge::start(settings))
            })
            .collect();
        let edges = starts.into_iter().map(|start| start.join());
        Self {
            edges: edges.map(|edge| edge.expect("an edge")).collect(),
        }
    }

    /// All edges.
    pub fn edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.iter()
    }

    /// An application at each of the edges, on a connection of its own.
    #[must_use]
    pub fn apps(&self, application: &str) -> Vec<App> {
        self.edges().map(|edge| edge.app(application)).collect()
    }

    /// So many clients, spread evenly over all edges and all their workers: the first one
    /// is connected to the first edge, the second to the second, and so on.
    #[must_use]
    pub fn crowd(&self, size: usize) -> Crowd {
        let each = size.div_ceil(self.edges.len());
        let crowds = self.edges().map(|edge| edge.crowd(each));
        Crowd::mixed(crowds.collect(), size)
    }

    /// The sum of one of the filter's counters over all edges, by its name in short.
    #[must_use]
    pub fn metric(&self, name: &str) -> u64 {
        self.edges().map(|edge| edge.metric(name)).sum()
    }

    /// Hands other settings over to all edges while they run.
    ///
    /// # Panics
    ///
    /// If one refuses them.
    pub fn update(&mut self, settings: &Settings) {
        for edge in &mut self.edges {
            edge.update(settings.clone())
                .unwrap_or_else(|log| panic!("the update is refused:\n{log}"));
        }
    }

    /// Lets other nodes make up the store, at one edge after the other.
    pub fn moves_to(&mut self, nodes: &[u16]) {
        for edge in &mut self.edges {
            edge.store_moves_to(nodes);
        }
    }
}

impl Index<usize> for Fleet {
    type Output = Edge;

    fn index(&self, at: usize) -> &Edge {
        &self.edges[at]
    }
}

impl IndexMut<usize> for Fleet {
    fn index_mut(&mut self, at: usize) -> &mut Edge {
        &mut self.edges[at]
    }
}
