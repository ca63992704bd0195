//! English.

use crate::texts::Text;

pub const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub const fn text(text: Text) -> &'static str {
    match text {
        // The handout.
        Text::HandoutTitle => "{issuer}: signing in with a one-time code",
        Text::HandoutWhy => {
            "From now on, signing in takes two things: your password, and a one-time code that nobody else can \
             get. Whoever learns your password still can’t sign in as you."
        }
        Text::HandoutAgain => {
            "Your codes work already, and stay as they are. With this page you set up a further phone, or the app \
             once more."
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
        Text::HandoutFirstPassword => "Open the sign-in page and sign in with your user name.",
        Text::HandoutOldPassword => {
            "Open the sign-in page. Sign in with your user name and your present password."
        }
        Text::HandoutNewPassword => {
            "The sign-in page asks you for a new password: choose one that you use nowhere else. From then on, \
             only the new one works."
        }
        Text::HandoutInstall => {
            "On your phone, install {app} from the App Store or Google Play. It is free. If it is there already, \
             use it."
        }
        Text::HandoutInstallAny => {
            "On your phone, install an authenticator app from the App Store or Google Play, such as Google \
             Authenticator, Microsoft Authenticator, Okta Verify or Duo Mobile. They are free. If you have one \
             already, use it."
        }
        Text::HandoutInstallYubico => {
            "Install Yubico Authenticator on your phone (App Store or Google Play) or your computer (yubico.com). \
             Have your YubiKey at hand: it keeps the key of your codes."
        }
        Text::HandoutScanGoogle => {
            "Open the app and tap + at the bottom right. Tap “Scan a QR code” and point the camera at the square \
             on this page."
        }
        Text::HandoutScanMicrosoft => {
            "Open the app and tap + at the top right. Choose “Other account (Google, Facebook, etc.)”, even if \
             this is your work account, and point the camera at the square on this page."
        }
        Text::HandoutScanOkta => {
            "Open the app and tap + at the top right. Choose “Other”, then “Scan a QR code”, and point the camera \
             at the square on this page. Tap “Done”."
        }
        Text::HandoutScanDuo => {
            "Open the app and tap “Add” at the top right (the first time “Set up account”). Tap “Use QR code” and \
             point the camera at the square on this page. Keep the name that the app suggests, and tap “Save”."
        }
        Text::HandoutScanYubico => {
            "Open the app, then plug in your YubiKey or hold it to the back of the phone. In the menu, choose “Add \
             account” and “Scan QR code”, and point the camera at the square on this page. Tap “Save”; hold the \
             YubiKey to the phone again if the app asks for it."
        }
        Text::HandoutScanAny => {
            "Open the app and tap + or “Add account”. If it asks what kind of account, choose “Other”. Choose \
             “Scan a QR code” and point the camera at the square on this page."
        }
        Text::HandoutTypeGoogle => {
            "If you can’t scan: tap + and “Enter a setup key”. Type the account name and the key from this page, \
             choose the type of key “{kind}”, and tap “Add”."
        }
        Text::HandoutTypeMicrosoft => {
            "If you can’t scan: tap “Enter code manually” below the camera picture. Type the account name and the \
             secret key from this page, and tap “Finish”."
        }
        Text::HandoutTypeOkta => {
            "If you can’t scan: tap +, “Other” and “Enter key manually”. Type the account name and the key from \
             this page, and tap “Done”."
        }
        Text::HandoutTypeDuo => {
            "If you can’t scan: tap “Add” and choose “Other” at the end of the list of accounts. Type the account \
             name and the key from this page, and tap “Save”."
        }
        Text::HandoutTypeYubico => {
            "If you can’t scan: choose “Add account” and “Enter manually”. Type the account name and the secret \
             key from this page, and tap “Save”."
        }
        Text::HandoutTypeAny => {
            "If you can’t scan: choose in the app to enter the key by hand. Type the account name and the key from \
             this page."
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
             code of your list that is not crossed out."
        }
        Text::HandoutTypePaperCode => {
            "When the sign-in page asks for a code, type a code of your list that is not crossed out."
        }
        Text::HandoutCrossOut => "Cross that code out: each works only once.",
        Text::HandoutNewList => "When five codes are left, ask the helpdesk for a new list.",
        Text::HandoutElsewhere => {
            "Use it as you were shown when you got it: {mark}. No code of it is typed anywhere."
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
        Text::HandoutNeverAsked => {
            "Never the helpdesk, and never anybody by phone, e-mail or chat. Show or read out neither a code nor \
             this page. If somebody asks for one, refuse and tell the helpdesk."
        }
        Text::HandoutLostPhoneTitle => "If your phone is lost",
        Text::HandoutLostDeviceTitle => "If it is lost or broken",
        Text::HandoutLostListTitle => "If the list is lost",
        Text::HandoutLost => {
            "Tell the helpdesk at once. It cuts off what was lost, and gives you something new to set up."
        }
        Text::HandoutLostContact => {
            "Tell the helpdesk at once: {contact}. It cuts off what was lost, and gives you something new to set \
             up."
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
            "After {date} no first code is accepted any more: ask the helpdesk for a new page."
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
            "Whoever reads this page can sign in with your password. Once your first code has been accepted, keep \
             the recovery codes on paper, away from your password, and destroy the rest: shred the paper, delete \
             the file."
        }
        Text::HandoutKeepCodes => {
            "Whoever reads these codes can sign in with your password. Keep them on paper, away from your \
             password, and destroy the page when the last is used."
        }
        Text::HandoutNoSecret => "There is no secret on this page.",
    }
}
