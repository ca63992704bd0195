//! Parsers of whole numbers as values of options, which refuse in plain words.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A number from `least` up; where that is 0, any.
pub fn from<T: FromStr + PartialOrd + Display + Clone + Default>(
    least: T,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| match text.parse() {
        Ok(number) if number >= least => Ok(number),
        Err(_) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Err("is too large".to_owned())
        }
        _ if least == T::default() => Err("is not a whole number".to_owned()),
        _ => Err(format!("is not a whole number from {least} up")),
    }
}

/// A number in a range.
pub fn within<T: FromStr + PartialOrd + Display + Clone>(
    range: RangeInclusive<T>,
) -> impl Fn(&str) -> Result<T, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|number| range.contains(number));
        let (least, most) = (range.start(), range.end());
        number.ok_or_else(|| format!("is not a whole number from {least} to {most}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_outside_the_range_and_other_words_are_refused() {
        let refused = |words: &str| Err::<u64, _>(words.to_owned());
        let not_from_1 = || refused("is not a whole number from 1 up");
        for text in ["0", "00", "-1", "x", "", "1.5", "1e3", "٣"] {
            assert_eq!(from(1)(text), not_from_1(), "{text}");
            assert_eq!(within(1..=20)(text), refused("is not a whole number from 1 to 20"));
        }
        assert_eq!(from(1)("18446744073709551616"), refused("is too large"));
        assert_eq!(within(1..=20)("21"), refused("is not a whole number from 1 to 20"));
        assert_eq!((from(1)("1"), within(1..=20)("20")), (Ok(1_u64), Ok(20_u64)));
    }
}
