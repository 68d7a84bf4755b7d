//! Entries in the forms in which a system keeps them over its next start. Pure: an entry in, a text out.
//!
//! Sources: binfmt.d(5) of systemd, update-binfmts(8) of binfmt-support ("FORMAT FILES").

use std::os::unix::ffi::OsStrExt;

use super::entry::{Entry, Pattern, RegistrationError, escaped};

/// An entry that a form has no words for.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum NoForm {
    /// The kernel would not take it either.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
    /// Each of these files is made of lines.
    #[error("the interpreter {0:?} has a control character in its path")]
    ControlCharacter(std::path::PathBuf),
    /// binfmt-support can say C, which brings O, and nothing of O alone.
    #[error("binfmt-support has no flag O without C")]
    FlagO,
    /// It is no entry for certain bytes.
    #[error("only an entry that goes by bytes has such a form")]
    Pattern,
}

/// The line of a file in /etc/binfmt.d: what is written to the kernel, byte for byte.
pub fn systemd(entry: &Entry) -> Result<Vec<u8>, NoForm> {
    is_one_line(entry)?;
    let mut line = entry.registration()?;
    line.push(b'\n');
    Ok(line)
}

/// A file for `update-binfmts --import`, whose name is the entry's.
pub fn debian(entry: &Entry) -> Result<Vec<u8>, NoForm> {
    is_one_line(entry)?;
    // What the kernel would not take is no better in another form.
    entry.registration()?;
    let Pattern::Magic { offset, magic, mask } = &entry.pattern else { return Err(NoForm::Pattern) };
    if entry.flags.open_binary && !entry.flags.credentials {
        return Err(NoForm::FlagO);
    }
    let mut text = b"package gb\n".to_vec();
    let mut line = |name: &str, value: &[u8]| {
        text.extend([name.as_bytes(), b" ", value, b"\n"].concat());
    };
    line("interpreter", entry.interpreter.as_os_str().as_bytes());
    line("offset", offset.to_string().as_bytes());
    line("magic", &escaped(magic));
    if let Some(mask) = mask {
        line("mask", &escaped(mask));
    }
    for (name, is_set) in [
        ("credentials", entry.flags.credentials),
        ("preserve", entry.flags.preserve_argv0),
        ("fix_binary", entry.flags.fix_binary),
    ] {
        line(name, if is_set { b"yes" } else { b"no" });
    }
    Ok(text)
}

fn is_one_line(entry: &Entry) -> Result<(), NoForm> {
    match entry.interpreter.as_os_str().as_bytes().iter().any(u8::is_ascii_control) {
        true => Err(NoForm::ControlCharacter(entry.interpreter.clone())),
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binfmt::entry::Flags;

    fn entry(interpreter: &str, flags: &str) -> Entry {
        Entry {
            name: "x".into(),
            is_enabled: true,
            interpreter: interpreter.into(),
            flags: Flags::parse(flags.as_bytes()).unwrap(),
            pattern: Pattern::Magic { offset: 2, magic: vec![0, 0x7f], mask: Some(vec![0xff, 0]) },
        }
    }

    fn text(made: Result<Vec<u8>, NoForm>) -> Result<String, String> {
        made.map(|text| String::from_utf8(text).unwrap()).map_err(|error| error.to_string())
    }

    #[test]
    fn systemd_gets_the_kernels_bytes() {
        assert_eq!(text(systemd(&entry("/q", "PF"))).unwrap(), ":x:M:2:\\x00\\x7f:\\xff\\x00:/q:PF\n");
        // A line that begins with one of these is a comment.
        let odd = text(systemd(&entry("/a:b|c", ""))).unwrap();
        assert!(!odd.starts_with([';', '#']), "{odd}");
        assert!(text(systemd(&entry("/a\nb", ""))).unwrap_err().contains("control character"));
        assert!(text(systemd(&entry("q", ""))).unwrap_err().contains("no absolute path"));
    }

    #[test]
    fn binfmt_support_gets_a_word_for_each_flag() {
        let expected = "package gb\ninterpreter /q\noffset 2\nmagic \\x00\\x7f\nmask \\xff\\x00\ncredentials yes\npreserve no\n\
                        fix_binary yes\n";
        assert_eq!(text(debian(&entry("/q", "CF"))).unwrap(), expected);
        assert_eq!(text(debian(&entry("/q", "OF"))).unwrap_err(), "binfmt-support has no flag O without C");
        assert!(text(debian(&entry("/a\nb", ""))).is_err());
        let jar = Entry { pattern: Pattern::Extension("jar".into()), ..entry("/q", "") };
        assert!(text(debian(&jar)).is_err());
    }
}
