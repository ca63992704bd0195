//! The page for the person with the phone: its content, and the forms that it takes.

mod compose;
mod form;
mod made_up;
mod page;
mod placeholders;
mod qr_drawing;
mod sections;
mod steps;
mod subject;
mod template_file;
mod templates;
mod pdf;

pub use compose::compose;
pub use form::Form;
pub use page::{CodeList, CodeTitle, Fact, Handout, Section, Sheet};
pub use pdf::{PdfForm, pdf};
pub use subject::{ManualKey, Subject};
pub use templates::{Templates, Trial};

#[cfg(test)]
mod tests;
