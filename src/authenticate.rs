//! Answering a submitted code or password: lock, load, decide, save, commit, and only then answer.

pub mod batch;
pub mod code;
pub mod diagnose;
pub mod hash_slots;
pub mod login;
pub mod resync;
pub mod self_service;
pub mod services;
pub mod sign_in;
pub mod verifier;

pub use batch::answer_batch;
pub use code::authenticate_code;
pub use diagnose::{Diagnosed, DiagnosedCode, diagnose_code};
pub use hash_slots::hash_slot;
pub use login::{
    log_in, note_origin, notify_after_login, on_timeout, service_input, service_variable,
};
pub use resync::{Resynced, TwoCodes, resync_device};
pub use self_service::{OwnChange, change_own, prove_again, session};
pub use sign_in::{
    decide_sign_in, notify_after_sign_in, require_strong, sealed_hash, sealed_temporary, sign_in,
};
