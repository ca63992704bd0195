//! Pages for the users of a list, which are on the disk before the list is changed.

use std::path::Path;

use serde::Serialize;

use crate::app::App;
use crate::domain::text::counted;
use crate::files::file_trust::display_path;
use crate::files::operator_folder::NewFolder;

/// Says who has which page. No page has this name.
pub const INDEX: &str = "index.csv";

/// Pages that are on the disk. On drop they are removed.
#[must_use]
pub struct WrittenPages {
    folder: NewFolder,
    form: &'static str,
    pages: u64,
}

/// Where the pages are.
#[derive(Serialize)]
pub struct PagesReport {
    folder: String,
    form: &'static str,
    pages: u64,
}

impl PagesReport {
    /// What a rehearsal says of pages that it does not write.
    pub fn rehearsed(app: &mut App<'_>, folder: &Path, form: &'static str, pages: u64) -> Self {
        let folder = display_path(folder);
        let counted = counted(pages, "page");
        app.note(&format!("would write {counted} and {INDEX} to the new folder {folder}"));
        Self { folder, form, pages }
    }
}

impl WrittenPages {
    /// `form` is the word for it in JSON.
    pub const fn new(folder: NewFolder, form: &'static str, pages: u64) -> Self {
        Self { folder, form, pages }
    }

    /// Call this after a commit of which nobody knows whether it was stored: the next run names the folder.
    pub fn leave(self) -> String {
        display_path(&self.folder.leave())
    }

    /// Call this after the commit. Says where the pages are.
    pub fn keep(self, app: &mut App<'_>) -> PagesReport {
        let (folder, error) = self.folder.keep();
        let report =
            PagesReport { folder: display_path(&folder), form: self.form, pages: self.pages };
        let (pages, at) = (counted(report.pages, "page"), &report.folder);
        if let Some(error) = error {
            app.warn(&format!(
                "the pages count, but their folder can't be renamed from {at}: {error}"
            ));
        }
        app.note(&format!(
            "wrote {pages} and {INDEX} to {at}; each page holds a secret: give it to its user only, and delete the folder \
             after printing"
        ));
        report
    }
}
