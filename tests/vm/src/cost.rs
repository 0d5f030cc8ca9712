//! What something cost.

use std::collections::BTreeMap;
use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

/// How often each host call was made. A name is that of the function without its
/// `proxy_`, and what it was called for: `get_header_map_value :path`.
pub type Calls = BTreeMap<String, u32>;

/// What a request, or a part of it, cost the filter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Host calls that returned bytes: for each the host called back into the VM to
    /// allocate, which makes them about ten times as dear as the others.
    pub buffer_calls: Calls,
    /// All other host calls.
    pub other_calls: Calls,
    /// How many of the other calls changed the data all workers share.
    pub shared_data_writes: u32,
    /// Instructions executed in the VM, as wasmtime's fuel counts them: one each, none
    /// for `nop`, `drop`, `block` and `loop`.
    pub fuel: u64,
}

impl Cost {
    /// How many calls returned a buffer.
    #[must_use]
    pub fn buffers(&self) -> u32 {
        self.buffer_calls.values().sum()
    }
}

impl AddAssign<&Self> for Cost {
    fn add_assign(&mut self, more: &Self) {
        add(&mut self.buffer_calls, &more.buffer_calls);
        add(&mut self.other_calls, &more.other_calls);
        self.shared_data_writes += more.shared_data_writes;
        self.fuel += more.fuel;
    }
}

fn add(calls: &mut Calls, more: &Calls) {
    for (name, times) in more {
        *calls.entry(name.clone()).or_default() += times;
    }
}
