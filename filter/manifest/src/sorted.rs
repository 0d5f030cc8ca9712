//! Lists in order, by numbers.

use std::collections::BinaryHeap;

/// These items in ascending order of their numbers; items with equal numbers stay as they came.
///
/// Most come in order. For those that do not, the standard library's sort would take 3 KB to 8 KB
/// of the filter for every type that it sorts; its heap, for indices, takes less than one for all.
pub(crate) fn sorted_by_key<T>(items: Vec<T>, number: impl Fn(&T) -> usize) -> Vec<T> {
    if items.is_sorted_by_key(&number) {
        return items;
    }
    let order: BinaryHeap<(usize, usize)> = items.iter().map(number).zip(0..).collect();
    let order = order.into_sorted_vec();
    let mut items: Vec<Option<T>> = items.into_iter().map(Some).collect();
    let taken = order
        .into_iter()
        .map(|(_, index)| items.get_mut(index)?.take());
    taken.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_stay_in_their_order() {
        let items = vec![(3, 'a'), (1, 'b'), (3, 'c'), (2, 'd'), (1, 'e')];
        let sorted = sorted_by_key(items, |(number, _)| *number);
        assert_eq!(sorted, [(1, 'b'), (1, 'e'), (2, 'd'), (3, 'a'), (3, 'c')]);
        assert_eq!(sorted_by_key(sorted.clone(), |(number, _)| *number), sorted);
        assert!(sorted_by_key(Vec::<usize>::new(), |number| *number).is_empty());
    }
}
