//! Go's instruction set variants: the C side follows, and the image's clang knows every one.

use gb::platform::{PLATFORMS, Platform, Variable};
use libtest_mimic::Failed;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::lab::{Lab, TARGETS};

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("clang accepts every variant of every target", Needs::Image, accepted),
        Case::new("clang accepts every GOARM", Needs::ArmImage, accepted_for_arm),
        Case::new("C code is compiled for the variant that Go compiles for", Needs::Image, followed),
        Case::new("a variant that Go does not know is refused", Needs::Image, refused),
    ]
}

/// Each value, alone and with each combination of its options.
fn values(variable: &Variable) -> Vec<String> {
    let mut all = Vec::new();
    for value in variable.values {
        all.push((*value).to_owned());
        all.extend(variable.options.iter().map(|option| format!("{value}{option}")));
        if variable.options == [",lse", ",crypto"] {
            all.push(format!("{value},lse,crypto"));
        }
    }
    all
}

fn accepted(lab: &Lab) -> Verdict {
    let platforms = PLATFORMS.iter().filter(|platform| TARGETS.contains(&platform.goarch));
    let (script, count) = compile_each(platforms)?;
    ensure_eq!(count, 4 + 16 * 4 + 3 + 3);
    ensure_eq!(lab.container().bare_sh(&script)?.ok()?, "");
    Ok(())
}

fn accepted_for_arm(lab: &Lab) -> Verdict {
    let (script, count) = compile_each(Platform::by_goarch("arm").into_iter())?;
    ensure_eq!(count, 3 * 3);
    ensure_eq!(lab.arm_container()?.bare_sh(&script)?.ok()?, "");
    Ok(())
}

/// A script that says what is refused, and the number of variants that it tries.
fn compile_each(platforms: impl Iterator<Item = &'static Platform>) -> Result<(String, usize), Failed> {
    let mut script = "compile() {
         if ! env \"$1\" \"$2-clang\" -Wall -Werror -O2 -c /programs/c/hello.c -o /tmp/hello.o >/tmp/log 2>&1; then
             echo \"$1 $2: $(head -n 1 /tmp/log)\"
         fi; }\n"
        .to_owned();
    let mut count = 0;
    for platform in platforms {
        let Some(variable) = &platform.variable else { continue };
        for value in values(variable) {
            let variant = variable.parse(&value)?;
            let triple = platform.abi(Some(&variant)).triple;
            script.push_str(&format!("compile {}={value} {triple}\n", variable.name));
            count += 1;
        }
    }
    Ok((script, count))
}

/// Each variant is told from the one before it by a macro that clang defines.
fn followed(lab: &Lab) -> Verdict {
    let cases = [
        ("x86_64-linux-gnu", "GOAMD64=v2", "__SSE4_2__"),
        ("x86_64-linux-gnu", "GOAMD64=v3", "__AVX2__"),
        ("x86_64-linux-gnu", "GOAMD64=v4", "__AVX512VL__"),
        ("aarch64-linux-gnu", "GOARM64=v8.0,lse", "__ARM_FEATURE_ATOMICS"),
        ("aarch64-linux-gnu", "GOARM64=v8.0,crypto", "__ARM_FEATURE_CRYPTO"),
        ("aarch64-linux-gnu", "GOARM64=v8.1", "__ARM_FEATURE_ATOMICS"),
        ("aarch64-linux-gnu", "GOARM64=v9.0", "__ARM_FEATURE_SVE2"),
        ("powerpc64le-linux-gnu", "GOPPC64=power9", "_ARCH_PWR9"),
        ("powerpc64le-linux-gnu", "GOPPC64=power10", "_ARCH_PWR10"),
        ("riscv64-linux-gnu", "GORISCV64=rva22u64", "__riscv_zba"),
        ("riscv64-linux-gnu", "GORISCV64=rva23u64", "__riscv_v"),
    ];
    let mut script =
        "defines() { echo | env \"$2\" \"$1-clang\" -x c -dM -E - | grep -c \"#define $3 \" || true; }\n"
            .to_owned();
    for (triple, setting, macro_name) in cases {
        let (variable, _) = setting.split_once('=').ok_or("no variable")?;
        let (platform, _) = Platform::by_triple(triple).ok_or("not in the table")?;
        let default = platform.variable.as_ref().map_or("", |variable| variable.default);
        script.push_str(&format!(
            "echo {setting} $(defines {triple} {variable}={default} {macro_name}) $(defines {triple} {setting} {macro_name})\n"
        ));
    }
    let expected = cases.map(|(_, setting, _)| format!("{setting} 0 1\n")).concat();
    ensure_eq!(lab.container().bare_sh(&script)?.ok()?, expected);
    Ok(())
}

fn refused(lab: &Lab) -> Verdict {
    let output = lab.container().env("GOAMD64", "v5").run(&["x86_64-linux-gnu-clang", "-c", "c/hello.c"])?;
    ensure_eq!(output.status, Some(125));
    ensure!(output.stdout.is_empty(), "should have written nothing: {output}");
    let told = output.stderr.contains("GOAMD64=v5: no such variant (Go accepts v1, v2, v3, v4)");
    ensure!(told, "should have named the variants: {output}");
    Ok(())
}
