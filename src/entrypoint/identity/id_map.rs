//! The ids of a user namespace (user_namespaces(7)).

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
