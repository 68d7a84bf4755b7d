//! The variables that say what to build for.

use std::ffi::CString;

use gb::environment::Environment;
use gb::platform::{Platform, SYSTEMS, parse};
use gb::toolchain::{Request, Source, plan};

use super::parts;

/// A target is one that gb knows, or is refused in a line by the name of its variable; and another gb, given what this one
/// sets, reads the same. The input: strings of the environment.
pub fn target(input: &[u8]) {
    let strings = parts(input).filter_map(|string| CString::new(string).ok()).collect();
    let mut environment = Environment::new(strings);
    let host = Platform::by_goarch("s390x");
    let request = match Request::detect(&environment, host) {
        Ok(request) => request,
        Err(error) => {
            let message = error.to_string();
            let names = [
                "GOOS",
                "GOARCH",
                "ARCH",
                "TARGETPLATFORM",
                "TARGETPAIR",
                "TARGETOS",
                "TARGETARCH",
                "TARGETVARIANT",
            ];
            assert!(
                names.iter().any(|name| message.starts_with(&format!("read the target from {name}: "))),
                "{message}"
            );
            assert!(message.len() < 1000 && !message.contains(char::is_control), "{message}");
            return;
        }
    };
    match &request {
        Request::Linux { target, .. } => {
            assert_eq!(parse(target.platform.goarch).map(|target| target.platform), Ok(target.platform));
        }
        Request::Other { goos, source, .. } => {
            assert!(*goos != "linux" && SYSTEMS.iter().any(|system| system.goos == *goos));
            assert_ne!(*source, Source::Host);
        }
    }
    plan(request.clone(), &environment, None).apply(&mut environment);
    if let Request::Other { goos, .. } = &request {
        let again = Request::detect(&environment, host);
        assert!(matches!(again, Ok(Request::Other { goos: found, .. }) if found == *goos));
    }
}
