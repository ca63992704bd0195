//! A note of a factor that something else verifies.

use anyhow::Result;

use super::Enrol;
use super::course::{Added, Preparation, Prepared};
use crate::app::App;
use crate::commands::user_change::joined;
use crate::domain::consequences::consequences;
use crate::domain::device::{Active, Device, DeviceState};
use crate::domain::factor::Factor;
use crate::domain::factor::external::Mark;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::Id;
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
    let Prepared { name, mut opened, .. } = *prepared;
    let id = Id::new(app.env.random()?);
    let added = enrol.add_device(app, &mut opened, &name, |_, _, now| {
        // There is no code that could prove it.
        let state = DeviceState::Active(Active { confirmed_at: now });
        let factor = Factor::External(mark.clone());
        Ok(Device::without_secret(id, label.clone(), factor, state, now))
    })?;
    let Added { before, user, at, .. } = &added;
    let issuer = app.config.issuer.clone();
    let record = Enrolment::new("mfactl.enrol/1", user, Some(user.device(id)?), &issuer);
    if enrol.operator.dry_run {
        return Ok(Enrol::rehearsed(app, &added, record));
    }
    if before.is_none() {
        app.note(&format!("made the user {name}"));
    }
    let meaning = consequences(before.as_ref(), user, &app.config.policy, *at);
    let words = joined(&meaning);
    let mut record = record.with_message(format!("{name}: {label} is noted: {mark}{words}"));
    record.extra.consequences = Some(meaning);
    Ok(Report::one(record, Verdict::Yes))
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
