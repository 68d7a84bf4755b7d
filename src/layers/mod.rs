//! Container images that are archives, as roots: what `docker save`, `docker export` and tools of the OCI image layout write. Nothing
//! is unpacked to files of its own: an archive is gone through once, and then it is known where in it the contents of each file are.
//!
//! | file | what it is |
//! |---|---|
//! | `layout.rs` | which images there are, and of which layers |
//! | `source.rs`, `gzip.rs` | where the bytes of a layer are; whether they are those that its digest says |
//! | `tar.rs`, `pax.rs` | the files of an archive |
//! | `laying.rs`, `merged.rs` | laying layers upon one another; the files that are there then |

pub mod gzip;
mod laying;
mod layout;
mod merged;
mod pax;
mod source;
pub mod tar;

#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};

pub use laying::LayerError;
pub use layout::LayoutError;
pub use source::SourceError;

use laying::Manner;
use merged::Merged;
use source::MOST_UNPACKED;

use crate::file;
use crate::platform::Target;
use crate::rootfs::{Regular, Root};

/// Why there is no root.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It can't be opened.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It is an archive that can't be read.
    #[error(transparent)]
    Archive(LayerError),
    /// It is a file, and no archive that gb reads.
    #[error(
        "{0} (a root is a directory, or a tar archive: docker save, docker export, or an OCI image layout)"
    )]
    NoArchive(LayerError),
    /// It is a root, of which there are no others to choose from.
    #[error("it is no image, so there is none to choose (leave out --platform)")]
    NoImage,
    /// It can't be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Its images can't be told.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// It has too many.
    #[error("it has {0} layers, more than any engine mounts")]
    Layers(usize),
    /// The bytes of a layer are not to be had.
    #[error("read its layer {}: {source}", path.display())]
    LayerSource {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        source: SourceError,
    },
    /// A layer is no sound archive.
    #[error("read its layer {}: {source}", path.display())]
    Layer {
        /// Where it is.
        path: PathBuf,
        /// Why not.
        source: LayerError,
    },
}

/// Opens a root: a directory; an archive of one (`docker export`), which gzip may have packed; or an image, as an archive
/// (`docker save`) or in the directory of an OCI image layout. Of several images it is that for a platform.
///
/// Every digest is compared with what it is of.
pub fn open(path: &Path, platform: Option<&Target>) -> Result<Root, OpenError> {
    look(path, platform).map(|(root, _)| root)
}

/// The same of an image, the one for a platform; anything else is an error.
pub fn choose(path: &Path, platform: &Target) -> Result<Root, OpenError> {
    match look(path, Some(platform))? {
        (root, true) => Ok(root),
        (_, false) => Err(OpenError::NoImage),
    }
}

/// A root, and whether it is that of an image.
fn look(path: &Path, platform: Option<&Target>) -> Result<(Root, bool), OpenError> {
    let mut left = MOST_UNPACKED;
    let outer = match std::fs::metadata(path)?.is_dir() {
        true => Root::open(path)?,
        false => {
            let archive = source::unpacked(Regular::of(file::open_regular(path)?)?, &mut left)?;
            let mut merged = Merged::default();
            let manner = Manner { has_whiteouts: false, is_known_whole: false };
            merged.add(archive, manner).map_err(|error| match &error {
                LayerError::Tar(tar) if tar.is_of_no_archive() => OpenError::NoArchive(error),
                _ => OpenError::Archive(error),
            })?;
            Root::of(Box::new(merged))
        }
    };
    let Some(images) = layout::images(&outer)? else { return Ok((outer, false)) };
    let image = layout::choose(images, platform)?;
    if image.layers.len() > layout::MOST_LAYERS {
        return Err(OpenError::Layers(image.layers.len()));
    }
    let mut merged = Merged::default();
    for layout::Layer { path, digest, unpacked } in image.layers {
        let failed = |source| OpenError::LayerSource { path: path.clone(), source };
        let packed = outer.open_regular(&path).map_err(|error| failed(error.into()))?;
        if let Some(digest) = &digest {
            source::check(&packed, digest).map_err(failed)?;
        }
        let archive = source::unpacked(packed, &mut left).map_err(failed)?;
        if let Some(digest) = &unpacked {
            source::check(&archive, digest).map_err(failed)?;
        }
        let manner = Manner { has_whiteouts: true, is_known_whole: true };
        merged.add(archive, manner).map_err(|source| OpenError::Layer { path, source })?;
    }
    Ok((Root::of(Box::new(merged)), true))
}
