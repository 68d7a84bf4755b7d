//! What the kernel tells of a process (proc(5)), for tests that wait until it has come somewhere.

/// How long whoever looks again and again sleeps between two looks.
pub const PAUSE: std::time::Duration = std::time::Duration::from_millis(5);

/// The children of a process, dead ones that nobody has reaped included (proc_pid_task(5)).
pub fn children(pid: u32) -> Vec<u32> {
    let list = read(pid, &format!("task/{pid}/children"));
    list.split_whitespace().map(|pid| pid.parse().expect("a pid")).collect()
}

/// A process's name, to 15 bytes.
pub fn name(pid: u32) -> String {
    read(pid, "comm").trim_end().to_owned()
}

/// The letter of a process's state: R, S, D, Z; T stopped, t stopped for a debugger. None of one that is gone.
pub fn state(pid: u32) -> Option<char> {
    let status = read(pid, "status");
    field(&status, "State:").and_then(|value| value.chars().next())
}

/// Whether a process waits, off the processor, with no signal to act on. What was sent to it before has been handled, be
/// it that it has had no effect.
pub fn is_idle(pid: u32) -> bool {
    let status = read(pid, "status");
    let pending =
        ["SigPnd:", "ShdPnd:"].map(|set| field(&status, set).map(|bits| bits.trim_matches('0').len()));
    state(pid) == Some('S') && pending == [Some(0), Some(0)] && waits_in(pid).is_some()
}

/// Whether nothing can happen any more below a process by itself: it waits, and whatever descends from it is dead, stopped
/// or waits for a child. (To a stopped process the kernel has told its parent before it is off the processor.)
pub fn is_stuck(pid: u32) -> bool {
    let stuck = |pid: &u32| match state(*pid) {
        Some('Z') => true,
        Some('T') => waits_in(*pid).is_some(),
        Some('S') => waits_in(*pid).as_deref() == Some("do_wait"),
        _ => false,
    };
    let all_stuck = || descendants(pid).iter().all(stuck);
    // Somebody who was stopped may have been continued before the ancestor was looked at.
    all_stuck() && is_idle(pid) && all_stuck()
}

/// All descendants of a process.
pub fn descendants(pid: u32) -> Vec<u32> {
    let mut found = children(pid);
    let mut next = 0;
    while next < found.len() {
        let more = children(found[next]);
        found.extend(more);
        next += 1;
    }
    found
}

/// The kernel's function that a process waits in; none while it is on a processor or waits for one.
fn waits_in(pid: u32) -> Option<String> {
    Some(read(pid, "wchan")).filter(|function| !matches!(function.as_str(), "" | "0"))
}

fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim)
}

/// A file of a process; empty for one that is gone.
fn read(pid: u32, file: &str) -> String {
    std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default()
}
