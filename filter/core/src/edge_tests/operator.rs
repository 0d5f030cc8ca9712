//! The operator's door on a listener of its own, beside the viewers', over the same store.

use serde_json::{Value, json};
use streamgate_record::fleet::Ticket;
use streamgate_record::ports::StoreKey;

use super::{Ask, Outcome, World, get, json as body_of};
use crate::edge::Edge;
use crate::exchange::{Answer, Reply};
use crate::step::Step;
use crate::testing::{as_door, config_with, test};

const KEY: &str = "an operator's key of some length";
const OLD_KEY: &str = "an operator's old key of length";

/// A viewers' edge of two workers, and a worker at the door.
struct House {
    world: World,
    door: Edge,
}

impl House {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl Fn(&mut Value)) -> Self {
        let viewers = || {
            config_with(|json| {
                change(json);
            })
        };
        let world = World::with(|| viewers().unwrap());
        let door = config_with(|json| {
            change(json);
            as_door(json, json!({"keys": [KEY, OLD_KEY], "decisions": 1_024}));
        });
        let door = Edge::new(door.unwrap(), &world.host);
        let mut house = Self { world, door };
        for worker in 0..2 {
            let _ = house.world.ask(get("/elsewhere").on_worker(worker));
        }
        house.tick();
        house
    }

    fn tick(&mut self) {
        let calls = self.door.on_tick(&self.world.host);
        assert!(calls.is_empty());
        self.world.tick();
    }

    fn reply(&mut self, ask: Ask) -> Reply {
        let host = &self.world.host;
        let head = ask.headers.clone().with(":method", ask.method.as_bytes());
        let ends = ask.body.is_none();
        match self
            .door
            .on_request(host, Ticket(9), &head, &ask.path, ends)
        {
            Step::Reply(reply) => reply,
            Step::AwaitBody(pending) => {
                let body = ask.body.unwrap();
                match self.door.on_body(host, Ticket(9), pending, &body) {
                    Step::Reply(reply) => reply,
                    other => panic!("an edge alone waits for nobody: {other:?}"),
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn answer(&mut self, ask: Ask) -> Answer {
        self.reply(ask).answer
    }

    /// What a call with a good key says.
    fn says(&mut self, path: &str) -> Value {
        let answer = self.answer(with_key(get(path)));
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        body_of(&answer)
    }

    fn account(&mut self, account: &str) -> Value {
        self.says(&format!("/streamgate/v1/accounts/acme/{account}"))
    }

    fn puts(&mut self, account: &str, exception: &Value) -> Answer {
        let path = format!("/streamgate/v1/accounts/acme/{account}/exception");
        let ask = get(path).method("PUT").body(&exception.to_string());
        self.answer(with_key(ask))
    }

    fn deletes(&mut self, path: &str) -> Answer {
        self.answer(with_key(get(path).method("DELETE")))
    }

    /// A manifest as an unmodified player asks for it.
    fn manifest(&mut self, account: &str) -> Outcome {
        self.world.host.advance_ms(10);
        self.world.ask(get("/vod/a/master.m3u8").account(account))
    }
}

fn with_key(ask: Ask) -> Ask {
    ask.header("authorization", format!("Bearer {KEY}"))
}

#[test]
fn a_refusal_is_explained_by_one_call() {
    let mut house = House::new();
    for _ in 0..3 {
        house.world.play("alice");
    }
    let refusal = house.manifest("alice").reply();
    let log_entry = refusal.log_entry.unwrap();
    let cause = log_entry.cause.clone().unwrap();
    assert_eq!(
        (cause.policy.as_str(), cause.rule.as_str()),
        ("household", "three-streams")
    );
    let account = house.account("alice");
    let latest = account["decisions"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(latest["event"], "refusal");
    assert_eq!(latest["reason"], "limit-reached");
    assert_eq!(latest["policy"], "household");
    assert_eq!(latest["rule"], "three-streams");
    assert_eq!((&latest["limit"], &latest["count"]), (&json!(3), &json!(3)));
    let codes: Vec<&Value> = account["streams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|stream| &stream["code"])
        .collect();
    assert_eq!(
        latest["codes"]
            .as_array()
            .unwrap()
            .iter()
            .collect::<Vec<_>>(),
        codes
    );
    assert_eq!(account["limits"][0]["limit"], 3);
    assert_eq!(account["limits"][0]["count"], 3);
    assert_eq!(account["store"], "alone");
    // By the hash that the log has.
    let hash = log_entry.subject.unwrap().to_string();
    assert_eq!(account["account"], hash.as_str());
    let by_hash = house.says(&format!("/streamgate/v1/hashes/{hash}"));
    assert_eq!(by_hash, account);
    // And as it happens.
    let seen = house.says("/streamgate/v1/decisions?after=3");
    assert_eq!(seen["decisions"].as_array().unwrap().len(), 1, "{seen}");
    assert_eq!(seen["decisions"][0]["account"], hash.as_str());
    assert_eq!(seen["latest"], 4);
    let summary = house.says("/streamgate/v1/summary");
    assert_eq!(summary["streams"]["live"], 3);
    assert_eq!(summary["workers"], 2);
    let minute = &summary["lastMinute"];
    assert_eq!(
        (&minute["starts"], &minute["refusals"]),
        (&json!(3), &json!(1)),
        "{summary}"
    );
    assert_eq!(minute["complete"], true);
    assert!(!summary.to_string().contains("some length"), "{summary}");
}

#[test]
fn without_a_good_key_nobody_learns_anything() {
    let mut house = House::new();
    house.world.play("alice");
    let paths = [
        "/streamgate/v1/summary",
        "/streamgate/v1/accounts/acme/alice",
        "/streamgate/v1/accounts/acme/nobody",
        "/streamgate/v1/accounts/acme/%ff",
        "/streamgate/v1/nothing",
        "/streamgate/v1/decisions",
    ];
    let wrong = [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        format!("Bearer {}", &KEY[1..]),
        format!("Bearer {KEY}x"),
        format!("Basic {KEY}"),
        KEY.to_owned(),
        format!("Bearer {KEY} {KEY}"),
    ];
    let mut answers = Vec::new();
    for path in paths {
        for method in ["GET", "DELETE", "PUT", "POST"] {
            for header in &wrong {
                let ask = get(path).method(method).header("authorization", header);
                answers.push(house.answer(ask));
            }
            let bytes = get(path)
                .method(method)
                .header("authorization", b"Bearer \xff\xfe");
            answers.push(house.answer(bytes));
            answers.push(house.answer(get(path).method(method)));
        }
    }
    assert_eq!(answers[0].status, 401);
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(house.world.streams("alice"), 1);
    let old = get(paths[0]).header("authorization", format!("bearer  {OLD_KEY} "));
    assert_eq!(house.answer(old).status, 200);
}

/// The time it takes says nothing.
#[test]
fn as_much_is_computed_whatever_key_is_given() {
    use streamgate_values::mac::count::counted;

    let mut house = House::new();
    let mut cost = |key: &str| {
        let ask = get("/streamgate/v1/summary").header("authorization", format!("Bearer {key}"));
        counted(|| _ = house.answer(ask))
    };
    assert_eq!(cost(KEY), cost("x"));
    assert_eq!(cost(OLD_KEY), cost(""));
}

#[test]
fn the_door_serves_nothing_else_and_viewers_have_none() {
    let mut house = House::new();
    for path in [
        "/vod/a/1.m4s",
        "/v2/metadata",
        "/streamgatex",
        "/x/streamgate/v1/summary",
        "*",
        "",
    ] {
        assert_eq!(house.answer(with_key(get(path))).status, 404, "{path}");
    }
    for path in [
        "/streamgate/../vod/a",
        "/streamgate/%2e%2e/x",
        "/streamgate/v1/..%2fsummary",
        "/~x/streamgate/..;/v1/summary",
    ] {
        assert_eq!(house.answer(with_key(get(path))).status, 400, "{path}");
    }
    for path in [
        "/Streamgate/v1/summary",
        "//streamgate/v1/summary",
        "/~tok/streamgate/v1/summary",
    ] {
        assert_eq!(house.answer(with_key(get(path))).status, 404, "{path}");
    }
    let post = with_key(get("/streamgate/v1/summary").method("POST"));
    assert_eq!(house.answer(post).status, 405);
    for path in ["/", "/streamgate"] {
        let answer = house.answer(get(path));
        assert_eq!(
            (answer.status, answer.header("location")),
            (307, Some("/streamgate/"))
        );
    }
    let viewers = house.world.ask(with_key(get("/streamgate/v1/summary")));
    assert_eq!(viewers.served(), "/streamgate/v1/summary");
}

#[test]
fn the_page_loads_nothing_and_holds_no_secret() {
    let mut house = House::new();
    let page = house.answer(get("/streamgate/").header("accept-encoding", "gzip, br"));
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert_eq!(page.header("content-encoding"), Some("gzip"));
    assert!(page.body.len() < 8 << 10, "{}", page.body.len());
}

/// Who says nothing of codings can unpack none, as far as is known.
#[test]
fn the_page_is_packed_for_who_says_that_it_can_be() {
    let mut house = House::new();
    for (accepted, is_packed) in [
        (Some("gzip"), true),
        (Some("deflate, GZIP;q=0.5, br"), true),
        (Some("gzip;q=1.0, identity;q=0"), true),
        (None, false),
        (Some(""), false),
        (Some("identity"), false),
        (Some("gzip;q=0"), false),
        (Some("br, gzip; q=0.000"), false),
        (Some("*"), false),
        (Some("\u{fffd}"), false),
    ] {
        let ask = get("/streamgate/");
        let page = house.answer(match accepted {
            Some(accepted) => ask.header("accept-encoding", accepted),
            None => ask,
        });
        assert_eq!(page.status, 200);
        assert_eq!(page.header("vary"), Some("accept-encoding"));
        let coding = page.header("content-encoding");
        assert_eq!(coding, is_packed.then_some("gzip"), "{accepted:?}");
        let is_plain =
            page.body.starts_with(b"<!doctype html>") && page.body.ends_with(b"</html>\n");
        assert_eq!(is_plain, !is_packed, "{accepted:?}");
    }
}

#[test]
fn what_an_operator_stops_stays_stopped() {
    let mut house = House::new();
    let prefix = house.world.play("alice");
    let other = house.world.play("alice");
    let account = house.account("alice");
    let code = account["streams"][0]["code"].as_str().unwrap().to_owned();
    let stream = format!("/streamgate/v1/accounts/acme/alice/streams/{code}");
    let reply = house.reply(with_key(get(&stream).method("DELETE")));
    assert_eq!(body_of(&reply.answer)["stopped"], 1);
    let audit = reply.log_entry.unwrap();
    assert_eq!((audit.event, audit.reason), ("operator", Some("stop")));
    assert_eq!(audit.application.as_deref(), Some("operator key 1"));
    let path = String::from_utf8(reply.logged_path.unwrap()).unwrap();
    assert!(!path.contains("alice"), "{path}");
    assert_eq!(house.deletes(&stream).status, 404);

    house.world.host.advance_ms(10);
    let refused = house
        .world
        .ask(get(format!("{prefix}/vod/a/2.m4s")).on_worker(1))
        .answer();
    assert_eq!(
        refused.header("x-streamgate-reason"),
        Some("remote-termination")
    );
    let advice = &body_of(&refused)["associatedAdvice"][0];
    assert_eq!(advice["terminator"]["applicationName"], "Operator");
    let goes_on = house.world.ask(get(format!("{other}/vod/a/2.m4s")));
    assert_eq!(goes_on.served(), "/vod/a/2.m4s");

    let all = house.deletes("/streamgate/v1/accounts/acme/alice");
    assert_eq!(body_of(&all), json!({"stopped": 1, "store": "alone"}));
    assert_eq!(house.world.streams("alice"), 0);
    let ended = house.account("alice")["ended"].clone();
    assert_eq!(ended[0]["why"], "stopped-by-operator", "{ended}");
    // Nothing is banned: the viewer may start anew.
    house.world.play("alice");
    let none = house.deletes("/streamgate/v1/accounts/acme/nobody");
    assert_eq!(body_of(&none)["stopped"], 0);
}

#[test]
fn an_exception_holds_until_it_ends_or_is_taken_back() {
    let mut house = House::new();
    for _ in 0..3 {
        house.world.play("alice");
    }
    assert_eq!(house.manifest("alice").answer().status, 403);
    let more = json!({"max": 4, "reason": "quality of service", "for": "1h"});
    assert_eq!(house.puts("alice", &more).status, 200);
    house.world.play("alice");
    assert_eq!(house.manifest("alice").answer().status, 403);
    let account = house.account("alice");
    assert_eq!(account["exception"]["max"], 4);
    assert_eq!(account["limits"][0]["limit"], 4);

    let lift = "/streamgate/v1/accounts/acme/alice/exception";
    assert_eq!(house.deletes(lift).status, 200);
    assert_eq!(house.deletes(lift).status, 404);
    assert_eq!(house.account("alice")["exception"], Value::Null);
    let any = json!({"unlimited": true, "reason": "press", "for": "1h"});
    assert_eq!(house.puts("alice", &any).status, 200);
    for _ in 0..10 {
        house.world.play("alice");
    }
    assert_eq!(house.account("alice")["limits"][0]["limit"], Value::Null);
    // It outlives the account's last stream, and the sweep.
    for _ in 0..35 {
        house.world.host.advance_ms(100_000);
        house.tick();
    }
    assert_eq!(house.world.streams("alice"), 0);
    assert_eq!(house.account("alice")["exception"]["unlimited"], true);
    house.world.host.advance_ms(100_000);
    for _ in 0..3 {
        house.world.play("alice");
    }
    assert_eq!(house.manifest("alice").answer().status, 403);
    assert_eq!(house.account("alice")["exception"], Value::Null);
}

#[test]
fn a_blocked_account_plays_nothing_in_any_way() {
    let mut house = House::new();
    let prefix = house.world.play("alice");
    let block = json!({"blocked": true, "reason": "fraud", "for": "30d"});
    let done = house.puts("alice", &block);
    assert_eq!(body_of(&done)["stopped"], 1, "{done:?}");
    let again = house
        .world
        .ask(get(format!("{prefix}/vod/a/2.m4s")))
        .refusal();
    assert_eq!(again, (403, "blocked".to_owned()));
    let anew = house.manifest("alice").refusal();
    assert_eq!(anew, (403, "blocked".to_owned()));
    let create = get("/v2/sessions/acme/alice")
        .method("POST")
        .application("web");
    assert_eq!(house.world.ask(create).answer().status, 403);
    house.world.play("bob");
    let latest = house.account("alice")["decisions"].clone();
    assert!(latest.to_string().contains("\"blocked\""), "{latest}");
    assert_eq!(
        house
            .deletes("/streamgate/v1/accounts/acme/alice/exception")
            .status,
        200
    );
    house.world.host.advance_ms(10);
    house.world.play("alice");
}

#[test]
fn bad_exceptions_change_nothing() {
    let mut house = House::new();
    let path = "/streamgate/v1/accounts/acme/alice/exception";
    for body in [
        "",
        "{",
        "[]",
        "null",
        r#"{"max": 1e99, "reason": "a", "for": "1h"}"#,
    ] {
        let ask = with_key(get(path).method("PUT").body(body));
        assert_eq!(house.answer(ask).status, 400, "{body}");
    }
    let mut bytes = with_key(get(path).method("PUT"));
    bytes.body = Some(b"{\"reason\": \"\xff\"}".to_vec());
    assert_eq!(house.answer(bytes).status, 400);
    let huge = "x".repeat(16 * 1024 + 1);
    let huge = with_key(get(path).method("PUT").body(&huge));
    assert_eq!(house.answer(huge).status, 413);
    assert_eq!(house.answer(with_key(get(path).method("PUT"))).status, 400);
    assert_eq!(house.account("alice")["exception"], Value::Null);
}

/// It would look for accounts where they are not, and stop nobody.
#[test]
fn a_door_that_is_configured_otherwise_than_the_viewers_says_so() {
    let mut house = House::new();
    house.world.play("alice");
    let door = config_with(|json| {
        json["state"]["slots"] = json!(17);
        as_door(json, json!({"keys": [KEY], "decisions": 1_024}));
    });
    house.door = Edge::new(door.unwrap(), &house.world.host);
    let path = "/streamgate/v1/accounts/acme/alice";
    assert_eq!(house.answer(with_key(get(path))).status, 409);
    assert_eq!(house.deletes(path).status, 409);
    house.world.host.advance_ms(60_000);
    assert_eq!(house.deletes(path).status, 200);
}

/// They are kept whatever plays.
#[test]
fn there_are_only_so_many_exceptions() {
    let mut house = House::with(|json| json["state"]["slots"] = json!(1));
    let more = json!({"max": 4, "reason": "a", "for": "1d"});
    let statuses: Vec<u16> = (0..20)
        .map(|n| house.puts(&format!("account-{n}"), &more).status)
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 16);
    assert!(statuses[16..].iter().all(|status| *status == 409));
    // Who has one may have another.
    assert_eq!(house.puts("account-0", &more).status, 200);
    // None of them goes for those who have just played.
    for n in 0..50 {
        let account = format!("viewer-{n}");
        house.world.host.advance_ms(10);
        house.world.play(&account);
        house.deletes(&format!("/streamgate/v1/accounts/acme/{account}"));
    }
    assert_eq!(house.account("account-7")["exception"]["max"], 4);
}

#[test]
fn a_monitored_breach_is_told_like_a_refusal() {
    let mut house = House::with(|json| json["policies"][0]["mode"] = json!("monitor"));
    for _ in 0..4 {
        house.world.host.advance_ms(10);
        house.world.play("alice");
    }
    let account = house.account("alice");
    let latest = account["decisions"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&latest["event"], &latest["reason"]),
        (&json!("start"), &json!("monitored"))
    );
    assert_eq!(
        (&latest["policy"], &latest["limit"]),
        (&json!("household"), &json!(3))
    );
    assert_eq!(latest["codes"].as_array().unwrap().len(), 3);
}

#[test]
fn a_start_names_the_streams_that_were_ended_for_it() {
    let mut house = House::with(|json| json["playback"][0]["application"] = json!("mobile"));
    house.world.play("alice");
    let first = house.account("alice")["streams"][0]["code"].clone();
    house.world.host.advance_ms(10);
    house.world.play("alice");
    let account = house.account("alice");
    let latest = account["decisions"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&latest["reason"], &latest["codes"]),
        (&json!("made-room"), &json!([first]))
    );
    assert_eq!(account["ended"][0]["rule"], "one-stream");
}

#[test]
fn a_refusal_that_is_repeated_is_one_line_a_second_with_a_count() {
    let mut house = House::with(|json| json["playback"][0]["application"] = json!("mobile"));
    let prefix = house.world.play("alice");
    house.world.host.advance_ms(10);
    house.world.play("alice");
    let segment = || get(format!("{prefix}/vod/a/2.m4s"));
    let mut lines = Vec::new();
    for _ in 0..30 {
        house.world.host.advance_ms(100);
        house.world.tick();
        lines.extend(house.world.ask(segment()).reply().log_entry);
    }
    let repeated: Vec<u32> = lines.iter().map(|line| line.repeated).collect();
    assert_eq!(repeated, [0, 9, 9]);
}

#[test]
fn answers_are_bounded_however_much_there_is_to_say() {
    let mut house = House::with(|json| {
        json["policies"][0]["rules"][0]["max"] = json!(1_000);
        json["state"]["max_streams_per_subject"] = json!(1_000);
        json["sessions"]["creates_per_minute"] = json!(1_000_000);
        json["state"]["max_attribute_bytes"] = json!(10_240);
    });
    let long = "x".repeat(256);
    let form: Vec<String> = (0..30).map(|n| format!("a{n}={long}")).collect();
    for n in 0..200 {
        let create = get("/v2/sessions/acme/alice")
            .method("POST")
            .application("web");
        let create = create.body(&form.join("&"));
        assert_eq!(house.world.ask(create).answer().status, 202, "{n}");
    }
    let answer = house.answer(with_key(get("/streamgate/v1/accounts/acme/alice")));
    assert!(answer.body.len() < 256 << 10, "{}", answer.body.len());
    let account = body_of(&answer);
    let listed = account["streams"].as_array().unwrap().len();
    assert_eq!(account["otherStreams"], 200 - listed);
    assert_eq!(account["decisions"].as_array().unwrap().len(), 50);
    for _ in 0..1_000 {
        assert_eq!(house.manifest("bob").answer().status, 307);
    }
    let decisions = house.answer(with_key(get("/streamgate/v1/decisions?after=0")));
    assert_eq!(
        body_of(&decisions)["decisions"].as_array().unwrap().len(),
        100
    );
    assert!(decisions.body.len() < 128 << 10, "{}", decisions.body.len());
}

#[test]
fn an_account_of_twenty_streams_is_shown_whole_and_listed_first() {
    let mut house = House::with(|json| json["policies"][0]["rules"][0]["max"] = json!(20));
    for _ in 0..20 {
        house.world.host.advance_ms(10);
        house.world.play("alice");
    }
    for account in ["bob", "carol", "dave"] {
        house.world.play(account);
    }
    let account = house.account("alice");
    assert_eq!(account["streams"].as_array().unwrap().len(), 20);
    let asked = "/streamgate/v1/accounts?order=streams";
    house.says(asked);
    for _ in 0..3 {
        house.tick();
    }
    let accounts = house.says(asked);
    assert_eq!(accounts["complete"], true);
    assert_eq!(
        (&accounts["accounts"], &accounts["streams"]),
        (&json!(4), &json!(23))
    );
    assert_eq!(
        accounts["rows"][0],
        json!({"account": account["account"], "streams": 20})
    );
    assert_eq!(
        house.says(&format!("{asked}&page=99999999999999"))["rows"],
        json!([])
    );
    assert_eq!(house.says("/streamgate/v1/summary")["accounts"]["count"], 4);
}

#[test]
fn a_parameter_that_is_not_what_it_has_to_be_is_named() {
    let mut house = House::new();
    for (asked, name) in [
        ("accounts?page=-1", "page"),
        ("accounts?order=streams&page=x", "page"),
        ("accounts?page=0", "page"),
        ("accounts?order=x&page=1", "order"),
        ("levels?page=", "page"),
        ("decisions?after=x", "after"),
        ("decisions?after=%2D1", "after"),
    ] {
        let path = format!("/streamgate/v1/{asked}");
        let answer = house.answer(with_key(get(&path)));
        assert_eq!(answer.status, 400, "{asked}");
        let detail = body_of(&answer)["detail"].to_string();
        assert!(detail.contains(&format!("`{name}`")), "{asked}: {detail}");
    }
    for asked in [
        "accounts?after=x&sort=-1",
        "levels?order=x",
        "decisions?page=x",
        "summary?page=x",
    ] {
        house.says(&format!("/streamgate/v1/{asked}"));
    }
}

#[test]
fn a_flood_of_wrong_keys_leaves_a_few_lines_and_a_change_always_one() {
    let mut house = House::new();
    let flood = |house: &mut House| {
        let lines = (0..1_000).filter_map(|_| house.reply(get("/streamgate/v1/summary")).log_entry);
        lines.collect::<Vec<_>>()
    };
    assert_eq!(flood(&mut house).len(), 32);
    house.world.host.advance_ms(1_000);
    let lines = flood(&mut house);
    assert_eq!((lines.len(), lines[0].repeated), (32, 968));
    for _ in 0..100 {
        let stop = with_key(get("/streamgate/v1/accounts/acme/alice").method("DELETE"));
        let reply = house.reply(stop);
        assert_eq!(reply.log_entry.unwrap().event, "operator");
    }
}

/// What the door adds for viewers where nobody has one.
#[test]
fn without_a_door_nothing_is_kept() {
    let mut world = World::new();
    world.tick();
    world.play("alice");
    for key in [
        StoreKey::Decisions,
        StoreKey::Decision(1),
        StoreKey::Workers,
    ] {
        assert_eq!(world.host.stored(key), None);
    }
}
