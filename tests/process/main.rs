//! What only real processes show: races, kills, faults, file modes, streams, terminals, clocks,
//! and what other people's programs read from what ours wrote.
//!
//! Codes come from `oathtool`, the store is looked into with `sqlite3`, pictures are read by
//! `zbarimg`: nothing here is checked against ourselves. Where such a program is missing, a test
//! says loudly what it left out; where `CI` is set, leaving something out is a failure.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what can't be run fails the test"
)]
mod screen;
mod support;

mod auditing;
mod backup;
mod badinput;
mod busy;
mod clock;
mod credentials;
mod crowds;
mod disks;
mod durable;
mod factors;
mod files;
mod fleet;
mod handout;
mod handout_folders;
mod handout_forms;
mod handout_stories;
mod hints;
mod kill;
mod kinds;
mod machine;
mod migration;
mod notices;
mod operators;
mod ownership;
mod package;
mod pages;
mod picking;
mod pty;
mod qr;
mod race;
mod rules;
mod self_service;
mod services;
mod signals;
mod storage;
mod story;
mod streams;
mod tamper;
mod tasks;
mod tokens;
mod xterm;
