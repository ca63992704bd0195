//! Why a new password is refused.

use zxcvbn::feedback::Warning;

use crate::domain::password_fault::PasswordFault;
use crate::texts::{Text, Texts};

impl Texts {
    /// The problem and what to choose instead, in one sentence.
    #[must_use]
    pub fn password_refused(self, fault: PasswordFault) -> String {
        let number = |number: u16| number.to_string();
        let problem = match fault {
            PasswordFault::Empty => self.text(Text::PasswordEmpty).to_owned(),
            PasswordFault::TooLong(most) => {
                self.fill(Text::PasswordTooLong, &[("most", &number(most))])
            }
            PasswordFault::ControlCharacter => self.text(Text::PasswordControl).to_owned(),
            PasswordFault::TooShort { has, needed } => {
                let (one, many) = (Text::PasswordCharacter, Text::PasswordCharacters);
                let characters = self.counted(has.into(), one, many);
                let values = [("characters", characters.as_str()), ("least", &number(needed))];
                self.fill(Text::PasswordTooShort, &values)
            }
            PasswordFault::Known => self.text(Text::PasswordKnown).to_owned(),
            PasswordFault::Guessable(None) => self.text(Text::PasswordGuessable).to_owned(),
            PasswordFault::Guessable(Some(warning)) => {
                self.fill(Text::PasswordGuessableAs, &[("reason", self.text(reason(warning)))])
            }
            PasswordFault::SameAsBefore => self.text(Text::PasswordSame).to_owned(),
        };
        let advice = match fault {
            PasswordFault::TooShort { .. } | PasswordFault::Known | PasswordFault::Guessable(_) => {
                Text::PasswordAdvice
            }
            _ => Text::PasswordAnotherAdvice,
        };
        let values = [("problem", problem.as_str()), ("advice", self.text(advice))];
        self.fill(Text::PasswordRefused, &values)
    }
}

const fn reason(warning: Warning) -> Text {
    match warning {
        Warning::StraightRowsOfKeysAreEasyToGuess => Text::GuessKeyRows,
        Warning::ShortKeyboardPatternsAreEasyToGuess => Text::GuessKeyPatterns,
        Warning::RepeatsLikeAaaAreEasyToGuess => Text::GuessRepeats,
        Warning::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => Text::GuessRepeatedWords,
        Warning::ThisIsATop10Password => Text::GuessTop10,
        Warning::ThisIsATop100Password => Text::GuessTop100,
        Warning::ThisIsACommonPassword => Text::GuessCommon,
        Warning::ThisIsSimilarToACommonlyUsedPassword => Text::GuessSimilar,
        Warning::SequencesLikeAbcAreEasyToGuess => Text::GuessSequences,
        Warning::RecentYearsAreEasyToGuess => Text::GuessYears,
        Warning::AWordByItselfIsEasyToGuess => Text::GuessOneWord,
        Warning::DatesAreOftenEasyToGuess => Text::GuessDates,
        Warning::NamesAndSurnamesByThemselvesAreEasyToGuess => Text::GuessOneName,
        Warning::CommonNamesAndSurnamesAreEasyToGuess => Text::GuessNames,
    }
}
