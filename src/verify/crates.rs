//! What `cargo auditable` writes into a program of Rust's: the crates that it is made of.
//!
//! Source: cargo-auditable's PARSING.md and cargo-auditable.schema.json: a section with a JSON document, compressed by zlib.

use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit;
use serde_json::Value;

use crate::elf::{Bytes, Header, Reader, section};

const SECTION: &[u8] = b".dep-v0";
/// More bytes than any such document has, before and after it is taken apart.
const MOST_BYTES: u64 = 8 << 20;

/// A crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it is the program's own.
    pub is_root: bool,
}

impl Crate {
    /// The crates that a program says that it is made of, without those that only built it; none if it does not say.
    pub fn read(file: &dyn Bytes, header: &Header) -> Option<Vec<Crate>> {
        let (offset, size) = section(file, header, SECTION).filter(|(_, size)| *size <= MOST_BYTES)?;
        let compressed = Reader::new(file).read(offset, size, "the crates that it is made of").ok()?;
        let most = usize::try_from(MOST_BYTES).ok()?;
        let document = decompress_to_vec_zlib_with_limit(&compressed, most).ok()?;
        let document: Value = serde_json::from_slice(&document).ok()?;
        let text = |package: &Value, name: &str| package.get(name)?.as_str().map(str::to_owned);
        let mut crates = Vec::new();
        for package in document.get("packages")?.as_array()? {
            if text(package, "kind").as_deref() == Some("build") {
                continue;
            }
            crates.push(Crate {
                name: text(package, "name")?,
                version: text(package, "version")?,
                is_root: package.get("root").and_then(Value::as_bool).unwrap_or_default(),
            });
        }
        Some(crates)
    }
}
