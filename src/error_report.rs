//! Turns any error into a message, a hint and an error code, and maps error codes to exit codes.

use std::io::Write;

use anyhow::Error;
use serde::Serialize;

use crate::domain::caller::Caller;
use crate::domain::causes::with_causes;
use crate::domain::hint::Hint;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::text::shown;

/// An error as the user sees it.
#[derive(Debug, PartialEq, Eq)]
pub struct ErrorReport {
    pub code: &'static str,
    pub exit: u8,
    pub message: String,
    pub hint: Option<Hint>,
}

impl ErrorReport {
    #[must_use]
    pub fn of(error: &Error) -> Self {
        if let Some(refusal) = error.downcast_ref::<Refusal>() {
            return Self {
                code: refusal.code.word(),
                exit: exit(refusal.code),
                message: refusal.to_string(),
                hint: refusal.hint.clone(),
            };
        }
        let is_io = error.chain().any(|cause| {
            let serde = cause.downcast_ref::<serde_json::Error>();
            cause.is::<std::io::Error>() || serde.is_some_and(serde_json::Error::is_io)
        });
        Self::new(
            if is_io { ErrorCode::Io } else { ErrorCode::Internal },
            with_causes(error.chain()),
        )
    }

    fn new(code: ErrorCode, message: String) -> Self {
        Self { code: code.word(), exit: exit(code), message, hint: None }
    }

    /// Write errors are ignored: there is nowhere to report them.
    pub fn write(&self, err: &mut dyn Write, json: bool, caller: &Caller) {
        let hint = self.hint.as_ref().map(|hint| caller.words(hint));
        let hint = hint.as_deref().map(shown);
        if json {
            #[derive(Serialize)]
            struct ErrorDocument<'a> {
                error: ErrorBody<'a>,
            }
            #[derive(Serialize)]
            struct ErrorBody<'a> {
                code: &'a str,
                message: &'a str,
                hint: Option<&'a str>,
            }
            let message = shown(&self.message);
            let body = ErrorBody { code: self.code, message: &message, hint: hint.as_deref() };
            let _ = serde_json::to_writer(&mut *err, &ErrorDocument { error: body });
            let _ = writeln!(err);
        } else {
            let _ = writeln!(err, "mfactl: error: {}", shown(&self.message));
            if let Some(hint) = &hint {
                let _ = writeln!(err, "mfactl: hint: {hint}");
            }
        }
        let _ = err.flush();
    }
}

/// The message of an error that does not end the run: of the refusal, where there is one.
#[must_use]
pub fn message(error: &Error) -> String {
    // The one that was added last, which the chain's own causes do not show.
    let refusal = error.downcast_ref::<Refusal>();
    refusal.map_or_else(|| error.to_string(), ToString::to_string)
}

/// 2 to 9 are never used: `FreeRADIUS` takes some of them for success, and `OpenVPN` takes 2 for a
/// deferred answer.
const fn exit(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::Usage => 64,
        ErrorCode::BadInput => 65,
        ErrorCode::UserNotFound
        | ErrorCode::DeviceNotFound
        | ErrorCode::RequestNotFound
        | ErrorCode::TokenNotFound => 67,
        ErrorCode::StoreUnavailable => 69,
        ErrorCode::Internal => 70,
        ErrorCode::CannotCreate => 73,
        ErrorCode::Io => 74,
        ErrorCode::Busy => 75,
        ErrorCode::UserExists
        | ErrorCode::NotEnabled
        | ErrorCode::Disabled
        | ErrorCode::AlreadyEnrolled
        | ErrorCode::NotPending
        | ErrorCode::NotActive
        | ErrorCode::Locked
        | ErrorCode::CannotResync
        | ErrorCode::IncompatibleApp
        | ErrorCode::PendingExpired
        | ErrorCode::AmbiguousDevice
        | ErrorCode::TooManyDevices
        | ErrorCode::TokenAssigned
        | ErrorCode::TokenLost
        | ErrorCode::StoreNewer
        | ErrorCode::NothingToUndo
        | ErrorCode::NoPassword
        | ErrorCode::TooManyChanges
        | ErrorCode::NoAddress
        | ErrorCode::AddressChanged
        | ErrorCode::TooManyMails => 76,
        ErrorCode::NotPermitted => 77,
        ErrorCode::Config
        | ErrorCode::Key
        | ErrorCode::Damaged
        | ErrorCode::Tampered
        | ErrorCode::Clock => 78,
    }
}

#[cfg(test)]
mod tests {
    use crate::error_report::*;
    use anyhow::Context as _;

    #[test]
    fn a_refusal_is_recognised_below_and_above_other_context() {
        let refusal = Refusal::new(ErrorCode::Busy, "the store is busy").hint("try again");
        let over: Error = anyhow::anyhow!("driver message").context(refusal.clone());
        let under = Err::<(), Error>(refusal.into()).context("while committing").unwrap_err();
        for error in [over, under] {
            let report = ErrorReport::of(&error);
            assert_eq!((report.exit, report.code), (75, "busy"), "{report:?}");
        }
    }

    #[test]
    fn a_stream_error_is_74_and_any_other_error_is_a_bug() {
        let io = Error::new(std::io::Error::from(std::io::ErrorKind::StorageFull)).context("so");
        assert_eq!(ErrorReport::of(&io).exit, 74);
        let json = serde_json::to_writer(Closed, "x").map_err(Error::new).unwrap_err();
        assert_eq!(ErrorReport::of(&json).exit, 74);
        assert_eq!(ErrorReport::of(&anyhow::anyhow!("so")).exit, 70);
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
    fn output_has_no_control_characters() {
        let report = ErrorReport::new(ErrorCode::BadInput, "a\u{1b}[2J\nb".into());
        for json in [false, true] {
            let mut written = Vec::new();
            report.write(&mut written, json, &Caller::default());
            let written = String::from_utf8(written).unwrap();
            assert!(!written.trim_end().contains(|c: char| c.is_control()), "{written:?}");
        }
    }
}
