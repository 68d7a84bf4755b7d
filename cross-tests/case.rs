//! A test, and what it needs to be run.

use libtest_mimic::Failed;

use crate::lab::Lab;

/// What a test ends with.
pub type Verdict = Result<(), Failed>;

/// What a test does.
type Check = Box<dyn Fn(&Lab) -> Verdict + Send>;

/// A test.
pub struct Case {
    /// What a user gets, as a sentence.
    pub name: String,
    pub needs: Needs,
    pub check: Check,
}

/// What has to be there besides the engine and the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Image,
    /// A kernel that runs programs of this GOARCH.
    Emulation(&'static str),
    /// A kernel that runs programs of every target.
    EveryEmulation,
    /// The image with what only tests need: sysroots of 32 bit ARM, and Debian's cross packages for arm64.
    ArmImage,
    /// The image with the emulators.
    BinfmtImage,
    /// calico/base.
    BaseImage,
    /// The go-build image for another machine.
    HostImage,
    /// These utilities in the image, which may leave some out.
    Tools(&'static [&'static str]),
    /// These, and the image that has what only tests need, the Go modules among it that suites import.
    Modules(&'static [&'static str]),
    /// An image that leaves this utility out.
    Lacks(&'static str),
}

impl Needs {
    /// Whether it asks for this utility.
    pub fn names(self, tool: &str) -> bool {
        matches!(self, Needs::Tools(tools) | Needs::Modules(tools) if tools.contains(&tool))
    }
}

impl Case {
    pub fn new(
        name: impl Into<String>,
        needs: Needs,
        check: impl Fn(&Lab) -> Verdict + Send + 'static,
    ) -> Case {
        Case { name: name.into(), needs, check: Box::new(check) }
    }
}

/// Fails the test, with a message, where a condition does not hold.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!("{}:{}: {}", file!(), line!(), format!($($message)+)).into());
        }
    };
}

/// Fails the test, with both, where two values differ.
macro_rules! ensure_eq {
    ($found:expr, $expected:expr) => {
        let (found, expected) = (&$found, &$expected);
        $crate::case::ensure!(*found == *expected, "found:    {found:?}\nexpected: {expected:?}");
    };
}

pub(crate) use {ensure, ensure_eq};
