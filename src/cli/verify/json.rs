//! Everything, for programs.

use serde_json::{Map, Value};

use super::Counts;
use super::look::{Report, What};
use crate::elf::{FloatAbi, Header};
use crate::platform::{ElfClass, ElfData};
use crate::verify::{
    Content, FAMILIES, Facts, Finding, Form, Format, Go, Item, Kind, Module, Need, Relro, Weight, Wish,
    described, highest,
};

/// The form of the answer; a change that readers would notice raises it.
pub(super) const SCHEMA: u32 = 1;

/// An object; much smaller than what `json!` makes of many fields.
pub(super) fn object(fields: Vec<(&str, Value)>) -> Value {
    let mut object = Map::new();
    for (name, value) in fields {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object)
}

pub(super) fn text(bytes: &[u8]) -> Value {
    Value::String(String::from_utf8_lossy(bytes).into_owned())
}

fn optional(bytes: Option<&Vec<u8>>) -> Value {
    bytes.map_or(Value::Null, |bytes| text(bytes))
}

pub(super) fn word(word: &str) -> Value {
    Value::String(word.to_owned())
}

pub(super) fn maybe(text: Option<&str>) -> Value {
    text.map_or(Value::Null, word)
}

fn texts(all: &[Vec<u8>]) -> Value {
    Value::Array(all.iter().map(|bytes| text(bytes)).collect())
}

/// What comes before the files.
pub(super) fn start(wish: &Wish) -> String {
    let variant = wish.variant().map(|variant| format!("{}={}", variant.variable, variant.value()));
    let platform = wish.platform().map(|(platform, _)| format!("linux/{}", platform.goarch));
    format!(
        "{{\n\"schema\": {SCHEMA},\n\"platform\": {},\n\"variant\": {},\n\"files\": [\n",
        maybe(platform.as_deref()),
        maybe(variant.as_deref())
    )
}

/// What comes after them.
pub(super) fn end(counts: &Counts) -> String {
    format!(
        "\n],\n\"good\": {},\n\"degraded\": {},\n\"with_findings\": {},\n\"passed_over\": {},\n\"not_looked_at\": {}\n}}\n",
        counts.good, counts.degraded, counts.findings, counts.passed_over, counts.failed
    )
}

/// A file.
pub(super) fn of(report: &Report) -> String {
    let mut fields = match &report.what {
        What::Elf(facts) => elf(facts),
        What::Archive(form, items) => vec![
            ("kind", word("archive")),
            ("thin", Value::Bool(*form == Form::Thin)),
            ("members", Value::Array(items.iter().map(member).collect())),
        ],
        What::Other(format) => vec![("kind", word(other(*format)))],
    };
    fields.push(("path", word(&report.path.to_string_lossy())));
    let findings = report.findings.iter().map(|(finding, member)| self::finding(finding, member.as_ref()));
    fields.push(("findings", Value::Array(findings.collect())));
    format!("{:#}", object(fields))
}

fn finding(finding: &Finding, member: Option<&Vec<u8>>) -> Value {
    object(vec![
        ("code", word(finding.code)),
        ("level", word(if finding.weight == Weight::Finding { "finding" } else { "degraded" })),
        ("what", word(&finding.what)),
        ("remedy", maybe(finding.remedy.as_deref())),
        ("member", optional(member)),
    ])
}

fn other(format: Format) -> &'static str {
    match format {
        Format::Script => "script",
        Format::Bitcode => "bitcode",
        Format::Foreign(_) => "foreign",
        Format::Empty => "empty",
        Format::Elf | Format::Archive => "damaged",
        Format::Other => "other",
    }
}

fn header(header: &Header) -> Value {
    object(vec![
        ("class", word(if header.class == ElfClass::Elf64 { "ELF64" } else { "ELF32" })),
        ("data", word(if header.data == ElfData::Big { "big" } else { "little" })),
        ("machine", header.machine.0.into()),
        ("flags", header.flags.into()),
        ("os_abi", header.os_abi.into()),
        ("type", header.kind.into()),
    ])
}

fn elf(facts: &Facts) -> Vec<(&'static str, Value)> {
    let symbol = |(name, is_weak): &(Vec<u8>, bool)| {
        object(vec![("name", text(name)), ("weak", Value::Bool(*is_weak))])
    };
    let need = |need: &Need| {
        object(vec![
            ("library", text(&need.library)),
            ("version", text(&need.version)),
            ("weak", Value::Bool(need.is_weak)),
            ("symbols", Value::Array(need.symbols.iter().map(symbol).collect())),
        ])
    };
    let mut newest = Vec::new();
    for family in FAMILIES {
        newest.extend(highest(&facts.versions, family).map(|number| (family, word(&number.to_string()))));
    }
    let kind = match facts.kind {
        Kind::Program => "program",
        Kind::Library => "library",
        Kind::Object => "object",
        Kind::Core => "core",
        Kind::Debug => "debug",
        Kind::Other => "elf",
    };
    let relro = match facts.relro {
        Relro::None => "none",
        Relro::Partial => "partial",
        Relro::Full => "full",
    };
    let kernel = facts.notes.oldest_kernel.map(|[one, two, three]| format!("{one}.{two}.{three}"));
    let package = facts.notes.package.as_ref().and_then(|text| serde_json::from_slice(text).ok());
    vec![
        ("kind", word(kind)),
        ("platform", maybe(facts.platform.map(|_| described(&facts.header)).as_deref())),
        ("elf", header(&facts.header)),
        ("float_abi", maybe(facts.floats.map(floats))),
        ("static", Value::Bool(facts.is_static())),
        ("pie", Value::Bool(facts.is_pie)),
        ("interpreter", optional(facts.interpreter.as_ref())),
        ("soname", optional(facts.soname.as_ref())),
        ("needed", texts(&facts.needed)),
        ("rpath", optional(facts.rpath.as_ref())),
        ("runpath", optional(facts.runpath.as_ref())),
        ("versions", Value::Array(facts.versions.iter().map(need).collect())),
        ("symbols_error", maybe(facts.symbols_error.as_ref().map(ToString::to_string).as_deref())),
        ("highest", object(newest)),
        ("defined_versions", texts(&facts.defined_versions)),
        ("executable_stack", facts.executable_stack.map_or(Value::Null, Value::Bool)),
        ("text_relocations", Value::Bool(facts.has_text_relocations)),
        ("bind_now", Value::Bool(facts.binds_now)),
        ("relro", word(relro)),
        ("oldest_kernel", maybe(kernel.as_deref())),
        ("x86_levels_needed", facts.notes.x86_levels_needed.into()),
        ("package", package.unwrap_or_default()),
        ("go", facts.go.as_ref().map_or(Value::Null, go)),
    ]
}

fn floats(floats: FloatAbi) -> &'static str {
    match floats {
        FloatAbi::Hard => "hard",
        FloatAbi::Soft => "soft",
    }
}

fn go(go: &Go) -> Value {
    object(vec![
        ("version", word(&go.version)),
        ("path", maybe(go.path.as_deref())),
        ("module", go.module.as_ref().map_or(Value::Null, module)),
        ("dependencies", Value::Array(go.dependencies.iter().map(module).collect())),
        ("settings", object(go.settings.iter().map(|(key, value)| (key.as_str(), word(value))).collect())),
    ])
}

fn module(of: &Module) -> Value {
    object(vec![
        ("path", word(&of.path)),
        ("version", word(&of.version)),
        ("sum", word(&of.sum)),
        ("replaced_by", of.replaced_by.as_deref().map_or(Value::Null, module)),
    ])
}

fn member(item: &Item) -> Value {
    let none = || (Value::Null, Value::Null, None);
    let (kind, platform, (elf, float_abi, version)) = match &item.content {
        Content::Elf(own, float_abi) => {
            ("elf", Some(described(own)), (header(own), maybe(float_abi.map(floats)), None))
        }
        Content::Go { goos, goarch, version } => {
            ("go", Some(format!("{goos}/{goarch}")), (Value::Null, Value::Null, Some(version.as_str())))
        }
        Content::Bad(_) => ("damaged", None, none()),
        Content::Bitcode => ("bitcode", None, none()),
        Content::Gone(_) => ("missing", None, none()),
        Content::Other => ("other", None, none()),
    };
    object(vec![
        ("name", text(&item.name)),
        ("offset", item.offset.into()),
        ("kind", word(kind)),
        ("platform", maybe(platform.as_deref())),
        ("elf", elf),
        ("float_abi", float_abi),
        ("go", maybe(version)),
    ])
}
