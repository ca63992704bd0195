//! The arguments that name one user or many, and the limit for many.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::app::App;
use crate::domain::name::UserName;
use crate::domain::refusal::Refusal;
use crate::domain::text::refuse;
use crate::operate;
use crate::operate::UserList;

/// The default limit is never below this number of users.
const MIN_LIMIT: u64 = 10;
/// The default limit in percent of all users.
const LIMIT_PERCENT: u64 = 10;

/// The arguments that name one user, or a list of users.
#[derive(Args, Clone, Debug)]
pub struct Targets {
    /// User name, or an e-mail address; none: search
    #[arg(
        value_name = "NAME",
        conflicts_with = "from",
        add = crate::commands::user_names()
    )]
    name: Option<String>,
    /// Read many user names from FILE (-: stdin)
    ///
    /// One name a line, or CSV with commas, semicolons or tabs under a header of known columns: the names
    /// are in user, else username, else name.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// With --from: limit of changes, N or N%
    ///
    /// A number of users, or a percentage of all users. The default is 10%, but at least 10 users.
    #[arg(long, value_name = "N", requires = "from")]
    max_changes: Option<String>,
}

/// The users that [`Targets`] names.
pub enum Target {
    One(UserName),
    Many(UserList),
}

impl Targets {
    pub fn resolve(&self, app: &mut App<'_>) -> Result<Target> {
        if let Some(path) = &self.from {
            return Ok(Target::Many(operate::read_user_list(app, path)?));
        }
        self.name(app).map(Target::One)
    }

    /// The file of a list.
    pub fn list_file(&self) -> Option<&Path> {
        self.from.as_deref()
    }

    /// The one user.
    pub fn name(&self, app: &mut App<'_>) -> Result<UserName> {
        Ok(app.target(self.name.as_deref(), "name one user, or many with --from FILE")?)
    }

    pub fn max_changes(&self) -> Option<&str> {
        self.max_changes.as_deref()
    }
}

/// How many users may change, out of `users` in the store, by `--max-changes`.
pub fn limit(max_changes: Option<&str>, users: u64) -> Result<u64, Refusal> {
    let Some(text) = max_changes else {
        return Ok((users * LIMIT_PERCENT / 100).max(MIN_LIMIT));
    };
    let (number, is_percentage) =
        text.strip_suffix('%').map_or((text, false), |number| (number, true));
    let plain = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    let number = number.parse::<u64>().ok().filter(|_| plain);
    match number {
        Some(n @ 1..=100) if is_percentage => Ok((users * n).div_ceil(100)),
        Some(n @ 1..) if !is_percentage => Ok(n),
        _ => Err(refuse("--max-changes", text, "is not a number of users")
            .hint("write a number such as 50, or a percentage from 1% to 100%")),
    }
}
