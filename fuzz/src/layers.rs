//! Archives, and what gzip has packed.

use gb::layers::gzip::unpack;
use gb::layers::tar::{EntryKind, Reader};

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
    tar(if unpacked.is_ok() { &all } else { input });
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
