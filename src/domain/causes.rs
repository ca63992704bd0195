//! The text of an error with its causes.

use std::error::Error;

/// An error and its causes on one line, each said once: some libraries name the cause in the text of an error too.
pub fn with_causes<'e>(chain: impl Iterator<Item = &'e (dyn Error + 'static)>) -> String {
    let mut text = String::new();
    for cause in chain.map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_an_error_names_itself_is_said_once() {
        for (causes, said) in [
            (
                &["network error: refused (os error 111)", "refused (os error 111)"][..],
                "network error: refused (os error 111)",
            ),
            (
                &["sending", "tls error: no certificate", "no certificate"],
                "sending: tls error: no certificate",
            ),
            (&["preparing TLS", "no host"], "preparing TLS: no host"),
            (&["alone"], "alone"),
            (&["a", "a"], "a"),
        ] {
            let errors: Vec<Box<dyn Error>> = causes.iter().map(|cause| (*cause).into()).collect();
            assert_eq!(with_causes(errors.iter().map(|error| &**error)), said);
        }
    }
}
