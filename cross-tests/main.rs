//! Cross builds in the real image.
fn main() {}
