//! French, with no-break spaces before `: ; ! ? »` and typographic apostrophes.

use crate::texts::Text;
use crate::texts::language_table::LanguageTable;

pub const FRENCH: LanguageTable =
    LanguageTable { text, is_singular: |count| count < 2, pads_hour: false };

#[expect(clippy::too_many_lines, clippy::match_same_arms, reason = "a table")]
const fn text(text: Text) -> &'static str {
    match text {
        // Login services.
        Text::ServiceRefused => "refusé",
        Text::ServiceCode => "Code de vérification",

        // Where a code is read from.
        Text::AppQuestion => "Le code affiché par l’application",
        Text::AppNext => "Le code suivant, dès que l’application l’affiche",
        Text::AppWait => "attendez que l’application l’affiche",
        Text::AppAfterUsed | Text::TokenAfterUsed => "attendez le suivant",
        Text::AppForm => "tapez les chiffres affichés par l’application",
        Text::TokenQuestion => "Le code affiché par le jeton",
        Text::TokenNext => "Le code suivant, dès que le jeton l’affiche",
        Text::TokenWait => "attendez que le jeton l’affiche",
        Text::TokenForm | Text::ButtonForm => "tapez les chiffres affichés par le jeton",
        Text::ButtonQuestion => "Le code affiché par l’appareil quand on appuie sur son bouton",
        Text::ButtonNext => "Le code suivant, en appuyant encore une fois sur le bouton",
        Text::ButtonWait => "appuyez encore une fois sur son bouton",
        Text::ButtonAfterUsed => "appuyez sur le bouton pour avoir le suivant",
        Text::YubiKeyQuestion => "La ligne que la YubiKey tape quand on la touche",
        Text::YubiKeyNext => "La ligne suivante, en touchant la YubiKey encore une fois",
        Text::YubiKeyWait => "touchez-la encore une fois",
        Text::YubiKeyAfterUsed => "touchez la YubiKey pour avoir le suivant",
        Text::YubiKeyForm => "touchez la YubiKey, qui tape le code",
        Text::PaperQuestion => "Un code de la liste imprimée qui n’est pas barré",
        Text::PaperNext => "Encore un code de la liste imprimée",
        Text::PaperWait => "prenez-en encore un de la liste",
        Text::PaperAfterUsed => "prenez-en un autre de la liste, et barrez-le",
        Text::PaperForm => "tapez les dix lettres et chiffres d’un code de la liste",
        Text::SeveralQuestion => "Le code que l’appareil affiche ou tape",
        Text::SeveralNext => "Le code suivant du même appareil",
        Text::SeveralWait => "attendez que l’appareil l’affiche",
        Text::SeveralAfterUsed => "prenez le suivant",
        Text::SeveralForm => "tapez les chiffres affichés par l’appareil, ou touchez la YubiKey",
        Text::App => "application",
        Text::Token => "jeton",
        Text::ButtonToken => "jeton à bouton",
        Text::YubiKey => "YubiKey",
        Text::PaperList => "liste imprimée",
        Text::OtherDevice => "autre sorte",

        // Counts and times.
        Text::RecoveryCode => "{count} code de secours",
        Text::RecoveryCodes => "{count} codes de secours",
        Text::ListCode => "{count} code",
        Text::ListCodes => "{count} codes",
        Text::Device => "{count} appareil",
        Text::Devices => "{count} appareils",
        Text::Minute => "{count} minute",
        Text::Minutes => "{count} minutes",
        Text::Hour => "{count} heure",
        Text::Hours => "{count} heures",
        Text::Seconds => "{count} s",
        Text::Soon => "{date}, dans {span}",
        Text::Date => "{day} {month} {year} à {hour} h {minute} ({zone})",
        Text::Month1 => "janvier",
        Text::Month2 => "février",
        Text::Month3 => "mars",
        Text::Month4 => "avril",
        Text::Month5 => "mai",
        Text::Month6 => "juin",
        Text::Month7 => "juillet",
        Text::Month8 => "août",
        Text::Month9 => "septembre",
        Text::Month10 => "octobre",
        Text::Month11 => "novembre",
        Text::Month12 => "décembre",
        Text::FirstOfMonth => "1er",
        // Between two sentences on one line.
        Text::Separator => "\u{a0}; ",

        // A question for yes or no.
        Text::YesOrNo => "[o/N]",
        Text::AnswerYesOrNo => "Répondez par o ou n",
        Text::YesWords => "o oui y yes",
        Text::NoWords => "n non no q",

        // Beside a QR code.
        Text::CardScan => "Scannez ceci avec votre\napplication, ou saisissez\u{a0}:",
        Text::CardAccount => "Compte\u{a0}:",
        Text::CardDigits => "chiffres",
        Text::CardCounter => "compteur",
        Text::CardOnly => "Seuls cet écran et votre\nconnexion demandent un code.",
        Text::CardTooSmall => {
            "Le QR code demande {columns} colonnes et {rows} lignes\u{a0}: agrandissez le terminal puis lancez \
             show-qr, ou utilisez --output FICHIER.png."
        }
        Text::CardEnlarge => {
            "Le QR code demande {columns} colonnes et {rows} lignes\u{a0}: agrandissez le terminal, et il apparaît."
        }

        // What is shown once.
        Text::ListTitle => {
            "Codes de {user}\u{a0}: {device}, liste du {date}. Chacun sert une seule fois, dans n’importe quel ordre."
        }
        Text::ListAbout => {
            "Ces codes ne sont affichés qu’une fois. Chacun sert une seule fois, dans n’importe quel ordre, à la place \
             d’un code du téléphone\u{a0}: notez-les ou imprimez-les maintenant, et barrez ceux qui ont servi."
        }
        Text::ListEnlarge => "Agrandissez le terminal pour voir les codes.",
        Text::RecoveryTitle => {
            "Codes de secours de {user}. Chacun remplace une seule fois un code du téléphone."
        }
        Text::RecoveryAbout => {
            "Ces codes ne sont affichés qu’une fois, et sont bons tant qu’ils n’ont pas servi\u{a0}; les anciens ne \
             valent plus rien. Gardez-les sur papier."
        }
        Text::EnlargeForRest => "Agrandissez le terminal pour voir la suite.",
        Text::EnterWipes => "Entrée efface cet écran",
        Text::ShownIsInForce => {
            "le changement est enregistré\u{a0}; ce qui a été affiché est valable"
        }

        // Notices by mail.
        Text::NoticeSubject => "{issuer}\u{a0}: {title}",
        Text::NoticeGreeting => "Bonjour {name},",
        Text::NoticeAccount => "Compte\u{a0}: {user} ({issuer})",
        Text::NoticeWhen => "Date\u{a0}: {date}",
        Text::NoticeDevice => "Appareil\u{a0}: {device}",
        Text::NoticeTicket => "Ticket\u{a0}: {ticket}",
        Text::NoticeByOneself => {
            "Auteur\u{a0}: vous-même, ou quelqu’un qui connaît votre mot de passe"
        }
        Text::NoticeAdvice => {
            "Si cela vient de vous, ou si vous l’avez demandé, vous n’avez rien à faire.\n\
             Sinon, quelqu’un essaie peut-être d’entrer dans votre compte\u{a0}: appelez tout de suite votre centre \
             d’assistance, à un numéro que vous connaissez déjà, et donnez la date ci-dessus."
        }
        Text::NoticeNeverAsked => {
            "Nous ne vous demanderons jamais un mot de passe, un code ni une clé. Ce message a été écrit par un \
             programme\u{a0}; personne ne lit les réponses."
        }
        Text::ResetTitle => "votre second facteur a été réinitialisé",
        Text::ResetSummary => {
            "Le second facteur de votre compte a été réinitialisé\u{a0}: les appareils qui produisaient vos codes ne \
             marchent plus. On vous demandera peut-être d’en installer un nouveau."
        }
        Text::DisabledTitle => "votre second facteur a été désactivé",
        Text::DisabledSummary => {
            "Le second facteur de votre compte a été désactivé. Ses codes sont refusés jusqu’à ce qu’il soit réactivé."
        }
        Text::DeletedTitle => "votre second facteur a été supprimé",
        Text::DeletedSummary => {
            "Le second facteur de votre compte a été supprimé\u{a0}: les appareils qui produisaient vos codes ne \
             marchent plus."
        }
        Text::NewPasswordTitle => "vous devez choisir un nouveau mot de passe",
        Text::NewPasswordSummary => {
            "Un nouveau mot de passe vous sera demandé à votre prochaine connexion. Votre second facteur ne marche \
             peut-être plus non plus."
        }
        Text::RecoveryCodesTitle => "vous avez de nouveaux codes de secours",
        Text::RecoveryCodesSummary => {
            "De nouveaux codes de secours ont été créés pour votre compte. Les anciens ne valent plus rien."
        }
        Text::BypassTitle => "un code temporaire a été créé pour vous",
        Text::BypassSummary => {
            "Un code temporaire a été créé pour votre compte. Pendant quelque temps, il remplace les codes de votre \
             appareil."
        }
        Text::UndoneTitle => "un changement de votre second facteur a été annulé",
        Text::UndoneSummary => {
            "Un changement du second facteur de votre compte a été annulé\u{a0}: ce qu’il avait coupé marche de \
             nouveau. Des appareils installés depuis ne marchent peut-être plus."
        }
        Text::ResynchronisedTitle => "un appareil a été resynchronisé",
        Text::ResynchronisedSummary => {
            "Un appareil qui produit les codes de votre compte a été resynchronisé par deux de ses codes. Les codes de \
             cet appareil sont acceptés de nouveau."
        }
        Text::NewDeviceTitle => "un nouvel appareil produit vos codes",
        Text::NewDeviceSummary => {
            "Un nouvel appareil a été installé pour votre compte. Ses codes vous ouvrent désormais l’accès."
        }
        Text::ReplacementTitle => "un nouvel appareil va remplacer le vôtre",
        Text::ReplacementSummary => {
            "Un nouvel appareil a été enregistré à la place de l’appareil ci-dessous. Dès le premier code du nouveau, \
             les codes de l’ancien ne seront plus acceptés."
        }
        Text::DeviceRemovedTitle => "un appareil a été retiré",
        Text::DeviceRemovedSummary => {
            "Un appareil qui produisait les codes de votre compte a été retiré. Ses codes ne sont plus acceptés."
        }
        Text::DeviceRenamedTitle => "un appareil a changé de nom",
        Text::DeviceRenamedSummary => {
            "Un appareil qui produit les codes de votre compte a changé de nom. Ses codes sont acceptés comme avant."
        }

        // A sign-in: what is asked.
        Text::PasswordOf => "Mot de passe de {user}",
        Text::Code => "Code",
        Text::NewPassword => "Nouveau mot de passe",
        Text::OnceMore => "Encore une fois",

        // A sign-in: what is said on the way.
        Text::NewPasswordNeeded => "il faut un nouveau mot de passe",
        Text::SetUpAppNow => {
            "l’authentification à deux facteurs est obligatoire\u{a0}: installez maintenant une application \
             d’authentification"
        }
        Text::CodeWrong => "ce code est faux",
        Text::CodeUsed => "ce code a déjà servi\u{a0}: {next}",
        Text::NotACode => {
            "ce n’est pas un code\u{a0}: {form}, ou tapez un code de secours ou un code de contournement"
        }
        Text::InterruptedNewPassword => {
            "le nouveau mot de passe est enregistré\u{a0}; reconnectez-vous pour installer l’appareil"
        }
        Text::InterruptedPending => {
            "le nouvel appareil est en attente\u{a0}; reconnectez-vous pour l’installer"
        }
        Text::InterruptedUnchanged => {
            "vous n’êtes pas connecté\u{a0}; votre mot de passe et vos appareils sont inchangés"
        }

        // A new password that is refused.
        Text::PasswordsDiffer => "le nouveau mot de passe n’était pas le même les deux fois",
        Text::PasswordRefused => "le nouveau mot de passe {problem}\u{a0}; {advice}",
        Text::PasswordEmpty => "est vide",
        Text::PasswordTooLong => "a plus de {most} caractères",
        Text::PasswordControl => "contient un caractère de contrôle",
        Text::PasswordTooShort => "a {characters}\u{a0}; il en faut {least}",
        Text::PasswordCharacter => "{count} caractère",
        Text::PasswordCharacters => "{count} caractères",
        Text::PasswordKnown => {
            "est trop facile à deviner\u{a0}: il serait parmi les premiers essayés"
        }
        Text::PasswordGuessable => "est trop facile à deviner",
        Text::PasswordGuessableAs => "est trop facile à deviner ({reason})",
        Text::PasswordSame => "est le même qu’avant",
        Text::PasswordAdvice => "prenez trois ou quatre mots sans rapport entre eux",
        Text::PasswordAnotherAdvice => "choisissez-en un autre",
        Text::GuessKeyRows => "des touches qui se suivent sur le clavier se devinent facilement",
        Text::GuessKeyPatterns => "les motifs courts sur le clavier se devinent facilement",
        Text::GuessRepeats => "les répétitions comme «\u{a0}aaa\u{a0}» se devinent facilement",
        Text::GuessRepeatedWords => {
            "les répétitions comme «\u{a0}abcabcabc\u{a0}» ne sont guère plus difficiles à deviner que \
             «\u{a0}abc\u{a0}»"
        }
        Text::GuessTop10 => "c’est l’un des 10 mots de passe les plus courants",
        Text::GuessTop100 => "c’est l’un des 100 mots de passe les plus courants",
        Text::GuessCommon => "c’est un mot de passe très courant",
        Text::GuessSimilar => "cela ressemble à un mot de passe courant",
        Text::GuessSequences => "les suites comme abc ou 6543 se devinent facilement",
        Text::GuessYears => "les années récentes se devinent facilement",
        Text::GuessOneWord => "un mot tout seul se devine facilement",
        Text::GuessDates => "les dates se devinent souvent facilement",
        Text::GuessOneName => "les noms et prénoms tout seuls se devinent facilement",
        Text::GuessNames => "les noms et prénoms courants se devinent facilement",

        // A sign-in: how it ended.
        Text::SignedIn => "{user}\u{a0}: connexion réussie",
        Text::Rejected => "{user}\u{a0}: refusé",
        Text::RejectedTemporary => {
            "{user}\u{a0}: refusé\u{a0}; ce mot de passe temporaire a expiré\u{a0}: demandez-en un nouveau au centre \
             d’assistance"
        }
        Text::RejectedUsed => "{user}\u{a0}: refusé\u{a0}; ce code a déjà servi\u{a0}: {next}",
        Text::RejectedNoDevice => {
            "{user}\u{a0}: refusé\u{a0}; le mot de passe est bon, mais aucun code de votre appareil n’est vérifié \
             ici\u{a0}: adressez-vous au centre d’assistance"
        }
        Text::NewPasswordRequired => "{user}\u{a0}: il faut un nouveau mot de passe",
        Text::DeviceRequired => {
            "{user}\u{a0}: l’authentification à deux facteurs est obligatoire\u{a0}; installez un appareil"
        }
        Text::DeviceRequiredOfHelpdesk => {
            "{user}\u{a0}: l’authentification à deux facteurs est obligatoire\u{a0}; demandez un nouveau QR code au \
             centre d’assistance"
        }
        Text::CodeRequired => "{user}\u{a0}: il faut un code",
        Text::LockedUntil => "{user}\u{a0}: verrouillé jusqu’au {time}",
        Text::LockedForGood => {
            "{user}\u{a0}: verrouillé\u{a0}; demandez au centre d’assistance de déverrouiller le compte"
        }
        Text::HintDue => {
            "conseil\u{a0}: l’authentification à deux facteurs est obligatoire à partir du {date}\u{a0}: installez un \
             appareil"
        }
        Text::HintRecovery => {
            "conseil\u{a0}: il reste {codes}\u{a0}: demandez-en de nouveaux au centre d’assistance"
        }
        Text::HintList => {
            "conseil\u{a0}: il reste {codes} sur la liste imprimée\u{a0}: demandez-en une nouvelle au centre \
             d’assistance"
        }
        Text::HintNewPassword => {
            "conseil\u{a0}: choisissez le nouveau mot de passe en vous connectant, puis revenez"
        }

        // Self-service: what is seen.
        Text::StatusEnabled => "activée",
        Text::StatusDisabled => "désactivée",
        Text::StatusPending => "en attente",
        Text::StatusNotEnabled => "non activée",
        Text::OwnStatus => "{user}\u{a0}: authentification à deux facteurs {status}",
        Text::OwnStatusDevices => {
            "{user}\u{a0}: authentification à deux facteurs {status}\u{a0}; {devices}\u{a0}: {list}"
        }
        Text::DeviceLine => "{device}\u{a0}: {state} ({kind}), {last}",
        Text::DeviceActive => "actif",
        Text::DevicePending => "en attente",
        Text::DeviceDisabled => "désactivé",
        Text::LastUsed => "utilisé le {date}",
        Text::NeverUsed => "jamais utilisé",
        Text::CodesLeft => "{codes} à utiliser",

        // Self-service: what is asked.
        Text::WhatToDo => "Que voulez-vous faire\u{a0}? Numéro, ou Entrée pour quitter",
        Text::WhichDevice => "Quel appareil\u{a0}? Numéro, ou Entrée pour quitter",
        Text::TypeANumber => "tapez un numéro de 1 à {most}",
        Text::SetUpFirst => "installer un appareil",
        Text::SetUpFurther => "installer un appareil de plus",
        Text::SetUpReplacement => "installer un nouvel appareil à la place d’un autre",
        Text::SwitchOff => "désactiver l’authentification à deux facteurs",
        Text::RemoveDevice => "retirer un appareil",
        Text::RenameDevice => "renommer un appareil",
        Text::MakeRecoveryCodes => "créer de nouveaux codes de secours",
        Text::NameOfNew => "Nom du nouvel appareil (Entrée\u{a0}: choisi pour vous)",
        Text::NewNameQuestion => "Nouveau nom (Entrée\u{a0}: quitter)",
        Text::NotAName => "ce nom ne convient pas\u{a0}: prenez au plus {most} lettres et chiffres",
        Text::AskSwitchOff => {
            "Désactiver l’authentification à deux facteurs\u{a0}? Seul le centre d’assistance peut la réactiver."
        }
        Text::AskRemoveLast => {
            "Retirer {device}, votre dernier appareil, et tous les codes de secours\u{a0}?"
        }
        Text::AskRemove => "Retirer {device}\u{a0}?",
        Text::AskReplace => {
            "Installer un nouvel appareil\u{a0}? {device} s’arrête au premier code du nouveau."
        }
        Text::AskRecoveryCodes => {
            "Créer de nouveaux codes de secours\u{a0}? Les anciens ne vaudront plus rien."
        }
        Text::Afterwards => "ensuite\u{a0}: {meaning}",
        Text::NextCodeTaken => "il faut aussi le code suivant de {device}\u{a0}: {wait}",
        Text::NextCodeOf => "Code suivant de {device}",
        Text::NotACodeOf => "ce n’est pas un code\u{a0}: {form}",
        Text::FirstDigits => {
            "Les {digits} chiffres affichés par l’application (Entrée\u{a0}: plus tard)"
        }
        Text::NotTheDigits => {
            "ce n’est pas un code\u{a0}: tapez les {digits} chiffres affichés par l’application"
        }
        Text::ClockAhead => {
            "{answer}\u{a0}; l’horloge du téléphone avance d’environ {span}\u{a0}: réglez-la sur automatique"
        }
        Text::ClockBehind => {
            "{answer}\u{a0}; l’horloge du téléphone retarde d’environ {span}\u{a0}: réglez-la sur automatique"
        }
        Text::OwnPending => {
            "le nouvel appareil {device} est en attente\u{a0}: son premier code le confirme"
        }
        Text::Unchanged => "rien n’a été changé",

        // Self-service: what was done, and what it means.
        Text::AlreadySo => "{user}\u{a0}: c’est déjà fait\u{a0}; rien à changer",
        Text::IsPending => "{user}\u{a0}: {device} est en attente",
        Text::IsSetUp => "{user}\u{a0}: {device} est installé",
        Text::IsSwitchedOff => "{user}\u{a0}: l’authentification à deux facteurs est désactivée",
        Text::AllDeleted => "{user}\u{a0}: l’authentification à deux facteurs est supprimée",
        Text::IsRemoved => "{user}\u{a0}: {device} est retiré",
        Text::IsRenamed => "{user}\u{a0}: {device} s’appelle maintenant {name}",
        Text::HasRecoveryCodes => {
            "{user}\u{a0}: {count} nouveaux codes de secours\u{a0}; les anciens ne valent plus rien"
        }
        Text::HasToBeConfirmed => "{device} est à confirmer avant le {date}",
        Text::HasToBeConfirmedAs => {
            "{device} est à confirmer avant le {date}, puis s’appelle {name}"
        }
        Text::RefusedUntilConfirmed => "d’ici là, pas de connexion sans lui",
        Text::PasswordAlone => "vous pouvez vous connecter avec le seul mot de passe",
        Text::RecoveryVoid => "les codes de secours ne valent plus rien",
        Text::BypassVoid => "le code de contournement ne vaut plus rien",

        // The handout.
        Text::HandoutTitle => "Votre second facteur chez {issuer}",
        // The QR code on a terminal.
        Text::QrTooNarrow => {
            "Le QR code demande {columns} colonnes\u{a0}: agrandissez le terminal puis lancez show-qr, omettez --ascii, \
             ou utilisez --output FICHIER.png."
        }
        Text::QrTooHigh => {
            "Le QR code a {rows} lignes\u{a0}: agrandissez le terminal ou réduisez sa police pour le voir en entier."
        }
        Text::TypeKey => "Saisissez ceci dans votre application d’authentification\u{a0}:",
    }
}
