//! The user namespace that this process is in, and its ids (user_namespaces(7)).

use std::fs::File;
use std::io::Read;

/// /proc/self/uid_map or gid_map: which ids exist here, and what they are outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdMap(Vec<Range>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    inside: u32,
    outside: u32,
    count: u32,
}

impl IdMap {
    /// The user ids of this process's user namespace; all of them where there is no /proc to tell.
    pub fn of_users() -> IdMap {
        IdMap::read("/proc/self/uid_map")
    }

    /// The same of group ids.
    pub fn of_groups() -> IdMap {
        IdMap::read("/proc/self/gid_map")
    }

    fn read(path: &str) -> IdMap {
        read_proc(path).map_or_else(IdMap::everything, |text| IdMap::parse(&text))
    }

    /// Where every id exists and is itself: outside of any user namespace, or where nothing is known of one.
    pub fn everything() -> IdMap {
        IdMap(vec![Range { inside: 0, outside: 0, count: u32::MAX }])
    }

    /// Reads the file: lines of the first id inside, the first id outside, and how many. A line that is none is left out.
    pub fn parse(text: &str) -> IdMap {
        let range = |line: &str| {
            let mut numbers = line.split_ascii_whitespace().map(str::parse);
            match (numbers.next()?, numbers.next()?, numbers.next()?) {
                (Ok(inside), Ok(outside), Ok(count)) if count > 0 => Some(Range { inside, outside, count }),
                _ => None,
            }
        };
        IdMap(text.lines().filter_map(range).collect())
    }

    /// Whether every id is itself.
    pub fn is_everything(&self) -> bool {
        *self == IdMap::everything()
    }

    /// Whether an id is what the kernel shows for one that this namespace does not have (user_namespaces(7)).
    pub fn is_nobodys(&self, id: u32) -> bool {
        /// /proc/sys/kernel/overflowuid and overflowgid, as every system has them.
        const OVERFLOW: u32 = 65534;
        id == OVERFLOW && !self.is_everything()
    }

    /// What an id of this namespace is outside; `None` if it does not exist here.
    pub fn outside(&self, id: u32) -> Option<u32> {
        self.0.iter().find_map(|range| {
            let offset = id.checked_sub(range.inside).filter(|offset| *offset < range.count)?;
            range.outside.checked_add(offset)
        })
    }

    /// Who root is outside, where it is one user and nobody else's range: as rootless engines map their caller.
    pub fn caller(&self) -> Option<u32> {
        let range = self.0.iter().find(|range| range.inside == 0)?;
        (range.count == 1 && range.outside != 0).then_some(range.outside)
    }

    /// The map in a few words: the ids that exist.
    pub fn ids(&self) -> String {
        let words: Vec<String> = self
            .0
            .iter()
            .map(|range| match range.count {
                1 => range.inside.to_string(),
                count => format!("{} to {}", range.inside, range.inside.saturating_add(count - 1)),
            })
            .collect();
        words.join(", ")
    }
}

/// Whether this process's user namespace lets nobody change groups (/proc/self/setgroups).
pub fn denies_setgroups() -> bool {
    read_proc("/proc/self/setgroups").is_some_and(|text| text.trim_end() == "deny")
}

fn read_proc(path: &str) -> Option<String> {
    /// The kernel gives whole lines, up to a page of them at once (fs/seq_file.c, with pages of 4 KiB or more): of a map of
    /// 340 lines (user_namespaces(7)) a part. What is shorter than this is all there is.
    const PART: usize = 2048;
    let mut file = File::open(path).ok()?;
    let mut text = vec![0; 16 << 10];
    let mut length = 0;
    loop {
        let part = file.read(text.get_mut(length..)?).ok()?;
        length += part;
        if part < PART {
            break;
        }
    }
    text.truncate(length);
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_map_of_a_rootless_engine_has_the_caller_as_root() {
        let map = IdMap::parse("         0       1000          1\n         1     100000      65536\n");
        assert_eq!(
            (map.outside(0), map.outside(1), map.outside(1000)),
            (Some(1000), Some(100_000), Some(100_999))
        );
        assert_eq!(
            (map.outside(65536), map.outside(65537), map.outside(u32::MAX)),
            (Some(165_535), None, None)
        );
        assert_eq!(map.ids(), "0, 1 to 65536");
        assert!(!map.is_everything());
        assert_eq!(map.caller(), Some(1000));
        // Incus, userns-remap: root is the first of a range.
        assert_eq!(IdMap::parse("0 100000 65536").caller(), None);
        assert_eq!(IdMap::everything().caller(), None);
    }

    #[test]
    fn outside_of_user_namespaces_every_id_exists() {
        let map = IdMap::parse("         0          0 4294967295\n");
        assert!(map.is_everything());
        assert_eq!((map.outside(4_294_967_294), map.outside(u32::MAX)), (Some(4_294_967_294), None));
        assert_eq!(IdMap::parse("garbage\n1 2\n-1 0 1\n").outside(0), None);
        assert_eq!(IdMap::parse("").ids(), "");
        assert_eq!(IdMap::parse("0 0 0\n5 5 1\n").ids(), "5");
    }
}
