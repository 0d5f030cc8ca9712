//! Who is called how.

use std::collections::BTreeMap;

use crate::functions::Functions;

/// From so many calls on, a function is called by a stand-in that takes its number. A stand-in
/// takes some 16 bytes, and six instructions where it is called; each call through the table
/// takes 3 to 4 bytes more than a plain one, and one instruction.
const STAND_IN_FROM: u32 = 20;

/// How functions are called that are called through the table.
#[derive(Debug, Default)]
pub struct Table {
    /// The position in the table of each function that is called through it.
    positions: BTreeMap<u32, u32>,
    /// The new number of each function whose own number its stand-in has.
    moved: BTreeMap<u32, u32>,
}

impl Table {
    /// The table for these functions: all that are called by those that do not keep their calls.
    #[must_use]
    pub fn of(functions: &Functions) -> Self {
        let (mut often, mut seldom): (Vec<_>, Vec<_>) =
            (functions.called.iter()).partition(|(_, calls)| **calls >= STAND_IN_FROM);
        // Low numbers are written in fewer bytes, so what is named at most calls comes first.
        seldom.sort_by_key(|(_, calls)| core::cmp::Reverse(**calls));
        often.sort_unstable();
        let numbers = u32::try_from(functions.types.len()).unwrap_or(u32::MAX);
        let first_new = functions.imported.saturating_add(numbers);
        let moved = (often.iter().zip(first_new..)).map(|((function, _), new)| (**function, new));
        let moved = moved.collect();
        let in_order = seldom.into_iter().chain(often);
        let positions = in_order
            .zip(0..)
            .map(|((function, _), position)| (*function, position));
        Self {
            positions: positions.collect(),
            moved,
        }
    }

    /// At which position a function stands.
    #[must_use]
    pub fn position(&self, function: u32) -> Option<u32> {
        self.positions.get(&function).copied()
    }

    /// The number of a function itself, where its own number is now its stand-in's.
    #[must_use]
    pub fn itself(&self, function: u32) -> u32 {
        self.moved.get(&function).copied().unwrap_or(function)
    }

    /// Whether calls of a function reach its stand-in.
    #[must_use]
    pub fn has_stand_in(&self, function: u32) -> bool {
        self.moved.contains_key(&function)
    }

    /// Functions that have a stand-in, by their numbers.
    pub fn moved(&self) -> impl Iterator<Item = u32> {
        self.moved.keys().copied()
    }

    /// The functions in the table, by their positions.
    #[must_use]
    pub fn elements(&self) -> Vec<u32> {
        let by_position: BTreeMap<u32, u32> = (self.positions.iter())
            .map(|(function, position)| (*position, *function))
            .collect();
        by_position
            .into_values()
            .map(|function| self.itself(function))
            .collect()
    }
}
