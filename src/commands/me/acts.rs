//! Carries out what a user wants, once they came through the door.

use anyhow::{Context as _, Result};
use zeroize::Zeroizing;

use super::input::Wanted;
use super::report::{MeReport, OwnDevice};
use crate::app::{App, OpenStore};
use crate::authenticate;
use crate::authenticate::OwnChange;
use crate::domain::authenticate::Keys as _;
use crate::domain::backup_code::{BackupCode, BackupCodeKind};
use crate::domain::device::{Device, DeviceState};
use crate::domain::factor::Factor;
use crate::domain::factor::totp::Parameters;
use crate::domain::labels::{free_label, label_once_confirmed};
use crate::domain::name::{Label, UserName};
use crate::domain::recovery::{CODES, RecoverySet};
use crate::domain::secret::Id;
use crate::domain::self_service::changes;
use crate::domain::self_service::{OwnAct, Session};
use crate::domain::time::Timestamp;
use crate::domain::user::{Changed, Status, User};
use crate::keyring::Vault;
use crate::operate::change::ChangeResult;
use crate::report::{Report, Verdict};
use crate::show::show_once::write_before_commit;
use crate::show::{DeviceDraft, EnrolmentKey};
use crate::texts::{Text, Texts};

/// What an act makes anew, drawn before the store is locked.
pub enum ActDraft {
    Nothing,
    Device(DeviceDraft),
    Codes(CodesDraft),
}

pub struct CodesDraft {
    set: Id,
    pub codes: Vec<BackupCode>,
}

impl ActDraft {
    pub fn new(app: &mut App<'_>, wanted: &Wanted) -> Result<Self> {
        Ok(match wanted.act {
            OwnAct::AddDevice | OwnAct::ReplaceDevice => {
                let label = wanted.label.clone().or_else(|| wanted.device.clone());
                let factor = Factor::Totp(Parameters::COMMON);
                Self::Device(DeviceDraft::new(app, label.unwrap_or_default(), factor)?)
            }
            OwnAct::RecoveryCodes => {
                let new = |_| Ok(BackupCode::new(BackupCodeKind::Recovery, &app.env.random()?));
                let codes = (0..CODES).map(new).collect::<Result<_>>()?;
                Self::Codes(CodesDraft { set: Id::new(app.env.random()?), codes })
            }
            OwnAct::SwitchOff | OwnAct::RemoveDevice | OwnAct::RenameDevice => Self::Nothing,
        })
    }

    fn device_for(
        &self,
        app: &App<'_>,
        user: &User,
        now: Timestamp,
        vault: &Vault,
    ) -> Result<Device> {
        let Self::Device(draft) = self else {
            return Err(anyhow::anyhow!("no device was drawn for this act"));
        };
        draft.device(vault, user.id, now, app.config.pending_for)
    }
}

/// The user after the act.
pub fn change(
    app: &App<'_>,
    wanted: &Wanted,
    draft: &ActDraft,
    user: User,
    now: Timestamp,
    vault: &Vault,
) -> Result<Changed> {
    let requirement = app.config.policy.requirement(&user);
    let device = wanted.device.as_ref();
    Ok(match wanted.act {
        OwnAct::AddDevice => {
            let mut device = draft.device_for(app, &user, now, vault)?;
            if wanted.label.is_none() {
                device.label = free_label(&user.devices, device.id, &Label::default());
            }
            changes::add(user, device)?
        }
        OwnAct::ReplaceDevice => {
            let new = draft.device_for(app, &user, now, vault)?;
            changes::replace(user, device, new, now)?
        }
        OwnAct::SwitchOff => changes::switch_off(user, requirement)?,
        OwnAct::RemoveDevice => {
            let may_switch_off = app.config.self_service.allows(OwnAct::SwitchOff);
            changes::remove(user, device, requirement, may_switch_off, now)?
        }
        OwnAct::RenameDevice => {
            let label = wanted.label.as_ref().context("no new label was given")?;
            changes::rename(user, device, label)?
        }
        OwnAct::RecoveryCodes => {
            let ActDraft::Codes(CodesDraft { set, codes }) = draft else {
                return Err(anyhow::anyhow!("no codes were drawn for this act"));
            };
            let tag = |code| Some(vault.backup_code_tag(user.id, *set, code));
            let tags = codes.iter().map(tag).collect();
            changes::renew_codes(user, RecoverySet { id: *set, made_at: now, tags })
        }
    })
}

/// Changes the store.
pub fn carry_out(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    session: &Session,
    name: &UserName,
    wanted: &Wanted,
    draft: &ActDraft,
) -> Result<ChangeResult> {
    let fields: &[&str] = match wanted.act {
        OwnAct::RenameDevice => &["label"],
        OwnAct::RecoveryCodes => &["recovery_codes"],
        _ => &[],
    };
    let own = OwnChange { act: wanted.act, fields };
    authenticate::change_own(app, opened, session, name, &own, |app, user, now, vault| {
        change(app, wanted, draft, user, now, vault)
    })
}

/// What users read about what they did: in their language, and compared with what was before.
pub struct OwnWords<'r> {
    pub texts: Texts,
    pub before: &'r User,
}

impl OwnWords<'_> {
    /// The sentence about an act that was done.
    pub fn sentence(
        &self,
        app: &App<'_>,
        wanted: &Wanted,
        draft: &ActDraft,
        done: &ChangeResult,
    ) -> String {
        let texts = self.texts;
        let text = match wanted.act {
            _ if !done.changed => return self.named(Text::AlreadySo, wanted),
            OwnAct::AddDevice | OwnAct::ReplaceDevice => Text::IsPending,
            OwnAct::SwitchOff => Text::IsSwitchedOff,
            OwnAct::RemoveDevice if done.user.live().next().is_none() => Text::AllDeleted,
            OwnAct::RemoveDevice => Text::IsRemoved,
            OwnAct::RenameDevice => Text::IsRenamed,
            OwnAct::RecoveryCodes => Text::HasRecoveryCodes,
        };
        let first = match new_device(draft, &done.user) {
            Some(device) => {
                let values = [("user", done.user.name.as_str()), ("device", device.label.as_str())];
                texts.fill(text, &values)
            }
            None => self.named(text, wanted),
        };
        let mut sentences = vec![first];
        sentences.extend(self.meaning(app, draft, &done.user, done.at));
        sentences.join(texts.text(Text::Separator))
    }

    fn named(&self, text: Text, wanted: &Wanted) -> String {
        let label = |label: &Option<Label>| {
            label.as_ref().map_or_else(|| Label::DEFAULT.to_owned(), ToString::to_string)
        };
        // One device needs no label.
        let only = || self.before.live().next().map(|device| device.label.clone());
        let device = label(&wanted.device.clone().or_else(only));
        let values = [
            ("user", self.before.name.as_str()),
            ("device", &device),
            ("name", &label(&wanted.label)),
            ("count", &CODES.to_string()),
        ];
        self.texts.fill(text, &values)
    }

    /// What an act means for the user.
    pub fn meaning(
        &self,
        app: &App<'_>,
        draft: &ActDraft,
        after: &User,
        now: Timestamp,
    ) -> Vec<String> {
        let texts = self.texts;
        let mut said = Vec::new();
        let is_enabled = after.status() == Status::Enabled;
        let is_required = app.config.policy.requirement(after).is_in_force(now);
        match new_device(draft, after).map(|device| (device, &device.state)) {
            Some((device, DeviceState::Pending(pending))) => {
                let date = texts.date_in(&app.env.zone_for_people(), pending.expires_at);
                let name = label_once_confirmed(&after.devices, device, &pending.replaces);
                let name = name.map(|name| name.to_string());
                let text = match name {
                    Some(_) => Text::HasToBeConfirmedAs,
                    None => Text::HasToBeConfirmed,
                };
                let values = [
                    ("device", device.label.as_str()),
                    ("date", &date),
                    ("name", name.as_deref().unwrap_or_default()),
                ];
                said.push(texts.fill(text, &values));
                if !is_enabled && is_required {
                    said.push(texts.text(Text::RefusedUntilConfirmed).to_owned());
                }
            }
            _ if self.before.status() == Status::Enabled && !is_enabled => {
                said.push(texts.text(Text::PasswordAlone).to_owned());
            }
            _ => {}
        }
        if self.before.recovery.is_some() && after.recovery.is_none() {
            said.push(texts.text(Text::RecoveryVoid).to_owned());
        }
        let is_in_force = |user: &User| user.bypass.as_ref().is_some_and(|code| !code.is_over(now));
        if is_in_force(self.before) && !is_in_force(after) {
            said.push(texts.text(Text::BypassVoid).to_owned());
        }
        said
    }
}

/// The device that an act made, if it made one.
fn new_device<'u>(draft: &ActDraft, user: &'u User) -> Option<&'u Device> {
    match draft {
        ActDraft::Device(draft) => user.device(draft.id()).ok(),
        ActDraft::Nothing | ActDraft::Codes(_) => None,
    }
}

/// Carries out an act that came as JSON.
pub fn answer(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    session: &Session,
    name: &UserName,
    wanted: &Wanted,
    draft: &ActDraft,
    own: &OwnWords<'_>,
) -> Result<Report> {
    if let ActDraft::Codes(CodesDraft { codes, .. }) = draft {
        let user = opened.read_user(name)?;
        let at = session.at;
        let after = change(app, wanted, draft, user.clone(), at, &opened.vault)?.user;
        let expected = ChangeResult::of(&user, after, &app.config.policy, at);
        let mut report = report(app, session, wanted, draft, own, &expected);
        report.codes = Some(codes.iter().map(BackupCode::grouped).collect());
        write_before_commit(app, &report)?;
        carry_out(app, opened, session, name, wanted, draft)
            .context("the codes that were shown are not valid")?;
        return Ok(Report::empty(Verdict::Yes));
    }
    let done = carry_out(app, opened, session, name, wanted, draft)?;
    let mut report = report(app, session, wanted, draft, own, &done);
    if let ActDraft::Device(draft) = draft {
        let device = done.user.device(draft.id())?;
        let issuer = app.config.issuer.clone();
        let key = EnrolmentKey::new(&done.user, &issuer, device, &draft.secret)?;
        let secret: Zeroizing<String> = draft.secret.base32();
        let uri = key.uri().context("an app has a key URI")?;
        report.enrolment = Some(OwnDevice { device: device.label.to_string(), secret, uri });
    }
    let reveals = report.enrolment.is_some();
    Ok(Report::one(report, Verdict::Yes).requires_delivery(reveals))
}

fn report(
    app: &App<'_>,
    session: &Session,
    wanted: &Wanted,
    draft: &ActDraft,
    own: &OwnWords<'_>,
    done: &ChangeResult,
) -> MeReport {
    MeReport::done(app, session, wanted, done, own.sentence(app, wanted, draft, done))
}

/// Finds out before anything is asked or shown whether an act can be done.
pub fn check(
    app: &App<'_>,
    session: &Session,
    wanted: &Wanted,
    draft: &ActDraft,
    user: &User,
    now: Timestamp,
    vault: &Vault,
) -> Result<ChangeResult> {
    session.permit(user, wanted.act)?;
    let after = change(app, wanted, draft, user.clone(), now, vault)?.user;
    Ok(ChangeResult::of(user, after, &app.config.policy, now))
}
