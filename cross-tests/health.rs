//! The image's HEALTHCHECK, as the engine runs it.

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::{Container, Output, Running};
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::Image, check);
    vec![
        Case::new(
            "a container is healthy whose target runs here, whoever its user is",
            Needs::EveryEmulation,
            healthy,
        ),
        case("a container is unhealthy whose target does not run here, and its log says why", unhealthy),
        case("a container whose target is not expected to run here is healthy", not_expected),
        case("check --health has two exit codes, and a word only if something is wrong", exit_codes),
    ]
}

/// Started, with the engine's first check at once.
fn start(container: &Container) -> Result<Running, libtest_mimic::Failed> {
    container
        .clone()
        .option("--health-interval=1s")
        .option("--health-start-period=0s")
        .start_with(&["sleep", "infinity"])
}

fn becomes(container: &Running, expected: &str) -> Result<String, libtest_mimic::Failed> {
    let state = [
        "inspect",
        "--format",
        "{{.State.Health.Status}} {{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}",
    ];
    let wait = ["inspect", "--format", "{{.State.Health.Status}}"];
    container.until(&wait, &[], |status| status.trim() != "starting")?;
    let told = container.docker(&state, &[])?.ok()?;
    ensure!(told.starts_with(&format!("{expected} ")), "{told}");
    Ok(told.split_once(' ').map_or(String::new(), |(_, rest)| rest.trim().to_owned()))
}

fn healthy(lab: &Lab) -> Verdict {
    let image = Container::new(&lab.image);
    let locked = image
        .clone()
        .option("--read-only")
        .option("--cap-drop=ALL")
        .option("--security-opt=no-new-privileges");
    for container in [
        image.clone(),
        image.clone().env("GOARCH", "s390x"),
        image.clone().env("TARGETPLATFORM", "linux/arm64").caller(),
        image.clone().env("GOARCH", "ppc64le").env("LOCAL_USER_ID", "4242"),
        image.clone().env("GOARCH", "riscv64").env("RUN_AS_ROOT", "true"),
        image.clone().env("ARCH", "aarch64").user("12345:678"),
        locked.clone().env("GOARCH", "s390x").user("1000"),
        locked.user("65534"),
    ] {
        ensure_eq!(becomes(&start(&container)?, "healthy")?, "0");
    }
    Ok(())
}

/// By limits under which this machine's programs run and an emulator does not; and by what there is no emulator for, unless this
/// machine has all of them.
fn unhealthy(lab: &Lab) -> Verdict {
    let image = Container::new(&lab.image);
    let limited = image.clone().option("--ulimit=data=120000000").env("GOARCH", "s390x");
    let users = |image: &Container| {
        [image.clone(), image.clone().caller(), image.clone().user("1000").option("--read-only")]
    };
    for container in users(&limited) {
        let told = becomes(&start(&container)?, "unhealthy")?;
        ensure!(
            told.starts_with(
                "1 linux/s390x: does not run: its emulator does not get the memory that it needs: "
            ),
            "{told}"
        );
        ensure!(told.ends_with(" (ulimit -d unlimited)") && told.lines().count() == 1, "{told}");
    }
    let check = image.run(&["gb", "binfmt", "check", "-q", "mips", "loong64", "ppc64", "mips64"])?.text()?;
    let missing =
        check.lines().find_map(|line| line.split_once(": does not run: the kernel has no entry for it ("));
    let Some((platform, _)) = missing else { return Ok(()) };
    let goarch = platform.trim_start_matches("linux/");
    for container in users(&image) {
        let told = becomes(&start(&container.env("GOARCH", goarch))?, "unhealthy")?;
        let reason = format!(
            "1 linux/{goarch}: does not run: the kernel has no entry for it \
             (docker run --privileged --rm calico/binfmt --install {goarch}, on the host)"
        );
        ensure_eq!(told, reason);
    }
    Ok(())
}

fn not_expected(lab: &Lab) -> Verdict {
    let image = Container::new(&lab.image);
    for container in
        [image.clone().env("GOARCH", "mips").env("GB_BINFMT", "off"), image.clone().env("GOOS", "windows")]
    {
        ensure_eq!(becomes(&start(&container)?, "healthy")?, "0");
    }
    Ok(())
}

fn exit_codes(lab: &Lab) -> Verdict {
    let check = |set: &[(&str, &str)]| -> Result<Output, libtest_mimic::Failed> {
        let image = Container::new(&lab.image).option("--entrypoint=gb");
        let image = set.iter().fold(image, |image, (name, value)| image.env(name, value));
        image.run(&["binfmt", "check", "--health"])
    };
    let own = check(&[])?;
    ensure!(own.status == Some(0) && own.text()?.is_empty() && own.stderr.is_empty(), "{own}");
    // What is no target is a fault of the container, and not one of the check.
    let nonsense = check(&[("GOARCH", "amd46")])?;
    ensure!(nonsense.status == Some(1) && nonsense.stderr.is_empty(), "{nonsense}");
    ensure!(
        nonsense.text()?.starts_with("read the target from GOARCH: ")
            && nonsense.text()?.lines().count() == 1,
        "{nonsense}"
    );
    ensure_eq!(check(&[("GOARCH", "amd46"), ("GB_BINFMT", "off")])?.status, Some(0));
    // Where nothing can be tried nobody is healthy.
    let pids = Container::new(&lab.image).option("--entrypoint=gb").option("--pids-limit=1");
    let untried = pids.run(&["binfmt", "check", "--health"])?;
    ensure!(
        untried.status == Some(1) && untried.text()?.contains("unknown: it could not be tried"),
        "{untried}"
    );
    Ok(())
}
