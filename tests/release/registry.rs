//! A real registry on a port of the loopback interface.

use std::path::PathBuf;

use crate::guard;
use crate::place::{Done, Place, docker, finish};

/// The password of `releaser` is `secret`; the hash is bcrypt's, the only one that the registry takes.
const HTPASSWD: &str = "releaser:$2b$04$603qxrwPdy/FBzE4xySD3.ONQjNUWbq4lA6YzWxQxzP4v05XmHl7m\n";

pub struct Registry {
    container: String,
    /// Its address: 127.0.0.1:PORT.
    pub host: String,
}

impl Registry {
    /// Starts one with the variables of docker-registry.
    pub fn start(place: &Place, variables: &[&str]) -> Registry {
        Registry::with(place, variables, None)
    }

    /// Starts one that wants to know who asks.
    pub fn with_credentials(place: &Place) -> Registry {
        let dir = place.dir();
        std::fs::write(dir.join("htpasswd"), HTPASSWD).unwrap();
        let variables = [
            "REGISTRY_AUTH=htpasswd",
            "REGISTRY_AUTH_HTPASSWD_REALM=test",
            "REGISTRY_AUTH_HTPASSWD_PATH=/auth/htpasswd",
        ];
        Registry::with(place, &variables, Some(dir))
    }

    fn with(place: &Place, variables: &[&str], auth: Option<PathBuf>) -> Registry {
        let mut run = guard::docker();
        run.args(["run", "--detach", "--network=host"]).arg(guard::label());
        // The port that is free is the kernel's choice, and the registry says which one it got.
        run.args(["--env", "REGISTRY_HTTP_ADDR=127.0.0.1:0", "--env", "REGISTRY_LOG_LEVEL=info"]);
        for variable in variables {
            run.args(["--env", variable]);
        }
        if let Some(dir) = auth {
            run.arg(format!("--volume={}:/auth:ro", dir.display()));
        }
        let image = place.tools_image.as_deref().expect("GB_TEST_REGISTRY_IMAGE");
        // Debian's configuration asks everybody for credentials; this one asks nobody, unless the variables say so.
        let config = "version: 0.1\nlog:\n  accesslog:\n    disabled: false\nstorage:\n  filesystem:\n    rootdirectory: /registry\n";
        let script =
            format!("printf '{}' >/config; exec docker-registry serve /config", config.replace('\n', "\\n"));
        run.args(["--entrypoint=sh", image, "-c", &script]);
        let container = finish(&mut run).unwrap().ok().trim().to_owned();
        let mut logs = guard::docker();
        logs.args(["logs", "--follow", &container]);
        let host = listening(logs);
        Registry { container, host }
    }

    /// How often something was written under a name: manifests that were put.
    pub fn puts(&self, repository: &str) -> usize {
        let logs = docker(&["logs", &self.container]);
        let put = format!("\"PUT /v2/{repository}/manifests/");
        format!("{}{}", logs.out, logs.err).lines().filter(|line| line.contains(&put)).count()
    }

    /// Writes a manifest under a name or its digest.
    pub fn put(&self, repository: &str, reference: &str, media_type: &str, manifest: &str) {
        use std::io::{Read, Write};
        let mut connection = std::net::TcpStream::connect(&self.host).unwrap();
        let head = format!(
            "PUT /v2/{repository}/manifests/{reference} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
            self.host,
            manifest.len()
        );
        connection.write_all(head.as_bytes()).unwrap();
        connection.write_all(manifest.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201 "), "{answer}");
    }

    pub fn stop(&self) {
        docker(&["rm", "--force", &self.container]).ok();
    }
}

/// Follows a log until it says where the registry listens.
fn listening(mut logs: std::process::Command) -> String {
    use std::io::{BufRead, BufReader};
    logs.stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped());
    let mut logs = logs.spawn().unwrap();
    let mut lines = String::new();
    let mut host = None;
    for line in BufReader::new(logs.stderr.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some((_, rest)) = line.split_once("listening on ") {
            host = Some(rest.split('"').next().unwrap().to_owned());
            break;
        }
        lines.push_str(&line);
        lines.push('\n');
    }
    // The log may have ended by itself, with the registry.
    let _ended = logs.kill();
    logs.wait().unwrap();
    host.unwrap_or_else(|| panic!("the registry does not start: {lines}"))
}

/// What `docker buildx imagetools inspect` says of a name.
pub fn inspect(reference: &str, format: &str) -> Done {
    docker(&["buildx", "--builder=default", "imagetools", "inspect", "--format", format, reference])
}

/// The manifest under a name, as it is.
#[track_caller]
pub fn manifest(reference: &str) -> String {
    docker(&["buildx", "--builder=default", "imagetools", "inspect", "--raw", reference]).ok()
}

/// The digest of what is under a name.
#[track_caller]
pub fn digest(reference: &str) -> String {
    inspect(reference, "={{.Manifest.Digest}}").ok().trim_start_matches('=').trim().to_owned()
}

pub fn is_there(reference: &str) -> bool {
    inspect(reference, "={{.Manifest.Digest}}").code == 0
}
