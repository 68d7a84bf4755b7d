//! The tests' own end: whatever ends them, they leave nothing behind.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::Container;
use crate::guard;
use crate::lab::Lab;

/// Set, there is one test more, which goes on until it is ended.
const HOLD: &str = "GB_TEST_HOLD";
const HOLDING: &str = "containers run until the tests are ended";

pub fn cases() -> Vec<Case> {
    if std::env::var_os(HOLD).is_some() {
        return vec![Case::new(HOLDING, Needs::Image, hold)];
    }
    let signals = [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP, Signal::SIGKILL];
    let cases = signals.into_iter().map(|signal| {
        let name = format!("tests that {signal} ends leave no container, no process and no file behind");
        Case::new(name, Needs::Image, move |_| ended_by(signal))
    });
    cases.collect()
}

/// Has a container that waits, one whose client waits for it, one that is just about to start, and files of another user.
fn hold(lab: &Lab) -> Verdict {
    let dir = lab.dir("held")?;
    let held = Container::new(&lab.image).mount(&dir, "/held").start_with(&["sleep", "infinity"])?;
    Container::new(&lab.image)
        .mount(&dir, "/held")
        .bare_sh("mkdir /held/sub; touch /held/sub/file; chown -R 1234 /held")?
        .ok()?;
    let waits = lab.container();
    std::thread::scope(|scope| {
        let attached = scope.spawn(|| waits.run(&["sh", "-c", "echo; exec sleep infinity"]));
        held.wait_until("both run", || Ok(guard::containers(&run())?.len() == 2))?;
        let starting = scope.spawn(|| waits.run(&["sleep", "infinity"]));
        eprintln!("holding {}", run());
        for client in [attached, starting] {
            client.join().map_err(|_| "a client panicked")??;
        }
        Ok(())
    })
}

/// The name of this run.
fn run() -> String {
    let label = guard::label().into_string().unwrap_or_default();
    label.rsplit('=').next().unwrap_or_default().to_owned()
}

fn ended_by(signal: Signal) -> Verdict {
    // Whatever has started these tests may ignore signals, as a shell does for its background jobs.
    let mut tests = Command::new("env")
        .arg("--default-signal")
        .arg(std::env::current_exe()?)
        .args(["--exact", HOLDING])
        .env(HOLD, "1")
        .env_remove("GB_TEST_REQUIRE")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stderr = BufReader::new(tests.stderr.take().ok_or("no pipe")?);
    let mut said = String::new();
    let run = loop {
        let mut line = String::new();
        ensure!(stderr.read_line(&mut line)? > 0, "it ended: {said}");
        match line.trim_end().strip_prefix("holding ") {
            Some(run) => break run.to_owned(),
            None => said.push_str(&line),
        }
    };
    kill(Pid::from_raw(i32::try_from(tests.id())?), signal)?;
    tests.wait()?;
    // The guard has this stream as well, and ends after the last client.
    let mut rest = String::new();
    stderr.read_to_string(&mut rest)?;
    ensure_eq!(rest, "");
    ensure_eq!(guard::containers(&run)?, Vec::<String>::new());
    let dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(&run);
    ensure!(!dir.exists(), "{} is left", dir.display());
    Ok(())
}
