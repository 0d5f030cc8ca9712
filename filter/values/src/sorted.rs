//! Short lists in order.

/// These items in ascending order of their keys; items with equal keys stay as they came.
///
/// Streams of one account are few, and come almost in order. The standard library sorts
/// faster where there are many, with code of its own for every type: 3 KB each in the
/// filter.
pub fn sorted_by_key<T, K: Ord>(
    items: impl IntoIterator<Item = T>,
    key: impl Fn(&T) -> K,
) -> Vec<T> {
    let mut sorted: Vec<T> = Vec::new();
    for item in items {
        let rank = key(&item);
        let at = sorted.partition_point(|earlier| key(earlier) <= rank);
        sorted.insert(at, item);
    }
    sorted
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
}
