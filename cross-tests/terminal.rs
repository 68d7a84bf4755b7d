//! A terminal to type on, with the engine's command line at its other end.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;

use crate::engine::PATIENCE;

/// A program on a terminal. It is killed when dropped.
pub struct Terminal {
    child: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// Starts a program whose standard streams are a new terminal.
    pub fn start(mut command: Command) -> Result<Terminal, Failed> {
        let pty = nix::pty::openpty(None, None)?;
        let (tty, mut master) = (pty.slave, File::from(pty.master));
        command.stdin(tty.try_clone()?).stdout(tty.try_clone()?).stderr(tty);
        let child = command.spawn()?;
        // The command holds the terminal, and while one does the screen never ends.
        drop(command);
        let keyboard = master.try_clone()?;
        let (written, screen) = channel();
        std::thread::spawn(move || {
            let mut part = [0; 4096];
            while let Ok(length) = master.read(&mut part) {
                if length == 0 || written.send(part[..length].to_vec()).is_err() {
                    return;
                }
            }
        });
        Ok(Terminal { child, keyboard, screen, seen: String::new() })
    }

    /// Types.
    pub fn send(&mut self, keys: &str) -> Result<(), Failed> {
        Ok(self.keyboard.write_all(keys.as_bytes())?)
    }

    /// Waits for a text; what came before it is forgotten.
    pub fn expect(&mut self, text: &str) -> Result<(), Failed> {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(position) = self.seen.find(text) {
                self.seen.drain(..position + text.len());
                return Ok(());
            }
            match self.screen.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(part) => self.seen.push_str(&String::from_utf8_lossy(&part)),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("no {text:?}, but {:?}", self.seen).into());
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!("the end came before {text:?}: {:?}", self.seen).into());
                }
            }
        }
    }

    /// Waits for the program's end.
    pub fn exit_code(&mut self) -> Result<Option<i32>, Failed> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("it does not end; the screen shows {:?}", self.seen).into())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Both fail where it has ended already.
        let _killed = self.child.kill();
        let _reaped = self.child.wait();
    }
}
