//! What a page of another origin is told before it calls the session API or asks for a segment, by each
//! configuration that is shipped.

use streamgate_tests::{Answer, Edge, Jwt, Settings, project};

const SITE: &str = "https://app.example";
const SEGMENT: &str = "/vod/film/segment-1.m4s";
const CREATE: &str = "/v2/sessions/me/alice";

/// Files of `envoy/`, who answers a preflight to their session API, and the header that a page sends besides.
const FILES: [(&str, Api, &str); 9] = [
    ("edge.yaml", Api::OfCors, "x-account-id"),
    ("fleet.yaml", Api::OfCors, "x-account-id"),
    ("jwt.yaml", Api::OfCors, "x-account-token"),
    ("cat.yaml", Api::OfCors, "cta-common-access-token"),
    ("household.yaml", Api::BehindAHop, "range"),
    ("live-and-on-demand.yaml", Api::BehindAHop, "range"),
    ("device-classes.yaml", Api::BehindAHop, "range"),
    ("smallest.yaml", Api::None, "range"),
    ("hardened.yaml", Api::None, "cta-common-access-token"),
];

#[derive(Clone, Copy, PartialEq)]
enum Api {
    /// Envoy's CORS filter stands in front.
    OfCors,
    /// Clients reach a hop in front, and that answers them.
    BehindAHop,
    /// There is none.
    None,
}

fn preflight(edge: &Edge, path: &str, method: &str, headers: &str) -> Answer {
    let ask = edge.client().request("OPTIONS", path);
    let ask = ask.header("origin", SITE);
    let ask = ask.header("access-control-request-method", method);
    ask.header("access-control-request-headers", headers).send()
}

#[track_caller]
fn assert_allows(answer: &Answer, method: &str, headers: &str) {
    let said = |name: &str| {
        let said = answer.values(&format!("access-control-{name}"));
        assert_eq!(said.len(), 1, "{name}: {answer:?}");
        said[0].to_ascii_lowercase()
    };
    assert!(matches!(answer.status, 200 | 204), "{answer:?}");
    assert_eq!(said("allow-origin"), SITE);
    let lists = |list: String, one: &str| list.split(',').any(|known| known.trim() == one);
    assert!(lists(said("allow-methods"), &method.to_ascii_lowercase()));
    for header in headers.split(',') {
        assert!(lists(said("allow-headers"), header), "{header}: {answer:?}");
    }
    assert!(answer.values("access-control-allow-credentials").is_empty());
}

/// The edge of a shipped file.
fn edge(file: &'static str) -> Edge {
    let settings = Settings::shipped(file);
    Edge::start(match file {
        "jwt.yaml" => settings.with_filter(
            "envoy.filters.http.jwt_authn",
            "/providers/accounts/local_jwks/inline_string",
            Jwt::key_set(),
        ),
        _ => settings,
    })
}

fn of(api: Api) -> impl Iterator<Item = (&'static str, Edge, &'static str)> {
    let files = FILES.into_iter().filter(move |(_, its, _)| *its == api);
    files.map(|(file, _, header)| (file, edge(file), header))
}

#[track_caller]
fn assert_lets_play(edge: &Edge, header: &str) {
    assert_allows(&preflight(edge, SEGMENT, "GET", header), "GET", header);
    assert!(edge.origin.seen().is_empty());
}

const CALLS: [(&str, &str); 3] = [
    (CREATE, "POST"),
    (CREATE, "GET"),
    ("/v2/metadata", "DELETE"),
];

#[test]
fn every_shipped_file_is_tried() {
    let files = std::fs::read_dir(project().join("envoy")).expect("a directory");
    let names = files.map(|file| file.expect("a file").file_name());
    let names = names.map(|name| name.into_string().expect("text"));
    // The one is no edge, the other is edge.yaml but for the module.
    let others = ["origin.yaml", "native.yaml"];
    let mut names: Vec<_> = names
        .filter(|name| !others.contains(&name.as_str()))
        .collect();
    let mut tried = FILES.map(|(file, ..)| file.to_owned());
    names.sort();
    tried.sort();
    assert_eq!(names, tried);
}

#[test]
fn pages_play_and_call_the_session_api_where_clients_reach_it() {
    for (file, edge, header) in of(Api::OfCors) {
        assert_lets_play(&edge, header);
        let headers = format!("authorization,content-type,{header}");
        for (path, method) in CALLS {
            let answer = preflight(&edge, path, method, &headers);
            assert_allows(&answer, method, &headers);
        }
        // What a page then calls, it may read, whoever answers: in jwt.yaml it is jwt_authn that refuses.
        let call = edge.client().request("POST", CREATE).header("origin", SITE);
        let answer = call.send().expect(401);
        let said = answer.values("access-control-allow-origin");
        assert_eq!(said, [SITE], "{file}");
        let exposed = answer.values("access-control-expose-headers");
        let exposed = exposed.join(",").to_ascii_lowercase();
        for header in ["date", "expires", "location", "retry-after"] {
            assert!(exposed.contains(header), "{file}: {exposed}");
        }
    }
}

#[test]
fn pages_play_where_a_hop_stands_in_front_and_its_session_api_is_not_theirs_to_call() {
    for (file, edge, header) in of(Api::BehindAHop) {
        assert_lets_play(&edge, header);
        for (path, method) in CALLS {
            let answer = preflight(&edge, path, method, "authorization");
            let said = answer.values("access-control-allow-origin");
            assert_eq!((answer.status, said.len()), (401, 0), "{file}: {answer:?}");
        }
    }
}

#[test]
fn pages_play_where_there_is_no_session_api() {
    for (_, edge, header) in of(Api::None) {
        assert_lets_play(&edge, header);
    }
}
