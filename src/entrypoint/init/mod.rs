//! gb as PID 1: an init that behaves.
//!
//! It runs the command as its child, in a session of its own that has the terminal, forwards every signal, reaps whatever is
//! orphaned in the PID namespace, and ends as the command ends. It sleeps until a signal comes.

mod descendants;
mod settings;
mod terminal;

use std::cell::Cell;
use std::io;

use nix::errno::Errno;
use nix::unistd::{Pid, chdir, getpid, getsid, setsid};

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
    let session = Session::find();
    if matches!(session, Session::Shells) && settings.group {
        tell(
            "forward signals to the command's group: it is also that of a shell outside, so they go to the command alone",
        );
    }
    sys::default_sigchld();
    session.leave(tell);
    let child = match sys::fork() {
        Ok(Some(child)) => child,
        Ok(None) => {
            session.enter(tell);
            return Err(command());
        }
        Err(errno) => {
            session.take_back();
            tell(&format!(
                "stay as init: {}: the command runs as PID 1 (allow more processes, docker run --pids-limit)",
                errno.desc()
            ));
            return Err(command());
        }
    };
    // What the closure holds may be many pages.
    drop(command);
    // An init must keep no file system busy and no pipe open. "/" is the one directory that can't go away.
    let _changed = chdir("/");
    sys::close_descriptors_but(session.terminal().map(Terminal::descriptor));
    sys::forget_code();
    let code =
        Init { child, session: &session, whole_group: settings.group, told_of_stop: Cell::new(false), tell }
            .run();
    session.take_back();
    descendants::end(settings.grace, tell);
    Ok(code)
}

/// The session (credentials(7)) that the command belongs to.
enum Session {
    /// One of its own, which it leads: what it would have as PID 1, where it has been made by the engine. So `kill 0` in a
    /// script does not mean init, and with it the whole container; and the command's process group is an orphaned one,
    /// which the kernel does not stop for Ctrl-Z (setpgid(2)). In a group that could be stopped it would hang for ever,
    /// because there is no shell to send SIGCONT.
    Own {
        /// The controlling terminal, which moves to that session.
        terminal: Option<Terminal>,
    },
    /// gb's, which was made by somebody at the controlling terminal (`unshare --pid --fork` in a shell): who does the job
    /// control there, and waits for gb's process group.
    Shells,
}

impl Session {
    fn find() -> Session {
        let terminal = Terminal::find();
        let leads = getsid(None) == Ok(getpid());
        if terminal.is_some() && !leads {
            return Session::Shells;
        }
        Session::Own { terminal }
    }

    fn terminal(&self) -> Option<&Terminal> {
        match self {
            Session::Own { terminal } => terminal.as_ref(),
            Session::Shells => None,
        }
    }

    /// Lets go of the terminal, before the fork.
    fn leave(&self, tell: Tell<'_>) {
        if let Some(Err(errno)) = self.terminal().map(Terminal::leave) {
            tell(&format!("hand the terminal to the command: leave it: {}", errno.desc()));
        }
    }

    /// In the child: makes the session and takes the terminal, before the command can look.
    fn enter(&self, tell: Tell<'_>) {
        if let Session::Own { terminal } = self {
            // It can't fail in a new process, which leads no group.
            let _made = setsid();
            if let Some(Err(errno)) = terminal.as_ref().map(Terminal::take) {
                tell(&format!("hand the terminal to the command: take it: {}", errno.desc()));
            }
        }
    }

    /// Takes the terminal again, after the command. (With the command's end the kernel has taken it from its session.)
    fn take_back(&self) {
        // If it is gone with whoever was at its other end, there is nothing to be had.
        let _taken = self.terminal().map(Terminal::take);
    }
}

struct Init<'a> {
    child: Pid,
    session: &'a Session,
    /// Whether signals go to the whole group.
    whole_group: bool,
    /// Whether the user knows that the command has been stopped: who stops it again and again says nothing new.
    told_of_stop: Cell<bool>,
    tell: Tell<'a>,
}

impl Init<'_> {
    /// Forwards signals and reaps until the child has ended; returns the exit code.
    fn run(&self) -> u8 {
        // Whoever was orphaned before the command was there: its signal may have been taken by whom gb has waited for.
        if let Some(code) = self.reap() {
            return code;
        }
        loop {
            match sys::wait_for_signal(None) {
                Ok(Some(signal)) if signal.number == libc::SIGCHLD => {
                    if let Some(code) = self.reap() {
                        return code;
                    }
                }
                Ok(Some(signal)) => self.forward(signal),
                Ok(None) => {}
                // EINTR: init itself was stopped from outside of the PID namespace, and goes on.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return self.fail(&error.to_string()),
            }
        }
    }

    /// Reaps all children that have ended: several may have for one SIGCHLD. The exit code, if the command has. Looks after
    /// the command if it was stopped.
    fn reap(&self) -> Option<u8> {
        let mut code = None;
        loop {
            match sys::reap() {
                Ok(Some((pid, change))) if pid == self.child => match change {
                    Change::Exited(status) => code = Some(status),
                    // What shells and `docker run` make of it.
                    Change::Killed(signal) => code = Some(128 + signal),
                    Change::Stopped(signal) => self.stopped(signal.into()),
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

    /// Lets the command go on where it would be stopped for ever otherwise.
    ///
    /// On a terminal of its own that is after a SIGSTOP: bash's `suspend`, `kill -STOP $$`, an editor that takes Ctrl-Z
    /// itself. Who sits there has no shell whose `fg` could be typed, and PID 1, which the command would be without init,
    /// can't be stopped from inside of the container. Without a terminal somebody else has stopped it, who can also
    /// continue it: an operator, something that waits for a debugger. The other stop signals stop nothing there unless a
    /// process of the command's own session does job control for it (setpgid(2) on orphaned groups).
    fn stopped(&self, signal: i32) {
        let on_terminal = match self.session {
            // The shell outside sees that as well.
            Session::Shells => return,
            Session::Own { terminal } => terminal.is_some(),
        };
        let goes_on = on_terminal && signal == libc::SIGSTOP;
        if !self.told_of_stop.replace(true) {
            (self.tell)(&match goes_on {
                true => "let the command go on: it was stopped, and on this terminal nobody could continue it (docker \
                         pause stops a container)"
                    .to_owned(),
                false => format!(
                    "wait for the command: signal {signal} has stopped it (kill -CONT {} in the container lets it go on)",
                    self.child
                ),
            });
        }
        if goes_on {
            // The whole group, as `fg` does it, and as `suspend` has stopped it.
            self.report(libc::SIGCONT, sys::send(-self.child.as_raw(), libc::SIGCONT));
        }
    }

    fn forward(&self, signal: Signal) {
        // The SIGHUP and SIGCONT of leaving the terminal, and the SIGPIPE of a message that nobody reads.
        if signal.from_self {
            return;
        }
        let sent = match self.session {
            // The terminal has sent it to the whole group, the command included.
            Session::Shells if signal.from_kernel => return,
            // There, the group also has processes that are not the command's.
            Session::Own { .. } if self.whole_group => {
                // Right after the fork the child has no group of its own yet.
                sys::send(-self.child.as_raw(), signal.number)
                    .or_else(|_| sys::send(self.child.as_raw(), signal.number))
            }
            _ => sys::send(self.child.as_raw(), signal.number),
        };
        self.report(signal.number, sent);
    }

    /// Tells of a signal that could not be sent to the command.
    fn report(&self, signal: i32, sent: Result<(), Errno>) {
        match sent {
            // It has ended, which SIGCHLD is about to say.
            Ok(()) | Err(Errno::ESRCH) => {}
            Err(errno) => (self.tell)(&format!(
                "send signal {signal} to the command: {} (it may have changed its user)",
                errno.desc()
            )),
        }
    }
}
