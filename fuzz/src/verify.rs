//! Archives, and what Go's linker writes into programs.

use gb::verify::{Archive, Facts, Form, Wish, check, check_archive, items};

/// An archive is read as far as it goes: its members lie one after the other, each behind a header of its own, and where it can't
/// be read any further is a place behind them.
pub fn archive(input: &[u8]) {
    let file = input.to_vec();
    let Ok(read) = Archive::read(&file) else { return assert!(input.len() < 8) };
    let mut last = 8;
    for member in &read.members {
        let at = usize::try_from(member.offset).unwrap_or(usize::MAX);
        assert!(at >= last && input.get(at + 58..at + 60) == Some(b"`\n"), "{member:?}");
        assert_eq!(member.place.is_none(), read.form == Form::Thin, "{member:?}");
        let end = member.place.map_or(at + 60, |(start, length)| {
            assert!(start >= member.offset + 60);
            usize::try_from(start + length).unwrap_or(usize::MAX)
        });
        assert!(end <= input.len(), "{member:?}");
        last = end;
    }
    if let Some(damage) = &read.damage {
        assert!(damage.offset >= last as u64 && damage.offset < input.len() as u64, "{damage:?}");
        assert!(!damage.to_string().contains(char::is_control));
    }
    let found = items(&file, &read, &|_| Err(std::io::Error::other("none")));
    assert_eq!(found.len(), read.members.len());
    let findings = check_archive(&found, read.damage.as_ref(), &Wish::default());
    assert!(findings.len() <= found.len() + 1);
}

/// A file is read or refused; what is said of how Go has built it is all in the file, word for word where nothing was quoted.
pub fn build_info(input: &[u8]) {
    let Ok(facts) = Facts::read(&input.to_vec()) else { return };
    let findings = check(&facts, &Wish::default());
    assert!(findings.iter().all(|finding| !finding.code.is_empty()));
    let Some(go) = &facts.go else { return };
    let has = |text: &str| {
        // What was no text is shown as such.
        text.contains('\u{fffd}') || input.windows(text.len().max(1)).any(|part| part == text.as_bytes())
    };
    assert!(!go.version.is_empty() && has(&go.version), "{}", go.version);
    for module in go.module.iter().chain(&go.dependencies) {
        assert!(module.path.is_empty() || has(&module.path), "{module:?}");
    }
    for (key, value) in &go.settings {
        assert!(key.len() + value.len() < input.len() * 3);
    }
}
