//! Lists in order.

use core::cmp::Ordering;

/// These items in ascending order of their keys; items with equal keys stay as they came.
///
/// The standard library's sort is made anew for every type that it sorts, and each takes 3 KB to
/// 5 KB of the filter. Here it is made once, for indices.
pub fn sorted_by_key<T, K: Ord>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    sorted_by(items, |one, other| key(one).cmp(&key(other)))
}

/// These items in ascending order, as `compare` has it; items that are equal stay as they came.
pub fn sorted_by<T>(
    items: impl IntoIterator<Item = T>,
    compare: impl Fn(&T, &T) -> Ordering,
) -> Vec<T> {
    let mut items: Vec<T> = items.into_iter().collect();
    let swaps = swaps(
        items.len(),
        &|one, other| match (items.get(one), items.get(other)) {
            (Some(one), Some(other)) => compare(one, other),
            _ => Ordering::Equal,
        },
    );
    for (one, other) in swaps {
        items.swap(one, other);
    }
    items
}

/// What to swap, one after the other, to have so many items in order.
#[inline(never)]
fn swaps(count: usize, compare: &dyn Fn(usize, usize) -> Ordering) -> Vec<(usize, usize)> {
    // Streams of one account come almost in order.
    if (1..count).all(|index| compare(index.saturating_sub(1), index) != Ordering::Greater) {
        return Vec::new();
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_unstable_by(|one, other| compare(*one, *other).then(one.cmp(other)));
    // Which item stands at each index, and at which index each item.
    let mut standing: Vec<usize> = (0..count).collect();
    let mut index_of = standing.clone();
    let mut swaps = Vec::new();
    for (to, item) in order.into_iter().enumerate() {
        let from = index_of.get(item).copied().unwrap_or(to);
        let moved = standing.get(to).copied().unwrap_or_default();
        if let (Some(at), Some(index)) = (standing.get_mut(from), index_of.get_mut(moved)) {
            (*at, *index) = (moved, from);
        }
        if from != to {
            swaps.push((to, from));
        }
    }
    swaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::test;

    #[test]
    fn equal_keys_stay_in_their_order() {
        let items = [(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        let sorted = sorted_by_key(items, |(key, _)| *key);
        assert_eq!(sorted, [(1, 'b'), (1, 'e'), (2, 'd'), (3, 'a'), (3, 'c')]);
        assert!(sorted_by_key([0_u8; 0], |key| *key).is_empty());
    }

    #[test]
    fn a_long_list_is_sorted_like_a_short_one() {
        let items = (0..500_u32).map(|n| (n * 7_919 % 97, n));
        let mut expected: Vec<_> = items.clone().collect();
        expected.sort_unstable();
        assert_eq!(sorted_by_key(items, |(key, _)| *key), expected);
        // None of a swap is looked for along all before it.
        let behind = (1..100_000).chain([0]);
        assert!(sorted_by_key(behind, |key| *key).into_iter().eq(0..100_000));
        let falling = sorted_by(0..9, |one, other| other.cmp(one));
        assert_eq!(falling, [8, 7, 6, 5, 4, 3, 2, 1, 0]);
    }
}
