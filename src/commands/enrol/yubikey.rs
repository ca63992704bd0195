//! A YubiKey that is programmed anew, with values that are made here and shown once.

use anyhow::Result;

use super::Enrol;
use super::course::Preparation;
use super::proved;
use crate::app::App;
use crate::report::Report;
use crate::show::DeviceDraft;
use crate::show::secret_output::SecretOutput;

pub fn run(enrol: &Enrol, app: &mut App<'_>) -> Result<Report> {
    let name = enrol.targets.name(app)?;
    let label = enrol.label()?;
    enrol.settings.refuse_for("a YubiKey")?;
    let is_rehearsal = enrol.operator.dry_run;
    let choose = |app: &mut App<'_>| {
        if is_rehearsal {
            return Ok(SecretOutput::Nowhere);
        }
        enrol.show.choose_only_output(app, "the key of a YubiKey")
    };
    let prepared = match enrol.prepare(app, name, choose)? {
        Preparation::Done(prepared) => prepared,
        Preparation::Ended(report) => return Ok(report),
    };
    let draft = DeviceDraft::of_yubikey(app, label)?;
    proved::enrol_draft(enrol, app, prepared, &draft, None)
}
