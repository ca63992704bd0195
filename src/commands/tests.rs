//! The verbs in process: fixed clock, seeded chance.

mod accounts;
mod backups;
mod copies;
mod crowds;
mod forms;
mod lists;
mod notices;
mod operators;
mod prompts;
mod signing_in;
mod spares;
mod states;
mod strays;
