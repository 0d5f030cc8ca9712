//! A host in plain memory, for tests and benches outside the crate.

use core::cell::{Cell, RefCell};

use hashbrown::HashMap;
use streamgate_record::metric::Metric;
use streamgate_record::ports::{Clock, Entropy, Meter, Place, Store, Swap, Version};
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

/// When everything happens.
pub(crate) const NOW: Moment = Moment::from_ms(1_893_499_200_000);

/// A host that counts what is asked of it, but for bells.
#[derive(Default, Clone)]
pub(crate) struct Host {
    values: RefCell<HashMap<Place, Vec<u8>>>,
    pub(crate) asked: Cell<u32>,
}

impl Host {
    pub(crate) fn asked(&self) {
        self.asked.set(self.asked.get().saturating_add(1));
    }
}

impl Clock for Host {
    fn now(&self) -> Moment {
        self.asked();
        NOW
    }
}

impl Entropy for Host {
    fn random(&self) -> [u8; StreamKey::RANDOM_LEN] {
        [7; StreamKey::RANDOM_LEN]
    }
}

impl Meter for Host {
    fn add(&self, _: Metric, _: u64) {
        self.asked();
    }

    fn rings(&self) -> Option<u64> {
        Some(1)
    }

    fn add_live(&self, _: i64) {}
}

impl Store for Host {
    fn load(&self, place: Place) -> Option<(Vec<u8>, Version)> {
        self.asked();
        let value = self.values.borrow().get(&place)?.clone();
        Some((value, Version(1)))
    }

    fn swap(&self, place: Place, _: Option<Version>, value: &[u8]) -> Swap {
        self.values.borrow_mut().insert(place, value.to_vec());
        Swap::Done
    }

    fn bell(&self, _: u16) -> u32 {
        0
    }

    fn ring(&self, _: u16) {}
}
