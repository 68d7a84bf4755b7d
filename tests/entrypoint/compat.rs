//! Where gb differs from the originals on purpose: each difference stands in docs/compat.md, with its reason.

use crate::case::Case;
use crate::inside;

/// The name that docs/compat.md has for a difference, in backticks.
pub type Deviation = &'static str;

/// A test that docs/compat.md has a line for a difference.
pub fn is_documented(id: Deviation) -> Case {
    Case::anywhere(format!("docs/compat.md tells of {id}"), move || {
        let path = inside::docs().join("compat.md");
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let quoted = format!("`{id}`");
        assert!(
            text.lines().any(|line| line.contains(&quoted)),
            "{} has no line with {quoted}",
            path.display()
        );
    })
}
