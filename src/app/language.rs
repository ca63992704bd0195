//! Who reads what in which language.

use crate::app::App;
use crate::domain::user::{Language, User};

/// The language of what this user reads in this run. Before anybody has shown who they are, give no user: an answer in a
/// language of their own would tell that the name exists.
#[must_use]
pub fn language_of(app: &App<'_>, user: Option<&User>) -> Language {
    app.config.site.language_for(app.options.language(), user)
}
