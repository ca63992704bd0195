//! The verbs in process: fixed clock, seeded chance.

mod accounts;
mod forms;
mod lists;
mod prompts;
mod states;
mod strays;
