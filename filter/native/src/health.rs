//! What an operator is shown and told of a configuration's edges: Envoy's gauges, and its log.

use std::sync::{Arc, Mutex, PoisonError};

use streamgate_core::notices::Notice;

use crate::desk::Desk;
use crate::envoy::{self, Gauges};
use crate::meters::METERS;
use crate::standing::StoreStanding;
use crate::worker::{Common, Worker};

/// What was shown and told last.
#[derive(Debug)]
pub(crate) struct Health {
    /// Envoy's name for the store's nodes; empty at an edge that is alone.
    cluster: String,
    last: Mutex<Option<StoreStanding>>,
}

impl Health {
    pub(crate) fn at(cluster: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            last: Mutex::default(),
        }
    }

    /// To be called once a tick, on Envoy's main thread.
    pub(crate) fn show(&self, common: &Common, workers: &[Arc<Worker>], to: &impl Gauges) {
        // The edges have one clock: the first says what it is.
        let difference = workers
            .first()
            .and_then(|worker| worker.at_desk(|desk, process| desk.clock_difference(process)));
        if let Some(difference) = difference {
            envoy::tell(&Notice::ClockDiffers {
                difference,
                is_in_fleet: !self.cluster.is_empty(),
            });
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.cluster.is_empty() || last.is_none() {
            let of_workers = workers.iter();
            let of_workers = of_workers.map(|one| one.at_desk(|desk, _| Desk::standing(desk)));
            let now = of_workers.fold(StoreStanding::default(), StoreStanding::and);
            let is_first = last.is_none();
            let before = last.take().unwrap_or_default();
            self.tell(&before, &now);
            METERS.change_waiting(before.waiting, now.waiting);
            if is_first || now.down > 0 || before.down != now.down {
                common.metric_ids.show_shards_down(now.down, to);
            }
            *last = Some(now);
        }
        drop(last);
        common.metric_ids.show(&METERS, to);
    }

    /// Tells what has become otherwise.
    fn tell(&self, before: &StoreStanding, now: &StoreStanding) {
        let cluster = &self.cluster;
        match (before.down, now.down) {
            (0, down @ 1..) => envoy::tell(&Notice::StoreAway { cluster, down }),
            (1.., 0) => envoy::tell(&Notice::StoreBack { cluster }),
            _ => {}
        }
        match (&before.other_layout, &now.other_layout) {
            (None, Some(other)) => envoy::tell(&Notice::LayoutsDiffer { cluster, other }),
            (Some(_), None) => envoy::tell(&Notice::LayoutsAgree { cluster }),
            _ => {}
        }
    }
}

/// Whoever still waits is not waited for any more.
impl Drop for Health {
    fn drop(&mut self) {
        let last = self.last.get_mut().unwrap_or_else(PoisonError::into_inner);
        let waiting = last.take().map_or(0, |last| last.waiting);
        METERS.change_waiting(waiting, 0);
    }
}
