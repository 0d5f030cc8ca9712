//! Processes that are kept on one core, and what they take of it.

use std::fs;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use streamgate_tests::awaited;

/// The core of the proxy and of all that it needs to decide: the services it asks.
pub(crate) const PROXY_CORE: u32 = 0;

/// The core of the load, and of the upstream.
pub(crate) const LOAD_CORE: u32 = 1;

/// A command that will run on these cores alone.
pub(crate) fn pinned(cores: &[u32], program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &list(cores)]);
    command.arg(program.as_ref()).stdin(Stdio::null());
    command
}

fn list(cores: &[u32]) -> String {
    let cores: Vec<String> = cores.iter().map(u32::to_string).collect();
    cores.join(",")
}

/// A running process; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts it. What it says goes to a file of its name in `logs`.
    pub(crate) fn start(name: &str, mut command: Command, logs: &Path) -> Self {
        let log_at = logs.join(format!("{name}.log"));
        let log = fs::File::create(&log_at).expect("a log");
        let child = command
            .stdout(log.try_clone().expect("a log"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self {
            name: name.to_owned(),
            child,
            log: log_at,
        }
    }

    /// Waits until it serves at a port.
    ///
    /// # Panics
    ///
    /// With its log if it stops instead.
    pub(crate) fn serves(&mut self, port: u16) {
        awaited(&format!("{} serves", self.name), || {
            let stopped = !matches!(self.child.try_wait(), Ok(None));
            assert!(!stopped, "{} does not start:\n{}", self.name, self.said());
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
    }

    /// What it has said so far.
    pub(crate) fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// CPU time that it and its children took so far, in nanoseconds, by the scheduler's
    /// account of each of their threads.
    ///
    /// # Panics
    ///
    /// If it does not run any more: a figure would be wrong.
    pub(crate) fn cpu_ns(&self) -> u64 {
        let pid = self.child.id();
        let total = tree_cpu_ns(pid);
        assert!(total.is_some(), "{} has stopped by itself", self.name);
        total.unwrap_or_default()
    }

    /// Holds it and its children still, or lets them go on.
    pub(crate) fn hold(&self, still: bool) {
        let signal = if still { Signal::STOP } else { Signal::CONT };
        for pid in tree(self.child.id()) {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            let _ = pid.map(|pid| kill_process(pid, signal));
        }
    }

    /// Lets it and its children run on these cores from now on.
    pub(crate) fn use_cores(&self, cores: &[u32]) {
        for pid in tree(self.child.id()) {
            let mut taskset = Command::new("taskset");
            taskset.args(["--all-tasks", "--pid", "--cpu-list", &list(cores)]);
            let done = taskset.arg(pid.to_string()).output().expect("taskset");
            assert!(done.status.success(), "{}: {done:?}", self.name);
        }
    }

    /// Bytes of memory that it and its children occupy.
    pub(crate) fn resident(&self) -> u64 {
        tree(self.child.id()).into_iter().filter_map(resident).sum()
    }
}

impl Process {
    /// Linear memory of its largest Wasm VM, in bytes.
    pub(crate) fn largest_wasm_memory(&self) -> u64 {
        let maps = format!("/proc/{}/maps", self.child.id());
        let maps = fs::read_to_string(maps).unwrap_or_default();
        largest_wasm_memory(&maps).unwrap_or_default()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.hold(false);
        // Asked, not killed: the workers of an nginx outlive a master that is killed.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        for _ in 0..100 {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A process and all that descend from it.
fn tree(pid: u32) -> Vec<u32> {
    let children = format!("/proc/{pid}/task/{pid}/children");
    let children = fs::read_to_string(children).unwrap_or_default();
    let mut all = vec![pid];
    for child in children.split_whitespace() {
        all.extend(child.parse().map(tree).unwrap_or_default());
    }
    all
}

fn tree_cpu_ns(pid: u32) -> Option<u64> {
    tree(pid).into_iter().map(cpu_ns).sum()
}

/// The sum over the threads that a process has. `/proc/<pid>/schedstat` would be its first one alone.
fn cpu_ns(pid: u32) -> Option<u64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let taken = threads.flatten().filter_map(|thread| {
        let stat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split_whitespace().next()?.parse::<u64>().ok()
    });
    Some(taken.sum())
}

/// V8 reserves gigabytes of addresses for each linear memory, and makes those accessible
/// that the VM has asked for so far: the accessible part in front of a reserved one that is
/// larger than any other reservation.
fn largest_wasm_memory(maps: &str) -> Option<u64> {
    const RESERVED_MIN: u64 = 4 << 30;
    let mapped = |line: &str| {
        let mut words = line.split(' ');
        let (from, to) = words.next()?.split_once('-')?;
        let from = u64::from_str_radix(from, 16).ok()?;
        let to = u64::from_str_radix(to, 16).ok()?;
        Some((from, to, words.next()?.to_owned()))
    };
    let mapped: Vec<_> = maps.lines().filter_map(mapped).collect();
    let pairs = mapped.iter().zip(mapped.iter().skip(1));
    let memories = pairs.filter(|((_, end, rights), (start, to, reserved))| {
        rights.starts_with("rw-")
            && reserved.starts_with("---")
            && end == start
            && to - start >= RESERVED_MIN
    });
    memories.map(|((from, to, _), _)| to - from).max()
}

fn resident(pid: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().trim_end_matches(" kB").parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_charged_what_its_children_do_until_it_is_stopped() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut shell = pinned(&[PROXY_CORE], "sh");
        // The shell waits, its child works.
        shell.args(["-c", "sh -c 'while :; do :; done'; wait"]);
        let shell = Process::start("shell", shell, directory.path());
        awaited("it has worked", || {
            (shell.cpu_ns() > 20_000_000).then_some(())
        });
        assert!(shell.resident() > 100_000);
        let pids = tree(shell.child.id());
        assert_eq!(pids.len(), 2);
        for pid in pids.into_iter().rev() {
            let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
            let _ = kill_process(pid.expect("an id"), Signal::KILL);
        }
        let gone = shell.child.id();
        drop(shell);
        assert_eq!(tree_cpu_ns(gone), None);
    }

    #[test]
    fn a_vms_memory_stands_in_front_of_a_large_reservation() {
        let maps = "100000000-100800000 rw-p 0 00:00 0\n\
            100800000-300000000 ---p 0 00:00 0\n\
            7f0000000000-7f0000010000 rw-p 0 00:00 0\n\
            7f0000010000-7f0000020000 ---p 0 00:00 0\n";
        assert_eq!(largest_wasm_memory(maps), Some(0x80_0000));
        assert_eq!(largest_wasm_memory(""), None);
    }
}
