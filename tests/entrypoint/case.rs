//! A test, and what it needs to be run.

/// What a test does. It panics if it fails.
type Check = Box<dyn FnOnce() + Send>;

/// A test.
pub struct Case {
    /// What a user gets, as a sentence.
    pub name: String,
    pub needs: Needs,
    pub check: Check,
}

/// What has to be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Needs {
    /// Nothing: the test runs everywhere.
    Nothing,
    /// Root in the container, for a root directory of the test's own.
    Root,
    /// That, and su-exec to compare with.
    SuExec,
}

impl Case {
    /// A test in the container.
    pub fn new(name: impl Into<String>, check: impl FnOnce() + Send + 'static) -> Case {
        Case { name: name.into(), needs: Needs::Root, check: Box::new(check) }
    }

    /// A test of the original su-exec, in the container.
    pub fn original(name: impl Into<String>, check: impl FnOnce() + Send + 'static) -> Case {
        Case { name: name.into(), needs: Needs::SuExec, check: Box::new(check) }
    }

    /// A test that needs no container.
    pub fn anywhere(name: impl Into<String>, check: impl FnOnce() + Send + 'static) -> Case {
        Case { name: name.into(), needs: Needs::Nothing, check: Box::new(check) }
    }
}
