//! Every call to Envoy that fills one of the core's ports. Byte getters only: the
//! string getters trap on bytes that are not UTF-8.

// The clock's type is named here and nowhere else.
#![allow(clippy::disallowed_types)]

mod by_rule;
mod counter;
mod dispatch;
mod exchange;
mod shared_key;
mod wasi;

use std::cell::{Cell, RefCell};
use std::time::{Duration, SystemTime};

use proxy_wasm::hostcalls;
use proxy_wasm::types::{BufferType, MapType, MetricType, Status};
use streamgate_record::ends::{Ends, StreamEnd};
use streamgate_record::fleet::{REPLY_MAX, StoreCall};
use streamgate_record::metric::{
    CLOCK_DIFFERENCE_MS, LIVE_STREAMS, Metric, SHARDS_DOWN, STREAM_SECONDS, WAITING,
};
use streamgate_record::own_time;
use streamgate_record::ports::{Clock, Entropy, Meter, Store, StoreKey, Swap, Version};
use streamgate_record::rule_metric::{LEVEL_MAX, RuleMetric};
use streamgate_values::moment::Moment;
use streamgate_values::stream_key::StreamKey;
use streamgate_values::subject::SubjectKey;

use self::by_rule::ByRule;
use self::counter::Counter;
pub(crate) use self::exchange::{
    add_response_header, answer, property, remove_response_trailer, replace_path,
    replace_response_body, replace_response_headers, request_body, request_header, request_headers,
    request_path, response_body, response_header, response_status, resume_request, resume_response,
    set_request_header, set_response_header,
};
use self::shared_key::{CREATE_ONLY, SharedKey};

/// How many counters of policies and rules Envoy is told of at a tick: under 5,000 policies all of them
/// would hold up a worker for milliseconds.
pub(crate) const TOLD_AT_TICK: usize = 2_048;

/// Envoy, as the core needs it.
#[derive(Debug)]
pub(crate) struct Envoy {
    /// Those of metrics, in the order of [`Metric::ALL`].
    counters: Vec<Counter>,
    by_rule: ByRule,
    /// Streams that have ended and were not told yet.
    ends: RefCell<Ends>,
    live_streams: u32,
    shards_down: u32,
    waiting: u32,
    stream_seconds: u32,
    clock_difference: u32,
    /// What the gauge of that shows.
    shown_ms: Cell<u64>,
    /// By how many milliseconds own time is ahead of the steady clock, once that is known, and the
    /// machine's clock ahead of own time.
    ahead_ms: Cell<Option<(i64, i64)>>,
    /// How many generations this worker has bumped.
    own_bumps: Cell<u32>,
    /// Randomness that was fetched and not dealt yet.
    random: RefCell<Vec<[u8; StreamKey::RANDOM_LEN]>>,
}

impl Envoy {
    /// Defines the filter's statistics; those that exist already are found again.
    ///
    /// # Errors
    ///
    /// Envoy's status where it refuses to define one.
    pub(crate) fn define_metrics() -> Result<Self, Status> {
        let counter = |metric: &Metric| {
            // Workers compare the count with the one of their last look: an operator who sets
            // counters back (`/reset_counters`) must not make them believe that nothing was bumped.
            let kind = match metric {
                Metric::GenerationBumps => MetricType::Gauge,
                _ => MetricType::Counter,
            };
            Counter::define(kind, metric.name())
        };
        let envoy = Self {
            counters: Metric::ALL.iter().map(counter).collect::<Result<_, _>>()?,
            by_rule: ByRule::default(),
            ends: RefCell::default(),
            live_streams: hostcalls::define_metric(MetricType::Gauge, LIVE_STREAMS)?,
            shards_down: hostcalls::define_metric(MetricType::Gauge, SHARDS_DOWN)?,
            waiting: hostcalls::define_metric(MetricType::Gauge, WAITING)?,
            stream_seconds: hostcalls::define_metric(MetricType::Histogram, STREAM_SECONDS)?,
            clock_difference: hostcalls::define_metric(MetricType::Gauge, CLOCK_DIFFERENCE_MS)?,
            shown_ms: Cell::default(),
            ahead_ms: Cell::default(),
            own_bumps: Cell::new(0),
            random: RefCell::default(),
        };
        envoy.add(Metric::GenerationBumps, 1);
        Ok(envoy)
    }

    /// Tells Envoy what was counted and not told, of policies and rules so many at once.
    pub(crate) fn flush(&self, of_rules: usize) {
        for counter in &self.counters {
            counter.flush();
        }
        self.by_rule.flush(of_rules);
    }

    /// Shows how many shards of the store do not answer. Each worker finds out by itself, and what
    /// is shown is what the last one says.
    pub(crate) fn show_shards_down(&self, down: usize) {
        let down = u64::try_from(down).unwrap_or(u64::MAX);
        let _ = hostcalls::record_metric(self.shards_down, down);
    }

    /// Shows that on this worker `now` requests wait for the store, and no longer `before`.
    pub(crate) fn show_waiting(&self, before: usize, now: usize) {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        if before != now {
            let change = number(now).saturating_sub(number(before));
            let _ = hostcalls::increment_metric(self.waiting, change);
        }
    }
}

impl Clock for Envoy {
    fn now(&self) -> Moment {
        let ahead_ms = match self.ahead_ms.get() {
            Some((ahead_ms, _)) => ahead_ms,
            None => own_time::learn(self),
        };
        self.steady().shifted_ms(ahead_ms)
    }

    fn machine(&self) -> Moment {
        now()
    }

    /// Where an operator does not let the module have that clock, it is the machine's.
    fn steady(&self) -> Moment {
        wasi::monotonic_ns().map_or_else(now, |ns| Moment::from_ms(ns / 1_000_000))
    }

    fn go_by(&self, ahead_ms: i64, machine_ahead_ms: i64) {
        self.ahead_ms.set(Some((ahead_ms, machine_ahead_ms)));
    }

    fn machine_ahead_ms(&self) -> i64 {
        self.ahead_ms.get().map_or(0, |(_, machine)| machine)
    }
}

/// What the machine's clock says.
pub(crate) fn now() -> Moment {
    let since_unix_epoch = hostcalls::get_current_time()
        .ok()
        .and_then(|now| now.duration_since(SystemTime::UNIX_EPOCH).ok())
        .unwrap_or_default();
    Moment::from_ms(u64::try_from(since_unix_epoch.as_millis()).unwrap_or(u64::MAX))
}

impl Entropy for Envoy {
    /// Many streams' worth is fetched at once.
    fn random(&self) -> [u8; StreamKey::RANDOM_LEN] {
        let mut dealt = self.random.borrow_mut();
        if dealt.is_empty() {
            dealt.extend(wasi::random());
        }
        dealt.pop().unwrap_or_default()
    }
}

impl Meter for Envoy {
    fn add(&self, metric: Metric, n: u64) {
        match self.counters.get(metric.index()) {
            Some(counter) if metric.is_told_at_ticks() => counter.hold(n),
            Some(counter) => counter.add(n),
            None => {}
        }
    }

    fn add_for(&self, metric: RuleMetric, policy: &str, label: &str, n: u64) {
        self.by_rule.add(metric, policy, label, n);
    }

    fn counted_levels(&self, metric: RuleMetric, policy: &str) -> [u64; LEVEL_MAX] {
        self.by_rule.counted_levels(metric, policy)
    }

    fn ended(&self, subject: &SubjectKey, end: &StreamEnd) {
        let seconds = end.lasted_ms.div_ceil(1000);
        let _ = hostcalls::record_metric(self.stream_seconds, seconds);
        self.ends.borrow_mut().add(subject, end);
    }

    fn take_ends(&self) -> Ends {
        self.ends.take()
    }

    /// Every worker has counted itself when it started: a counter that says zero is one that
    /// Envoy was told not to keep.
    fn bumps(&self) -> Option<u64> {
        let counter = self.counters.get(Metric::GenerationBumps.index())?;
        counter.told().filter(|bumps| *bumps > 0)
    }

    fn add_live(&self, change: i64) {
        if change != 0 {
            let _ = hostcalls::increment_metric(self.live_streams, change);
        }
    }

    fn show_clock_difference(&self, ms: u64) {
        if self.shown_ms.replace(ms) != ms {
            let _ = hostcalls::record_metric(self.clock_difference, ms);
        }
    }
}

impl Store for Envoy {
    fn load(&self, key: StoreKey) -> Option<(Vec<u8>, Version)> {
        match hostcalls::get_shared_data(&SharedKey::of(key)) {
            Ok((bytes, Some(cas))) => Some((bytes.unwrap_or_default(), Version(cas))),
            _ => None,
        }
    }

    fn swap(&self, key: StoreKey, expected: Option<Version>, value: &[u8]) -> Swap {
        let cas = expected.map_or(CREATE_ONLY, |Version(cas)| cas);
        match hostcalls::set_shared_data(&SharedKey::of(key), Some(value), Some(cas)) {
            Ok(()) => Swap::Done,
            Err(Status::CasMismatch) => Swap::Conflict,
            Err(_) => Swap::Failed,
        }
    }

    /// A generation is an entry without a value, whose CAS value changes with every write:
    /// reading it costs no allocation.
    fn generation(&self, group: u16) -> u32 {
        match hostcalls::get_shared_data(&SharedKey::generation(group)) {
            Ok((_, Some(cas))) => cas,
            _ => 0,
        }
    }

    fn bump(&self, group: u16) {
        let _ = hostcalls::set_shared_data(&SharedKey::generation(group), None, None);
        self.own_bumps.set(self.own_bumps.get().wrapping_add(1));
    }

    fn own_bumps(&self) -> u32 {
        self.own_bumps.get()
    }
}

/// Has Envoy take what follows as done by a context; `false` if there is none (any more).
pub(crate) fn act_for(context: u32) -> bool {
    hostcalls::set_effective_context(context).is_ok()
}

/// A queue that this worker alone puts something into and is called for. It has a name of
/// its own: of several workers that share one, Envoy calls the last.
pub(crate) fn own_queue(entropy: &impl Entropy) -> Option<u32> {
    let [a, b, c, d, e, f, g, h, ..] = entropy.random();
    let number = u64::from_be_bytes([a, b, c, d, e, f, g, h]);
    hostcalls::register_shared_queue(&format!("streamgate-{number:016x}")).ok()
}

/// Has the root context called soon. Says whether it will be.
pub(crate) fn enqueue(queue: u32) -> bool {
    hostcalls::enqueue_shared_queue(queue, None).is_ok()
}

/// Takes out what [`enqueue`] put in.
pub(crate) fn dequeue(queue: u32) {
    let _ = hostcalls::dequeue_shared_queue(queue);
}

/// Sends a call to the fleet's store; its token, with which the answer comes. Envoy turns it into
/// a connection of its own, over which the payload goes as it is. `None` where it makes no call,
/// for example to a cluster it does not know.
pub(crate) fn call(cluster: &str, call: &StoreCall) -> Option<u32> {
    let headers = [
        (":method", "POST"),
        (":path", "/"),
        (":authority", call.shard.as_str()),
    ];
    dispatch::http_call(cluster, &headers, &call.payload, call.timeout_ms)
}

/// What the store answered to the call whose callback is running; `None` if it did not, or
/// if that is more than a store would say.
pub(crate) fn call_reply(headers: usize, body_size: usize) -> Option<Vec<u8>> {
    // A connection that broke, and a call that took too long, has no headers, and asking
    // for one traps.
    if headers == 0 || body_size > REPLY_MAX {
        return None;
    }
    let status = hostcalls::get_map_value_bytes(MapType::HttpCallResponseHeaders, ":status");
    if status.ok().flatten().as_deref() != Some(b"200") {
        return None;
    }
    let body = hostcalls::get_buffer(BufferType::HttpCallResponseBody, 0, body_size);
    Some(body.ok().flatten().unwrap_or_default())
}

/// The plugin's configuration, as Envoy has it.
pub(crate) fn configuration() -> Vec<u8> {
    let configuration = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
    configuration.ok().flatten().unwrap_or_default()
}

/// Has the root context called every so many milliseconds.
pub(crate) fn tick_every(ms: u64) {
    let _ = hostcalls::set_tick_period(Duration::from_millis(ms));
}

/// A variable of the environment that Envoy gives this VM
/// (`vm_config.environment_variables`).
pub(crate) fn environment(name: &str) -> Option<String> {
    wasi::environment(name)
}
