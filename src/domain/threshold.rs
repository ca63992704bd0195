//! Threshold ranges of monitoring plugins (Monitoring Plugins Development Guidelines, section 2.5).

use std::fmt;

use crate::domain::refusal::Refusal;
use crate::domain::text::quoted;

/// The range of values that raise no alert: `10` and `:10` are 0 to 10, `10:` is 10 or more, `~:10` is
/// 10 or less, `5:10` is 5 to 10, and `@5:10` is everything except 5 to 10.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    least: f64,
    most: f64,
    is_inverted: bool,
    text: String,
}

impl Threshold {
    pub fn parse(field: &str, text: &str) -> Result<Self, Refusal> {
        let refuse = |problem: &str| {
            Refusal::bad_input(field, format!("{} {problem}", quoted(text))).hint(
                "write 10 (0 to 10), 10: (10 or more), ~:10 (10 or less), 5:10, or @5:10 (outside)",
            )
        };
        let (is_inverted, range) = match text.strip_prefix('@') {
            Some(range) => (true, range),
            None => (false, text),
        };
        let number = |text: &str| {
            let is_plain = text.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '-');
            let number = text.parse::<f64>().ok().filter(|n| is_plain && n.is_finite());
            number.ok_or_else(|| refuse("is not a range"))
        };
        let (least, most) = match range.split_once(':') {
            None => (0.0, number(range)?),
            Some((least, most)) => (
                match least {
                    "~" => f64::NEG_INFINITY,
                    "" if !most.is_empty() => 0.0,
                    least => number(least)?,
                },
                if most.is_empty() { f64::INFINITY } else { number(most)? },
            ),
        };
        if least > most {
            return Err(refuse("ends before it begins"));
        }
        Ok(Self { least, most, is_inverted, text: text.to_owned() })
    }

    /// Whether a value raises an alert.
    #[must_use]
    pub fn alerts(&self, value: f64) -> bool {
        (self.least..=self.most).contains(&value) == self.is_inverted
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_of_the_guidelines() {
        for (text, quiet, loud) in [
            ("10", &[0.0, 5.0, 10.0][..], &[-0.1, 10.1][..]),
            (":10", &[0.0, 10.0], &[-0.1, 10.1]),
            ("@:10", &[-0.1, 10.1], &[0.0, 10.0]),
            ("10:", &[10.0, 1e9], &[9.9, -1.0]),
            ("~:10", &[-1e9, 10.0], &[10.1]),
            ("10:20", &[10.0, 20.0], &[9.9, 20.1]),
            ("@10:20", &[9.9, 20.1], &[10.0, 15.0, 20.0]),
            ("95.5:", &[95.5, 100.0], &[95.4]),
            ("-5:5", &[-5.0, 0.0], &[-5.1]),
        ] {
            let threshold = Threshold::parse("--warning", text).unwrap();
            for value in quiet {
                assert!(!threshold.alerts(*value), "{text} of {value}");
            }
            for value in loud {
                assert!(threshold.alerts(*value), "{text} of {value}");
            }
            assert_eq!(threshold.to_string(), text);
        }
        for wrong in ["", ":", "a", "10:5", "1e3", "inf", "nan", "~", "@", "1:2:3", " 5", "10%"] {
            assert!(Threshold::parse("--warning", wrong).is_err(), "{wrong}");
        }
    }
}
