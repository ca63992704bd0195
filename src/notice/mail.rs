//! Mails: one connection for all, with a time limit for each.

use std::time::Duration;

use anyhow::{Context as _, Result};
use lettre::transport::smtp::authentication::{Credentials, DEFAULT_MECHANISMS};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use tokio::runtime::Builder;
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{Delivery, OutgoingMail};
use crate::config::{Mail, TlsMode};
use crate::domain::causes::with_causes;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;
use crate::files::file_trust::{FileKind, FilePolicy, display_path};
use crate::notice::deadline::Deadline;

/// Time for QUIT, on which no mail depends.
const QUIT_TIMEOUT: Duration = Duration::from_millis(500);

/// Sends each letter; `None` stands for a user who has no address.
pub fn send(
    mail: &Mail,
    file_policy: &FilePolicy,
    letters: &[Option<&OutgoingMail<'_>>],
    deadline: Deadline,
) -> Vec<Delivery> {
    let runtime = match Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return vec![Delivery::Failed(error.to_string()); letters.len()],
    };
    let mut mailer = Mailer { mail, file_policy, deadline, open: None, gave_up: None };
    let deliveries = runtime.block_on(mailer.all(letters));
    // Does not wait for a DNS query that is still running.
    runtime.shutdown_background();
    deliveries
}

/// An SMTP session.
struct Mailer<'a> {
    mail: &'a Mail,
    file_policy: &'a FilePolicy,
    deadline: Deadline,
    open: Option<AsyncSmtpConnection>,
    /// Why the server is not tried again.
    gave_up: Option<String>,
}

impl Mailer<'_> {
    async fn all(&mut self, letters: &[Option<&OutgoingMail<'_>>]) -> Vec<Delivery> {
        let mut deliveries = Vec::with_capacity(letters.len());
        for letter in letters {
            deliveries.push(match letter {
                Some(letter) => self.deliver_in_time(letter).await,
                None => Delivery::NoAddress,
            });
        }
        if let (Some(mut open), Some(remaining)) = (self.open.take(), self.deadline.remaining()) {
            let _ = timeout(remaining.min(QUIT_TIMEOUT), open.quit()).await;
        }
        deliveries
    }

    async fn deliver_in_time(&mut self, letter: &OutgoingMail<'_>) -> Delivery {
        if let Some(why) = &self.gave_up {
            return Delivery::Failed(why.clone());
        }
        if let Some(remaining) = self.deadline.remaining()
            && let Ok(sent) = timeout(remaining, self.hand_over(letter)).await
        {
            return match sent {
                Ok(()) => Delivery::Sent,
                Err(error) => Delivery::Failed(error_text(&error)),
            };
        }
        self.open = None;
        Delivery::Failed(self.gave_up.insert(self.deadline.timeout_message()).clone())
    }

    async fn hand_over(&mut self, letter: &OutgoingMail<'_>) -> Result<()> {
        let message = letter.message(&self.mail.from)?;
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
        open.send(message.envelope(), &Zeroizing::new(message.formatted())).await?;
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

/// The error on one line of at most 200 characters, whatever the server put into it.
fn error_text(error: &anyhow::Error) -> String {
    const LONGEST: usize = 200;
    let text = with_causes(error.chain()).replace(['\r', '\n'], " ");
    shown(&text).chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_gone_is_said_once() {
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let client = ClientId::default();
        let connect = AsyncSmtpConnection::connect_tokio1(gone, None, &client, None, None);
        let error = runtime.block_on(connect).err().unwrap();
        let text = error_text(&error.into());
        assert_eq!(text.matches("refused").count(), 1, "{text}");
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
