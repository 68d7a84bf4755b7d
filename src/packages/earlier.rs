//! A manifest that is read again: what is known of a root that is added to.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::ReadError;
use super::by_path::ByPath;
use super::licence::Declared;
use super::manifest::{Described, SCHEMA};
use super::package::{Package, Record, RpmRecord, Source};

/// What a manifest says.
#[derive(Debug, Default)]
pub struct Earlier {
    /// The packages.
    pub packages: Vec<Described>,
    /// The databases that know them.
    pub databases: Vec<PathBuf>,
    /// The files and links, by their paths.
    pub files: ByPath<EarlierFile>,
}

/// What a manifest says of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierFile {
    /// SHA-256 of a file, or what a link says.
    pub is: String,
    /// Where it was from.
    pub source: Option<PathBuf>,
    /// The packages whose it is: places in their list.
    pub packages: Option<Vec<usize>>,
    /// Why it is there.
    pub reason: String,
}

impl Earlier {
    /// Reads a manifest, which is at `path`. Another form than this version's, or another document, is an error.
    pub fn read(manifest: &[u8], path: &Path) -> Result<Earlier, ReadError> {
        let wrong = |reason: &str| ReadError::new(path, reason, Some("remove it: it will be made anew"));
        let manifest: Value =
            serde_json::from_slice(manifest).map_err(|error| wrong(&format!("no manifest: {error}")))?;
        if manifest.get("schema").and_then(Value::as_u64) != Some(SCHEMA) {
            return Err(wrong("not a manifest of a form that is known"));
        }
        let mut earlier = Earlier {
            databases: values(&manifest, "databases")
                .iter()
                .filter_map(|value| Some(PathBuf::from(value.as_str()?)))
                .collect(),
            ..Earlier::default()
        };
        let mut ids = Vec::new();
        for value in values(&manifest, "packages") {
            let (id, described) = described(value).ok_or_else(|| wrong("a package has no name"))?;
            ids.push(id);
            earlier.packages.push(described);
        }
        for value in values(&manifest, "files") {
            let (path, file) = file(value, &ids).ok_or_else(|| wrong("a file has no path"))?;
            earlier.files.insert(path, file);
        }
        Ok(earlier)
    }

    /// Which of the packages have a file that stays. (What they have in common with a package that comes, such as a licence,
    /// is not a reason for them to be there.)
    pub fn left(&self, stays: &dyn Fn(&Path) -> bool) -> Vec<bool> {
        let mut left = vec![false; self.packages.len()];
        for (_, file) in self.files.iter().filter(|(path, _)| stays(path)) {
            for place in file.packages.iter().flatten() {
                if let Some(left) = left.get_mut(*place) {
                    *left = true;
                }
            }
        }
        left
    }
}

fn values<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

/// A package, and what it is called in the manifest.
fn described(value: &Value) -> Option<(String, Described)> {
    let (id, name) = (text(value, "id")?, text(value, "name")?);
    let record = match text(value, "kind")?.as_str() {
        "rpm" => Record::Rpm(RpmRecord {
            epoch: value.get("epoch").and_then(Value::as_u64).and_then(|epoch| u32::try_from(epoch).ok()),
            source_rpm: text(value, "source_rpm"),
            modularity: text(value, "modularity"),
            ..RpmRecord::default()
        }),
        "apk" => Record::Apk { stanza: Vec::new(), files: Vec::new() },
        // The label has the architecture only then.
        _ => Record::Deb { stanza: Vec::new(), is_multi_arch: id.starts_with(&format!("{name}:")) },
    };
    let source = value
        .get("source")
        .and_then(|source| Some(Source { name: text(source, "name")?, version: text(source, "version") }));
    let references = value.get("licence_names").and_then(Value::as_object);
    let mut licence = Declared { expression: text(value, "licence"), ..Declared::default() };
    for (name, text) in references.into_iter().flatten() {
        licence.references.insert(name.clone(), text.as_str().unwrap_or_default().to_owned());
    }
    let package = Package {
        name,
        version: text(value, "version").unwrap_or_default(),
        architecture: text(value, "architecture"),
        source,
        licence: None,
        supplier: text(value, "supplier"),
        homepage: text(value, "homepage"),
        files: Vec::new(),
        record,
    };
    Some((id, Described::new(package, licence)))
}

fn file(value: &Value, ids: &[String]) -> Option<(PathBuf, EarlierFile)> {
    let packages = value.get("packages").and_then(Value::as_array).map(|packages| {
        packages.iter().filter_map(|id| ids.iter().position(|known| id == known)).collect::<Vec<_>>()
    });
    let file = EarlierFile {
        is: text(value, "sha256").or_else(|| text(value, "link"))?,
        source: text(value, "source").map(PathBuf::from),
        packages,
        reason: text(value, "reason").unwrap_or_default(),
    };
    Some((PathBuf::from(text(value, "path")?), file))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::manifest::tests::with_example;
    use crate::packages::{Contents, Item, ItemKind};

    #[test]
    fn what_is_read_again_makes_the_same_manifest() {
        with_example(false, |contents| {
            let manifest = contents.manifest();
            let earlier = Earlier::read(manifest.as_bytes(), Path::new("/m")).unwrap();
            let items: Vec<Item> = contents
                .items
                .iter()
                .map(|item| {
                    let file = earlier.files.get(&item.path).unwrap();
                    match &item.kind {
                        ItemKind::File(digests) => assert_eq!(digests.sha256, file.is),
                        ItemKind::Link(target) => assert_eq!(target, Path::new(&file.is)),
                    }
                    let (source, packages) = (file.source.clone(), file.packages.clone());
                    Item { source, packages, reason: file.reason.clone(), ..item.clone() }
                })
                .collect();
            let again = Contents {
                packages: &earlier.packages,
                databases: &earlier.databases,
                items: &items,
                ..*contents
            };
            assert_eq!(again.manifest(), manifest);
            assert_eq!(again.cyclonedx(), contents.cyclonedx());
        });
    }

    #[test]
    fn what_is_no_manifest_is_refused_with_the_remedy() {
        for text in ["", "{}", "[]", "{\"schema\": 2}", "{\"schema\": 1, \"files\": [{}]}"] {
            let error = Earlier::read(text.as_bytes(), Path::new("/m")).unwrap_err().to_string();
            assert!(error.ends_with("(remove it: it will be made anew)"), "{error}");
        }
    }
}
