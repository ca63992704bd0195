//! `mfactl init`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use super::Verb;
use crate::app::App;
use crate::config::Config;
use crate::domain::otpauth::NAMELESS;
use crate::domain::text::shown;
use crate::files::file_trust::display_path;
use crate::maintain;
use crate::report::{Fields, Record, Report, Verdict};

/// Create the store and its key file
///
/// Creates missing folders too, and leaves what exists unchanged. Keep a copy of the key file apart
/// from the store and its backups: without the key no device can be verified, and everybody must
/// enrol again.
#[derive(Args, Debug)]
pub struct Init {
    /// Update the schema of an older store instead
    #[arg(long)]
    migrate: bool,
}

#[derive(Serialize)]
struct InitRecord {
    schema: &'static str,
    store: String,
    key_file: String,
    /// What phones show above the code, and where that comes from.
    issuer: String,
    #[serde(skip)]
    issuer_origin: &'static str,
    store_is_new: bool,
    key_is_new: bool,
    changed: bool,
    #[serde(skip)]
    was_migrated: bool,
}

impl Verb for Init {
    const NAME: &'static str = "init";
    const EXAMPLES: &'static [&'static str] = &[
        "mfactl init",
        "mfactl --store ./test.db --key-file ./test.key init",
        "mfactl --store postgres://mfactl@db.example.org/mfactl init",
        "mfactl init --migrate",
    ];

    fn run(self, app: &mut App<'_>) -> Result<Report> {
        if self.migrate {
            return migrate(app);
        }
        let created = maintain::create_store(app)?;
        let record = InitRecord {
            schema: "mfactl.init/1",
            store: created.store.to_string(),
            key_file: display_path(&created.key_file),
            issuer: shown(&app.config.issuer).into_owned(),
            issuer_origin: issuer_origin(&app.config),
            store_is_new: created.store_is_new,
            key_is_new: created.key_is_new,
            changed: created.store_is_new || created.key_is_new,
            was_migrated: false,
        };
        Ok(Report::one(record, Verdict::Yes))
    }
}

fn migrate(app: &mut App<'_>) -> Result<Report> {
    let changed = maintain::migrate_store(app)?;
    let config = &app.config;
    let record = InitRecord {
        schema: "mfactl.init/1",
        store: config.store.to_string(),
        key_file: display_path(&config.key_file),
        issuer: shown(&config.issuer).into_owned(),
        issuer_origin: issuer_origin(config),
        store_is_new: false,
        key_is_new: false,
        changed,
        was_migrated: changed,
    };
    Ok(Report::one(record, Verdict::Yes))
}

fn issuer_origin(config: &Config) -> &'static str {
    if config.origins.has_issuer {
        "from the configuration"
    } else if config.issuer == NAMELESS {
        "the default; phones show it; change it with issuer in [enrolment]"
    } else {
        "this machine's name; phones show it; change it with issuer in [enrolment]"
    }
}

impl Record for InitRecord {
    const COLUMNS: &'static [&'static str] =
        &["store", "key_file", "issuer", "store_is_new", "key_is_new", "changed"];

    fn fields(&self, f: &mut Fields) {
        f.text(&self.store);
        f.text(&self.key_file);
        f.text(&self.issuer);
        f.flag(self.store_is_new);
        f.flag(self.key_is_new);
        f.flag(self.changed);
    }

    fn sentence(&self) -> String {
        if self.was_migrated {
            return format!("updated the schema of the store {}", self.store);
        }
        let state = |is_new| if is_new { "created" } else { "exists already" };
        let mut text = format!(
            "store:    {} ({})\nkey file: {} ({})\nissuer:   {} ({})",
            self.store,
            state(self.store_is_new),
            self.key_file,
            state(self.key_is_new),
            self.issuer,
            self.issuer_origin,
        );
        if self.changed {
            text.push_str(
                "\nKeep a copy of the key file elsewhere: without it everybody must enrol again.",
            );
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_migration_has_its_own_sentence() {
        let existing = InitRecord {
            schema: "mfactl.init/1",
            store: "m.db".into(),
            key_file: "m.key".into(),
            issuer: "web1".into(),
            issuer_origin: "from the configuration",
            store_is_new: false,
            key_is_new: false,
            changed: false,
            was_migrated: false,
        };
        assert!(existing.sentence().contains("exists already"));
        let migrated = InitRecord { changed: true, was_migrated: true, ..existing };
        assert_eq!(migrated.sentence(), "updated the schema of the store m.db");
    }
}
