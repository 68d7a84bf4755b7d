//! `gb info`: a row of the table.

use serde_json::json;

use crate::environment::Environment;
use crate::error::Error;
use crate::platform::{ElfClass, ElfData};
use crate::toolchain::Request;

/// The row of a request's target, for people or as JSON.
pub(super) fn write(request: &Request, environment: &Environment, as_json: bool) -> Result<Vec<u8>, Error> {
    let target = match request {
        Request::Linux { target, .. } => target,
        Request::Other { goos, source, .. } => {
            return Err(Error::Usage(format!(
                "info: {source} asks for {goos}, gb knows linux (gb info PLATFORM)"
            )));
        }
    };
    let platform = target.platform;
    let variant = request.variant(environment);
    let abi = platform.abi(variant.as_ref());
    let flags = abi.c_flags(variant.as_ref());
    if as_json {
        let value = json!({
            "schema": 1,
            "goos": "linux",
            "goarch": platform.goarch,
            "uname": platform.uname,
            "debian": abi.debian,
            "rpm": abi.rpm,
            "triple": abi.triple,
            "multiarch": abi.multiarch,
            "rust": abi.rust,
            "qemu": platform.qemu,
            "elf": {
                "class": platform.elf.class,
                "data": platform.elf.data,
                "machine": platform.elf.machine,
                "flags_mask": platform.elf.flags_mask,
                "flags": platform.elf.flags,
            },
            "loader": abi.loader,
            "variable": platform.variable,
            "variant": variant.as_ref().map(|v| v.value()),
            "c_flags": flags,
            "cgo": platform.cgo,
            "binfmt": platform.binfmt,
        });
        return Ok(format!("{value:#}\n").into_bytes());
    }
    let class = match platform.elf.class {
        ElfClass::Elf32 => "32-bit",
        ElfClass::Elf64 => "64-bit",
    };
    let data = match platform.elf.data {
        ElfData::Little => "little-endian",
        ElfData::Big => "big-endian",
    };
    let mut elf = format!("{class} {data}, machine {}", platform.elf.machine.0);
    if platform.elf.flags_mask != 0 {
        elf.push_str(&format!(", flags {:#x} of {:#x}", platform.elf.flags, platform.elf.flags_mask));
    }
    let variants = platform.variable.as_ref().map(|v| format!("{} = {}", v.name, v.values.join(" ")));
    let variant = variant.as_ref().map(|v| format!("{}={}", v.variable, v.value()));
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
        ("variants", variants.unwrap_or_else(|| "none".to_owned())),
        ("variant", variant.unwrap_or_else(|| "the default".to_owned())),
        ("C flags", if flags.is_empty() { "none".to_owned() } else { flags.join(" ") }),
    ];
    Ok(rows.iter().map(|(name, value)| format!("{name:<9} {value}\n")).collect::<String>().into_bytes())
}
