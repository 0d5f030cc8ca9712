//! What is measured of each peer, and in which order.

use serde::{Deserialize, Serialize};

use crate::peer::Kind;
use crate::plan::{Plan, What};

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
    /// Segments of a fourth stream of accounts that play three, each account's in turn.
    Refused,
    /// Segments of a handful of such streams, which ask over and over.
    DeniedAgain,
    /// The same of streams that were evicted.
    EvictedAgain,
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
/// The floor for a Wasm filter that has to know and to change the path.
pub(crate) const CALLS: [&str; 2] = ["calls", "calls-200k"];

const fn case(id: &'static str, label: &'static str, kind: Kind, ask: Ask, size: Size) -> Case {
    Case {
        id,
        label,
        kind,
        ask,
        size,
    }
}

/// All cases.
#[rustfmt::skip]
pub(crate) const CASES: [Case; 46] = {
    use Ask::{
        Create, DeniedAgain, EvictedAgain, Heartbeat, LeaseDue, LeftOut, Playing, Refused, Stop, Unprotected,
        Wandering,
    };
    use Kind::{
        AuthzGrpc, AuthzHttp, Bare, Calls, Haproxy, HaproxyStick, Lua, Native, NativeApi, NativeKept, NativeNoop, Nginx,
        NginxLua, Noop, SessionApi, Streamgate,
    };
    use Size::{Segment, Tiny};
    [
        case("bare", "Envoy, bare", Bare, Playing, Tiny),
        case("bare-create", "Envoy, bare, saying as much as a create", Bare, Create, Tiny),
        case("noop", "Envoy + no-op Wasm filter", Noop, Playing, Tiny),
        case("calls", "Envoy + Wasm, host calls alone", Calls, Playing, Tiny),
        case("fast-path", "streamgate: fast path", Streamgate, Playing, Tiny),
        case("wandering", "streamgate: streams that change workers", Streamgate, Wandering, Tiny),
        case("unprotected", "streamgate: unprotected path", Streamgate, Unprotected, Tiny),
        case("left-out", "streamgate: left out by the route", Streamgate, LeftOut, Tiny),
        case("lease-due", "streamgate: lease due", Streamgate, LeaseDue, Tiny),
        case("refusal", "streamgate: refusal", Streamgate, Refused, Tiny),
        case("evicted-again", "streamgate: evicted, asking again", Streamgate, EvictedAgain, Tiny),
        case("denied-again", "streamgate: refused start, asking again", Streamgate, DeniedAgain, Tiny),
        case("create", "streamgate: session create", SessionApi, Create, Tiny),
        case("heartbeat", "streamgate: session heartbeat", SessionApi, Heartbeat, Tiny),
        case("stop", "streamgate: session stop", SessionApi, Stop, Tiny),
        case("native-noop", "Envoy + no-op native module", NativeNoop, Playing, Tiny),
        case("native", "streamgate, native: fast path", Native, Playing, Tiny),
        case("native-kept", "streamgate, native: fast path, route kept", NativeKept, Playing, Tiny),
        case("native-wandering", "streamgate, native: streams that change workers", Native, Wandering, Tiny),
        case("native-unprotected", "streamgate, native: unprotected path", Native, Unprotected, Tiny),
        case("native-lease-due", "streamgate, native: lease due", Native, LeaseDue, Tiny),
        case("native-refusal", "streamgate, native: refusal", Native, Refused, Tiny),
        case("native-evicted-again", "streamgate, native: evicted, asking again", Native, EvictedAgain, Tiny),
        case("native-denied-again", "streamgate, native: refused start, asking again", Native, DeniedAgain, Tiny),
        case("native-create", "streamgate, native: session create", NativeApi, Create, Tiny),
        case("native-heartbeat", "streamgate, native: session heartbeat", NativeApi, Heartbeat, Tiny),
        case("lua", "Envoy + Lua, three header reads", Lua, Playing, Tiny),
        case("authz-http", "Envoy + ext_authz (HTTP) + Redis", AuthzHttp, Playing, Tiny),
        case("authz-grpc", "Envoy + ext_authz (gRPC) + Redis", AuthzGrpc, Playing, Tiny),
        case("nginx", "nginx, bare", Nginx, Playing, Tiny),
        case("nginx-lua", "nginx + lua_shared_dict", NginxLua, Playing, Tiny),
        case("haproxy", "HAProxy, bare", Haproxy, Playing, Tiny),
        case("haproxy-stick", "HAProxy + stick tables", HaproxyStick, Playing, Tiny),
        case("bare-200k", "Envoy, bare", Bare, Playing, Segment),
        case("noop-200k", "Envoy + no-op Wasm filter", Noop, Playing, Segment),
        case("calls-200k", "Envoy + Wasm, host calls alone", Calls, Playing, Segment),
        case("fast-path-200k", "streamgate: fast path", Streamgate, Playing, Segment),
        case("native-noop-200k", "Envoy + no-op native module", NativeNoop, Playing, Segment),
        case("native-200k", "streamgate, native: fast path", Native, Playing, Segment),
        case("lua-200k", "Envoy + Lua, three header reads", Lua, Playing, Segment),
        case("authz-http-200k", "Envoy + ext_authz (HTTP) + Redis", AuthzHttp, Playing, Segment),
        case("authz-grpc-200k", "Envoy + ext_authz (gRPC) + Redis", AuthzGrpc, Playing, Segment),
        case("nginx-200k", "nginx, bare", Nginx, Playing, Segment),
        case("nginx-lua-200k", "nginx + lua_shared_dict", NginxLua, Playing, Segment),
        case("haproxy-200k", "HAProxy, bare", Haproxy, Playing, Segment),
        case("haproxy-stick-200k", "HAProxy + stick tables", HaproxyStick, Playing, Segment),
    ]
};

/// What is measured where only the requirements are looked at.
const REQUIRED: [&str; 25] = [
    "bare",
    "bare-create",
    "noop",
    "calls",
    "fast-path",
    "lease-due",
    "refusal",
    "evicted-again",
    "denied-again",
    "create",
    "native-noop",
    "native",
    "native-kept",
    "native-unprotected",
    "native-lease-due",
    "native-refusal",
    "native-evicted-again",
    "native-denied-again",
    "native-create",
    "authz-http",
    "authz-grpc",
    "bare-200k",
    "fast-path-200k",
    "native-noop-200k",
    "native-200k",
];

/// What needs nothing that the tests do not bring along anyway, and is not waited for twice.
fn is_at_hand(case: &Case) -> bool {
    !matches!(case.kind, Kind::AuthzHttp | Kind::AuthzGrpc) && case.id != "lease-due"
}

/// What a plan has measured.
pub(crate) fn cases(plan: &Plan) -> Vec<Case> {
    let is_required = |case: &Case| REQUIRED.contains(&case.id);
    let all = CASES.into_iter();
    match plan.what {
        What::Required => all.filter(is_required).collect(),
        What::Smoke => all.filter(is_required).filter(is_at_hand).collect(),
        What::Only => all.filter(|case| plan.only.names(case)).collect(),
        _ => all.collect(),
    }
}

impl Size {
    /// The virtual host of `bench/peers/` that answers so.
    pub(crate) fn host(self) -> &'static str {
        match self {
            Self::Tiny => "tiny.example",
            Self::Segment => "segment.example",
        }
    }

    /// What this size's cases are compared with: nothing, and the floors for Wasm filters.
    pub(crate) fn bases(self) -> [&'static str; 3] {
        [BARE, NOOP, CALLS].map(|of_sizes| of_sizes[self as usize])
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
    fn base(&self, among: &[Case]) -> Case {
        let [bare, noop, calls] = self.size.bases();
        let base = match self.id {
            "fast-path" | "fast-path-200k" => calls,
            "wandering" | "unprotected" | "left-out" => noop,
            _ => bare,
        };
        let base = among.iter().find(|case| case.id == base);
        base.copied().or(Self::named(bare)).expect("a case")
    }
}

/// One round of some cases: each of them between two slices of what it is compared with, and these
/// between two of the bare proxy.
pub(crate) fn round(cases: &[Case]) -> Vec<Case> {
    let mut round: Vec<Case> = Vec::new();
    let mut go_on_with = |case: Case| {
        if round.last() != Some(&case) {
            round.push(case);
        }
    };
    for case in cases {
        let bare = Case::named(case.size.bases()[0]).expect("a case");
        let base = case.base(cases);
        if *case != bare {
            for case in [bare, base, *case, base, bare] {
                go_on_with(case);
            }
        }
    }
    round
}

/// One round of what is looked at at a pace: each case stands between two slices of its bare
/// proxy.
pub(crate) fn paced_round(cases: &[Case], what: What) -> Vec<Case> {
    let mut round: Vec<Case> = Vec::new();
    let is_looked_at = |case: &&Case| {
        let is_floor = case.size.bases()[1..].contains(&case.id) || case.kind == Kind::NativeNoop;
        let is_looked_at = match what {
            What::Required => case.size == Size::Tiny && !is_floor && case.kind != Kind::NativeKept,
            What::Only => false,
            What::Smoke => matches!(case.id, "bare" | "native"),
            _ => true,
        };
        case.is_paced() && is_looked_at
    };
    for case in cases.iter().filter(is_looked_at) {
        let bare = Case::named(case.size.bases()[0]).expect("a case");
        if round.last() != Some(&bare) {
            round.push(bare);
        }
        if *case != bare {
            round.extend([*case, bare]);
        }
    }
    round
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan_of(line: &str) -> Plan {
        Plan::read(line.split_whitespace().map(str::to_owned)).expect("a plan")
    }

    #[test]
    fn in_a_round_every_case_stands_between_two_slices_of_its_base() {
        for plan in ["", "--required", "--smoke", "--only native-200k,create"] {
            let cases = cases(&plan_of(plan));
            let round = round(&cases);
            for case in &cases {
                let at =
                    |other: &Case| (0..round.len()).filter(|at| round[*at] == *other).collect();
                let places: Vec<usize> = at(case);
                assert!(!places.is_empty(), "{} is not measured", case.id);
                let base = case.base(&cases);
                for at in places {
                    let neighbours = [at.checked_sub(1), Some(at + 1)];
                    let neighbours = neighbours.map(|at| round.get(at?).copied());
                    let is_base = |neighbour: &Option<Case>| *neighbour == Some(base);
                    let is_itself_a_base = case.size.bases().contains(&case.id);
                    assert!(
                        neighbours.iter().all(is_base) || is_itself_a_base,
                        "{}",
                        case.id
                    );
                }
            }
        }
    }

    #[test]
    fn in_a_paced_round_every_case_stands_between_two_bare_slices() {
        let all = cases(&plan_of(""));
        let round = paced_round(&all, What::Peers);
        for case in all.iter().filter(|case| case.is_paced()) {
            let bare = case.size.bases()[0];
            let places: Vec<usize> = (0..round.len()).filter(|at| round[*at] == *case).collect();
            if case.id == bare {
                continue;
            }
            assert_eq!(places.len(), 1, "{}", case.id);
            let at = places[0];
            assert_eq!((round[at - 1].id, round[at + 1].id), (bare, bare));
        }
    }

    #[test]
    fn what_is_required_is_among_the_cases() {
        assert_eq!(cases(&plan_of("--required")).len(), REQUIRED.len());
        assert!(cases(&plan_of("--smoke")).len() > 10);
    }

    #[test]
    fn what_is_asked_for_alone_is_measured_beside_bare_envoy() {
        let ids = |line: &str| -> Vec<&str> {
            let cases = cases(&plan_of(line)).into_iter();
            cases.map(|case| case.id).collect()
        };
        assert_eq!(ids("--only native"), ["bare", "native"]);
        assert_eq!(ids("--only noop-200k"), ["bare-200k", "noop-200k"]);
    }

    #[test]
    fn no_two_cases_share_a_name() {
        let mut ids: Vec<_> = CASES.iter().map(|case| case.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CASES.len());
    }
}
