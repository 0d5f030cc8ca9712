//! What ended a stream: told by a line of the proxy's log, and by the operator's door.

use serde_json::{Value, json};
use streamgate_record::ends::ENDS_MAX;
use streamgate_record::fleet::Ticket;

use super::{World, get, json as body_of};
use crate::edge::Edge;
use crate::step::Step;
use crate::testing::{Headers, as_door, config_with, test};

const KEY: &str = "an operator's key of some length";

/// Viewers' workers, and one at the door that they know of.
fn with_door() -> (World, Edge) {
    let mut world = World::new();
    let config = config_with(|json| as_door(json, json!({"keys": [KEY]})));
    let mut door = Edge::new(config.unwrap(), &world.host);
    let _ = door.on_tick(&world.host);
    world.host.advance_ms(1_000);
    world.tick();
    (world, door)
}

/// The lines since the last time, taken apart.
fn lines(world: &World) -> Vec<Value> {
    // Whichever worker is the first to tick.
    let lines = world.workers[1].ends(&world.host);
    let told = lines.iter().map(|line| {
        assert!(!line.contains('\n'), "{line}");
        let json = line.strip_prefix("streamgate: ").unwrap();
        serde_json::from_str(json).unwrap()
    });
    told.collect()
}

fn says(world: &World, door: &mut Edge, method: &str, path: &str) -> Value {
    let bearer = format!("Bearer {KEY}");
    let head = Headers::new(&[(":method", method), ("authorization", &bearer)]);
    match door.on_request(&world.host, Ticket(9), &head, path.as_bytes(), true) {
        Step::Reply(reply) => body_of(&reply.answer),
        other => panic!("{other:?}"),
    }
}

/// The ends among the latest decisions about alice.
fn ends(world: &World, door: &mut Edge) -> Vec<Value> {
    let account = says(world, door, "GET", "/streamgate/v1/accounts/acme/alice");
    let decisions = account["decisions"].as_array().unwrap().iter();
    let ends = decisions.filter(|one| one["event"] == "end");
    ends.cloned().collect()
}

/// Starts a session of an application as a device; its termination code.
fn session(world: &mut World, application: &str, query: &str) -> String {
    world.host.advance_ms(10);
    let path = format!("/v2/sessions/acme/alice?{query}");
    let create = get(path).method("POST").application(application);
    let answer = world.ask(create).answer();
    assert_eq!(answer.status, 202, "{answer:?}");
    let running = world.running(application, "alice");
    let newest = running.iter().max_by_key(|one| one["startTime"].as_u64());
    let code = &newest.unwrap()["terminationCode"];
    code.as_str().unwrap().to_owned()
}

#[test]
fn a_kill_is_a_line_that_says_who_went_for_whom() {
    let (mut world, mut door) = with_door();
    let victim = session(&mut world, "web", "deviceName=Living%20room%22");
    assert_eq!(lines(&world), [json!(null); 0]);
    world.host.advance_ms(20_000);
    let create = get("/v2/sessions/acme/alice?deviceName=Kitchen")
        .method("POST")
        .application("web")
        .header("x-terminate", &victim);
    assert_eq!(world.ask(create).answer().status, 202);
    let winner = world.running("web", "alice")[0]["terminationCode"].clone();
    let told = lines(&world);
    let line = &told[0];
    assert_eq!(
        told,
        [json!({
            "event": "end", "reason": "stopped-from-another-device",
            "subject": line["subject"], "stream": victim, "application": "web",
            "codes": [winner], "device": "Living room\"", "lasted_ms": 20_000,
        })]
    );
    assert_eq!(line["subject"].as_str().unwrap().len(), 32);
    assert_eq!(lines(&world), [json!(null); 0], "once, over all workers");
    let kept = &ends(&world, &mut door)[0];
    assert_eq!(kept["reason"], line["reason"]);
    assert_eq!(
        (&kept["stream"], &kept["codes"][0]),
        (&json!(victim), &winner)
    );
    assert_eq!(kept["lastedMs"], 20_000);
    assert_eq!(kept["device"], "Living room\"");
}

#[test]
fn a_lapse_is_a_line_of_whichever_worker_finds_it() {
    let (mut world, mut door) = with_door();
    let prefix = world.play("alice");
    world.host.advance_ms(1_000_000);
    for _ in 0..1_000 {
        world.host.advance_ms(100);
        world.tick();
    }
    let told = lines(&world);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["event"], &told[0]["reason"]),
        (&json!("end"), &json!("lapsed"))
    );
    assert_eq!(told[0]["application"], "web");
    assert!(!told[0].to_string().contains("alice"), "{told:?}");
    let token = prefix.trim_start_matches("/~");
    assert!(!told[0].to_string().contains(token), "{told:?}");
    assert_eq!(ends(&world, &mut door)[0]["reason"], "lapsed");
}

#[test]
fn what_an_operator_stops_is_an_end_besides_the_audit() {
    let (mut world, mut door) = with_door();
    world.play("alice");
    world.play("alice");
    let all = "/streamgate/v1/accounts/acme/alice";
    assert_eq!(says(&world, &mut door, "DELETE", all)["stopped"], 2);
    let told = lines(&world);
    let reasons: Vec<&Value> = told.iter().map(|line| &line["reason"]).collect();
    assert_eq!(reasons, ["stopped-by-operator", "stopped-by-operator"]);
    assert_eq!(ends(&world, &mut door).len(), 2);
    // Its own stop is told by the call.
    let code = session(&mut world, "web", "");
    let running = world.running("web", "alice");
    let id = running.iter().find(|one| one["terminationCode"] == code);
    let id = id.unwrap()["sessionId"].as_str().unwrap().to_owned();
    let stop = get(format!("/v2/sessions/acme/alice/{id}")).method("DELETE");
    let reply = world.ask(stop.application("web")).reply();
    assert_eq!(reply.log_entry.unwrap().event, "stop");
    assert_eq!(lines(&world), [json!(null); 0]);
}

/// More than anybody reads costs no worker its time.
#[test]
fn of_many_ends_at_once_some_are_lines_and_the_others_a_number() {
    let (mut world, mut door) = with_door();
    let accounts = ENDS_MAX + 20;
    for n in 0..accounts {
        world.play(&format!("account-{n}"));
    }
    world.host.advance_ms(1_000_000);
    for _ in 0..1_000 {
        world.host.advance_ms(100);
        world.tick();
    }
    let told = lines(&world);
    assert_eq!(told.len(), ENDS_MAX + 1);
    let last = json!({"event": "end", "reason": "left-out", "repeated": 20});
    assert_eq!(told[ENDS_MAX], last);
    let decisions = says(&world, &mut door, "GET", "/streamgate/v1/decisions?after=0");
    let decisions = decisions["decisions"].as_array().unwrap().iter();
    let kept = decisions.filter(|one| one["event"] == "end").count();
    assert!(kept > 0 && kept <= ENDS_MAX, "{kept}");
}

/// Where there is no door nothing is written for it, and the lines are there all the same.
#[test]
fn without_a_door_there_are_lines_alone() {
    let mut world = World::new();
    let victim = session(&mut world, "web", "");
    let create = get("/v2/sessions/acme/alice").method("POST");
    let create = create.application("web").header("x-terminate", &victim);
    assert_eq!(world.ask(create).answer().status, 202);
    let before = world.host.calls();
    assert_eq!(lines(&world).len(), 1);
    assert_eq!(world.host.calls(), before);
}
