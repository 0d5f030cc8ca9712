//! A host in plain memory, for tests and benches outside the crate.

use core::cell::{Cell, RefCell};

use hashbrown::HashMap;
use streamgate_record::metric::Metric;
use streamgate_record::ports::{Clock, Entropy, Meter, Store, StoreKey, Swap, Version};
use streamgate_record::rule_metric::RuleMetric;
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;

/// When everything happens.
pub(crate) const NOW: Moment = Moment::from_ms(1_893_499_200_000);

/// A host that counts what is asked of it, but for generations.
#[derive(Default, Clone)]
pub(crate) struct Host {
    values: RefCell<HashMap<StoreKey, Vec<u8>>>,
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

    fn add_for(&self, _: RuleMetric, _: &str, _: &str) {
        self.asked();
    }

    fn add_lasted(&self, _: u64) {
        self.asked();
    }

    fn bumps(&self) -> Option<u64> {
        Some(1)
    }

    fn add_live(&self, _: i64) {}
}

impl Store for Host {
    fn load(&self, key: StoreKey) -> Option<(Vec<u8>, Version)> {
        self.asked();
        let value = self.values.borrow().get(&key)?.clone();
        Some((value, Version(1)))
    }

    fn swap(&self, key: StoreKey, _: Option<Version>, value: &[u8]) -> Swap {
        self.values.borrow_mut().insert(key, value.to_vec());
        Swap::Done
    }

    fn generation(&self, _: u16) -> u32 {
        0
    }

    fn bump(&self, _: u16) {}
}
