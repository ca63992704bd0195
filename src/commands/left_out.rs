//! The option that leaves groups out of a list or of totals.

use std::fmt;

use anyhow::Result;
use clap::Args;

use crate::domain::hint::Command;
use crate::domain::name::group;
use crate::domain::policy::{Policy, is_in_any};
use crate::domain::refusal::Refusal;
use crate::domain::user::User;
use crate::operate;
use crate::store::ReadTx;

const OPTION: &str = "--not-group";

#[derive(Args, Clone, Debug, Default)]
pub struct NotGroupOption {
    /// Not in this group; repeatable
    ///
    /// Its members are neither listed nor counted: service accounts, for example, which no person signs in to.
    #[arg(long, value_name = "GROUP")]
    not_group: Vec<String>,
}

/// [`NotGroupOption`], parsed.
#[derive(Clone, Debug, Default)]
pub struct LeftOut(Vec<String>);

impl NotGroupOption {
    pub fn parse(&self) -> Result<LeftOut, Refusal> {
        Ok(LeftOut(self.not_group.iter().map(|typed| group(typed)).collect::<Result<_, _>>()?))
    }
}

impl LeftOut {
    /// Refuses a group that is probably misspelt.
    pub fn require_known(&self, snapshot: &mut ReadTx<'_>, policy: &Policy) -> Result<()> {
        let mut groups = self.0.iter();
        groups.try_for_each(|group| operate::require_known_group(snapshot, policy, OPTION, group))
    }

    pub fn has(&self, user: &User) -> bool {
        is_in_any(user, &self.0)
    }

    /// The command with the same groups left out.
    #[must_use]
    pub fn on(&self, shown: Command) -> Command {
        self.0.iter().fold(shown, |shown, group| shown.option(OPTION, group))
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}
