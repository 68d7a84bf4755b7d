//! What holds for every input. Each fuzz target is one function here; it panics if its promise is broken.
//!
//! tests/corpus.rs, a test of the crate itself, includes this file and tries the seeds in corpus/, so it uses nothing but
//! the standard library and gb. An input that is made of several files has a line `%%` after each but the last; the
//! line feed before it belongs to the file, if there is one.

mod accounts;
mod cache_list;
mod edit;
mod elf;
mod entry;
mod layers;
mod loading;
mod packages;
mod plan;
mod request;
mod target;
mod user_spec;
mod verify;

pub use accounts::{group, passwd};
pub use cache_list::cache_list;
pub use edit::edit;
pub use elf::{dlopen_note, elf};
pub use entry::entry;
pub use layers::{layers, saved};
pub use loading::{ld_cache, ld_conf, nsswitch};
pub use packages::{apk_installed, dpkg, licence, rpm_berkeley, rpm_header, rpm_ndb, rpm_sqlite};
pub use plan::plan;
pub use request::request;
pub use target::target;
pub use user_spec::user_spec;
pub use verify::{archive, build_info};

/// A fuzz target.
pub type Target = fn(&[u8]);

/// Every fuzz target, by its name.
pub const TARGETS: [(&str, Target); 25] = [
    ("passwd", passwd),
    ("group", group),
    ("user_spec", user_spec),
    ("request", request),
    ("target", target),
    ("edit", edit),
    ("plan", plan),
    ("entry", entry),
    ("cache_list", cache_list),
    ("rpm_header", rpm_header),
    ("rpm_sqlite", rpm_sqlite),
    ("rpm_ndb", rpm_ndb),
    ("rpm_berkeley", rpm_berkeley),
    ("dpkg", dpkg),
    ("apk_installed", apk_installed),
    ("licence", licence),
    ("elf", elf),
    ("ld_cache", ld_cache),
    ("ld_conf", ld_conf),
    ("nsswitch", nsswitch),
    ("dlopen_note", dlopen_note),
    ("layers", layers),
    ("saved", saved),
    ("archive", archive),
    ("build_info", build_info),
];

/// The files that an input is made of.
fn parts(input: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(input);
    std::iter::from_fn(move || {
        let input = rest?;
        let separator = b"%%\n";
        match input.windows(separator.len()).position(|window| window == separator) {
            Some(at) => {
                let (part, after) = input.split_at(at);
                rest = after.strip_prefix(separator);
                Some(part)
            }
            None => rest.take(),
        }
    })
}

/// What an id is, said in another way than gb's: the number, if the text is all digits and the number is one.
fn id(text: &[u8]) -> Option<u32> {
    let digits =
        std::str::from_utf8(text).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()))?;
    let number = match digits.trim_start_matches('0') {
        "" if digits.is_empty() => return None,
        "" => 0,
        number if number.len() > 10 => return None,
        number => number.parse::<u64>().ok()?,
    };
    u32::try_from(number).ok().filter(|id| *id < u32::MAX)
}

/// What a name is: no field, list or path is ended by it, no comment or NIS entry begins with it, and it can be shown.
fn is_name(text: &[u8]) -> bool {
    let first = text.first().copied().unwrap_or(b'#');
    !b"+-#~".contains(&first)
        && text.iter().all(|byte| *byte > b' ' && *byte != 0x7f && !b":,/".contains(byte))
}
