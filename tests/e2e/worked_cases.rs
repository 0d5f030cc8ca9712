//! The worked cases of the contract's section 3, through a real Envoy. P1 allows one
//! stream and stops the oldest, P2 allows two and denies the newcomer; `app1` lists
//! P1, `app2` both, `app3` P2, and each has a tenant of its own.

use serde_json::json;
use streamgate_tests::{Answer, Edge, Session, Settings};

fn edge() -> Edge {
    let application = |id: &str, policies: &[&str]| json!({"id": id, "tenant": format!("tenant of {id}"), "policies": policies});
    let policy = |name: &str, max: u32, on_conflict: &str| json!({"name": name, "rules": [{"name": "limit", "max": max, "on_conflict": on_conflict}]});
    let settings = Settings::default()
        .with(
            "/applications",
            json!([
                application("app1", &["P1"]),
                application("app2", &["P1", "P2"]),
                application("app3", &["P2"]),
            ]),
        )
        .with(
            "/policies",
            json!([policy("P1", 1, "stop_oldest"), policy("P2", 2, "deny_new")]),
        )
        .with("/playback", json!([]));
    Edge::start(settings)
}

fn start(edge: &Edge, application: &str) -> Session {
    edge.app(application).start("alice")
}

fn plays(session: &Session) {
    let _ = session.heartbeat().expect(202);
}

/// It lost its place to a rule of P1.
fn lost(session: &Session) {
    let answer: Answer = session.heartbeat().expect(409);
    let advice = &answer.json()["associatedAdvice"][0];
    assert_eq!(advice["type"], "rule-violation");
    assert_eq!(advice["policyName"], "P1");
}

#[test]
fn worked_case_1_the_second_stream_plays_and_the_first_is_refused() {
    let edge = edge();
    let s1 = start(&edge, "app1");
    let s2 = start(&edge, "app1");
    lost(&s1);
    plays(&s2);
}

#[test]
fn worked_case_2_another_tenants_application_evicts_across_the_border() {
    let edge = edge();
    let s2 = start(&edge, "app1");
    let s3 = start(&edge, "app2");
    lost(&s2);
    plays(&s3);
}

#[test]
fn worked_case_3_a_policy_does_not_see_applications_that_do_not_list_it() {
    let edge = edge();
    let s3 = start(&edge, "app2");
    let s4 = start(&edge, "app3");
    plays(&s3);
    plays(&s4);
}

#[test]
fn worked_case_4_nobody_is_evicted_where_another_policy_denies() {
    let edge = edge();
    let s3 = start(&edge, "app2");
    let s4 = start(&edge, "app3");
    let s5 = edge.app("app2").create("alice").send().expect(409);
    assert_eq!(s5.json()["associatedAdvice"][0]["policyName"], "P2");
    plays(&s3);
    plays(&s4);
    assert_eq!(edge.metric("evictions"), 0);
}

#[test]
fn worked_case_5_only_the_policies_of_its_own_application_judge_a_stream() {
    let edge = edge();
    let s3 = start(&edge, "app2");
    let s4 = start(&edge, "app3");
    let _ = edge.app("app2").create("alice").send().expect(409);
    let s6 = start(&edge, "app1");
    plays(&s6);
    lost(&s3);
    plays(&s4);
}
