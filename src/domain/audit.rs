//! TODO-DOC domain::audit

pub mod anchor;
pub mod chain;
pub mod event;
pub mod history;
