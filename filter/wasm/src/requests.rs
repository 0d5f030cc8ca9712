//! The requests of a VM that wait for something, and whose they are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use litemap::LiteMap;
use streamgate_core::api::MAX_BODY;
use streamgate_core::playback::{Flows, Rewrite};
use streamgate_record::fleet::Ticket;

use crate::go::Go;
use crate::head::RequestHead;
use crate::host;
use crate::http::{State, take, take_response};
use crate::manifest::Manifest;
use crate::worker::Worker;

thread_local! {
    static REQUESTS: Requests = const { Requests::new() };
}

/// Asks the VM's requests.
pub(crate) fn with_requests<T>(ask: impl FnOnce(&Requests) -> T) -> T {
    REQUESTS.with(ask)
}

/// Does something as who works under a root context, if somebody does.
pub(crate) fn as_worker(root: u32, act: impl FnOnce(&Rc<Worker>)) {
    if let Some(worker) = with_requests(|requests| requests.worker(root)) {
        act(&worker);
    }
}

/// A request that waits for something.
struct Waiting {
    worker: Rc<Worker>,
    state: State,
}

/// The requests of a VM. Envoy makes no callback while another runs.
pub(crate) struct Requests {
    /// The root contexts, and who works under each; nobody before it is configured. They are few,
    /// and looked through for each request: a list costs least.
    roots: RefCell<Vec<(u32, Option<Rc<Worker>>)>>,
    /// The latest request and its root context. Its headers come next, unless a filter in
    /// front of this one holds it back.
    latest: Cell<Option<(u32, u32)>>,
    /// Requests that others came after before their headers did, and their root contexts.
    early: RefCell<Vec<(u32, u32)>>,
    /// Those that wait for something. They come in the order of their ids, so that nothing moves
    /// when one is added; boxed, so that little does when one goes.
    waiting: RefCell<LiteMap<u32, Box<Waiting>>>,
    /// Root contexts, and the responses under way of who works there: one, but for the moments
    /// when another takes its place.
    flows: RefCell<Vec<(u32, Rc<Flows>)>>,
}

impl Requests {
    const fn new() -> Self {
        Self {
            roots: RefCell::new(Vec::new()),
            latest: Cell::new(None),
            early: RefCell::new(Vec::new()),
            waiting: RefCell::new(LiteMap::new_vec()),
            flows: RefCell::new(Vec::new()),
        }
    }

    /// There is a root context, with nobody who works under it.
    pub(crate) fn add_root(&self, root: u32) {
        self.set_root(root, None);
    }

    /// This one works under its root context.
    pub(crate) fn employ(&self, worker: &Rc<Worker>) {
        let worker = Rc::clone(worker);
        let mut flows = self.flows.borrow_mut();
        flows.retain(|(root, _)| *root != worker.root);
        flows.push((worker.root, worker.edge.borrow().flows()));
        drop(flows);
        self.set_root(worker.root, Some(worker));
    }

    fn set_root(&self, root: u32, worker: Option<Rc<Worker>>) {
        let mut roots = self.roots.borrow_mut();
        let known = roots.iter_mut().find(|(known, _)| *known == root);
        let gone = match known {
            Some((_, known)) => core::mem::replace(known, worker),
            None => {
                roots.push((root, worker));
                None
            }
        };
        drop(roots);
        // Dropping a worker calls Envoy.
        drop(gone);
    }

    /// The root context is gone.
    pub(crate) fn remove_root(&self, root: u32) {
        self.flows.borrow_mut().retain(|(known, _)| *known != root);
        // Dropping a worker calls Envoy.
        let mut roots = self.roots.borrow_mut();
        let index = roots.iter().position(|(known, _)| *known == root);
        let gone = index.map(|index| roots.swap_remove(index));
        drop(roots);
        drop(gone);
    }

    /// Who works under a root context.
    fn worker(&self, root: u32) -> Option<Rc<Worker>> {
        let roots = self.roots.borrow();
        let (_, worker) = roots.iter().find(|(known, _)| *known == root)?;
        worker.clone()
    }

    pub(crate) fn is_root(&self, context: u32) -> bool {
        self.roots.borrow().iter().any(|(root, _)| *root == context)
    }

    pub(crate) fn on_create(&self, context: u32, root: u32) {
        if let Some((earlier, root)) = self.latest.replace(Some((context, root))) {
            self.early.borrow_mut().push((earlier, root));
        }
    }

    /// The root context of a request whose headers are there.
    fn root_of(&self, context: u32) -> Option<u32> {
        match self.latest.get() {
            Some((latest, root)) if latest == context => {
                self.latest.set(None);
                Some(root)
            }
            _ if self.early.borrow().is_empty() => None,
            _ => {
                let mut early = self.early.borrow_mut();
                let index = early.iter().position(|(known, _)| *known == context)?;
                Some(early.swap_remove(index).1)
            }
        }
    }

    /// A request that is gone waits for nothing.
    pub(crate) fn on_delete(&self, context: u32) {
        // It may have ended before its headers came here.
        self.root_of(context);
        for (_, flows) in self.flows.borrow().iter() {
            flows.end(Ticket(context));
        }
        if self.waiting.borrow().is_empty() {
            return;
        }
        let gone = self.waiting.borrow_mut().remove(&context);
        if let Some(gone) = gone
            && matches!(gone.state, State::Store | State::Held)
        {
            gone.worker.edge.borrow_mut().forget(Ticket(context));
        }
    }

    pub(crate) fn on_request_headers(&self, context: u32, ends: bool) -> Go {
        let Some(root) = self.root_of(context) else {
            return Go::On;
        };
        let roots = self.roots.borrow();
        let Some((_, Some(worker))) = roots.iter().find(|(known, _)| *known == root) else {
            return Go::On;
        };
        // CONNECT has none.
        let path = host::request_path().unwrap_or_default();
        let head = RequestHead::default();
        let mut edge = worker.edge.borrow_mut();
        let step = edge.on_request(&worker.envoy, Ticket(context), &head, &path, ends);
        drop(edge);
        let (state, go) = take(step, Some(&path), Some(&head));
        self.wait(context, worker, state);
        go
    }

    pub(crate) fn on_request_body(&self, context: u32, size: usize, ends: bool) -> Go {
        match self.waiting.borrow_mut().get_mut(&context) {
            Some(waiting) => match &mut waiting.state {
                State::Body(_, seen) => *seen = size,
                State::Store => return Go::Wait,
                _ => return Go::On,
            },
            None => return Go::On,
        }
        if ends || size > MAX_BODY {
            return self.finish(context);
        }
        Go::Wait
    }

    pub(crate) fn on_request_trailers(&self, context: u32) -> Go {
        match self.waiting.borrow().get(&context) {
            Some(waiting) => match waiting.state {
                State::Body(..) => {}
                State::Store => return Go::Wait,
                _ => return Go::On,
            },
            None => return Go::On,
        }
        self.finish(context)
    }

    /// The session API call's body is there, or known to be too long.
    fn finish(&self, context: u32) -> Go {
        let Some(waiting) = self.waiting.borrow_mut().remove(&context) else {
            return Go::On;
        };
        let Waiting { worker, state } = *waiting;
        let State::Body(call, seen) = state else {
            return Go::On;
        };
        let body = match seen {
            0 => Vec::new(),
            seen => host::request_body(seen.min(MAX_BODY.saturating_add(1))),
        };
        let mut edge = worker.edge.borrow_mut();
        let step = edge.on_body(&worker.envoy, Ticket(context), call, &body);
        drop(edge);
        let (state, go) = take(step, None, None);
        self.wait(context, &worker, state);
        go
    }

    pub(crate) fn on_response_headers(&self, context: u32, ends: bool) -> Go {
        let mut waiting = self.waiting.borrow_mut();
        if waiting.is_empty() {
            return Go::On;
        }
        match waiting.get(&context).map(|waiting| &waiting.state) {
            Some(State::Response { .. }) => {}
            _ => return Go::On,
        }
        let expected = waiting.remove(&context).map(|waiting| *waiting);
        drop(waiting);
        let Some(Waiting {
            worker,
            state:
                State::Response {
                    watch,
                    renewed,
                    rewrite,
                },
        }) = expected
        else {
            return Go::On;
        };
        if let Some((name, value)) = renewed {
            host::add_response_header(&name, &value);
        }
        let status = host::response_status();
        let (mut state, mut go) = match watch {
            Some(watch) if watch.counts(status, host::response_header) => {
                let mut edge = worker.edge.borrow_mut();
                let step = edge.on_response(&worker.envoy, Ticket(context), &watch, status, ends);
                drop(edge);
                take_response(step, ends)
            }
            _ => (State::Nothing, Go::On),
        };
        if let (State::Nothing, Go::On, Some(rewrite)) = (&state, go, rewrite) {
            let held;
            (held, go) = Manifest::begin(&worker, rewrite, (status, ends));
            state = held.map_or(State::Nothing, State::Manifest);
        }
        self.wait(context, &worker, state);
        go
    }

    pub(crate) fn on_response_body(&self, context: u32, size: usize, ends: bool) -> Go {
        let mut waiting = self.waiting.borrow_mut();
        let state = match waiting.is_empty() {
            true => None,
            false => waiting.get_mut(&context).map(|waiting| &mut waiting.state),
        };
        match state {
            // All of it in the place of the first piece, nothing in the place of the others.
            Some(State::Refused(body)) => {
                host::replace_response_body(size, &core::mem::take(body));
                return Go::On;
            }
            Some(state) => {
                if let State::Manifest(manifest) = state {
                    let go = manifest.take(size, ends);
                    if go == Go::On {
                        // Trailers may follow.
                        *state = match manifest.is_rewritten {
                            true => State::Rewritten,
                            false => State::Nothing,
                        };
                    }
                    return go;
                }
            }
            None => {}
        }
        if !ends {
            let flows = self.flows.borrow();
            let flows = flows.iter();
            flows.for_each(|(_, flows)| flows.note(Ticket(context), size));
        }
        Go::On
    }

    /// The body has ended, and nothing said so.
    pub(crate) fn on_response_trailers(&self, context: u32) -> Go {
        let mut waiting = self.waiting.borrow_mut();
        let state = waiting.get_mut(&context).map(|waiting| &mut waiting.state);
        let Some(state @ (State::Manifest(_) | State::Rewritten)) = state else {
            return Go::On;
        };
        let ended = core::mem::replace(state, State::Nothing);
        drop(waiting);
        match ended {
            State::Manifest(manifest) => {
                manifest.answer();
                Go::Wait
            }
            _ => {
                Rewrite::describe_trailers(host::remove_response_trailer);
                Go::On
            }
        }
    }

    /// A request or response waits for the fleet's store no longer; `false` if it is gone.
    pub(crate) fn unpark(&self, context: u32) -> bool {
        self.waiting.borrow_mut().remove(&context).is_some()
    }

    /// Remembers what a request waits for, if it does.
    pub(crate) fn wait(&self, context: u32, worker: &Rc<Worker>, state: State) {
        if matches!(state, State::Nothing) {
            return;
        }
        let asks = matches!(state, State::Store | State::Held);
        let waiting = Box::new(Waiting {
            worker: Rc::clone(worker),
            state,
        });
        self.waiting.borrow_mut().insert(context, waiting);
        if asks {
            worker.wake_if_needed();
        }
    }
}
