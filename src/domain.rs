//! What an auditor reads: users, devices, codes and the decisions about them.
//!
//! No I/O, no clock and no random numbers in here: the caller passes all three in.

pub mod anchor;
pub mod bypass;
pub mod chain;
pub mod code;
pub mod device;
pub mod diagnosis;
pub mod event;
pub mod login;
pub mod name;
pub mod otpauth;
pub mod password;
pub mod past;
pub mod policy;
pub mod recovery;
pub mod refusal;
pub mod request;
pub mod role;
pub mod secret;
pub mod sign_in;
pub mod spare;
pub mod text;
pub mod threshold;
pub mod throttle;
pub mod time;
pub mod totp;
pub mod undo;
pub mod user;
pub mod verify;
