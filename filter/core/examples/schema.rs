//! Prints `docs/configuration.schema.json`.

fn main() {
    print!("{}", streamgate_core::config::schema::text());
}
