//! Random policies and streams: who plays and who goes is what trying every choice gives.

use proptest::collection::vec;
use proptest::prelude::*;
use streamgate_values::attributes::Attributes;
use streamgate_values::stream_key::StreamKey;

use super::{distinct, named, per, streams};
use crate::activity::{Activity, Stream};
use crate::target::{Condition, Target, Test};
use crate::testing::{NOW, book, key, limit, play, stream};
use crate::{Count, Event, Mode, OnConflict, Policy, Recall, Rule, Unknown, Verdict, judge};

const APPLICATIONS: [&str; 2] = ["app1", "app2"];

/// A rule, as it is made up.
#[derive(Debug, Clone)]
struct MadeUp {
    counts: Option<&'static str>,
    per_channel: bool,
    only_mobile: bool,
    max: u32,
    on_conflict: OnConflict,
}

impl MadeUp {
    fn rule(&self, number: usize) -> Rule {
        let rule = match self.counts {
            None => streams(self.max, self.on_conflict),
            Some(attribute) => distinct(attribute, self.max, self.on_conflict),
        };
        let rule = match self.per_channel {
            true => per(&["channel"], rule),
            false => rule,
        };
        let mobile = Condition {
            attribute: "deviceType".to_owned(),
            test: Test::AnyOf(vec!["mobile".to_owned()]),
        };
        let target = if self.only_mobile {
            vec![mobile]
        } else {
            Vec::new()
        };
        Rule {
            target: Target(target),
            ..named(&format!("rule-{number}"), rule)
        }
    }
}

fn made_up() -> impl Strategy<Value = MadeUp> {
    let counts = prop_oneof![
        2 => Just(None),
        1 => Just(Some("deviceId")),
        1 => Just(Some("place")),
    ];
    let on_conflict = prop_oneof![
        1 => Just(OnConflict::DenyNew),
        4 => Just(OnConflict::StopOldest),
    ];
    let looks = (prop::bool::weighted(0.3), prop::bool::weighted(0.4));
    (counts, looks, 0..4_u32, on_conflict).prop_map(|(counts, looks, max, on_conflict)| MadeUp {
        counts,
        per_channel: looks.0,
        only_mobile: looks.1,
        // None at all is rare.
        max: if max == 0 && !looks.1 { 1 } else { max },
        on_conflict,
    })
}

/// Policies by what they are of; whether each only watches, and which applications list it.
type Policies = Vec<(Vec<MadeUp>, bool, [bool; 2])>;

fn policies() -> impl Strategy<Value = Policies> {
    let one = (
        vec(made_up(), 1..3),
        prop::bool::weighted(0.15),
        [prop::bool::weighted(0.8), prop::bool::weighted(0.8)],
    );
    vec(one, 1..4)
}

/// A stream's application and attributes.
fn viewer() -> impl Strategy<Value = (usize, Attributes)> {
    let one_of = |values: &'static [&'static str]| prop::option::of(prop::sample::select(values));
    let said = (
        one_of(&["d1", "d2", "d3"]),
        one_of(&["p1", "p2"]),
        one_of(&["mobile", "tv"]),
        one_of(&["c1", "c2"]),
    );
    (0..2_usize, said).prop_map(|(application, said)| {
        let mut attributes = Attributes::default();
        let names = ["deviceId", "place", "deviceType", "channel"];
        for (name, value) in names.into_iter().zip([said.0, said.1, said.2, said.3]) {
            if let Some(value) = value {
                attributes.set(name, value);
            }
        }
        (application, attributes)
    })
}

/// Who goes, oldest first; `None` where the newcomer may not play.
type Outcome = Option<Vec<StreamKey>>;

fn judged(
    policies: &Policies,
    live: &[Stream],
    new: &(usize, Attributes),
    turned: bool,
) -> Outcome {
    let mut all: Vec<(Policy, [bool; 2])> = (0..)
        .zip(policies)
        .map(|(number, (rules, watches, listed))| {
            let mut rules: Vec<Rule> = (0..).zip(rules).map(|(n, rule)| rule.rule(n)).collect();
            if turned {
                rules.reverse();
            }
            let policy = Policy {
                rules,
                mode: if *watches {
                    Mode::Monitor
                } else {
                    Mode::Enforce
                },
                ..limit(&format!("policy-{number}"), 0, OnConflict::DenyNew)
            };
            (policy, *listed)
        })
        .collect();
    if turned {
        all.reverse();
    }
    let listed_by = |application: usize| -> Vec<String> {
        let listed = all.iter().filter(|(_, listed)| listed[application]);
        listed.map(|(policy, _)| policy.name.clone()).collect()
    };
    let listed = [listed_by(0), listed_by(1)];
    let listed = listed.each_ref().map(|names| {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        names
    });
    let applications = [
        (APPLICATIONS[0], &*listed[0]),
        (APPLICATIONS[1], &*listed[1]),
    ];
    let book = book(
        all.into_iter().map(|(policy, _)| policy).collect(),
        &applications,
    );
    let mut activity = Activity {
        streams: live.to_vec(),
        ..Activity::default()
    };
    let now = NOW.plus_ms(1_000);
    let newcomer = key(99, now);
    let mut event = play(&book, APPLICATIONS[new.0], newcomer, Unknown::IsNew);
    event.attributes = new.1.clone();
    let recall = Recall {
        watermark: streamgate_values::moment::Moment::EARLIEST,
        memory_since: NOW,
    };
    let judgement = judge(&mut activity, &Event::Play(event), &book, &recall, now);
    let gone = live
        .iter()
        .filter(|stream| activity.stream(&stream.key).is_none());
    let gone: Vec<StreamKey> = gone.map(|stream| stream.key).collect();
    match judgement.verdict {
        Verdict::Plays(plays) => {
            assert_eq!(plays.evicted, gone.len());
            Some(gone)
        }
        _ => {
            assert_eq!(gone, [], "a refusal touches nobody");
            None
        }
    }
}

/// The streams, by number, that make up each unit that a rule counts besides the newcomer's.
fn units(rule: &MadeUp, seen: &[usize], live: &[Stream], new: &Attributes) -> Vec<Vec<usize>> {
    let looked_at = seen.iter().copied().filter(|n| {
        let of = &live[*n].attributes;
        (!rule.only_mobile || of.value("deviceType") == Some("mobile"))
            && (!rule.per_channel || of.value("channel") == new.value("channel"))
    });
    let mut units: Vec<Vec<usize>> = Vec::new();
    for n in looked_at {
        let same = rule.counts.and_then(|name| {
            let value = |stream: &Stream| stream.attributes.value(name).map(str::to_owned);
            units
                .iter()
                .position(|unit| value(&live[unit[0]]) == value(&live[n]))
        });
        match same {
            Some(at) => units[at].push(n),
            None => units.push(vec![n]),
        }
    }
    units
}

/// The same by trying every choice.
fn reference(policies: &Policies, live: &[Stream], new: &(usize, Attributes)) -> Outcome {
    let mut demands: Vec<(Vec<Vec<usize>>, usize)> = Vec::new();
    for (rules, watches, listed) in policies {
        if *watches || !listed[new.0] {
            continue;
        }
        let is_seen = |n: &usize| listed[usize::from(live[*n].application == APPLICATIONS[1])];
        let seen: Vec<usize> = (0..live.len()).filter(is_seen).collect();
        for rule in rules {
            if rule.only_mobile && new.1.value("deviceType") != Some("mobile") {
                continue;
            }
            let units = units(rule, &seen, live, &new.1);
            let max = rule.max as usize;
            let own = rule.counts.and_then(|name| {
                let value = new.1.value(name);
                units
                    .iter()
                    .position(|unit| live[unit[0]].attributes.value(name) == value)
            });
            let all = units.len() + usize::from(own.is_none());
            let Some(surplus) = all.checked_sub(max).filter(|surplus| *surplus > 0) else {
                continue;
            };
            // Units stand in the order of their ages, as streams do.
            match (own, rule.on_conflict) {
                (None, OnConflict::DenyNew) => return None,
                (None, OnConflict::StopOldest) if units.len() < surplus => return None,
                (None, OnConflict::StopOldest) => demands.push((units, surplus)),
                // Of more values than a limit allows that was lowered, the later ones are denied, or
                // the oldest give way.
                (Some(rank), OnConflict::DenyNew) if rank >= max => return None,
                (Some(rank), OnConflict::StopOldest) if rank < surplus => return None,
                (Some(_), _) => {}
            }
        }
    }
    let mut candidates: Vec<&Vec<usize>> = demands.iter().flat_map(|(units, _)| units).collect();
    candidates.sort_by_key(|unit| (unit[0], unit.len(), *unit));
    candidates.dedup();
    let choices = (0_u32..1 << candidates.len()).filter_map(|bits| {
        let chosen: Vec<usize> = (0..candidates.len())
            .filter(|n| bits >> n & 1 == 1)
            .collect();
        let gone: Vec<usize> = chosen
            .iter()
            .flat_map(|n| candidates[*n])
            .copied()
            .collect();
        let met = demands.iter().all(|(units, surplus)| {
            let goes = |unit: &&Vec<usize>| unit.iter().all(|n| gone.contains(n));
            units.iter().filter(goes).count() >= *surplus
        });
        met.then_some((chosen.len(), chosen, gone))
    });
    let (_, _, mut gone) = choices.min().expect("all of them would do");
    gone.sort_unstable();
    gone.dedup();
    Some(gone.into_iter().map(|n| live[n].key).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn who_plays_and_who_goes_is_what_trying_every_choice_gives(
        policies in policies(),
        live in vec(viewer(), 0..5),
        new in viewer(),
    ) {
        let live: Vec<Stream> = (0..).zip(live).map(|(n, (application, attributes))| Stream {
            application: APPLICATIONS[application].to_owned(),
            attributes,
            ..stream(n, NOW.plus_ms(u64::from(n)))
        }).collect();
        let expected = reference(&policies, &live, &new);
        prop_assert_eq!(&judged(&policies, &live, &new, false), &expected);
        prop_assert_eq!(&judged(&policies, &live, &new, true), &expected);
    }
}

/// What is made up reaches each kind of rule there is.
#[test]
fn rules_are_made_as_they_are_made_up() {
    let made = MadeUp {
        counts: Some("place"),
        per_channel: true,
        only_mobile: true,
        max: 2,
        on_conflict: OnConflict::StopOldest,
    };
    let rule = made.rule(0);
    assert_eq!(rule.count, Count::Distinct("place".to_owned()));
    assert_eq!((rule.per.len(), rule.target.0.len(), rule.max), (1, 1, 2));
}
