//! The verbs in process: fixed clock, seeded chance.

mod accounts;
mod backups;
mod copies;
mod forms;
mod lists;
mod notices;
mod prompts;
mod states;
mod strays;
