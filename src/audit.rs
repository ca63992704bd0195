//! TODO-DOC audit

pub mod prove;
pub mod prune;
