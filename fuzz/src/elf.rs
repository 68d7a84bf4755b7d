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
