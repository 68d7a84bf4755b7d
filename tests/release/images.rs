//! Images of a few bytes that claim to be for an architecture, as `docker load` takes them: many at once, and made without a builder.

use std::path::Path;

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::guard;
use crate::place::{Place, Repository, command, docker, finish, go_build, version};
use crate::registry::Registry;

pub const ARCHES: [&str; 4] = ["amd64", "arm64", "ppc64le", "s390x"];

/// Those that tests take which need not take all.
pub const TWO: [&str; 2] = ["amd64", "s390x"];

/// Images on this machine that look like a build of a commit, and where they are to go.
pub struct Build<'a> {
    pub repository: Repository,
    /// What stands before their names here.
    here: String,
    registries: String,
    place: &'a Place,
}

impl Build<'_> {
    /// A repository with one commit, for a registry.
    pub fn new<'a>(place: &'a Place, registry: &Registry) -> Build<'a> {
        let repository = place.repository();
        let name = repository.dir.file_name().unwrap().to_str().unwrap().to_owned();
        // An image's name may not have capitals, of which the run's has some.
        let here = format!("gb-test/{}/{name}", guard::run().to_lowercase());
        let registries = format!("{}/{name}", registry.host);
        Build { repository, here, registries, place }
    }

    /// The same to several registries.
    pub fn to(mut self, registries: &[&str]) -> Self {
        self.registries = registries.join(" ");
        self
    }

    /// An image's name here, without its tag.
    pub fn here(&self, image: &str) -> String {
        format!("{}/{image}", self.here)
    }

    /// Where an image goes, in the first registry.
    pub fn at(&self, image: &str) -> String {
        format!("{}/{image}", self.registries.split(' ').next().unwrap())
    }

    /// The path of that, in the registry.
    pub fn path(&self, image: &str) -> String {
        self.at(image).split_once('/').unwrap().1.to_owned()
    }

    /// Makes go-build images of the commit for architectures.
    #[track_caller]
    pub fn go_build(&self, arches: &[&str]) -> &Self {
        self.load("go-build", &go_build(), &go_build(), arches, "as it should be")
    }

    /// The same with other contents, as a build that can't be repeated would have.
    #[track_caller]
    pub fn other_go_build(&self, arches: &[&str], contents: &str) -> &Self {
        self.load("go-build", &go_build(), &go_build(), arches, contents)
    }

    /// Makes binfmt images of the commit for architectures.
    #[track_caller]
    pub fn binfmt(&self, arches: &[&str]) -> &Self {
        let version = format!("qemu-v{}", version("QEMU_VERSION"));
        self.load("binfmt", &version, &version, arches, "as it should be")
    }

    /// Makes base images of a date for architectures.
    #[track_caller]
    pub fn base(&self, date: &str, arches: &[&str]) -> &Self {
        self.load("base", "ubi9-latest", &format!("ubi9-{date}"), arches, date)
    }

    /// Makes images IMAGE:TAG-ARCH that say that they are of a version and of the commit.
    #[track_caller]
    pub fn load(&self, image: &str, tag: &str, version: &str, arches: &[&str], contents: &str) -> &Self {
        let dir = self.place.dir();
        let mut manifest = Vec::new();
        for arch in arches {
            let layer = layer(&dir, &format!("{image} {tag} for {arch}, {contents}\n"));
            let mut labels = json!({
                "org.opencontainers.image.version": version,
                "org.opencontainers.image.revision": self.repository.head(),
                guard::LABEL: guard::run(),
            });
            // What stands for its document: the one file that it has.
            if image != "base" {
                labels["io.github.go-build.sbom"] = "/what".into();
            }
            let config = json!({
                "architecture": arch,
                "os": "linux",
                "created": "2023-11-14T22:13:20Z",
                "config": { "Labels": labels },
                "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{layer}")] },
                "history": [{ "created": "2023-11-14T22:13:20Z", "created_by": "tests/release" }],
            });
            let config = serde_json::to_vec(&config).unwrap();
            let name = format!("{}.json", sha256(&config));
            std::fs::write(dir.join(&name), config).unwrap();
            let tags = [format!("{}/{image}:{tag}-{arch}", self.here)];
            manifest
                .push(json!({ "Config": name, "RepoTags": tags, "Layers": [format!("{layer}/layer.tar")] }));
        }
        std::fs::write(dir.join("manifest.json"), serde_json::to_vec(&manifest).unwrap()).unwrap();
        let archive = self.place.dir().join("images.tar");
        finish(command("tar").arg("-cf").arg(&archive).arg("-C").arg(&dir).arg(".")).unwrap().ok();
        docker(&["load", "--quiet", "--input", archive.to_str().unwrap()]).ok();
        self
    }

    /// `make`, told where things are here and where they are to go.
    pub fn make(&self, arguments: &[&str]) -> crate::place::Done {
        finish(self.make_command().args(arguments)).unwrap()
    }

    pub fn make_command(&self) -> std::process::Command {
        let mut make = self.repository.make_command();
        make.arg(format!("REGISTRIES={}", self.registries)).arg("UBI_VERSIONS=ubi9");
        // Two show what four would.
        make.arg("ARCHES=amd64 s390x");
        for (variable, image) in
            [("GO_BUILD_IMAGE", "go-build"), ("BINFMT_IMAGE", "binfmt"), ("CALICO_BASE_IMAGE", "base")]
        {
            make.arg(format!("{variable}={}/{image}", self.here));
        }
        make
    }
}

/// Writes a layer with one file into a directory of its own name, which is its digest.
fn layer(dir: &Path, contents: &str) -> String {
    std::fs::write(dir.join("what"), contents).unwrap();
    let tar = dir.join("layer.tar");
    let mut make = command("tar");
    make.args(["--owner=0", "--group=0", "--mtime=@1700000000", "-cf"])
        .arg(&tar)
        .arg("-C")
        .arg(dir)
        .arg("what");
    finish(&mut make).unwrap().ok();
    std::fs::remove_file(dir.join("what")).unwrap();
    let digest = sha256(&std::fs::read(&tar).unwrap());
    std::fs::create_dir_all(dir.join(&digest)).unwrap();
    std::fs::rename(&tar, dir.join(&digest).join("layer.tar")).unwrap();
    digest
}

/// A digest without what says which.
pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
