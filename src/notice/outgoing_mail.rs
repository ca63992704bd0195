//! A mail, before it is sent.

use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use data_encoding::HEXLOWER;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};

use crate::domain::text::shown;
use crate::domain::time::Timestamp;

/// A plain text, perhaps with a file. It has no link and no HTML, so that nobody learns to trust those in a mail about
/// their account.
pub struct OutgoingMail<'l> {
    /// The random part of the Message-ID.
    pub id: [u8; 16],
    pub at: Timestamp,
    pub to: &'l str,
    pub subject: String,
    pub text: String,
    pub attachment: Option<Attachment<'l>>,
}

/// A file of a mail. Its name is ours, so that nothing from outside gets into a header.
pub struct Attachment<'l> {
    pub name: &'static str,
    pub content_type: &'static str,
    pub content: &'l [u8],
}

impl OutgoingMail<'_> {
    pub(super) fn message(&self, from: &Mailbox) -> Result<Message> {
        let to = self.to.parse().context("the e-mail address can't be written to")?;
        let id = HEXLOWER.encode(&self.id);
        // RFC 3834: no vacation responder answers.
        let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to))
            .subject(shown(&self.subject))
            .date(UNIX_EPOCH + Duration::from_secs(self.at.unix()))
            .message_id(Some(format!("<{id}@{}>", from.email.domain())))
            .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()));
        let Some(file) = &self.attachment else {
            return Ok(message.header(ContentType::TEXT_PLAIN).body(self.text.clone())?);
        };
        let content_type = ContentType::parse(file.content_type)?;
        let attached = lettre::message::Attachment::new(file.name.to_owned())
            .body(file.content.to_vec(), content_type);
        let parts = MultiPart::mixed().boundary(id);
        let parts = parts.singlepart(SinglePart::plain(self.text.clone())).singlepart(attached);
        Ok(message.multipart(parts)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::Language;
    use crate::notice::Notice;
    use crate::notice::tests::sample;

    fn text_of(letter: &OutgoingMail<'_>) -> String {
        let from = "Helpdesk <mfa@example.org>".parse().unwrap();
        String::from_utf8(letter.message(&from).unwrap().formatted()).unwrap()
    }

    #[test]
    fn a_mail_is_plain_ascii_and_asks_for_no_automatic_reply() {
        let notice = Notice { language: Language::French, ..sample() };
        let text = text_of(&notice.letter("Exämple").unwrap());
        assert!(text.is_ascii(), "{text}");
        for header in [
            "From: Helpdesk <mfa@example.org>\r\n",
            "To: alice@example.com\r\n",
            "Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n",
            "Message-ID: <07070707070707070707070707070707@example.org>\r\n",
            "Auto-Submitted: auto-generated\r\n",
            "Content-Type: text/plain; charset=utf-8\r\n",
        ] {
            assert!(text.contains(header), "{header}: {text}");
        }
    }

    #[test]
    fn an_invalid_address_fails_and_injects_no_header() {
        let from = "mfa@example.org".parse().unwrap();
        for bad in ["alice", "a@b\r\nBcc: eve@example.com", "a@b, eve@example.com", ""] {
            let notice = Notice { email: Some(bad.into()), ..sample() };
            let letter = notice.letter("x").unwrap();
            assert!(letter.message(&from).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_file_is_attached_behind_the_text_whatever_is_in_it() {
        let content = b"--07\r\n.\r\nBcc: eve@example.com\r\n\xff";
        let attachment = Attachment { name: "mfa.pdf", content_type: "application/pdf", content };
        let (subject, text) = ("x\r\nBcc: eve@example.com".to_owned(), "Bonjour é".to_owned());
        let at = sample().at;
        let letter = OutgoingMail {
            id: [7; 16],
            at,
            to: "alice@example.com",
            subject,
            text,
            attachment: Some(attachment),
        };
        let text = text_of(&letter);
        assert!(text.is_ascii() && !text.contains("\nBcc"), "{text}");
        for part in [
            "Content-Type: multipart/mixed; boundary=\"07070707070707070707070707070707\"\r\n",
            "Content-Disposition: attachment; filename=\"mfa.pdf\"\r\n",
            "Content-Type: application/pdf\r\n",
            &data_encoding::BASE64.encode(content),
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
