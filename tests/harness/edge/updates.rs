//! Other settings for an edge that runs.

use std::fs;

use super::Edge;
use crate::{Settings, eventually};

/// How often the listeners' configuration was taken over, and refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lds {
    /// Taken over.
    pub accepted: u64,
    /// Refused.
    pub rejected: u64,
}

impl Edge {
    /// How often the listeners' configuration was taken over, and refused.
    #[must_use]
    pub fn lds(&self) -> Lds {
        Lds {
            accepted: self.sum_of("^listener_manager\\.lds\\.update_success$"),
            rejected: self.sum_of("^listener_manager\\.lds\\.update_rejected$"),
        }
    }

    /// Hands other settings over while it runs, and waits until they are in force or
    /// refused.
    ///
    /// # Errors
    ///
    /// What Envoy's log says since then, if they are refused.
    pub fn update(&mut self, settings: Settings) -> Result<(), String> {
        self.hand_over(settings)?;
        // The filters of the old listener go when it has drained.
        eventually("the old listener is gone", || {
            self.sum_of("^listener_manager\\.total_(listeners|filter_chains)_(warming|draining)$")
                == 0
        });
        Ok(())
    }

    /// Hands other settings over while it runs, and waits until new connections go by them, or they are
    /// refused.
    ///
    /// # Errors
    ///
    /// What Envoy's log says since then, if they are refused.
    pub fn hand_over(&mut self, settings: Settings) -> Result<(), String> {
        assert!(self.settings.by_lds && settings.by_lds, "only by LDS");
        let before = self.lds();
        let log_before = self.log().len();
        let listeners = settings.lds(&self.place()).to_string();
        self.replace("lds.json", &listeners);
        eventually("Envoy has read the update", || self.lds() != before);
        if self.lds().rejected > before.rejected {
            let log = self.log();
            return Err(log.get(log_before..).unwrap_or_default().to_owned());
        }
        self.settings = settings;
        eventually("new connections go by it", || {
            self.sum_of("^listener_manager\\.total_(listeners|filter_chains)_warming$") == 0
        });
        Ok(())
    }

    /// Lets other nodes make up the store, and waits until Envoy knows of it.
    ///
    /// # Panics
    ///
    /// If the edge is alone.
    pub fn store_moves_to(&mut self, nodes: &[u16]) {
        self.settings = self.settings.clone().store_at(nodes);
        let store = self.settings.store.as_ref().expect("a fleet");
        let updates = || self.sum_of("^cluster\\.valkey\\.update_success$");
        let before = updates();
        self.replace("nodes.json", &store.nodes().to_string());
        eventually("Envoy has read the nodes", || updates() > before);
    }

    /// Replaces a file at one stroke: Envoy takes up files that are moved into place.
    fn replace(&self, name: &str, text: &str) {
        let new = self.at(&format!("{name}.new"));
        fs::write(&new, text).expect("to write");
        fs::rename(&new, self.at(name)).expect("to move");
    }
}
