//! The audit log as data: events, the hash chain, what an event keeps of earlier values,
//! what the log says about each user, anchors.

pub mod anchor;
pub mod chain;
pub mod event;
pub mod history;
pub mod logged_users;
