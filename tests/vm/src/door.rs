//! What the operator's door costs a worker where much plays and much was refused: each call, and
//! each tick, in which it counts accounts and decisions.

use serde_json::{Value, json};

use crate::cost::Cost;
use crate::host::Host;
use crate::message::{Ask, get, post};
use crate::vm::Vm;

const KEY: &str = "an operator's key of some length";

const ENVIRONMENT: [&str; 2] = [
    "SIGNING_KEY=a signing key of some length",
    "SUBJECT_KEY=a subject key of some length",
];

/// How often a worker at the door has itself called, in milliseconds.
const TICK_MS: u64 = 50;

/// What plays, and under which rules.
#[derive(Debug, Clone)]
pub struct Crowd {
    /// Slots of the state.
    pub slots: u32,
    /// Accounts, each with one stream of the session API.
    pub accounts: u32,
    /// Streams of one account more.
    pub of_one: u32,
    /// Bytes of attributes that each stream has, in values of at most 200.
    pub attributes: usize,
    /// Applications, each of which lists a policy of its own that allows nobody anything.
    pub policies: u32,
    /// Policies that the account of many streams is under.
    pub listed: u32,
    /// Refusals, by the rules of these policies in turn.
    pub refusals: u32,
}

impl Default for Crowd {
    fn default() -> Self {
        Self {
            slots: 64,
            accounts: 0,
            of_one: 0,
            attributes: 0,
            policies: 0,
            listed: 1,
            refusals: 0,
        }
    }
}

/// A worker at the door, and one for viewers, of one edge.
pub struct Door {
    host: Host,
    viewers: Vm,
    door: Vm,
}

impl Door {
    /// Where this crowd plays and was refused.
    ///
    /// # Panics
    ///
    /// If a stream does not play, or is not refused.
    #[must_use]
    pub fn among(crowd: &Crowd) -> Self {
        let host = Host::new();
        let viewers = crowd.configuration();
        let mut with_door = viewers.clone();
        with_door["operator"] = json!({"keys": [KEY], "decisions": 8_192});
        let mut stage = Self {
            viewers: Vm::start(&host, &viewers.to_string(), &ENVIRONMENT),
            door: Vm::start(&host, &with_door.to_string(), &ENVIRONMENT),
            host,
        };
        // Each hears of the other within a second.
        let _ = stage.ask("GET", "/v1/summary");
        let _ = stage.create("web", "someone-before", "", 202);
        for _ in 0..25 {
            let _ = stage.tick();
        }
        let form = crowd.form();
        for n in 0..crowd.accounts {
            let _ = stage.create("web", &format!("household-{n:012}"), &form, 202);
        }
        for n in 0..crowd.of_one {
            let own = format!("channel=channel-{n}&deviceId=device-{n}&{form}");
            let _ = stage.create("all", "of-many", &own, 202);
        }
        for n in 0..crowd.refusals {
            let application = format!("app-{}", n % crowd.policies.max(1));
            let _ = stage.create(&application, &format!("refused-{}", n % 997), "", 409);
        }
        stage
    }

    fn create(&mut self, application: &str, account: &str, form: &str, status: u16) -> Cost {
        let path = format!("/v2/sessions/acme/{account}");
        let exchange = self
            .viewers
            .request(post(path, form).application(application));
        assert_eq!(exchange.answer().status, status, "{:?}", exchange.answer());
        exchange.cost()
    }

    fn with_key(&mut self, ask: Ask) -> (Cost, Value, usize) {
        let ask = ask.header("authorization", format!("Bearer {KEY}"));
        let exchange = self.door.request(ask);
        let answer = exchange.answer();
        assert_eq!(answer.status, 200, "{answer:?}");
        let bytes = answer.body.len();
        (exchange.cost(), answer.json(), bytes)
    }

    /// A call below the door's prefix: what it costs, what it says, and in how many bytes.
    ///
    /// # Panics
    ///
    /// If it is not answered with 200.
    pub fn ask(&mut self, method: &str, path: &str) -> (Cost, Value, usize) {
        self.with_key(get(format!("/streamgate{path}")).method(method))
    }

    /// The page: what it costs, and its bytes.
    pub fn page(&mut self) -> (Cost, usize) {
        let exchange = self.door.request(get("/streamgate/"));
        (exchange.cost(), exchange.answer().body.len())
    }

    /// A call that changes something, with what it costs.
    ///
    /// # Panics
    ///
    /// If it is not answered with 200.
    pub fn change(&mut self, method: &str, path: &str, body: Option<&str>) -> Cost {
        let mut ask = get(format!("/streamgate{path}")).method(method);
        ask.body = body.map(|body| body.as_bytes().to_vec());
        let (cost, _, _) = self.with_key(ask);
        cost
    }

    /// A start at the viewers' worker that the policy with this number refuses, with what it costs.
    ///
    /// # Panics
    ///
    /// If it is not refused.
    pub fn refuse(&mut self, policy: u32) -> Cost {
        self.create(
            &format!("app-{policy}"),
            &format!("tries-{policy}"),
            "",
            409,
        )
    }

    /// One tick of the viewers' worker.
    pub fn viewers_tick(&mut self) -> Cost {
        self.viewers.tick()
    }

    /// Time passes in which nobody does anything.
    pub fn advance_ms(&mut self, ms: u64) {
        self.host.advance_ms(ms);
    }

    /// One tick of the worker at the door; the other's is let pass.
    pub fn tick(&mut self) -> Cost {
        self.advance_ms(TICK_MS);
        let _ = self.viewers.tick();
        self.door.tick()
    }
}

impl Crowd {
    fn form(&self) -> String {
        let value = "x".repeat(200);
        let pairs = (0..self.attributes.div_ceil(200)).map(|n| format!("a{n}={value}"));
        pairs.collect::<Vec<_>>().join("&")
    }

    fn configuration(&self) -> Value {
        let rule =
            |name: &str, max: u32| json!({"name": name, "max": max, "on_conflict": "deny_new"});
        let mut policies = vec![json!({"name": "household", "rules": [rule("many", 1_000)]})];
        let mut applications = vec![json!(
            {"id": "web", "tenant": "demo", "policies": ["household"]}
        )];
        let mut listed = Vec::new();
        for n in 0..self.listed {
            let name = format!("listed-{n:04}");
            let channels = json!({"name": "channels", "max": 1_000, "per": ["channel"],
                "count": {"distinct": "deviceId"}, "on_conflict": "deny_new"});
            policies.push(json!({"name": name, "rules": [rule("streams", 1_000), channels]}));
            listed.push(name);
        }
        applications.push(json!({"id": "all", "tenant": "demo", "policies": listed}));
        for n in 0..self.policies {
            let name = format!("a-policy-with-a-name-of-usual-length-{n:04}");
            policies.push(json!({"name": name, "rules": [rule("nobody", 0)]}));
            let id = format!("app-{n}");
            applications.push(json!({"id": id, "tenant": "demo", "policies": [name]}));
        }
        json!({
            "applications": applications,
            "policies": policies,
            "session_api": {"subject": "trusted"},
            "sessions": {
                "heartbeat": "60s", "timeout": "1h", "creates_per_minute": 1_000_000,
                "signing_keys": [{"id": "k1", "secret": {"env": "SIGNING_KEY"}}],
            },
            "privacy": {"subject_key": {"env": "SUBJECT_KEY"}},
            "state": {
                "slots": self.slots, "max_streams_per_subject": 1_000,
                "max_attribute_bytes": 10_240,
            },
        })
    }
}
