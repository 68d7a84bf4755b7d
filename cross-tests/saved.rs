//! Images as docker save writes them: gb looks into them as into their roots.

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::{Container, Output, docker, export};
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("an image that is saved is closed if its exported root is", Needs::BaseImage, closed),
        Case::new("what layers hide, replace and link is what a container has", Needs::Image, layers),
    ]
}

fn closed(lab: &Lab) -> Verdict {
    let dir = lab.dir("saved")?;
    for image in [lab.base_image()?, &lab.image] {
        let at = |name: &str| dir.join(name);
        docker(["save", "--output", &at("save.tar").to_string_lossy(), image])?.ok()?;
        export(image, &at("export.tar"))?;
        // Beside what the image has the engine exports what it makes for containers (/.dockerenv, /dev/console).
        let script = r#"cd /tmp; for of in save export; do gb strip-libs --json --check /saved/$of.tar >$of.json 2>$of.err; done
            cmp save.err export.err; grep -c . save.err || true
            for of in save export; do grep -v '"rootfs"\|"files"' $of.json >$of; done; cmp save export
            clean() { sed 's,^\./,,; s,/$,,' | sort -u | grep .; }
            tar -tf /saved/export.tar | clean >exported
            for layer in $(tar -xOf /saved/save.tar manifest.json | sed 's/.*"Layers":\[\([^]]*\)\].*/\1/' | tr -d '"' | tr , ' '); do
                tar -xOf /saved/save.tar $layer | tar -t
            done | clean >saved
            files() { grep -o '"files": [0-9]*' $1.json | grep -o '[0-9]*'; }
            echo made: $(comm -13 saved exported | wc -l) $(($(files export) - $(files save)))
            grep -o '"objects": [0-9]*' save.json"#;
        let output = Container::new(&lab.image).mount_read_only(&dir, "/saved").bare_sh(script)?;
        let text = output.text()?;
        ensure!(output.status == Some(0) && text.contains("\"objects\": "), "{output}");
        let made = text.lines().find_map(|line| line.strip_prefix("made: ")).unwrap_or_default();
        let (engine, difference) = made.split_once(' ').unwrap_or_default();
        ensure!(engine == difference && !text.ends_with(": 0\n"), "{image}: {output}");
        for name in ["save.tar", "export.tar"] {
            std::fs::remove_file(at(name)).map_err(|error| format!("remove {name}: {error}"))?;
        }
    }
    Ok(())
}

/// Steps that make layers: with names that are hidden, directories that are made again, and files of other owners.
const DOCKERFILE: &str = r#"
RUN mkdir -p /r && RUN_AS_ROOT=true gb strip-libs --no-metadata --rootfs /r /bin/sh /usr/bin/rm /usr/bin/mkdir /usr/bin/ln \
    /usr/bin/chmod /usr/bin/chown /usr/bin/mv /usr/bin/find /usr/bin/sha256sum /usr/bin/sort
RUN mkdir /r/t && echo capable >/r/t/capable && \
    python3 -c 'import os; os.setxattr("/r/t/capable", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))'
FROM scratch
COPY --from=full /r /
RUN mkdir -p /t/d/sub /t/gone /t/opaque/old /t/two && echo a >/t/d/a && echo b >/t/d/b && ln /t/d/b /t/two/b && ln -s d /t/link && \
    echo x >/t/gone/x && echo old >/t/opaque/old/f && echo f >/t/becomes && chmod 4711 /t/d/a && chown 7:9 /t/d/b && echo s >/t/d/sub/s
RUN rm -r /t/gone /t/opaque && mkdir /t/opaque && echo new >/t/opaque/new && rm /t/becomes && mkdir /t/becomes && echo in >/t/becomes/in
RUN echo a2 >/t/link/a && mv /t/d/sub /t/moved && rm -r /t/becomes && echo again >/t/becomes && chmod 1777 /t/opaque && ln /t/opaque/new /t/new
"#;

fn layers(lab: &Lab) -> Verdict {
    let dir = lab.dir("layers")?;
    let image = format!("gb-test-layers:{}", std::process::id());
    let dockerfile = format!("FROM {} AS full\n{DOCKERFILE}", lab.image);
    std::fs::write(dir.join("Dockerfile"), dockerfile)
        .map_err(|error| format!("write Dockerfile: {error}"))?;
    let context = dir.to_string_lossy();
    docker(["buildx", "build", "--quiet", "--load", "--provenance=false", "--tag", &image, &context])?
        .ok()?;
    let compared = compared(lab, &dir, &image);
    docker(["rmi", &image])?.ok()?;
    compared
}

fn compared(lab: &Lab, dir: &std::path::Path, image: &str) -> Verdict {
    // Permissions, owners, names, targets, times of what is no directory; and contents.
    let list = "find . -type d -printf '%y %m %U %G %p\\n' -o -printf '%y %m %U %G %n %Ts %l %p\\n' | sort; find . -type f -exec sha256sum {} + | sort";
    let there = Container::new(image)
        .option("--entrypoint=/usr/bin/sh")
        .run(&["-c", &format!("cd /t; {list}")])?
        .ok()?;
    ensure!(
        there.lines().count() > 15 && there.contains("./opaque/new") && !there.contains("gone"),
        "{there}"
    );
    docker(["save", "--output", &dir.join("save.tar").to_string_lossy(), image])?.ok()?;
    let take = "gb strip-libs --no-metadata --root /saved/save.tar --rootfs /o /t >/dev/null; cd /o/t";
    let capability = "python3 -c 'import os; print(os.getxattr(\"capable\", \"security.capability\").hex())'";
    let saved = |script: &str| -> Result<Output, libtest_mimic::Failed> {
        Container::new(&lab.image).mount_read_only(dir, "/saved").bare_sh(script)
    };
    ensure_eq!(saved(&format!("{take}; {list}"))?.ok()?, there);
    ensure_eq!(saved(&format!("{take}; {capability}"))?.ok()?, "0100000200040000000000000000000000000000\n");
    // The same image as an OCI image layout, whose layers gzip has packed.
    let layout = r#"cd /tmp; cat >oci.py <<'END'
import gzip, hashlib, json, os, tarfile
save = tarfile.open("/saved/save.tar")
image = json.load(save.extractfile("manifest.json"))[0]
os.makedirs("oci/blobs/sha256")
def blob(kind, contents):
    digest = hashlib.sha256(contents).hexdigest()
    open("oci/blobs/sha256/" + digest, "wb").write(contents)
    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(contents)}
config = blob("application/vnd.oci.image.config.v1+json", save.extractfile(image["Config"]).read())
layers = [blob("application/vnd.oci.image.layer.v1.tar+gzip", gzip.compress(save.extractfile(layer).read())) for layer in image["Layers"]]
manifest = {"schemaVersion": 2, "config": config, "layers": layers}
manifest = blob("application/vnd.oci.image.manifest.v1+json", json.dumps(manifest).encode())
json.dump({"schemaVersion": 2, "manifests": [manifest]}, open("oci/index.json", "w"))
open("oci/oci-layout", "w").write('{"imageLayoutVersion": "1.0.0"}')
END
        python3 oci.py; tar -C oci -cf oci.tar .; gb strip-libs --check oci >one; gb strip-libs --check oci.tar >two; sed 's/^[^:]*//' one two | sort -u | wc -l
        for root in oci oci.tar; do gb strip-libs --no-metadata --root /tmp/$root --rootfs /o-$root /t >/dev/null; done"#;
    let output =
        saved(&format!("{layout}; for root in oci oci.tar; do cd /o-$root/t; {list}; done"))?.ok()?;
    ensure_eq!(output, format!("1\n{there}{there}"));
    Ok(())
}
