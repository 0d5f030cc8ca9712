//! The course of a measurement: everything is set up once, then slice follows slice.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::case::{Ask, Case, Size, cases, paced_round, round};
use crate::peer::{Kind, Options, Peer, WORKERS};
use crate::plan::{Plan, What};
use crate::rehearsal;
use crate::request::{List, Request, write_urls};
use crate::slice::{PacedSlice, Slice};
use crate::surroundings::{DUE_TIMEOUT_S, Surroundings};
use crate::viewers::Viewers;

/// The path of every segment.
pub(crate) const SEGMENT: &str = "/vod/film/segment-1.m4s";
/// The same where leases are due soon.
const SEGMENT_DUE: &str = "/due/film/segment-1.m4s";

/// Accounts that play as many streams as they may, and ask for one more.
const FULL_ACCOUNTS: usize = 5_000;
/// Streams that are refused and ask over and over: few enough that a worker remembers what it has answered
/// to each.
const ASKING_AGAIN: usize = 8;
/// Streams that an account may play.
const STREAMS_MAX: usize = 3;
/// Sessions that send heartbeats.
const SESSIONS: usize = 20_000;
/// URLs that are asked for at a pace.
const PACED_URLS: usize = 2_000;

/// Requests a second at a moderate load, where the slowest peer answers so many at most: about
/// half, so that none has them queue up. With far fewer, most of what is measured is how long the
/// machine takes to wake up. The load's connections share them evenly.
fn pace(slowest_per_second: u64) -> u32 {
    const STEP: u64 = 200;
    let steps = (slowest_per_second / 2 / STEP).max(1);
    u32::try_from(steps * STEP).expect("fewer than billions")
}

/// Everything that runs.
pub(crate) struct Course {
    plan: Plan,
    /// What is measured.
    cases: Vec<Case>,
    peers: BTreeMap<Kind, Peer>,
    viewers: Viewers,
    directory: tempfile::TempDir,
    lists: BTreeMap<&'static str, List>,
    playing: Vec<String>,
    /// Accounts that were made up so far.
    accounts: usize,
    /// The most requests that were answered in a slice, by case.
    answered_max: BTreeMap<&'static str, u64>,
    /// Requests a second at a moderate load, of a tiny answer and of a segment.
    paces: [u32; 2],
    // Serve until dropped.
    _around: Surroundings,
}

impl Course {
    /// Starts everybody, and lets streams begin.
    pub(crate) fn set_up(plan: &Plan) -> Self {
        let cases = cases(plan);
        let mut kinds: Vec<Kind> = cases.iter().map(|case| case.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        let around = Surroundings::start(&kinds);
        let start = |kind: Kind| (kind, Peer::start(kind, &around, &Options::default()));
        let peers: BTreeMap<Kind, Peer> = kinds.into_iter().map(start).collect();
        let viewers = Viewers::new();
        let playing = viewers.paths("playing", plan.live_streams, 2, SEGMENT);
        let mut course = Self {
            plan: plan.clone(),
            cases,
            peers,
            viewers,
            directory: tempfile::tempdir().expect("a directory"),
            lists: BTreeMap::new(),
            playing,
            accounts: 0,
            answered_max: BTreeMap::new(),
            // Until the warm-up tells better.
            paces: [400; 2],
            _around: around,
        };
        course.let_streams_begin();
        course
    }

    fn let_streams_begin(&mut self) {
        let is_smoke = self.plan.what == What::Smoke;
        let playing: Vec<Request> = self.playing.iter().cloned().map(Request::get).collect();
        let accounts = if is_smoke { 100 } else { FULL_ACCOUNTS };
        let full = accounts * STREAMS_MAX;
        let full = self.viewers.paths("full", full, STREAMS_MAX, SEGMENT);
        let full: Vec<Request> = full.into_iter().map(Request::get).collect();
        let [evicted, evicting] = self.evicted();
        for edge in [Kind::Streamgate, Kind::Native, Kind::NativeKept] {
            let Some(Peer { port, .. }) = self.peers.get(&edge) else {
                continue;
            };
            rehearsal::once(*port, &full, 200);
            rehearsal::once(*port, &playing, 200);
            rehearsal::once(*port, &evicted, 200);
            rehearsal::once(*port, &evicting, 200);
        }
        let evicted: Rc<[Request]> = evicted.into();

        let (served, others) = playing.split_at(playing.len() / WORKERS);
        let served: Rc<[Request]> = served.into();
        // Not those that the workers were just made to know.
        let wandering: Rc<[Request]> = others.into();
        let unprotected = free(&self.playing, "/web/");
        let left_out = free(&self.playing, "/out/");
        let refused =
            (0..accounts).map(|account| self.viewers.path("full", account, STREAMS_MAX, SEGMENT));
        let refused: Rc<[Request]> = refused.map(Request::get).collect();
        let denied: Rc<[Request]> = refused.iter().take(ASKING_AGAIN).cloned().collect();
        for case in self.cases.clone() {
            let requests = match case.ask {
                Ask::Playing => &served,
                Ask::Wandering => &wandering,
                Ask::Unprotected => &unprotected,
                Ask::LeftOut => &left_out,
                Ask::Refused => &refused,
                Ask::DeniedAgain => &denied,
                Ask::EvictedAgain => &evicted,
                Ask::Heartbeat => &self.heartbeats(case.kind),
                // Anew for each slice.
                Ask::LeaseDue | Ask::Create | Ask::Stop => continue,
            };
            self.lists.insert(case.id, List::new(Rc::clone(requests)));
            if case.is_paced() {
                let urls = self.playing.iter().take(PACED_URLS).cloned();
                let port = self.peer(case.kind).port;
                write_urls(&self.urls(case), port, &urls.collect::<Vec<_>>());
            }
        }
    }

    /// Streams that begin, and those that take their places.
    fn evicted(&self) -> [Vec<Request>; 2] {
        let of_accounts = |stream| {
            let accounts = 0..ASKING_AGAIN;
            let path = |account| {
                let stream = ("evicted", account, stream);
                self.viewers.path_under("latest", stream, SEGMENT)
            };
            accounts.map(path).map(Request::get).collect()
        };
        [0, 1].map(of_accounts)
    }

    /// Heartbeats of sessions that begin now.
    fn heartbeats(&mut self, kind: Kind) -> Rc<[Request]> {
        let creates = self.creates(SESSIONS);
        let created = rehearsal::once(self.peer(kind).port, &creates, 202);
        let sessions = created.into_iter().map(|answer| answer.location);
        let heartbeats = sessions.map(|at| Request::call("POST", at.expect("a session")));
        heartbeats.collect()
    }

    /// Lets every case run until nothing gets faster any more: V8 compiles what is called
    /// often, tables grow. How much they answer then is what a moderate load goes by.
    ///
    /// Where figures mean nothing, nobody waits for that.
    pub(crate) fn warm_up(&mut self) {
        if self.plan.what == What::Smoke {
            return;
        }
        for case in self.cases.clone() {
            self.slice(case);
        }
        self.paces = [Size::Tiny, Size::Segment].map(|size| {
            let cases = self.cases.iter();
            let paced = cases.filter(|case| case.is_paced() && case.size == size);
            let answered = paced.filter_map(|case| self.answered_max.get(case.id).copied());
            pace(answered.min().unwrap_or_default() / self.plan.slice_s)
        });
    }

    /// One round of slices.
    pub(crate) fn round(&mut self) -> Vec<Slice> {
        let cases = match self.plan.what {
            // One slice of each.
            What::Smoke => self.cases.clone(),
            _ => round(&self.cases),
        };
        cases.into_iter().map(|case| self.slice(case)).collect()
    }

    /// One round of slices at a pace, of each case for which that is looked at.
    pub(crate) fn paced_round(&self) -> Vec<PacedSlice> {
        let cases = paced_round(&self.cases, self.plan.what);
        let measured = cases.into_iter().map(|case| {
            let (peer, urls) = (self.peer(case.kind), self.urls(case));
            let [tiny, segment] = self.paces;
            let per_second = match case.size {
                Size::Tiny => tiny,
                Size::Segment => segment,
            };
            PacedSlice::measure(case, peer, &urls, per_second, self.plan.slice_s)
        });
        measured.collect()
    }

    /// How many requests will do for a slice in which none may be sent twice.
    fn enough_for(&self, case: Case) -> usize {
        // Whatever else the machine does, or stops doing.
        const MARGIN: usize = 2;
        const UNKNOWN: usize = 40_000;
        let most = self.answered_max.get(case.id).copied();
        let unknown = match self.plan.what {
            What::Smoke => UNKNOWN / 4,
            _ => UNKNOWN,
        };
        most.map_or(unknown, |most| most as usize * MARGIN)
    }

    fn slice(&mut self, case: Case) -> Slice {
        let enough = self.enough_for(case);
        let fresh = match case.ask {
            Ask::LeaseDue => Some(self.due(case.kind, enough)),
            Ask::Create => Some(self.creates(enough)),
            Ask::Stop => Some(self.stops(case.kind, enough)),
            _ => None,
        };
        if let Some(requests) = fresh {
            self.lists.insert(case.id, List::new(requests.into()));
        }
        let (file, list) = (self.at(case.id), &self.lists[case.id]);
        list.write_next(&file, enough);
        let peer = self.peer(case.kind);
        if case.kind.counts() && case.ask == Ask::Playing {
            // Other cases may have driven these streams' leases out.
            rehearsal::to_every_worker(peer.port, WORKERS, list.requests(), 200);
        }
        let slice = Slice::measure(case, peer, &file, self.plan.slice_s);
        list.advance(slice.requests);
        let most = self.answered_max.entry(case.id).or_default();
        *most = slice.requests.max(*most);
        slice
    }

    /// Streams whose leases every worker holds, and that are due by now.
    fn due(&mut self, kind: Kind, streams: usize) -> Vec<Request> {
        let first = self.made_up(streams.div_ceil(2));
        let path = |at| {
            let account = first + at / 2;
            self.viewers.path("due", account, at % 2, SEGMENT_DUE)
        };
        let requests: Vec<Request> = (0..streams).map(path).map(Request::get).collect();
        rehearsal::to_every_worker(self.peer(kind).port, WORKERS, &requests, 200);
        let due = Instant::now() + Duration::from_millis(DUE_TIMEOUT_S * 1000 / 3 + 100);
        sleep(due.saturating_duration_since(Instant::now()));
        requests
    }

    /// Calls that create sessions of fresh accounts.
    fn creates(&mut self, number: usize) -> Vec<Request> {
        let first = self.made_up(number);
        let path = |account| format!("/v2/sessions/bench/account-{account}?deviceName=TV");
        let accounts = first..first + number;
        accounts
            .map(|account| Request::call("POST", path(account)))
            .collect()
    }

    /// Calls that stop sessions, which were created for that.
    fn stops(&mut self, kind: Kind, number: usize) -> Vec<Request> {
        let creates = self.creates(number);
        let created = rehearsal::once(self.peer(kind).port, &creates, 202);
        let sessions = created.into_iter().filter_map(|answer| answer.location);
        sessions
            .map(|session| Request::call("DELETE", session))
            .collect()
    }

    /// Takes numbers of accounts that nobody had before.
    fn made_up(&mut self, number: usize) -> usize {
        let first = self.accounts;
        self.accounts += number;
        first
    }

    fn peer(&self, kind: Kind) -> &Peer {
        &self.peers[&kind]
    }

    fn at(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn urls(&self, case: Case) -> PathBuf {
        self.at(&format!("{}.urls", case.id))
    }
}

/// Paths that nobody protects, below `top`, as long as those, so that they differ in nothing else.
pub(crate) fn free(paths: &[String], top: &str) -> Rc<[Request]> {
    let free = |path: &String| {
        let (token, rest) = path.split_once("/vod/").expect("a protected path");
        let token = token.trim_start_matches("/~");
        format!("{top}f{token}/{rest}")
    };
    paths.iter().map(free).map(Request::get).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moderate_load_is_half_of_what_the_slowest_can_do() {
        assert_eq!(pace(6_178), 3_000);
        assert_eq!(pace(800), 400);
        assert_eq!(pace(10), 200);
    }
}
