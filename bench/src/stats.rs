//! Medians, spreads, and ratios between neighbours in time.

use serde::{Deserialize, Serialize};

/// The same figure, measured several times.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// In the order in which they were measured.
    pub(crate) values: Vec<f64>,
    /// The middle one, or the mean of the two in the middle.
    pub(crate) median: f64,
    /// The least.
    pub(crate) min: f64,
    /// The greatest.
    pub(crate) max: f64,
}

impl Sample {
    /// A sample of at least one value.
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let values: Vec<f64> = values.into_iter().collect();
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        let middle = sorted.len() / 2;
        let median = match sorted.len() % 2 {
            0 => f64::midpoint(sorted[middle - 1], sorted[middle]),
            _ => sorted[middle],
        };
        Some(Self {
            values,
            median,
            min: first,
            max: last,
        })
    }

    /// Each value as a share of one figure.
    pub(crate) fn shares_of(&self, whole: f64) -> Option<Self> {
        Self::of(self.values.iter().map(|value| value / whole))
    }
}

/// What slices cost beside others, which stand at places of their own in the same timeline, as
/// ratios and as differences: each beside the mean of its nearest neighbour before it and the
/// nearest behind it, so that a machine whose speed drifts does not favour one of the two.
///
/// Where these neighbours, which do the same, differ by more than a tenth, somebody else was at
/// work: the slice between them is left out. Unless fewer than three remain.
pub(crate) fn beside(own: &[(usize, f64)], others: &[(usize, f64)]) -> Option<(Sample, Sample)> {
    const STEADY: f64 = 1.1;
    const FEWEST: usize = 3;
    let all: Vec<Beside> = own
        .iter()
        .filter_map(|(at, cost)| Beside::of(*at, *cost, others))
        .collect();
    let is_steady = |one: &&Beside| one.apart <= STEADY;
    let enough = all.iter().filter(is_steady).count() >= FEWEST;
    let kept = all.iter().filter(|one| !enough || is_steady(one));
    let (ratios, differences): (Vec<f64>, Vec<f64>) =
        kept.map(|one| (one.ratio, one.difference)).unzip();
    Sample::of(ratios).zip(Sample::of(differences))
}

/// A slice beside its neighbours.
struct Beside {
    ratio: f64,
    difference: f64,
    /// The greater of the neighbours, the smaller being 1.
    apart: f64,
}

impl Beside {
    fn of(at: usize, cost: f64, others: &[(usize, f64)]) -> Option<Self> {
        let before = others.iter().rev().find(|(place, _)| *place < at);
        let behind = others.iter().find(|(place, _)| *place > at);
        let (_, before) = before.or(behind)?;
        let behind = behind.map_or(before, |(_, behind)| behind);
        let other = f64::midpoint(*before, *behind);
        Some(Self {
            ratio: cost / other,
            difference: cost - other,
            apart: before.max(*behind) / before.min(*behind),
        })
    }
}

/// The value below which a share of all values lies; `share` from 0 to 1.
pub(crate) fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_is_in_the_middle_and_the_spread_around_it() {
        let odd = Sample::of([3.0, 1.0, 2.0]).expect("a sample");
        assert_eq!((odd.min, odd.median, odd.max), (1.0, 2.0, 3.0));
        assert_eq!(odd.values, [3.0, 1.0, 2.0]);
        let even = Sample::of([4.0, 1.0, 3.0, 2.0]).expect("a sample");
        assert_eq!(even.median, 2.5);
        assert_eq!(Sample::of([]), None);
    }

    #[test]
    fn a_drifting_machine_does_not_change_a_ratio() {
        // A machine that becomes slower by 10 with each slice; the middle costs twice.
        let others = [(0, 100.0), (2, 120.0)];
        let (ratios, differences) = beside(&[(1, 220.0), (3, 240.0)], &others).expect("both");
        assert_eq!(ratios.values, [2.0, 2.0]);
        assert_eq!(differences.values, [110.0, 120.0]);
        assert_eq!(beside(&[(1, 1.0)], &[]), None);
        // Those further away do not count.
        let others = [(0, 1.0), (2, 100.0), (4, 100.0), (6, 1.0)];
        let (ratios, _) = beside(&[(3, 100.0)], &others).expect("one");
        assert_eq!(ratios.values, [1.0]);
    }

    #[test]
    fn a_slice_whose_neighbours_differ_is_left_out_while_enough_remain() {
        let costs = [10.0, 10.0, 10.0, 10.0, 15.0];
        let others: Vec<(usize, f64)> = (0..).step_by(2).zip(costs).collect();
        let own = [(1, 20.0), (3, 20.0), (5, 20.0), (7, 99.0)];
        let kept = |own| beside(own, &others).expect("ratios").0.values;
        assert_eq!(kept(&own), [2.0, 2.0, 2.0]);
        assert_eq!(kept(&own[1..]).len(), 3);
    }

    #[test]
    fn shares_keep_the_spread_of_what_they_are_shares() {
        let sample = Sample::of([1.0, 4.0, 2.0]).expect("a sample");
        let shares = sample.shares_of(4.0).expect("shares");
        assert_eq!((shares.min, shares.median, shares.max), (0.25, 0.5, 1.0));
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        let sorted: Vec<f64> = (1..=100).map(f64::from).collect();
        assert_eq!(percentile(&sorted, 0.5), Some(50.0));
        assert_eq!(percentile(&sorted, 0.99), Some(99.0));
        assert_eq!(percentile(&sorted, 1.0), Some(100.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
