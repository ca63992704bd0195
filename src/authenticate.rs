//! TODO-DOC authenticate

pub mod batch;
pub mod code;
pub mod deadline;
pub mod diagnose;
pub mod hash_slots;
pub mod login;
pub mod services;
pub mod sign_in;
