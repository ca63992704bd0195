//! What an auditor reads: users, devices, codes and the decisions about them.
//!
//! No I/O, no clock and no random numbers in here: the caller passes all three in.

pub mod accepted;
pub mod approval;
pub mod audit;
pub mod authenticate;
pub mod backup_code;
pub mod bypass;
pub mod caller;
pub mod code_source;
pub mod consequences;
pub mod device;
pub mod diagnose;
pub mod diagnosed_offsets;
pub mod diagnosis;
pub mod factor;
#[cfg(test)]
pub mod fixture;
pub mod hint;
pub mod identity;
pub mod joiner;
pub mod labels;
pub mod lockout;
pub mod login_rule;
pub mod name;
pub mod notice;
pub mod origin;
pub mod otp;
pub mod otpauth;
pub mod password;
pub mod policy;
pub mod profile;
pub mod recovery;
pub mod refusal;
pub mod resync;
pub mod role;
pub mod search;
pub mod secret;
pub mod secret_strength;
pub mod self_service;
pub mod serial;
pub mod shown_state;
pub mod sign_in;
pub mod site_names;
pub mod text;
pub mod threshold;
pub mod time;
pub mod token;
pub mod undo;
pub mod undo_record;
pub mod user;
pub mod verb;
pub mod yubico_otp;
pub mod zone;
