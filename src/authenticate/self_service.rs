//! Users who change their own MFA: the same door as for a sign-in, a second code, and the change.

use anyhow::Result;
use serde_json::json;

use crate::app::write_tx;
use crate::app::{App, OpenStore};
use crate::audit;
use crate::audit::AuditRecord;
use crate::authenticate::code::{CodeSubmission, Evaluation, evaluate_and_save};
use crate::authenticate::sign_in::SignInResult;
use crate::domain::authenticate::Outcome;
use crate::domain::backup_code::Submitted;
use crate::domain::name::{Label, UserName};
use crate::domain::notice::NoticeKind;
use crate::domain::origin::AttemptOrigin;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::self_service::{DoorProof, OwnAct, Session};
use crate::domain::sign_in::SignInOutcome;
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, User};
use crate::keyring::Vault;
use crate::operate;
use crate::operate::change::ChangeResult;
use crate::store::Change;

/// The verb in the log of all that proves who a user is.
const VERB: &str = "sign-in";

/// The session of a user whom the committed answer of a sign-in lets in, or lets set up the first device.
#[must_use]
pub fn session(done: &SignInResult) -> Option<Session> {
    let user = done.user.as_ref()?;
    let proof = match &done.step {
        SignInOutcome::Accepted(Some(Outcome::AcceptedBackup { kind, .. })) => {
            DoorProof::BackupCode(*kind)
        }
        SignInOutcome::Accepted(Some(outcome)) => {
            let label = outcome.device()?;
            let device = user.live().find(|d| d.is_active() && d.label == *label)?;
            DoorProof::Device(device.id)
        }
        SignInOutcome::Accepted(None) | SignInOutcome::EnrolmentRequired { is_barred: false } => {
            DoorProof::Password
        }
        _ => return None,
    };
    Some(Session {
        user: user.id,
        proof,
        has_second_code: false,
        at: done.at,
        password: user.password.clone(),
    })
}

/// Checks the next code of the device that was used at the door. Only its own codes count: another device may be
/// the one that a thief has just added. Accepted, it is noted in the session.
pub fn prove_again(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    session: &mut Session,
    name: &UserName,
    code: &[u8],
) -> Result<Evaluation> {
    let (bounds, undo_for) = (app.config.bounds, app.config.undo_for);
    let DoorProof::Device(device) = session.proof else {
        return Err(Refusal::new(ErrorCode::NotPermitted, "there is no device to ask for a code")
            .hint("start again")
            .into());
    };
    let submitted = match Submitted::read(code) {
        code if code.is_of_device() => code,
        // A recovery code beside the device's is no second code of the device.
        _ => Submitted::NotACode,
    };
    let submission = CodeSubmission {
        verb: VERB,
        origin: AttemptOrigin::NONE,
        device_id: Some(device),
        submitted: &submitted,
        bounds,
        undo_for,
        place: None,
    };
    let evaluated = write_tx(app, opened, |app, mut write| {
        let before = write.any_user(name)?;
        if before.locked(write.at).is_none() {
            session.check(&before, write.at)?;
        }
        let evaluated = evaluate_and_save(app.env, &mut write, before, &submission)?;
        write.commit()?;
        Ok(evaluated)
    })??;
    session.has_second_code |= matches!(evaluated.outcome, Outcome::Accepted { .. });
    Ok(evaluated)
}

/// What the log says of a change.
pub struct OwnChange {
    pub act: OwnAct,
    /// Changed fields: their names, never their values.
    pub fields: &'static [&'static str],
}

/// Changes the user who came through the door, and logs it, in one transaction. Everything that was proved is looked
/// at again under the lock.
pub fn change_own(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    session: &Session,
    name: &UserName,
    own: &OwnChange,
    mut change: impl FnMut(&App<'_>, User, Timestamp, &Vault) -> Result<Changed>,
) -> Result<ChangeResult> {
    let act = own.act;
    app.config.self_service.check(act)?;
    let undo_for = app.config.undo_for;
    let undoable = (app.find_verb)(act.verb()).and_then(|verb| verb.undo);
    let (done, device) = write_tx(app, opened, |app, mut write| {
        let at = write.at;
        let before = write.any_user(name)?;
        permit(session, &before, act, at)?;
        let Changed { mut user, touched } =
            change(app, before.clone(), at, write.vault)?.with_undo(undoable, &before, at);
        if user != before {
            user.purge(at, undo_for);
        }
        let mut done = ChangeResult::of(&before, user, &app.config.policy, at);
        let device = subject(act, &touched);
        if done.changed {
            let record = record(own, device.clone(), &touched, &done.consequences);
            let change = Change::Update { before, after: done.user };
            done.user = audit::save(app.env, &mut write.tx, at, change, record)?;
            write.commit()?;
        }
        Ok((done, device))
    })?;
    if let (true, Some(kind)) = (done.changed, notice(act, &done.user)) {
        operate::notify_own_change(app, opened, &done.user, kind, device, done.at);
    }
    Ok(done)
}

/// Refuses an act that the session is not good for.
pub fn permit(session: &Session, user: &User, act: OwnAct, now: Timestamp) -> Result<(), Refusal> {
    session.check(user, now)?;
    session.permit(user, act)?;
    if session.lacks_second_code(act) {
        let problem = format!("{} takes the next code of the device too", act.word());
        return Err(Refusal::new(ErrorCode::NotPermitted, problem).hint("start again"));
    }
    Ok(())
}

/// The one device that a change is about.
fn subject(act: OwnAct, touched: &[Label]) -> Option<String> {
    let has_one = match act {
        OwnAct::SwitchOff | OwnAct::RecoveryCodes => false,
        OwnAct::RemoveDevice => touched.len() == 1,
        // The devices behind the first one are those that were waiting to replace it.
        OwnAct::AddDevice | OwnAct::ReplaceDevice | OwnAct::RenameDevice => true,
    };
    touched.first().filter(|_| has_one).map(ToString::to_string)
}

fn record(
    own: &OwnChange,
    device: Option<String>,
    touched: &[Label],
    consequences: &[String],
) -> AuditRecord {
    let mut detail = serde_json::Map::new();
    if !touched.is_empty() {
        let touched: Vec<String> = touched.iter().map(ToString::to_string).collect();
        detail.insert("devices".into(), json!(touched));
    }
    if !own.fields.is_empty() {
        detail.insert("fields".into(), json!(own.fields));
    }
    if !consequences.is_empty() {
        detail.insert("consequences".into(), json!(consequences));
    }
    let is_new = own.act == OwnAct::AddDevice;
    AuditRecord {
        verb: own.act.verb(),
        outcome: if is_new { "pending" } else { "done" },
        device,
        factor: is_new.then_some("totp"),
        detail: Some(serde_json::Value::from(detail).to_string()),
        ..AuditRecord::default()
    }
}

/// The notice of a committed change. The one of a further device follows its first code.
fn notice(act: OwnAct, after: &User) -> Option<NoticeKind> {
    match act {
        OwnAct::AddDevice => None,
        OwnAct::ReplaceDevice => Some(NoticeKind::Replacement),
        OwnAct::SwitchOff => Some(NoticeKind::Disabled),
        OwnAct::RemoveDevice if after.live().next().is_none() => Some(NoticeKind::Deleted),
        OwnAct::RemoveDevice => Some(NoticeKind::DeviceRemoved),
        OwnAct::RenameDevice => Some(NoticeKind::DeviceRenamed),
        OwnAct::RecoveryCodes => Some(NoticeKind::RecoveryCodes),
    }
}
