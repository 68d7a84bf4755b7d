//! Where the tests work: the images, a directory to build into, and for each target a container to build in.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gb::platform::{Abi, Platform};
use libtest_mimic::Failed;

use crate::elf::Facts;
use crate::engine::{Container, Running};
use crate::guard::Guard;

/// What the image builds for.
pub const TARGETS: [&str; 5] = ["amd64", "arm64", "ppc64le", "s390x", "riscv64"];

/// The images and the place for what is built.
pub struct Lab {
    pub image: String,
    arm_image: Option<String>,
    binfmt_image: Option<String>,
    base_images: Vec<String>,
    host_images: Vec<String>,
    workshops: [OnceLock<Result<Workshop, String>>; TARGETS.len()],
    /// The last field: it goes when the workshops have gone.
    guard: Guard,
}

/// A container that builds for one target into a directory that this side can read.
pub struct Workshop {
    pub platform: &'static Platform,
    pub abi: &'static Abi,
    container: Running,
    out: PathBuf,
}

impl Lab {
    pub fn new(
        image: String,
        arm_image: Option<String>,
        binfmt_image: Option<String>,
        base_images: Vec<String>,
        host_images: Vec<String>,
        guard: Guard,
    ) -> Lab {
        Lab { image, arm_image, binfmt_image, base_images, host_images, workshops: Default::default(), guard }
    }

    /// A container of the image that sees the programs, and works among them.
    pub fn container(&self) -> Container {
        with_programs(Container::new(&self.image))
    }

    /// A container of the image that has the sysroots of 32 bit ARM as well.
    pub fn arm_container(&self) -> Result<Container, Failed> {
        Ok(with_programs(Container::new(self.arm_image()?)))
    }

    /// The same image.
    pub fn arm_image(&self) -> Result<&str, Failed> {
        self.arm_image.as_deref().ok_or("GB_TEST_ARM_IMAGE names no image (make test)".into())
    }

    /// The image with the emulators.
    pub fn binfmt_image(&self) -> Result<&str, Failed> {
        self.binfmt_image.as_deref().ok_or("GB_TEST_BINFMT_IMAGE names no image (make test)".into())
    }

    /// calico/base.
    pub fn base_image(&self) -> Result<&str, Failed> {
        let first = self.base_images.first().map(String::as_str);
        first.ok_or("GB_TEST_BASE_IMAGES names no image (make test)".into())
    }

    /// The same, and those of other architectures.
    pub fn base_images(&self) -> &[String] {
        &self.base_images
    }

    /// The go-build images for other machines.
    pub fn host_images(&self) -> &[String] {
        &self.host_images
    }

    /// A new directory on this side for a container to write to.
    pub fn dir(&self, name: &str) -> Result<PathBuf, Failed> {
        let dir = self.guard.dir.join(name);
        std::fs::create_dir(&dir).map_err(|error| format!("make {}: {error}", dir.display()))?;
        Ok(dir)
    }

    /// The container of a target, started by the first test that needs it.
    pub fn workshop(&self, goarch: &str) -> Result<&Workshop, Failed> {
        let index = TARGETS.iter().position(|target| *target == goarch);
        let index = index.ok_or_else(|| format!("{goarch} is none of {TARGETS:?}"))?;
        let open =
            || self.open(goarch).map_err(|error| error.message().unwrap_or("no reason given").to_owned());
        self.workshops[index].get_or_init(open).as_ref().map_err(|error| error.as_str().into())
    }

    fn open(&self, goarch: &str) -> Result<Workshop, Failed> {
        let platform = Platform::by_goarch(goarch).ok_or("not in the table")?;
        let out = self.dir(goarch)?;
        let container = self.container().env("GOARCH", goarch).caller().mount(&out, "/out").start()?;
        Ok(Workshop { platform, abi: platform.default_abi(), container, out })
    }
}

impl Workshop {
    /// Runs a script under `gb run`; standard output, if it succeeded.
    pub fn sh(&self, script: &str) -> Result<String, Failed> {
        self.container.sh(script)?.ok()
    }

    /// A file that a script has put into /out.
    pub fn elf(&self, name: &str) -> Result<Facts, Failed> {
        Facts::read(&self.out.join(name))
    }
}

fn with_programs(container: Container) -> Container {
    let programs = Path::new(env!("CARGO_MANIFEST_DIR")).join("cross-tests/programs");
    container.mount_read_only(&programs, "/programs").workdir("/programs")
}

/// The caller, so that what is built is the caller's.
pub fn own_user() -> String {
    format!("{}:{}", nix::unistd::getuid(), nix::unistd::getgid())
}
