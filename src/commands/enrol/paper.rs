//! A printed list of codes, which are shown once.

use std::cell::RefCell;

use anyhow::Result;
use zeroize::Zeroizing;

use super::Enrol;
use super::course::{Added, Preparation, Prepared};
use crate::app::{App, language_of};
use crate::commands::Verb as _;
use crate::commands::first_code::{FirstCode, Proof, ask_until_proved, without_blanks};
use crate::commands::handout::page::{PageSecrets, WrittenPage};
use crate::domain::authenticate::Keys as _;
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
use crate::report::{Report, Verdict};
use crate::show::paper_list::{OpenList, PaperList};
use crate::show::secret_output::SecretOutput;
use crate::show::{Enrolment, pending_hint};
use crate::texts::Texts;

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
    let Prepared { name, mut opened, showing, page } = *prepared;
    let user = opened.store.read()?.user(&name)?;
    let draft = ListDraft::new(app, enrol.label_beside(user.as_ref())?, enrol.codes)?;
    let pending_for = app.config.pending_for;
    let make = |vault: &Vault, user, now| Ok(draft.device(vault, user, now, pending_for));
    let secrets = PageSecrets { paper_codes: draft.grouped(), ..PageSecrets::default() };
    let handout = enrol.write_page(app, &mut opened, (&name, page), make, &secrets)?;
    let added = enrol.add_device(app, &mut opened, &name, make);
    let (added, handout) = WrittenPage::beside(added, handout)?;
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
    // Whoever pipes the codes somewhere has not seen them yet, and a page is for the user.
    let asks = !enrol.confirm.no_confirm && handout.is_none() && app.env.prompt.is_some();
    let handout = handout.map(|page| page.keep(app));
    let list = PaperList {
        texts: Texts(language_of(app, Some(user))),
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
        let how = OfList { page: page.as_ref(), next_step: &next_step, said: RefCell::default() };
        let proof = ask_until_proved(app, &mut opened, Enrol::NAME, user, draft.id, *at, &how)?;
        if let (Some(_), Proof::NotProved(_)) = (&page, &proof) {
            // The page goes, and its words would go with it.
            app.note(&how.said.borrow());
        }
        proof.into_parts(user)
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
    record.extra.handout = handout;
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

/// A code that is read off the new list.
struct OfList<'a> {
    page: Option<&'a OpenList>,
    next_step: &'a str,
    /// What was said last.
    said: RefCell<String>,
}

impl FirstCode for OfList<'_> {
    fn ask(&self, app: &mut App<'_>) -> Result<Option<Zeroizing<Vec<u8>>>> {
        let line = match self.page {
            Some(page) => page.ask(app, QUESTION)?,
            None => app.person("add --no-confirm")?.line(QUESTION)?,
        };
        Ok(Some(without_blanks(&line)))
    }

    fn is_code(&self, _app: &App<'_>, code: &[u8], _at: Timestamp) -> bool {
        let submitted = Submitted::read(code);
        submitted.backup_code().is_some_and(|code| code.kind == BackupCodeKind::Paper)
    }

    fn form(&self) -> String {
        "that is no code of a list: type ten letters and digits".to_owned()
    }

    fn interrupted(&self, _app: &App<'_>) -> String {
        self.next_step.to_owned()
    }

    fn say(&self, app: &mut App<'_>, words: &str) {
        words.clone_into(&mut self.said.borrow_mut());
        match self.page {
            Some(page) => page.say(words),
            None => app.note(words),
        }
    }
}
