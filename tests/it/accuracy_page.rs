//! The tables of `docs/accuracy.md`, held to `docs/accuracy.json`: `SKINDELTA_BLESS=1 cargo test --test it
//! accuracy_page` writes them, and fails once.

use skindelta::validate::page::{insert, tables};
use std::path::Path;

#[test]
fn the_tables_are_those_of_the_last_validation() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let read = |name: &str| std::fs::read_to_string(docs.join(name)).expect(name);
    let accuracy = serde_json::from_str(&read("accuracy.json")).expect("docs/accuracy.json");
    let old = read("accuracy.md");
    let page = insert(&old, &tables(&accuracy)).expect("docs/accuracy.md has its marks");
    if std::env::var_os("SKINDELTA_BLESS").is_some() {
        std::fs::write(docs.join("accuracy.md"), &page).expect("docs can be written");
        panic!("docs/accuracy.md is written: look at it, and run again without SKINDELTA_BLESS");
    }
    assert!(old == page, "docs/accuracy.md is stale: SKINDELTA_BLESS=1 writes its tables anew");
}
