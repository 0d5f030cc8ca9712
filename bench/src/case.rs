//! What is measured of each peer, and in which order.

use serde::{Deserialize, Serialize};

use crate::peer::Kind;

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Size {
    /// A few bytes from the proxy itself, so that all of the cost is the proxy's.
    Tiny,
    /// 200 KB from an upstream: the realistic case.
    Segment,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    /// Segments of live streams in turn, below their path tokens: of as many as each worker
    /// serves where players stay on their connections.
    Playing,
    /// Segments of all live streams in turn, so that each worker serves all of them.
    Wandering,
    /// A path that is not protected, as long as the others.
    Unprotected,
    /// The same, on a route that leaves the filter out.
    LeftOut,
    /// A segment of each of many streams whose lease is due.
    LeaseDue,
    /// Segments of a fourth stream of accounts that play three.
    Refused,
    /// `POST /v2/sessions/{idp}/{subject}`.
    Create,
    /// `POST /v2/sessions/{idp}/{subject}/{session}`.
    Heartbeat,
    /// `DELETE /v2/sessions/{idp}/{subject}/{session}`.
    Stop,
}

/// One line of the result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    /// What it is called in the results.
    pub(crate) id: &'static str,
    /// What it is called in tables and plots.
    pub(crate) label: &'static str,
    /// Who answers.
    pub(crate) kind: Kind,
    /// What is asked.
    pub(crate) ask: Ask,
    /// What is answered.
    pub(crate) size: Size,
}

/// What all of a size are compared with.
pub(crate) const BARE: [&str; 2] = ["bare", "bare-200k"];
/// The floor for any Wasm filter.
pub(crate) const NOOP: [&str; 2] = ["noop", "noop-200k"];

const fn playing(id: &'static str, label: &'static str, kind: Kind, size: Size) -> Case {
    Case {
        id,
        label,
        kind,
        ask: Ask::Playing,
        size,
    }
}

const fn filter(id: &'static str, label: &'static str, kind: Kind, ask: Ask) -> Case {
    Case {
        id,
        label,
        kind,
        ask,
        size: Size::Tiny,
    }
}

/// All cases.
pub(crate) const CASES: [Case; 30] = [
    playing("bare", "Envoy, bare", Kind::Bare, Size::Tiny),
    playing("noop", "Envoy + no-op Wasm filter", Kind::Noop, Size::Tiny),
    playing(
        "calls",
        "Envoy + Wasm, host calls alone",
        Kind::Calls,
        Size::Tiny,
    ),
    playing(
        "fast-path",
        "streamgate: fast path",
        Kind::Streamgate,
        Size::Tiny,
    ),
    filter(
        "wandering",
        "streamgate: streams that change workers",
        Kind::Streamgate,
        Ask::Wandering,
    ),
    filter(
        "unprotected",
        "streamgate: unprotected path",
        Kind::Streamgate,
        Ask::Unprotected,
    ),
    filter(
        "left-out",
        "streamgate: left out by the route",
        Kind::Streamgate,
        Ask::LeftOut,
    ),
    filter(
        "lease-due",
        "streamgate: lease due",
        Kind::Streamgate,
        Ask::LeaseDue,
    ),
    filter(
        "refusal",
        "streamgate: refusal",
        Kind::Streamgate,
        Ask::Refused,
    ),
    filter(
        "create",
        "streamgate: session create",
        Kind::SessionApi,
        Ask::Create,
    ),
    filter(
        "heartbeat",
        "streamgate: session heartbeat",
        Kind::SessionApi,
        Ask::Heartbeat,
    ),
    filter(
        "stop",
        "streamgate: session stop",
        Kind::SessionApi,
        Ask::Stop,
    ),
    playing(
        "lua",
        "Envoy + Lua, three header reads",
        Kind::Lua,
        Size::Tiny,
    ),
    playing(
        "authz-http",
        "Envoy + ext_authz (HTTP) + Redis",
        Kind::AuthzHttp,
        Size::Tiny,
    ),
    playing(
        "authz-grpc",
        "Envoy + ext_authz (gRPC) + Redis",
        Kind::AuthzGrpc,
        Size::Tiny,
    ),
    playing("nginx", "nginx, bare", Kind::Nginx, Size::Tiny),
    playing(
        "nginx-lua",
        "nginx + lua_shared_dict",
        Kind::NginxLua,
        Size::Tiny,
    ),
    playing("haproxy", "HAProxy, bare", Kind::Haproxy, Size::Tiny),
    playing(
        "haproxy-stick",
        "HAProxy + stick tables",
        Kind::HaproxyStick,
        Size::Tiny,
    ),
    playing("bare-200k", "Envoy, bare", Kind::Bare, Size::Segment),
    playing(
        "noop-200k",
        "Envoy + no-op Wasm filter",
        Kind::Noop,
        Size::Segment,
    ),
    playing(
        "calls-200k",
        "Envoy + Wasm, host calls alone",
        Kind::Calls,
        Size::Segment,
    ),
    playing(
        "fast-path-200k",
        "streamgate: fast path",
        Kind::Streamgate,
        Size::Segment,
    ),
    playing(
        "lua-200k",
        "Envoy + Lua, three header reads",
        Kind::Lua,
        Size::Segment,
    ),
    playing(
        "authz-http-200k",
        "Envoy + ext_authz (HTTP) + Redis",
        Kind::AuthzHttp,
        Size::Segment,
    ),
    playing(
        "authz-grpc-200k",
        "Envoy + ext_authz (gRPC) + Redis",
        Kind::AuthzGrpc,
        Size::Segment,
    ),
    playing("nginx-200k", "nginx, bare", Kind::Nginx, Size::Segment),
    playing(
        "nginx-lua-200k",
        "nginx + lua_shared_dict",
        Kind::NginxLua,
        Size::Segment,
    ),
    playing(
        "haproxy-200k",
        "HAProxy, bare",
        Kind::Haproxy,
        Size::Segment,
    ),
    playing(
        "haproxy-stick-200k",
        "HAProxy + stick tables",
        Kind::HaproxyStick,
        Size::Segment,
    ),
];

impl Size {
    /// The virtual host of `bench/peers/` that answers so.
    pub(crate) fn host(self) -> &'static str {
        match self {
            Self::Tiny => "tiny.example",
            Self::Segment => "segment.example",
        }
    }

    /// What this size's cases are compared with, and the floor among them.
    pub(crate) fn bases(self) -> [&'static str; 2] {
        match self {
            Self::Tiny => [BARE[0], NOOP[0]],
            Self::Segment => [BARE[1], NOOP[1]],
        }
    }
}

impl Case {
    /// The case of this name.
    pub(crate) fn named(id: &str) -> Option<Self> {
        CASES.into_iter().find(|case| case.id == id)
    }

    /// Whether it is looked at at a moderate load, too.
    pub(crate) fn is_paced(&self) -> bool {
        self.ask == Ask::Playing
    }

    /// What it is compared with most of all: that stands right before and behind it.
    fn base(&self) -> &'static str {
        let [bare, noop] = self.size.bases();
        match self.id {
            "calls" | "calls-200k" | "fast-path" | "fast-path-200k" => noop,
            "wandering" | "unprotected" | "left-out" => noop,
            _ => bare,
        }
    }
}

/// One round: each case, between two slices of what it is compared with.
pub(crate) fn round() -> Vec<Case> {
    let mut round: Vec<Case> = Vec::new();
    let mut go_on_with = |id: &str| {
        let case = Case::named(id).expect("a case");
        if round.last() != Some(&case) {
            round.push(case);
        }
    };
    for case in CASES {
        let [bare, noop] = case.size.bases();
        if case.id == bare || case.id == noop {
            continue;
        }
        let base = case.base();
        if base == noop {
            go_on_with(bare);
        }
        go_on_with(base);
        go_on_with(case.id);
        go_on_with(base);
        if base == noop {
            go_on_with(bare);
        }
    }
    round
}

/// One round of what is looked at at a pace: each case stands between two slices of its bare
/// proxy.
pub(crate) fn paced_round() -> Vec<Case> {
    let mut round: Vec<Case> = Vec::new();
    for case in CASES.into_iter().filter(Case::is_paced) {
        let [bare, _] = case.size.bases();
        let bare = Case::named(bare).expect("a case");
        if round.last() != Some(&bare) {
            round.push(bare);
        }
        if case != bare {
            round.extend([case, bare]);
        }
    }
    round
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_a_round_every_case_stands_between_two_slices_of_its_base() {
        let round = round();
        for case in CASES {
            let [bare, noop] = case.size.bases();
            let places: Vec<usize> = (0..round.len()).filter(|at| round[*at] == case).collect();
            assert!(!places.is_empty(), "{} is not measured", case.id);
            if case.id == bare || case.id == noop {
                continue;
            }
            assert_eq!(places.len(), 1, "{}", case.id);
            let at = places[0];
            assert_eq!(round[at - 1].id, case.base());
            assert_eq!(round[at + 1].id, case.base());
        }
    }

    #[test]
    fn in_a_paced_round_every_case_stands_between_two_bare_slices() {
        let round = paced_round();
        for case in CASES.into_iter().filter(Case::is_paced) {
            let [bare, _] = case.size.bases();
            let places: Vec<usize> = (0..round.len()).filter(|at| round[*at] == case).collect();
            if case.id == bare {
                continue;
            }
            assert_eq!(places.len(), 1, "{}", case.id);
            let at = places[0];
            assert_eq!((round[at - 1].id, round[at + 1].id), (bare, bare));
        }
    }

    #[test]
    fn no_two_cases_share_a_name() {
        let mut ids: Vec<_> = CASES.iter().map(|case| case.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CASES.len());
    }
}
