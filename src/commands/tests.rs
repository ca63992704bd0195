//! The verbs in process: fixed clock, seeded chance.

mod accounts;
mod backups;
mod copies;
mod crowds;
mod forms;
mod history;
mod lists;
mod notices;
mod operators;
mod prompts;
mod proofs;
mod signing_in;
mod spares;
mod states;
mod strays;
mod watching;
