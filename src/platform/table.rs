//! THE table of architectures: every Linux port of Go, and every name and number that each has.
//!
//! Sources: `go tool dist list` and internal/buildcfg (Go 1.26); dpkg's cputable and ostable; rustc's platform
//! support page; the System V psABI supplements and glibc's `shlib-versions` (loader names); QEMU's
//! scripts/qemu-binfmt-conf.sh (magic and mask), with EI_OSABI left open everywhere, because static programs with
//! IFUNCs carry OSABI 3; binutils' ld/configure.tgt and bfd/config.bfd (emulations and object formats).

use serde::Serialize;

/// One architecture: a Linux port of Go.
#[derive(Debug, PartialEq, Eq)]
pub struct Platform {
    /// Go's name.
    pub goarch: &'static str,
    /// What `uname -m` prints, the most usual first.
    pub uname: &'static [&'static str],
    /// QEMU's name: the program is `qemu-<name>`.
    pub qemu: &'static str,
    /// Meson's name of its CPU family.
    pub meson: &'static str,
    /// How its ELF files look.
    pub elf: Elf,
    /// What GNU's binary utilities call its files: [`Platform::binutils`] is the way to it.
    binutils: Binutils,
    /// Go's variable for the instruction set variant, and its values.
    pub variable: Option<Variable>,
    /// Whether Go has cgo for it (`cgoEnabled` in internal/platform/zosarch.go).
    pub cgo: bool,
    /// The C ABIs: the one of a build without a variant, and the others.
    pub(super) abis: (Abi, &'static [Abi]),
    /// How the kernel's binfmt_misc recognises its programs.
    pub binfmt: Binfmt,
    /// A program that tells whether, and by what, its programs run here.
    pub probe: Probe,
    /// Further spellings that people use.
    pub(super) aliases: &'static [&'static str],
}

/// One C ABI of a platform: what a distribution calls an architecture.
#[derive(Debug, PartialEq, Eq)]
pub struct Abi {
    /// The GNU triple that cross tools and sysroots are named after.
    pub triple: &'static str,
    /// Debian's multiarch directory name, where it differs from the triple (i386).
    pub multiarch: &'static str,
    /// Debian's architecture.
    pub debian: &'static str,
    /// RPM's architecture.
    pub rpm: &'static str,
    /// Rust's target, if there is one with a GNU libc.
    pub rust: Option<&'static str>,
    /// The path of glibc's dynamic loader (ELF interpreter).
    pub loader: &'static str,
    /// What dynamic loaders go by.
    pub loading: Loading,
    /// Flags that clang needs to meet the ABI's baseline, when the Go variant says nothing.
    pub baseline: &'static [&'static str],
}

/// What dynamic loaders go by, where architectures differ.
#[derive(Debug, PartialEq, Eq)]
pub struct Loading {
    /// The flags that its libraries have in glibc's ld.so.cache.
    pub cache: u32,
    /// The bits of `e_flags` that glibc's loader looks at in a library, and what they may be.
    pub(super) flags: (u32, &'static [u32]),
    /// The bits of `e_flags` that tell this ABI's libraries from those of the platform's other ABIs, and what they are.
    pub(super) hint: (u32, u32),
    /// The oldest processor that glibc has a subdirectory of glibc-hwcaps for; the loader itself has the newer ones.
    pub oldest_hwcap: Option<&'static str>,
    /// The directory of libraries where there are no multiarch directories.
    pub lib: &'static str,
    /// musl's name of it: the loader is `/lib/ld-musl-<name>.so.1`.
    pub musl: &'static str,
}

impl Loading {
    /// Whether glibc's loader takes a library with these `e_flags`.
    pub fn is_for(&self, flags: u32) -> bool {
        self.flags.1.contains(&(flags & self.flags.0))
    }

    /// The path of musl's loader.
    pub fn musl_loader(&self) -> String {
        format!("/lib/ld-musl-{}.so.1", self.musl)
    }

    /// Whether these `e_flags` are of this ABI, rather than of another one of the platform.
    pub fn is_likely(&self, flags: u32) -> bool {
        flags & self.hint.0 == self.hint.1
    }
}

impl Platform {
    /// How many values of `EI_ABIVERSION` glibc's loader takes with `ELFOSABI_SYSV` (VALID_ELF_ABIVERSION).
    pub fn sysv_abi_versions(&self) -> u8 {
        if self.elf.machine == EM_MIPS { 6 } else { 1 }
    }

    /// Whether glibc's start files ask for an executable stack: those for MIPS do, where kernels before 4.8 ran the
    /// instructions of an emulated FPU there (NEWS of glibc 2.31).
    pub fn needs_executable_stack(&self) -> bool {
        self.elf.machine == EM_MIPS
    }
}

impl Platform {
    /// Whether the hash table of symbols of its 64-bit files (DT_HASH) is of 64-bit numbers (`Elf_Symndx` in glibc's
    /// sysdeps/s390/s390-64/bits/elfclass.h).
    pub fn has_wide_hash(&self) -> bool {
        self.elf.machine == EM_S390
    }

    /// A further architecture whose programs the kernel of this one runs as they are.
    pub fn companion(&self) -> Option<&'static Platform> {
        let goarch = match self.goarch {
            "amd64" => "386",
            "arm64" => "arm",
            _ => return None,
        };
        Platform::by_goarch(goarch)
    }

    /// Whether the kernel of this one runs programs of another one as they are.
    pub fn runs(&self, other: &Platform) -> bool {
        other == self || self.companion() == Some(other)
    }
}

/// Where a file tells how its functions hand over floating point numbers, beside its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatMark {
    /// In a section of attributes.
    Arm,
    /// In a segment and a section of flags.
    Mips,
}

impl FloatMark {
    /// The kinds of the segment (for ARM there is none) and the section (binutils' elf/arm.h and elf/mips.h).
    pub fn kinds(self) -> (u32, u32) {
        match self {
            FloatMark::Arm => (u32::MAX, 0x7000_0003),
            FloatMark::Mips => (0x7000_0003, 0x7000_002a),
        }
    }
}

impl Machine {
    /// Where its files tell how their functions hand over floating point numbers.
    pub fn float_mark(self) -> Option<FloatMark> {
        match self {
            EM_ARM => Some(FloatMark::Arm),
            EM_MIPS => Some(FloatMark::Mips),
            _ => None,
        }
    }

    /// Whether its programs are for the kernel's own virtual machine, which every architecture has.
    pub fn is_bpf(self) -> bool {
        self == EM_BPF
    }
}

impl Abi {
    /// Go's name of the system whose C library it is.
    pub fn goos(&self) -> &'static str {
        if self.is_windows() { "windows" } else { "linux" }
    }

    /// Whether it is one of mingw-w64, and so not of ELF files.
    pub fn is_windows(&self) -> bool {
        self.triple.ends_with("-mingw32")
    }

    /// Debian's package of a cross compiler, which brings everything that there is to build against: `g++-aarch64-linux-gnu`.
    ///
    /// Every ABI of the table has one (crossbuild-essential-loong64 and -ppc64 do not exist).
    pub fn debian_compiler(&self) -> String {
        format!("g++-{}", self.triple.replace('_', "-"))
    }
}

/// An architecture of Windows that there is a C library for: mingw-w64's, in Debian.
///
/// It has none of what the table says of an architecture's Linux but the instruction set. (Debian has mingw-w64 for x86
/// alone, and Go's windows/arm64 no package to build against.)
#[derive(Debug)]
pub(super) struct Windows {
    /// Go's name of the architecture.
    goarch: &'static str,
    /// The C ABI. What loaders of ELF files go by is not there.
    abi: Abi,
    /// What GNU's binary utilities call its files (ld/configure.tgt and bfd/config.bfd, x86_64-*-mingw*).
    binutils: Binutils,
}

/// Every one of them.
static WINDOWS: &[Windows] = &[Windows {
    goarch: "amd64",
    abi: Abi {
        triple: "x86_64-w64-mingw32",
        multiarch: "",
        debian: "mingw-w64-x86-64",
        rpm: "mingw64",
        rust: None,
        loader: "",
        loading: Loading {
            cache: 0,
            flags: (0, &[0]),
            hint: (0, 0),
            oldest_hwcap: None,
            lib: "lib",
            musl: "",
        },
        baseline: &[],
    },
    binutils: Binutils { emulation: "i386pep", format: "pe-x86-64" },
}];

impl Platform {
    /// The C ABI of this architecture's Windows, if there is a C library for it.
    pub fn windows_abi(&self) -> Option<&'static Abi> {
        WINDOWS.iter().find(|windows| windows.goarch == self.goarch).map(|windows| &windows.abi)
    }

    /// What GNU's binary utilities call the files of one of its ABIs.
    pub fn binutils(&'static self, abi: &Abi) -> &'static Binutils {
        let windows = WINDOWS.iter().find(|windows| windows.abi == *abi);
        windows.map_or(&self.binutils, |windows| &windows.binutils)
    }
}

/// The identification of an architecture's ELF files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Elf {
    /// 32 or 64 bits.
    pub class: ElfClass,
    /// Byte order.
    pub data: ElfData,
    /// `e_machine`.
    pub machine: Machine,
    /// The bits of `e_flags` that tell ABIs of one machine apart.
    pub flags_mask: u32,
    /// What those bits are for this platform's programs.
    pub flags: u32,
}

/// `EI_CLASS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ElfClass {
    /// ELFCLASS32
    #[serde(rename = "ELF32")]
    Elf32,
    /// ELFCLASS64
    #[serde(rename = "ELF64")]
    Elf64,
}

/// `EI_DATA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ElfData {
    /// ELFDATA2LSB
    #[serde(rename = "little")]
    Little,
    /// ELFDATA2MSB
    #[serde(rename = "big")]
    Big,
}

/// `e_machine`, as numbered in the ELF gABI.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Machine(pub u16);

/// GNU's names for the files of an architecture, which lld and llvm-objcopy know as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binutils {
    /// `ld -m`: what an ld of the architecture's own does without being told.
    pub emulation: &'static str,
    /// The object format of BFD, `objcopy -O`: what `default` means to an objcopy of the architecture's own.
    pub format: &'static str,
}

/// A Go environment variable that selects an instruction set variant (internal/buildcfg/cfg.go).
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// `GOARM`, `GOAMD64`, …
    pub name: &'static str,
    /// What Go takes when it is unset, cross building.
    pub default: &'static str,
    /// The accepted values, without options.
    pub values: &'static [&'static str],
    /// Options that may follow the value, each with its comma.
    pub options: &'static [&'static str],
}

/// The bytes by which binfmt_misc recognises the programs of an architecture, in hexadecimal.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Binfmt {
    /// First bytes of the file.
    pub magic: &'static str,
    /// Which bits of them count.
    pub mask: &'static str,
}

/// What is particular to an architecture in a program that writes a byte of its stack to standard output, waits for a byte or
/// the end of standard input, and exits with argc + argv[0][0].
///
/// System calls are those of the kernel's tables (arch/*/…/syscall*.tbl, include/uapi/asm-generic/unistd.h): write, read, exit.
/// At the start the stack pointer is at argc, and argv[0] follows (the psABIs, "Process Initialization").
#[derive(Debug, PartialEq, Eq)]
pub struct Probe {
    /// All of `e_flags`.
    pub flags: u32,
    /// The instructions, in hexadecimal.
    pub code: &'static str,
}

const EM_386: Machine = Machine(3);
const EM_MIPS: Machine = Machine(8);
const EM_PPC64: Machine = Machine(21);
const EM_S390: Machine = Machine(22);
const EM_ARM: Machine = Machine(40);
const EM_X86_64: Machine = Machine(62);
const EM_AARCH64: Machine = Machine(183);
const EM_RISCV: Machine = Machine(243);
const EM_LOONGARCH: Machine = Machine(258);
const EM_BPF: Machine = Machine(247);

const fn elf(class: ElfClass, data: ElfData, machine: Machine) -> Elf {
    Elf { class, data, machine, flags_mask: 0, flags: 0 }
}

const fn elf_flags(class: ElfClass, data: ElfData, machine: Machine, flags_mask: u32, flags: u32) -> Elf {
    Elf { class, data, machine, flags_mask, flags }
}

use ElfClass::{Elf32, Elf64};
use ElfData::{Big, Little};

const MIPS_FLOAT: &[&str] = &["hardfloat", "softfloat"];

/// An operating system that Go builds for.
#[derive(Debug, PartialEq, Eq)]
pub struct System {
    /// Go's name.
    pub goos: &'static str,
    /// Further names that people use, in lower case.
    pub(super) aliases: &'static [&'static str],
}

const fn system(goos: &'static str, aliases: &'static [&'static str]) -> System {
    System { goos, aliases }
}

/// Every operating system of `go tool dist list`, in Go's order.
pub static SYSTEMS: &[System] = &[
    system("aix", &[]),
    system("android", &[]),
    system("darwin", &["macos"]),
    system("dragonfly", &[]),
    system("freebsd", &[]),
    system("illumos", &[]),
    system("ios", &[]),
    system("js", &[]),
    system("linux", &[]),
    system("netbsd", &[]),
    system("openbsd", &[]),
    system("plan9", &[]),
    system("solaris", &["sunos"]),
    // Image platforms had wasi/wasm before there was a second version of it.
    system("wasip1", &["wasi"]),
    system("windows", &[]),
];

/// Every Linux port of Go, in Go's order.
pub static PLATFORMS: &[Platform] = &[
    Platform {
        goarch: "386",
        uname: &["i686", "i586", "i486", "i386"],
        qemu: "i386",
        meson: "x86",
        elf: elf(Elf32, Little, EM_386),
        binutils: Binutils { emulation: "elf_i386", format: "elf32-i386" },
        variable: Some(Variable {
            name: "GO386",
            default: "sse2",
            values: &["sse2", "softfloat"],
            options: &[],
        }),
        cgo: true,
        abis: (
            Abi {
                triple: "i686-linux-gnu",
                multiarch: "i386-linux-gnu",
                debian: "i386",
                rpm: "i686",
                rust: Some("i686-unknown-linux-gnu"),
                loader: "/lib/ld-linux.so.2",
                loading: Loading {
                    cache: 0x0003,
                    flags: (0, &[0]),
                    hint: (0, 0),
                    oldest_hwcap: None,
                    lib: "lib",
                    musl: "i386",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c4601010100000000000000000002000300",
            mask: "fffffffffffefe00fffffffffffffffffeffffff",
        },
        probe: Probe {
            flags: 0,
            code: "6a015b89e16a015a6a0458cd8031db8d4c24f06a015a6a0358cd805b590fb60901cb6a0158cd80",
        },
        aliases: &["x86", "ia32"],
    },
    Platform {
        goarch: "amd64",
        uname: &["x86_64"],
        qemu: "x86_64",
        meson: "x86_64",
        elf: elf(Elf64, Little, EM_X86_64),
        binutils: Binutils { emulation: "elf_x86_64", format: "elf64-x86-64" },
        variable: Some(Variable {
            name: "GOAMD64",
            default: "v1",
            values: &["v1", "v2", "v3", "v4"],
            options: &[],
        }),
        cgo: true,
        abis: (
            Abi {
                triple: "x86_64-linux-gnu",
                multiarch: "x86_64-linux-gnu",
                debian: "amd64",
                rpm: "x86_64",
                rust: Some("x86_64-unknown-linux-gnu"),
                loader: "/lib64/ld-linux-x86-64.so.2",
                loading: Loading {
                    cache: 0x0303,
                    flags: (0, &[0]),
                    hint: (0, 0),
                    oldest_hwcap: Some("x86-64-v2"),
                    lib: "lib64",
                    musl: "x86_64",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c4602010100000000000000000002003e00",
            mask: "fffffffffffefe00fffffffffffffffffeffffff",
        },
        probe: Probe {
            flags: 0,
            code: "6a015f4889e66a015a6a01580f0531ff488d7424f06a015a31c00f055f5e0fb63601f76a3c580f05",
        },
        aliases: &["x86-64", "x64"],
    },
    Platform {
        goarch: "arm",
        uname: &["armv7l", "armv6l", "armv5tel", "armv8l"],
        qemu: "arm",
        meson: "arm",
        elf: elf_flags(Elf32, Little, EM_ARM, 0xff00_0000, 0x0500_0000),
        binutils: Binutils { emulation: "armelf_linux_eabi", format: "elf32-littlearm" },
        variable: Some(Variable {
            name: "GOARM",
            default: "7",
            values: &["5", "6", "7"],
            options: &[",softfloat", ",hardfloat"],
        }),
        cgo: true,
        abis: (
            Abi {
                triple: "arm-linux-gnueabihf",
                multiarch: "arm-linux-gnueabihf",
                debian: "armhf",
                rpm: "armv7hl",
                rust: Some("armv7-unknown-linux-gnueabihf"),
                loader: "/lib/ld-linux-armhf.so.3",
                loading: Loading {
                    cache: 0x0903,
                    flags: (0, &[0]),
                    hint: (0x400, 0x400),
                    oldest_hwcap: None,
                    lib: "lib",
                    musl: "armhf",
                },
                baseline: &["-march=armv7-a", "-mfpu=vfpv3-d16"],
            },
            // Debian's armel runs on ARMv5TE; its libc and start files are what GOARM=5 and 6 can link.
            &[Abi {
                triple: "arm-linux-gnueabi",
                multiarch: "arm-linux-gnueabi",
                debian: "armel",
                rpm: "armv5tel",
                rust: Some("armv5te-unknown-linux-gnueabi"),
                loader: "/lib/ld-linux.so.3",
                loading: Loading {
                    cache: 0x0b03,
                    flags: (0, &[0]),
                    hint: (0x200, 0x200),
                    oldest_hwcap: None,
                    lib: "lib",
                    musl: "arm",
                },
                baseline: &["-march=armv5te"],
            }],
        ),
        binfmt: Binfmt {
            magic: "7f454c4601010100000000000000000002002800",
            mask: "ffffffffffffff00fffffffffffffffffeffffff",
        },
        probe: Probe {
            flags: 0x5000000,
            code: "0100a0e30d10a0e10120a0e30470a0e3000000ef0000a0e310104de20120a0e30370a0e3000000ef00009de504109de50010d1e5010080e00170a0e3000000ef",
        },
        aliases: &["arm32"],
    },
    Platform {
        goarch: "arm64",
        uname: &["aarch64"],
        qemu: "aarch64",
        meson: "aarch64",
        elf: elf(Elf64, Little, EM_AARCH64),
        binutils: Binutils { emulation: "aarch64linux", format: "elf64-littleaarch64" },
        variable: Some(Variable {
            name: "GOARM64",
            default: "v8.0",
            values: &[
                "v8.0", "v8.1", "v8.2", "v8.3", "v8.4", "v8.5", "v8.6", "v8.7", "v8.8", "v8.9", "v9.0",
                "v9.1", "v9.2", "v9.3", "v9.4", "v9.5",
            ],
            options: &[",lse", ",crypto"],
        }),
        cgo: true,
        abis: (
            Abi {
                triple: "aarch64-linux-gnu",
                multiarch: "aarch64-linux-gnu",
                debian: "arm64",
                rpm: "aarch64",
                rust: Some("aarch64-unknown-linux-gnu"),
                loader: "/lib/ld-linux-aarch64.so.1",
                loading: Loading {
                    cache: 0x0a03,
                    flags: (0, &[0]),
                    hint: (0, 0),
                    oldest_hwcap: None,
                    lib: "lib64",
                    musl: "aarch64",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c460201010000000000000000000200b700",
            mask: "ffffffffffffff00fffffffffffffffffeffffff",
        },
        probe: Probe {
            flags: 0,
            code: "200080d2e1030091220080d2080880d2010000d4000080d2e14300d1220080d2e80780d2010000d4e00340f9e10740f9210040390000018ba80b80d2010000d4",
        },
        aliases: &["armv8", "armv9"],
    },
    Platform {
        goarch: "loong64",
        uname: &["loongarch64"],
        qemu: "loongarch64",
        meson: "loongarch64",
        elf: elf_flags(Elf64, Little, EM_LOONGARCH, 0x7, 0x3),
        binutils: Binutils { emulation: "elf64loongarch", format: "elf64-loongarch" },
        variable: None,
        cgo: true,
        abis: (
            Abi {
                triple: "loongarch64-linux-gnu",
                multiarch: "loongarch64-linux-gnu",
                debian: "loong64",
                rpm: "loongarch64",
                rust: Some("loongarch64-unknown-linux-gnu"),
                loader: "/lib64/ld-linux-loongarch-lp64d.so.1",
                loading: Loading {
                    cache: 0x1203,
                    flags: (0, &[0]),
                    hint: (0, 0),
                    oldest_hwcap: None,
                    lib: "lib64",
                    musl: "loongarch64",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c4602010100000000000000000002000201",
            mask: "fffffffffffffffc00fffffffffffffffeffffff",
        },
        probe: Probe {
            flags: 0x43,
            code: "0404800365001500060480030b00810300002b000400800365c0ff02060480030bfc800300002b006400c0286520c028a500002a849410000b74810300002b00",
        },
        aliases: &["loongarch", "la64"],
    },
    Platform {
        goarch: "mips",
        uname: &["mips"],
        qemu: "mips",
        meson: "mips",
        elf: elf_flags(Elf32, Big, EM_MIPS, 0x0000_f020, 0x0000_1000),
        binutils: Binutils { emulation: "elf32btsmip", format: "elf32-tradbigmips" },
        variable: Some(Variable { name: "GOMIPS", default: "hardfloat", values: MIPS_FLOAT, options: &[] }),
        cgo: true,
        abis: (
            Abi {
                triple: "mips-linux-gnu",
                multiarch: "mips-linux-gnu",
                debian: "mips",
                rpm: "mips",
                rust: Some("mips-unknown-linux-gnu"),
                loader: "/lib/ld.so.1",
                loading: Loading {
                    cache: 0x0003,
                    flags: (0, &[0]),
                    hint: (0, 0),
                    oldest_hwcap: None,
                    lib: "lib",
                    musl: "mips",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c46010201000000000000000000000200080000000100000000000000000000000000000000",
            mask: "ffffffffffffff0000fffffffffffffffffeffffffffffff00000000000000000000000000000020",
        },
        probe: Probe {
            flags: 0x50001004,
            code: "2404000103a028252406000124020fa40000000c2404000027a5fff02406000124020fa30000000c8fa400008fa500040000000090a50000000000000085202124020fa10000000c",
        },
        aliases: &[],
    },
    Platform {
        goarch: "mips64",
        uname: &["mips64"],
        qemu: "mips64",
        meson: "mips64",
        elf: elf_flags(Elf64, Big, EM_MIPS, 0x0000_f020, 0),
        binutils: Binutils { emulation: "elf64btsmip", format: "elf64-tradbigmips" },
        variable: Some(Variable { name: "GOMIPS64", default: "hardfloat", values: MIPS_FLOAT, options: &[] }),
        cgo: true,
        abis: (
            Abi {
                triple: "mips64-linux-gnuabi64",
                multiarch: "mips64-linux-gnuabi64",
                debian: "mips64",
                rpm: "mips64",
                rust: Some("mips64-unknown-linux-gnuabi64"),
                loader: "/lib64/ld.so.1",
                loading: Loading {
                    cache: 0x0703,
                    flags: (0, &[0]),
                    hint: (0, 0),
                    oldest_hwcap: None,
                    lib: "lib64",
                    musl: "mips64",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c4602020100000000000000000000020008",
            mask: "ffffffffffffff0000fffffffffffffffffeffff",
        },
        probe: Probe {
            flags: 0x20000004,
            code: "2404000103a0282524060001240213890000000c2404000067a5fff024060001240213880000000cdfa40000dfa5000890a500000085202d240213c20000000c",
        },
        aliases: &[],
    },
    Platform {
        goarch: "mips64le",
        uname: &["mips64el", "mips64le"],
        qemu: "mips64el",
        meson: "mips64",
        elf: elf_flags(Elf64, Little, EM_MIPS, 0x0000_f020, 0),
        binutils: Binutils { emulation: "elf64ltsmip", format: "elf64-tradlittlemips" },
        variable: Some(Variable { name: "GOMIPS64", default: "hardfloat", values: MIPS_FLOAT, options: &[] }),
        cgo: true,
        abis: (
            Abi {
                triple: "mips64el-linux-gnuabi64",
                multiarch: "mips64el-linux-gnuabi64",
                debian: "mips64el",
                rpm: "mips64el",
                rust: Some("mips64el-unknown-linux-gnuabi64"),
                loader: "/lib64/ld.so.1",
                loading: Loading {
                    cache: 0x0703,
                    flags: (0, &[0]),
                    hint: (0, 0),
                    oldest_hwcap: None,
                    lib: "lib64",
                    musl: "mips64el",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c4602010100000000000000000002000800",
            mask: "ffffffffffffff0000fffffffffffffffeffffff",
        },
        probe: Probe {
            flags: 0x20000004,
            code: "010004242528a00301000624891302240c00000000000424f0ffa56701000624881302240c0000000000a4df0800a5df0000a5902d208500c21302240c000000",
        },
        aliases: &[],
    },
    Platform {
        goarch: "mipsle",
        uname: &["mipsel", "mipsle"],
        qemu: "mipsel",
        meson: "mips",
        elf: elf_flags(Elf32, Little, EM_MIPS, 0x0000_f020, 0x0000_1000),
        binutils: Binutils { emulation: "elf32ltsmip", format: "elf32-tradlittlemips" },
        variable: Some(Variable { name: "GOMIPS", default: "hardfloat", values: MIPS_FLOAT, options: &[] }),
        cgo: true,
        abis: (
            Abi {
                triple: "mipsel-linux-gnu",
                multiarch: "mipsel-linux-gnu",
                debian: "mipsel",
                rpm: "mipsel",
                rust: Some("mipsel-unknown-linux-gnu"),
                loader: "/lib/ld.so.1",
                loading: Loading {
                    cache: 0x0003,
                    flags: (0, &[0]),
                    hint: (0, 0),
                    oldest_hwcap: None,
                    lib: "lib",
                    musl: "mipsel",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c46010101000000000000000000020008000100000000000000000000000000000000000000",
            mask: "ffffffffffffff0000fffffffffffffffeffffffffffffff00000000000000000000000020000000",
        },
        probe: Probe {
            flags: 0x50001004,
            code: "010004242528a00301000624a40f02240c00000000000424f0ffa52701000624a30f02240c0000000000a48f0400a58f000000000000a5900000000021208500a10f02240c000000",
        },
        aliases: &[],
    },
    Platform {
        goarch: "ppc64",
        uname: &["ppc64"],
        qemu: "ppc64",
        meson: "ppc64",
        elf: elf(Elf64, Big, EM_PPC64),
        binutils: Binutils { emulation: "elf64ppc", format: "elf64-powerpc" },
        variable: Some(Variable {
            name: "GOPPC64",
            default: "power8",
            values: &["power8", "power9", "power10"],
            options: &[],
        }),
        cgo: false,
        abis: (
            Abi {
                triple: "powerpc64-linux-gnu",
                multiarch: "powerpc64-linux-gnu",
                debian: "ppc64",
                rpm: "ppc64",
                rust: Some("powerpc64-unknown-linux-gnu"),
                loader: "/lib64/ld64.so.1",
                loading: Loading {
                    cache: 0x0503,
                    flags: (0x3, &[0, 1]),
                    hint: (0, 0),
                    oldest_hwcap: None,
                    lib: "lib64",
                    musl: "powerpc64",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c4602020100000000000000000000020015",
            mask: "ffffffffffffff00fffffffffffffffffffeffff",
        },
        probe: Probe {
            flags: 0x2,
            code: "386000017c240b7838a000013800000444000002386000003881fff038a000013800000344000002e8610000e8810008888400007c6322143800000144000002",
        },
        aliases: &["powerpc64"],
    },
    Platform {
        goarch: "ppc64le",
        uname: &["ppc64le"],
        qemu: "ppc64le",
        meson: "ppc64",
        elf: elf_flags(Elf64, Little, EM_PPC64, 0x3, 0x2),
        binutils: Binutils { emulation: "elf64lppc", format: "elf64-powerpcle" },
        variable: Some(Variable {
            name: "GOPPC64",
            default: "power8",
            values: &["power8", "power9", "power10"],
            options: &[],
        }),
        cgo: true,
        abis: (
            Abi {
                triple: "powerpc64le-linux-gnu",
                multiarch: "powerpc64le-linux-gnu",
                debian: "ppc64el",
                rpm: "ppc64le",
                rust: Some("powerpc64le-unknown-linux-gnu"),
                loader: "/lib64/ld64.so.2",
                loading: Loading {
                    cache: 0x0503,
                    flags: (0x3, &[0, 2]),
                    hint: (0, 0),
                    oldest_hwcap: Some("power9"),
                    lib: "lib64",
                    musl: "powerpc64le",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c4602010100000000000000000002001500",
            mask: "ffffffffffffff00fffffffffffffffffeffffff",
        },
        probe: Probe {
            flags: 0x2,
            code: "01006038780b247c0100a038040000380200004400006038f0ff81380100a0380300003802000044000061e8080081e8000084881422637c0100003802000044",
        },
        aliases: &["powerpc64le", "ppcle64"],
    },
    Platform {
        goarch: "riscv64",
        uname: &["riscv64"],
        qemu: "riscv64",
        meson: "riscv64",
        // EF_RISCV_FLOAT_ABI_DOUBLE
        elf: elf_flags(Elf64, Little, EM_RISCV, 0x6, 0x4),
        binutils: Binutils { emulation: "elf64lriscv", format: "elf64-littleriscv" },
        variable: Some(Variable {
            name: "GORISCV64",
            default: "rva20u64",
            values: &["rva20u64", "rva22u64", "rva23u64"],
            options: &[],
        }),
        cgo: true,
        abis: (
            Abi {
                triple: "riscv64-linux-gnu",
                multiarch: "riscv64-linux-gnu",
                debian: "riscv64",
                rpm: "riscv64",
                rust: Some("riscv64gc-unknown-linux-gnu"),
                loader: "/lib/ld-linux-riscv64-lp64d.so.1",
                loading: Loading {
                    cache: 0x1003,
                    flags: (0x6, &[0x4]),
                    hint: (0, 0),
                    oldest_hwcap: None,
                    lib: "lib64",
                    musl: "riscv64",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c460201010000000000000000000200f300",
            mask: "ffffffffffffff00fffffffffffffffffeffffff",
        },
        probe: Probe {
            flags: 0,
            code: "130510009305010013061000930800047300000013050000930501ff130610009308f00373000000033501008335810083c505003305b5009308d00573000000",
        },
        aliases: &["riscv64gc", "rv64gc", "rv64"],
    },
    Platform {
        goarch: "s390x",
        uname: &["s390x"],
        qemu: "s390x",
        meson: "s390x",
        elf: elf(Elf64, Big, EM_S390),
        binutils: Binutils { emulation: "elf64_s390", format: "elf64-s390" },
        variable: None,
        cgo: true,
        abis: (
            Abi {
                triple: "s390x-linux-gnu",
                multiarch: "s390x-linux-gnu",
                debian: "s390x",
                rpm: "s390x",
                rust: Some("s390x-unknown-linux-gnu"),
                loader: "/lib/ld64.so.1",
                loading: Loading {
                    cache: 0x0403,
                    flags: (0, &[0]),
                    hint: (0, 0),
                    oldest_hwcap: Some("z13"),
                    lib: "lib64",
                    musl: "s390x",
                },
                baseline: &[],
            },
            &[],
        ),
        binfmt: Binfmt {
            magic: "7f454c4602020100000000000000000000020016",
            mask: "ffffffffffffff00fffffffffffffffffffeffff",
        },
        probe: Probe {
            flags: 0,
            code: "a7290001b904003fa74900010a04a7290000b904003fa73bfff0a74900010a03e320f0000004e330f0080004e33030000090b90800230a01",
        },
        aliases: &["systemz"],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_the_thirteen_linux_ports_of_go_in_order() {
        let names: Vec<_> = PLATFORMS.iter().map(|p| p.goarch).collect();
        assert_eq!(
            names,
            [
                "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64",
                "ppc64le", "riscv64", "s390x"
            ]
        );
    }

    #[test]
    fn magic_and_mask_are_bytes_of_one_length_and_state_the_rows_own_elf_identification() {
        for p in PLATFORMS {
            let (magic, mask) = (bytes(p.binfmt.magic), bytes(p.binfmt.mask));
            assert_eq!(magic.len(), mask.len(), "{}", p.goarch);
            let little = p.elf.data == Little;
            assert_eq!(magic[..4], *b"\x7fELF", "{}", p.goarch);
            assert_eq!(magic[4], if p.elf.class == Elf32 { 1 } else { 2 }, "{}", p.goarch);
            assert_eq!(magic[5], if little { 1 } else { 2 }, "{}", p.goarch);
            let machine = [magic[18], magic[19]];
            let machine = if little { u16::from_le_bytes(machine) } else { u16::from_be_bytes(machine) };
            assert_eq!(machine, p.elf.machine.0, "{}", p.goarch);
            for (i, (byte, bits)) in magic.iter().zip(&mask).enumerate() {
                assert_eq!(byte & !bits & !1, 0, "{} byte {i}: a magic bit that the mask drops", p.goarch);
            }
            assert_eq!(mask[7], mask[7] & 0xfc, "{}: static programs have EI_OSABI 3", p.goarch);
        }
    }

    #[test]
    fn no_two_abis_share_a_triple_or_a_debian_architecture() {
        let all: Vec<_> = PLATFORMS.iter().flat_map(Platform::all_abis).collect();
        for (i, a) in all.iter().enumerate() {
            for b in &all[i + 1..] {
                assert_ne!(a.triple, b.triple);
                assert_ne!(a.debian, b.debian);
            }
        }
    }

    fn bytes(hex: &str) -> Vec<u8> {
        assert_eq!(hex.len() % 2, 0, "{hex}");
        (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
    }
}
