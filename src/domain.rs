//! What an auditor reads: users, devices, codes and the decisions about them.
//!
//! Nothing here does I/O, looks at a clock or draws a random number; all three are handed in.

pub mod code;
pub mod device;
pub mod event;
pub mod name;
pub mod otpauth;
pub mod refusal;
pub mod secret;
pub mod text;
pub mod throttle;
pub mod time;
pub mod totp;
pub mod user;
pub mod verify;
