//! The table: an app a row. The sources are issues of the projects that they name, and documents.

use super::{AuthenticatorApp, Reported, Support};

/// Without age or condition.
const fn finding(support: Support) -> Reported {
    Reported { support, age: "", periods: &[], only: "" }
}

const fn at(age: &'static str, support: Support) -> Reported {
    Reported { age, ..finding(support) }
}

const fn works_if(only: &'static str) -> Reported {
    Reported { only, ..finding(Support::Works) }
}

const WORKS: &[Reported] = &[finding(Support::Works)];
const FAILS: &[Reported] = &[finding(Support::Fails)];
const IGNORED: &[Reported] = &[finding(Support::SilentlyWrong)];
const UNKNOWN: &[Reported] = &[];

/// Every app that is known, those of most users first.
pub static APPS: &[AuthenticatorApp] = &[
    AuthenticatorApp {
        name: "Google Authenticator",
        platform: "Android",
        sha256: &[at("older", Support::SilentlyWrong), at("2023", Support::Refuses)],
        sha512: &[at("older", Support::SilentlyWrong), at("2023", Support::Refuses)],
        seven_digits: &[at("older", Support::SilentlyWrong)],
        eight_digits: &[at("older", Support::SilentlyWrong), at("2023", Support::Works)],
        period: IGNORED,
        counter: WORKS,
        notes: "The reports conflict: keycloak#27351 saw SHA256, SHA512 and 8 digits work in 2024",
        sources: &[
            "google-authenticator-android#29",
            "privacyidea#2079",
            "privacyidea#3634",
            "ArubaOTP-seed-extractor#21",
            "keycloak#27351",
            "google-authenticator wiki, Key URI Format",
        ],
    },
    AuthenticatorApp {
        name: "Google Authenticator",
        platform: "iOS",
        sha256: &[works_if("upper case only")],
        sha512: &[works_if("upper case only")],
        seven_digits: UNKNOWN,
        eight_digits: WORKS,
        period: FAILS,
        counter: WORKS,
        notes: "Refuses `sha256` in lower case, `=` at the end of a key, and a blank in the address; mfactl writes none \
                of them. Another period is reported as not safe",
        sources: &[
            "privacyidea#2060",
            "privacyidea#2079",
            "openam-jp#334",
            "google-authenticator#559",
            "google-authenticator wiki, Key URI Format",
        ],
    },
    AuthenticatorApp {
        name: "Microsoft Authenticator",
        platform: "",
        sha256: IGNORED,
        sha512: IGNORED,
        seven_digits: &[at("old reports", Support::SilentlyWrong)],
        eight_digits: &[at("old reports", Support::SilentlyWrong)],
        period: IGNORED,
        counter: &[at("2017", Support::SilentlyWrong)],
        notes: "Had the same limits in 2024 (keycloak#27351)",
        sources: &[
            "privacyidea#2079",
            "privacyidea#3634",
            "privacyidea#709",
            "Otp.NET#54",
            "payload-totp#30",
            "TwoFactorAuth.Net#18",
            "keycloak#27351",
        ],
    },
    AuthenticatorApp {
        name: "Okta Verify",
        platform: "",
        sha256: &[at("2024", Support::Fails)],
        sha512: &[at("2024", Support::Fails)],
        seven_digits: UNKNOWN,
        eight_digits: &[at("2024", Support::Fails)],
        period: UNKNOWN,
        counter: UNKNOWN,
        notes: "For accounts of others than Okta",
        sources: &["authelia#7504"],
    },
    AuthenticatorApp {
        name: "Duo Mobile",
        platform: "",
        sha256: IGNORED,
        sha512: IGNORED,
        seven_digits: UNKNOWN,
        eight_digits: UNKNOWN,
        period: FAILS,
        counter: UNKNOWN,
        notes: "For accounts of others than Duo, whose own QR code has another form",
        sources: &["google-authenticator-android#29", "twofactor#11", "java-totp#29"],
    },
    AuthenticatorApp {
        name: "Yubico Authenticator",
        platform: "",
        sha256: WORKS,
        sha512: &[works_if("YubiKey 4.3.1 or newer")],
        seven_digits: WORKS,
        eight_digits: WORKS,
        period: &[Reported { periods: &[15, 30, 60], ..finding(Support::Works) }],
        counter: WORKS,
        notes: "A YubiKey holds 32 accounts, from firmware 5.7 on 64",
        sources: &["privacyidea#2079", "Yubico SDK", "yubioath-desktop"],
    },
    AuthenticatorApp {
        name: "FreeOTP",
        platform: "",
        sha256: WORKS,
        sha512: WORKS,
        seven_digits: UNKNOWN,
        eight_digits: WORKS,
        period: WORKS,
        counter: WORKS,
        notes: "Reads the issuer from the label",
        sources: &["privacyidea#2079", "java-totp#30", "otphp#47", "freeotp.github.io"],
    },
    AuthenticatorApp {
        name: "Aegis",
        platform: "",
        sha256: WORKS,
        sha512: WORKS,
        seven_digits: UNKNOWN,
        eight_digits: WORKS,
        period: WORKS,
        counter: WORKS,
        notes: "A colon in the issuer breaks its label; mfactl takes none",
        sources: &["Authelia matrix", "Aegis vault document", "Aegis#1701"],
    },
    AuthenticatorApp {
        name: "2FAS",
        platform: "",
        sha256: &[at("2021", Support::Fails), at("2023", Support::Works)],
        sha512: &[at("2021", Support::Fails), at("2023", Support::Works)],
        seven_digits: WORKS,
        eight_digits: WORKS,
        period: WORKS,
        counter: WORKS,
        notes: "Digits and periods are those of its own schema",
        sources: &["java-totp#30", "privacyidea#3812", "2FAS schema"],
    },
    AuthenticatorApp {
        name: "1Password",
        platform: "",
        sha256: &[at("old", Support::Works)],
        sha512: &[at("old", Support::Fails)],
        seven_digits: UNKNOWN,
        eight_digits: &[at("old", Support::Fails)],
        period: UNKNOWN,
        counter: UNKNOWN,
        notes: "",
        sources: &["Authelia matrix"],
    },
    AuthenticatorApp {
        name: "Bitwarden",
        platform: "",
        sha256: &[works_if("from the QR code")],
        sha512: &[works_if("from the QR code")],
        seven_digits: UNKNOWN,
        eight_digits: &[works_if("from the QR code")],
        period: &[works_if("from the QR code")],
        counter: UNKNOWN,
        notes: "A key that is typed by hand is taken as SHA1, 6 digits, 30 s",
        sources: &["Authelia matrix"],
    },
    AuthenticatorApp {
        name: "Authy",
        platform: "",
        sha256: UNKNOWN,
        sha512: FAILS,
        seven_digits: UNKNOWN,
        eight_digits: WORKS,
        period: &[Reported { periods: &[60], ..finding(Support::Fails) }],
        counter: UNKNOWN,
        notes: "",
        sources: &["kanidm#501", "privacyidea#1156"],
    },
];
