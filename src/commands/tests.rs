//! The verbs in process: fixed clock, seeded chance.

mod accounts;
mod copies;
mod forms;
mod lists;
mod prompts;
mod states;
mod strays;
