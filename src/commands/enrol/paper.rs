//! A printed list of codes, which are shown once.

use anyhow::Result;
use zeroize::Zeroizing;

use super::Enrol;
use super::course::{Added, Preparation, Prepared};
use crate::app::{App, OpenStore};
use crate::authenticate;
use crate::commands::Verb as _;
use crate::commands::verify::VerifyReport;
use crate::domain::authenticate::{Keys as _, Outcome};
use crate::domain::backup_code::{BackupCode, BackupCodeKind, Submitted};
use crate::domain::consequences::consequences;
use crate::domain::device::{Device, DeviceState, Pending};
use crate::domain::factor::Factor;
use crate::domain::factor::paper::List;
use crate::domain::labels::free_label;
use crate::domain::name::Label;
use crate::domain::secret::Id;
use crate::domain::text::counted;
use crate::domain::time::{Span, Timestamp};
use crate::domain::user::User;
use crate::keyring::Vault;
use crate::report::{Record as _, Report, Verdict};
use crate::show::paper_list::{OpenList, PaperList};
use crate::show::secret_output::SecretOutput;
use crate::show::{Enrolment, language, pending_hint};

/// After so many wrong codes the verb ends and leaves the list pending.
const TRIES: usize = 3;
const QUESTION: &str = "Confirm it with any one of its codes, which is used up then (Enter: later)";

/// Asked instead where no code is asked for.
const LEAVE: &str = "Enter wipes this screen";

/// A list that is not in the store yet.
struct ListDraft {
    id: Id,
    label: Label,
    codes: Vec<BackupCode>,
}

pub fn run(enrol: &Enrol, app: &mut App<'_>) -> Result<Report> {
    let name = enrol.targets.name(app)?;
    enrol.settings.refuse_for("a printed list")?;
    let is_rehearsal = enrol.operator.dry_run;
    let choose = |app: &mut App<'_>| {
        if is_rehearsal {
            return Ok(SecretOutput::Nowhere);
        }
        enrol.show.choose_only_output(app, "a list of codes")
    };
    let prepared = match enrol.prepare(app, name, choose)? {
        Preparation::Done(prepared) => prepared,
        Preparation::Ended(report) => return Ok(report),
    };
    let Prepared { name, mut opened, showing } = *prepared;
    let user = opened.store.read()?.user(&name)?;
    let draft = ListDraft::new(app, enrol.label_beside(user.as_ref())?, enrol.codes)?;
    let pending_for = app.config.pending_for;
    let added = enrol.add_device(app, &mut opened, &name, |vault, user, now| {
        Ok(draft.device(vault, user, now, pending_for))
    })?;
    let Added { before, user, at, is_replacement } = &added;
    let device = user.device(draft.id)?;
    let issuer = app.config.issuer.clone();
    if is_rehearsal {
        let record = Enrolment::new("mfactl.enrol/1", user, Some(device), &issuer);
        return Ok(Enrol::rehearsed(app, &added, record));
    }
    if before.is_none() {
        app.note(&format!("made the user {name}"));
    }
    if *is_replacement {
        app.note("the list was already pending; its earlier codes are void");
    }
    let next_step = pending_hint(app, user, device);
    let is_page = showing.is_for_page(app);
    let say_meaning = |app: &mut App<'_>, user: &User| {
        let meaning = consequences(before.as_ref(), user, &app.config.policy, *at);
        if !meaning.is_empty() {
            app.note(&format!("{name}: {}", meaning.join("; ")));
        }
    };
    // A page covers what is written before, and goes once the code was given: then this would be out of date.
    if !is_page {
        say_meaning(app, user);
    }
    if let Some(person) = &mut app.env.prompt {
        person.set_interrupt_message(&next_step);
    }
    // Whoever pipes the codes somewhere has not seen them yet.
    let asks = !enrol.confirm.no_confirm && app.env.prompt.is_some();
    let list = PaperList {
        language: language(app, user),
        user: name.to_string(),
        label: device.label.to_string(),
        made: *at,
        codes: draft.grouped(),
    };
    let page = list.show(app, showing, if asks { QUESTION } else { LEAVE })?;
    if let Some(page) = &page {
        page.read_to_end(app)?;
    }
    let (user, verdict) = if asks {
        prove(app, &mut opened, user, draft.id, page.as_ref())?
    } else {
        if let Some(page) = &page {
            page.ask(app, LEAVE)?;
        }
        (user.clone(), Verdict::Yes)
    };
    drop(page);
    if is_page {
        say_meaning(app, &user);
    }
    let device = user.device(draft.id)?;
    if device.is_pending() {
        app.note(&format!("hint: {next_step}"));
    }
    let reveals = enrol.show.reveal_secrets;
    let left = counted(device.codes_left().unwrap_or_default(), "code");
    let message = format!("{name}: {}; {left} on {}", user.status().label(), device.label);
    let mut record =
        Enrolment::new("mfactl.enrol/1", &user, Some(device), &issuer).with_message(message);
    record.codes = reveals.then(|| draft.grouped());
    record.extra.consequences = Some(consequences(before.as_ref(), &user, &app.config.policy, *at));
    Ok(Report::one(record, verdict).requires_delivery(reveals))
}

impl Enrol {
    /// The label of a new list; one that nobody chose is free, so that a new list can take the place of a used one.
    fn label_beside(&self, user: Option<&User>) -> Result<Label> {
        let label = self.label()?;
        if self.device.is_some() {
            return Ok(label);
        }
        let others = user.into_iter().flat_map(User::live).filter(|device| !device.is_pending());
        Ok(free_label(&others.cloned().collect::<Vec<_>>(), Id::new([0; Id::LENGTH]), &label))
    }
}

impl ListDraft {
    fn new(app: &mut App<'_>, label: Label, codes: Option<usize>) -> Result<Self> {
        let codes = (0..codes.unwrap_or(List::USUAL))
            .map(|_| Ok(BackupCode::new(BackupCodeKind::Paper, &app.env.random()?)))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { id: Id::new(app.env.random()?), label, codes })
    }

    fn device(&self, vault: &Vault, user: Id, now: Timestamp, pending_for: Span) -> Device {
        let tag = |code| vault.backup_code_tag(user, self.id, code);
        let list = List::new(&self.codes.iter().map(tag).collect::<Vec<_>>());
        let pending =
            Pending { expires_at: now.plus(pending_for), first_proof: None, replaces: Vec::new() };
        let state = DeviceState::Pending(pending);
        Device::without_secret(self.id, self.label.clone(), Factor::Paper(list), state, now)
    }

    fn grouped(&self) -> Vec<Zeroizing<String>> {
        self.codes.iter().map(BackupCode::grouped).collect()
    }
}

/// Asks for a code until one is right. Nobody needs the right to `verify` for that: it is part of handing out the list.
fn prove(
    app: &mut App<'_>,
    opened: &mut OpenStore,
    user: &User,
    id: Id,
    page: Option<&OpenList>,
) -> Result<(User, Verdict)> {
    let (mut latest, mut verdict, mut wrong) = (user.clone(), Verdict::Yes, 0);
    let say = |app: &mut App<'_>, words: &str| match page {
        Some(page) => page.say(words),
        None => app.note(words),
    };
    while wrong < TRIES {
        let code = match page {
            Some(page) => page.ask(app, QUESTION)?,
            None => app.person("add --no-confirm")?.line(QUESTION)?,
        };
        if code.trim().is_empty() {
            break;
        }
        if !is_code(code.as_bytes()) {
            say(app, "that is no code of a list: type ten letters and digits");
            continue;
        }
        app.reopen_if_replaced(opened)?;
        let (verb, name) = (Enrol::NAME, &user.name);
        let attempted =
            authenticate::authenticate_code(app, opened, verb, name, Some(id), code.as_bytes())?;
        if attempted.outcome.lets_in() {
            return Ok((attempted.user, Verdict::Yes));
        }
        verdict = Verdict::No;
        wrong += 1;
        let is_locked = matches!(attempted.outcome, Outcome::Locked { .. });
        let sentence = VerifyReport::new(&attempted, &app.env.caller).sentence();
        latest = attempted.user;
        if is_locked || wrong == TRIES {
            // The page goes, so that its words would go with it.
            app.note(&sentence);
            break;
        }
        say(app, &sentence);
    }
    Ok((latest, verdict))
}

fn is_code(typed: &[u8]) -> bool {
    let submitted = Submitted::read(typed);
    submitted.backup_code().is_some_and(|code| code.kind == BackupCodeKind::Paper)
}
