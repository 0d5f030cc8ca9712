//! One worker: the filter instantiated, and the callbacks Envoy makes for a request.

use wasmtime::{Store, TypedFunc, WasmParams, WasmResults};

use crate::cost::Cost;
use crate::guest::{Guest, Stream};
use crate::host::Host;
use crate::imports::linker;
use crate::map::{Map, first};
use crate::message::{Ask, Exchange, Outcome};
use crate::module::module;

const ROOT_CONTEXT: u32 = 1;
const CONTINUE: u32 = 0;

/// Go on with the body first.
const PAUSE: u32 = 1;

/// One worker with the filter, configured.
pub struct Vm {
    store: Store<Guest>,
    callbacks: Callbacks,
    /// Id of the last request's context.
    last_context: u32,
}

/// A response under way, by its context's id.
#[derive(Debug, Clone, Copy)]
pub struct Running(u32);

/// What the module exports, as far as HTTP requests need it. Envoy makes the callbacks that
/// a module exports, and does without the others.
struct Callbacks {
    context_create: TypedFunc<(u32, u32), ()>,
    request_headers: TypedFunc<(u32, u32, u32), u32>,
    request_body: TypedFunc<(u32, u32, u32), u32>,
    response_headers: TypedFunc<(u32, u32, u32), u32>,
    response_body: TypedFunc<(u32, u32, u32), u32>,
    response_trailers: TypedFunc<(u32, u32), u32>,
    delete: TypedFunc<u32, ()>,
    tick: TypedFunc<u32, ()>,
}

impl Vm {
    /// A worker on `host`. The configuration is JSON text, as in a
    /// `google.protobuf.StringValue`; the environment has entries `NAME=value`.
    ///
    /// # Panics
    ///
    /// If the filter refuses the configuration; with the reason.
    #[must_use]
    pub fn start(host: &Host, configuration: &str, environment: &[&str]) -> Self {
        let module = module();
        let mut store = Store::new(
            module.engine(),
            Guest {
                host: host.clone(),
                configuration: configuration.as_bytes().to_vec(),
                environment: environment.iter().map(|entry| (*entry).into()).collect(),
                stream: Stream::default(),
                cost: Cost::default(),
                log: Vec::new(),
                exports: None,
            },
        );
        store.set_fuel(u64::MAX).expect("fuel is counted");
        let instance = linker(module.engine(), module)
            .and_then(|linker| linker.instantiate(&mut store, module))
            .expect("the filter is one for this host");
        let memory = instance.get_memory(&mut store, "memory").expect("memory");
        let allocate = export(&mut store, &instance, "malloc");
        store.data_mut().exports = Some((memory, allocate));

        let initialize: TypedFunc<(), ()> = export(&mut store, &instance, "_initialize");
        let configure: TypedFunc<(u32, u32), u32> =
            export(&mut store, &instance, "proxy_on_configure");
        let callbacks = Callbacks {
            context_create: export(&mut store, &instance, "proxy_on_context_create"),
            request_headers: export(&mut store, &instance, "proxy_on_request_headers"),
            request_body: export(&mut store, &instance, "proxy_on_request_body"),
            response_headers: export(&mut store, &instance, "proxy_on_response_headers"),
            response_body: export(&mut store, &instance, "proxy_on_response_body"),
            response_trailers: export(&mut store, &instance, "proxy_on_response_trailers"),
            delete: export(&mut store, &instance, "proxy_on_delete"),
            tick: export(&mut store, &instance, "proxy_on_tick"),
        };
        let mut vm = Self {
            store,
            callbacks,
            last_context: ROOT_CONTEXT,
        };
        vm.call(&initialize, ());
        vm.call(&vm.callbacks.context_create.clone(), (ROOT_CONTEXT, 0));
        let accepted = vm.call(&configure, (ROOT_CONTEXT, length(configuration.as_bytes())));
        assert!(accepted == 1, "refused: {}", vm.logged());
        vm
    }

    /// Sends a request through the filter, lets the origin answer if it gets that far, and
    /// makes every callback Envoy would.
    ///
    /// # Panics
    ///
    /// If the filter traps, or holds the request back without answering it.
    pub fn request(&mut self, ask: Ask) -> Exchange {
        self.last_context += 1;
        let context = self.last_context;
        *self.stream() = Stream {
            request: Some(ask.headers),
            properties: ask.properties.into_iter().collect(),
            response_body: ask.response,
            ..Stream::default()
        };
        let (path, request) = self.measured(|vm| vm.on_request(context, ask.body));
        let ((), response) = self.measured(|vm| vm.on_response(context, ask.origin, ask.trailers));
        let outcome = match self.stream().reply.take() {
            Some(answer) => Outcome::Answered(answer),
            None => Outcome::Served {
                path,
                body: core::mem::take(&mut self.stream().response_body),
            },
        };
        Exchange {
            request,
            response,
            outcome,
        }
    }

    /// Sends a request through the filter, and the first piece of a response that goes on.
    ///
    /// # Panics
    ///
    /// If the filter traps, or does anything but let both pass.
    pub fn begin(&mut self, ask: Ask) -> Running {
        self.last_context += 1;
        let context = self.last_context;
        *self.stream() = Stream {
            request: Some(ask.headers),
            ..Stream::default()
        };
        self.on_request(context, None);
        let status = (":status".to_owned(), ask.origin.to_string().into_bytes());
        self.stream().response = Some(vec![status]);
        let callback = self.callbacks.response_headers.clone();
        let mut action = self.call(&callback, (context, 1, 0));
        self.piece_of(Running(context));
        action |= u32::from(self.stream().reply.is_some());
        assert_eq!(action, CONTINUE, "held back or answered");
        Running(context)
    }

    /// Sends another piece of a running response.
    pub fn piece_of(&mut self, Running(context): Running) {
        let body = self.callbacks.response_body.clone();
        let action = self.call(&body, (context, 16 << 10, 0));
        assert_eq!(action, CONTINUE, "a piece was held back");
    }

    /// A running response ends, or its viewer goes.
    pub fn end(&mut self, Running(context): Running) {
        self.call(&self.callbacks.delete.clone(), context);
    }

    /// How much memory the filter has taken, in bytes. It never gives any back.
    ///
    /// # Panics
    ///
    /// Never: a worker that started has a memory.
    #[must_use]
    pub fn memory(&self) -> usize {
        let exports = self.store.data().exports.as_ref();
        let (memory, _) = exports.expect("a worker that started has a memory");
        memory.data_size(&self.store)
    }

    /// Lets the filter do what it does from time to time.
    pub fn tick(&mut self) -> Cost {
        let tick = self.callbacks.tick.clone();
        let ((), cost) = self.measured(|vm| vm.call(&tick, ROOT_CONTEXT));
        cost
    }

    /// The request's half; the path it leaves under.
    fn on_request(&mut self, context: u32, body: Option<Vec<u8>>) -> String {
        let ends = u32::from(body.is_none());
        let headers = number_of_headers(self.stream().request.as_ref());
        self.call(
            &self.callbacks.context_create.clone(),
            (context, ROOT_CONTEXT),
        );
        let mut action = self.call(
            &self.callbacks.request_headers.clone(),
            (context, headers, ends),
        );
        if let Some(body) = body
            && self.stream().reply.is_none()
        {
            let size = length(&body);
            self.stream().body = body;
            action = self.call(&self.callbacks.request_body.clone(), (context, size, 1));
        }
        self.assert_not_held(action);
        // From here on Envoy shows the request's headers no more.
        let headers = self.stream().request.take().unwrap_or_default();
        String::from_utf8_lossy(first(&headers, ":path").unwrap_or_default()).into_owned()
    }

    /// The response's half. An answer to the request takes the way of a response, too; one
    /// in place of a response does not.
    fn on_response(&mut self, context: u32, origin: u16, trailers: bool) {
        let stream = self.stream();
        let (status, mut headers, size) = match &stream.reply {
            Some(reply) => (reply.status, reply.headers.clone(), length(&reply.body)),
            None => (origin, Map::new(), length(&stream.response_body)),
        };
        let is_reply = stream.reply.is_some();
        headers.insert(0, (":status".to_owned(), status.to_string().into_bytes()));
        let number = number_of_headers(Some(&headers));
        stream.response = Some(headers);
        let action = self.call(
            &self.callbacks.response_headers.clone(),
            (context, number, 0),
        );
        // A response may be held until its body is there.
        assert!(action <= PAUSE, "held back without an answer");
        if is_reply || self.stream().reply.is_none() {
            let body = self.callbacks.response_body.clone();
            let mut action = self.call(&body, (context, size, u32::from(!trailers)));
            if trailers {
                let trailers = self.callbacks.response_trailers.clone();
                action = self.call(&trailers, (context, 1));
            }
            self.assert_not_held(action);
        }
        self.call(&self.callbacks.delete.clone(), context);
    }

    fn stream(&mut self) -> &mut Stream {
        &mut self.store.data_mut().stream
    }

    fn logged(&self) -> String {
        self.store.data().log.join("\n")
    }

    fn assert_not_held(&mut self, action: u32) {
        let answered = self.stream().reply.is_some();
        assert!(
            action == CONTINUE || answered,
            "held back without an answer"
        );
    }

    /// What `work` costs.
    fn measured<R>(&mut self, work: impl FnOnce(&mut Self) -> R) -> (R, Cost) {
        self.store.data_mut().cost = Cost::default();
        self.store.set_fuel(u64::MAX).expect("fuel is counted");
        let result = work(self);
        let left = self.store.get_fuel().expect("fuel is counted");
        let mut cost = core::mem::take(&mut self.store.data_mut().cost);
        cost.fuel = u64::MAX - left;
        (result, cost)
    }

    fn call<P: WasmParams, R: WasmResults>(
        &mut self,
        function: &TypedFunc<P, R>,
        parameters: P,
    ) -> R {
        function
            .call(&mut self.store, parameters)
            .unwrap_or_else(|trap| panic!("the filter trapped: {trap:?}\n{}", self.logged()))
    }
}

fn export<P: WasmParams, R: WasmResults>(
    store: &mut Store<Guest>,
    instance: &wasmtime::Instance,
    name: &str,
) -> TypedFunc<P, R> {
    instance
        .get_typed_func(store, name)
        .unwrap_or_else(|error| panic!("the filter exports no {name}: {error}"))
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).expect("less than 4 GiB")
}

fn number_of_headers(map: Option<&Map>) -> u32 {
    u32::try_from(map.map_or(0, Vec::len)).expect("few headers")
}
