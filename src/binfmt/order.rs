//! Which entries the kernel considers for an architecture's programs, in its order, and which of them it goes by.
//!
//! It takes the first entry that is switched on and matches (`search_binfmt_handler` in fs/binfmt_misc.c), the youngest one first,
//! and before it tries whether the machine itself knows the program.

use super::entry::{Entry, Pattern, from_hex};
use super::program::{self, PLAIN, VARIANTS, Variant};
use crate::platform::Platform;

/// How much of a file's beginning tells its architecture: up to `e_machine`. What an entry asks beyond that differs from program
/// to program.
const TELLING: usize = 20;

/// `e_version`, of which there is one.
const VERSION: std::ops::Range<usize> = 20..24;

/// What an entry has to do with an architecture's programs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// The kinds of programs that the kernel gives to it.
    pub takes: Vec<Variant>,
    /// The kinds that it is for, and that the kernel gives to a younger one.
    pub loses: Vec<(Variant, &'a Entry)>,
    /// It is only for some programs of these kinds: it goes by more bytes than those that tell the architecture.
    pub is_partial: bool,
}

/// The entries that are for an architecture's programs, or some of them, in the kernel's order. One that is switched off takes
/// and loses nothing.
pub fn claims<'a>(entries: &'a [Entry], platform: &Platform) -> Vec<Claim<'a>> {
    let mut files: Vec<(Variant, Vec<u8>, Option<&'a Entry>)> = VARIANTS
        .iter()
        .filter_map(|variant| Some((*variant, program::probe(platform, *variant)?, None)))
        .collect();
    let mut claims = Vec::new();
    for entry in entries {
        let mut claim =
            Claim { entry, takes: Vec::new(), loses: Vec::new(), is_partial: is_partial(entry, platform) };
        let mut is_for_one = false;
        for (variant, file, taken) in &mut files {
            if !telling_part(entry).matches(file) {
                continue;
            }
            is_for_one = true;
            match taken {
                _ if !entry.is_enabled => {}
                Some(winner) => claim.loses.push((*variant, winner)),
                None => {
                    claim.takes.push(*variant);
                    // What it leaves goes on to the next one.
                    if !claim.is_partial {
                        *taken = Some(entry);
                    }
                }
            }
        }
        if is_for_one {
            claims.push(claim);
        }
    }
    claims
}

/// The kinds of programs that no entry takes.
pub fn unclaimed(claims: &[Claim<'_>]) -> Vec<Variant> {
    let is_taken =
        |variant: &Variant| claims.iter().any(|claim| !claim.is_partial && claim.takes.contains(variant));
    VARIANTS.into_iter().filter(|variant| !is_taken(variant)).collect()
}

/// The first entry, in the kernel's order, that is for a kind of program of an architecture.
pub fn entry_for<'a>(
    entries: &'a [Entry],
    platform: &Platform,
    variant: Variant,
    is_enabled: bool,
) -> Option<&'a Entry> {
    let file = program::probe(platform, variant)?;
    entries.iter().find(|entry| entry.is_enabled == is_enabled && entry.matches(&file))
}

/// Whether an entry is for an architecture's programs, be it switched on or not.
pub fn serves(entry: &Entry, platform: &Platform) -> bool {
    entry_for(std::slice::from_ref(entry), platform, PLAIN, entry.is_enabled).is_some()
}

/// What an entry asks of the bytes that tell the architecture.
fn telling_part(entry: &Entry) -> Entry {
    let Pattern::Magic { offset, magic, mask } = &entry.pattern else { return entry.clone() };
    let length = TELLING.saturating_sub(*offset).min(magic.len());
    if length == 0 {
        return entry.clone();
    }
    let part = |bytes: &[u8]| bytes.get(..length).unwrap_or_default().to_vec();
    let pattern = Pattern::Magic { offset: *offset, magic: part(magic), mask: mask.as_deref().map(part) };
    Entry { pattern, ..entry.clone() }
}

/// Whether an entry asks for more than the bytes that tell the architecture, and than what all its programs have in common (the
/// platform's own row: mips has the ABI in `e_flags`; and `e_version`).
fn is_partial(entry: &Entry, platform: &Platform) -> bool {
    let Pattern::Magic { offset, magic, mask } = &entry.pattern else { return false };
    let row = |digits: &str| from_hex(digits.as_bytes()).unwrap_or_default();
    let (own, own_mask) = (row(platform.binfmt.magic), row(platform.binfmt.mask));
    let byte = |bytes: &[u8], at: usize| bytes.get(at).copied().unwrap_or(0);
    let usual = program::probe(platform, PLAIN).unwrap_or_default();
    magic.iter().enumerate().any(|(at, expected)| {
        let asked = mask.as_ref().map_or(0xff, |mask| byte(mask, at));
        let at = offset + at;
        let is_row = asked & !byte(&own_mask, at) == 0 && (byte(&own, at) ^ expected) & asked == 0;
        let is_version = VERSION.contains(&at) && (byte(&usual, at) ^ expected) & asked == 0;
        at >= TELLING && !is_row && !is_version
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binfmt::entry::Flags;
    use crate::binfmt::register::wanted;

    fn s390x() -> &'static Platform {
        Platform::by_goarch("s390x").unwrap()
    }

    fn entry(name: &str) -> Entry {
        Entry { name: name.into(), ..wanted(s390x(), "/q".into(), Flags::default()).unwrap() }
    }

    /// Without the bits of the mask that leave OSABI open, or without any mask.
    fn strict(name: &str, has_mask: bool) -> Entry {
        let mut strict = entry(name);
        let Pattern::Magic { mask: Some(mask), .. } = &mut strict.pattern else { panic!("{strict:?}") };
        mask[7] = 0xff;
        if !has_mask {
            let Pattern::Magic { mask, .. } = &mut strict.pattern else { panic!() };
            *mask = None;
        }
        strict
    }

    fn shown(entries: &[Entry], platform: &Platform) -> String {
        let claims = claims(entries, platform);
        let words = claims.iter().map(|claim| {
            let loses = claim.loses.iter().map(|(_, winner)| winner.name.to_str().unwrap());
            let some = if claim.is_partial { "some of " } else { "" };
            format!(
                "{} {some}{} -{}",
                claim.entry.name.to_str().unwrap(),
                claim.takes.len(),
                loses.collect::<Vec<_>>().join("")
            )
        });
        format!("{}, left {}", words.collect::<Vec<_>>().join(", "), unclaimed(&claims).len())
    }

    #[test]
    fn the_youngest_entry_takes_what_it_matches_and_leaves_the_rest() {
        assert_eq!(shown(&[entry("a"), entry("b")], s390x()), "a 4 -, b 0 -aaaa, left 0");
        assert_eq!(shown(&[strict("a", true), entry("b")], s390x()), "a 2 -, b 2 -aa, left 0");
        assert_eq!(shown(&[strict("a", false)], s390x()), "a 1 -, left 3");
        let off = Entry { is_enabled: false, ..entry("off") };
        assert_eq!(shown(&[off, entry("b")], s390x()), "off 0 -, b 4 -, left 0");
        assert_eq!(shown(&[entry("a")], Platform::by_goarch("arm").unwrap()), ", left 4");
    }

    #[test]
    fn an_entry_for_every_program_is_for_each_architecture_and_one_by_name_for_none() {
        let all = Pattern::Magic { offset: 0, magic: b"\x7fELF".to_vec(), mask: None };
        let jar = Pattern::Extension("jar".into());
        let entries = [Entry { pattern: jar, ..entry("jar") }, Entry { pattern: all, ..entry("all") }];
        for platform in crate::platform::PLATFORMS {
            assert_eq!(shown(&entries, platform), "all 4 -, left 0");
        }
    }

    #[test]
    fn the_entry_that_gb_makes_is_for_every_program_of_its_architecture() {
        for platform in crate::platform::PLATFORMS {
            let entry = wanted(platform, "/q".into(), Flags::default()).unwrap();
            let name = entry.name.to_string_lossy().into_owned();
            assert_eq!(shown(std::slice::from_ref(&entry), platform), format!("{name} 4 -, left 0"));
            let mut versioned = entry;
            let Pattern::Magic { magic, mask: Some(mask), .. } = &mut versioned.pattern else { panic!() };
            let one =
                if platform.elf.data == crate::platform::ElfData::Big { [0, 0, 0, 1] } else { [1, 0, 0, 0] };
            magic.resize(magic.len().max(24), 0);
            mask.resize(magic.len(), 0);
            magic[20..24].copy_from_slice(&one);
            mask[20..24].fill(0xff);
            assert_eq!(shown(&[versioned], platform), format!("{name} 4 -, left 0"));
        }
    }

    #[test]
    fn an_entry_that_asks_for_more_bytes_is_for_some_programs() {
        // e_version and a part of e_entry.
        let mut more = entry("more");
        let Pattern::Magic { magic, mask: Some(mask), .. } = &mut more.pattern else { panic!() };
        magic.extend_from_slice(&[0, 0, 0, 1, 9]);
        mask.extend_from_slice(&[0, 0, 0, 0, 0]);
        assert_eq!(shown(std::slice::from_ref(&more), s390x()), "more 4 -, left 0");
        let Pattern::Magic { mask: Some(mask), .. } = &mut more.pattern else { panic!() };
        mask[24] = 0xff;
        assert_eq!(shown(&[more, entry("b")], s390x()), "more some of 4 -, b 4 -, left 0");
    }
}
