//! No verb but the pages for many users, which `enrol --from` with `--handouts` writes: a new folder with a page for each.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::thread;

use anyhow::{Result, anyhow};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use zeroize::Zeroizing;

use crate::app::App;
use crate::app::operator_files;
use crate::commands::bulk::pages::{INDEX, PagesReport, WrittenPages};
use crate::commands::handout::page::{PageOptions, PageSecrets, Pages};
use crate::domain::audit::event::Ticket;
use crate::domain::file_names::FileNames;
use crate::domain::otpauth::AppSettings;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::secret::{Id, Secret};
use crate::domain::user::{HandedOut, User};
use crate::files::operator_folder::NewEntry;
use crate::handout::HandoutForm;
use crate::report::push_csv_row;

/// The option, in messages.
const OPTION: &str = "--handouts";
/// The folder of those who are in no group. No group has this name.
const NO_GROUP: &str = "no-group~";
/// Pages that are in memory at once.
const BATCH: usize = 64;
/// Threads that make pages: more have nothing to do while the pages are written.
const THREADS: usize = 2;

/// The options of a verb that makes devices for a list, for the pages about them.
#[derive(Args, Clone, Debug)]
pub struct HandoutsOptions {
    /// With --from: a page for each user, in a new folder
    ///
    /// The folder gets mode 0700, each page 0600 and the name of its user. Users whose device is made get one, in their
    /// language; index.csv says who has which, without secrets. All pages are on the disk before anybody is enrolled:
    /// until then the folder is called DIR.unfinished, and nothing in it may be handed out.
    #[arg(long, value_name = "DIR", requires = "from", conflicts_with = "handout")]
    handouts: Option<PathBuf>,
    /// Form of these pages [default: html]
    #[arg(long, hide_short_help = true, value_name = "FORM", value_enum, requires = "handouts")]
    form: Option<HandoutForm>,
    /// Put these pages into a folder for each group
    ///
    /// A user of several groups has one page, in the folder of the first group in the alphabet. Users of no group are in
    /// no-group~.
    #[arg(long, hide_short_help = true, value_name = "BY", value_enum, requires = "handouts")]
    group_by: Option<FolderKey>,
}

/// What decides on the folder of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FolderKey {
    Group,
}

/// Pages that are to be written into a new folder.
pub struct NewPages {
    pages: Pages,
    form: HandoutForm,
    path: PathBuf,
    folder_key: Option<FolderKey>,
}

/// Whom a page is for, and the device that it is about, before both are in the store.
pub struct PageSubject<'s> {
    pub user: User,
    pub device: Id,
    pub secret: &'s Secret,
}

impl HandoutsOptions {
    #[must_use]
    pub const fn is_given(&self) -> bool {
        self.handouts.is_some()
    }

    /// Reads what all pages need, and tries whether the folder can be made. `None` where no pages are wanted.
    pub fn prepare(
        &self,
        app: &mut App<'_>,
        options: &PageOptions,
        settings: &AppSettings,
        ticket: &Ticket,
    ) -> Result<Option<NewPages>> {
        let Some(path) = &self.handouts else { return Ok(None) };
        let form = self.form.unwrap_or(HandoutForm::Html);
        let pages = Pages::new(app, options, form, ticket)?;
        pages.check_settings(app, settings)?;
        // Removed again: an interrupt at a question that follows leaves nothing.
        drop(operator_files::new_folder(app, path, OPTION)?);
        Ok(Some(NewPages { pages, form, path: path.clone(), folder_key: self.group_by }))
    }
}

impl NewPages {
    /// Says where so many pages would be.
    pub fn rehearse(&self, app: &mut App<'_>, count: u64) -> PagesReport {
        PagesReport::rehearsed(app, &self.path, self.form.word(), count)
    }

    /// Writes a page for each, durably. The pages of one batch are in memory at once, and no more.
    pub fn write<'s>(
        &self,
        app: &mut App<'_>,
        count: u64,
        mut subjects: impl Iterator<Item = Result<PageSubject<'s>>>,
    ) -> Result<WrittenPages> {
        let mut folder = operator_files::new_folder(app, &self.path, OPTION)?;
        let bar = app.progress_bar(count);
        let mut places = Places::new(self);
        let written = (|| {
            loop {
                let batch: Vec<_> = subjects.by_ref().take(BATCH).collect::<Result<_>>()?;
                if batch.is_empty() {
                    break;
                }
                let mut entries = Vec::with_capacity(2 * batch.len());
                for (subject, page) in batch.iter().zip(self.render(&batch)?) {
                    let place = places.of(&subject.user, &mut entries);
                    entries.push(NewEntry::File(place, page));
                }
                folder.write(entries)?;
                bar.inc(batch.len() as u64);
            }
            let index = Zeroizing::new(std::mem::take(&mut places.index).into_bytes());
            folder.write(vec![NewEntry::File(INDEX.into(), index)])?;
            Ok(folder.sync()?)
        })();
        bar.finish_and_clear();
        written.map(|()| WrittenPages::new(folder, self.form.word(), count))
    }

    /// The pages of a batch, in its order.
    fn render(&self, batch: &[PageSubject<'_>]) -> Result<Vec<Zeroizing<Vec<u8>>>> {
        let threads = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
        let part = batch.len().div_ceil(threads).max(1);
        let (first, rest) = batch.split_at(part.min(batch.len()));
        thread::scope(|scope| {
            let others: Vec<_> = rest
                .chunks(part)
                .map(|part| {
                    let builder = thread::Builder::new();
                    (part, builder.spawn_scoped(scope, || self.render_part(part)))
                })
                .collect();
            let mut pages = self.render_part(first)?;
            for (part, thread) in others {
                pages.append(&mut match thread {
                    Ok(thread) => thread.join().map_err(|_| anyhow!("no page was made"))??,
                    // There is no room for another thread.
                    Err(_) => self.render_part(part)?,
                });
            }
            Ok(pages)
        })
    }

    fn render_part(&self, part: &[PageSubject<'_>]) -> Result<Vec<Zeroizing<Vec<u8>>>> {
        part.iter().map(|subject| self.page(subject)).collect()
    }

    fn page(&self, subject: &PageSubject<'_>) -> Result<Zeroizing<Vec<u8>>> {
        let PageSubject { user, device, secret } = subject;
        let secrets = PageSecrets { secret: Some(secret), ..PageSecrets::default() };
        let page = self.pages.write(user, HandedOut::Device(user.device(*device)?), &secrets);
        page.map_err(|error| match error.downcast::<Refusal>() {
            // A letter or a length that a page of PDF has no room for.
            Ok(refusal) if refusal.code == ErrorCode::BadInput => refusal
                .within(format!("the page of {}", user.name))
                .hint("nothing was changed; use --form html")
                .into(),
            Ok(refusal) => refusal.into(),
            Err(error) => error,
        })
    }
}

/// The names of the pages, and the index of them.
struct Places {
    extension: String,
    folder_key: Option<FolderKey>,
    /// Of the folder itself: index, folders, and pages that are in none of these.
    top: FileNames,
    /// The folder of each group, with the names in it.
    folders: BTreeMap<Option<String>, (PathBuf, FileNames)>,
    index: String,
}

impl Places {
    fn new(pages: &NewPages) -> Self {
        let mut index = String::new();
        push_csv_row(&mut index, ["user", "display_name", "groups", "file"].into_iter());
        Self {
            extension: format!(".{}", pages.form.word()),
            folder_key: pages.folder_key,
            top: FileNames::with(&[INDEX]),
            folders: BTreeMap::new(),
            index,
        }
    }

    /// The place of a user's page, which goes into the index; a folder that is new for it goes into the entries.
    fn of(&mut self, user: &User, entries: &mut Vec<NewEntry>) -> PathBuf {
        let (name, profile) = (user.name.as_str(), &user.profile);
        let place = match self.folder_key {
            None => PathBuf::from(self.top.file(name, &self.extension)),
            Some(FolderKey::Group) => {
                let group = profile.groups.first().cloned();
                let (folder, names) = self.folders.entry(group).or_insert_with_key(|group| {
                    let folder =
                        PathBuf::from(self.top.folder(group.as_deref().unwrap_or(NO_GROUP)));
                    entries.push(NewEntry::Folder(folder.clone()));
                    (folder, FileNames::default())
                });
                folder.join(names.file(name, &self.extension))
            }
        };
        let display_name = profile.display_name.as_deref().unwrap_or_default();
        let (groups, file) = (profile.groups.join(";"), place.to_string_lossy());
        push_csv_row(&mut self.index, [name, display_name, &groups, &file].into_iter());
        place
    }
}

impl ValueEnum for HandoutForm {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.word()))
    }
}
