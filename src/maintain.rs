//! TODO-DOC maintain

pub mod backup;
pub mod copy;
pub mod create;
pub mod health;
