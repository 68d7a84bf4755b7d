//! What there is to say of an architecture: how good it is, and the codes for why.

/// How good it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Programs run.
    Good,
    /// They run, but not all of them, or not as well as asked for.
    Degraded,
    /// They do not run.
    Broken,
    /// It could not be tried.
    Unknown,
}

impl Level {
    /// The exit code of a check: 0 it runs, 2 it runs but not as well as asked for, 1 it does not run, 125 nobody knows.
    pub fn exit_code(self) -> u8 {
        match self {
            Level::Good => 0,
            Level::Degraded => 2,
            Level::Broken => 1,
            Level::Unknown => 125,
        }
    }

    /// Its name, for programs.
    pub fn name(self) -> &'static str {
        match self {
            Level::Good => "good",
            Level::Degraded => "degraded",
            Level::Broken => "broken",
            Level::Unknown => "unknown",
        }
    }
}

macro_rules! reasons {
    ($($(#[doc = $doc:literal])+ $name:ident = $code:literal,)+) => {
        /// What is the matter. The codes are for programs, and do not change; docs/binfmt.md has them all.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Reason {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Reason {
            /// All of them.
            pub const ALL: &[Reason] = &[$(Reason::$name),+];

            /// Its code.
            pub fn code(self) -> &'static str {
                match self {
                    $(Reason::$name => $code,)+
                }
            }
        }
    };
}

impl Reason {
    /// Whether the kernel starts nothing at all: who has an emulator can still use it by its name.
    pub fn is_refusal(self) -> bool {
        use Reason::*;
        match self {
            NoHandler | EntryDisabled | SwitchedOff | OwnInstance | NoBinfmtMisc => true,
            InterpreterMissing | InterpreterDynamic | InterpreterForeign | InterpreterDenied => true,
            Native | Emulated | Runs | StaleInterpreter | NotEveryProgram | FlagMissing => false,
            ArgumentsShifted | WrongInterpreter | AddressSpace | Crash | Hang | Failure => false,
            DeepCrash | DeepHang | DeepFailure | Untried => false,
        }
    }
}

reasons! {
    /// The machine runs them itself.
    Native = "native",
    /// An interpreter runs them.
    Emulated = "emulated",
    /// They run, and nobody can tell by what.
    Runs = "runs",
    /// The interpreter in use is a file that is not there any more.
    StaleInterpreter = "stale-interpreter",
    /// A kind of program does not run.
    NotEveryProgram = "not-every-program",
    /// A flag that is asked for is missing, or can't be seen.
    FlagMissing = "flag-missing",
    /// The interpreter and the entry do not agree about `argv[0]`.
    ArgumentsShifted = "arguments-shifted",
    /// No entry is for them.
    NoHandler = "no-handler",
    /// The entry is switched off.
    EntryDisabled = "entry-disabled",
    /// All entries are.
    SwitchedOff = "switched-off",
    /// The user namespace has entries of its own, which take the place of the host's.
    OwnInstance = "own-instance",
    /// The kernel has no binfmt_misc.
    NoBinfmtMisc = "no-binfmt-misc",
    /// The interpreter is not in this root.
    InterpreterMissing = "interpreter-missing",
    /// The interpreter's loader or libraries are not in this root.
    InterpreterDynamic = "interpreter-dynamic",
    /// The interpreter is a program of another machine, or none.
    InterpreterForeign = "interpreter-foreign",
    /// The interpreter may not be run.
    InterpreterDenied = "interpreter-denied",
    /// The interpreter is for another architecture.
    WrongInterpreter = "wrong-interpreter",
    /// The interpreter does not get the memory that it needs.
    AddressSpace = "address-space",
    /// The interpreter crashes.
    Crash = "crash",
    /// The interpreter hangs.
    Hang = "hang",
    /// The interpreter ends in another way.
    Failure = "failure",
    /// A program of Go's crashes.
    DeepCrash = "deep-crash",
    /// A program of Go's hangs.
    DeepHang = "deep-hang",
    /// A program of Go's finds something wrong.
    DeepFailure = "deep-failure",
    /// Nothing could be tried.
    Untried = "untried",
}
