//! The audit log as data: events, the hash chain, what an event keeps of earlier values,
//! what the log says about each user, since when it records changes, where it may begin, anchors.

pub mod anchor;
pub mod beginning;
pub mod chain;
pub mod chain_error;
pub mod earlier_coverage;
pub mod event;
pub mod history;
pub mod logged_tokens;
pub mod logged_users;
pub mod outcomes;
pub mod proved_event;
pub mod prunings;
