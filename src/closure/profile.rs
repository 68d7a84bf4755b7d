//! What programs open when they run, and no file says: by names that people know.

/// A set of such files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Profile {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Libraries, as a program would ask for them; those that the root does not have are left out.
    pub libraries: &'static [&'static str],
    /// Paths, with `*`, `?` and `[…]`, and `**` for a directory with all that is in it; `{lib}` is each of the loader's directories.
    pub paths: &'static [&'static str],
}

/// What a base image has for programs that are not known yet.
pub const BASE: Profile = Profile {
    name: "base",
    about: "what an image needs in which any program of the C library is to run",
    libraries: &[
        "libc.so.6",
        "libpthread.so.0",
        "libdl.so.2",
        "librt.so.1",
        "libm.so.6",
        "libresolv.so.2",
        "libgcc_s.so.1",
        "libstdc++.so.6",
    ],
    paths: &[
        "/etc/host.conf",
        "/etc/networks",
        "/etc/protocols",
        "/etc/services",
        "/etc/os-release",
        "/etc/redhat-release",
        "/etc/debian_version",
        "/etc/alpine-release",
    ],
};

/// All of them.
pub const PROFILES: [Profile; 9] = [
    BASE,
    Profile {
        name: "ca-certificates",
        about: "the certificates that programs trust",
        libraries: &[],
        paths: &[
            "/etc/ssl/certs/ca-certificates.crt",
            "/etc/ssl/cert.pem",
            "/etc/ssl/ca-bundle.pem",
            // Where Debian's OpenSSL looks: a link to the first of these.
            "/usr/lib/ssl/cert.pem",
            "/etc/pki/tls/cert.pem",
            "/etc/pki/tls/certs/ca-bundle.crt",
            "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        ],
    },
    Profile {
        name: "gconv",
        about: "character sets for iconv(3) beside UTF-8 and ASCII",
        libraries: &[],
        paths: &["{lib}gconv/**"],
    },
    Profile {
        name: "idn",
        about: "internationalized host names for getaddrinfo(3)",
        libraries: &["libidn2.so.0"],
        paths: &[],
    },
    Profile {
        name: "locale",
        about: "the locale C.UTF-8",
        libraries: &[],
        paths: &["/usr/lib/locale/C.utf8/**", "/usr/lib/locale/C.UTF-8/**"],
    },
    Profile {
        name: "openssl",
        about: "OpenSSL's providers, engines and configuration, FIPS among them",
        libraries: &[],
        paths: &[
            "{lib}ossl-modules/**",
            "{lib}engines-3/**",
            "{lib}engines-1.1/**",
            "/etc/ssl/openssl.cnf",
            "/etc/pki/tls/openssl.cnf",
            "/etc/pki/tls/openssl.d/**",
            "/etc/crypto-policies/back-ends/opensslcnf.config",
            "/etc/crypto-policies/back-ends/openssl.config",
            "/etc/crypto-policies/back-ends/openssl_fips.config",
            "/usr/lib/ssl/openssl.cnf",
        ],
    },
    Profile {
        name: "pam",
        about: "the modules of PAM and their configuration",
        libraries: &[],
        paths: &["{lib}security/**", "/etc/pam.d/**", "/etc/pam.conf", "/etc/security/**"],
    },
    Profile {
        name: "tzdata",
        about: "time zones",
        libraries: &[],
        paths: &["/usr/share/zoneinfo/**", "/etc/localtime"],
    },
    Profile {
        name: "xtables",
        about: "the extensions of iptables",
        libraries: &[],
        paths: &["{lib}xtables/**", "/etc/ethertypes", "/etc/protocols"],
    },
];

impl Profile {
    /// The one of a name.
    pub fn by_name(name: &str) -> Option<&'static Profile> {
        PROFILES.iter().find(|profile| profile.name == name)
    }
}
