//! A root directory of a test's own, and a program started in it.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::running::{Done, Running};
use crate::terminal;

/// A tmpfs with all the roots.
pub const PLACES: &str = "/places";

/// What a container's environment has.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Mounts a root and goes there. `sh enter PLACE PREPARE READ_ONLY UID_MAP GID_MAP SETGROUPS PROGRAM…`, as PID 1 of a
/// pid namespace and in a mount namespace.
const ENTER: &str = r#"
place=$1 prepare=$2 read_only=$3 uid_map=$4 gid_map=$5 setgroups=$6
shift 6
root=$place/root
mount -t proc proc /proc
mount -t overlay case -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
if [ -n "$prepare" ]; then chroot "$root" sh -euc "$prepare" </dev/null; fi
if [ -n "$read_only" ]; then mount -o remount,bind,ro "$root"; fi
if [ -n "$uid_map" ]; then
    # A user namespace can't be made after a chroot, and its maps are written from outside it.
    unshare --user sleep infinity </dev/null >/dev/null 2>&1 &
    holder=$!
    until [ "$(readlink "/proc/$holder/ns/user")" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done
    echo "$setgroups" >"/proc/$holder/setgroups"
    # The kernel takes a map by one write only.
    printf '%s\n' "$uid_map" >"/proc/$holder/uid_map"
    printf '%s\n' "$gid_map" >"/proc/$holder/gid_map"
    case $setgroups in
        allow) as='--setuid=0 --setgid=0' ;;
        deny) as=--preserve-credentials ;;
    esac
    : >"$place/ready"
    # shellcheck disable=SC2086 # several words
    exec nsenter "--user=/proc/$holder/ns/user" $as chroot "$root" "$@"
fi
: >"$place/ready"
exec chroot "$root" "$@"
"#;

/// A root, and how a program is started in it. What nobody has changed is what `docker run` of the image would give:
/// root, its capabilities and environment, `/` as the working directory.
#[derive(Clone, Default)]
pub struct Root {
    files: Vec<File>,
    prepare: String,
    read_only: bool,
    maps: Option<Maps>,
    tini: bool,
    environment: Vec<(OsString, OsString)>,
    workdir: Option<OsString>,
    umask: Option<&'static str>,
    /// Options of setpriv(1).
    setpriv: Vec<String>,
    /// Options of env(1), for signals and argv[0].
    env: Vec<OsString>,
    input: Vec<u8>,
}

#[derive(Clone)]
struct File {
    path: String,
    contents: Vec<u8>,
    mode: u32,
    owner: (u32, u32),
}

#[derive(Clone)]
struct Maps {
    uids: &'static str,
    gids: &'static str,
    setgroups: &'static str,
}

impl Root {
    pub fn new() -> Root {
        Root::default()
    }

    /// Has a file of root's, in place of what the image has there. Directories on the way are made.
    pub fn file(self, path: &str, contents: impl AsRef<[u8]>, mode: u32) -> Root {
        self.file_of(path, contents, mode, (0, 0))
    }

    /// Has a file of somebody's (uid, gid).
    pub fn file_of(mut self, path: &str, contents: impl AsRef<[u8]>, mode: u32, owner: (u32, u32)) -> Root {
        self.files.retain(|known| known.path != path);
        self.files.push(File { path: path.to_owned(), contents: contents.as_ref().to_owned(), mode, owner });
        self
    }

    /// Has other accounts than the image.
    pub fn passwd(self, contents: impl AsRef<[u8]>) -> Root {
        self.file("/etc/passwd", contents, 0o644)
    }

    /// Has other groups than the image.
    pub fn group(self, contents: impl AsRef<[u8]>) -> Root {
        self.file("/etc/group", contents, 0o644)
    }

    /// Runs a script as root in the root first, with all capabilities: `useradd`, `mount --bind` …
    pub fn prepare(mut self, script: &str) -> Root {
        self.prepare.push_str(script);
        self.prepare.push('\n');
        self
    }

    /// `docker run --read-only`.
    pub fn read_only(mut self) -> Root {
        self.read_only = true;
        self
    }

    /// `docker run --init`: tini is PID 1, and the program is not.
    pub fn init(mut self) -> Root {
        self.tini = true;
        self
    }

    /// `docker run --env`. The last word on a variable counts.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Root {
        self.environment.retain(|(known, _)| known != name.as_ref());
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Several variables at once.
    pub fn envs(self, variables: &[(&str, &str)]) -> Root {
        variables.iter().fold(self, |root, (name, value)| root.env(name, value))
    }

    /// `docker run --workdir`.
    pub fn workdir(mut self, dir: &str) -> Root {
        self.workdir = Some(dir.into());
        self
    }

    /// Starts the program with another umask, in octal digits.
    pub fn umask(mut self, umask: &'static str) -> Root {
        self.umask = Some(umask);
        self
    }

    /// `docker run --user UID:GID`.
    pub fn user(self, uid: u32, gid: u32) -> Root {
        self.env("HOME", "/").setpriv(&[
            &format!("--reuid={uid}"),
            &format!("--regid={gid}"),
            "--clear-groups",
        ])
    }

    /// Options of setpriv(1): `--bounding-set=-setuid` is `docker run --cap-drop SETUID`.
    pub fn setpriv(mut self, options: &[&str]) -> Root {
        self.setpriv.extend(options.iter().map(|option| (*option).to_owned()));
        self
    }

    /// Options of env(1): `--ignore-signal=PIPE`, `--block-signal=TERM`, `--argv0=NAME` …
    pub fn started_with(mut self, option: impl AsRef<OsStr>) -> Root {
        self.env.push(option.as_ref().to_owned());
        self
    }

    /// A user namespace, as a rootless engine makes it; maps as in user_namespaces(7). The program is root there, and
    /// the files of root's are this root's.
    pub fn user_namespace(mut self, uids: &'static str, gids: &'static str) -> Root {
        self.maps = Some(Maps { uids, gids, setgroups: "allow" });
        self
    }

    /// A user namespace in which nobody may change groups; 0 has to be mapped to 0.
    pub fn user_namespace_without_setgroups(mut self, uids: &'static str, gids: &'static str) -> Root {
        self.maps = Some(Maps { uids, gids, setgroups: "deny" });
        self
    }

    /// What the program can read on standard input; nothing if not given.
    pub fn input(mut self, bytes: impl AsRef<[u8]>) -> Root {
        self.input = bytes.as_ref().to_owned();
        self
    }

    /// Runs a program as PID 1 (or below tini) and waits for its end.
    #[track_caller]
    pub fn run<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Done {
        let mut running = self.start(words);
        running.send(&self.input);
        running.close_input();
        running.wait()
    }

    /// Runs a shell script, whose shell is PID 1 (or below tini), and waits for its end.
    #[track_caller]
    pub fn sh(&self, script: &str) -> Done {
        self.run(shell(script))
    }

    /// Starts a program as PID 1 (or below tini), with pipes as standard streams.
    #[track_caller]
    pub fn start<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Running {
        let place = Arc::new(Place::make(self));
        let (command, shown) = self.command(&place, words, false);
        Running::with_pipes(command, shown, place)
    }

    /// Starts a program as PID 1 (or below tini) on a terminal, as `docker run -it` does: the leader of a session whose
    /// controlling terminal it is.
    #[track_caller]
    pub fn start_on_terminal<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Running {
        let place = Arc::new(Place::make(self));
        let (command, shown) = self.command(&place, words, true);
        terminal::start(command, shown, place)
    }

    /// The command that enters the root, and the program's words for messages.
    fn command<S: AsRef<OsStr>>(
        &self,
        place: &Place,
        words: impl IntoIterator<Item = S>,
        on_terminal: bool,
    ) -> (Command, String) {
        let words: Vec<OsString> = words.into_iter().map(|word| word.as_ref().to_owned()).collect();
        let maps = self.maps.clone().unwrap_or(Maps { uids: "", gids: "", setgroups: "" });
        let prepare = match &self.maps {
            Some(maps) => format!("{}{}", self.prepare, handed_over(maps)),
            None => self.prepare.clone(),
        };
        let mut command = Command::new("unshare");
        command.args(["--mount", "--pid", "--fork", "--kill-child=KILL", "--propagation=private"]);
        command.args(["sh", "-euc", ENTER, "enter"]).arg(&place.dir).arg(prepare);
        command.arg(if self.read_only { "yes" } else { "" });
        command.args([maps.uids, maps.gids, maps.setgroups]);
        if on_terminal {
            command.args(["setsid", "--ctty"]);
        }
        if self.tini {
            command.args(["tini", "--"]);
        }
        if !self.setpriv.is_empty() {
            command.arg("setpriv").args(&self.setpriv);
        }
        if let Some(umask) = self.umask {
            command.args(["sh", "-c", r#"umask "$0"; exec "$@""#, umask]);
        }
        command.args(["env", "-i"]).args(&self.env);
        command.arg("--chdir").arg(self.workdir.as_deref().unwrap_or(OsStr::new("/")));
        for (name, value) in self.full_environment() {
            let mut variable = name;
            variable.push("=");
            variable.push(value);
            command.arg(variable);
        }
        command.args(&words);
        command.env_clear().env("PATH", PATH).current_dir("/");
        (command, self.shown(&words))
    }

    fn full_environment(&self) -> Vec<(OsString, OsString)> {
        let usual = [("PATH", PATH), ("HOSTNAME", "case"), ("HOME", "/root")];
        let given = |name: &str| self.environment.iter().any(|(known, _)| known == name);
        let usual = usual.into_iter().filter(|(name, _)| !given(name));
        let usual = usual.map(|(name, value)| (name.into(), value.into()));
        usual.chain(self.environment.iter().cloned()).collect()
    }

    fn shown(&self, words: &[OsString]) -> String {
        let variables =
            self.environment.iter().map(|(name, value)| format!("{}={value:?}", name.to_string_lossy()));
        let words = words.iter().map(|word| format!("{word:?}"));
        variables.chain(words).collect::<Vec<_>>().join(" ")
    }
}

/// The words of a shell that runs a script, and does not become its last command.
pub fn shell(script: &str) -> [OsString; 3] {
    ["sh".into(), "-c".into(), format!("{script}\nexit").into()]
}

/// A script that gives what is usually root's to the user namespace's root.
fn handed_over(maps: &Maps) -> String {
    let of_root = |map: &str| {
        let mut lines = map.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        lines.find(|fields| fields[0] == "0").expect("a map has a line for 0")[1].to_owned()
    };
    let (uid, gid) = (of_root(maps.uids), of_root(maps.gids));
    if uid == "0" && gid == "0" {
        return String::new();
    }
    format!(
        "find / /etc /home /root /tmp /var/tmp /run /run/lock /usr/local/bin -maxdepth 1 -xdev -user 0 \
         -exec chown -h {uid}:{gid} {{}} +\n"
    )
}

/// The directory of a root, which goes away with the value.
pub struct Place {
    dir: PathBuf,
}

impl Place {
    fn make(root: &Root) -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let dir = Path::new(PLACES).join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
        for part in ["upper", "work", "root"] {
            std::fs::create_dir_all(dir.join(part)).expect("no directory for a root");
        }
        let place = Place { dir };
        for file in &root.files {
            place.write(file);
        }
        place
    }

    fn write(&self, file: &File) {
        let path = self.upper(&file.path);
        // A directory that the image has too is to have the image's mode.
        for inside in Path::new(&file.path).ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
            let made = self.upper(inside);
            if !made.is_dir() {
                std::fs::create_dir(&made).expect("no directory in a root");
                let like = std::fs::metadata(inside).map(|meta| meta.permissions());
                std::fs::set_permissions(&made, like.unwrap_or(PermissionsExt::from_mode(0o755))).unwrap();
            }
        }
        std::fs::write(&path, &file.contents).expect("no file in a root");
        // The other way round a change of owner would take away setuid.
        chown(&path, Some(file.owner.0), Some(file.owner.1)).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(file.mode)).unwrap();
    }

    /// Whether the root was mounted and prepared, so that the program's turn had come.
    pub fn was_ready(&self) -> bool {
        self.dir.join("ready").exists()
    }

    /// A file that differs from the image's.
    pub fn upper(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.dir.join("upper").join(path.strip_prefix("/").unwrap_or(path))
    }

    /// A file of the root, seen from outside: the root's own, or the image's.
    pub fn file(&self, path: &str) -> PathBuf {
        let upper = self.upper(path);
        if upper.symlink_metadata().is_ok() { upper } else { path.into() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // What is left would fill the memory, but is no failure of the test.
        if let Err(error) = std::fs::remove_dir_all(&self.dir) {
            eprintln!("tests/entrypoint: remove {}: {error}", self.dir.display());
        }
    }
}

/// Bytes for messages.
pub fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
