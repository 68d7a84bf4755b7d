//! `gb info`: a row of the table, whole or a value of it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::{Value, json};

use super::output::print;
use super::target::request;
use crate::environment::Environment;
use crate::error::{Error, one_line};
use crate::platform::{Abi, ElfClass, ElfData, Platform, Target, Variant};
use crate::sys;
use crate::toolchain::{Layout, Request, Sysroot, given};

/// The values that `gb info --field` prints. Each is also a key of the JSON, where a dash is an underscore. The names are those
/// of xx-info (tonistiigi/xx) where that has the same; its others are aliases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Field {
    /// Go's name of the operating system
    #[value(alias = "os")]
    Goos,
    /// Go's name of the architecture
    #[value(alias = "arch")]
    Goarch,
    /// The value of GOARM, GOAMD64 and their like, where the target's name or the variable says one
    Variant,
    /// The GNU triple that the compilers are named after
    Triple,
    /// The name of Debian's directories of libraries
    Multiarch,
    /// Debian's architecture
    #[value(alias = "debian")]
    DebianArch,
    /// RPM's architecture
    #[value(aliases = ["rpm", "rhel-arch"])]
    RpmArch,
    /// What uname -m prints
    #[value(aliases = ["march", "machine"])]
    Uname,
    /// Rust's target
    Rust,
    /// QEMU's name: the program is qemu-<name>
    Qemu,
    /// The path of the dynamic loader
    Loader,
    /// The directory to give to --sysroot
    Sysroot,
    /// Whether it is another machine than this one: true or false
    IsCross,
    /// little or big
    Endian,
    /// 32 or 64
    Bits,
    /// The number of the machine in ELF files
    ElfMachine,
    /// The C compiler
    Cc,
    /// The C++ compiler
    Cxx,
}

/// The arguments of `gb info`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The target, in any spelling: arm64, aarch64, linux/arm/v7, s390x-linux-gnu
    platform: Option<OsString>,
    /// Write JSON
    #[arg(long, group = "form")]
    json: bool,
    /// Write one value and nothing else; several, a line each, if given again
    #[arg(long = "field", value_enum, value_name = "NAME", group = "form")]
    fields: Vec<Field>,
    /// Write nothing: the exit code is 0 if the target is another machine than this one, and 1 if not
    #[arg(long, group = "form")]
    is_cross: bool,
}

/// Shows what is asked for.
pub(super) fn info(arguments: &Arguments) -> Result<ExitCode, Error> {
    let environment = given(&Environment::new(sys::environ()));
    let request = request(arguments.platform.as_deref(), &environment)?;
    if arguments.is_cross {
        return Ok(ExitCode::from(u8::from(!is_cross(&request))));
    }
    print(&match arguments.fields.as_slice() {
        [] => write(&request, &environment, arguments.json)?,
        fields => values(&request, &environment, fields)?,
    })
}

/// What is known about a target.
struct Row<'a> {
    platform: &'static Platform,
    abi: &'static Abi,
    variant: Option<Variant>,
    environment: &'a Environment,
}

impl Row<'_> {
    fn new<'a>(request: &Request, target: &Target, environment: &'a Environment) -> Row<'a> {
        let variant = request.variant(environment);
        let abi = target.platform.abi(variant.as_ref());
        Row { platform: target.platform, abi, variant, environment }
    }

    fn bits(&self) -> u8 {
        match self.platform.elf.class {
            ElfClass::Elf32 => 32,
            ElfClass::Elf64 => 64,
        }
    }

    fn endian(&self) -> &'static str {
        match self.platform.elf.data {
            ElfData::Little => "little",
            ElfData::Big => "big",
        }
    }

    /// The directory that a compiler may be given as its sysroot, or why there is none.
    fn sysroot(&self) -> Result<PathBuf, String> {
        let sysroot = Sysroot::find(self.platform, self.abi, self.environment.get_nonempty("GB_SYSROOT"))
            .map_err(|error| error.to_string())?;
        match sysroot.layout {
            Layout::Directory(root) => Ok(root),
            Layout::System => Ok("/".into()),
            Layout::DebianCross(_) => Err(format!(
                "Debian's cross packages for {} are no sysroot (use {}-clang, which needs none)",
                self.abi.debian, self.abi.triple
            )),
        }
    }

    fn value(&self, field: Field) -> Result<OsString, String> {
        let goarch = self.platform.goarch;
        let text = match field {
            Field::Goos => "linux",
            Field::Goarch => goarch,
            Field::Variant => {
                return match (&self.variant, &self.platform.variable) {
                    (Some(variant), _) => Ok(variant.value().into()),
                    (None, Some(variable)) => Err(format!(
                        "nothing says a variant (set {}, whose default for Go is {})",
                        variable.name, variable.default
                    )),
                    (None, None) => Err(format!("{goarch} has no variants")),
                };
            }
            Field::Triple => self.abi.triple,
            Field::Multiarch => self.abi.multiarch,
            Field::DebianArch => self.abi.debian,
            Field::RpmArch => self.abi.rpm,
            Field::Uname => self.platform.uname.first().copied().unwrap_or(goarch),
            Field::Rust => {
                self.abi.rust.ok_or_else(|| format!("Rust has no target with a GNU libc for {goarch}"))?
            }
            Field::Qemu => self.platform.qemu,
            Field::Loader => self.abi.loader,
            Field::Sysroot => return Ok(self.sysroot()?.into_os_string()),
            Field::IsCross => return Ok(is_foreign(self.platform).to_string().into()),
            Field::Endian => self.endian(),
            Field::Bits => return Ok(self.bits().to_string().into()),
            Field::ElfMachine => return Ok(self.platform.elf.machine.0.to_string().into()),
            Field::Cc => return Ok(format!("{}-clang", self.abi.triple).into()),
            Field::Cxx => return Ok(format!("{}-clang++", self.abi.triple).into()),
        };
        Ok(text.into())
    }

    /// Each value under the name of its field, and what is more than a word.
    fn json(&self) -> Value {
        let mut all = json!({
            "schema": 1,
            "elf": self.platform.elf,
            "variable": self.platform.variable,
            "c_flags": self.abi.c_flags(self.variant.as_ref()),
            "cgo": self.platform.cgo,
            "binfmt": self.platform.binfmt,
        });
        for field in Field::value_variants() {
            let value = match field {
                Field::Uname => json!(self.platform.uname),
                Field::IsCross => json!(is_foreign(self.platform)),
                Field::Bits => json!(self.bits()),
                Field::ElfMachine => json!(self.platform.elf.machine),
                field => json!(self.value(*field).ok().map(|value| value.to_string_lossy().into_owned())),
            };
            if let Some(object) = all.as_object_mut() {
                object.insert(field.name().replace('-', "_"), value);
            }
        }
        all
    }

    fn table(&self) -> String {
        let Row { platform, abi, variant, .. } = self;
        let mut elf =
            format!("{}-bit {}-endian, machine {}", self.bits(), self.endian(), platform.elf.machine.0);
        if platform.elf.flags_mask != 0 {
            elf.push_str(&format!(", flags {:#x} of {:#x}", platform.elf.flags, platform.elf.flags_mask));
        }
        let variants = platform.variable.as_ref().map(|v| format!("{} = {}", v.name, v.values.join(" ")));
        let flags = abi.c_flags(variant.as_ref());
        let variant = variant.as_ref().map(|v| format!("{}={}", v.variable, v.value()));
        let sysroot = self.sysroot().map(|root| one_line(&root.to_string_lossy()));
        let rows = [
            ("Go", format!("linux/{}{}", platform.goarch, if platform.cgo { "" } else { " (no cgo)" })),
            ("uname -m", platform.uname.join(" ")),
            ("Debian", abi.debian.to_owned()),
            ("RPM", abi.rpm.to_owned()),
            ("triple", abi.triple.to_owned()),
            ("Rust", abi.rust.unwrap_or("none").to_owned()),
            ("QEMU", format!("qemu-{}", platform.qemu)),
            ("ELF", elf),
            ("loader", abi.loader.to_owned()),
            ("sysroot", sysroot.unwrap_or_else(|_| "none".to_owned())),
            ("variants", variants.unwrap_or_else(|| "none".to_owned())),
            ("variant", variant.unwrap_or_else(|| "the default".to_owned())),
            ("C flags", if flags.is_empty() { "none".to_owned() } else { flags.join(" ") }),
        ];
        rows.iter().map(|(name, value)| format!("{name:<9} {value}\n")).collect()
    }
}

impl Field {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// The row of a request's target, for people or as JSON.
fn write(request: &Request, environment: &Environment, as_json: bool) -> Result<Vec<u8>, Error> {
    let row = match request {
        Request::Linux { target, .. } => Row::new(request, target, environment),
        Request::Other { goos, source, .. } => {
            return Err(Error::Usage(format!(
                "info: {source} asks for {goos}, gb knows linux (gb info PLATFORM)"
            )));
        }
    };
    Ok(if as_json { format!("{:#}\n", row.json()) } else { row.table() }.into_bytes())
}

/// Values of a request's target, a line each: all of them, or none.
fn values(request: &Request, environment: &Environment, fields: &[Field]) -> Result<Vec<u8>, Error> {
    let mut text = Vec::new();
    for field in fields {
        let value = match request {
            Request::Linux { target, .. } => Row::new(request, target, environment).value(*field),
            Request::Other { goos, goarch, .. } => {
                match (field, goarch, request.compiled(environment, Platform::host())) {
                    (Field::Goos, ..) => Ok((*goos).into()),
                    (Field::Goarch, Some(goarch), _) => Ok((*goarch).into()),
                    (Field::IsCross, ..) => Ok("true".into()),
                    (
                        Field::Goarch | Field::Triple | Field::Sysroot | Field::Cc | Field::Cxx,
                        _,
                        Some((platform, abi)),
                    ) => Row { platform, abi, variant: None, environment }.value(*field),
                    _ => {
                        Err(format!("the target is {goos}, of which gb does not know it (gb info PLATFORM)"))
                    }
                }
            }
        };
        let value = value.map_err(|why| Error::NoValue(format!("info --field {}: {why}", field.name())))?;
        text.extend_from_slice(value.as_bytes());
        text.push(b'\n');
    }
    Ok(text)
}

/// Whether what is built for the request does not run on this machine as it is.
fn is_cross(request: &Request) -> bool {
    match request {
        Request::Linux { target, .. } => is_foreign(target.platform),
        Request::Other { .. } => true,
    }
}

fn is_foreign(platform: &'static Platform) -> bool {
    Some(platform) != Platform::host()
}
