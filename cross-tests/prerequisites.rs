//! What has to be there before a test can tell anything: the images, the engine, the kernel's emulation.

use std::sync::Arc;

use gb::platform::Platform;
use libtest_mimic::Failed;

use crate::calico_tools::{self, TOOLS};
use crate::case::Needs;
use crate::engine::{Container, docker};
use crate::guard::Guard;
use crate::lab::{Lab, TARGETS};

/// What was found.
#[derive(Default)]
pub struct Prerequisites {
    /// Where the tests work, if there is an image.
    pub lab: Option<Arc<Lab>>,
    /// The targets whose programs the kernel runs.
    emulated: Vec<&'static str>,
    /// The utilities that the image has.
    tools: Vec<&'static str>,
}

impl Prerequisites {
    /// Looks for everything. The error is what nobody could want to go on without; `None`: this process was a guard.
    pub fn find() -> Result<Option<Prerequisites>, Failed> {
        let strict = match variable("GB_TEST_REQUIRE").as_deref() {
            None => false,
            Some("all") => true,
            Some(other) => return Err(format!("GB_TEST_REQUIRE={other}: only \"all\" is known").into()),
        };
        let Some(image) = variable("GB_TEST_IMAGE") else {
            return match strict {
                true => Err(missing("GB_TEST_IMAGE names no image", "make test")),
                false => Ok(Some(Prerequisites::default())),
            };
        };
        let guard = Guard::start().map_err(|error| format!("start a guard: {error}"))?;
        let Some(guard) = guard else { return Ok(None) };
        let arm_image = variable("GB_TEST_ARM_IMAGE");
        let binfmt_image = variable("GB_TEST_BINFMT_IMAGE");
        let [base_images, host_images] = ["GB_TEST_BASE_IMAGES", "GB_TEST_HOST_IMAGES"].map(|name| {
            let images = variable(name).unwrap_or_default();
            images.split_whitespace().map(str::to_owned).collect::<Vec<_>>()
        });
        let others = arm_image.iter().chain(&binfmt_image).chain(&base_images).chain(&host_images);
        for image in std::iter::once(&image).chain(others) {
            exists(image)?;
        }
        let emulated = emulated(&image)?;
        let tools = calico_tools::present(&image)?;
        let lab = Lab::new(image, arm_image, binfmt_image, base_images, host_images, guard);
        let found = Prerequisites { lab: Some(Arc::new(lab)), emulated, tools };
        match found.left_out() {
            Some((what, remedy)) if strict => Err(missing(&what, remedy)),
            _ => Ok(Some(found)),
        }
    }

    pub fn has(&self, needs: Needs) -> bool {
        let Some(lab) = &self.lab else { return false };
        match needs {
            Needs::Image => true,
            Needs::Emulation(goarch) => self.emulated.contains(&goarch),
            Needs::EveryEmulation => self.emulated.len() == TARGETS.len(),
            Needs::ArmImage => lab.arm_image().is_ok(),
            Needs::BinfmtImage => lab.binfmt_image().is_ok(),
            Needs::BaseImage => lab.base_image().is_ok(),
            Needs::Tools(tools) => self.has_tools(tools),
            Needs::Modules(tools) => lab.arm_image().is_ok() && self.has_tools(tools),
            Needs::Lacks(tool) => !self.has_tools(&[tool]),
            Needs::HostImage => !lab.host_images().is_empty(),
        }
    }

    fn has_tools(&self, tools: &[&str]) -> bool {
        tools.iter().all(|tool| self.tools.contains(tool))
    }

    /// What the image leaves out by its own word, of what these need: not a failure, but said.
    pub fn left_out_by_image(&self, needs: &[Needs]) -> Option<String> {
        self.lab.as_ref()?;
        let wanted = |tool: &&str| needs.iter().filter(|needs| needs.names(tool)).count();
        let tools: Vec<_> = TOOLS
            .into_iter()
            .filter(|tool| !self.has_tools(&[tool]))
            .map(|tool| (tool, wanted(&tool)))
            .filter(|(_, lines)| *lines > 0)
            .map(|(tool, lines)| format!("{tool} ({lines})"))
            .collect();
        (!tools.is_empty()).then(|| format!("the image leaves out {}", tools.join(", ")))
    }

    /// What is missing, so that tests are left out, and how to get it.
    pub fn left_out(&self) -> Option<(String, &'static str)> {
        let Some(lab) = &self.lab else {
            return Some(("GB_TEST_IMAGE names no image".to_owned(), "make test"));
        };
        let silent: Vec<_> = TARGETS.into_iter().filter(|target| !self.emulated.contains(target)).collect();
        let mut lacks = Vec::new();
        if !silent.is_empty() {
            lacks.push(format!("this kernel does not run programs for {}", silent.join(", ")));
        }
        if lab.arm_image().is_err() {
            lacks.push("GB_TEST_ARM_IMAGE names no image with sysroots for 32 bit ARM".to_owned());
        }
        if lab.binfmt_image().is_err() {
            lacks.push("GB_TEST_BINFMT_IMAGE names no image with emulators".to_owned());
        }
        if lab.base_image().is_err() {
            lacks.push("GB_TEST_BASE_IMAGES names no calico/base".to_owned());
        }
        if lab.host_images().is_empty() {
            lacks.push("GB_TEST_HOST_IMAGES names no go-build image for another machine".to_owned());
        }
        let remedy = if silent.is_empty() { "make test" } else { "make register" };
        (!lacks.is_empty()).then(|| (lacks.join(", and "), remedy))
    }
}

fn missing(what: &str, remedy: &str) -> Failed {
    format!("GB_TEST_REQUIRE=all, but {what} ({remedy})").into()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn exists(image: &str) -> Result<(), Failed> {
    let answer = docker(["version", "--format", "{{.Server.Version}}"]);
    match answer.map(|version| (version.status, version.stderr)) {
        Ok((Some(0), _)) => {}
        Ok((_, why)) => return Err(format!("no engine answers: {} (make engine)", why.trim()).into()),
        Err(error) => {
            return Err(format!("no engine: {} (make engine)", error.message().unwrap_or_default()).into());
        }
    }
    let inspected = docker(["image", "inspect", "--format", "{{.Id}}", image])?;
    match inspected.status {
        Some(0) => Ok(()),
        _ => Err(format!("the engine has no image {image} (make test-image)").into()),
    }
}

/// The targets whose programs run in a container: each sysroot holds one already, the loader.
fn emulated(image: &str) -> Result<Vec<&'static str>, Failed> {
    let mut script = String::new();
    for goarch in TARGETS {
        let abi = Platform::by_goarch(goarch).ok_or("not in the table")?.default_abi();
        let loader = format!("/usr/{}/sys-root{}", abi.triple, abi.loader);
        // A loader that is not there is the image's fault, which the tests are to find.
        script
            .push_str(&format!("if [ ! -e {loader} ] || {loader} --version; then echo runs {goarch}; fi\n"));
    }
    let said = Container::new(image).bare_sh(&script)?.ok()?;
    let runs = |goarch: &&str| said.lines().any(|line| line.strip_prefix("runs ") == Some(goarch));
    Ok(TARGETS.into_iter().filter(runs).collect())
}
