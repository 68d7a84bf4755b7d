//! What pipelines are told, and the scripts that they call.

use serde_json::Value;

use crate::place::{Place, finish, go_build, root, run};
use crate::{Case, Needs};

pub const CASES: [Case; 6] = [
    ("pipelines call targets that make has, and programs that are here", Needs::Registry, calls),
    ("no action is used but by the digest of a commit, with the version that it is", Needs::Registry, pinned),
    ("pipelines push on main, release branches and tags, and on nothing else", Needs::Registry, pushes),
    ("what a pipeline says of its branch or tag is what is pushed", Needs::Nothing, branch_of_a_pipeline),
    ("a pull request's pipeline pushes nothing, whatever it says", Needs::Nothing, pull_request),
    ("shellcheck has nothing to say of the scripts", Needs::Registry, scripts),
];

/// Prints files of YAML as JSON, and which of the first argument's names the expressions of their promotions match.
const READ: &str = r#"
import json, re, sys, yaml

class Strict(yaml.SafeLoader):
    pass

def mapping(loader, node):
    keys = [loader.construct_object(key) for key, _ in node.value]
    assert len(keys) == len(set(keys)), f'{node.start_mark}: a key twice: {keys}'
    return {str(key): value for key, value in loader.construct_pairs(node, deep=True)}

Strict.add_constructor('tag:yaml.org,2002:map', mapping)
names = sys.argv[1].split()
out = {}
for file in sys.argv[2:]:
    read = yaml.load(open(file), Strict)
    when = [promotion['auto_promote']['when'] for promotion in read.get('promotions', [])]
    matched = {
        f'{kind} {expression}': [name for name in names if re.search(expression, name)]
        for kind, expression in re.findall("(tag|branch) =~ '([^']*)'", ' '.join(when))
    }
    out[file] = {'read': read, 'matched': matched}
print(json.dumps(out))
"#;

/// The files that define pipelines.
fn files() -> Vec<String> {
    let mut files = Vec::new();
    for dir in [".github/workflows", ".semaphore", ".semaphore/promotions"] {
        for entry in std::fs::read_dir(root().join(dir)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "yml" || extension == "yaml") {
                files.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    files.sort();
    assert!(files.len() >= 6, "{files:?}");
    files
}

/// Runs something in the image that has it, in this checkout.
fn inside(place: &Place, program: &str, arguments: &[&str]) -> crate::place::Done {
    let mut docker = crate::guard::docker();
    docker.args(["run", "--rm", "--network=none"]).arg(crate::guard::label());
    docker.args(["--volume", &format!("{}:/src:ro", root().display()), "--workdir=/src"]);
    docker.args(["--entrypoint", program, place.tools_image.as_deref().unwrap()]).args(arguments);
    finish(&mut docker).unwrap()
}

/// What the files say, and which names their expressions match.
fn read(place: &Place, names: &str) -> serde_json::Map<String, Value> {
    let files = files();
    let mut arguments = vec!["-c", READ, names];
    arguments.extend(files.iter().map(String::as_str));
    let said = inside(place, "python3", &arguments).ok();
    serde_json::from_str::<Value>(&said).unwrap().as_object().unwrap().clone()
}

/// Every string below a key.
fn below<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                if name == key {
                    match value {
                        Value::String(text) => found.push(text),
                        Value::Array(all) => found.extend(all.iter().filter_map(Value::as_str)),
                        _ => {}
                    }
                }
                below(value, key, found);
            }
        }
        Value::Array(all) => all.iter().for_each(|value| below(value, key, found)),
        _ => {}
    }
}

/// The commands of all pipelines, each of one line.
fn commands(place: &Place) -> Vec<String> {
    let mut commands = Vec::new();
    for (_, file) in read(place, "") {
        let mut found = Vec::new();
        below(&file["read"], "run", &mut found);
        below(&file["read"], "commands", &mut found);
        commands.extend(found.into_iter().flat_map(str::lines).map(str::to_owned));
    }
    assert!(commands.len() > 10, "{commands:?}");
    commands
}

fn calls(place: &Place) {
    // All that make knows, as it says in its own words.
    let repository = place.repository();
    let known =
        finish(repository.make_command().args(["--print-data-base", "--question", "help"])).unwrap().out;
    let top = finish(crate::place::command("make").arg("-C").arg(root()).args(["-pq", "help"])).unwrap().out;
    let has = |database: &str, target: &str| {
        let line = format!("\n{target}:");
        database.contains(&line) && !database.contains(&format!("\n# Not a target:{line}"))
    };
    assert!(has(&known, "print-tags") && !has(&known, "no-such-target"));
    let mut makes = 0;
    for command in commands(place) {
        let words: Vec<&str> = command.split_whitespace().skip_while(|word| word.contains('=')).collect();
        match words[0] {
            "make" => {
                makes += 1;
                let database = if words[1] == "-C" { &known } else { &top };
                if words[1] == "-C" {
                    assert_eq!(words[2], "images", "{command}");
                }
                let rest = if words[1] == "-C" { &words[3..] } else { &words[1..] };
                let targets: Vec<&&str> = rest.iter().filter(|word| !word.contains('=')).collect();
                assert!(!targets.is_empty(), "{command}");
                for target in targets {
                    assert!(has(database, target), "{command}: make has no target {target}");
                }
            }
            ".ci/run" => assert!(root().join(".ci/run").is_file()),
            // Semaphore's own, and the log-in.
            "checkout" => assert_eq!(command, "checkout"),
            "printf" => assert!(
                command.contains("| docker login ") && command.ends_with(" --password-stdin"),
                "{command}"
            ),
            other => panic!("{command}: {other} belongs into a script"),
        }
    }
    assert!(makes >= 8, "only {makes} calls of make");
}

fn pinned(place: &Place) {
    let mut actions = 0;
    for (file, read) in read(place, "") {
        let mut used = Vec::new();
        below(&read["read"], "uses", &mut used);
        let text = std::fs::read_to_string(root().join(&file)).unwrap();
        for action in used {
            let (_, digest) = action.split_once('@').unwrap_or_else(|| panic!("{file}: {action}"));
            assert!(
                digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{file}: {action}"
            );
            let line = text.lines().find(|line| line.contains(action)).unwrap();
            assert!(
                line.split_once(" # v").is_some_and(|(_, version)| version.split('.').count() == 3),
                "{file}: {line}"
            );
            actions += 1;
        }
        // What a workflow may do is said, and no more than it needs.
        if file.starts_with(".github") {
            let may = if file.ends_with("release-branch.yml") { "write" } else { "read" };
            assert_eq!(read["read"]["permissions"], serde_json::json!({ "contents": may }), "{file}");
        }
    }
    assert!(actions > 0);
}

fn pushes(place: &Place) {
    let release = go_build();
    let names = format!(
        "{release} {release}-12 1.27rc1-llvm21.1.8-k8s1.37.0-beta.0 v1.2.3 1.26.6 main master go1.26 go1.260 go1.26-k8s1.33 feature/go1.26 x{release}"
    );
    let read = read(place, &names);
    let matched = read[".semaphore/semaphore.yml"]["matched"].as_object().unwrap();
    assert_eq!(matched.len(), 2, "{matched:?}");
    for (expression, names) in matched {
        let expected = match expression.split_once(' ').unwrap().0 {
            "tag" => vec![
                release.clone(),
                format!("{release}-12"),
                "1.27rc1-llvm21.1.8-k8s1.37.0-beta.0".to_owned(),
            ],
            _ => vec!["go1.26".to_owned(), "go1.260".to_owned()],
        };
        assert_eq!(*names, serde_json::json!(expected), "{expression}");
    }
    for promotion in read[".semaphore/semaphore.yml"]["read"]["promotions"].as_array().unwrap() {
        let file = format!(".semaphore/{}", promotion["pipeline_file"].as_str().unwrap());
        assert!(read.contains_key(&file), "{file}");
        let when = promotion["auto_promote"]["when"].as_str().unwrap();
        assert!(when.starts_with("branch = 'main' OR branch = 'master' OR "), "{when}");
    }
}

fn branch_of_a_pipeline(place: &Place) {
    let repository = place.repository();
    let release = format!("{}-3", go_build());
    for (variables, name) in [
        (&[("SEMAPHORE_GIT_WORKING_BRANCH", "master")][..], "master"),
        (&[("SEMAPHORE_GIT_WORKING_BRANCH", "go1.26")], "go1.26"),
        (&[("SEMAPHORE_GIT_TAG_NAME", &release), ("SEMAPHORE_GIT_WORKING_BRANCH", &release)], &release),
        (&[("GITHUB_REF_NAME", "main")], "main"),
    ] {
        let mut make = repository.make_command();
        make.args(["print-tags", "ARCH=amd64"]).envs(variables.iter().copied());
        let tags = finish(&mut make).unwrap().ok();
        assert!(tags.starts_with(&format!("calico/go-build:{name}-amd64\n")), "{tags}");
        // What is said here comes first.
        let tags = finish(make.arg("BRANCH_NAME=go1.99")).unwrap().ok();
        assert!(tags.starts_with("calico/go-build:go1.99-amd64\n"), "{tags}");
    }
}

fn pull_request(place: &Place) {
    let repository = place.repository();
    for (name, value) in [("SEMAPHORE_GIT_PR_NUMBER", "12"), ("GITHUB_EVENT_NAME", "pull_request")] {
        for target in ["push", "push-calico-go-build-manifests", "calico-base-cd", "release-branch"] {
            let mut make = repository.make_command();
            let said = finish(make.env(name, value).args([target, "CONFIRM=true"])).unwrap().refused();
            assert!(
                said.starts_with(&format!(
                    "{target}: a pull request changes nothing outside of its machine ("
                )),
                "{said}"
            );
        }
        let mut make = repository.make_command();
        finish(make.env(name, value).args(["push", "DRYRUN=true"])).unwrap().ok();
    }
}

fn scripts(place: &Place) {
    let listed = run("git", &["-C", root().to_str().unwrap(), "ls-files", "--", "docker/release"]).unwrap();
    // Without git everything that is there.
    let scripts: Vec<String> = match listed.out.lines().count() {
        0 => std::fs::read_dir(root().join("docker/release"))
            .unwrap()
            .map(|entry| format!("docker/release/{}", entry.unwrap().file_name().to_str().unwrap()))
            .collect(),
        _ => listed.out.lines().map(str::to_owned).collect(),
    };
    assert!(scripts.len() >= 7, "{scripts:?}");
    let mut arguments = vec!["--external-sources", "--source-path=SCRIPTDIR"];
    arguments.extend(scripts.iter().map(String::as_str));
    let said = inside(place, "shellcheck", &arguments);
    assert_eq!((said.code, said.out.as_str()), (0, ""));
}
