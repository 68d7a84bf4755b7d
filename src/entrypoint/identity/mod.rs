//! The user that the command runs as.
//!
//! [`Request`] is what the caller asked for, [`Facts`] what there is, [`plan`] decides, and [`UserPlan::record`] and
//! [`home`] do what the plan says before [`crate::entrypoint::privileges`] are dropped.
//!
//! What reads and edits texts that others wrote is public for `fuzz/`.

pub mod accounts;
pub mod edit;
mod facts;
pub mod home;
pub mod id;
pub mod id_map;
mod plan;
mod record;
pub mod request;
mod user_spec;

pub use edit::{Files, HOME};
pub use facts::{Facts, Ids, RootFacts, Workdir, accounts_and_groups};
pub use plan::{Plan, PlanError, UserPlan, plan};
pub use record::RecordError;
pub use request::{IdentityRequestError, Request, no_new_privileges};
pub use user_spec::{Resolved, UserSpec, UserSpecError};
