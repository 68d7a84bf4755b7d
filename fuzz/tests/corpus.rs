//! The seeds of fuzzing, tried by `cargo test` as well: what fuzzing has found stays found.

#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::path::Path;

#[path = "../src/lib.rs"]
mod properties;

#[test]
fn accounts_requests_and_databases_of_every_kind_keep_the_promises_that_are_made_for_all() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    for (name, target) in properties::TARGETS {
        let mut seeds = 0;
        for entry in std::fs::read_dir(corpus.join(name)).unwrap() {
            let path = entry.unwrap().path();
            let input = std::fs::read(&path).unwrap();
            let kept = std::panic::catch_unwind(|| target(&input));
            assert!(kept.is_ok(), "{} breaks a promise", path.display());
            seeds += 1;
        }
        assert!(seeds > 0, "{name} has no seeds");
    }
}
