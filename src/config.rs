//! The configuration: option > environment > file > default.

mod file;
mod notify;
mod places;
mod roles;
mod rules;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

pub use notify::{Guard, Hook, Mail, Notify};
pub use places::Places;

use crate::domain::otpauth;
use crate::domain::password::Rules;
use crate::domain::policy::Policy;
use crate::domain::refusal::{Code, Refusal};
use crate::domain::role::Roles;
use crate::domain::throttle::Bounds;
use crate::domain::time::Span;
use crate::env::Env;
use crate::store::custody::{Custody, Purpose, place};
use crate::store::location::Location;
use crate::vault::password::Cost;

/// What a run goes by.
#[derive(Debug)]
pub struct Config {
    pub store: Location,
    pub key_file: PathBuf,
    /// Where these came from.
    pub origins: Origins,
    /// systemd handed the key over.
    pub key_purpose: Purpose,
    pub custody: Custody,
    /// The name above the code in an authenticator app.
    pub issuer: String,
    /// How long a pending device waits for its first code.
    pub pending_for: Span,
    /// How far a code may be off, and how many may be wrong.
    pub bounds: Bounds,
    /// How long a revoked device is kept for undo.
    pub undo_for: Span,
    /// Of whom MFA is required.
    pub policy: Policy,
    /// The longest that a bypass code may be good.
    pub bypass_for: Span,
    /// What a new password must be.
    pub rules: Rules,
    /// What the hash of a password costs.
    pub cost: Cost,
    /// Verbs that must name a ticket, and verbs that must name a proof.
    pub must_name: MustName,
    /// Who may do what; `None` where whoever can read store and key may do all.
    pub roles: Option<Roles>,
    /// How users are told of changes.
    pub notify: Option<Notify>,
}

/// Longer than that nobody is away without a second factor.
const LONGEST_BYPASS: Span = Span::hours(31 * 24);
/// A secret that was cut off is not kept for ever.
const LONGEST_UNDO: Span = Span::hours(90 * 24);

/// The origin of what an option says.
pub const COMMAND_LINE: &str = "the command line";

/// Where values came from, in words.
#[derive(Clone, Debug)]
pub struct Origins {
    /// The configuration file, where there is one.
    pub config: Option<PathBuf>,
    pub store: &'static str,
    pub key_file: &'static str,
}

/// Verbs whose case must be written down.
#[derive(Clone, Debug, Default)]
pub struct MustName {
    pub ticket: Vec<String>,
    pub proof: Vec<String>,
}

/// The paths that were named on the command line, before the verb only: a sudo rule that begins
/// with the verb shuts them out.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Places (before the verb)")]
pub struct Named {
    /// The store: a file, or `postgres://user@host/database` [environment: `MFACTL_STORE`]
    #[arg(long, value_name = "PATH")]
    pub store: Option<PathBuf>,
    /// The configuration file [environment: `MFACTL_CONFIG`]
    #[arg(long, value_name = "PATH")]
    pub config: Option<PathBuf>,
    /// The key file [environment: `MFACTL_KEY_FILE`]
    #[arg(long, value_name = "PATH")]
    pub key_file: Option<PathBuf>,
}

impl Config {
    /// Reads what there is to read.
    ///
    /// # Errors
    /// `config` with file, line and key for what can't be understood, `not_permitted` for a file
    /// that others could have written.
    pub fn load(named: &Named, env: &Env) -> Result<Self> {
        let variable =
            |name: &str| (env.variables)(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let places = Places::of(env);
        let custody = Custody { euid: env.process.euid, ..Custody::default() };
        let asked = named.config.clone().or_else(|| variable("MFACTL_CONFIG"));
        let written = read(asked, places.as_ref(), &custody)?;
        let (file, written) = written.map(|(file, at, text)| (file, (at, text))).unzip();
        let file = file.unwrap_or_default();
        let path = written.as_ref().map(|(path, _)| path.clone());
        Self::of(named, env, file, path).map_err(|error| match &written {
            Some((path, text)) => placed(error, path, text),
            None => error,
        })
    }

    /// What the file says, and what stands where it says nothing.
    fn of(
        named: &Named,
        env: &Env,
        file: file::File,
        config_file: Option<PathBuf>,
    ) -> Result<Self> {
        let variable =
            |name: &str| (env.variables)(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let places = Places::of(env);
        let custody = Custody { euid: env.process.euid, ..Custody::default() };
        let custody = Custody {
            readers: group("store.readers", file.store.readers.as_deref())?,
            writers: group("store.writers", file.store.writers.as_deref())?,
            key_group: group("key.group", file.key.group.as_deref())?,
            ..custody
        };
        let of = |option: &Option<PathBuf>, name: &str, in_file: bool| match option {
            Some(_) => COMMAND_LINE,
            None if variable(name).is_some() => "the environment",
            None if in_file => "the configuration",
            None => "the default",
        };
        let origins = Origins {
            config: config_file,
            store: of(&named.store, "MFACTL_STORE", file.store.location.is_some()),
            key_file: of(&named.key_file, "MFACTL_KEY_FILE", file.key.file.is_some()),
        };
        let store =
            named.store.clone().or_else(|| variable("MFACTL_STORE")).or(file.store.location);
        let credential = variable("CREDENTIALS_DIRECTORY").map(|d| d.join("mfactl.key"));
        let key_file = named.key_file.clone().or_else(|| variable("MFACTL_KEY_FILE"));
        let credential = credential.filter(|c| key_file.is_none() && c.exists());
        let origins = match credential {
            Some(_) => Origins { key_file: "systemd", ..origins },
            None => origins,
        };
        let key_purpose = if credential.is_some() { Purpose::Credential } else { Purpose::Key };
        let key_file = key_file.or(credential).or(file.key.file);
        let (default_store, default_key) = places.map(|p| (p.store, p.key_file)).unzip();
        Ok(Self {
            store: Location::parse(&store.or(default_store).ok_or_else(homeless)?)
                .map_err(|refusal| match origins.store {
                    "the environment" => refusal.of_option("MFACTL_STORE"),
                    "the configuration" => in_config("store.location", &refusal),
                    _ => refusal,
                })?
                .with_password_file(file.store.password_file),
            key_file: key_file.or(default_key).ok_or_else(homeless)?,
            key_purpose,
            origins,
            custody,
            issuer: file.enrolment.issuer.map_or_else(
                || Ok("mfactl".into()),
                |i| otpauth::issuer(&i).map_err(|e| in_config("enrolment.issuer", &e)),
            )?,
            pending_for: span(
                "enrolment.expires_after",
                file.enrolment.expires_after,
                Span::hours(72),
            )?,
            bounds: rules::bounds(&file.policy)?,
            undo_for: rules::span_to(
                "policy.undo_for",
                file.policy.undo_for,
                Span::hours(24),
                LONGEST_UNDO,
            )?,
            bypass_for: rules::span_to(
                "policy.bypass_for",
                file.policy.bypass_for,
                Span::hours(24),
                LONGEST_BYPASS,
            )?,
            policy: rules::policy(
                file.policy.mfa.as_deref(),
                &file.policy.required_groups,
                file.policy.since.as_deref(),
                file.policy.grace,
            )?,
            cost: rules::cost(&file.password)?,
            rules: rules::passwords(&file.password)?,
            must_name: rules::must_name(file.helpdesk)?,
            roles: file.roles.map(roles::roles).transpose()?,
            notify: notify::notify(file.notify)?,
        })
    }
}

impl Config {
    /// The files that we live by, there or not: of the store, the key, the configuration.
    #[must_use]
    pub fn own_files(&self) -> Vec<PathBuf> {
        let mut files = self.store.files();
        files.extend(self.store.slots(&self.key_file).0);
        files.push(self.key_file.clone());
        files.extend(self.origins.config.clone());
        files
    }
}

/// Says in which file and on which line the key stands that a refusal is about.
fn placed(error: anyhow::Error, path: &Path, text: &str) -> anyhow::Error {
    let mut refusal = match error.downcast::<Refusal>() {
        Ok(refusal) => refusal,
        Err(error) => return error,
    };
    if let Some((key, problem)) =
        refusal.message.strip_prefix("configuration: ").and_then(|rest| rest.split_once(": "))
    {
        let line = file::line_of(text, key).map(|n| format!(", line {n}")).unwrap_or_default();
        refusal.message = format!("{}{line}: {key}: {problem}", place(path));
    }
    refusal.into()
}

/// What the file says, where it is, and its text; `None` where there is none.
fn read(
    asked: Option<PathBuf>,
    places: Option<&Places>,
    custody: &Custody,
) -> Result<Option<(file::File, PathBuf, String)>> {
    let is_asked = asked.is_some();
    let Some(path) = asked.or_else(|| places.map(|p| p.config.clone())) else {
        return Ok(None);
    };
    if custody.check(&path, Purpose::Config)? {
        let (file, text) = file::parse(&path)?;
        return Ok(Some((file, path, text)));
    }
    if !is_asked {
        return Ok(None);
    }
    let message = format!("there is no configuration file at {}", place(&path));
    Err(Refusal::new(Code::Config, message).hint("name another with --config").into())
}

fn homeless() -> Refusal {
    Refusal::new(Code::Config, "this user has no home folder to keep a store in")
        .hint("name the files with --store and --key-file")
}

fn span(key: &str, text: Option<String>, default: Span) -> Result<Span> {
    let Some(text) = text else { return Ok(default) };
    Ok(Span::parse(key, &text).map_err(|e| in_config(key, &e))?)
}

fn in_config(key: &str, refusal: &Refusal) -> Refusal {
    let problem = refusal.message.split_once(": ").map_or(refusal.message.as_str(), |(_, p)| p);
    Refusal {
        code: Code::Config,
        message: format!("configuration: {key}: {problem}"),
        hint: refusal.hint.clone(),
    }
}

fn group(key: &str, name: Option<&str>) -> Result<Option<u32>> {
    let Some(name) = name else { return Ok(None) };
    match uzers::get_group_by_name(name) {
        Some(group) => Ok(Some(group.gid())),
        None => Err(Refusal::new(
            Code::Config,
            format!(
                "configuration: {key}: there is no group {}",
                crate::domain::text::quoted(name)
            ),
        )
        .hint("make it with groupadd, or name another")
        .into()),
    }
}
