//! Adds the tokens of a file: a first pass looks at all of them, a second one inserts them in one transaction.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;

use anyhow::Result;
use serde_json::json;

use crate::app::transaction::Transaction;
use crate::app::{App, OpenStore, write_tx};
use crate::audit;
use crate::audit::AuditRecord;
use crate::domain::audit::event::Ticket;
use crate::domain::audit::logged_tokens::ADDITION;
use crate::domain::factor::drift::Drift;
use crate::domain::factor::{Factor, hotp, yubikey};
use crate::domain::hint::Hint;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::{Id, Sealed, Secret, Stamp};
use crate::domain::serial::Serial;
use crate::domain::text::prose_line;
use crate::domain::time::Timestamp;
use crate::domain::token::{Token, TokenState};
use crate::domain::yubico_otp::modhex;
use crate::formats::{BadEntry, TokenKind, TokenPlace, TokenRecord, Weakness};
use crate::keyring::Vault;
use crate::operate::inventory::TokenCase;
use crate::operate::inventory::token_file::{FIELD, TokenFile};
use crate::store::{InventoryReader, MarkState, TokenChange};

/// Bad tokens that an error names.
const MOST_NAMED: usize = 20;
/// Serials that the log names.
const MOST_LOGGED: usize = 3;

/// What is added although it is doubtful.
#[derive(Clone, Copy)]
pub struct AddingRules {
    /// Secrets that anybody can know.
    pub allow_known: bool,
    /// Secrets of less than 128 bits.
    pub allow_weak: bool,
}

/// Why a token is not added.
#[derive(Clone)]
pub enum TokenProblem {
    /// The entry of the file can't be read as a token.
    Unreadable(Box<Refusal>),
    NoSerial,
    BadSerial,
    SameSerial(TokenPlace),
    Taken,
    BadModel,
    BadKey,
    Known,
    Short,
    SameSecret(TokenPlace),
    SecretTaken,
    Lost,
    Counter,
}

impl fmt::Display for TokenProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(refusal) => write!(f, "{refusal}"),
            Self::NoSerial => f.write_str("neither a serial nor a public id"),
            Self::BadSerial => {
                f.write_str("a serial of other characters than letters, digits and - _ . :")
            }
            Self::SameSerial(place) => write!(f, "the serial of {place}"),
            Self::Taken => f.write_str("a serial that is in use already"),
            Self::BadModel => {
                f.write_str("a model of more than 100 characters, or with control characters")
            }
            Self::BadKey => f.write_str("a key of the wrong length"),
            Self::Known => f.write_str("a publicly known secret"),
            Self::Short => f.write_str("a secret of less than 128 bits"),
            Self::SameSecret(place) => write!(f, "the secret of {place}"),
            Self::SecretTaken => f.write_str("the secret of a token that was added before"),
            Self::Lost => f.write_str(
                "the secret of a token that was lost with its user: which of its codes are used up is not known",
            ),
            Self::Counter => f.write_str("a counter that is too high"),
        }
    }
}

/// A token that is not added.
#[derive(Clone)]
pub struct BadToken {
    /// Its number in the file, from 0.
    index: u64,
    pub place: TokenPlace,
    pub problem: TokenProblem,
}

/// What would be added.
pub struct AdditionPlan {
    pub tokens: u64,
    pub kinds: BTreeMap<&'static str, u64>,
    /// In the order of the file.
    pub bad: Vec<BadToken>,
    /// Entries without a token.
    pub passed_over: u64,
    /// Tokens for which the file names a user.
    pub with_user: u64,
    /// Of the first that are added, for the log.
    serials: Vec<String>,
}

impl AdditionPlan {
    /// Refuses the whole file for its bad tokens.
    pub fn require_no_bad(&self) -> Result<(), Refusal> {
        if self.bad.is_empty() {
            return Ok(());
        }
        let named: Vec<_> = self.bad.iter().take(MOST_NAMED).map(ToString::to_string).collect();
        let more = match self.bad.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let has = |test: fn(&TokenProblem) -> bool| self.bad.iter().any(|bad| test(&bad.problem));
        let mut hints = vec!["nothing was changed; --skip-bad adds the other tokens"];
        let own_hint = match &self.bad[..] {
            [BadToken { problem: TokenProblem::Unreadable(refusal), .. }] => refusal.hint.clone(),
            _ => None,
        };
        if has(|problem| matches!(problem, TokenProblem::Known)) {
            hints.push("--allow-known takes secrets that anybody can know");
        }
        if has(|problem| matches!(problem, TokenProblem::Short)) {
            hints.push("--allow-weak takes short secrets");
        }
        let problem = format!("{}{more}", named.join("; "));
        let hints = hints.join("; ");
        Err(Refusal::bad_input(FIELD, problem).hint(match own_hint {
            Some(own) => own.then("; ").then(hints),
            None => Hint::from(hints),
        }))
    }
}

impl fmt::Display for BadToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.problem {
            TokenProblem::Unreadable(refusal) => write!(f, "{}: {refusal}", self.place),
            problem => write!(f, "{} has {problem}", self.place),
        }
    }
}

/// Looks at every token of the file, and for its serial and its secret in the store.
pub fn plan_addition(
    opened: &mut OpenStore,
    file: &TokenFile,
    rules: AddingRules,
) -> Result<AdditionPlan> {
    let mut plan = AdditionPlan {
        tokens: 0,
        kinds: BTreeMap::new(),
        bad: Vec::new(),
        passed_over: 0,
        with_user: 0,
        serials: Vec::new(),
    };
    // What is kept of each token is small, because a file may hold a million.
    let mut good: Vec<GoodToken> = Vec::new();
    let mut first: Vec<(usize, String)> = Vec::new();
    let (mut serials, mut secrets) = (HashMap::new(), HashMap::new());
    let vault = &opened.vault;
    let mut index = 0;
    let count = file.visit(&mut |record| {
        let this = index;
        index += 1;
        let record = match record {
            Ok(record) => record,
            Err(BadEntry { place, refusal }) => {
                let problem = TokenProblem::Unreadable(Box::new(refusal));
                plan.bad.push(BadToken { index: this, place, problem });
                return Ok(());
            }
        };
        let place = record.place;
        let mut check = || {
            let described = Described::of(&record)?;
            check_strength(&record, rules)?;
            let place_of = |number: &usize| good[*number].place;
            let folded = described.serial.folded().into_boxed_str();
            if let Some(earlier) = serials.get(&folded) {
                return Err(TokenProblem::SameSerial(place_of(earlier)));
            }
            let fingerprint = vault.fingerprint(&described.factor, &described.secret);
            if let Some(earlier) = secrets.get(&fingerprint) {
                return Err(TokenProblem::SameSecret(place_of(earlier)));
            }
            serials.insert(folded, good.len());
            secrets.insert(fingerprint, good.len());
            let (kind, has_user) = (described.factor.kind(), record.user.is_some());
            good.push(GoodToken { index: this, place, kind, has_user });
            if first.len() < MOST_LOGGED {
                first.push((good.len() - 1, described.serial.to_string()));
            }
            Ok(())
        };
        if let Err(problem) = check() {
            plan.bad.push(BadToken { index: this, place, problem });
        }
        Ok(())
    })?;
    plan.passed_over = count.passed_over;
    let mut taken: BTreeMap<usize, TokenProblem> = BTreeMap::new();
    InventoryReader::of(&mut opened.store.read()?).marks(&mut |marks| {
        let problem = match marks.state {
            MarkState::There => TokenProblem::SecretTaken,
            MarkState::Removed => return true,
            MarkState::RemovedLost => TokenProblem::Lost,
        };
        let same = marks.fingerprint.and_then(|fingerprint| secrets.get(&fingerprint));
        taken.extend(same.map(|number| (*number, problem)));
        taken.extend(serials.get(marks.folded).map(|number| (*number, TokenProblem::Taken)));
        true
    })?;
    first.retain(|(number, _)| !taken.contains_key(number));
    plan.serials = first.into_iter().map(|(_, serial)| serial).collect();
    for (number, GoodToken { index, place, kind, has_user }) in good.into_iter().enumerate() {
        if let Some(problem) = taken.remove(&number) {
            plan.bad.push(BadToken { index, place, problem });
            continue;
        }
        plan.tokens += 1;
        *plan.kinds.entry(kind).or_default() += 1;
        plan.with_user += u64::from(has_user);
    }
    plan.bad.sort_by_key(|bad| bad.index);
    Ok(plan)
}

/// A token of the first pass that is good so far.
struct GoodToken {
    index: u64,
    place: TokenPlace,
    kind: &'static str,
    has_user: bool,
}

/// Inserts the tokens of the plan in one transaction, with one event.
pub fn add_tokens(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    file: &TokenFile,
    plan: &AdditionPlan,
    ticket: &Ticket,
) -> Result<()> {
    let bad: HashSet<u64> = plan.bad.iter().map(|bad| bad.index).collect();
    let bar = app.progress_bar(plan.tokens);
    let done = write_tx(app, opened, |app, mut write| {
        bar.set_position(0);
        let event = audit::store_event(app.env, write.at, record(file, plan, ticket))?;
        let addition = write.tx.inventory().begin_adding(&event)?;
        let (mut index, mut added) = (0, 0);
        file.visit(&mut |token| {
            let is_bad = bad.contains(&index);
            index += 1;
            if is_bad {
                return Ok(());
            }
            let Some(described) = token.ok().and_then(|token| Described::of(&token).ok()) else {
                return Err(changed_meanwhile().into());
            };
            let id = Id::new(app.env.random()?);
            let (mut token, secret) = described.token(write.vault, id, write.at);
            token.state =
                TokenState::Free(write.vault.seal_token(&token, &secret, app.env.random()?)?);
            if !write.tx.inventory().add(token.clone(), addition)? {
                add_again(app, &mut write, token, &secret, ticket)?;
            }
            added += 1;
            bar.inc(1);
            Ok(())
        })?;
        if added != plan.tokens {
            return Err(changed_meanwhile().into());
        }
        write.commit()
    });
    bar.finish_and_clear();
    done
}

/// Brings back a token that was removed, with the position of its last code. Refuses one that is there.
fn add_again(
    app: &mut App<'_>,
    write: &mut Transaction<'_>,
    token: Token,
    secret: &Secret,
    ticket: &Ticket,
) -> Result<()> {
    let Some(before) = write.tx.inventory().removed(token.fingerprint)? else {
        return Err(changed_meanwhile().into());
    };
    let mut after = before.clone().added_again(token);
    after.state = TokenState::Free(write.vault.seal_token(&after, secret, app.env.random()?)?);
    let record = TokenCase { verb: ADDITION, ticket }.record(&after);
    let change = TokenChange::Update { before, after };
    audit::save_token(app.env, &mut write.tx, write.at, change, record).map(drop)
}

fn record(file: &TokenFile, plan: &AdditionPlan, ticket: &Ticket) -> AuditRecord {
    let mut detail = json!({
        "tokens": plan.tokens,
        "kinds": plan.kinds,
        "format": file.format.word(),
        "first": plan.serials,
    });
    if let Some(name) = &file.name {
        detail["file"] = json!(name);
    }
    if !plan.bad.is_empty() {
        detail["skipped"] = json!(plan.bad.len());
    }
    AuditRecord {
        verb: ADDITION,
        outcome: "done",
        ticket: ticket.clone(),
        detail: Some(detail.to_string()),
        ..AuditRecord::default()
    }
}

fn changed_meanwhile() -> Refusal {
    Refusal::new(ErrorCode::Busy, "a serial of the file was added meanwhile")
        .hint("nothing was changed; look again")
}

/// A token of a file in the terms of the inventory.
struct Described {
    serial: Serial,
    factor: Factor,
    position: Option<u64>,
    model: Option<String>,
    /// Of a YubiKey with its ids; else that of the file.
    secret: Secret,
}

impl Described {
    fn of(record: &TokenRecord) -> Result<Self, TokenProblem> {
        let (factor, position, secret) = match &record.kind {
            TokenKind::Totp(parameters) => {
                (Factor::TotpToken(*parameters, Drift::default()), None, record.secret.clone())
            }
            TokenKind::Hotp { algorithm, digits, counter } => {
                let parameters = hotp::CodeForm::new(*algorithm, (*digits).into());
                let parameters = parameters.map_err(|_| TokenProblem::BadKey)?;
                if *counter > hotp::LAST_COUNTER {
                    return Err(TokenProblem::Counter);
                }
                (Factor::Hotp(parameters), counter.checked_sub(1), record.secret.clone())
            }
            TokenKind::Yubikey { public_id, private_id } => {
                let key = record.secret.expose().try_into().map_err(|_| TokenProblem::BadKey)?;
                (Factor::Yubikey, None, yubikey::secret(public_id, *private_id.expose(), key))
            }
        };
        if record.secret.expose().is_empty() {
            return Err(TokenProblem::BadKey);
        }
        let model = record.model.as_deref().map(|m| prose_line("model", m, Token::LONGEST_MODEL));
        let model = model.transpose().map_err(|_| TokenProblem::BadModel)?;
        Ok(Self { serial: serial(record)?, factor, position, model, secret })
    }

    /// The token with this id, still without its sealed secret, and the secret.
    fn token(self, vault: &Vault, id: Id, now: Timestamp) -> (Token, Secret) {
        let Self { serial, factor, position, model, secret } = self;
        let token = Token {
            id,
            serial,
            fingerprint: vault.fingerprint(&factor, &secret),
            factor,
            state: TokenState::Free(Sealed(Vec::new())),
            position,
            model,
            added_at: now,
            rev: 0,
            stamp: Stamp::NONE,
            added_by: None,
        };
        (token, secret)
    }
}

/// The fewest bytes of a secret that is not short (RFC 4226, section 4, R6).
const FEWEST_BYTES: usize = 16;

/// Refuses a weak secret, unless it is allowed.
fn check_strength(record: &TokenRecord, rules: AddingRules) -> Result<(), TokenProblem> {
    // A secret that everybody knows may be short too.
    let is_short = record.secret.expose().len() < FEWEST_BYTES;
    match record.weakness() {
        Some(Weakness::Known) if !rules.allow_known => Err(TokenProblem::Known),
        _ if is_short && !rules.allow_weak => Err(TokenProblem::Short),
        _ => Ok(()),
    }
}

/// The serial, or where the file has none the public id.
fn serial(record: &TokenRecord) -> Result<Serial, TokenProblem> {
    let mark = match (&record.serial, &record.kind) {
        (Some(serial), _) => serial.clone(),
        (None, TokenKind::Yubikey { public_id, .. }) if !public_id.is_empty() => modhex(public_id),
        _ => return Err(TokenProblem::NoSerial),
    };
    Serial::parse(&mark).map_err(|_| TokenProblem::BadSerial)
}
