//! Notices by mail: one connection for all, with a time limit for each.

use std::time::{Duration, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use data_encoding::HEXLOWER;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::runtime::Builder;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{Delivery, Notice};
use crate::config::{Mail, TlsMode};
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::files::file_trust::{FileKind, FilePolicy, display_path};
use crate::notice::deadline::Deadline;
use crate::notice::mail_text::MailText;

/// Time for QUIT, on which no mail depends.
const QUIT_TIMEOUT: Duration = Duration::from_millis(500);

/// Sends to every user who has an address.
pub fn send(
    mail: &Mail,
    file_policy: &FilePolicy,
    issuer: &str,
    notices: &[Notice],
    deadline: Deadline,
) -> Vec<Delivery> {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return vec![Delivery::Failed(error.to_string()); notices.len()],
    };
    let mut mailer = Mailer { mail, file_policy, issuer, deadline, open: None, gave_up: None };
    let deliveries = runtime.block_on(mailer.all(notices));
    // Does not wait for a DNS query that is still running.
    runtime.shutdown_background();
    deliveries
}

/// An SMTP session.
struct Mailer<'a> {
    mail: &'a Mail,
    file_policy: &'a FilePolicy,
    issuer: &'a str,
    deadline: Deadline,
    open: Option<AsyncSmtpConnection>,
    /// Why the server is not tried again.
    gave_up: Option<String>,
}

impl Mailer<'_> {
    async fn all(&mut self, notices: &[Notice]) -> Vec<Delivery> {
        let mut deliveries = Vec::with_capacity(notices.len());
        for notice in notices {
            deliveries.push(self.deliver_in_time(notice).await);
        }
        if let (Some(mut open), Some(remaining)) = (self.open.take(), self.deadline.remaining()) {
            let _ = timeout(remaining.min(QUIT_TIMEOUT), open.quit()).await;
        }
        deliveries
    }

    async fn deliver_in_time(&mut self, notice: &Notice) -> Delivery {
        let Some(email) = &notice.email else { return Delivery::NoAddress };
        if let Some(why) = &self.gave_up {
            return Delivery::Failed(why.clone());
        }
        if let Some(remaining) = self.deadline.remaining()
            && let Ok(sent) = timeout(remaining, self.write_before_commit(notice, email)).await
        {
            return match sent {
                Ok(()) => Delivery::Sent,
                Err(error) => Delivery::Failed(error_text(&error)),
            };
        }
        self.open = None;
        Delivery::Failed(self.gave_up.insert(self.deadline.timeout_message()).clone())
    }

    async fn write_before_commit(&mut self, notice: &Notice, email: &str) -> Result<()> {
        let message = message(self.mail, self.issuer, notice, email)?;
        let mut open = match self.open.take() {
            Some(open) => open,
            None => match self.connect().await {
                Ok(open) => open,
                Err(error) => {
                    self.gave_up = Some(error_text(&error));
                    return Err(error);
                }
            },
        };
        // A connection is kept only after a success; otherwise the next recipient gets a new one.
        open.send(message.envelope(), &message.formatted()).await?;
        self.open = Some(open);
        Ok(())
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection> {
        let Mail { host, port, tls_mode, login, .. } = self.mail;
        let client_id = ClientId::default();
        let tls = || TlsParameters::new(host.clone()).context("preparing TLS");
        let wrapper = if *tls_mode == TlsMode::Tls { Some(tls()?) } else { None };
        let server = (host.as_str(), *port);
        let mut open =
            AsyncSmtpConnection::connect_tokio1(server, None, &client_id, wrapper, None).await?;
        if *tls_mode == TlsMode::StartTls {
            open.starttls(tls()?, &client_id).await?;
        }
        if let Some(login) = login {
            let password = self.password(&login.password_file)?;
            let credentials = Credentials::new(login.user.clone(), password.to_string());
            open.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        Ok(open)
    }

    /// The first line of the password file.
    fn password(&self, path: &std::path::Path) -> Result<Zeroizing<String>> {
        let refuse = |problem: &str| {
            Refusal::new(ErrorCode::Config, format!("{} {problem}", display_path(path)))
        };
        if !self.file_policy.check(path, FileKind::Password)? {
            return Err(refuse("does not exist").into());
        }
        let text = std::fs::read_to_string(path).map(Zeroizing::new);
        let text = text.map_err(|e| refuse(&format!("can't be read: {}", e.kind())))?;
        let line = text.lines().next().filter(|line| !line.is_empty());
        Ok(Zeroizing::new(line.ok_or_else(|| refuse("is empty"))?.to_owned()))
    }
}

fn message(mail: &Mail, issuer: &str, notice: &Notice, email: &str) -> Result<Message> {
    let to = email.parse().context("the e-mail address can't be written to")?;
    let MailText { subject, text } = MailText::of(notice, issuer);
    let id = format!("<{}@{}>", HEXLOWER.encode(&notice.id), mail.from.email.domain());
    // RFC 3834: no vacation responder answers.
    let automatic = HeaderName::new_from_ascii_str("Auto-Submitted");
    let message = Message::builder()
        .from(mail.from.clone())
        .to(Mailbox::new(None, to))
        .subject(subject)
        .date(UNIX_EPOCH + Duration::from_secs(notice.at.unix()))
        .message_id(Some(id))
        .raw_header(HeaderValue::new(automatic, "auto-generated".to_owned()))
        .header(ContentType::TEXT_PLAIN)
        .body(text)?;
    Ok(message)
}

/// The error on one line of at most 200 characters, whatever the server put into it.
fn error_text(error: &anyhow::Error) -> String {
    const LONGEST: usize = 200;
    let text = format!("{error:#}").replace(['\r', '\n'], " ");
    shown(&text).chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::user::Language;
    use crate::notice::tests::sample;

    fn mail() -> Mail {
        let from = "Helpdesk <mfa@example.org>".parse().unwrap();
        Mail { host: "localhost".into(), port: 25, tls_mode: TlsMode::Local, from, login: None }
    }

    #[test]
    fn a_mail_is_plain_ascii_and_asks_for_no_automatic_reply() {
        let notice = Notice { language: Language::French, ..sample() };
        let message = message(&mail(), "Exämple", &notice, "alice@example.com").unwrap();
        let text = String::from_utf8(message.formatted()).unwrap();
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
        for bad in ["alice", "a@b\r\nBcc: eve@example.com", "a@b, eve@example.com", ""] {
            assert!(message(&mail(), "x", &sample(), bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn text_from_a_server_stays_on_one_line() {
        let text = error_text(&anyhow::anyhow!(
            "550 no\r\n\u{1b}[2Jmfactl: all is well{}",
            "x".repeat(999)
        ));
        assert!(text.chars().count() <= 200 && !text.chars().any(char::is_control), "{text}");
    }
}
