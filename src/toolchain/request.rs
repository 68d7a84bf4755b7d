//! What to build for: read from the variables that callers set.

use std::ffi::OsStr;

use super::{NoSysroot, Sysroot};
use crate::environment::Environment;
use crate::platform::{self, Abi, BadVariant, Named, Platform, Target, UnknownPlatform, Variant, Why};

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
    /// Another operating system: Go cross-builds for it, and the C side is gb's where it has one for Windows.
    Other {
        /// Go's name of it.
        goos: &'static str,
        /// Go's name of its architecture, where one of Docker's variables gave it and GOARCH does not.
        goarch: Option<&'static str>,
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
    /// Reads `GOARCH`, else `ARCH`, else `TARGETPLATFORM`, else `TARGETPAIR`, else `TARGETOS` and `TARGETARCH` with
    /// `TARGETVARIANT`, else takes the host.
    ///
    /// An empty variable counts as unset, as it does for Go. With a `GOOS` other than linux nothing else is read. The
    /// order of Docker's variables is that of xx-info (tonistiigi/xx), whose TARGETPAIR is `linux-arm64` or `linux-armv7`.
    pub fn detect(
        environment: &Environment,
        host: Option<&'static Platform>,
    ) -> Result<Request, RequestError> {
        let get = |name| Some((name, environment.get_nonempty(name)?));
        let goos = get("GOOS").map(|(variable, value)| read_system(variable, value)).transpose()?;
        if let Some(goos) = goos.filter(|goos| *goos != "linux") {
            return Ok(Request::Other { goos, goarch: None, source: Source::Variable("GOOS") });
        }
        if let Some((variable, name)) = get("GOARCH").or_else(|| get("ARCH")) {
            return Request::linux(name, Source::Variable(variable));
        }
        match Request::of_docker(environment)? {
            // Two words that contradict each other.
            Some(Request::Other { goos: other, source: Source::Variable(variable), .. })
                if goos.is_some() =>
            {
                let name = environment.get(variable).unwrap_or_default().to_string_lossy().into_owned();
                Err(unknown(variable, UnknownPlatform { name, why: Why::NotLinux(other) }))
            }
            Some(request) => Ok(request),
            None => {
                let platform = host.ok_or(RequestError::UnknownHost)?;
                Ok(Request::Linux { target: Target { platform, variant: None }, source: Source::Host })
            }
        }
    }

    /// What the variables of a Dockerfile say. Each is refused by its own name.
    fn of_docker(environment: &Environment) -> Result<Option<Request>, RequestError> {
        let get = |name| Some((name, environment.get_nonempty(name)?.to_string_lossy()));
        if let Some((variable, name)) = get("TARGETPLATFORM").or_else(|| get("TARGETPAIR")) {
            let named = platform::parse_any(&name).map_err(|error| unknown(variable, error))?;
            return Ok(Some(Request::of(named, Source::Variable(variable))));
        }
        let system = environment.get_nonempty("TARGETOS").map(|value| read_system("TARGETOS", value));
        let system = system.transpose()?.unwrap_or("linux");
        let Some((variable, arch)) = get("TARGETARCH") else {
            let other = Request::Other { goos: system, goarch: None, source: Source::Variable("TARGETOS") };
            return Ok((system != "linux").then_some(other));
        };
        let named = platform::parse_parts(system, &arch, "").map_err(|error| unknown(variable, error))?;
        let named = match get("TARGETVARIANT") {
            None => named,
            Some((variable, variant)) => {
                platform::parse_parts(system, &arch, &variant).map_err(|error| unknown(variable, error))?
            }
        };
        Ok(Some(Request::of(named, Source::Variable(if system == "linux" { variable } else { "TARGETOS" }))))
    }

    /// Checks what GB_SYSROOT says, as far as that can be told without looking at a file.
    pub fn check_sysroot(
        &self,
        environment: &Environment,
        host: Option<&'static Platform>,
    ) -> Result<(), NoSysroot> {
        let Some((platform, abi)) = self.compiled(environment, host) else { return Ok(()) };
        Sysroot::check_name(platform, abi, environment.get_nonempty("GB_SYSROOT"))
    }

    /// The architecture and C ABI that gb has compilers for; of what the environment says for another system than Linux
    /// Go's own reading counts, in which the architecture is the machine's where GOARCH says nothing.
    pub fn compiled(
        &self,
        environment: &Environment,
        host: Option<&'static Platform>,
    ) -> Option<(&'static Platform, &'static Abi)> {
        match self {
            Request::Linux { target, .. } => {
                Some((target.platform, target.platform.abi(self.variant(environment).as_ref())))
            }
            Request::Other { goos, goarch, .. } => {
                let said = || environment.get_nonempty("GOARCH");
                let platform = match goarch {
                    Some(goarch) => Platform::by_goarch(goarch),
                    None if said().is_some() => Platform::by_goarch(said()?.to_str()?),
                    None => host,
                };
                let platform = platform?;
                Some((platform, platform.windows_abi().filter(|abi| abi.goos() == *goos)?))
            }
        }
    }

    /// Reads a platform of any system, in any spelling.
    pub fn named(name: &OsStr) -> Result<Request, RequestError> {
        let source = Source::Argument;
        let named = platform::parse_any(&name.to_string_lossy())
            .map_err(|error| RequestError::Unknown { source_name: source.to_string(), error })?;
        Ok(Request::of(named, source))
    }

    fn of(named: Named, source: Source) -> Request {
        match named {
            Named::Linux(target) => Request::Linux { target, source },
            Named::Other { goos, goarch } => Request::Other { goos, goarch: Some(goarch), source },
        }
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
}

fn read_system(variable: &'static str, value: &OsStr) -> Result<&'static str, RequestError> {
    platform::parse_system(&value.to_string_lossy()).map_err(|error| unknown(variable, error))
}

fn unknown(variable: &'static str, error: UnknownPlatform) -> RequestError {
    RequestError::Unknown { source_name: variable.to_owned(), error }
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
                format!("{goos} {} by {source}", goarch.unwrap_or_default())
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
            (&["TARGETPLATFORM=windows/x86_64"], "windows amd64 by TARGETPLATFORM"),
            (&["TARGETPLATFORM=wasi/wasm"], "wasip1 wasm by TARGETPLATFORM"),
            (&["TARGETOS=darwin", "TARGETARCH=arm64"], "darwin arm64 by TARGETOS"),
            (&["TARGETOS=darwin"], "darwin  by TARGETOS"),
            (&["TARGETOS=linux"], "s390x by the host"),
            (&["TARGETVARIANT=v7"], "s390x by the host"),
            (&["TARGETARCH=armv7", "TARGETVARIANT=v6"], "arm/6 by TARGETARCH"),
            // As xx reads them: TARGETPLATFORM, else TARGETPAIR, else the parts.
            (&["TARGETPAIR=linux-arm64", "TARGETARCH=386"], "arm64 by TARGETPAIR"),
            (&["TARGETPAIR=linux-armv7"], "arm/7 by TARGETPAIR"),
            (&["TARGETPAIR=linux-amd64v3"], "amd64/v3 by TARGETPAIR"),
            (&["TARGETPAIR=linux-arm64", "TARGETPLATFORM=linux/386"], "386 by TARGETPLATFORM"),
            (&["TARGETPAIR=darwin-arm64"], "darwin arm64 by TARGETPAIR"),
            (&["TARGETPLATFORM=linux-arm-v7"], "arm/7 by TARGETPLATFORM"),
            // uname -s
            (&["GOOS=Linux", "TARGETARCH=arm64"], "arm64 by TARGETARCH"),
            (&["GOOS= linux\n"], "s390x by the host"),
            (&["GOOS=Darwin"], "darwin  by GOOS"),
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

    /// Parts of a platform, and whether they are any.
    const SYSTEMS: [(&str, bool); 7] = [
        ("linux", true),
        ("Linux", true),
        ("windows", true),
        ("", false),
        (" ", false),
        ("linus", false),
        ("\u{7}", false),
    ];
    const ARCHITECTURES: [(&str, bool); 6] =
        [("arm", true), ("ARM", true), ("", false), (" ", false), ("amr", false), ("a\nb", false)];
    const VARIANTS: [(&str, bool); 5] =
        [("", true), ("v7", true), ("v9", false), ("\u{1b}", false), ("é", false)];

    fn every_combination() -> impl Iterator<Item = ([&'static str; 3], [bool; 3])> {
        SYSTEMS.into_iter().flat_map(|(system, is_system)| {
            ARCHITECTURES.into_iter().flat_map(move |(arch, is_arch)| {
                VARIANTS.into_iter().map(move |(variant, is_variant)| {
                    ([system, arch, variant], [is_system, is_arch, is_variant])
                })
            })
        })
    }

    /// Expects a refusal by the name of one of these variables, in one printable line.
    fn is_refused(variables: &[&str], by: &[&str]) {
        let told = detect(variables);
        let named = by.iter().any(|name| told.starts_with(&format!("read the target from {name}: \"")));
        assert!(named && !told.contains(char::is_control) && told.len() < 400, "{variables:?}: {told}");
    }

    #[test]
    fn no_part_of_a_platform_may_be_missing_but_a_variant_at_the_end() {
        for variable in ["GOARCH", "ARCH", "TARGETPLATFORM", "TARGETPAIR"] {
            let set = |value: &str| format!("{variable}={value}");
            for word in [
                " ",
                "/",
                "//",
                "///",
                "////",
                "-",
                "--",
                "linux",
                "linux/",
                "/arm64",
                "-arm64",
                "linux/arm/v7/",
            ] {
                is_refused(&[&set(word)], &[variable]);
            }
            for (parts, [is_system, is_arch, is_variant]) in every_combination() {
                for separator in ["/", "-"] {
                    let value = set(&parts.join(separator));
                    let is_linux = parts[0].eq_ignore_ascii_case("linux");
                    if is_system && is_arch && is_variant && is_linux {
                        let variant = if parts[2].is_empty() { "" } else { "/7" };
                        assert_eq!(detect(&[&value]), format!("arm{variant} by {variable}"), "{value:?}");
                    } else if !is_system || !is_arch || is_linux || variable.ends_with("ARCH") {
                        is_refused(&[&value], &[variable]);
                    } else {
                        assert_eq!(detect(&[&value]), format!("windows arm by {variable}"), "{value:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_parts_of_a_platform_may_come_one_by_one_and_an_empty_one_is_unset() {
        for (parts, [is_system, is_arch, is_variant]) in every_combination() {
            let names = ["TARGETOS", "TARGETARCH", "TARGETVARIANT"];
            let set: Vec<_> =
                names.iter().zip(parts).map(|(name, value)| format!("{name}={value}")).collect();
            let set: Vec<_> = set.iter().map(String::as_str).collect();
            let (system, arch) = (parts[0].to_lowercase(), parts[1]);
            let expected = match (system.as_str(), arch) {
                ("windows", "") => "windows  by TARGETOS",
                ("linux" | "", "") => "s390x by the host",
                _ if !is_system && !system.is_empty() || !is_arch => {
                    is_refused(&set, &names);
                    continue;
                }
                ("windows", _) => "windows arm by TARGETOS",
                _ if !is_variant => {
                    is_refused(&set, &["TARGETVARIANT"]);
                    continue;
                }
                _ if parts[2].is_empty() => "arm by TARGETARCH",
                _ => "arm/7 by TARGETARCH",
            };
            assert_eq!(detect(&set), expected, "{set:?}");
        }
        is_refused(&["TARGETARCH=arm64", "TARGETVARIANT= "], &["TARGETVARIANT"]);
        is_refused(&["TARGETARCH=linux/arm64"], &["TARGETARCH"]);
    }

    #[test]
    fn a_variable_that_is_nonsense_or_contradicts_another_is_refused() {
        for (variables, message) in [
            (
                &["TARGETPLATFORM=/arm64"][..],
                "TARGETPLATFORM: \"/arm64\": the operating system before the slash is empty (linux/arm64)",
            ),
            (
                &["TARGETPAIR=-arm64"],
                "TARGETPAIR: \"-arm64\": the operating system before the dash is empty (linux-arm64)",
            ),
            (
                &["ARCH=linux"],
                "ARCH: \"linux\": the operating system has no architecture after it (linux/arm64)",
            ),
            (&["GOOS=linus"], "GOOS: \"linus\": no such operating system, did you mean linux? (known: aix "),
            (&["GOOS=\n"], "GOOS: \"\\n\": there is nothing in it ("),
            (
                &["GOOS=linux", "TARGETPLATFORM=windows/amd64"],
                "TARGETPLATFORM: \"windows/amd64\": the operating system is windows, not linux",
            ),
            (
                &["GOOS=linux", "TARGETOS=darwin", "TARGETARCH=arm64"],
                "TARGETOS: \"darwin\": the operating system is darwin, not linux",
            ),
            (&["TARGETARCH=s390x", "TARGETVARIANT=z13"], "TARGETVARIANT: \"z13\": s390x has no variants"),
        ] {
            let told = detect(variables);
            assert!(told.starts_with(&format!("read the target from {message}")), "{told}");
        }
        // What is not read is not refused.
        assert_eq!(detect(&["GOARCH=arm64", "TARGETPLATFORM=///", "TARGETOS= "]), "arm64 by GOARCH");
        assert_eq!(detect(&["GOOS=windows", "GOARCH=///"]), "windows  by GOOS");
        for name in ["GOOS", "GOARCH", "ARCH", "TARGETPLATFORM", "TARGETPAIR", "TARGETOS", "TARGETARCH"] {
            for (filler, length) in
                [("\u{202e}", 1), ("/", 1 << 20), ("a", 1 << 20), ("linux-", 1 << 17), ("é", 1 << 19)]
            {
                is_refused(&[&format!("{name}={}", filler.repeat(length))], &[name]);
            }
        }
    }
}
