//! The page for the person with the phone: its content, and the forms that it takes.

mod compose;
mod form;
mod page;
mod pdf;

pub use compose::{ManualKey, Subject, compose};
pub use form::{Form, Templates};
pub use page::{CodeList, CodeTitle, Fact, Handout, Section, Sheet};
pub use pdf::{PdfForm, pdf};
