//! Archives, and what gzip has packed.

use std::path::PathBuf;

use gb::layers::gzip::unpack;
use gb::layers::tar::{EntryKind, Reader};
use gb::rootfs::{Kind, Last, Root};

/// An archive is read or refused in a line; every file that it has lies within it, after those before; what is cut off is not
/// taken for whole. What gzip has packed is unpacked up to a limit.
pub fn layers(input: &[u8]) {
    const MOST: u64 = 1 << 20;
    let mut all = Vec::new();
    let unpacked = unpack(&input, MOST, &mut |part| {
        all.extend_from_slice(part);
        Ok(())
    });
    assert!(all.len() as u64 <= MOST);
    if let Ok(length) = &unpacked {
        assert_eq!(*length, all.len() as u64);
    }
    tar(&with_checksums(if unpacked.is_ok() { &all } else { input }));
}

/// Layers upon one another are a root in which every name leads to a file, and no path out; or they are refused in a line.
pub fn saved(input: &[u8]) {
    let layers: Vec<Vec<u8>> = super::parts(input).take(8).map(with_checksums).collect();
    let ids = layers.iter().map(|layer| format!("\"sha256:{}\"", sha256(layer)));
    let config = format!(
        r#"{{"os":"linux","architecture":"amd64","rootfs":{{"diff_ids":[{}]}}}}"#,
        ids.collect::<Vec<_>>().join(",")
    );
    let paths = (0..layers.len()).map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(",");
    let manifest = format!(r#"[{{"Config":"config","Layers":[{paths}]}}]"#);
    let mut archive = file("config", config.as_bytes());
    archive.extend(file("manifest.json", manifest.as_bytes()));
    for (n, layer) in layers.iter().enumerate() {
        archive.extend(file(&n.to_string(), layer));
    }
    archive.extend([0; 1024]);
    let place = std::env::temp_dir().join(format!("gb-fuzz-saved-{}", std::process::id()));
    std::fs::write(&place, archive).unwrap();
    match gb::layers::open(&place, None) {
        Ok(root) => walk(&root),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    std::fs::remove_file(&place).unwrap();
}

fn walk(root: &Root) {
    let mut directories = vec![PathBuf::from("/")];
    let mut seen = 0;
    while let Some(directory) = directories.pop() {
        for name in root.list(&directory, usize::MAX).unwrap() {
            let path = directory.join(&name);
            seen += 1;
            if path.as_os_str().len() >= 4096 || seen > 10_000 {
                continue;
            }
            let found = root.resolve(&path, Last::Keep).unwrap();
            assert_eq!(found.path, path);
            let metadata = root.lstat(&path).unwrap();
            assert_eq!(metadata, found.metadata);
            assert!(metadata.names > 0, "{path:?}");
            match metadata.kind {
                Kind::Directory => directories.push(path),
                Kind::File => assert_eq!(root.read(&path, u64::MAX - 1).unwrap().len() as u64, metadata.size),
                Kind::Link => {
                    if let Ok(found) = root.resolve(&path, Last::Follow) {
                        assert!(found.metadata.kind != Kind::Link && root.lstat(&found.path).is_ok());
                    }
                }
                Kind::Fifo | Kind::Socket | Kind::Device => {}
            }
        }
    }
}

/// A file of an archive.
fn file(name: &str, contents: &[u8]) -> Vec<u8> {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    for at in [100, 108, 116, 136] {
        header[at..at + 7].copy_from_slice(b"0000000");
    }
    header[124..135].copy_from_slice(format!("{:011o}", contents.len()).as_bytes());
    header[156] = b'0';
    header[257..262].copy_from_slice(b"ustar");
    let mut whole = with_checksums(&header);
    whole.extend(contents);
    whole.resize(whole.len().next_multiple_of(512), 0);
    whole
}

/// The same with the checksums of headers as they should be: what is damaged at random would be refused for them alone.
fn with_checksums(archive: &[u8]) -> Vec<u8> {
    let mut archive = archive.to_vec();
    for block in archive.chunks_exact_mut(512).filter(|block| &block[257..262] == b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    archive
}

fn sha256(bytes: &[u8]) -> String {
    gb::packages::Digests::of(&mut &*bytes, false).unwrap().sha256
}

fn tar(archive: &[u8]) {
    let mut reader = Reader::new(&archive, true);
    let mut last = 0;
    loop {
        match reader.next() {
            Ok(None) => break,
            Ok(Some(entry)) => {
                assert!(entry.mode <= 0o7777 && entry.modified.1 < 1_000_000_000);
                assert!(entry.capabilities.is_none_or(|value| value.len() <= 64));
                match entry.kind {
                    EntryKind::File { start, size } => {
                        assert!(start >= last + 512 && start % 512 == 0, "{start} {last}");
                        last = start + size;
                        assert!(last <= archive.len() as u64);
                    }
                    EntryKind::Link(target) | EntryKind::HardLink(target) => assert!(!target.contains(&0)),
                    EntryKind::Directory | EntryKind::Fifo | EntryKind::Device => {}
                }
                assert!(!entry.path.contains(&0));
            }
            Err(error) => {
                let message = error.to_string();
                assert!(message.len() < 200 && !message.contains(char::is_control), "{message}");
                break;
            }
        }
    }
}
