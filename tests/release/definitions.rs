//! Stub.

use crate::Case;

pub const CASES: [Case; 0] = [];
