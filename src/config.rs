//! The configuration: option > environment > file > default.

mod default_paths;
mod file;
mod handout;
mod notify;
mod roles;
mod rules;
mod services;

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

pub use default_paths::{DefaultPaths, machine_place};
pub use handout::{HandoutSettings, Site};
pub use notify::{Hook, Mail, Notify, TlsMode};

use crate::domain::lockout::Bounds;
use crate::domain::otpauth;
use crate::domain::password::PasswordRules;
use crate::domain::policy::Policy;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::role::Roles;
use crate::domain::self_service::SelfService;
use crate::domain::service_rules::Services;
use crate::domain::site_names::SiteNames;
use crate::domain::time::Span;
use crate::domain::verb::FindVerb;
use crate::env::Env;
use crate::files::file_trust::{FileKind, FilePolicy, display_path};
use crate::keyring::argon2::HashCost;
use crate::store::location::StoreLocation;

/// The configuration of a run.
#[derive(Debug)]
pub struct Config {
    pub store: StoreLocation,
    pub key_file: PathBuf,
    pub origins: Origins,
    /// `Credential` where systemd hands the key over.
    pub key_file_kind: FileKind,
    pub file_policy: FilePolicy,
    /// The issuer that an authenticator app shows.
    pub issuer: String,
    /// The lifetime of a pending device.
    pub pending_for: Span,
    /// The look-ahead window, and the limits of the throttle.
    pub bounds: Bounds,
    /// How long a change can be undone.
    pub undo_for: Span,
    /// Who must have MFA.
    pub policy: Policy,
    /// The maximum lifetime of a bypass code.
    pub bypass_for: Span,
    /// Rules for new passwords.
    pub rules: PasswordRules,
    /// Argon2 parameters.
    pub cost: HashCost,
    pub required_options: RequiredOptions,
    /// `None` where everybody who can read the store and the key may run every verb.
    pub roles: Option<Roles>,
    /// The forms in which names are handed over.
    pub names: SiteNames,
    /// The group whose members may ask the verifier about anybody.
    pub verifier_group: Option<u32>,
    /// Who is let in without a code, by login service.
    pub services: Services,
    /// What users may do about their own MFA.
    pub self_service: SelfService,
    /// How users are notified of changes.
    pub notify: Option<Notify>,
    /// The language of the answers of login services, and the helpdesk's contact.
    pub site: Site,
    pub handout: HandoutSettings,
}

/// The highest value of `policy.bypass_for`: the longest plausible time without a second factor.
const MAX_BYPASS_FOR: Span = Span::hours(31 * 24);
/// The highest value of `policy.undo_for`: a revoked secret must not be kept for ever.
const MAX_UNDO_FOR: Span = Span::hours(90 * 24);

/// Where the verifier of this machine listens.
pub const MACHINE_SOCKET: &str = "/run/mfactl/verify";
/// The machine's configuration, which names the machine's store.
const MACHINE_CONFIG: &str = "/etc/mfactl/config.toml";

/// The origin of a value given as an option.
pub const COMMAND_LINE: &str = "the command line";
const DEFAULT: &str = "the default";

/// Where values came from, as text for messages.
#[derive(Clone, Debug)]
pub struct Origins {
    /// The configuration file, where there is one.
    pub config: Option<PathBuf>,
    pub store: &'static str,
    pub key_file: &'static str,
    pub has_issuer: bool,
}

impl Origins {
    /// Whether nothing names the store.
    #[must_use]
    pub fn is_default_store(&self) -> bool {
        self.store == DEFAULT
    }
}

/// Verbs that require `--ticket`, and verbs that require `--proof`.
#[derive(Clone, Debug, Default)]
pub struct RequiredOptions {
    pub ticket: Vec<String>,
    pub proof: Vec<String>,
}

impl RequiredOptions {
    /// The option that the verb needs and does not have.
    #[must_use]
    pub fn missing(&self, verb: &str, has_ticket: bool, has_proof: bool) -> Option<&'static str> {
        let options = [("--ticket", &self.ticket, has_ticket), ("--proof", &self.proof, has_proof)];
        let is_missing = |has: bool, verbs: &[String]| !has && verbs.iter().any(|v| v == verb);
        options.into_iter().find(|(_, verbs, has)| is_missing(*has, verbs)).map(|(name, ..)| name)
    }
}

/// Paths from the command line. They stand before the verb only, so that a sudo rule that begins with
/// the verb excludes them.
#[derive(Args, Debug, Default)]
#[command(next_help_heading = "Paths (before the verb)")]
pub struct PathOptions {
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

impl PathOptions {
    /// The options from their values.
    pub fn of_given(given: &[(&'static str, String)]) -> Self {
        let path = |name| {
            let found = given.iter().find(|(option, _)| *option == name);
            found.map(|(_, path)| PathBuf::from(path))
        };
        Self { store: path("--store"), config: path("--config"), key_file: path("--key-file") }
    }

    /// Whether another store than the machine's may be meant.
    pub fn are_given(&self) -> bool {
        let config = self.config.as_deref().filter(|path| *path != Path::new(MACHINE_CONFIG));
        self.store.is_some() || config.is_some() || self.key_file.is_some()
    }

    /// The socket of the verifier that a login service asks, whose line has `--socket` with this value; `None` where it
    /// asks nobody.
    pub fn verifier(&self, socket: Option<&Path>) -> Option<PathBuf> {
        match socket {
            Some(path) => (path != Path::new("none")).then(|| path.to_owned()),
            None => (!self.are_given()).then(|| MACHINE_SOCKET.into()),
        }
    }

    /// The options that were given, with their values.
    pub fn given(&self) -> Vec<(&'static str, String)> {
        let options =
            [("--store", &self.store), ("--config", &self.config), ("--key-file", &self.key_file)];
        let given = |(name, value): (_, &Option<PathBuf>)| {
            value.as_ref().map(|value| (name, value.to_string_lossy().into_owned()))
        };
        options.into_iter().filter_map(given).collect()
    }
}

impl Config {
    /// Reads the file, the environment and the options.
    ///
    /// Fails with `config`, naming file, line and key, for a bad value, and with `not_permitted` for a file
    /// that others can write.
    pub fn load(paths: &PathOptions, env: &Env, find_verb: FindVerb) -> Result<Self> {
        let variable =
            |name: &str| (env.variables)(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let default_paths = DefaultPaths::of(env);
        let file_policy = FilePolicy { euid: env.process.euid, ..FilePolicy::default() };
        let explicit = paths.config.clone().or_else(|| variable("MFACTL_CONFIG"));
        let contents = read(explicit, default_paths.as_ref(), &file_policy)?;
        let (file, contents) = contents.map(|(file, at, text)| (file, (at, text))).unzip();
        let file = file.unwrap_or_default();
        let path = contents.as_ref().map(|(path, _)| path.clone());
        Self::of(paths, env, find_verb, file, path).map_err(|error| match &contents {
            Some((path, text)) => with_location(error, path, text),
            None => error,
        })
    }

    /// The defaults without a store or a key, for verbs that touch neither.
    pub fn without_store(env: &Env) -> Result<Self> {
        let nowhere = || Some(PathBuf::from("/dev/null"));
        let paths = PathOptions { store: nowhere(), config: None, key_file: nowhere() };
        Self::of(&paths, env, |_| None, file::ConfigFile::default(), None)
    }

    fn of(
        paths: &PathOptions,
        env: &Env,
        find_verb: FindVerb,
        file: file::ConfigFile,
        config_file: Option<PathBuf>,
    ) -> Result<Self> {
        let variable =
            |name: &str| (env.variables)(name).filter(|v| !v.is_empty()).map(PathBuf::from);
        let default_paths = DefaultPaths::of(env);
        let file_policy = FilePolicy { euid: env.process.euid, ..FilePolicy::default() };
        let file_policy = FilePolicy {
            readers: gid_of("store.readers", file.store.readers.as_deref())?,
            writers: gid_of("store.writers", file.store.writers.as_deref())?,
            key_group: gid_of("key.group", file.key.group.as_deref())?,
            ..file_policy
        };
        let origin = |option: &Option<PathBuf>, name: &str, in_file: bool| match option {
            Some(_) => COMMAND_LINE,
            None if variable(name).is_some() => "the environment",
            None if in_file => "the configuration",
            None => DEFAULT,
        };
        let origins = Origins {
            config: config_file,
            store: origin(&paths.store, "MFACTL_STORE", file.store.location.is_some()),
            key_file: origin(&paths.key_file, "MFACTL_KEY_FILE", file.key.file.is_some()),
            has_issuer: file.enrolment.issuer.is_some(),
        };
        let store =
            paths.store.clone().or_else(|| variable("MFACTL_STORE")).or(file.store.location);
        let credential = variable("CREDENTIALS_DIRECTORY").map(|d| d.join("mfactl.key"));
        let key_file = paths.key_file.clone().or_else(|| variable("MFACTL_KEY_FILE"));
        let credential = credential.filter(|c| key_file.is_none() && c.exists());
        let origins = match credential {
            Some(_) => Origins { key_file: "systemd", ..origins },
            None => origins,
        };
        let key_file_kind = if credential.is_some() { FileKind::Credential } else { FileKind::Key };
        let key_file = key_file.or(credential).or(file.key.file);
        let (default_store, default_key) = default_paths.map(|p| (p.store, p.key_file)).unzip();
        Ok(Self {
            store: StoreLocation::parse(&store.or(default_store).ok_or_else(no_home)?)
                .map_err(|refusal| match origins.store {
                    "the environment" => refusal.field("MFACTL_STORE"),
                    "the configuration" => in_config("store.location", refusal),
                    _ => refusal,
                })?
                .with_password_file(file.store.password_file),
            key_file: key_file.or(default_key).ok_or_else(no_home)?,
            key_file_kind,
            origins,
            file_policy,
            issuer: file.enrolment.issuer.map_or_else(
                || Ok(otpauth::issuer_of_host(&env.process.host_name)),
                |i| otpauth::issuer(&i).map_err(|e| in_config("enrolment.issuer", e)),
            )?,
            pending_for: parse_span(
                "enrolment.expires_after",
                file.enrolment.expires_after,
                Span::hours(72),
            )?,
            bounds: rules::bounds(&file.policy)?,
            policy: rules::policy(&file.policy)?,
            undo_for: rules::parse_span_up_to(
                "policy.undo_for",
                file.policy.undo_for,
                Span::hours(24),
                MAX_UNDO_FOR,
            )?,
            bypass_for: rules::parse_span_up_to(
                "policy.bypass_for",
                file.policy.bypass_for,
                Span::hours(24),
                MAX_BYPASS_FOR,
            )?,
            cost: rules::cost(&file.password)?,
            rules: rules::password_rules(&file.password)?,
            required_options: rules::required_options(file.helpdesk, find_verb)?,
            roles: file.roles.map(|section| roles::roles(section, find_verb)).transpose()?,
            names: rules::names(&file.names)?,
            verifier_group: gid_of("serve.group", file.serve.group.as_deref())?,
            services: services::services(file.services)?,
            self_service: rules::self_service(&file.self_service),
            notify: notify::notify(file.notify)?,
            site: handout::site(file.site)?,
            handout: handout::handout(file.handout)?,
        })
    }
}

impl Config {
    /// The files of the store, the key and the configuration, whether they exist or not.
    #[must_use]
    pub fn own_files(&self) -> Vec<PathBuf> {
        let mut files = self.store.files();
        files.extend(self.store.hash_slots(&self.key_file).0);
        files.push(self.key_file.clone());
        files.extend(self.origins.config.clone());
        files
    }
}

/// Adds the file and the line to a message about a configuration key.
fn with_location(error: anyhow::Error, path: &Path, text: &str) -> anyhow::Error {
    let refusal = match error.downcast::<Refusal>() {
        Ok(refusal) => refusal,
        Err(error) => return error,
    };
    let located = match &refusal.field {
        Some(key) if refusal.code == ErrorCode::Config => {
            let key = key.split_once(", entry").map_or(key.as_str(), |(key, _)| key);
            let line = file::line_of(text, key).map(|n| format!(", line {n}")).unwrap_or_default();
            format!("{}{line}", display_path(path))
        }
        _ => return refusal.into(),
    };
    refusal.within(located).into()
}

/// The parsed file, its path and its text; `None` where there is no file.
fn read(
    explicit: Option<PathBuf>,
    default_paths: Option<&DefaultPaths>,
    file_policy: &FilePolicy,
) -> Result<Option<(file::ConfigFile, PathBuf, String)>> {
    let is_explicit = explicit.is_some();
    let Some(path) = explicit.or_else(|| default_paths.map(|p| p.config.clone())) else {
        return Ok(None);
    };
    if file_policy.check(&path, FileKind::Config)? {
        let (file, text) = file::parse(&path)?;
        return Ok(Some((file, path, text)));
    }
    if !is_explicit {
        return Ok(None);
    }
    let message = format!("there is no configuration file at {}", display_path(&path));
    Err(Refusal::new(ErrorCode::Config, message).hint("name an existing file with --config").into())
}

fn no_home() -> Refusal {
    Refusal::new(ErrorCode::Config, "this user has no home directory for a store")
        .hint("name the files with --store and --key-file")
}

fn parse_span(key: &str, text: Option<String>, default: Span) -> Result<Span> {
    let Some(text) = text else { return Ok(default) };
    Ok(Span::parse(key, &text).map_err(|e| in_config(key, e))?)
}

/// The same problem, reported for a key of the configuration.
fn in_config(key: &str, refusal: Refusal) -> Refusal {
    Refusal { hint: refusal.hint, ..Refusal::config(key, refusal.problem) }
}

fn gid_of(key: &str, name: Option<&str>) -> Result<Option<u32>, Refusal> {
    let Some(name) = name else { return Ok(None) };
    match uzers::get_group_by_name(name) {
        Some(group) => Ok(Some(group.gid())),
        None => Err(Refusal::config(key, "names a group that does not exist")
            .hint("create it with groupadd, or name an existing group")),
    }
}
