//! Which images an archive or a directory has, and of which layers these are: by `index.json` of the OCI image layout (Docker
//! writes it since 25), else by the `manifest.json` of `docker save`.
//!
//! Sources: image-layout.md, image-index.md, manifest.md and config.md of the OCI image specification; "Combined Image JSON +
//! Filesystem Changeset Format" of the Docker image specification, v1.2.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::source::{SourceError, check};
use crate::elf::Bytes;
use crate::platform::{Named, Target, parse_any};
use crate::rootfs::{Kind, Root};

/// An image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// What it is called, if anything.
    pub names: Vec<String>,
    /// What it runs on: `linux/arm64/v8`.
    pub platform: String,
    /// Its layers, the lowest first.
    pub layers: Vec<Layer>,
    /// What tells it from others.
    id: String,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// Where it is.
    pub path: PathBuf,
    /// The digest of that file.
    pub digest: Option<String>,
    /// The digest of the tar archive that is in it.
    pub unpacked: Option<String>,
}

/// Why it can't be told which images there are, or which is meant.
#[derive(Debug, thiserror::Error)]
pub enum LayoutError {
    /// A file can't be read.
    #[error("read {} of it: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: SourceError,
    },
    /// A file is not what it should be.
    #[error("read {} of it: {what}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// None is for the platform that is asked for.
    #[error("it has no image for {wanted} (it has {there})")]
    NoneFor {
        /// What is asked for.
        wanted: String,
        /// What there is.
        there: String,
    },
    /// There is none at all.
    #[error("it has no image that is whole{0}")]
    None(String),
    /// There are several.
    #[error("it has several images: {0} (choose one with --platform, or save one alone)")]
    Several(String),
    /// It is of before 2016.
    #[error("it was saved by a docker before 1.10 (load and save it by a newer one)")]
    Old,
}

/// No file that describes an image is larger (the OCI distribution specification has registries take 4 MiB).
const LARGEST: u64 = 4 << 20;
/// No index leads to others deeper, and to more images.
const DEEPEST: usize = 4;
const MOST: usize = 1024;
/// No engine mounts more layers (docker 125, containerd some 500).
pub const MOST_LAYERS: usize = 1024;

/// The images that there are; `None` of what is no layout of images.
pub fn images(root: &Root) -> Result<Option<Vec<Image>>, LayoutError> {
    let is_there = |name: &str| root.lstat(Path::new(name)).is_ok_and(|found| found.kind == Kind::File);
    // Programs' own root, whatever files are beside these.
    if ["/etc", "/usr", "/bin", "/lib"].iter().any(|name| root.lstat(Path::new(name)).is_ok()) {
        return Ok(None);
    }
    if is_there("/oci-layout") && is_there("/index.json") {
        let mut looking = Looking { root, images: Vec::new(), absent: Vec::new(), looked_at: 0 };
        looking.index(&json(root, Path::new("/index.json"), None)?, Path::new("/index.json"), 0)?;
        if looking.images.is_empty() {
            let absent = looking.absent.join(", ");
            let absent =
                if absent.is_empty() { absent } else { format!(" ({absent}: its files are not in it)") };
            return Err(LayoutError::None(absent));
        }
        return Ok(Some(looking.images));
    }
    if is_there("/manifest.json") {
        if let Ok(Value::Array(images)) = json(root, Path::new("/manifest.json"), None) {
            if images
                .first()
                .is_some_and(|image| of(image, "Config").is_string() && of(image, "Layers").is_array())
            {
                let mut found = Vec::new();
                for image in &images {
                    found.push(saved(root, image)?);
                }
                return Ok(Some(found));
            }
        }
    } else if is_there("/repositories") {
        return Err(LayoutError::Old);
    }
    Ok(None)
}

/// The one that is meant: that for a platform, or the only one.
pub fn choose(mut images: Vec<Image>, wanted: Option<&Target>) -> Result<Image, LayoutError> {
    let list = |images: &[Image]| {
        let shown = |image: &Image| match image.names.first() {
            Some(name) => format!("{} ({name})", image.platform),
            None => image.platform.clone(),
        };
        images.iter().map(shown).collect::<Vec<_>>().join(", ")
    };
    if let Some(wanted) = wanted {
        let there = list(&images);
        images.retain(|image| is_for(&image.platform, wanted));
        if images.is_empty() {
            let variant = wanted.variant.as_ref().map(|variant| format!("/{}", variant.value()));
            let wanted = format!("linux/{}{}", wanted.platform.goarch, variant.unwrap_or_default());
            return Err(LayoutError::NoneFor { wanted, there });
        }
    }
    match images.len() {
        1 => images.pop().ok_or(LayoutError::None(String::new())),
        0 => Err(LayoutError::None(String::new())),
        _ => Err(LayoutError::Several(list(&images))),
    }
}

/// Whether an image for a platform is one of those that are wanted: any variant if none is named. Without one an image is for the
/// usual variant (`Normalize` of containerd's platforms).
fn is_for(platform: &str, wanted: &Target) -> bool {
    let Ok(Named::Linux(found)) = parse_any(platform) else { return false };
    let value = |target: &Target| match &target.variant {
        Some(variant) => Some(variant.value()),
        None => target.platform.variable.as_ref().map(|variable| variable.default.to_owned()),
    };
    found.platform == wanted.platform && (wanted.variant.is_none() || value(&found) == value(wanted))
}

/// Follows an index.
struct Looking<'a> {
    root: &'a Root,
    images: Vec<Image>,
    /// What is named, and not there.
    absent: Vec<String>,
    looked_at: usize,
}

impl Looking<'_> {
    fn index(&mut self, index: &Value, at: &Path, depth: usize) -> Result<(), LayoutError> {
        let manifests = of(index, "manifests").as_array().ok_or_else(|| form(at, "it lists no manifests"))?;
        for descriptor in manifests {
            self.looked_at += 1;
            if self.looked_at > MOST || depth > DEEPEST {
                return Err(form(at, "it leads to more images than gb is willing to look at"));
            }
            self.manifest(descriptor, at, depth)?;
        }
        Ok(())
    }

    fn manifest(&mut self, descriptor: &Value, at: &Path, depth: usize) -> Result<(), LayoutError> {
        let notes = of(descriptor, "annotations");
        // What BuildKit tells of how an image was built.
        if of(notes, "vnd.docker.reference.type").is_string() {
            return Ok(());
        }
        let digest = text(of(descriptor, "digest")).ok_or_else(|| form(at, "a manifest has no digest"))?;
        let name = ["io.containerd.image.name", "org.opencontainers.image.ref.name"]
            .iter()
            .find_map(|key| text(of(notes, key)));
        if let Some(known) = self.images.iter_mut().find(|image| image.id == digest) {
            known.names.extend(name.map(str::to_owned));
            return Ok(());
        }
        let path = blob(digest, at)?;
        if self.root.lstat(&path).is_err() {
            // Of an image for several platforms an engine often has one alone.
            self.absent.push(platform(of(descriptor, "platform")).unwrap_or_else(|| digest.to_owned()));
            return Ok(());
        }
        let manifest = json(self.root, &path, Some(digest))?;
        if of(&manifest, "manifests").is_array() {
            return self.index(&manifest, &path, depth + 1);
        }
        let (config, layers) = (of(&manifest, "config"), of(&manifest, "layers").as_array());
        let is_image = text(of(config, "mediaType")).is_some_and(|kind| {
            kind.starts_with("application/vnd.oci.image.config.")
                || kind.starts_with("application/vnd.docker.container.image.")
        });
        let Some(layers) = layers.filter(|_| is_image) else { return Ok(()) };
        let digest_of_config =
            text(of(config, "digest")).ok_or_else(|| form(&path, "its configuration has no digest"))?;
        let config = json(self.root, &blob(digest_of_config, &path)?, Some(digest_of_config))?;
        let platform = platform(&config)
            .or_else(|| platform(of(descriptor, "platform")))
            .ok_or_else(|| form(&path, "its configuration names no platform"))?;
        let mut found = Vec::new();
        for layer in layers {
            let digest = text(of(layer, "digest")).ok_or_else(|| form(&path, "a layer has no digest"))?;
            found.push(Layer { path: blob(digest, &path)?, digest: Some(digest.to_owned()), unpacked: None });
        }
        let names = name.map(str::to_owned).into_iter().collect();
        self.images.push(Image { names, platform, layers: found, id: digest.to_owned() });
        Ok(())
    }
}

/// An image of `docker save` before Docker 25.
fn saved(root: &Root, image: &Value) -> Result<Image, LayoutError> {
    let at = Path::new("/manifest.json");
    let words = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(text).map(str::to_owned).collect()
    };
    let config_path = text(of(image, "Config")).ok_or_else(|| form(at, "an image has no configuration"))?;
    let config = json(root, Path::new(config_path), None)?;
    let layers = words(of(image, "Layers"));
    let unpacked = words(of(of(&config, "rootfs"), "diff_ids"));
    if layers.len() != unpacked.len() {
        return Err(form(at, "an image has not as many layers as its configuration"));
    }
    let platform = platform(&config).ok_or_else(|| form(Path::new(config_path), "it names no platform"))?;
    let layer = |(path, unpacked): (String, String)| Layer {
        path: path.into(),
        digest: None,
        unpacked: Some(unpacked),
    };
    Ok(Image {
        names: words(of(image, "RepoTags")),
        platform,
        layers: layers.into_iter().zip(unpacked).map(layer).collect(),
        id: config_path.to_owned(),
    })
}

/// Reads a file of JSON, which has this digest.
fn json(root: &Root, path: &Path, digest: Option<&str>) -> Result<Value, LayoutError> {
    let failed = |source| LayoutError::Read { path: path.to_owned(), source };
    let contents = root.read(path, LARGEST).map_err(|error| failed(error.into()))?;
    if let Some(digest) = digest {
        check(&contents as &dyn Bytes, digest).map_err(failed)?;
    }
    serde_json::from_slice(&contents).map_err(|error| form(path, &error.to_string()))
}

/// Where the file of a digest is.
fn blob(digest: &str, at: &Path) -> Result<PathBuf, LayoutError> {
    let is_plain = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+_-".contains(&byte))
    };
    match digest.split_once(':') {
        Some((kind, digits)) if is_plain(kind) && is_plain(digits) => {
            Ok(Path::new("/blobs").join(kind).join(digits))
        }
        _ => Err(form(at, "it has a digest that is none")),
    }
}

/// `linux/arm64/v8`; `None` if nothing is said, as of what is no image.
fn platform(value: &Value) -> Option<String> {
    let part = |key: &str| text(of(value, key)).filter(|part| !part.is_empty() && *part != "unknown");
    let (os, architecture) = (part("os")?, part("architecture")?);
    Some(match part("variant") {
        Some(variant) => format!("{os}/{architecture}/{variant}"),
        None => format!("{os}/{architecture}"),
    })
}

/// What an object has under a key; null if it is none, or has nothing there.
fn of<'a>(value: &'a Value, key: &str) -> &'a Value {
    value.get(key).unwrap_or(&Value::Null)
}

fn text(value: &Value) -> Option<&str> {
    value.as_str()
}

fn form(path: &Path, what: &str) -> LayoutError {
    LayoutError::Form { path: path.to_owned(), what: what.to_owned() }
}
