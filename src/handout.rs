//! The page for the person with the phone: its content, and the forms that it takes.

mod compose;
mod form;
mod made_up;
mod page;
mod pdf;
mod placeholders;
mod qr_code;
mod qr_drawing;
mod sections;
mod steps;
mod subject;
mod template_file;
mod template_tags;
mod templates;
mod writer;

pub use compose::compose;
pub use form::HandoutForm;
pub use subject::{HandoutSubject, ManualKey};
pub use templates::{Templates, Trial};
pub use writer::HandoutWriter;

#[cfg(test)]
pub mod tests;
