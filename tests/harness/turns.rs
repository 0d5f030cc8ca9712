//! How long workers are busy at once, by the system's account of their threads: what others do on the
//! machine meanwhile is not in it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Edge;

/// How often the threads are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Where the looks themselves had to wait for longer than this, turns cannot be told apart.
const GAP_MAX: Duration = Duration::from_millis(15);

/// How long workers were busy at once during something.
#[derive(Debug, Clone, Copy, Default)]
pub struct Busy {
    /// How many stretches were told apart: each holds a turn of a worker's event loop at least.
    pub stretches: usize,
    /// How many there were besides, in which the machine let nobody look often enough.
    pub unseen: usize,
    /// The most CPU time that a worker had in a stretch, and so for a turn at most.
    pub longest: Duration,
    /// How many stretches had more than two milliseconds.
    pub over_2_ms: usize,
}

/// What one look at a thread has found.
struct Look {
    at: Instant,
    /// CPU time since the thread began.
    cpu: Duration,
    /// It waited for what comes next: no turn was under way.
    is_asleep: bool,
}

impl Edge {
    /// How long this edge's workers are busy at once while `during` runs.
    ///
    /// # Panics
    ///
    /// If Envoy ends meanwhile.
    pub fn busy(&self, during: impl FnOnce()) -> Busy {
        let threads = workers(self.pid());
        assert!(!threads.is_empty(), "Envoy has no workers");
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            let looking = scope.spawn(|| {
                let mut looks: Vec<Vec<Look>> = threads.iter().map(|_| Vec::new()).collect();
                while !is_over.load(Ordering::Relaxed) {
                    for (thread, looks) in threads.iter().zip(&mut looks) {
                        looks.push(look(thread));
                    }
                    thread::sleep(LOOK_EVERY);
                }
                looks
            });
            during();
            is_over.store(true, Ordering::Relaxed);
            let looks = looking.join().expect("looks");
            let mut busy = Busy::default();
            for looks in looks {
                busy.add(&looks);
            }
            busy
        })
    }
}

impl Busy {
    /// Between two looks at which the thread was asleep are whole turns, nearly always one.
    fn add(&mut self, looks: &[Look]) {
        let mut began = None;
        for (at, look) in looks.iter().enumerate().filter(|(_, look)| look.is_asleep) {
            let Some(before) = began.replace(at) else {
                continue;
            };
            let cpu = look.cpu - looks[before].cpu;
            let mut gaps = looks[before..=at]
                .windows(2)
                .map(|two| two[1].at - two[0].at);
            if cpu.is_zero() {
                continue;
            }
            if gaps.any(|gap| gap > GAP_MAX) {
                self.unseen += 1;
                continue;
            }
            self.stretches += 1;
            self.longest = self.longest.max(cpu);
            self.over_2_ms += usize::from(cpu > Duration::from_millis(2));
        }
    }
}

/// The threads of Envoy's workers.
fn workers(pid: u32) -> Vec<PathBuf> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).expect("a running Envoy");
    let threads = threads.map(|thread| thread.expect("a thread").path());
    let is_worker = |thread: &PathBuf| {
        let name = fs::read_to_string(thread.join("comm")).unwrap_or_default();
        name.starts_with("wrk:")
    };
    threads.filter(is_worker).collect()
}

fn look(thread: &Path) -> Look {
    let read = |file| fs::read_to_string(thread.join(file)).expect("a running worker");
    let cpu = || {
        let ns = read("schedstat");
        let ns = ns.split(' ').next().and_then(|ns| ns.parse().ok());
        Duration::from_nanos(ns.expect("nanoseconds"))
    };
    let before = cpu();
    let stat = read("stat");
    let (_, state) = stat.rsplit_once(") ").expect("a name");
    let after = cpu();
    Look {
        at: Instant::now(),
        cpu: after,
        is_asleep: state.starts_with('S') && before == after,
    }
}
