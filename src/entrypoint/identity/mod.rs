//! The user that the command runs as.
//!
//! [`Request`] is what the caller asked for, [`Facts`] what there is, [`plan`] decides, and [`become_user`] does it.
//!
//! What reads and edits texts that others wrote is public for `fuzz/`.

pub mod accounts;
mod advice;
mod anonymous;
mod becoming;
pub mod edit;
mod facts;
mod forecast;
mod home;
pub mod id;
mod lock;
mod plan;
mod record;
pub mod request;
mod user_spec;

pub use anonymous::Anonymous;
pub use becoming::{Problem, become_user};
pub use edit::{Files, HOME};
pub use facts::{Facts, Ids, RootFacts, Workdir, accounts_and_groups};
pub use forecast::Forecast;
pub use lock::Lock;
pub use plan::{Plan, PlanError, UserPlan, plan};
pub(super) use record::is_host;
pub use request::{IdentityRequestError, Request};
pub use user_spec::{Resolved, UserSpec, UserSpecError};
