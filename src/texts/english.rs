//! English.

use crate::texts::Text;
use crate::texts::language_table::LanguageTable;

pub const ENGLISH: LanguageTable =
    LanguageTable { text, is_singular: |count| count == 1, pads_hour: true, before_colon: "" };

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
        Text::FirstCodeNow => {
            "MFA is required, and your device {device} waits for its first code: if you have scanned its QR code \
             already, type the code that your app shows; if not, scan this one"
        }
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
        Text::FirstCodeRequired => {
            "{user}: MFA is required; type the first code of your device {device}"
        }
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
        Text::HandoutTitle => "{issuer}: signing in with a one-time code",
        Text::HandoutWhy => {
            "From now on, signing in takes two things: your password, and a one-time code that nobody else can \
             get. Whoever learns your password still can’t sign in as you."
        }
        Text::HandoutElsewhereTitle => "{issuer}: how to sign in",
        Text::HandoutElsewhereWhy => {
            "From now on, signing in takes two things: your password, and something that only you have. Whoever learns \
             your password still can’t sign in as you."
        }
        Text::HandoutAgain => {
            "Your codes work already, and stay as they are. With this page you set up another phone, or the app once \
             more."
        }
        Text::HandoutName => "Name",
        Text::HandoutAccount => "Account",
        Text::HandoutAccountAt => "{account} ({issuer})",
        Text::HandoutDevice => "Device",
        Text::HandoutSerial => "Serial number",
        Text::HandoutDoBefore => "Set up before",
        Text::HandoutTicket => "Ticket",
        Text::HandoutHelpdesk => "Helpdesk",
        Text::HandoutSteps => "What to do",
        Text::HandoutTemporaryPassword => {
            "Open the sign-in page. Sign in with your user name and the temporary password that the helpdesk gave \
             you. It works once, until {date}."
        }
        Text::HandoutExpiredPassword => {
            "Ask the helpdesk for a new temporary password: one that you were given before no longer works. Then open \
             the sign-in page, and sign in with your user name and the new temporary password."
        }
        Text::HandoutOldPassword => {
            "Open the sign-in page. Sign in with your user name and your present password."
        }
        Text::HandoutNewPassword => {
            "The sign-in page asks you for a new password: choose one that you use nowhere else. From then on, \
             only the new one works."
        }
        Text::HandoutPasswordTitle => "{issuer}: choose a new password",
        Text::HandoutPasswordWhy => {
            "Your password has to be replaced. You choose a new one the next time you sign in."
        }
        Text::HandoutPasswordDone => "Once you are signed in, you are done.",
        Text::HandoutPasswordAskedTitle => "Who asks you for your password?",
        Text::HandoutPasswordNeverAsked => {
            "Never the helpdesk, and never anybody by phone, e-mail or chat. If somebody asks for it, refuse and \
             tell the helpdesk."
        }
        Text::HandoutOpenSignIn => {
            "Open the sign-in page, and sign in with your user name and password."
        }
        Text::HandoutShowsQr => {
            "The sign-in page now shows a QR code, a square made of small dots, and beside it a key to type. Leave \
             the page open."
        }
        Text::HandoutTypeFirstCode => {
            "Type that code on the sign-in page. If it changes meanwhile, type the new one."
        }
        Text::HandoutSquareOnPage => "the square on this page",
        Text::HandoutSquareOnScreen => "the square on the screen",
        Text::HandoutFromPage => "from this page",
        Text::HandoutFromScreen => "from the screen",
        Text::HandoutInstall => {
            "On your phone, install {app} from the App Store or Google Play. It is free. If it is there already, \
             use it."
        }
        Text::HandoutInstallAny => {
            "On your phone, install an authenticator app from the App Store or Google Play, such as Google \
             Authenticator, Microsoft Authenticator, Okta Verify or Duo Mobile. They are free. If you have one \
             already, use it."
        }
        Text::HandoutInstallAble => {
            "On your phone, install an authenticator app that can show your codes, from the App Store or Google \
             Play: {apps}. Many others show wrong codes. If you have one of these already, use it."
        }
        Text::HandoutInstallAsked => {
            "Ask the helpdesk for an authenticator app that can show your codes, and install it on your phone. Many \
             apps show wrong codes."
        }
        Text::HandoutOr => "{first} or {last}",
        Text::HandoutInstallYubico => {
            "Install Yubico Authenticator on your phone (App Store or Google Play) or your computer (yubico.com). \
             Have your YubiKey at hand: it keeps the key of your codes."
        }
        Text::HandoutScanGoogle => {
            "Open the app and tap + at the bottom right. Tap “Scan a QR code” and point the camera at {square}."
        }
        Text::HandoutScanMicrosoft => {
            "Open the app and tap + at the top right. Choose “Other (Google, Facebook, etc.)”, even if this \
             is your work account, and point the camera at {square}."
        }
        Text::HandoutScanOkta => {
            "Open the app and tap + at the top right. Choose “Other”, then “Scan a QR code”, and point the camera at \
             {square}. Tap “Done”."
        }
        Text::HandoutScanDuo => {
            "Open the app and tap “Add” at the top right (the first time “Set up account”). Tap “Use QR code” and \
             point the camera at {square}. Keep the name that the app suggests, and tap “Save”."
        }
        Text::HandoutScanYubico => {
            "Open the app, then plug in your YubiKey or hold it to the back of the phone. In the menu, choose “Add \
             account” and “Scan QR code”, and point the camera at {square}. Tap “Save”; hold the YubiKey to the \
             phone again if the app asks for it."
        }
        Text::HandoutScanAny => {
            "Open the app and tap + or “Add account”. If it asks what kind of account, choose “Other”. Choose “Scan \
             a QR code” and point the camera at {square}."
        }
        Text::HandoutScanOnly => {
            "If you can’t scan, call your helpdesk, and don’t type the key: for a typed key the app takes its usual \
             settings, and the codes would be wrong."
        }
        Text::HandoutTypeGoogle => {
            "If you can’t scan: tap + and “Enter a setup key”. Type the account name and the key {there}, choose the \
             type of key “{kind}”, and tap “Add”."
        }
        Text::HandoutTypeMicrosoft => {
            "If you can’t scan: tap “Or enter code manually” below the camera picture. Type the account name and the \
             secret key {there}, and tap “Finish”."
        }
        Text::HandoutTypeOkta => {
            "If you can’t scan: tap +, “Other” and “Enter key manually”. Type the account name and the key {there}, \
             and tap “Done”."
        }
        Text::HandoutTypeDuo => {
            "If you can’t scan: tap “Add” and choose “Other” at the end of the list of accounts. Type the account \
             name and the key {there}, and tap “Save”."
        }
        Text::HandoutTypeYubico => {
            "If you can’t scan: choose “Add account” and “Enter manually”. Type the account name and the secret key \
             {there}, and tap “Save”."
        }
        Text::HandoutTypeAny => {
            "If you can’t scan: choose in the app to enter the key by hand. Type the account name and the key \
             {there}."
        }
        Text::HandoutGoogleTimeBased => "Time based",
        Text::HandoutGoogleCounterBased => "Counter based",
        Text::HandoutAppShows => {
            "The app now shows a code of {digits} digits for {issuer}. It changes every {period} seconds."
        }
        Text::HandoutYubicoShows => {
            "The app now shows a code of {digits} digits for {issuer} whenever your YubiKey is connected. It \
             changes every {period} seconds."
        }
        Text::HandoutAppCounts => {
            "The app now has an entry for {issuer}. Each tap on the arrow beside it gives a new code of {digits} \
             digits. Tap it only when you need a code."
        }
        Text::HandoutSignIn => {
            "Open the sign-in page and sign in with your user name and password. When it asks for a code, type the \
             one that the app shows at that moment."
        }
        Text::HandoutTypeCode => {
            "When the sign-in page asks for a code, type the one that the app shows at that moment."
        }
        Text::HandoutTwoCodes => {
            "The first time, you are asked for two codes in a row: wait until the app shows the next one, and type \
             that too."
        }
        Text::HandoutDone => {
            "Once the code is accepted, you are done. From then on, each sign-in asks for a new code."
        }
        Text::HandoutTokenTime => {
            "Take your token. It shows a code of {digits} digits; if the display is blank, press its button."
        }
        Text::HandoutTokenCounter => {
            "Take your token. Each press of its button shows a new code of {digits} digits. Press it only when you \
             need a code."
        }
        Text::HandoutSignInToken => {
            "Open the sign-in page and sign in with your user name and password. When it asks for a code, type the \
             one that the token shows."
        }
        Text::HandoutTypeTokenCode => {
            "When the sign-in page asks for a code, type the one that the token shows."
        }
        Text::HandoutYubikeyPlug => "Plug your YubiKey into the computer. You need no app.",
        Text::HandoutSignInYubikey => {
            "Open the sign-in page and sign in with your user name and password. When it asks for a code, click \
             into the field."
        }
        Text::HandoutClickYubikey => "When the sign-in page asks for a code, click into the field.",
        Text::HandoutYubikeyTouch => {
            "Touch the metal contact of the YubiKey with a finger. It types a long line of letters by itself. If \
             nothing happens then, press Enter."
        }
        Text::HandoutYubikeyElsewhere => {
            "Touch it nowhere but in that field: the line is typed wherever the cursor is, and must not end up in \
             a chat or a mail."
        }
        Text::HandoutSignInPaper => {
            "Open the sign-in page and sign in with your user name and password. When it asks for a code, type a \
             code from your list that is not crossed out."
        }
        Text::HandoutTypePaperCode => {
            "When the sign-in page asks for a code, type a code from your list that is not crossed out."
        }
        Text::HandoutCrossOut => "Cross that code out: each works only once.",
        Text::HandoutNewList => "When five codes are left, ask the helpdesk for a new list.",
        Text::HandoutElsewhere => {
            "Use it as you were shown when you got it: {mark}. There is no code to type."
        }
        Text::HandoutKeep => {
            "Keep your device, and delete nothing in the app. Nothing has to be set up again."
        }
        Text::HandoutAskToSwitchOn => {
            "When you need codes again, ask the helpdesk to switch your second factor on."
        }
        Text::HandoutAsBefore => {
            "After that, sign in as before: with the same device and the codes that it gives."
        }
        Text::HandoutWaitForPage => {
            "Ask the helpdesk to switch your second factor on, and for a new page. That page tells you how to set \
             up your device."
        }
        Text::HandoutSwitchedOffTitle => "{issuer}: your second factor is switched off",
        Text::HandoutSwitchedOff => {
            "Your codes are switched off, and everything is kept as it was. Until the helpdesk switches them on \
             again, every code is refused. Ask the helpdesk how to sign in until then."
        }
        Text::HandoutAskedTitle => "Who asks you for a code?",
        Text::HandoutAskedBy => "Only the sign-in page, after you have opened it yourself.",
        Text::HandoutNotAskedYet => {
            "If it lets you in without asking for a code, your codes are not in use yet: tell the helpdesk, and sign \
             in again once they have it ask you for one."
        }
        Text::HandoutNeverAsked => {
            "Never the helpdesk, and never anybody by phone, e-mail or chat. Don’t show or read out a code, and show \
             this page to nobody. If somebody asks for a code, refuse and tell the helpdesk."
        }
        Text::HandoutNeverAskedNoSecret => {
            "Never the helpdesk, and never anybody by phone, e-mail or chat. Don’t show or read out a code. If \
             somebody asks for a code, refuse and tell the helpdesk."
        }
        Text::HandoutLostPhoneTitle => "If your phone is lost",
        Text::HandoutLostDeviceTitle => "If it is lost or broken",
        Text::HandoutLostListTitle => "If the list is lost",
        Text::HandoutLost => {
            "Tell the helpdesk at once. It blocks what you lost, and gives you something new to set up."
        }
        Text::HandoutLostContact => {
            "Tell the helpdesk at once: {contact}. It blocks what you lost, and gives you something new to set up."
        }
        Text::HandoutLostRecovery => "A recovery code lets you sign in until then.",
        Text::HandoutNewPhone => {
            "Before you give an old phone away, ask the helpdesk for a new page."
        }
        Text::HandoutSeveralTitle => "If you use several phones",
        Text::HandoutSeveral => {
            "Scan this page with each of them now, before you destroy it. All then show the same code. If one is \
             lost, the helpdesk cuts all of them off together, and you set them up again."
        }
        Text::HandoutSeveralAtSignIn => {
            "Scan the QR code with each of them before you type the first code: after that it is not shown again. \
             All then show the same code. If one is lost, the helpdesk cuts all of them off together, and you set \
             them up again."
        }
        Text::HandoutOnlyOne => {
            "Set up only one of them with this page: each counts its codes by itself, so two would soon disagree. \
             Ask the helpdesk for a page for each further phone."
        }
        Text::HandoutRefusedTitle => "If a code is refused",
        Text::HandoutRefusedTime => {
            "Each code works once, and only for a short time: wait for the next one. If that is refused too, let \
             the phone set its date and time automatically."
        }
        Text::HandoutRefusedToken => {
            "Each code works once, and only for a short time: wait for the next one. If that is refused too, ask \
             the helpdesk, which can set the token right."
        }
        Text::HandoutRefusedCounter => {
            "Each code works once: take the next one. If that is refused too, ask the helpdesk, which can set the \
             counter right."
        }
        Text::HandoutTooLateTitle => "If you don’t manage in time",
        Text::HandoutTooLate => {
            "After {date} it is too late to type the first code: ask the helpdesk for a new page."
        }
        Text::HandoutTooLatePassword => {
            "After {date} the temporary password no longer works: ask the helpdesk for another one."
        }
        Text::HandoutShownAgain => {
            "If you have to stop before the first code is accepted, sign in again later, with your new password if \
             you have chosen one: the QR code is shown again."
        }
        Text::HandoutKeyTitle => "To type if you can’t scan",
        Text::HandoutKey => "Key",
        Text::HandoutAccountName => "Account name",
        Text::HandoutKeyKind => "Kind of key",
        Text::HandoutTimeBased => "time based (TOTP)",
        Text::HandoutCounterBased => "counter based (HOTP)",
        Text::HandoutIfAsked => "If asked for",
        Text::HandoutToSet => "To be set in the app",
        Text::HandoutTimeSettings => "{digits} digits, {period} seconds, {algorithm}",
        Text::HandoutCounterSettings => "{digits} digits, counter {counter}, {algorithm}",
        Text::HandoutQr => "QR code to scan with the app",
        Text::HandoutTap => "Reading this on that phone? Tap here to add the account.",
        Text::HandoutRecoveryTitle => "Recovery codes",
        Text::HandoutRecovery => {
            "Each replaces a code once, for when you can’t get one. Type it where the code is asked for, then tick \
             its box. Older recovery codes no longer work."
        }
        Text::HandoutListTitle => "Your list of codes",
        Text::HandoutList => "Each code works once, in any order. Cross it out after use.",
        Text::HandoutDestroy => {
            "Whoever reads this page can make your codes. Once your first code has been accepted, destroy it: \
             shred the paper, delete the file."
        }
        Text::HandoutDestroyRest => {
            "Whoever has this page and your password can sign in as you. Once your first code has been accepted, \
             keep the recovery codes on paper, away from your password, and destroy the rest: shred the paper, \
             delete the file."
        }
        Text::HandoutKeepCodes => {
            "Whoever has these codes and your password can sign in as you. Keep them on paper, away from your \
             password, and destroy the page when the last is used."
        }
        Text::HandoutNoSecret => "There is no secret on this page.",

        // Mails about a page.
        Text::PageWaitingTitle => "a page for your second factor is waiting",
        Text::PageWaiting => {
            "From now on, signing in takes two things: your password, and a one-time code from your phone. A page that \
             says how to set this up is waiting for you."
        }
        Text::PageFetch => {
            "It has a key that is only for you, so it does not go by mail. Come to your helpdesk for it: bring the \
             phone that is to show the codes, and something that proves who you are."
        }
        Text::PageAttachedTitle => "how to set up your second factor",
        Text::PageAttached => {
            "Signing in takes two things: your password, and a one-time code. The attached page says why, what to do \
             step by step, and whom to ask."
        }
        Text::PageStepsTitle => "how to sign in",
        Text::PageSteps => {
            "The attached page says how you sign in from now on, step by step, and whom to ask."
        }
        Text::PageSecret => {
            "It has a QR code and a key. Whoever sees them can make your codes: do not forward this message, and show \
             the page to nobody. Open it on a computer or print it, so that your phone can scan the code. Once your \
             first code has been accepted, delete this message and the page."
        }
        Text::PageNoSecret => "It has the steps only, and no secret.",
        Text::PageUntil => "Do this before: {date}",
        Text::PageHelpdesk => "Helpdesk: {contact}",
        Text::PageUnexpected => {
            "If you do not know what this is about, open nothing and call your helpdesk, at a number that you already \
             know."
        }

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
