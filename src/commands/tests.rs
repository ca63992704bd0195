//! Tests of the verbs in process, with a fixed clock and seeded random numbers.

mod accounts;
mod backups;
mod batches;
mod checking;
mod copies;
mod crowds;
mod edits;
mod forms;
mod help;
mod history;
mod lists;
mod logins;
mod migration;
mod notices;
mod operators;
mod pages;
mod prompts;
mod proofs;
mod requests;
mod signing_in;
mod spares;
mod stale_rows;
mod states;
mod strays;
mod table;
mod watching;
