//! One request: Envoy's hooks for it, one after the other.

use core::cell::{Cell, OnceCell, RefCell};
use std::sync::Arc;

use streamgate_core::api::MAX_BODY;

use crate::desk::Desk;
use crate::envoy::{BodyPiece, Headers, HttpStream};
use crate::http::{Go, State, take, take_response};
use crate::manifest::Collected;
use crate::pieces::Pieces;
use crate::todo::{ResponseTodo, Resumption, Todo};
use crate::worker::Worker;
use crate::{abi, carry_out};

/// A request as its worker knows it. Only one thread has it, but hooks run within hooks: Envoy
/// calls those of the response while it is told the answer.
pub(crate) struct Request {
    worker: Arc<Worker>,
    stream: HttpStream,
    ticket: Cell<u32>,
    state: Cell<State>,
    /// The edge knows of it, and has to be told when it is over.
    is_known: Cell<bool>,
    /// The response's status, once somebody has wanted to know it.
    status: OnceCell<u16>,
    pieces: Pieces,
    /// What is there of the request's body, or what takes the place of the response's.
    body: RefCell<Vec<u8>>,
}

impl Request {
    pub(crate) fn new(worker: Arc<Worker>, stream: HttpStream) -> Self {
        Self {
            worker,
            stream,
            ticket: Cell::new(0),
            state: Cell::new(State::Nothing),
            is_known: Cell::new(false),
            status: OnceCell::new(),
            pieces: Pieces::default(),
            body: RefCell::new(Vec::new()),
        }
    }

    pub(crate) fn on_request_headers(&self, ends: bool) -> u32 {
        crate::panics::perhaps(self.stream, "request_headers");
        // CONNECT has none.
        let path = self.stream.header(Headers::Request, ":path");
        let path = path.unwrap_or_default();
        let stream = self.stream;
        let (ticket, todo) = self.worker.at_desk(|desk, process| {
            crate::panics::perhaps(stream, "desk");
            desk.on_request(process, stream, &path, ends)
        });
        self.ticket.set(ticket);
        if matches!(todo, Todo::Pass) {
            return abi::CONTINUE;
        }
        self.is_known.set(true);
        match self.act(todo, Some(&path)) {
            Go::On => abi::CONTINUE,
            Go::Answered | Go::AwaitBody => abi::STOP,
            Go::Parked => abi::STOP_ALL,
        }
    }

    pub(crate) fn on_request_body(&self, ends: bool) -> u32 {
        match self.state.get() {
            State::Body => {}
            State::Store => return abi::STOP,
            _ => return abi::CONTINUE,
        }
        crate::panics::perhaps(self.stream, "request_body");
        let mut body = self.body.borrow_mut();
        body.append(&mut self.stream.piece(BodyPiece::Request));
        let is_too_much = body.len() > MAX_BODY;
        drop(body);
        if ends || is_too_much {
            return self.finish();
        }
        abi::STOP
    }

    pub(crate) fn on_request_trailers(&self) -> u32 {
        match self.state.get() {
            State::Body => self.finish(),
            State::Store => abi::STOP,
            _ => abi::CONTINUE,
        }
    }

    /// The session API call's body is there, or known to be too long.
    fn finish(&self) -> u32 {
        let body = self.body.take();
        let (ticket, stream) = (self.ticket.get(), self.stream);
        self.state.set(State::Nothing);
        let todo = self
            .worker
            .at_desk(|desk, process| desk.on_body(process, ticket, stream, &body));
        match self.act(todo, None) {
            Go::On => abi::CONTINUE,
            Go::Answered | Go::AwaitBody | Go::Parked => abi::STOP,
        }
    }

    pub(crate) fn on_response_headers(&self, ends: bool) -> u32 {
        if !self.is_known.get() {
            return abi::CONTINUE;
        }
        self.pieces.begin(self.worker.ticks());
        if self.state.get() != State::Response {
            return abi::CONTINUE;
        }
        let status = self.status();
        crate::panics::perhaps(self.stream, "response_headers");
        self.state.set(State::Nothing);
        let (ticket, stream) = (self.ticket.get(), self.stream);
        let response = self
            .worker
            .at_desk(|desk, process| desk.on_response(process, ticket, stream, status, ends));
        if let Some((name, value)) = &response.renewed {
            stream.add_response_header(name, value);
        }
        if response.is_collected {
            self.state.set(State::Manifest);
            return abi::STOP;
        }
        match self.act_on_response(response.todo, ends) {
            State::Held => abi::STOP_ALL,
            _ => abi::CONTINUE,
        }
    }

    pub(crate) fn on_response_body(&self, ends: bool) -> u32 {
        let (ticket, stream) = (self.ticket.get(), self.stream);
        match self.state.get() {
            // All of it in the place of the first piece, nothing in the place of the others.
            State::Refused => stream.replace_piece(&self.body.take()),
            State::Manifest => {
                crate::panics::perhaps(stream, "response_body");
                let piece = stream.piece(BodyPiece::Response);
                let collected = self
                    .worker
                    .at_desk(|desk, process| desk.on_manifest(process, ticket, piece, ends));
                return self.collected(collected);
            }
            _ if ends || !self.is_known.get() => {}
            _ => self.pass_piece(),
        }
        abi::CONTINUE
    }

    /// A piece of the response's body goes on to the viewer, and more will come.
    fn pass_piece(&self) {
        let (ticket, stream) = (self.ticket.get(), self.stream);
        let length = stream.piece_length(BodyPiece::Response);
        if let Some(length) = self.pieces.pass(length, self.worker.ticks()) {
            let status = self.status();
            self.worker
                .at_desk(|desk, _| desk.on_piece(ticket, stream, status, length));
        }
    }

    fn status(&self) -> u16 {
        let read = || carry_out::response_status(self.stream);
        *self.status.get_or_init(read)
    }

    fn collected(&self, collected: Collected) -> u32 {
        let (stream, mut state) = (self.stream, State::Nothing);
        match collected {
            Collected::More => {
                stream.replace_piece(&[]);
                return abi::STOP_NO_BUFFER;
            }
            Collected::PassOn(body) => stream.replace_piece(&body),
            Collected::Whole(whole) => {
                if whole.is_rewritten {
                    carry_out::describe(stream, whole.body.len());
                    state = State::Rewritten;
                }
                stream.replace_piece(&whole.body);
            }
        }
        self.state.set(state);
        abi::CONTINUE
    }

    /// The body has ended, and nothing said so.
    pub(crate) fn on_response_trailers(&self) -> u32 {
        let state = self.state.get();
        if state == State::Rewritten {
            carry_out::describe_trailers(self.stream);
        }
        if state != State::Manifest {
            return abi::CONTINUE;
        }
        self.state.set(State::Nothing);
        let ticket = self.ticket.get();
        let whole = self
            .worker
            .at_desk(|desk, process| desk.on_manifest_end(process, ticket));
        let Some(whole) = whole else {
            return abi::CONTINUE;
        };
        carry_out::answer_with(self.stream, whole);
        abi::STOP
    }

    /// The request has been waited for: for the fleet's store, or because responses of its worker
    /// are to be cut.
    pub(crate) fn on_scheduled(&self) {
        let (ticket, stream) = (self.ticket.get(), self.stream);
        if matches!(self.state.get(), State::Store | State::Held) {
            let resumption = self
                .worker
                .at_desk(|desk, process| desk.resume(process, ticket, stream));
            match resumption {
                Resumption::Waits => {}
                Resumption::Lost => self.fail(),
                Resumption::Request(todo) => {
                    if self.act(todo, None) == Go::On {
                        stream.continue_request();
                    }
                }
                Resumption::Response { todo, ends } => {
                    if self.act_on_response(todo, ends) != State::Held {
                        stream.continue_response();
                    }
                }
            }
        }
        self.worker.flush(&stream);
        // Breaking off a response may be the end of this request.
        let worker = Arc::clone(&self.worker);
        while let Some((stream, log_entry)) = worker.at_desk(|desk, _| desk.next_cut()) {
            if let Some(log_entry) = &log_entry {
                carry_out::tell(stream, log_entry);
            }
            stream.reset("streamgate_cut");
        }
    }

    /// Envoy is done with it.
    pub(crate) fn on_destroy(&self) {
        if self.is_known.replace(false) {
            let ticket = self.ticket.get();
            self.worker.at_desk(|desk, _| Desk::forget(desk, ticket));
        }
    }

    /// Tells Envoy what was counted, so that it is there when the viewer has the answer.
    pub(crate) fn flush(&self) {
        self.worker.flush(&self.stream);
    }

    /// A hook panicked: the request is answered with 503.
    pub(crate) fn fail(&self) {
        self.state.set(State::Nothing);
        let headers = [("cache-control", "no-store")];
        self.stream
            .send_response(503, headers.into_iter(), &[], "streamgate_panicked");
    }

    /// A hook panicked; the request may wait for what that was to tell it.
    pub(crate) fn fail_if_waiting(&self) {
        if matches!(self.state.get(), State::Store | State::Held) {
            self.fail();
        }
    }

    /// A hook panicked at a piece of the response's body: the viewer has its head already, unless that is
    /// held back.
    pub(crate) fn break_off(&self) {
        if self.state.get() == State::Manifest {
            return self.fail();
        }
        self.state.set(State::Nothing);
        self.stream.reset("streamgate_panicked");
    }

    /// Does with the request what the edge says.
    fn act(&self, todo: Todo, path: Option<&[u8]>) -> Go {
        self.state.set(State::Nothing);
        let (state, go) = take(todo, self.stream, path);
        self.state.set(state);
        go
    }

    /// Does with the response what the edge says; what it waits for then.
    fn act_on_response(&self, todo: ResponseTodo, ends: bool) -> State {
        self.state.set(State::Nothing);
        let state = take_response(todo, self.stream, ends, &self.body);
        self.state.set(state);
        state
    }
}
