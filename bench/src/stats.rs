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

    /// Value by value, of two samples measured side by side.
    pub(crate) fn pairwise(&self, other: &Self, by: impl Fn(f64, f64) -> f64) -> Option<Self> {
        let pairs = self.values.iter().zip(&other.values);
        Self::of(pairs.map(|(own, other)| by(*own, *other)))
    }
}

/// What a slice at `at` cost beside others, which stand at places of their own in the same
/// timeline: beside the mean of its nearest neighbour before it and the nearest behind
/// it, so that a machine whose speed drifts does not favour one of the two.
pub(crate) fn beside(at: usize, cost: f64, others: &[(usize, f64)]) -> Option<(f64, f64)> {
    let before = others.iter().rev().find(|(place, _)| *place < at);
    let behind = others.iter().find(|(place, _)| *place > at);
    let other = match (before, behind) {
        (Some((_, before)), Some((_, behind))) => f64::midpoint(*before, *behind),
        (Some((_, one)), None) | (None, Some((_, one))) => *one,
        (None, None) => return None,
    };
    Some((cost / other, cost - other))
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
        assert_eq!(beside(1, 220.0, &others), Some((2.0, 110.0)));
        assert_eq!(beside(3, 240.0, &others), Some((2.0, 120.0)));
        assert_eq!(beside(1, 1.0, &[]), None);
        // Those further away do not count.
        let others = [(0, 1.0), (2, 100.0), (4, 100.0), (6, 1.0)];
        assert_eq!(beside(3, 100.0, &others), Some((1.0, 0.0)));
    }

    #[test]
    fn samples_are_compared_pair_by_pair() {
        let (a, b) = (Sample::of([2.0, 9.0]), Sample::of([1.0, 3.0]));
        let (a, b) = (a.expect("a sample"), b.expect("a sample"));
        let ratio = a.pairwise(&b, |a, b| a / b).expect("a sample");
        assert_eq!(ratio.values, [2.0, 3.0]);
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
