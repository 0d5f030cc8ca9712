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
fn a_segment_on_the_fast_path_reads_its_path_and_sets_it_and_that_is_all() {
    let (_, scenario) = FAST_PATH;
    let cost = scenario();
    let one = |name: &str| [(name.to_owned(), 1)].into();
    assert_eq!(cost.buffer_calls, one("get_header_map_value :path"));
    assert_eq!(cost.other_calls, one("replace_header_map_value :path"));
    assert!(cost.fuel <= 5_000, "{}", cost.fuel);
}

#[test]
fn a_count_is_the_same_each_time() {
    let (_, scenario) = FAST_PATH;
    assert_eq!(scenario(), scenario());
}
