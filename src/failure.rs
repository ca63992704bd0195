//! Any error → words, hint, error code, exit code. The only place that knows the numbers.

use std::io::Write;

use anyhow::Error;
use serde::Serialize;

use crate::domain::refusal::{Code, Refusal};
use crate::domain::text::shown;

/// Why a run failed, ready to be told.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: &'static str,
    pub exit: u8,
    pub message: String,
    pub hint: Option<String>,
}

impl Failure {
    /// From whatever went wrong.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            return Self {
                code: refusal.code.word(),
                exit: exit(refusal.code),
                message: refusal.message.clone(),
                hint: refusal.hint.clone(),
            };
        }
        let is_io = error.chain().any(|cause| {
            let serde = cause.downcast_ref::<serde_json::Error>();
            cause.is::<std::io::Error>() || serde.is_some_and(serde_json::Error::is_io)
        });
        Self::new(if is_io { Code::Io } else { Code::Internal }, format!("{error:#}"))
    }

    fn new(code: Code, message: String) -> Self {
        Self { code: code.word(), exit: exit(code), message, hint: None }
    }

    /// Tells it on standard error; an error while telling is nobody's to hear.
    pub fn tell(&self, err: &mut dyn Write, json: bool) {
        if json {
            #[derive(Serialize)]
            struct Document<'a> {
                error: Told<'a>,
            }
            #[derive(Serialize)]
            struct Told<'a> {
                code: &'a str,
                message: &'a str,
                hint: Option<&'a str>,
            }
            let (message, hint) = (shown(&self.message), self.hint.as_deref().map(shown));
            let told = Told { code: self.code, message: &message, hint: hint.as_deref() };
            let _ = serde_json::to_writer(&mut *err, &Document { error: told });
            let _ = writeln!(err);
        } else {
            let _ = writeln!(err, "mfactl: error: {}", shown(&self.message));
            if let Some(hint) = &self.hint {
                let _ = writeln!(err, "mfactl: hint: {}", shown(hint));
            }
        }
        let _ = err.flush();
    }
}

/// The contract's numbers. 2 to 9 are never used: `FreeRADIUS` takes some of them for success, and
/// `OpenVPN` takes 2 for "later".
const fn exit(code: Code) -> u8 {
    match code {
        Code::Usage => 64,
        Code::BadInput => 65,
        Code::UserNotFound | Code::DeviceNotFound | Code::RequestNotFound => 67,
        Code::StoreUnavailable => 69,
        Code::Internal => 70,
        Code::CannotCreate => 73,
        Code::Io => 74,
        Code::Busy => 75,
        Code::UserExists
        | Code::NotEnabled
        | Code::Disabled
        | Code::AlreadyEnrolled
        | Code::NotPending
        | Code::PendingExpired
        | Code::AmbiguousDevice
        | Code::TooManyDevices
        | Code::StoreNewer
        | Code::NothingToUndo
        | Code::NoPassword
        | Code::TooManyChanges => 76,
        Code::NotPermitted => 77,
        Code::Config | Code::Key | Code::Damaged | Code::Tampered | Code::Clock => 78,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context as _;

    #[test]
    fn a_refusal_is_found_under_and_over_its_context() {
        let refusal = Refusal::new(Code::Busy, "the store is busy").hint("try again");
        let over: Error = anyhow::anyhow!("driver words").context(refusal.clone());
        let under = Err::<(), Error>(refusal.into()).context("while committing").unwrap_err();
        for error in [over, under] {
            let failure = Failure::of(&error);
            assert_eq!((failure.exit, failure.code), (75, "busy"), "{failure:?}");
        }
    }

    #[test]
    fn a_stream_that_fails_is_74_and_anything_else_that_is_no_refusal_a_bug() {
        let io = Error::new(std::io::Error::from(std::io::ErrorKind::StorageFull)).context("so");
        assert_eq!(Failure::of(&io).exit, 74);
        let json = serde_json::to_writer(Closed, "x").map_err(Error::new).unwrap_err();
        assert_eq!(Failure::of(&json).exit, 74);
        assert_eq!(Failure::of(&anyhow::anyhow!("so")).exit, 70);
    }

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_told_holds_no_control_characters() {
        let failure = Failure::new(Code::BadInput, "a\u{1b}[2J\nb".into());
        for json in [false, true] {
            let mut told = Vec::new();
            failure.tell(&mut told, json);
            let told = String::from_utf8(told).unwrap();
            assert!(!told.trim_end().contains(|c: char| c.is_control()), "{told:?}");
        }
    }
}
