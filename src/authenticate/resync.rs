//! Resynchronises a device by two successive codes that an operator submits for its user.

use anyhow::Result;
use serde_json::json;

use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::authenticate::code::reject_unevaluated_with;
use crate::domain::audit::event::Ticket;
use crate::domain::consequences::consequences;
use crate::domain::factor::Factor;
use crate::domain::name::{Label, UserName};
use crate::domain::origin::AttemptOrigin;
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

/// What became of them.
pub struct Resynced {
    pub user: User,
    pub outcome: ResyncOutcome,
    /// What it means for the user.
    pub consequences: Vec<String>,
    pub at: Timestamp,
}

/// Compares both codes and stores the result; `locked` while the user is.
pub fn resync_device(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    submitted: &TwoCodes<'_>,
) -> Result<Resynced> {
    let TwoCodes { name, label, codes, ticket } = *submitted;
    let (bounds, undo_for) = (app.config.bounds, app.config.undo_for);
    let done = write_tx(app, opened, |app, mut write| {
        let before = write.user(name)?;
        let at = write.at;
        let record = AuditRecord { verb: VERB, ticket: ticket.clone(), ..AuditRecord::default() };
        if let Err(refusal) = check(&before, label, at, bounds) {
            if refusal.code == ErrorCode::Locked {
                let record = AuditRecord { outcome: refusal.code.word(), ..record };
                let (change, record) =
                    reject_unevaluated_with(at, AttemptOrigin::NONE, before, record);
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
        let factor = outcome.factor().map(Factor::kind);
        let consequences = consequences(Some(&before), &user, &app.config.policy, at);
        let mut detail = serde_json::Map::new();
        if let ResyncOutcome::Done { from, to, factor, .. } = &outcome {
            detail.extend([("from".to_owned(), json!(from)), ("to".to_owned(), json!(to))]);
            if let Factor::TotpToken(_, drift) = factor {
                detail.insert("drift".into(), json!(drift.steps()));
            }
        }
        if !consequences.is_empty() {
            detail.insert("consequences".into(), json!(consequences));
        }
        let detail = (!detail.is_empty()).then(|| serde_json::Value::from(detail).to_string());
        let record = AuditRecord { outcome: outcome.word(), device, factor, detail, ..record };
        let change = Change::Update { before, after: user };
        let user = audit::save(app.env, &mut write.tx, at, change, record)?;
        write.commit()?;
        Ok(Ok(Resynced { user, outcome, consequences, at }))
    })??;
    if let ResyncOutcome::Done { device, .. } = &done.outcome {
        let (device, users, at) = (Some(device.as_str()), vec![&done.user], done.at);
        let change = CommittedChange { verb: VERB, ticket, device, users, at };
        operate::notify_change(app, opened, &change);
    }
    Ok(done)
}
