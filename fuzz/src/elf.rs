//! ELF files.

use gb::elf::Elf;

/// A file is read or refused in a line; nothing that it says has an end within; and sections, which loaders don't go by, change
/// nothing.
pub fn elf(input: &[u8]) {
    let read = Elf::read(&input.to_vec());
    match &read {
        Ok(elf) => {
            assert!(elf.interpreter.as_ref().is_none_or(|path| !path.is_empty() && !path.contains(&0)));
            let dynamic = elf.dynamic.iter();
            for name in dynamic.flat_map(|dynamic| dynamic.requests.iter().map(|request| &request.name)) {
                assert!(!name.contains(&0) && name.len() < input.len());
            }
        }
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 200 && !message.contains(char::is_control), "{message}");
        }
    }
    // e_shoff; and e_shentsize, e_shnum, e_shstrndx behind e_phnum.
    let places = match input.get(4) {
        Some(1) => [32..36, 46..52],
        _ => [40..48, 58..64],
    };
    let mut other = input.to_vec();
    let is_header =
        |length: usize| read.as_ref().is_ok_and(|elf| elf.header.segments_offset >= length as u64);
    if is_header(64) {
        for place in places {
            if let Some(bytes) = other.get_mut(place) {
                bytes.fill(0xff);
            }
        }
        // Unless something else was read from there.
        if let (Ok(one), Ok(two)) = (&read, Elf::read(&other)) {
            assert_eq!(one.header, two.header);
        }
    }
}

/// A file is read whatever a note of it says of libraries that it loads when it runs: they are taken, or it is told why not.
pub fn dlopen_note(input: &[u8]) {
    let u32s = |values: &[u32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let size = u32::try_from(input.len()).unwrap_or_default();
    let note = [u32s(&[4, size, 0x407c_0c0a]), b"FDO\0".to_vec(), input.to_vec()].concat();
    let length = u32::try_from(note.len()).unwrap_or_default();
    // A little endian file of 32 bits with one segment, the note's, behind the headers (52 and 32 bytes).
    let head = [
        b"\x7fELF\x01\x01\x01\0\0\0\0\0\0\0\0\0\x03\0\x03\0".to_vec(),
        u32s(&[1, 0, 52, 0, 0]),
        [52u16, 32, 1, 0, 0, 0].iter().flat_map(|value| value.to_le_bytes()).collect(),
        u32s(&[4, 84, 84, 84, length, length, 4, 4]),
    ];
    let notes = match Elf::read(&[head.concat(), note].concat()) {
        Ok(elf) => elf.notes,
        Err(error) => panic!("{error}"),
    };
    let text = input.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    let is_list = text.starts_with(b"[") && text.ends_with(b"]");
    assert!(notes.unreadable.len() + usize::from(is_list) >= 1, "{}", String::from_utf8_lossy(text));
    for library in &notes.dlopen {
        assert!(library.soname.iter().map(String::len).sum::<usize>() <= text.len());
    }
}
