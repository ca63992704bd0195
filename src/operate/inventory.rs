//! Hardware tokens: found in the inventory, and returned to it. Each change to a token is in the transaction of the change
//! to its user.

pub mod adding;
pub mod token_file;

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::json;

use crate::app::App;
use crate::app::transaction::Transaction;
use crate::audit;
use crate::audit::AuditRecord;
use crate::domain::audit::event::Ticket;
use crate::domain::device::Device;
use crate::domain::hint::{Hint, command};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::{Id, Sealed, Stamp};
use crate::domain::serial::Serial;
use crate::domain::text::quoted;
use crate::domain::token::{Token, TokenState, device_of};
use crate::domain::user::User;
use crate::store::{FREE, InventoryReader, MarkState, ReadTx, TokenChange};
use crate::suggest;

/// Serials that are compared with an unknown one; a hint is not worth more time.
const MAX_COMPARED: usize = 50_000;

/// Where a token is.
pub enum Whereabouts {
    Free,
    With(Box<User>),
    /// Its user or their device is gone, and its secret with them.
    Lost,
}

/// The verb of a change to a token, and the case that it belongs to.
#[derive(Clone, Copy)]
pub struct TokenCase<'c> {
    pub verb: &'static str,
    pub ticket: &'c Ticket,
}

impl TokenCase<'_> {
    /// What the log says of the token. It names no user, so the reason, which may, is only with the user's event.
    pub fn record(self, token: &Token) -> AuditRecord {
        AuditRecord {
            verb: self.verb,
            outcome: "done",
            ticket: Ticket { reason: None, ..self.ticket.clone() },
            detail: Some(json!({ "serial": token.serial.as_str() }).to_string()),
            ..AuditRecord::default()
        }
    }
}

/// The token with this serial; `token_not_found` with the nearest serials.
pub fn find_token(write: &mut Transaction<'_>, serial: &Serial) -> Result<Token> {
    if let Some(token) = write.tx.inventory().token(serial)? {
        return Ok(token);
    }
    let mut known = Vec::new();
    InventoryReader::under_lock(&mut write.tx).marks(&mut |marks| {
        if marks.state == MarkState::There {
            known.push(marks.folded.to_owned());
        }
        known.len() < MAX_COMPARED
    })?;
    let nearest = suggest::nearest(&serial.folded(), known.iter().map(String::as_str));
    // As they are listed, unless the row does not prove: a hint is no place for that.
    let mut as_listed = |folded: String| {
        let serial = Serial::parse(&folded).ok()?;
        let token = write.tx.inventory().token(&serial).ok().flatten();
        Some(token.map_or(folded, |token| token.serial.to_string()))
    };
    let nearest: Vec<_> = nearest.into_iter().filter_map(&mut as_listed).collect();
    let nearest = suggest::did_you_mean(&nearest);
    let message = format!("there is no token {}", quoted(serial.as_str()));
    let list = || command("list-tokens").after("list the tokens with: ");
    let hint = nearest.map_or_else(list, Hint::from);
    Err(Refusal::new(ErrorCode::TokenNotFound, message).hint(hint).into())
}

/// Where the token is. The user is not checked for whether the operator may change them.
pub fn whereabouts(write: &mut Transaction<'_>, token: &Token) -> Result<Whereabouts> {
    let Some(holder) = token.holder() else { return Ok(Whereabouts::Free) };
    let user = match InventoryReader::under_lock(&mut write.tx).holder(&token.serial)? {
        Some(name) => write.find(&name)?,
        None => None,
    };
    let has_it = |user: &User| user.id == holder && device_of(user, &token.serial).is_some();
    Ok(user.filter(has_it).map_or(Whereabouts::Lost, |user| Whereabouts::With(Box::new(user))))
}

/// Refuses a token that somebody has, or that is lost.
pub fn require_free(write: &mut Transaction<'_>, token: &Token) -> Result<()> {
    match whereabouts(write, token)? {
        Whereabouts::Free
            if InventoryReader::under_lock(&mut write.tx).has_device(&token.serial)? =>
        {
            let message = format!("the token {} is free, and somebody has it", token.serial);
            Err(Refusal::new(ErrorCode::Tampered, message)
                .hint(command("verify-log").after("see what was altered with: "))
                .into())
        }
        Whereabouts::Free => Ok(()),
        Whereabouts::With(user) => Err(assigned(token, &user).into()),
        Whereabouts::Lost => Err(lost(token).into()),
    }
}

/// The refusal of a token that somebody has.
#[must_use]
pub fn assigned(token: &Token, user: &User) -> Refusal {
    let message = format!("the token {} is assigned to {}", token.serial, user.name);
    Refusal::new(ErrorCode::TokenAssigned, message)
        .hint(command("unassign").name(token.serial.as_str()).after("take it back with: "))
}

/// The refusal of a token whose secret is gone.
#[must_use]
pub fn lost(token: &Token) -> Refusal {
    let message =
        format!("the token {} is lost: its user is gone, and its secret with them", token.serial);
    let remove = command("remove-token").name(token.serial.as_str());
    Refusal::new(ErrorCode::TokenLost, message)
        .hint(remove.after("give the user another one, and remove it: "))
}

/// Enters a device that was programmed for its user as a token that is with them from the start. `bad_input` where
/// another one has its serial.
pub fn enter_assigned(
    app: &mut App<'_>,
    write: &mut Transaction<'_>,
    owner: Id,
    device: &Device,
    case: TokenCase<'_>,
) -> Result<()> {
    let Some(serial) = device.serial.clone() else { return Ok(()) };
    let secret = write.vault.open(owner, device)?;
    let token = Token {
        id: Id::new(app.env.random()?),
        serial,
        fingerprint: write.vault.fingerprint(&device.factor, &secret),
        factor: device.factor.clone(),
        state: TokenState::Assigned(owner),
        position: None,
        model: None,
        added_at: write.at,
        rev: 0,
        stamp: Stamp::NONE,
        added_by: None,
    };
    let record = case.record(&token);
    audit::save_token(app.env, &mut write.tx, write.at, TokenChange::Insert(token), record)
        .map(drop)
}

/// Puts the token that a device was back into the inventory, with its secret, its counter and its drift. `false` where
/// the inventory has no such token of this user, or can't have it back because its row or the device's secret doesn't
/// prove: then it is lost.
pub fn return_token(
    app: &mut App<'_>,
    write: &mut Transaction<'_>,
    owner: Id,
    device: &Device,
    case: TokenCase<'_>,
) -> Result<bool> {
    let Some(serial) = &device.serial else { return Ok(false) };
    let Some(before) = if_proved(write.tx.inventory().token(serial))?.flatten() else {
        return Ok(false);
    };
    if before.holder() != Some(owner) {
        return Ok(false);
    }
    let opened = write.vault.open(owner, device).map_err(anyhow::Error::from);
    let Some(secret) = if_proved(opened)? else { return Ok(false) };
    // A resynchronisation goes back; whoever gets the token next is offered nothing that was ever accepted.
    let position = device.position.max(device.accepted.latest());
    let after = before.clone().returned(Sealed(Vec::new()), device.factor.clone(), position);
    let sealed = write.vault.seal_token(&after, &secret, app.env.random()?)?;
    let after = Token { state: TokenState::Free(sealed), ..after };
    let record = case.record(&after);
    audit::save_token(
        app.env,
        &mut write.tx,
        write.at,
        TokenChange::Update { before, after },
        record,
    )?;
    Ok(true)
}

/// Puts all tokens of a user who is removed back into the inventory.
pub fn return_tokens(
    app: &mut App<'_>,
    write: &mut Transaction<'_>,
    user: &User,
    case: TokenCase<'_>,
) -> Result<()> {
    for device in &user.devices {
        return_token(app, write, user.id, device, case)?;
    }
    Ok(())
}

/// `None` in place of what was altered.
fn if_proved<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) => match error.downcast_ref::<Refusal>() {
            Some(refusal) if matches!(refusal.code, ErrorCode::Tampered | ErrorCode::Damaged) => {
                Ok(None)
            }
            _ => Err(error),
        },
    }
}

/// The serials of the tokens that are not free, in the folded form, for a plan.
pub fn assigned_serials(snapshot: &mut ReadTx<'_>) -> Result<BTreeSet<String>> {
    let mut serials = BTreeSet::new();
    snapshot.tokens(&mut |token| {
        if token.state != FREE {
            serials.insert(Serial::stored(token.serial).folded());
        }
        Ok(true)
    })?;
    Ok(serials)
}

/// What the removal of a user means for their tokens.
#[must_use]
pub fn words_of_return(user: &User, assigned: &BTreeSet<String>) -> Option<String> {
    let serials = user.devices.iter().filter_map(|device| device.serial.as_ref());
    let serials: Vec<_> = serials.filter(|serial| assigned.contains(&serial.folded())).collect();
    match serials.as_slice() {
        [] => None,
        [one] => Some(format!("the token {one} goes back to the inventory")),
        many => {
            let serials: Vec<_> = many.iter().map(|serial| serial.as_str()).collect();
            Some(format!("the tokens {} go back to the inventory", serials.join(", ")))
        }
    }
}
