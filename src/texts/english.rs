//! English.

use crate::texts::Text;
use crate::texts::language_table::LanguageTable;

pub const ENGLISH: LanguageTable =
    LanguageTable { text, is_singular: |count| count == 1, pads_hour: true };

#[expect(clippy::too_many_lines, clippy::match_same_arms, reason = "a table")]
const fn text(text: Text) -> &'static str {
    match text {
        // Login services.
        Text::ServiceRefused => "not accepted",
        Text::ServiceCode => "Verification code",

        // Where a code is read from.
        Text::AppQuestion => "The code that the app shows",
        Text::AppNext => "The next code, as soon as the app shows it",
        Text::AppWait => "wait until the app shows it",
        Text::AppAfterUsed | Text::TokenAfterUsed => "wait for the next one",
        Text::AppForm => "type the digits that the app shows",
        Text::TokenQuestion => "The code that the token shows",
        Text::TokenNext => "The next code, as soon as the token shows it",
        Text::TokenWait => "wait until the token shows it",
        Text::TokenForm | Text::ButtonForm => "type the digits that the token shows",
        Text::ButtonQuestion => "The code that the device shows after its button is pressed",
        Text::ButtonNext => "The next code, after the button is pressed once more",
        Text::ButtonWait => "press its button once more",
        Text::ButtonAfterUsed => "press the button for the next one",
        Text::YubiKeyQuestion => "The line that the YubiKey types when it is touched",
        Text::YubiKeyNext => "The next line, after the YubiKey is touched once more",
        Text::YubiKeyWait => "touch it once more",
        Text::YubiKeyAfterUsed => "touch the YubiKey for the next one",
        Text::YubiKeyForm => "touch the YubiKey, which types the code",
        Text::PaperQuestion => "A code of the printed list that is not crossed out",
        Text::PaperNext => "One more code of the printed list",
        Text::PaperWait => "use one more of the list",
        Text::PaperAfterUsed => "use another one of the list, and cross it out",
        Text::PaperForm => "type the ten letters and digits of one code of the list",
        Text::SeveralQuestion => "The code that the device shows or types",
        Text::SeveralNext => "The next code of the same device",
        Text::SeveralWait => "wait until the device shows it",
        Text::SeveralAfterUsed => "use the next one",
        Text::SeveralForm => "type the digits that the device shows, or touch the YubiKey",
        Text::App => "app",
        Text::Token => "token",
        Text::ButtonToken => "token with a button",
        Text::YubiKey => "YubiKey",
        Text::PaperList => "printed list",
        Text::OtherDevice => "another kind",

        // Counts and times.
        Text::RecoveryCode => "{count} recovery code",
        Text::RecoveryCodes => "{count} recovery codes",
        Text::ListCode => "{count} code",
        Text::ListCodes => "{count} codes",
        Text::Device => "{count} device",
        Text::Devices => "{count} devices",
        Text::Minute => "{count} minute",
        Text::Minutes => "{count} minutes",
        Text::Hour => "{count} hour",
        Text::Hours => "{count} hours",
        Text::Seconds => "{count} s",
        Text::Soon => "{date}, in {span}",
        Text::Date => "{day} {month} {year} at {hour}:{minute} ({zone})",
        Text::Month1 => "January",
        Text::Month2 => "February",
        Text::Month3 => "March",
        Text::Month4 => "April",
        Text::Month5 => "May",
        Text::Month6 => "June",
        Text::Month7 => "July",
        Text::Month8 => "August",
        Text::Month9 => "September",
        Text::Month10 => "October",
        Text::Month11 => "November",
        Text::Month12 => "December",
        Text::FirstOfMonth => "1",
        // Between two sentences on one line.
        Text::Separator => "; ",

        // A question for yes or no.
        Text::YesOrNo => "[y/N]",
        Text::AnswerYesOrNo => "Please answer y or n",
        Text::YesWords => "y yes",
        Text::NoWords => "n no q",

        // Beside a QR code.
        Text::CardScan => "Scan this with your\nauthenticator app, or type:",
        Text::CardAccount => "Account:",
        Text::CardDigits => "digits",
        Text::CardCounter => "counter",
        Text::CardOnly => "Only this screen and your\nsign-in ask for a code.",
        Text::CardTooSmall => {
            "The QR code needs {columns} columns and {rows} rows: enlarge the terminal and run show-qr, or use \
             --output FILE.png."
        }
        Text::CardEnlarge => {
            "The QR code needs {columns} columns and {rows} rows: enlarge the terminal, and it appears."
        }

        // What is shown once.
        Text::ListTitle => {
            "Codes of {user}: {device}, made {date}. Each is good once, in any order."
        }
        Text::ListAbout => {
            "These codes are shown this once. Each is good once, in any order, in place of a code from a phone: write \
             or print them now, and strike out each that was used."
        }
        Text::ListEnlarge => "Enlarge the terminal to see the codes.",
        Text::RecoveryTitle => {
            "Recovery codes of {user}. Use each once, in place of a code from the phone."
        }
        Text::RecoveryAbout => {
            "These codes are shown this once, and are good until they are used; the earlier ones are void. Keep them \
             on paper."
        }
        Text::EnlargeForRest => "Enlarge the terminal to see the rest.",
        Text::EnterWipes => "Enter wipes this screen",
        Text::ShownIsInForce => "the change was saved; what was shown is in force",

        // Notices by mail.
        Text::NoticeSubject => "{issuer}: {title}",
        Text::NoticeGreeting => "Hello {name},",
        Text::NoticeAccount => "Account: {user} ({issuer})",
        Text::NoticeWhen => "When: {date}",
        Text::NoticeDevice => "Device: {device}",
        Text::NoticeTicket => "Ticket: {ticket}",
        Text::NoticeByOneself => "Made by: yourself, or somebody who knows your password",
        Text::NoticeAdvice => {
            "If you did this or asked for it, there is nothing to do.\n\
             If not, somebody else may be trying to get into your account: call your helpdesk at once, at a number \
             that you already know, and mention the time above."
        }
        Text::NoticeNeverAsked => {
            "We will never ask you for a password, a code or a key. This message was sent by a program; nobody reads \
             replies to it."
        }
        Text::ResetTitle => "your second factor was reset",
        Text::ResetSummary => {
            "The second factor of your account was reset: the devices that made your codes no longer work. You may be \
             asked to set up a new one."
        }
        Text::DisabledTitle => "your second factor was switched off",
        Text::DisabledSummary => {
            "The second factor of your account was switched off. Its codes are refused until it is switched on again."
        }
        Text::DeletedTitle => "your second factor was deleted",
        Text::DeletedSummary => {
            "The second factor of your account was deleted: the devices that made your codes no longer work."
        }
        Text::NewPasswordTitle => "you have to choose a new password",
        Text::NewPasswordSummary => {
            "You must choose a new password at your next sign-in. Your second factor may no longer work either."
        }
        Text::RecoveryCodesTitle => "you have new recovery codes",
        Text::RecoveryCodesSummary => {
            "New recovery codes were made for your account. The old ones no longer work."
        }
        Text::BypassTitle => "a temporary code was made for you",
        Text::BypassSummary => {
            "A temporary code was made for your account. For a while it replaces the codes of your own device."
        }
        Text::UndoneTitle => "a change to your second factor was undone",
        Text::UndoneSummary => {
            "A change to the second factor of your account was undone: what it took away works again. Devices that \
             were set up since then may no longer work."
        }
        Text::ResynchronisedTitle => "a device was resynchronised",
        Text::ResynchronisedSummary => {
            "A device that makes codes for your account was brought back into step by two of its codes. Codes of this \
             device are accepted again."
        }
        Text::NewDeviceTitle => "a new device was set up for you",
        Text::NewDeviceSummary => {
            "A new device was set up for your account. From now on you can sign in with its codes."
        }
        Text::ReplacementTitle => "a new device is to replace yours",
        Text::ReplacementSummary => {
            "A new device was registered in place of the device below. After the first code of the new one, the codes \
             of the old one no longer work."
        }
        Text::DeviceRemovedTitle => "a device was removed",
        Text::DeviceRemovedSummary => {
            "A device that makes codes for your account was removed. Its codes no longer work."
        }
        Text::DeviceRenamedTitle => "a device was renamed",
        Text::DeviceRenamedSummary => {
            "A device that makes codes for your account got another name. Its codes work as before."
        }

        // A sign-in: what is asked.
        Text::PasswordOf => "Password of {user}",
        Text::Code => "Code",
        Text::NewPassword => "New password",
        Text::OnceMore => "Once more",

        // A sign-in: what is said on the way.
        Text::NewPasswordNeeded => "a new password is needed",
        Text::SetUpAppNow => "MFA is required: set up an authenticator app now",
        Text::CodeWrong => "that code is wrong",
        Text::CodeUsed => "that code was used already: {next}",
        Text::NotACode => "that is no code: {form}, or type a recovery or bypass code",
        Text::InterruptedNewPassword => {
            "the new password is set; sign in again to set up the device"
        }
        Text::InterruptedPending => "the new device is pending; sign in again to set it up",
        Text::InterruptedUnchanged => {
            "you are not signed in; your password and devices are unchanged"
        }

        // A new password that is refused.
        Text::PasswordsDiffer => "the new password was not the same both times",
        Text::PasswordRefused => "the new password {problem}; {advice}",
        Text::PasswordEmpty => "is empty",
        Text::PasswordTooLong => "is longer than {most} characters",
        Text::PasswordControl => "has a control character",
        Text::PasswordTooShort => "has {characters}; {least} are needed",
        Text::PasswordCharacter => "{count} character",
        Text::PasswordCharacters => "{count} characters",
        Text::PasswordKnown => "is too easy to guess: it would be among the first tried",
        Text::PasswordGuessable => "is too easy to guess",
        Text::PasswordGuessableAs => "is too easy to guess ({reason})",
        Text::PasswordSame => "is the same as before",
        Text::PasswordAdvice => "use three or four unrelated words",
        Text::PasswordAnotherAdvice => "choose a different one",
        Text::GuessKeyRows => "straight rows of keys are easy to guess",
        Text::GuessKeyPatterns => "short keyboard patterns are easy to guess",
        Text::GuessRepeats => "repeats like \"aaa\" are easy to guess",
        Text::GuessRepeatedWords => {
            "repeats like \"abcabcabc\" are only slightly harder to guess than \"abc\""
        }
        Text::GuessTop10 => "this is a top-10 common password",
        Text::GuessTop100 => "this is a top-100 common password",
        Text::GuessCommon => "this is a very common password",
        Text::GuessSimilar => "this is similar to a commonly used password",
        Text::GuessSequences => "sequences like abc or 6543 are easy to guess",
        Text::GuessYears => "recent years are easy to guess",
        Text::GuessOneWord => "a word by itself is easy to guess",
        Text::GuessDates => "dates are often easy to guess",
        Text::GuessOneName => "names and surnames by themselves are easy to guess",
        Text::GuessNames => "common names and surnames are easy to guess",

        // A sign-in: how it ended.
        Text::SignedIn => "{user}: signed in",
        Text::Rejected => "{user}: rejected",
        Text::RejectedTemporary => {
            "{user}: rejected; this temporary password has expired: ask the helpdesk for a new one"
        }
        Text::RejectedUsed => "{user}: rejected; this code was used before: {next}",
        Text::RejectedNoDevice => {
            "{user}: rejected; the password is right, but no code of your device is verified here: ask the helpdesk"
        }
        Text::NewPasswordRequired => "{user}: a new password is required",
        Text::DeviceRequired => "{user}: MFA is required; set up a device",
        Text::DeviceRequiredOfHelpdesk => {
            "{user}: MFA is required; ask the helpdesk for a new QR code"
        }
        Text::CodeRequired => "{user}: a code is required",
        Text::LockedUntil => "{user}: locked until {time}",
        Text::LockedForGood => "{user}: locked; ask the helpdesk to unlock",
        Text::HintDue => "hint: MFA is required from {date} on: set up a device",
        Text::HintRecovery => "hint: {codes} left: ask the helpdesk for new ones",
        Text::HintList => "hint: {codes} left on the printed list: ask the helpdesk for a new one",
        Text::HintNewPassword => "hint: choose the new password at a sign-in, then come back",

        // Self-service: what is seen.
        Text::StatusEnabled => "enabled",
        Text::StatusDisabled => "disabled",
        Text::StatusPending => "pending",
        Text::StatusNotEnabled => "not enabled",
        Text::OwnStatus => "{user}: MFA is {status}",
        Text::OwnStatusDevices => "{user}: MFA is {status}; {devices}: {list}",
        Text::DeviceLine => "{device}: {state} ({kind}), {last}",
        Text::DeviceActive => "active",
        Text::DevicePending => "pending",
        Text::DeviceDisabled => "disabled",
        Text::LastUsed => "last used {date}",
        Text::NeverUsed => "never used",
        Text::CodesLeft => "{codes} left",

        // Self-service: what is asked.
        Text::WhatToDo => "What do you want to do? Number, or Enter to leave",
        Text::WhichDevice => "Which device? Number, or Enter to leave",
        Text::TypeANumber => "type a number from 1 to {most}",
        Text::SetUpFirst => "set up a device",
        Text::SetUpFurther => "set up a further device",
        Text::SetUpReplacement => "set up a new device in place of another",
        Text::SwitchOff => "switch MFA off",
        Text::RemoveDevice => "remove a device",
        Text::RenameDevice => "rename a device",
        Text::MakeRecoveryCodes => "make new recovery codes",
        Text::NameOfNew => "Name of the new device (Enter: chosen for you)",
        Text::NewNameQuestion => "New name (Enter: leave)",
        Text::NotAName => "that name can't be used: take up to {most} letters and digits",
        Text::AskSwitchOff => "Switch MFA off? Only the helpdesk can switch it on again.",
        Text::AskRemoveLast => "Remove {device}, your last device, and all recovery codes?",
        Text::AskRemove => "Remove {device}?",
        Text::AskReplace => {
            "Set up a new device? {device} stops with the first code of the new one."
        }
        Text::AskRecoveryCodes => "Make new recovery codes? The earlier ones become void.",
        Text::Afterwards => "afterwards: {meaning}",
        Text::NextCodeTaken => "this takes the next code of {device} too: {wait}",
        Text::NextCodeOf => "Next code of {device}",
        Text::NotACodeOf => "that is no code: {form}",
        Text::FirstDigits => "The {digits} digits that the app shows (Enter: later)",
        Text::NotTheDigits => "that is no code: type the {digits} digits that the app shows",
        Text::ClockAhead => {
            "{answer}; the phone's clock is about {span} ahead: set it to automatic"
        }
        Text::ClockBehind => {
            "{answer}; the phone's clock is about {span} behind: set it to automatic"
        }
        Text::OwnPending => "the new device {device} is pending: its first code confirms it",
        Text::Unchanged => "nothing was changed",

        // Self-service: what was done, and what it means.
        Text::AlreadySo => "{user}: already so; nothing to change",
        Text::IsPending => "{user}: {device} is pending",
        Text::IsSetUp => "{user}: {device} is set up",
        Text::IsSwitchedOff => "{user}: MFA is switched off",
        Text::AllDeleted => "{user}: MFA setup deleted",
        Text::IsRemoved => "{user}: {device} removed",
        Text::IsRenamed => "{user}: {device} is now called {name}",
        Text::HasRecoveryCodes => "{user}: {count} new recovery codes; the earlier ones are void",
        Text::HasToBeConfirmed => "{device} has to be confirmed by {date}",
        Text::HasToBeConfirmedAs => {
            "{device} has to be confirmed by {date}, and is then called {name}"
        }
        Text::RefusedUntilConfirmed => "until then you can't sign in without it",
        Text::PasswordAlone => "you can sign in with the password alone",
        Text::RecoveryVoid => "the recovery codes are void",
        Text::BypassVoid => "the bypass code is void",

        // The handout.
        Text::HandoutTitle => "Your second factor at {issuer}",
        // The QR code on a terminal.
        Text::QrTooNarrow => {
            "The QR code needs {columns} columns: enlarge the terminal and run show-qr, leave out --ascii, or use \
             --output FILE.png."
        }
        Text::QrTooHigh => {
            "The QR code has {rows} rows: make the terminal higher or its font smaller to see all of it."
        }
        Text::TypeKey => "Type this into your authenticator app:",
    }
}
