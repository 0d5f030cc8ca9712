//! Holds the built filter to `tests/vm/budget.json`.

use streamgate_vm::budget::{Budget, TOLERANCE_PERCENT};
use streamgate_vm::scenarios::FAST_PATH;

#[test]
fn every_scenario_costs_what_is_written_down() {
    let (recorded, counted) = (Budget::recorded(), Budget::counted());
    let differences = recorded.differences(&counted);
    assert!(
        differences.is_empty(),
        "\n  {}\n\n\
         The filter costs something else than tests/vm/budget.json says (instructions may be off by \
         {TOLERANCE_PERCENT} %).\n\
         If that is meant, write it down, saving or not, and say why in the commit:\n  \
         cargo run -p streamgate-vm --bin record\n\
         The budget was counted with  {}\n\
         and this filter was built by {}\n",
        differences.join("\n  "),
        recorded.toolchain,
        counted.toolchain,
    );
}

/// What the design promises, whatever is written down.
#[test]
fn a_segment_on_the_fast_path_asks_for_one_buffer_and_little_else() {
    let (_, scenario) = FAST_PATH;
    let cost = scenario();
    assert!(cost.buffers() <= 1, "{:?}", cost.buffer_calls);
    let others: u32 = cost.other_calls.values().sum();
    assert!(others <= 3, "{:?}", cost.other_calls);
    assert_eq!(cost.shared_data_writes, 0, "{:?}", cost.other_calls);
}

#[test]
fn a_count_is_the_same_each_time() {
    let (_, scenario) = FAST_PATH;
    assert_eq!(scenario(), scenario());
}
