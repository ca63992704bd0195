//! Resynchronises a device by two successive codes that an operator submits for its user.

use anyhow::Result;
use serde_json::json;

use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::authenticate::code::reject_unevaluated_with;
use crate::domain::audit::event::Ticket;
use crate::domain::name::{Label, UserName};
use crate::domain::otp::Otp;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::resync::{ResyncOutcome, check, resync};
use crate::domain::time::Timestamp;
use crate::domain::user::User;
use crate::operate;
use crate::operate::CommittedChange;
use crate::store::Change;

const VERB: &str = "resync";

/// Two codes that an operator submits.
pub struct TwoCodes<'c> {
    pub name: &'c UserName,
    pub label: Option<&'c Label>,
    /// None while the user is locked: no code is asked for then.
    pub codes: Option<[&'c Otp; 2]>,
    pub ticket: &'c Ticket,
}

/// Compares both codes and stores the result; `locked` while the user is.
pub fn resync_device(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    submitted: &TwoCodes<'_>,
) -> Result<(User, ResyncOutcome, Timestamp)> {
    let TwoCodes { name, label, codes, ticket } = *submitted;
    let (bounds, undo_for) = (app.config.bounds, app.config.undo_for);
    let (user, outcome, at) = write_tx(app, opened, |app, mut write| {
        let before = write.user(name)?;
        let at = write.at;
        let record = AuditRecord { verb: VERB, ticket: ticket.clone(), ..AuditRecord::default() };
        if let Err(refusal) = check(&before, label, at, bounds) {
            if refusal.code == ErrorCode::Locked {
                let record = AuditRecord { outcome: refusal.code.word(), ..record };
                let (change, record) = reject_unevaluated_with(at, None, before, record);
                audit::save(app.env, &mut write.tx, at, change, record)?;
                write.commit()?;
            }
            return Ok(Err(refusal));
        }
        let Some(codes) = codes else {
            let refusal = Refusal::new(ErrorCode::Locked, format!("{name} was locked until now"));
            return Ok(Err(refusal.hint("try again")));
        };
        let (mut user, outcome) = resync(before.clone(), label, codes, write.vault, at, bounds)?;
        user.purge(at, undo_for);
        let device = outcome.device().map(ToString::to_string);
        let factor = device.as_ref().map(|_| "totp");
        let detail = match &outcome {
            ResyncOutcome::Done { from, to, .. } => {
                Some(json!({ "from": from, "to": to }).to_string())
            }
            ResyncOutcome::Replayed { .. } | ResyncOutcome::Rejected => None,
        };
        let record = AuditRecord { outcome: outcome.word(), device, factor, detail, ..record };
        let change = Change::Update { before, after: user };
        let user = audit::save(app.env, &mut write.tx, at, change, record)?;
        write.commit()?;
        Ok(Ok((user, outcome, at)))
    })??;
    if let ResyncOutcome::Done { device, .. } = &outcome {
        let device = Some(device.as_str());
        let change = CommittedChange { verb: VERB, ticket, device, users: vec![&user], at };
        operate::notify_change(app, opened, &change);
    }
    Ok((user, outcome, at))
}
