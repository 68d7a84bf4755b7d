//! What a caller is told although the command runs: of what was asked for in vain, and of what would have helped.

use super::facts::{Ids, RootFacts, Workdir};
use super::request::{UserRequest, Who};
use crate::user_namespace::IdMap;

/// What a user who can't become another one asks for in vain.
pub(super) fn unmet(request: &UserRequest, ids: &Ids) -> Vec<String> {
    let Ids { uid: current, gid: group, groups } = ids;
    let mut notes = Vec::new();
    if let Who::Id(uid, _) = request.who {
        if uid != *current {
            notes.push(format!(
                "run as LOCAL_USER_ID={uid}: the container was started as uid {current} and stays so (docker run without \
                 --user)"
            ));
        }
    }
    if let Some(gid) = request.gid.filter(|gid| gid != group) {
        notes.push(format!(
            "run with LOCAL_GROUP_ID={gid}: the container was started with gid {group} and stays so (docker run --user \
             {current}:{gid})"
        ));
    }
    let held = |gid: u32| gid == *group || groups.contains(&gid);
    for extra in request.extra.iter().filter(|extra| !extra.gid.is_some_and(held)) {
        let text = extra.text.to_string_lossy();
        notes.push(format!(
            "run with {}={text}: uid {current} can't join groups (docker run --group-add {text})",
            extra.variable
        ));
    }
    notes
}

/// For a caller who wants root, and has started the container as somebody else.
pub(super) fn not_root(ids: &Ids) -> Vec<String> {
    let uid = ids.uid;
    let note = format!(
        "RUN_AS_ROOT=true: the container was started as uid {uid} and stays so (docker run without --user)"
    );
    if uid == 0 { Vec::new() } else { vec![note] }
}

/// For a caller whose added groups can't be told from those that root has in the image.
pub(super) fn lost_groups(ids: &Ids, from: &Ids, facts: &RootFacts) -> Option<String> {
    let held = |gid: &u32| *gid == 0 || *gid == from.gid || ids.groups.contains(gid);
    let lost: Vec<String> = from.groups.iter().filter(|gid| !held(gid)).map(ToString::to_string).collect();
    if !facts.group_is_mounted || ids.uid == 0 || lost.is_empty() {
        return None;
    }
    Some(format!(
        "run without root's groups {}: as /etc/group is mounted, it can't be told which were added to the container (-e \
         EXTRA_GROUP_IDS=GID,...)",
        lost.join(" ")
    ))
}

/// For a caller who gave no id, and whose files the default user can't write to.
pub(super) fn hint(workdir: &Workdir, uids: &IdMap) -> Option<String> {
    let Workdir { path, uid, is_mounted, .. } = workdir;
    if !is_mounted || *uid == Who::DEFAULT {
        return None;
    }
    let who = format!("run as uid {}: the working directory {path} belongs to", Who::DEFAULT);
    if uids.is_nobodys(*uid) {
        return Some(format!("{who} nobody of this user namespace (docker run --userns=host)"));
    }
    let owner = match (uid, uids.caller()) {
        (0, Some(caller)) => caller,
        (0, None) => return None,
        _ => *uid,
    };
    Some(format!("{who} uid {owner} (docker run -e LOCAL_USER_ID={owner}, or -e GB_USER=owner)"))
}
