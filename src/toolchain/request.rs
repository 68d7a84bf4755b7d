//! What to build for: read from the variables that callers set.

use std::ffi::{OsStr, OsString};

use crate::environment::Environment;
use crate::platform::{self, BadVariant, Platform, Target, UnknownPlatform, Variant};

/// What somebody asked to build for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A Linux architecture.
    Linux {
        /// The architecture and variant.
        target: Target,
        /// Where this was said.
        source: Source,
    },
    /// Another operating system: Go cross-builds for it, the C side is not gb's.
    Other {
        /// Go's name of it.
        goos: OsString,
        /// Go's name of its architecture, where TARGETPLATFORM or TARGETARCH gave it and GOARCH does not.
        goarch: Option<String>,
        /// Where this was said.
        source: Source,
    },
}

/// Where a request was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// An argument of gb.
    Argument,
    /// An environment variable.
    Variable(&'static str),
    /// Nothing was said: the machine's own architecture.
    Host,
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Source::Argument => f.write_str("the argument"),
            Source::Variable(name) => f.write_str(name),
            Source::Host => f.write_str("the host"),
        }
    }
}

/// A request that can't be understood.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// A variable or an argument names no platform.
    #[error("read the target from {source_name}: {error}")]
    Unknown {
        /// The variable.
        source_name: String,
        /// What is wrong.
        error: UnknownPlatform,
    },
    /// gb was compiled for a machine that Go does not know.
    #[error("read the target: this machine is none of Go's Linux ports (set GOARCH)")]
    UnknownHost,
}

impl Request {
    /// Reads `GOARCH`, else `ARCH`, else `TARGETPLATFORM`, else `TARGETARCH` with `TARGETVARIANT`, else takes the host.
    ///
    /// An empty variable counts as unset, as it does for Go. With a `GOOS` other than linux nothing else is read.
    pub fn detect(
        environment: &Environment,
        host: Option<&'static Platform>,
    ) -> Result<Request, RequestError> {
        let get = |name| environment.get_nonempty(name);
        if let Some(goos) = get("GOOS").filter(|goos| *goos != "linux") {
            let source = Source::Variable("GOOS");
            return Ok(Request::Other { goos: goos.to_owned(), goarch: None, source });
        }
        for variable in ["GOARCH", "ARCH"] {
            if let Some(name) = get(variable) {
                return Request::linux(name, Source::Variable(variable));
            }
        }
        let said_linux = get("GOOS").is_some();
        if let Some(platform) = get("TARGETPLATFORM") {
            return Request::image_platform(&platform.to_string_lossy(), "TARGETPLATFORM", said_linux);
        }
        if let Some(arch) = get("TARGETARCH") {
            let os = get("TARGETOS").unwrap_or(OsStr::new("linux"));
            let variant = get("TARGETVARIANT").unwrap_or_default();
            let words = [os, arch, variant].map(OsStr::to_string_lossy);
            return Request::image_platform(words.join("/").trim_end_matches('/'), "TARGETARCH", said_linux);
        }
        let platform = host.ok_or(RequestError::UnknownHost)?;
        Ok(Request::Linux { target: Target { platform, variant: None }, source: Source::Host })
    }

    /// Reads a Linux platform in any spelling.
    pub fn linux(name: &OsStr, source: Source) -> Result<Request, RequestError> {
        let target = platform::parse(&name.to_string_lossy())
            .map_err(|error| RequestError::Unknown { source_name: source.to_string(), error })?;
        Ok(Request::Linux { target, source })
    }

    /// The variant that counts: what an argument says, else Go's own variable, else what the target's name says.
    ///
    /// A value that Go does not know is left to Go and to the compiler role to refuse: the command may need neither.
    pub fn variant(&self, environment: &Environment) -> Option<Variant> {
        let Request::Linux { target, source } = self else { return None };
        let variable = target.platform.variable.as_ref()?;
        let named = target.variant.clone();
        if *source == Source::Argument && named.is_some() {
            return named;
        }
        match environment.get_nonempty(variable.name) {
            Some(value) => variable.parse(&value.to_string_lossy()).ok(),
            None => named,
        }
    }

    /// Reads an OCI platform, `os/arch[/variant]`.
    fn image_platform(name: &str, variable: &'static str, said_linux: bool) -> Result<Request, RequestError> {
        let source = Source::Variable(variable);
        match name.split_once('/') {
            Some((os, rest)) if os != "linux" && !said_linux && platform::parse(os).is_err() => {
                let goarch = rest.split('/').next().filter(|arch| !arch.is_empty()).map(str::to_owned);
                Ok(Request::Other { goos: os.into(), goarch, source })
            }
            _ => Request::linux(OsStr::new(name), source),
        }
    }
}

/// The variant that Go's own variable names for a platform, as Go's tools and gb's compilers read it.
pub(super) fn variant_in(
    environment: &Environment,
    platform: &'static Platform,
) -> Result<Option<Variant>, BadVariant> {
    let Some(variable) = &platform.variable else { return Ok(None) };
    let Some(value) = environment.get_nonempty(variable.name) else { return Ok(None) };
    variable.parse(&value.to_string_lossy()).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detect(variables: &[&str]) -> String {
        let strings = variables.iter().map(|v| std::ffi::CString::new(*v).unwrap()).collect();
        match Request::detect(&Environment::new(strings), Platform::by_goarch("s390x")) {
            Ok(Request::Linux { target, source }) => {
                let variant = target.variant.map(|v| format!("/{}", v.value())).unwrap_or_default();
                format!("{}{variant} by {source}", target.platform.goarch)
            }
            Ok(Request::Other { goos, goarch, source }) => {
                format!("{} {} by {source}", goos.to_string_lossy(), goarch.unwrap_or_default())
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_target_is_read_from_goarch_then_arch_then_dockers_variables_then_the_host() {
        for (variables, expected) in [
            (&[][..], "s390x by the host"),
            (&["GOARCH=arm64", "ARCH=amd64", "TARGETARCH=386"], "arm64 by GOARCH"),
            (&["GOARCH=", "ARCH=x86_64", "TARGETARCH=386"], "amd64 by ARCH"),
            (&["GOARCH=aarch64"], "arm64 by GOARCH"),
            (&["TARGETPLATFORM=linux/arm/v6", "TARGETARCH=386"], "arm/6 by TARGETPLATFORM"),
            (&["TARGETARCH=arm", "TARGETVARIANT=v7"], "arm/7 by TARGETARCH"),
            (&["TARGETARCH=arm64", "TARGETVARIANT="], "arm64 by TARGETARCH"),
            (&["TARGETARCH=arm64", "TARGETVARIANT=v8", "TARGETOS=linux"], "arm64 by TARGETARCH"),
            (&["GOOS=linux", "GOARCH=ppc64le"], "ppc64le by GOARCH"),
            (&["GOOS=windows", "GOARCH=amd64", "ARCH=nonsense"], "windows  by GOOS"),
            (&["TARGETPLATFORM=windows/amd64"], "windows amd64 by TARGETPLATFORM"),
            (&["TARGETOS=darwin", "TARGETARCH=arm64"], "darwin arm64 by TARGETARCH"),
            (&["TARGETOS=darwin", "TARGETARCH=arm64", "GOARCH=arm64"], "arm64 by GOARCH"),
        ] {
            assert_eq!(detect(variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn an_unknown_target_is_refused_by_the_name_of_its_variable() {
        assert!(
            detect(&["ARCH=amd46"]).starts_with(
                "read the target from ARCH: \"amd46\": no such architecture, did you mean amd64? (known: "
            ),
            "{}",
            detect(&["ARCH=amd46"])
        );
        assert!(detect(&["TARGETPLATFORM=linux/z80"]).starts_with("read the target from TARGETPLATFORM: "));
    }
}
