//! **Who goes, where several rules want room at once**: the fewest, and of those the oldest.
//!
//! Each rule that a newcomer breaks under `stop_oldest` names its units, streams or values, and
//! how many of them have to go. One unit can serve several rules: a telephone that has to make
//! room for another telephone makes room for the household, too. So rules are heard first, all
//! of them, and units are chosen then, in a way that no order of rules or policies changes.

use streamgate_values::hash::HashSet;
use streamgate_values::moment::Moment;
use streamgate_values::sorted::{sorted_by, sorted_by_key};
use streamgate_values::stream_key::StreamKey;

use crate::activity::Stream;

/// How many choices are looked at before the search makes do with a good one: accounts with
/// few rules need a handful.
const CHOICES_MAX: usize = 4_096;

/// What one rule asks for.
#[derive(Debug, Clone)]
pub(super) struct Demand<'a> {
    /// What may go, oldest first: the streams that count as one.
    pub(super) units: Vec<Vec<&'a Stream>>,
    /// How many of the units have to go.
    pub(super) surplus: usize,
}

/// The streams to evict, oldest first, so that every demand is met: of all choices with the
/// fewest units the one with the oldest.
pub(super) fn smallest(demands: Vec<Demand<'_>>) -> Vec<&Stream> {
    let chosen: Vec<&Stream> = match demands.as_slice() {
        [] => return Vec::new(),
        // One rule alone gives up its oldest.
        [only] => {
            let oldest = only.units.iter().take(only.surplus);
            oldest.flatten().copied().collect()
        }
        _ => {
            // In an order of their own, whichever the configuration has.
            let demands = demands
                .into_iter()
                .map(|demand| (demand.identity(), demand));
            let demands = sorted_by(demands, |(one, _), (other, _)| one.cmp(other));
            let demands: Vec<_> = demands.into_iter().map(|(_, demand)| demand).collect();
            EvictionSearch::new(&demands).run()
        }
    };
    let mut chosen = sorted_by_key(chosen, |stream| age(stream));
    chosen.dedup_by_key(|stream| stream.key);
    chosen
}

impl Demand<'_> {
    /// Whether a stream is one of those that may go.
    pub(super) fn may_take(&self, stream: &StreamKey) -> bool {
        let mut units = self.units.iter().flatten();
        units.any(|counted| counted.key == *stream)
    }

    /// What makes it this demand: how many of which units.
    fn identity(&self) -> (usize, Vec<Vec<StreamKey>>) {
        let keys = |unit: &Vec<&Stream>| unit.iter().map(|stream| stream.key).collect();
        (self.surplus, self.units.iter().map(keys).collect())
    }
}

/// What is older comes first; what started at the same moment is told apart by key.
fn age(stream: &Stream) -> (Moment, StreamKey) {
    (stream.started_at, stream.key)
}

/// Something that can be chosen to go: a unit of one or more demands.
struct Candidate<'a> {
    streams: Vec<&'a Stream>,
    since: (Moment, StreamKey),
    /// What tells it from others but for its age: which demands count each of its streams,
    /// and in which units.
    kind: Vec<Vec<usize>>,
}

/// A choice of candidates, by their numbers in ascending order.
type Choice = Vec<usize>;

fn in_order(chosen: &Choice) -> Choice {
    sorted_by_key(chosen.iter().copied(), |number| *number)
}

struct EvictionSearch<'d, 'a> {
    demands: &'d [Demand<'a>],
    /// Oldest first; of the same age the smaller first, then the one with the older streams.
    candidates: Vec<Candidate<'a>>,
    best: Option<Choice>,
    /// Choices that were looked at, of the size that is tried.
    seen: HashSet<Choice>,
    looked_at: usize,
}

impl<'d, 'a> EvictionSearch<'d, 'a> {
    fn new(demands: &'d [Demand<'a>]) -> Self {
        let mut candidates: Vec<Candidate<'a>> = Vec::new();
        for unit in demands.iter().flat_map(|demand| &demand.units) {
            let Some(since) = unit.iter().map(|stream| age(stream)).min() else {
                continue;
            };
            let is_same = |known: &Candidate<'_>| same(&known.streams, unit);
            if !candidates.iter().any(is_same) {
                candidates.push(Candidate {
                    streams: unit.clone(),
                    since,
                    kind: Vec::new(),
                });
            }
        }
        let mut candidates = sorted_by(candidates, |one, other| {
            let smaller = (one.since, one.streams.len()).cmp(&(other.since, other.streams.len()));
            let ages = one.streams.iter().map(|stream| age(stream));
            smaller.then_with(|| ages.cmp(other.streams.iter().map(|stream| age(stream))))
        });
        let kinds: Vec<_> = candidates
            .iter()
            .map(|candidate| kind(demands, &candidate.streams))
            .collect();
        for (candidate, kind) in candidates.iter_mut().zip(kinds) {
            candidate.kind = kind;
        }
        Self {
            demands,
            candidates,
            best: None,
            seen: HashSet::default(),
            looked_at: 0,
        }
    }

    fn run(mut self) -> Vec<&'a Stream> {
        // A choice that does, in case the search has to stop early.
        let enough = self.greedy();
        for size in 1..=enough.len() {
            self.seen.clear();
            self.explore(&mut Vec::new(), size);
            if self.best.is_some() || self.looked_at >= CHOICES_MAX {
                break;
            }
        }
        let choice = self.best.take().unwrap_or(enough);
        self.streams(&choice).copied().collect()
    }

    /// Tries every choice of `size` candidates more.
    fn explore(&mut self, chosen: &mut Choice, size: usize) {
        if self.looked_at >= CHOICES_MAX {
            return;
        }
        self.looked_at = self.looked_at.saturating_add(1);
        let choice = in_order(chosen);
        let Some(demand) = self.unmet(chosen) else {
            if self.best.as_ref().is_none_or(|best| choice < *best) {
                self.best = Some(choice);
            }
            return;
        };
        // The same units, chosen in another order.
        if size == 0 || !self.seen.insert(choice) {
            return;
        }
        let mut tried: Vec<usize> = Vec::new();
        for number in 0..self.candidates.len() {
            if chosen.contains(&number)
                || !self.serves(number, demand)
                || tried.iter().any(|earlier| self.alike(*earlier, number))
            {
                continue;
            }
            tried.push(number);
            chosen.push(number);
            self.explore(chosen, size.saturating_sub(1));
            chosen.pop();
        }
    }

    /// Chooses one after the other what meets most, the oldest first.
    fn greedy(&self) -> Choice {
        let mut chosen = Choice::new();
        while self.unmet(&chosen).is_some() {
            let before = self.met(&chosen);
            let mut best: Option<(usize, usize)> = None;
            for number in 0..self.candidates.len() {
                if chosen.contains(&number) {
                    continue;
                }
                chosen.push(number);
                let gain = self.met(&chosen).saturating_sub(before);
                chosen.pop();
                if best.is_none_or(|(most, _)| gain > most) {
                    best = Some((gain, number));
                }
            }
            match best {
                Some((_, number)) => chosen.push(number),
                None => break,
            }
        }
        in_order(&chosen)
    }

    fn streams<'s>(&'s self, choice: &'s [usize]) -> impl Iterator<Item = &'s &'a Stream> {
        let candidates = choice
            .iter()
            .filter_map(|number| self.candidates.get(*number));
        candidates.flat_map(|candidate| &candidate.streams)
    }

    /// How many units of a demand a choice takes, at most as many as it asks for.
    fn taken(&self, demand: &Demand<'_>, choice: &[usize]) -> usize {
        let goes = |stream: &&Stream| self.streams(choice).any(|gone| gone.key == stream.key);
        let units = demand.units.iter().filter(|unit| unit.iter().all(goes));
        units.count().min(demand.surplus)
    }

    /// How much of all demands a choice meets.
    fn met(&self, choice: &[usize]) -> usize {
        let taken = self.demands.iter().map(|demand| self.taken(demand, choice));
        taken.fold(0, usize::saturating_add)
    }

    /// A demand that a choice leaves open.
    fn unmet(&self, choice: &[usize]) -> Option<usize> {
        let is_open = |demand: &Demand<'_>| self.taken(demand, choice) < demand.surplus;
        self.demands.iter().position(is_open)
    }

    /// Whether a candidate holds something of what a demand counts.
    fn serves(&self, candidate: usize, demand: usize) -> bool {
        let (Some(candidate), Some(demand)) =
            (self.candidates.get(candidate), self.demands.get(demand))
        else {
            return false;
        };
        let mut units = demand.units.iter().flatten();
        units.any(|stream| candidate.streams.iter().any(|own| own.key == stream.key))
    }

    /// Whether two candidates are told apart by their age alone.
    fn alike(&self, one: usize, other: usize) -> bool {
        match (self.candidates.get(one), self.candidates.get(other)) {
            (Some(one), Some(other)) => one.kind == other.kind,
            _ => false,
        }
    }
}

/// For each stream the demands that count it alone and, numbered apart, the larger units that
/// hold it.
fn kind(demands: &[Demand<'_>], streams: &[&Stream]) -> Vec<Vec<usize>> {
    let kinds: Vec<Vec<usize>> = streams
        .iter()
        .map(|stream| {
            let mut number = demands.len();
            let mut kind = Vec::new();
            for (demand, units) in demands.iter().map(|demand| &demand.units).enumerate() {
                for unit in units {
                    let is_larger = unit.len() > 1;
                    number = number.saturating_add(usize::from(is_larger));
                    if unit.iter().any(|own| own.key == stream.key) {
                        kind.push(if is_larger { number } else { demand });
                    }
                }
            }
            kind
        })
        .collect();
    sorted_by(kinds, Ord::cmp)
}

fn holds(streams: &[&Stream], unit: &[&Stream]) -> bool {
    unit.iter().all(|stream| has(streams, &stream.key))
}

fn same(one: &[&Stream], other: &[&Stream]) -> bool {
    one.len() == other.len() && holds(one, other)
}

fn has(streams: &[&Stream], key: &StreamKey) -> bool {
    streams.iter().any(|stream| stream.key == *key)
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::{NOW, stream};

    /// Which streams, by number, make up each unit of a rule, and how many units have to go.
    type Asked = (Vec<Vec<u8>>, usize);

    /// Up to three rules over up to five streams. Each looks at some of them; one that counts
    /// values puts several into one unit.
    fn asked() -> impl Strategy<Value = Vec<Asked>> {
        let rule = vec(prop::option::weighted(0.8, 0_u8..3), 5);
        let rule =
            (rule, any::<bool>(), 1..4_usize).prop_map(|(values, counts_streams, surplus)| {
                let mut units: Vec<(u8, Vec<u8>)> = Vec::new();
                for (number, value) in (0_u8..).zip(values) {
                    let Some(value) = value else { continue };
                    let value = if counts_streams { 100 + number } else { value };
                    match units.iter_mut().find(|(known, _)| *known == value) {
                        Some((_, unit)) => unit.push(number),
                        None => units.push((value, vec![number])),
                    }
                }
                let units: Vec<Vec<u8>> = units.into_iter().map(|(_, unit)| unit).collect();
                let surplus = surplus.min(units.len());
                (units, surplus)
            });
        vec(rule, 1..4)
    }

    fn demands<'a>(asked: &[Asked], all: &'a [Stream]) -> Vec<Demand<'a>> {
        let demand = |(units, surplus): &Asked| Demand {
            units: units
                .iter()
                .map(|unit| unit.iter().map(|n| &all[usize::from(*n)]).collect())
                .collect(),
            surplus: *surplus,
        };
        asked.iter().map(demand).collect()
    }

    /// Every choice of units is tried: the smallest that meets all demands, and of those the
    /// one with the oldest units.
    fn reference(asked: &[Asked]) -> Vec<u8> {
        let mut units: Vec<&Vec<u8>> = asked.iter().flat_map(|(units, _)| units).collect();
        units.sort_by_key(|unit| (unit[0], unit.len(), *unit));
        units.dedup();
        let choices = (0_u32..1 << units.len()).filter_map(|bits| {
            let chosen: Vec<usize> = (0..units.len()).filter(|n| bits >> n & 1 == 1).collect();
            let gone: Vec<u8> = chosen.iter().flat_map(|n| units[*n]).copied().collect();
            let met = asked.iter().all(|(units, surplus)| {
                let goes = |unit: &&Vec<u8>| unit.iter().all(|n| gone.contains(n));
                units.iter().filter(goes).count() >= *surplus
            });
            met.then_some((chosen.len(), chosen, gone))
        });
        let (_, _, mut gone) = choices.min().expect("all of them would do");
        gone.sort_unstable();
        gone.dedup();
        gone
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn as_few_go_as_can_and_the_oldest_of_them_in_any_order_of_rules(asked in asked()) {
            let all: Vec<Stream> = (0..5).map(|n| stream(n, NOW.plus_ms(u64::from(n)))).collect();
            let expected: Vec<StreamKey> = reference(&asked)
                .into_iter()
                .map(|n| all[usize::from(n)].key)
                .collect();
            let mut demands = demands(&asked, &all);
            for _ in 0..2 {
                let gone: Vec<_> = smallest(demands.clone()).iter().map(|one| one.key).collect();
                prop_assert_eq!(&gone, &expected);
                demands.reverse();
            }
        }
    }

    /// Nothing is looked at for long, however much there is to choose from.
    #[test]
    fn a_crowded_account_is_decided_all_the_same() {
        let all: Vec<Stream> = (0..64)
            .map(|n| stream(n, NOW.plus_ms(u64::from(n))))
            .collect();
        let asked: Vec<Asked> = (2..12_u8)
            .map(|step| {
                let units = (0..64).filter(|n| n % step != 0).map(|n| vec![n]).collect();
                (units, 9)
            })
            .collect();
        let gone = smallest(demands(&asked, &all));
        let keys: Vec<_> = gone.iter().map(|one| one.key).collect();
        for (units, surplus) in asked {
            let goes = |unit: &&Vec<u8>| keys.contains(&all[usize::from(unit[0])].key);
            assert!(units.iter().filter(goes).count() >= surplus);
        }
        // The oldest of those that every rule counts: no choice is smaller.
        let expected = [1, 13, 17, 19, 23, 29, 31, 37, 41_usize].map(|n| all[n].key);
        assert_eq!(keys, expected);
    }

    /// One that chooses what meets most first would take stream 0, and two more for what that
    /// leaves open.
    #[test]
    fn the_fewest_are_found_among_many_that_are_alike_and_many_that_are_not() {
        let all: Vec<Stream> = (0..64)
            .map(|n| stream(n, NOW.plus_ms(u64::from(n))))
            .collect();
        let rule = |numbers: &[u8], surplus: usize| -> Asked {
            (numbers.iter().map(|n| vec![*n]).collect(), surplus)
        };
        let alike: Vec<u8> = (3..44).collect();
        let mut asked = vec![
            rule(&[1], 1),
            rule(&[0, 1], 1),
            rule(&[0, 1], 1),
            rule(&[0, 2], 1),
            rule(&[0, 2], 1),
            rule(&[2], 1),
            rule(&alike, 4),
        ];
        asked.extend((50..55).map(|n| rule(&[n], 1)));
        let gone = smallest(demands(&asked, &all));
        let keys: Vec<_> = gone.iter().map(|one| one.key).collect();
        let expected = [1, 2, 3, 4, 5, 6, 50, 51, 52, 53, 54_usize].map(|n| all[n].key);
        assert_eq!(keys, expected);
    }
}
