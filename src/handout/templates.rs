//! Pages from templates: the program's own, or those of a site.
//!
//! The engine keeps copies of what it prints, the secrets too, until the page is written. They are not wiped.

use std::error::Error as _;
use std::io;

use anyhow::Result;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use unicode_width::UnicodeWidthStr as _;
use zeroize::Zeroizing;

use crate::config::HandoutSettings;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::{shown, wrapped};
use crate::files::file_trust::{FilePolicy, display_path};
use crate::handout::made_up;
use crate::handout::page::Handout;
use crate::handout::placeholders::Placeholders;
use crate::handout::template_file::TemplateFolder;

const HTML: &str = "handout.html";
const TEXT: &str = "handout.txt";

/// The pages that the program has, by the names under which templates of a site can extend or include them too.
const OWN: [(&str, &str); 4] = [
    (HTML, include_str!("templates/handout.html")),
    (TEXT, include_str!("templates/handout.txt")),
    ("standard.html", include_str!("templates/handout.html")),
    ("standard.txt", include_str!("templates/handout.txt")),
];

/// Columns of a text, as mail and editors show it.
const COLUMNS: usize = 78;
/// Largest page: a loop must not fill the memory.
const LARGEST_PAGE: usize = 4 << 20;
/// What a template may do, in units of minijinja: one for an instruction, and one for each 64 bytes that it makes. The
/// program's own use less than a twentieth of it.
const FUEL: u64 = 200_000;

/// What a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Markup {
    Html,
    Text,
}

/// The templates of the pages: the program's own, or those of a site. Read once, used for every page.
pub struct Templates {
    html: Environment<'static>,
    text: Environment<'static>,
    folder: Option<TemplateFolder>,
}

/// What a template of a site makes of a made-up user.
pub struct Trial {
    /// The file, as it is shown to people.
    pub file: String,
    /// Why no page can be made with it.
    pub refusal: Option<Refusal>,
    /// Neither the QR code nor the key is on its page.
    pub lacks_secret: bool,
}

impl Templates {
    /// Reads the site's folder, if it has one.
    ///
    /// Fails with `not_permitted` for a file that others can change, and with `config` for a template that can't be
    /// read, naming file and line.
    pub fn load(settings: &HandoutSettings, file_policy: &FilePolicy) -> Result<Self> {
        let folder = settings.templates.as_deref();
        let folder = folder.map(|path| TemplateFolder::open(path, file_policy)).transpose()?;
        let html = environment(folder.clone(), AutoEscape::Html);
        let mut text = environment(folder.clone(), AutoEscape::None);
        text.add_filter("wrap", wrap);
        let templates = Self { html, text, folder };
        if templates.folder.is_some() {
            for form in [Markup::Html, Markup::Text] {
                let (environment, name) = templates.of(form);
                environment.get_template(name).map_err(|error| templates.refusal(name, &error))?;
            }
        }
        Ok(templates)
    }

    /// Writes the page as a file.
    pub fn render(&self, handout: &Handout, markup: Markup) -> Result<Zeroizing<Vec<u8>>> {
        let placeholders = match markup {
            Markup::Html => Placeholders::html(handout)?,
            Markup::Text => Placeholders::text(handout)?,
        };
        let (environment, name) = self.of(markup);
        let mut page = PageWriter(Zeroizing::new(Vec::with_capacity(64 << 10)));
        let values = Value::from(Serde(&placeholders));
        let template = environment.get_template(name);
        let made =
            template.and_then(|template| template.render_captured_to(values, &mut page).map(drop));
        made.map_err(|error| self.refusal(name, &error))?;
        Ok(page.0)
    }

    /// What the page takes of [`FUEL`], in HTML and as text.
    #[cfg(test)]
    pub fn fuel_of(&self, handout: &Handout) -> [u64; 2] {
        [(Markup::Html, Placeholders::html(handout)), (Markup::Text, Placeholders::text(handout))]
            .map(|(form, placeholders)| {
                let (environment, name) = self.of(form);
                let template = environment.get_template(name).unwrap();
                let values = Value::from(Serde(&placeholders.unwrap()));
                let captured = template.render_captured_to(values, io::sink()).unwrap();
                captured.state().fuel_levels().unwrap().0
            })
    }

    /// Makes a page of each template of the site, of a user who has everything and of one who has nothing that a page
    /// can do without.
    pub fn try_out(&self) -> Vec<Trial> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let forms = [Markup::Html, Markup::Text].into_iter();
        let own = forms.filter(|form| matches!(folder.read(self.of(*form).1), Ok(Some(_))));
        own.map(|form| self.trial(folder, form)).collect()
    }

    fn trial(&self, folder: &TemplateFolder, form: Markup) -> Trial {
        let file = display_path(&folder.path.join(self.of(form).1));
        let full = self.render(&made_up::with_everything(), form);
        let bare = self.render(&made_up::with_little(), form);
        let as_refusal = |error: anyhow::Error| match error.downcast::<Refusal>() {
            Ok(refusal) => refusal,
            Err(error) => Refusal::new(ErrorCode::Config, shown(&error.to_string())),
        };
        let shows = |page: &[u8]| {
            let text = String::from_utf8_lossy(page);
            made_up::SECRETS.iter().any(|secret| text.contains(secret)) || has_qr(&text, form)
        };
        let lacks_secret = full.as_ref().is_ok_and(|page| !shows(page));
        let refusal = full.and(bare).err().map(as_refusal);
        Trial { file, refusal, lacks_secret }
    }

    const fn of(&self, form: Markup) -> (&Environment<'static>, &'static str) {
        match form {
            Markup::Html => (&self.html, HTML),
            Markup::Text => (&self.text, TEXT),
        }
    }

    /// Where an error is, as people find it.
    fn place(&self, name: &str, error: &Error) -> String {
        let file = error.name().unwrap_or(name);
        let file = match &self.folder {
            Some(folder) => display_path(&folder.path.join(file)),
            None => shown(file).into_owned(),
        };
        match error.line() {
            Some(line) => format!("the template {file}, line {line}"),
            None => format!("the template {file}"),
        }
    }

    /// Why a file is not read, with the line that asks for it, if one does. What is wrong in a line of the file itself
    /// says so already.
    fn about_file(&self, name: &str, asking: &Error, refusal: &Refusal) -> Refusal {
        let refusal = refusal.clone();
        if refusal.context.is_some() || asking.line().is_none() {
            return refusal;
        }
        refusal.within(self.place(name, asking))
    }

    /// What is wrong, with file and line, in words for the people of the site.
    fn refusal(&self, name: &str, error: &Error) -> anyhow::Error {
        let mut cause = error.source();
        let mut innermost = error;
        while let Some(source) = cause {
            if let Some(refusal) = source.downcast_ref::<Refusal>() {
                return self.about_file(name, innermost, refusal).into();
            }
            if let Some(error) = source.downcast_ref::<Error>() {
                innermost = error;
            }
            cause = source.source();
        }
        let place = self.place(name, innermost);
        let detail = innermost.detail().map_or_else(|| innermost.kind().to_string(), str::to_owned);
        let (problem, hint) = match innermost.kind() {
            ErrorKind::UndefinedError => {
                (shown(&detail).into_owned(), "docs/handouts.md lists the placeholders")
            }
            ErrorKind::OutOfFuel => {
                ("does too much for one page".to_owned(), "end its loops, and make them shorter")
            }
            ErrorKind::WriteFailure => (
                "makes a page of more than 4 MiB".to_owned(),
                "end its loops, and make them shorter",
            ),
            ErrorKind::TemplateNotFound => (
                shown(&detail).into_owned(),
                "name a file of the same folder, or standard.html or standard.txt",
            ),
            _ => (shown(&detail).into_owned(), "mend the template"),
        };
        Refusal::new(ErrorCode::Config, problem).within(place).hint(hint).into()
    }
}

fn has_qr(page: &str, form: Markup) -> bool {
    let handout = made_up::with_everything();
    let qr = match form {
        Markup::Html => Placeholders::html(&handout),
        Markup::Text => Placeholders::text(&handout),
    };
    qr.is_ok_and(|placeholders| placeholders.qr_is_in(page))
}

/// Every template escapes alike, also one that is included under another kind of name.
fn environment(folder: Option<TemplateFolder>, escape: AutoEscape) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(move |_| escape.clone());
    environment.set_fuel(Some(FUEL));
    // Errors name the placeholder. What else the engine remembers for them is never printed.
    environment.set_debug(folder.is_some());
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()
            .unwrap_or_default(),
    );
    environment.set_loader(move |name| {
        let of_site = folder.as_ref().map(|folder| folder.read(name)).transpose();
        let of_site = of_site.map_err(|error| {
            let unreadable = Error::new(ErrorKind::InvalidOperation, "a template can't be read");
            match error.downcast::<Refusal>() {
                Ok(refusal) => unreadable.with_source(refusal),
                Err(error) => unreadable.with_source(io::Error::other(error.to_string())),
            }
        })?;
        let own = || OWN.iter().find(|(own, _)| *own == name).map(|(_, text)| (*text).to_owned());
        Ok(of_site.flatten().or_else(own))
    });
    environment
}

/// The words in lines, the first behind a lead such as `1. `, the others below its end.
fn wrap(text: &str, lead: Option<&str>) -> String {
    let lead = lead.unwrap_or_default();
    let margin = " ".repeat(lead.width());
    let lines = wrapped(text, COLUMNS.saturating_sub(lead.width()));
    let line = |(at, line): (usize, &String)| {
        format!("{}{line}", if at == 0 { lead } else { margin.as_str() })
    };
    lines.iter().enumerate().map(line).collect::<Vec<_>>().join("\n")
}

/// A page in memory that is wiped, of bounded length.
struct PageWriter(Zeroizing<Vec<u8>>);

impl io::Write for PageWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let needed = self.0.len() + bytes.len();
        if needed > LARGEST_PAGE {
            return Err(io::Error::other("the page is too large"));
        }
        if needed > self.0.capacity() {
            // A vector that grows by itself leaves its bytes behind.
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * needed));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
