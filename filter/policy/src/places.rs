//! How many places are taken of how many, as an application tells its viewer.

/// How one rule that counts streams stands for a stream that plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Places {
    /// The streams it counts together with this one, this one included.
    pub active: u32,
    /// The most it allows to this one.
    pub max: u32,
}

impl Places {
    /// Of several rules the tightest: the one that leaves the fewest places, and of those that
    /// leave as many the one that allows least.
    pub(super) fn tightest(of: impl Iterator<Item = Self>) -> Option<Self> {
        of.min_by_key(|places| {
            // Below zero after a limit was lowered.
            let left = i64::from(places.max).saturating_sub(i64::from(places.active));
            (left, places.max)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn the_tightest_leaves_the_fewest_places_and_allows_least() {
        let tightest = |all: &[(u32, u32)]| {
            let places = all.iter().map(|(active, max)| Places {
                active: *active,
                max: *max,
            });
            Places::tightest(places).map(|places| (places.active, places.max))
        };
        assert_eq!(tightest(&[]), None);
        assert_eq!(tightest(&[(1, 3), (2, 9), (4, 5)]), Some((4, 5)));
        assert_eq!(tightest(&[(4, 6), (1, 3)]), Some((1, 3)));
        assert_eq!(tightest(&[(1, 3), (4, 6)]), Some((1, 3)));
        // A limit that was lowered while they played.
        assert_eq!(tightest(&[(3, 3), (5, 2), (4, 2)]), Some((5, 2)));
        assert_eq!(
            tightest(&[(0, u32::MAX), (u32::MAX, 0)]),
            Some((u32::MAX, 0))
        );
    }
}
