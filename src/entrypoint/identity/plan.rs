//! Which user the command gets, decided from the request and the facts alone.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::accounts;
use super::advice;
use super::edit::{self, Edited, Files, HOME, User};
use super::facts::{Facts, Ids, RootFacts, Workdir};
use super::request::{ExtraGroup, Request, UserRequest, Who};

/// What is to be done about the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// The command runs as gb was started.
    Unchanged {
        /// As whom.
        ids: Ids,
        /// Why.
        reason: String,
        /// What is to be told, a line each.
        notes: Vec<String>,
    },
    /// The command runs as a user of its own.
    User(Box<UserPlan>),
}

impl Plan {
    /// The ids that the command gets.
    pub fn ids(&self) -> &Ids {
        match self {
            Plan::Unchanged { ids, .. } => ids,
            Plan::User(user) => &user.ids,
        }
    }

    /// Why these.
    pub fn reason(&self) -> &str {
        match self {
            Plan::Unchanged { reason, .. } => reason,
            Plan::User(user) => &user.reason,
        }
    }

    /// What is to be told, a line each.
    pub fn notes(&self) -> &[String] {
        match self {
            Plan::Unchanged { notes, .. } => notes,
            Plan::User(user) => &user.notes,
        }
    }
}

impl UserPlan {
    /// The name of the user's account.
    pub fn name(&self) -> Option<String> {
        self.edited.name.as_ref().map(|name| String::from_utf8_lossy(name).into_owned())
    }
}

/// The user that the command is to run as, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPlan {
    /// The ids that gb has now.
    pub from: Ids,
    /// The ids that the command gets.
    pub ids: Ids,
    /// Why these.
    pub reason: String,
    /// The lines that the original entrypoint writes, as they are.
    pub announcements: Vec<String>,
    /// What is to be told, a line each.
    pub notes: Vec<String>,
    /// What the account files are to know.
    pub user: User,
    /// What they say then; the same as before if there is nothing to be done.
    pub edited: Edited,
    /// Whether they have to be written.
    pub writes_files: bool,
    /// The home that an account which was there before has, root's excepted.
    pub account_home: Option<OsString>,
}

/// The request can't be met.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum PlanError {
    /// Ids can't be changed.
    #[error(
        "run as uid {uid}: {capability} is missing, without which ids can't be changed (run without --cap-drop, or with \
         --cap-add SETUID --cap-add SETGID --cap-add CHOWN, or docker run --user {uid}:{gid})"
    )]
    NoCapability {
        /// The capability.
        capability: &'static str,
        /// The user asked for.
        uid: u32,
        /// Its group.
        gid: u32,
    },
    /// An id does not exist in the user namespace.
    #[error(
        "run as {kind} {id}: this user namespace does not have it, only {ids} (a larger range in /etc/sub{kind}, or another \
         --userns)"
    )]
    NotMapped {
        /// uid or gid.
        kind: &'static str,
        /// The id.
        id: u32,
        /// What there is.
        ids: String,
    },
    /// The groups can't be changed.
    #[error(
        "run as uid {uid}: setgroups is denied in this user namespace, so the groups of root would stay (a user namespace \
         made with newgidmap, or RUN_AS_ROOT=true)"
    )]
    SetgroupsDenied {
        /// The user asked for.
        uid: u32,
    },
    /// A group that was given by name is not there.
    #[error(
        "{variable}={name}: no group of this name in the image (give the id that it has outside: getent group {name})"
    )]
    NoSuchGroup {
        /// The variable.
        variable: &'static str,
        /// The name.
        name: String,
    },
    /// More groups than a process can have.
    #[error("run as uid {uid}: {count} groups are more than the {MAX_GROUPS} that a process can have")]
    TooManyGroups {
        /// The user asked for.
        uid: u32,
        /// How many.
        count: usize,
    },
    /// The owner of the working directory can't be told, or can't be meant.
    #[error("GB_USER=owner: {cause} (LOCAL_USER_ID=$(id -u))")]
    NoOwner {
        /// Why not.
        cause: String,
    },
}

/// Decides.
pub fn plan(request: &Request, facts: &Facts) -> Result<Plan, PlanError> {
    let ids = facts.ids.clone();
    match (request, &facts.root) {
        (Request::Unchanged, _) => {
            let notes = advice::not_root(&ids);
            Ok(Plan::Unchanged { ids, reason: "RUN_AS_ROOT is true".to_owned(), notes })
        }
        (Request::User(user), None) => {
            let reason = format!("started as uid {}, who can't become another user", ids.uid);
            Ok(Plan::Unchanged { notes: advice::unmet(user, &ids), ids, reason })
        }
        (Request::User(user), Some(root)) => {
            user_plan(user, ids, root).map(|plan| Plan::User(Box::new(plan)))
        }
    }
}

fn user_plan(request: &UserRequest, from: Ids, facts: &RootFacts) -> Result<UserPlan, PlanError> {
    let mut notes = Vec::new();
    let (uid, text, mut reason) = who(request, facts)?;
    if let Some(value) = &request.near_miss {
        notes.push(format!(
            "RUN_AS_ROOT={}: only true keeps root, so the command runs as uid {uid} (RUN_AS_ROOT=true)",
            value.to_string_lossy()
        ));
    }
    let mut announcements = vec![format!("Starting with UID: {text}")];

    // A rootless engine maps the caller to root. Any other id would be a stranger to the caller's files.
    let is_caller = match (&request.who, facts.uids.caller()) {
        (Who::Id(..), Some(caller)) => caller == uid,
        (Who::Owner, Some(_)) => uid == 0,
        _ => false,
    };
    if facts.uids.outside(uid).is_none() && !is_caller {
        return Err(PlanError::NotMapped { kind: "uid", id: uid, ids: facts.uids.ids() });
    }
    let (uid, gid) = if is_caller {
        notes.push(format!("run as uid {text}: in the user namespace of this rootless engine that is root"));
        notes.extend(request.gid.map(|gid| {
            format!(
                "run with LOCAL_GROUP_ID={gid}: the command keeps root's group, which here is the caller's"
            )
        }));
        reason.push_str(", who is root in this user namespace");
        (0, 0)
    } else {
        if uid == 0 {
            notes.push("run as uid 0: that is root, whose privileges the command keeps".to_owned());
        }
        (uid, primary_group(request, facts, uid))
    };
    notes.extend(
        facts.unreadable.iter().map(|problem| format!("{problem} (its accounts and groups are ignored)")),
    );
    if request.who == Who::Default {
        notes.extend(facts.workdir.as_ref().and_then(|workdir| advice::hint(workdir, &facts.uids)));
    }

    let mut extra = Vec::new();
    for group in &request.extra {
        let (extra_gid, is_there) = extra_group(group, facts)?;
        announcements.push(format!("Adding user to additional GID: {}", group.text.to_string_lossy()));
        if is_there || extra_gid == gid {
            announcements.push("Adding user to existing group instead".to_owned());
        }
        extra.push(extra_gid);
    }
    let user = User { uid, gid, extra, replaces: !facts.earlier_is_running, home: HOME.into() };
    let edited = edit::with_user(&facts.files, &user);
    let ids = ids(&user, &edited, &from, facts)?;
    check(&ids, &from, facts)?;
    notes.extend(advice::lost_groups(&ids, &from, facts));
    let writes_files = edited.files != facts.files && facts.unreadable.is_none();
    let mut known = accounts::accounts(&facts.files.passwd);
    let known = known.find(|account| account.uid == uid && uid != 0 && facts.unreadable.is_none());
    let account_home = known.map(|account| OsStr::from_bytes(account.home).to_owned());
    Ok(UserPlan { from, ids, reason, announcements, notes, user, edited, writes_files, account_home })
}

/// The user's id, how it is announced, and who said so.
fn who(request: &UserRequest, facts: &RootFacts) -> Result<(u32, String, String), PlanError> {
    let no_owner = |cause: String| PlanError::NoOwner { cause };
    let uid = request.who.uid(facts.workdir.as_ref().map(|workdir| workdir.uid));
    let uid = uid.ok_or_else(|| no_owner("the working directory is not there any more".to_owned()))?;
    match (&request.who, &facts.workdir) {
        (Who::Id(_, text), _) => Ok((uid, text.clone(), format!("LOCAL_USER_ID={text}"))),
        (Who::Owner, Some(Workdir { path, is_mounted, .. })) => {
            if facts.uids.is_nobodys(uid) {
                return Err(no_owner(format!(
                    "the working directory {path} belongs to nobody of this user namespace"
                )));
            }
            // A forgotten --volume must not mean root.
            if uid == 0 && !is_mounted {
                return Err(no_owner(format!("the working directory {path} is the image's own, and root's")));
            }
            Ok((uid, uid.to_string(), format!("GB_USER=owner, and {path} belongs to uid {uid}")))
        }
        _ => Ok((uid, uid.to_string(), "the default, as no id is given".to_owned())),
    }
}

/// The group that was asked for, or that of the user's account, or the one with the user's own number. (The original
/// entrypoint lets useradd choose, which takes 1001 for most ids.)
fn primary_group(request: &UserRequest, facts: &RootFacts, uid: u32) -> u32 {
    let owners = match (&request.who, &facts.workdir) {
        (Who::Owner, Some(workdir)) => Some(workdir.gid),
        _ => None,
    };
    let account = || accounts::accounts(&facts.files.passwd).find(|account| account.uid == uid);
    request.gid.or(owners).or_else(|| account().map(|account| account.gid)).unwrap_or(uid)
}

/// The id of a further group, and whether there is such a group.
fn extra_group(group: &ExtraGroup, facts: &RootFacts) -> Result<(u32, bool), PlanError> {
    let mut groups = accounts::groups(&facts.files.group);
    match group.gid {
        Some(gid) => Ok((gid, groups.any(|known| known.gid == gid))),
        None => {
            let name = group.text.as_bytes();
            let known = groups.find(|known| known.name == name);
            known.map(|known| (known.gid, true)).ok_or_else(|| PlanError::NoSuchGroup {
                variable: group.variable,
                name: group.text.to_string_lossy().into_owned(),
            })
        }
    }
}

/// The user's ids. The primary group is among the supplementary ones, too: a file whose group may do less than others must
/// not be open to somebody who left that group (CVE-2022-36109).
fn ids(user: &User, edited: &Edited, from: &Ids, facts: &RootFacts) -> Result<Ids, PlanError> {
    let gids = &facts.gids;
    let (own, added) = match (user.uid, &edited.name) {
        (0, _) => (from.groups.clone(), Vec::new()),
        (_, Some(name)) => (accounts::memberships(&edited.files.group, name), added_groups(from, facts)),
        (_, None) => (Vec::new(), added_groups(from, facts)),
    };
    // Nobody asked for these by their number, so one that does not exist here is no mistake.
    let own = own.into_iter().filter(|gid| gids.outside(*gid).is_some() && !user.extra.contains(gid));
    let ids = Ids::new(user.uid, user.gid, own.chain(user.extra.iter().copied()).chain(added));
    if ids.groups.len() > MAX_GROUPS {
        return Err(PlanError::TooManyGroups { uid: user.uid, count: ids.groups.len() });
    }
    match ids.groups.iter().find(|gid| gids.outside(**gid).is_none()) {
        Some(gid) => Err(PlanError::NotMapped { kind: "gid", id: *gid, ids: gids.ids() }),
        None => Ok(ids),
    }
}

/// The groups that whoever started the container has added to its first process (`docker run --group-add`).
///
/// The engine gives that process the groups that root has in the image as well. Those are root's, and no user's.
fn added_groups(from: &Ids, facts: &RootFacts) -> Vec<u32> {
    // Without the image's files it can't be told whose a group is.
    if facts.unreadable.is_some() || facts.group_is_mounted {
        return Vec::new();
    }
    let Files { passwd, group, .. } = &facts.files;
    let roots: Vec<_> = accounts::accounts(passwd).filter(|account| account.uid == 0).collect();
    let names = roots.iter().map(|account| account.name).chain([b"root".as_slice()]);
    let mut own: Vec<u32> = names.flat_map(|name| accounts::memberships(group, name)).collect();
    own.extend(roots.iter().map(|account| account.gid).chain([0, from.gid]));
    let is_added =
        |gid: &u32| !own.contains(gid) && !facts.gids.is_nobodys(*gid) && facts.gids.outside(*gid).is_some();
    from.groups.iter().copied().filter(is_added).collect()
}

/// NGROUPS_MAX (include/uapi/linux/limits.h)
const MAX_GROUPS: usize = 65536;

/// What the kernel would refuse, with the reason that it does not give.
fn check(ids: &Ids, from: &Ids, facts: &RootFacts) -> Result<(), PlanError> {
    let Ids { uid, gid, .. } = *ids;
    let same_groups = ids.has_groups_of(from);
    if !facts.may_set_uid && uid != from.uid {
        return Err(PlanError::NoCapability { capability: "CAP_SETUID", uid, gid });
    }
    if !facts.may_set_gid && (gid != from.gid || !same_groups) {
        return Err(PlanError::NoCapability { capability: "CAP_SETGID", uid, gid });
    }
    if facts.setgroups_denied && !same_groups {
        return Err(PlanError::SetgroupsDenied { uid });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;
    use crate::environment::Environment;
    use crate::user_namespace::IdMap;

    const ROOTLESS: &str = "0 1000 1\n1 100000 65536\n";

    fn root() -> RootFacts {
        RootFacts {
            may_set_uid: true,
            may_set_gid: true,
            uids: IdMap::everything(),
            gids: IdMap::everything(),
            setgroups_denied: false,
            group_is_mounted: false,
            files: Files {
                passwd: b"root:x:0:0:root:/root:/bin/sh\nnode:x:1000:100::/home/node:/bin/sh\n".to_vec(),
                group: b"root:x:0:\nusers:x:100:\naudio:x:29:node,user\ndocker:x:998:\n".to_vec(),
                shadow: Some(Vec::new()),
            },
            unreadable: None,
            earlier_is_running: false,
            workdir: Some(Workdir { path: "/src".into(), uid: 1234, gid: 50, is_mounted: true }),
        }
    }

    fn rootless() -> RootFacts {
        RootFacts { uids: IdMap::parse(ROOTLESS), gids: IdMap::parse(ROOTLESS), ..root() }
    }

    fn decide(variables: &[&str], root: Option<RootFacts>) -> Result<Plan, PlanError> {
        let variables = variables.iter().map(|v| CString::new(*v).unwrap()).collect();
        let request = Request::read(&Environment::new(variables)).unwrap();
        let uid = if root.is_some() { 0 } else { 5000 };
        let root = root.filter(|_| request != Request::Unchanged);
        plan(&request, &Facts { ids: Ids { uid, gid: 0, groups: vec![0] }, root })
    }

    #[track_caller]
    fn user(variables: &[&str], root: RootFacts) -> UserPlan {
        match decide(variables, Some(root)).unwrap() {
            Plan::User(user) => *user,
            unchanged => panic!("{unchanged:?}"),
        }
    }

    fn ids(uid: u32, gid: u32, groups: &[u32]) -> Ids {
        Ids { uid, gid, groups: groups.to_vec() }
    }

    #[test]
    fn the_ids_are_those_asked_for() {
        for (variables, expected) in [
            (&["LOCAL_USER_ID=4242"][..], ids(4242, 4242, &[4242, 29])),
            (&["LOCAL_USER_ID=4294967294"], ids(4_294_967_294, 4_294_967_294, &[4_294_967_294, 29])),
            (&["LOCAL_USER_ID=4242", "LOCAL_GROUP_ID=7"], ids(4242, 7, &[7, 29])),
            // A user with an account has its group and its memberships.
            (&["LOCAL_USER_ID=1000"], ids(1000, 100, &[100, 29])),
            (&["LOCAL_USER_ID=1000", "LOCAL_GROUP_ID=1000"], ids(1000, 1000, &[1000, 29])),
            (&[], ids(9001, 9001, &[9001, 29])),
            (&["GB_USER=owner"], ids(1234, 50, &[50, 29])),
            (&["GB_USER=owner", "LOCAL_GROUP_ID=51"], ids(1234, 51, &[51, 29])),
            (&["LOCAL_USER_ID=7", "EXTRA_GROUP_ID=998"], ids(7, 7, &[7, 29, 998])),
            (&["LOCAL_USER_ID=7", "EXTRA_GROUP_IDS=docker,0,555"], ids(7, 7, &[7, 29, 998, 0, 555])),
            (&["LOCAL_USER_ID=7", "EXTRA_GROUP_ID=7"], ids(7, 7, &[7, 29])),
            (&["LOCAL_USER_ID=0"], ids(0, 0, &[0])),
            (&["LOCAL_USER_ID=0", "EXTRA_GROUP_ID=998"], ids(0, 0, &[0, 998])),
        ] {
            assert_eq!(user(variables, root()).ids, expected, "{variables:?}");
        }
    }

    #[test]
    fn groups_that_the_engine_was_told_to_add_stay_and_those_of_the_images_root_do_not() {
        let groups = |variables: &[&str], groups: &[u32], facts: RootFacts| {
            let variables = variables.iter().map(|v| CString::new(*v).unwrap()).collect();
            let request = Request::read(&Environment::new(variables)).unwrap();
            let ids = Ids { uid: 0, gid: 0, groups: groups.to_vec() };
            plan(&request, &Facts { ids, root: Some(facts) }).unwrap().ids().groups.clone()
        };
        let wheel = || {
            let file = b"root:x:0:\nbin:x:1:root,daemon\nwheel:x:10:toor\ndocker:x:998:\n".to_vec();
            let passwd = b"root:x:0:0:::\ntoor:x:0:11:::\n".to_vec();
            RootFacts { files: Files { passwd, group: file, shadow: None }, ..root() }
        };
        let given = [0, 1, 10, 11, 998, 5555];
        assert_eq!(groups(&["LOCAL_USER_ID=7"], &given, wheel()), [7, 998, 5555]);
        assert_eq!(groups(&["LOCAL_USER_ID=7", "EXTRA_GROUP_ID=1"], &given, wheel()), [7, 1, 998, 5555]);
        assert_eq!(groups(&["LOCAL_USER_ID=0"], &given, wheel()), given);
        // Whose they are is not known.
        let unreadable = RootFacts { unreadable: Some("read /etc/group".into()), ..wheel() };
        assert_eq!(groups(&["LOCAL_USER_ID=7"], &given, unreadable), [7]);
        // Nobody's in a user namespace is somebody's outside.
        let nobodys = RootFacts { uids: IdMap::parse(ROOTLESS), gids: IdMap::parse(ROOTLESS), ..wheel() };
        assert_eq!(groups(&["LOCAL_USER_ID=7"], &[0, 65534, 70000, 998], nobodys), [7, 998]);
    }

    #[test]
    fn the_lines_of_the_original_are_announced_and_nothing_else_is_said_when_all_is_well() {
        let plan = user(&["LOCAL_USER_ID=04242", "EXTRA_GROUP_ID=998"], root());
        let extra = "Adding user to additional GID: 998";
        let lines = ["Starting with UID: 04242", extra, "Adding user to existing group instead"];
        assert_eq!((plan.announcements.as_slice(), plan.notes.len()), (&lines.map(str::to_owned)[..], 0));
        let plan = user(&["LOCAL_USER_ID=1", "EXTRA_GROUP_ID=555"], root());
        assert_eq!(plan.announcements, ["Starting with UID: 1", "Adding user to additional GID: 555"]);
    }

    #[test]
    fn a_caller_without_an_id_is_told_whose_the_working_directory_is() {
        let hints = |workdir: Workdir, facts: RootFacts| {
            user(&[], RootFacts { workdir: Some(workdir), ..facts }).notes.join("\n")
        };
        let workdir = |uid, is_mounted| Workdir { path: "/src".into(), uid, gid: 0, is_mounted };
        let told = hints(workdir(1234, true), root());
        assert!(told.contains("/src belongs to uid 1234 (docker run -e LOCAL_USER_ID=1234"), "{told}");
        assert_eq!(hints(workdir(1234, false), root()), "");
        assert_eq!(hints(workdir(9001, true), root()), "");
        assert_eq!(hints(workdir(0, true), root()), "");
        let told = hints(workdir(65534, true), RootFacts { uids: IdMap::parse("0 100000 65536"), ..root() });
        assert!(
            told.contains("belongs to nobody of this user namespace (docker run --userns=host)"),
            "{told}"
        );
        // In a rootless engine's namespace root is the caller.
        let told = hints(workdir(0, true), rootless());
        assert!(told.contains("belongs to uid 1000"), "{told}");
        assert!(user(&["LOCAL_USER_ID=7"], root()).notes.is_empty());
    }

    #[test]
    fn a_near_miss_of_run_as_root_is_not_root_and_is_explained() {
        let plan = user(&["RUN_AS_ROOT='true'", "LOCAL_USER_ID=7"], root());
        assert_eq!(plan.ids.uid, 7);
        assert!(plan.notes[0].starts_with("RUN_AS_ROOT='true': only true keeps root"), "{:?}", plan.notes);
    }

    #[test]
    fn with_a_rootless_engine_the_caller_is_root_and_stays_so() {
        let plan = user(&["LOCAL_USER_ID=1000"], rootless());
        assert_eq!(
            (plan.ids, plan.announcements),
            (ids(0, 0, &[0]), vec!["Starting with UID: 1000".to_owned()])
        );
        assert!(plan.notes[0].contains("rootless"), "{:?}", plan.notes);
        let own = Workdir { path: "/src".into(), uid: 0, gid: 0, is_mounted: true };
        let plan = user(&["GB_USER=owner"], RootFacts { workdir: Some(own), ..rootless() });
        assert!(plan.ids.uid == 0 && plan.notes[0].contains("rootless"), "{:?}", plan.notes);
        // Anybody else is somebody else, and a range that happens to begin with that id is no rootless engine's.
        assert_eq!(user(&["LOCAL_USER_ID=1001"], rootless()).ids.uid, 1001);
        let incus = || IdMap::parse("0 100000 1000000");
        let plan = user(&["LOCAL_USER_ID=100000"], RootFacts { uids: incus(), gids: incus(), ..root() });
        assert_eq!(plan.ids.uid, 100_000);
    }

    #[test]
    fn what_the_kernel_would_refuse_is_refused_with_the_reason() {
        let error =
            |variables: &[&str], facts: RootFacts| decide(variables, Some(facts)).unwrap_err().to_string();
        let uid = &["LOCAL_USER_ID=4242"][..];
        let told = error(uid, RootFacts { may_set_uid: false, ..root() });
        assert!(told.starts_with("run as uid 4242: CAP_SETUID is missing"), "{told}");
        let told = error(uid, RootFacts { may_set_gid: false, ..root() });
        assert!(told.starts_with("run as uid 4242: CAP_SETGID is missing"), "{told}");
        let told = error(&["LOCAL_USER_ID=70000"], rootless());
        assert!(
            told.starts_with("run as uid 70000: this user namespace does not have it, only 0, 1 to 65536"),
            "{told}"
        );
        let told = error(&["LOCAL_USER_ID=7", "EXTRA_GROUP_ID=70000"], rootless());
        assert!(told.starts_with("run as gid 70000:"), "{told}");
        let told = error(uid, RootFacts { setgroups_denied: true, ..rootless() });
        assert!(told.starts_with("run as uid 4242: setgroups is denied"), "{told}");
        let told = error(&["EXTRA_GROUP_ID=nobodys"], root());
        assert!(told.starts_with("EXTRA_GROUP_ID=nobodys: no group of this name in the image"), "{told}");
        let nobodys = Workdir { path: "/src".into(), uid: 65534, gid: 65534, is_mounted: true };
        let told = error(&["GB_USER=owner"], RootFacts { workdir: Some(nobodys), ..rootless() });
        assert!(told.contains("/src belongs to nobody of this user namespace"), "{told}");
        let images = Workdir { path: "/go".into(), uid: 0, gid: 0, is_mounted: false };
        let told = error(&["GB_USER=owner"], RootFacts { workdir: Some(images), ..root() });
        assert!(told.starts_with("GB_USER=owner: the working directory /go is the image's own"), "{told}");
    }

    #[test]
    fn root_needs_no_capability_to_stay_root() {
        let powerless =
            || RootFacts { may_set_uid: false, may_set_gid: false, setgroups_denied: true, ..rootless() };
        assert_eq!(user(&["LOCAL_USER_ID=0"], powerless()).ids.uid, 0);
        assert_eq!(user(&["LOCAL_USER_ID=1000"], powerless()).ids.uid, 0);
        assert!(decide(&["LOCAL_USER_ID=0", "EXTRA_GROUP_ID=998"], Some(powerless())).is_err());
    }

    #[test]
    fn a_container_started_as_another_user_stays_that_user() {
        let notes = |variables: &[&str]| match decide(variables, None).unwrap() {
            Plan::Unchanged { ids, notes, .. } => {
                assert_eq!(ids.uid, 5000);
                notes.join("\n")
            }
            plan => panic!("{plan:?}"),
        };
        assert_eq!(notes(&[]), "");
        assert_eq!(notes(&["LOCAL_USER_ID=5000"]), "");
        assert!(notes(&["RUN_AS_ROOT=true"]).starts_with("RUN_AS_ROOT=true: the container was started as"));
        assert_eq!(notes(&["LOCAL_GROUP_ID=0", "EXTRA_GROUP_ID=0"]), "");
        assert!(notes(&["EXTRA_GROUP_ID=998"]).contains("--group-add 998"));
        assert!(notes(&["LOCAL_GROUP_ID=5"]).contains("--user 5000:5"));
        assert!(
            notes(&["LOCAL_USER_ID=7"])
                .starts_with("run as LOCAL_USER_ID=7: the container was started as uid 5000")
        );
    }

    #[test]
    fn files_are_written_only_if_they_lack_something_and_could_be_read() {
        assert!(user(&["LOCAL_USER_ID=7"], root()).writes_files);
        assert!(!user(&["LOCAL_USER_ID=1000"], root()).writes_files);
        let home = |uid: &str| user(&[uid], root()).account_home;
        assert_eq!(home("LOCAL_USER_ID=1000"), Some("/home/node".into()));
        assert_eq!((home("LOCAL_USER_ID=7"), home("LOCAL_USER_ID=0")), (None, None));
        let unreadable =
            RootFacts { unreadable: Some("read /etc/group: it is a directory".into()), ..root() };
        let plan = user(&["LOCAL_USER_ID=7"], unreadable);
        assert!(!plan.writes_files && plan.notes[0].starts_with("read /etc/group"), "{:?}", plan.notes);
    }
}
