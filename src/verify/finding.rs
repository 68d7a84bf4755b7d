//! What is the matter with a file.

/// What is the matter with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A name for programs, which stays.
    pub code: &'static str,
    /// How much it matters.
    pub weight: Weight,
    /// What is the matter, as it follows the file's name.
    pub what: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It runs, but not as well or as safely as it could.
    Degraded,
    /// It does not run, or is not what was asked for.
    Finding,
}

impl Finding {
    /// What does not run, or is not what was asked for.
    pub fn new(code: &'static str, what: impl Into<String>) -> Finding {
        Finding { code, weight: Weight::Finding, what: what.into(), remedy: None }
    }

    /// What runs nevertheless.
    pub fn degraded(code: &'static str, what: impl Into<String>) -> Finding {
        Finding { weight: Weight::Degraded, ..Finding::new(code, what) }
    }

    /// The same with what to do about it.
    pub fn with(self, remedy: impl Into<String>) -> Finding {
        Finding { remedy: Some(remedy.into()), ..self }
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.remedy {
            Some(remedy) => write!(f, "{} ({remedy})", self.what),
            None => f.write_str(&self.what),
        }
    }
}
