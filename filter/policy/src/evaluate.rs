//! Every rule of every policy is heard: who is in the way of a stream that wants to
//! play, and who would go for it.
//!
//! Nothing is changed here. Each rule speaks for itself ([`Rule::says`]); this brings
//! together what they say.

use std::sync::Arc;

use streamgate_values::limits::Limits;
use streamgate_values::sorted::sorted_by_key;
use streamgate_values::stream_key::StreamKey;

use super::book::{Mode, Policy, PolicyBook};
use super::effect::WatchedRule;
use super::event::{Breach, CONFLICTS_MAX, Level, Play};
use super::evictions::{Demand, smallest};
use super::other::Other;
use super::places::Places;
use super::rule::{Contender, ContenderStanding, Count, OnConflict, Rule, Says};
use super::same_device::{replaced, would_be_replaced, would_itself_be_replaced};
use crate::activity::{Activity, EndReason, Stream};
use crate::exception::Allowance;

/// What the rules say together.
#[derive(Default)]
pub(super) struct Findings {
    pub(super) breaches: Vec<Breach>,
    /// Streams the viewer chose to stop.
    pub(super) killed: Vec<StreamKey>,
    /// Earlier streams of the same device.
    pub(super) replaced: Vec<StreamKey>,
    pub(super) evicted: Vec<(StreamKey, EndReason)>,
    /// Streams that lose their place together with the contender, if it loses its own.
    pub(super) forfeited: Vec<(StreamKey, EndReason)>,
    /// Rules that were broken where policies only watch.
    pub(super) monitored: Vec<WatchedRule>,
    /// The first of these, of a stream that starts.
    pub(super) watched: Option<Box<Breach>>,
    /// Of a stream that starts.
    pub(super) levels: Vec<Level>,
    /// How the tightest rule stands once all that go are gone, where an application asks.
    pub(super) places: Option<Places>,
}

impl Findings {
    fn evicts(&self, stream: &StreamKey) -> bool {
        self.evicted.iter().any(|(key, _)| key == stream)
    }

    /// As which of the streams that a policy sees a contender starts, which is noted; 0 where it
    /// plays already.
    fn level_of(&mut self, policy: usize, seen: &[&Stream], starts: bool) -> usize {
        if !starts {
            return 0;
        }
        let at = seen.len().saturating_add(1);
        let others = seen.iter().map(|stream| stream.reached.by(policy));
        // What it replaces has played.
        let before = others.fold(self.leaving().min(1), usize::max);
        self.levels.push(Level { policy, at, before });
        at
    }

    /// The streams that go if the contender plays.
    pub(super) fn gone(&self) -> impl Iterator<Item = StreamKey> {
        let chosen = self.killed.iter().chain(&self.replaced);
        chosen
            .chain(self.evicted.iter().map(|(key, _)| key))
            .copied()
    }

    /// How many streams go if the contender plays.
    pub(super) fn leaving(&self) -> usize {
        let chosen = self.killed.len().saturating_add(self.replaced.len());
        chosen.saturating_add(self.evicted.len())
    }
}

pub(super) fn evaluate(
    activity: &Activity,
    play: &Play,
    book: &PolicyBook,
    contender: &Contender<'_>,
) -> Findings {
    let mut others = others(activity, book, &play.stream);
    let killed = chosen_to_stop(play, book, &others);
    others.retain(|other| !killed.contains(&other.stream.key));
    let replaced = replaced(play, book, contender, &others);
    others.retain(|other| !replaced.contains(&other.stream.key));
    let mut findings = Findings {
        killed,
        replaced,
        ..Findings::default()
    };

    let starts = !matches!(contender.standing, ContenderStanding::Known { .. });
    let mut demands: Vec<RuleDemand<'_>> = Vec::new();
    let mut seen: Vec<&Stream> = Vec::with_capacity(others.len());
    let policies = || book.policies_of(&play.application);
    let enforced = policies().filter(|(_, policy)| policy.mode == Mode::Enforce);
    for (index, policy) in enforced {
        see(&mut seen, &others, index);
        let level = findings.level_of(index, &seen, starts);
        for rule in &policy.rules {
            // So it is with most rules, most of the time.
            if rule.holds_among(seen.len(), contender) {
                continue;
            }
            let end = |loser: &&Stream| (loser.key, end_by(policy, rule));
            match rule.says(seen.iter().copied(), contender) {
                Says::Fine => {}
                Says::Deny { conflicts, alike } => {
                    let breach = breach(policy, rule, by(contender), &conflicts);
                    findings.breaches.push(Breach { level, ..breach });
                    findings.forfeited.extend(alike.iter().map(end));
                }
                Says::Evict(demand) => demands.push(RuleDemand {
                    demand,
                    why: end_by(policy, rule),
                }),
            }
        }
    }
    findings.evicted = evicted(&demands);
    let watched = policies().filter(|(_, policy)| policy.mode == Mode::Monitor);
    for (index, policy) in watched {
        see(&mut seen, &others, index);
        findings.level_of(index, &seen, starts);
        let (broken, first) = rules_broken(policy, &seen, &findings, contender);
        findings.monitored.extend(broken);
        findings.watched = findings.watched.or(first);
    }
    // A segment's player has nobody to tell.
    if play.is_call && findings.breaches.is_empty() {
        others.retain(|other| !findings.evicts(&other.stream.key));
        findings.places = places(play, book, contender, &others);
    }
    findings
}

/// How the tightest rule stands for a contender that plays beside `others`.
fn places(
    play: &Play,
    book: &PolicyBook,
    contender: &Contender<'_>,
    others: &[Other<'_>],
) -> Option<Places> {
    let policies = book.policies_of(&play.application);
    let enforced = policies.filter(|(_, policy)| policy.mode == Mode::Enforce);
    let stand = enforced.flat_map(|(index, policy)| {
        let seen = move || others.iter().filter(move |other| other.is_seen_by(index));
        let rules = policy.rules.iter();
        rules.filter_map(move |rule| rule.places(seen().map(|other| other.stream), contender))
    });
    Places::tightest(stand)
}

/// What one rule wants to go, and what is said to whoever does.
struct RuleDemand<'a> {
    demand: Demand<'a>,
    why: EndReason,
}

fn end_by(policy: &Policy, rule: &Rule) -> EndReason {
    EndReason::Evicted {
        policy: policy.name.clone(),
        rule: rule.name.clone(),
    }
}

/// The streams that go so that every rule has its room, each with the first rule that wanted
/// it to go.
fn evicted(wanted: &[RuleDemand<'_>]) -> Vec<(StreamKey, EndReason)> {
    let demands: Vec<_> = wanted.iter().map(|wanted| wanted.demand.clone()).collect();
    let losers = smallest(demands);
    let with_reason = losers.iter().filter_map(|loser| {
        let wants = |wanted: &&RuleDemand<'_>| wanted.demand.may_take(&loser.key);
        let wanted = wanted.iter().find(wants)?;
        Some((loser.key, wanted.why.clone()))
    });
    with_reason.collect()
}

/// The streams that a policy sees, oldest first.
fn see<'a>(seen: &mut Vec<&'a Stream>, others: &[Other<'a>], policy: usize) {
    seen.clear();
    let by_policy = others.iter().filter(|other| other.is_seen_by(policy));
    seen.extend(by_policy.map(|other| other.stream));
}

/// The streams that a rule of a policy that only watches measures the contender against.
///
/// Denials look at the streams as they are: one policy's evictions do not make room in
/// another (worked case 4).
fn rivals<'a>(
    rule: &Rule,
    seen: &[&'a Stream],
    findings: &Findings,
) -> impl Iterator<Item = &'a Stream> {
    let denies = rule.on_conflict == OnConflict::DenyNew;
    let seen = seen.iter().copied();
    seen.filter(move |rival| denies || !findings.evicts(&rival.key))
}

/// The rules of a policy that only watches which are broken, once the streams are gone
/// that it would have replaced by later ones of their devices.
fn rules_broken(
    policy: &Policy,
    seen: &[&Stream],
    findings: &Findings,
    contender: &Contender<'_>,
) -> (Vec<WatchedRule>, Option<Box<Breach>>) {
    let holds = |rule: &Rule| rule.holds_among(seen.len(), contender);
    if policy.rules.iter().all(holds) || would_itself_be_replaced(policy, seen, contender) {
        return (Vec::new(), None);
    }
    let stays = |stream: &&&Stream| !would_be_replaced(policy, stream, seen, contender);
    let left: Vec<&Stream> = seen.iter().filter(stays).copied().collect();
    let (mut broken, mut first) = (Vec::new(), None);
    for rule in &policy.rules {
        let says = rule.says(rivals(rule, &left, findings), contender);
        if matches!(says, Says::Fine) {
            continue;
        }
        broken.push(WatchedRule::of(policy, rule));
        // Of one that plays on nobody is told again.
        if first.is_none() && !matches!(contender.standing, ContenderStanding::Known { .. }) {
            let in_the_way = match says {
                Says::Deny { conflicts, .. } => conflicts,
                _ => left.clone(),
            };
            first = Some(Box::new(breach(policy, rule, by(contender), &in_the_way)));
        }
    }
    (broken, first)
}

/// The live streams besides this one, oldest first.
fn others<'a>(activity: &'a Activity, book: &'a PolicyBook, but: &StreamKey) -> Vec<Other<'a>> {
    let others = activity
        .streams
        .iter()
        .filter(|stream| stream.key != *but)
        .map(|stream| Other {
            stream,
            application: book.application(&stream.application).map(Arc::as_ref),
        });
    sorted_by_key(others, |other| (other.stream.started_at, other.stream.key))
}

/// The live streams that the viewer chose to stop. Codes of streams that are no longer live are
/// void, and so are those of streams that the application is not shown.
fn chosen_to_stop(play: &Play, book: &PolicyBook, others: &[Other<'_>]) -> Vec<StreamKey> {
    if play.terminate.is_empty() {
        return Vec::new();
    }
    let chosen = |key: &StreamKey| {
        let code = key.termination_code();
        let mut wanted = play.terminate.iter();
        wanted.any(|wanted| wanted.eq_ignore_ascii_case(&code))
    };
    let is_shown = |other: &&Other<'_>| book.shows(&play.application, &other.stream.application);
    let shown = others.iter().filter(is_shown);
    let keys = shown.map(|other| other.stream.key);
    keys.filter(chosen).collect()
}

/// What a rule's limit depends on: the stream's own limits, and what an operator has said.
pub(super) type By<'a> = (&'a Limits, Option<Allowance>);

fn by<'a>(contender: &Contender<'a>) -> By<'a> {
    (contender.limits, contender.allowance)
}

pub(super) fn breach(
    policy: &Policy,
    rule: &Rule,
    (limits, allowance): By<'_>,
    conflicts: &[&Stream],
) -> Breach {
    let named = conflicts.iter().take(CONFLICTS_MAX);
    Breach {
        policy: policy.name.clone(),
        rule: rule.name.clone(),
        message: rule.message.clone(),
        action: rule.action.clone(),
        attribute: match &rule.count {
            Count::Streams => None,
            Count::Distinct(attribute) => Some(attribute.clone()),
        },
        threshold: rule.max_for(limits, allowance),
        scope: rule.per.clone(),
        conflicts: named.copied().cloned().collect(),
        others: conflicts.len().saturating_sub(CONFLICTS_MAX),
        room_at: conflicts.iter().map(|stream| stream.lapses_at).min(),
        level: 0,
    }
}
