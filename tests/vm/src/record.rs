//! Counts what every scenario costs and writes it down as the new budget:
//! `cargo run -p streamgate-vm --bin record`, after `scripts/build`.

use streamgate_vm::budget::Budget;

fn main() {
    let counted = Budget::counted();
    counted.record();
    println!("{}", counted.toolchain);
    println!("buffers  others  writes  instructions");
    for (name, cost) in &counted.scenarios {
        let others: u32 = cost.other_calls.values().sum();
        println!(
            "{:7} {others:7} {:7} {:13}  {name}",
            cost.buffers(),
            cost.shared_data_writes,
            cost.fuel
        );
    }
}
