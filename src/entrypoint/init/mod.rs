//! gb as PID 1: an init that behaves.
//!
//! It runs the command as its child, in a process group of its own that has the terminal, hands on every signal, reaps
//! whatever is orphaned in the PID namespace, and ends as the command ends. It sleeps until a signal comes.

mod descendants;
mod settings;
mod terminal;

use std::io;
use std::time::Duration;

use nix::errno::Errno;
use nix::unistd::{Pid, chdir, getpgrp, getpid, setpgid};

use crate::sys::{self, Change, Signal};
pub use settings::{Flags, Settings, SettingsError};
use terminal::Terminal;

/// Tells the user something, in one line.
pub type Tell<'a> = &'a dyn Fn(&str);

/// Whether this process is the first of its PID namespace.
pub fn is_pid_1() -> bool {
    getpid().as_raw() == 1
}

/// Runs the command in a child, and returns the exit code that PID 1 has to end with.
///
/// To be called by PID 1, in which `sys` has blocked all signals. `command` is called in the child and becomes the
/// command; what it returns if it could not is returned, in the child, for the caller to report and exit with. The parent
/// gives up the working directory and all descriptors but the standard streams.
pub fn stay<E>(settings: &Settings, tell: Tell<'_>, command: impl FnOnce() -> E) -> Result<u8, E> {
    let group = Group::find();
    sys::default_sigchld();
    let child = match sys::fork() {
        Ok(Some(child)) => child,
        Ok(None) => {
            group.enter(getpid());
            return Err(command());
        }
        Err(errno) => {
            tell(&format!(
                "stay as init: {}: the command runs as PID 1 (allow more processes, docker run --pids-limit)",
                errno.desc()
            ));
            return Err(command());
        }
    };
    // What the closure holds may be many pages.
    drop(command);
    group.expect(child);
    // An init must keep no file system busy and no pipe open. "/" is the one directory that can't go away.
    let _changed = chdir("/");
    sys::close_descriptors_but(group.terminal().map(Terminal::descriptor));
    sys::forget_code();
    let code =
        Init { child, group: &group, whole_group: settings.group, tell, stopped: None, reminders: 0 }.run();
    if let Group::Own { terminal: Some(terminal), hand_over: true } = &group {
        terminal.give_to(getpgrp());
    }
    descendants::end(settings.grace, tell);
    Ok(code)
}

/// The process group of the command.
enum Group {
    /// One of its own, so that `kill 0` in a script does not mean init, and with it the whole container.
    Own {
        /// The controlling terminal.
        terminal: Option<Terminal>,
        /// Whether the terminal's foreground goes to the command: if gb's own group has it.
        hand_over: bool,
    },
    /// gb's, which was made outside of the PID namespace by a shell at the controlling terminal (`unshare --pid --fork`).
    /// That shell does the job control, and waits for this very group.
    Shells,
}

impl Group {
    fn find() -> Group {
        let terminal = Terminal::find();
        // The number 0 stands for a group that has none in this PID namespace (pid_namespaces(7)).
        if terminal.is_some() && getpgrp().as_raw() == 0 {
            return Group::Shells;
        }
        let hand_over = terminal.as_ref().is_some_and(Terminal::is_ours);
        Group::Own { terminal, hand_over }
    }

    fn terminal(&self) -> Option<&Terminal> {
        match self {
            Group::Own { terminal, .. } => terminal.as_ref(),
            Group::Shells => None,
        }
    }

    /// In the child: makes the group and takes the terminal, before the command can look.
    fn enter(&self, child: Pid) {
        self.expect(child);
        if let Group::Own { terminal: Some(terminal), hand_over: true } = self {
            terminal.give_to(child);
        }
    }

    /// In the parent too: a signal for the group may have to be handed on before the child has run.
    fn expect(&self, child: Pid) {
        if let Group::Own { .. } = self {
            // EACCES in the parent: the child was quicker.
            let _made = setpgid(child, child);
        }
    }
}

struct Init<'a> {
    child: Pid,
    group: &'a Group,
    /// Whether signals go to the whole group.
    whole_group: bool,
    tell: Tell<'a>,
    /// The signal that has stopped the child.
    stopped: Option<u8>,
    /// How often the command's group is still to be told to go on.
    reminders: u8,
}

/// After Ctrl-Z: a pager first tidies up the terminal and then stops itself, which its parent is told and init is not.
const REMINDERS: u8 = 5;
const BETWEEN_REMINDERS: Duration = Duration::from_millis(200);

impl Init<'_> {
    /// Hands on signals and reaps until the child has ended; returns the exit code.
    fn run(&mut self) -> u8 {
        loop {
            match sys::wait_for_signal((self.reminders > 0).then_some(BETWEEN_REMINDERS)) {
                Ok(Some(signal)) if signal.number == libc::SIGCHLD => {
                    if let Some(code) = self.reap() {
                        return code;
                    }
                    self.go_on();
                }
                Ok(Some(signal)) => self.hand_on(signal),
                Ok(None) => {
                    self.reminders = self.reminders.saturating_sub(1);
                    self.send_continue();
                }
                // EINTR: init itself was stopped from outside of the PID namespace, and goes on.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.fail(&error.to_string()),
            }
        }
    }

    /// Looks at all children that have changed: several may have for one SIGCHLD. The exit code, if the child has ended.
    fn reap(&mut self) -> Option<u8> {
        let mut code = None;
        loop {
            match sys::next_change() {
                Ok(Some((pid, change))) if pid == self.child => match change {
                    Change::Exited(status) => code = Some(status),
                    // What shells and `docker run` make of it.
                    Change::Killed(signal) => code = Some(128 | signal),
                    Change::Stopped(signal) => self.stopped = Some(signal),
                    Change::Continued => self.stopped = None,
                },
                Ok(Some(_)) | Err(Errno::EINTR) => {}
                Ok(None) => return code,
                // No child at all: usual after the last one was reaped, and else there is nothing to wait for.
                Err(errno) => return Some(code.unwrap_or_else(|| self.fail(errno.desc()))),
            }
        }
    }

    fn fail(&self, cause: &str) -> u8 {
        (self.tell)(&format!("wait for the command: {cause}"));
        125
    }

    /// Lets the command go on if it was stopped in a way that nobody else can undo.
    ///
    /// A shell would show a prompt now; in a container there is no shell. SIGSTOP is left alone: it is not of a terminal
    /// but of somebody who will send SIGCONT.
    ///
    /// The kernel reports a stop to the parent alone. So a command whose children stop and which itself does not, because
    /// it ignores SIGTSTP or is inside vfork(2), waits for them until it gets another signal.
    fn go_on(&mut self) {
        let Group::Own { terminal, .. } = self.group else { return };
        match self.stopped.map(i32::from) {
            Some(libc::SIGTSTP) => self.reminders = REMINDERS,
            Some(libc::SIGTTIN | libc::SIGTTOU) => {
                let Some(terminal) = terminal else { return };
                if !terminal.is_given_to(self.child) {
                    if !terminal.is_abandoned() {
                        return;
                    }
                    terminal.give_to(self.child);
                }
            }
            _ => return,
        }
        self.stopped = None;
        self.send_continue();
    }

    fn send_continue(&self) {
        // A command that has left its group is reached by itself.
        if sys::send(-self.child.as_raw(), libc::SIGCONT).is_err() {
            let _sent = sys::send(self.child.as_raw(), libc::SIGCONT);
        }
    }

    fn hand_on(&self, signal: Signal) {
        // What gb tells goes to a pipe that nobody reads.
        if signal.number == libc::SIGPIPE && signal.from_self {
            return;
        }
        let target = match self.group {
            // The terminal has sent it to the whole group, the command included.
            Group::Shells if signal.from_kernel => return,
            Group::Own { .. } if self.whole_group => -self.child.as_raw(),
            // A group of the shell's also has processes that are not the command's.
            _ => self.child.as_raw(),
        };
        match sys::send(target, signal.number) {
            // It has ended, which SIGCHLD is about to say.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(errno) => (self.tell)(&format!(
                "send signal {} to the command: {} (it may have changed its user)",
                signal.number,
                errno.desc()
            )),
        }
    }
}
