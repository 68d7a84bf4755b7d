//! What is the matter with an archive: objects of several machines, or of another than it is to be linked for.

use super::archive::Damage;
use super::finding::Finding;
use super::machine::{self, described};
use super::members::{Content, Item};
use super::wish::Wish;
use crate::elf::FloatAbi;
use crate::platform::Platform;

/// What objects are for, and how many of them: the most first.
pub fn machines(items: &[Item]) -> Vec<(String, usize)> {
    let mut counts: Vec<(String, usize)> = Vec::new();
    for name in items.iter().filter_map(name) {
        if let Some((_, count)) = counts.iter_mut().find(|(known, _)| *known == name) {
            *count += 1;
        } else if counts.len() < MOST_MACHINES {
            counts.push((name, 1));
        }
    }
    let mut sorted: Vec<(String, usize)> = Vec::new();
    for (name, count) in counts {
        let place = sorted.iter().position(|(_, other)| *other < count).unwrap_or(sorted.len());
        sorted.insert(place, (name, count));
    }
    sorted
}

/// No archive of anybody's is for more.
const MOST_MACHINES: usize = 64;

/// What an object is for, with the ABI where its machine has several.
fn name(item: &Item) -> Option<String> {
    match &item.content {
        Content::Elf(header, floats) => {
            let mut name = described(header);
            let platform = header.platform();
            if platform.is_some_and(|platform| !platform.has_own_flags(header.flags)) {
                name.push_str(&format!(" of another ABI (e_flags {:#x})", header.flags));
            }
            match machine::float_abi(header, *floats) {
                Some(FloatAbi::Hard) => name.push_str(", hard float"),
                Some(FloatAbi::Soft) => name.push_str(", soft float"),
                None => {}
            }
            Some(name)
        }
        Content::Go { goos, goarch, .. } => Some(format!("{goos}/{goarch}")),
        _ => None,
    }
}

/// What is the matter with an archive: findings, each with the name of the member that it is about, if it is about one.
pub fn check_archive(
    items: &[Item],
    damage: Option<&Damage>,
    wish: &Wish,
) -> Vec<(Finding, Option<Vec<u8>>)> {
    let mut findings = Vec::new();
    for item in items {
        let what = match &item.content {
            Content::Bad(error) => format!("is damaged: {error}"),
            Content::Gone(error) => format!("can't be read: {error}"),
            _ => continue,
        };
        findings.push((Finding::new("member", what), Some(item.name.clone())));
    }
    match wish.platform() {
        Some((platform, _)) => findings.extend(of_others(items, wish, platform)),
        None => findings.extend(mixed(items)),
    }
    findings.extend(damage.map(|damage| (Finding::new("damaged", format!("is {damage}")), None)));
    findings
}

/// The objects that are not for the target: one by one, unless they all are for one other.
fn of_others(items: &[Item], wish: &Wish, platform: &Platform) -> Vec<(Finding, Option<Vec<u8>>)> {
    let check = |item: &Item| match &item.content {
        Content::Elf(header, floats) => machine::check(header, *floats, wish),
        Content::Go { goos, goarch, .. }
            if (goos.as_str(), goarch.as_str()) != ("linux", platform.goarch) =>
        {
            let what = format!("is for {goos}/{goarch}, not for linux/{}", platform.goarch);
            let system = if goos == "linux" { "" } else { "GOOS=linux " };
            let remedy = format!("build it with {system}GOARCH={}", platform.goarch);
            Some(Finding::new("machine", what).with(remedy))
        }
        _ => None,
    };
    let found: Vec<_> =
        items.iter().filter_map(|item| Some((check(item)?, Some(item.name.clone())))).collect();
    let objects = items.iter().filter(|item| name(item).is_some()).count();
    match found.as_slice() {
        [(first, _), rest @ ..] if found.len() == objects && rest.iter().all(|(other, _)| other == first) => {
            vec![(first.clone(), None)]
        }
        _ => found,
    }
}

/// The objects that are not for what most are for.
fn mixed(items: &[Item]) -> Vec<(Finding, Option<Vec<u8>>)> {
    let all = machines(items);
    // An object of ARM's that says nothing of floating point numbers goes with those that do.
    let fits = |name: &str, most: &str| {
        let base =
            |name: &str| name.trim_end_matches(", hard float").trim_end_matches(", soft float").to_owned();
        name == most || name == base(most) || most == base(name)
    };
    let Some(most) = all.iter().map(|(name, _)| name).max_by_key(|name| {
        all.iter().filter(|(other, _)| fits(other, name)).map(|(_, count)| count).sum::<usize>()
    }) else {
        return Vec::new();
    };
    // The one that says more, of two that go together.
    let most = all
        .iter()
        .map(|(name, _)| name)
        .find(|name| fits(name, most) && name.len() > most.len())
        .unwrap_or(most);
    let differs = |item: &Item| {
        let name = name(item).filter(|name| !fits(name, most))?;
        let what = format!("is for {name}, and most objects of the archive are for {most}");
        Some((Finding::new("mixed", what), Some(item.name.clone())))
    };
    items.iter().filter_map(differs).collect()
}
