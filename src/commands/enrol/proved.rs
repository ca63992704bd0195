//! A device that shows its secret once and is proved with a code.

use anyhow::Result;

use super::Enrol;
use super::course::{Added, Preparation, Prepared};
use crate::app::App;
use crate::commands::Verb as _;
use crate::commands::handout::page::{PageSecrets, WrittenPage, say_where_no_code_is_asked_for};
use crate::commands::prove::{Proving, show_and_prove};
use crate::domain::consequences::consequences;
use crate::domain::factor::kind::DeviceKind;
use crate::domain::otpauth::AppSettings;
use crate::keyring::Vault;
use crate::report::Report;
use crate::show::{DeviceDraft, Enrolment, EnrolmentKey, pending_hint};

/// An app, which scans a QR code.
pub fn enrol_app(enrol: &Enrol, app: &mut App<'_>, settings: AppSettings) -> Result<Report> {
    let name = enrol.targets.name(app)?;
    let label = enrol.label()?;
    let may_hide = enrol.confirm.no_confirm || enrol.operator.dry_run;
    let prepared = match enrol.prepare(app, name, |app| enrol.show.choose_output(app, may_hide))? {
        Preparation::Done(prepared) => prepared,
        Preparation::Ended(report) => return Ok(report),
    };
    let draft = DeviceDraft::new(app, label, settings.factor())?;
    enrol_draft(enrol, app, prepared, &draft, settings.warning())
}

/// Stores the pending device, shows its secret and asks for a code. `warning` is about its settings.
pub fn enrol_draft(
    enrol: &Enrol,
    app: &mut App<'_>,
    prepared: Box<Prepared>,
    draft: &DeviceDraft,
    warning: Option<String>,
) -> Result<Report> {
    let Prepared { name, mut opened, showing, page } = *prepared;
    let pending_for = app.config.pending_for;
    let make = |vault: &Vault, user, now| draft.device(vault, user, now, pending_for);
    let is_on_page = page.is_some() && enrol.kind != DeviceKind::Yubikey;
    let secret = is_on_page.then_some(&draft.secret);
    let secrets = PageSecrets { secret, ..PageSecrets::default() };
    let page = enrol.write_page(app, &mut opened, (&name, page), make, &secrets)?;
    let added = enrol.add_device(app, &mut opened, &name, make);
    let (added, page) = WrittenPage::beside(added, page)?;
    let Added { before, user, at, is_replacement } = &added;
    let (user, at) = (user.clone(), *at);
    let issuer = app.config.issuer.clone();
    let device = user.device(draft.id())?;
    let key = EnrolmentKey::new(&user, &issuer, device, &draft.secret)?.drawn(enrol.show.drawing);
    if enrol.operator.dry_run {
        let record = Enrolment::new("mfactl.enrol/1", &user, Some(device), &issuer);
        return Ok(Enrol::rehearsed(app, &added, record));
    }
    if before.is_none() {
        app.note(&format!("made the user {name}"));
    }
    if *is_replacement {
        app.note(key.void_words());
    }
    if let Some(warning) = warning {
        app.note(&format!("hint: {warning}"));
    }
    let next_step = pending_hint(app, &user, device);
    // After the QR code nothing is written that could push it off the screen. A page covers what is written, and goes
    // once the code was given: then this would be out of date.
    let is_page = key.is_for_page(app, &showing);
    if !is_page && (is_on_page || !showing.is_nowhere()) {
        let meaning = consequences(before.as_ref(), &user, &app.config.policy, at);
        app.note(&format!("{name}: {}", meaning.join("; ")));
    }
    let handout = page.map(|page| page.keep(app));
    let proving = Proving {
        verb: Enrol::NAME,
        key: &key,
        showing,
        asks: !enrol.confirm.no_confirm && !is_on_page,
        next_step: &next_step,
        at,
    };
    let (user, verdict) = show_and_prove(app, &mut opened, proving)?.into_parts(&user);
    let device = user.device(draft.id())?;
    if is_page {
        let meaning = consequences(before.as_ref(), &user, &app.config.policy, at);
        if !meaning.is_empty() {
            app.note(&format!("{name}: {}", meaning.join("; ")));
        }
    }
    if device.is_pending() {
        app.note(&format!("hint: {next_step}"));
        if is_on_page {
            say_where_no_code_is_asked_for(app, &user)?;
        }
    }
    let key = EnrolmentKey::new(&user, &issuer, device, &draft.secret)?;
    let consequences = consequences(before.as_ref(), &user, &app.config.policy, at);
    let status = user.status().label();
    let mut record = Enrolment::new("mfactl.enrol/1", &user, Some(device), &issuer)
        .include_secret(&key, enrol.show.reveal_secrets)
        .with_message(format!("{name}: {status}"));
    record.extra.consequences = Some(consequences);
    record.extra.handout = handout;
    Ok(Report::one(record, verdict).requires_delivery(enrol.show.reveal_secrets))
}
