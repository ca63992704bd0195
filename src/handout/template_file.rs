//! The templates of a site: which of its files are read.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::quoted;
use crate::files::file_trust::{FileKind, FilePolicy, display_path};
use crate::handout::template_tags;

/// Largest template.
const LARGEST: u64 = 256 << 10;

/// The folder with a site's templates, which only hold what is trusted as the configuration is.
#[derive(Clone, Debug)]
pub struct TemplateFolder {
    pub path: PathBuf,
    pub file_policy: FilePolicy,
}

impl TemplateFolder {
    /// Fails if there is no such folder: a site that names one does not want our pages.
    pub fn open(path: &Path, file_policy: &FilePolicy) -> Result<Self, Refusal> {
        if !path.is_dir() {
            let problem = format!("there is no folder {}", display_path(path));
            return Err(Refusal::config("handout.templates", problem)
                .hint("make the folder, or take the key out of the configuration"));
        }
        Ok(Self { path: path.to_owned(), file_policy: *file_policy })
    }

    /// The content of a file of this folder; `None` if there is none of this name.
    pub fn read(&self, name: &str) -> Result<Option<String>> {
        let is_plain = !name.is_empty()
            && !name.starts_with('.')
            && !name.contains(['/', '\\'])
            && !name.contains(char::is_control);
        if !is_plain {
            let problem = format!("{} is not the name of a template", quoted(name));
            return Err(Refusal::new(ErrorCode::Config, problem)
                .hint("name a file of the same folder, without a path")
                .into());
        }
        let path = self.path.join(name);
        if !self.file_policy.check(&path, FileKind::Template)? {
            return Ok(None);
        }
        let failed = |problem: &str| {
            let message = format!("the template {} {problem}", display_path(&path));
            Refusal::new(ErrorCode::Config, message)
        };
        let file = File::open(&path).map_err(|e| failed(&format!("can't be read: {e}")))?;
        let mut bytes = Vec::new();
        let read = file.take(LARGEST + 1).read_to_end(&mut bytes);
        read.map_err(|e| failed(&format!("can't be read: {e}")))?;
        if bytes.len() as u64 > LARGEST {
            return Err(failed("is larger than 256 KiB").hint("make it smaller").into());
        }
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| failed("is not UTF-8").hint("save it as UTF-8"))?;
        if let Some(fault) = template_tags::first_fault(&text) {
            let place = format!("the template {}, line {}", display_path(&path), fault.line);
            let refusal = Refusal::new(ErrorCode::Config, fault.problem);
            return Err(refusal.within(place).hint(fault.hint).into());
        }
        Ok(Some(text))
    }
}
