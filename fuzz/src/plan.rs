//! What is decided from the request and the facts.

use std::ffi::CString;

use gb::entrypoint::identity::accounts;
use gb::entrypoint::identity::request::Who;
use gb::entrypoint::identity::{Facts, Files, Ids, Plan, Request, RootFacts, Workdir};
use gb::environment::Environment;
use gb::user_namespace::IdMap;

use super::parts;

/// The command gets the ids that were asked for and groups that are given to them, all of which exist, and root's only if
/// that was asked for. The input: lines of the environment, the map of ids, passwd, group, and shadow, if there is to
/// be one.
pub fn plan(input: &[u8]) {
    let mut parts = parts(input);
    let strings = parts.next().unwrap_or_default().split(|byte| *byte == b'\n');
    let environment = Environment::new(strings.filter_map(|string| CString::new(string).ok()).collect());
    let map = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    id_map(&map);
    let map = if map.is_empty() { IdMap::everything() } else { IdMap::parse(&map) };
    let mut file = || parts.next().map(<[u8]>::to_vec);
    let files =
        Files { passwd: file().unwrap_or_default(), group: file().unwrap_or_default(), shadow: file() };
    let owner = Workdir { path: "/work".to_owned(), uid: 1000, gid: 50, is_mounted: true };
    let root = RootFacts {
        may_set_uid: true,
        may_set_gid: true,
        uids: map.clone(),
        gids: map.clone(),
        setgroups_denied: false,
        group_is_mounted: false,
        files: files.clone(),
        unreadable: None,
        earlier_is_running: false,
        workdir: Some(owner.clone()),
    };
    // A group that no file has by chance, and one that a file may give to root.
    let from = Ids { uid: 0, gid: 0, groups: vec![0, 3_141_592_653, 5] };
    let facts = Facts { ids: from.clone(), root: Some(root) };

    let Ok(request) = Request::read(&environment) else { return };
    let Request::User(asked) = &request else {
        let plan = gb::entrypoint::identity::plan(&request, &facts).expect("nothing is to be done");
        assert_eq!(*plan.ids(), from);
        return;
    };
    let plan = match gb::entrypoint::identity::plan(&request, &facts) {
        Ok(Plan::User(plan)) => plan,
        Ok(plan) => panic!("{plan:?} is not for a user"),
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return;
        }
    };
    let (uid, text) = match &asked.who {
        Who::Id(uid, text) => (*uid, text.clone()),
        Who::Owner => (owner.uid, owner.uid.to_string()),
        Who::Default => (Who::DEFAULT, Who::DEFAULT.to_string()),
    };
    let Ids { uid: planned, gid, groups } = &plan.ids;
    let is_caller = matches!(asked.who, Who::Id(..)) && map.caller() == Some(uid);
    assert_eq!(*planned, if is_caller { 0 } else { uid });
    assert_eq!(plan.announcements.first(), Some(&format!("Starting with UID: {text}")));
    assert!(map.outside(*planned).is_some());
    assert!(is_caller || asked.gid.is_none_or(|asked| asked == *gid));
    assert_eq!(groups.first(), Some(gid));
    let given =
        plan.edited.name.as_deref().map(|name| accounts::memberships(&files.group, name)).unwrap_or_default();
    for (at, group) in groups.iter().enumerate() {
        assert!(map.outside(*group).is_some());
        assert!(!groups.iter().skip(at + 1).any(|other| other == group), "each group once");
        let is_asked = asked.extra.iter().any(|extra| match extra.gid {
            Some(gid) => gid == *group,
            None => accounts::groups(&files.group).any(|known| known.gid == *group),
        });
        let is_added = from.groups.contains(group) && (*planned == 0 || !is_roots(&files, *group));
        let is_given = given.contains(group) && plan.edited.earlier_uid.is_none() || is_added;
        assert!(at == 0 || is_asked || is_given, "{group} comes from nowhere");
    }
    assert_eq!(plan.writes_files, plan.edited.files != files);
}

/// Whether the files give a group to root, whatever its name is.
fn is_roots(files: &Files, gid: u32) -> bool {
    let roots: Vec<_> = accounts::accounts(&files.passwd).filter(|account| account.uid == 0).collect();
    let names = roots.iter().map(|account| account.name).chain([b"root".as_slice()]);
    let mut given = names.flat_map(|name| accounts::memberships(&files.group, name));
    gid == 0 || given.any(|given| given == gid) || roots.iter().any(|account| account.gid == gid)
}

/// An id is outside what the first range that has it says.
fn id_map(text: &str) {
    let map = IdMap::parse(text);
    assert!(map.ids().is_ascii());
    let ranges: Vec<[u64; 3]> = text
        .lines()
        .filter_map(|line| {
            let words: Vec<u64> = line
                .split_ascii_whitespace()
                .take(3)
                .filter_map(|word| word.parse::<u32>().ok().map(u64::from))
                .collect();
            <[u64; 3]>::try_from(words).ok()
        })
        .collect();
    let edges =
        ranges.iter().flat_map(|[inside, _, count]| [*inside, inside + count, (inside + count).max(1) - 1]);
    for id in edges.chain([0, 1000, u64::from(u32::MAX) - 1]).filter_map(|id| u32::try_from(id).ok()) {
        let expected = ranges.iter().find_map(|[inside, outside, count]| {
            let has = (*inside..inside + count).contains(&u64::from(id));
            u32::try_from(outside + u64::from(id).checked_sub(*inside)?).ok().filter(|_| has)
        });
        assert_eq!(map.outside(id), expected);
    }
}
