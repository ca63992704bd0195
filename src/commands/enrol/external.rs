//! A note of a factor that something else verifies.

use anyhow::Result;

use super::Enrol;
use super::course::{Added, Preparation, Prepared};
use crate::app::{App, OpenStore};
use crate::commands::handout::page::PageSecrets;
use crate::commands::operator_options::not_confirmed;
use crate::commands::user_change::joined;
use crate::domain::consequences::consequences;
use crate::domain::device::{Active, Device, DeviceState};
use crate::domain::factor::Factor;
use crate::domain::factor::external::Mark;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
use crate::domain::time::Timestamp;
use crate::domain::user::{Status, User};
use crate::keyring::Vault;
use crate::operate;
use crate::report::{Report, Verdict};
use crate::show::Enrolment;
use crate::show::secret_output::SecretOutput;

pub fn run(enrol: &Enrol, app: &mut App<'_>) -> Result<Report> {
    let name = enrol.targets.name(app)?;
    enrol.settings.refuse_for("an external device")?;
    let (label, mark) = (enrol.label()?, enrol.mark()?);
    let prepared = match enrol.prepare(app, name, |_| Ok(SecretOutput::Nowhere))? {
        Preparation::Done(prepared) => prepared,
        Preparation::Ended(report) => return Ok(report),
    };
    let Prepared { name, mut opened, page, .. } = *prepared;
    let id = Id::new(app.env.random()?);
    let note = |now| {
        // There is no code that could prove it.
        let state = DeviceState::Active(Active { confirmed_at: now });
        let factor = Factor::External(mark.clone());
        Device::without_secret(id, label.clone(), factor, state, now)
    };
    if app.can_ask() && !enrol.operator.dry_run && !enrol.yes {
        let user = opened.store.read()?.user(&name)?;
        if let Some(user) = user
            && !is_agreed(app, &mut opened, &user, note)?
        {
            return Ok(not_confirmed(app));
        }
    }
    let make = |_: &Vault, _, now| Ok(note(now));
    let secrets = PageSecrets::default();
    let page = enrol.write_page(app, &mut opened, (&name, page), make, &secrets)?;
    let added = enrol.add_device(app, &mut opened, &name, make)?;
    let Added { before, user, at, .. } = &added;
    let issuer = app.config.issuer.clone();
    let record = Enrolment::new("mfactl.enrol/1", user, Some(user.device(id)?), &issuer);
    if enrol.operator.dry_run {
        return Ok(Enrol::rehearsed(app, &added, record));
    }
    if before.is_none() {
        app.note(&format!("made the user {name}"));
    }
    let handout = page.map(|page| page.keep(app));
    let meaning = consequences(before.as_ref(), user, &app.config.policy, *at);
    let words = joined(&meaning);
    let mut record = record.with_message(format!("{name}: {label} is noted: {mark}{words}"));
    record.extra.consequences = Some(meaning);
    record.extra.handout = handout;
    Ok(Report::one(record, Verdict::Yes))
}

/// Asks about the first device of a user: with it the password alone is not enough any more, and no code is there yet.
fn is_agreed(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    user: &User,
    note: impl Fn(Timestamp) -> Device,
) -> Result<bool> {
    if user.status() == Status::Enabled {
        return Ok(true);
    }
    let now = app.env.clock.now()?;
    let after = user.clone().enrol(note(now))?;
    let meaning = consequences(Some(user), &after, &app.config.policy, now);
    let question = format!("Note an external device of {}?", user.name);
    operate::ask_about(app, opened, user, &meaning, &question)
}

impl Enrol {
    fn mark(&self) -> Result<Mark, Refusal> {
        let mark = self.mark.as_deref().ok_or_else(|| {
            Refusal::new(ErrorCode::Usage, "an external device needs a note of what it is")
                .field("--mark")
                .hint("add --mark TEXT, such as --mark \"FIDO2 key no. 3\"")
        })?;
        Mark::parse(mark)
    }
}
