//! French, with no-break spaces before `: ; ! ? »` and typographic apostrophes.

use crate::texts::Text;
use crate::texts::language_table::LanguageTable;

pub const FRENCH: LanguageTable = LanguageTable {
    text,
    is_singular: |count| count < 2,
    pads_hour: false,
    before_colon: "\u{a0}",
};

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
        Text::Seconds => "{count}\u{a0}s",
        Text::Soon => "{date}, dans {span}",
        Text::Date => "{day} {month} {year} à {hour}\u{a0}h\u{a0}{minute} ({zone})",
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
            "Le code QR demande {columns} colonnes et {rows} lignes\u{a0}: agrandissez le terminal puis lancez \
             show-qr, ou utilisez --output FICHIER.png."
        }
        Text::CardEnlarge => {
            "Le code QR demande {columns} colonnes et {rows} lignes\u{a0}: agrandissez le terminal, et il apparaît."
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
        Text::PasswordOf => "Mot de passe pour {user}",
        Text::Code => "Code",
        Text::NewPassword => "Nouveau mot de passe",
        Text::OnceMore => "Confirmez-le",

        // A sign-in: what is said on the way.
        Text::NewPasswordNeeded => "il faut un nouveau mot de passe",
        Text::SetUpAppNow => {
            "l’authentification à deux facteurs est obligatoire\u{a0}: installez maintenant une application \
             d’authentification"
        }
        Text::FirstCodeNow => {
            "l’authentification à deux facteurs est obligatoire, et votre appareil {device} attend son premier \
             code\u{a0}: si vous avez déjà scanné son code QR, saisissez le code que votre application affiche\u{a0}; \
             sinon, scannez celui-ci"
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
        Text::FirstCodeRequired => {
            "{user}\u{a0}: l’authentification à deux facteurs est obligatoire\u{a0}; saisissez le premier code de \
             votre appareil {device}"
        }
        Text::DeviceRequiredOfHelpdesk => {
            "{user}\u{a0}: l’authentification à deux facteurs est obligatoire\u{a0}; demandez un nouveau code QR au \
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
        Text::HandoutTitle => "{issuer}\u{a0}: connexion avec un code à usage unique",
        Text::HandoutWhy => {
            "Désormais, il faut deux choses pour vous connecter\u{a0}: votre mot de passe, et un code à usage \
             unique que personne d’autre ne peut obtenir. Connaître votre mot de passe ne suffit donc plus pour se \
             connecter à votre place."
        }
        Text::HandoutElsewhereTitle => "{issuer}\u{a0}: comment vous connecter",
        Text::HandoutElsewhereWhy => {
            "Désormais, il faut deux choses pour vous connecter\u{a0}: votre mot de passe, et quelque chose que vous seul \
             avez. Connaître votre mot de passe ne suffit donc plus pour se connecter à votre place."
        }
        Text::HandoutAgain => {
            "Vos codes fonctionnent déjà et restent valables. Cette page sert à configurer un autre téléphone, ou \
             à configurer de nouveau l’application."
        }
        Text::HandoutName => "Nom",
        Text::HandoutAccount => "Compte",
        Text::HandoutAccountAt => "{account} ({issuer})",
        Text::HandoutDevice => "Appareil",
        Text::HandoutSerial => "Numéro de série",
        Text::HandoutDoBefore => "À faire avant le",
        Text::HandoutTicket => "Ticket",
        Text::HandoutHelpdesk => "Centre d’assistance",
        Text::HandoutSteps => "Marche à suivre",
        Text::HandoutTemporaryPassword => {
            "Ouvrez la page de connexion. Connectez-vous avec votre nom d’utilisateur et le mot de passe \
             temporaire reçu du centre d’assistance. Il ne sert qu’une fois, jusqu’au {date}."
        }
        Text::HandoutExpiredPassword => {
            "Demandez un nouveau mot de passe temporaire au centre d’assistance\u{a0}: celui que vous avez reçu \
             auparavant ne fonctionne plus. Ouvrez ensuite la page de connexion et connectez-vous avec votre nom \
             d’utilisateur et le nouveau mot de passe temporaire."
        }
        Text::HandoutOldPassword => {
            "Ouvrez la page de connexion. Connectez-vous avec votre nom d’utilisateur et votre mot de passe \
             actuel."
        }
        Text::HandoutNewPassword => {
            "La page de connexion vous demande un nouveau mot de passe\u{a0}: choisissez-en un que vous n’utilisez \
             nulle part ailleurs. Ensuite, seul le nouveau fonctionne."
        }
        Text::HandoutPasswordTitle => "{issuer}\u{a0}: choisissez un nouveau mot de passe",
        Text::HandoutPasswordWhy => {
            "Votre mot de passe doit être remplacé. Vous en choisirez un nouveau à votre prochaine connexion."
        }
        Text::HandoutPasswordDone => "Une fois la connexion établie, c’est terminé.",
        Text::HandoutPasswordAskedTitle => "Qui vous demande votre mot de passe\u{a0}?",
        Text::HandoutPasswordNeverAsked => {
            "Jamais le centre d’assistance, ni qui que ce soit par téléphone, par e-mail ou par messagerie. Si \
             quelqu’un vous le demande, refusez et prévenez le centre d’assistance."
        }
        Text::HandoutOpenSignIn => {
            "Ouvrez la page de connexion et connectez-vous avec votre nom d’utilisateur et votre mot de passe."
        }
        Text::HandoutShowsQr => {
            "La page de connexion affiche alors un code QR, un carré fait de petits points, et à côté une clé à \
             saisir. Laissez cette page ouverte."
        }
        Text::HandoutTypeFirstCode => {
            "Saisissez ce code sur la page de connexion. S’il change entre-temps, saisissez le nouveau."
        }
        Text::HandoutSquareOnPage => "le carré de cette page",
        Text::HandoutSquareOnScreen => "le carré affiché à l’écran",
        Text::HandoutFromPage => "indiqués sur cette page",
        Text::HandoutFromScreen => "affichés à l’écran",
        Text::HandoutInstall => {
            "Sur votre téléphone, installez {app} depuis l’App Store ou Google Play. L’application est gratuite. Si \
             elle est déjà installée, utilisez-la."
        }
        Text::HandoutInstallAny => {
            "Sur votre téléphone, installez une application d’authentification depuis l’App Store ou Google Play, \
             par exemple Google Authenticator, Microsoft Authenticator, Okta Verify ou Duo Mobile. Elles sont \
             gratuites. Si vous en avez déjà une, utilisez-la."
        }
        Text::HandoutInstallAble => {
            "Sur votre téléphone, installez une application d’authentification capable d’afficher vos codes, depuis \
             l’App Store ou Google Play\u{a0}: {apps}. Beaucoup d’autres affichent des codes erronés. Si vous avez \
             déjà l’une de celles-ci, utilisez-la."
        }
        Text::HandoutInstallAsked => {
            "Demandez au centre d’assistance le nom d’une application d’authentification capable d’afficher vos \
             codes, et installez-la sur votre téléphone. Beaucoup d’applications affichent des codes erronés."
        }
        Text::HandoutOr => "{first} ou {last}",
        Text::HandoutInstallYubico => {
            "Installez Yubico Authenticator sur votre téléphone (App Store ou Google Play) ou sur votre ordinateur \
             (yubico.com). Munissez-vous de votre YubiKey\u{a0}: c’est elle qui garde la clé de vos codes."
        }
        // The menus of the apps in French. Yubico's are those of its own translation (app_fr.arb); Google's "Scanner un code
        // QR" and Microsoft's "Entrer le code manuellement" are in guides to these apps. The others are not confirmed.
        Text::HandoutScanGoogle => {
            "Ouvrez l’application et touchez + en bas à droite. Touchez «\u{a0}Scanner un code QR\u{a0}» et visez \
             {square} avec l’appareil photo."
        }
        Text::HandoutScanMicrosoft => {
            "Ouvrez l’application et touchez + en haut à droite. Choisissez «\u{a0}Autre (Google, Facebook, \
             etc.)\u{a0}», même s’il s’agit de votre compte professionnel, et visez {square} avec l’appareil photo."
        }
        Text::HandoutScanOkta => {
            "Ouvrez l’application et touchez + en haut à droite. Choisissez «\u{a0}Autre\u{a0}», puis «\u{a0}Scanner \
             un code QR\u{a0}», et visez {square} avec l’appareil photo. Touchez «\u{a0}Terminé\u{a0}»."
        }
        Text::HandoutScanDuo => {
            "Ouvrez l’application et touchez «\u{a0}Ajouter\u{a0}» en haut à droite (la première fois, \
             «\u{a0}Configurer un compte\u{a0}»). Touchez «\u{a0}Utiliser un code QR\u{a0}» et visez {square} avec \
             l’appareil photo. Gardez le nom proposé et touchez «\u{a0}Enregistrer\u{a0}»."
        }
        Text::HandoutScanYubico => {
            "Ouvrez l’application, puis branchez votre YubiKey ou tenez-la contre le dos du téléphone. Dans le menu, \
             choisissez «\u{a0}Ajouter compte\u{a0}», puis «\u{a0}Scanner code QR\u{a0}», et visez {square} avec \
             l’appareil photo. Touchez «\u{a0}Enregistrer\u{a0}»\u{a0}; présentez de nouveau la YubiKey si \
             l’application le demande."
        }
        Text::HandoutScanAny => {
            "Ouvrez l’application et touchez + ou «\u{a0}Ajouter un compte\u{a0}». Si elle demande le type de \
             compte, choisissez «\u{a0}Autre\u{a0}». Choisissez «\u{a0}Scanner un code QR\u{a0}» et visez {square} \
             avec l’appareil photo."
        }
        Text::HandoutScanOnly => {
            "Si vous ne pouvez pas scanner, appelez votre centre d’assistance et ne saisissez pas la clé\u{a0}: pour une \
             clé saisie à la main, l’application prend ses réglages habituels, et les codes seraient faux."
        }
        Text::HandoutTypeGoogle => {
            "Si vous ne pouvez pas scanner\u{a0}: touchez + puis «\u{a0}Saisir une clé de configuration\u{a0}». \
             Saisissez le nom du compte et la clé {there}, choisissez le type de clé «\u{a0}{kind}\u{a0}», puis \
             touchez «\u{a0}Ajouter\u{a0}»."
        }
        Text::HandoutTypeMicrosoft => {
            "Si vous ne pouvez pas scanner\u{a0}: touchez «\u{a0}Ou entrer le code manuellement\u{a0}» sous l’image de \
             l’appareil photo. Saisissez le nom du compte et la clé secrète {there}, puis touchez \
             «\u{a0}Terminer\u{a0}»."
        }
        Text::HandoutTypeOkta => {
            "Si vous ne pouvez pas scanner\u{a0}: touchez +, «\u{a0}Autre\u{a0}», puis «\u{a0}Saisir la clé \
             manuellement\u{a0}». Saisissez le nom du compte et la clé {there}, puis touchez «\u{a0}Terminé\u{a0}»."
        }
        Text::HandoutTypeDuo => {
            "Si vous ne pouvez pas scanner\u{a0}: touchez «\u{a0}Ajouter\u{a0}» et choisissez «\u{a0}Autre\u{a0}» à \
             la fin de la liste des comptes. Saisissez le nom du compte et la clé {there}, puis touchez \
             «\u{a0}Enregistrer\u{a0}»."
        }
        Text::HandoutTypeYubico => {
            "Si vous ne pouvez pas scanner\u{a0}: choisissez «\u{a0}Ajouter compte\u{a0}», puis «\u{a0}Saisir \
             manuellement\u{a0}». Saisissez le nom du compte et la clé secrète {there}, puis touchez «\u{a0}Enregistrer\u{a0}»."
        }
        Text::HandoutTypeAny => {
            "Si vous ne pouvez pas scanner\u{a0}: choisissez dans l’application de saisir la clé à la main. \
             Saisissez le nom du compte et la clé {there}."
        }
        Text::HandoutGoogleTimeBased => "Basée sur l’heure",
        Text::HandoutGoogleCounterBased => "Basée sur un compteur",
        Text::HandoutAppShows => {
            "L’application affiche maintenant un code à {digits} chiffres pour {issuer}. Il change toutes les \
             {period} secondes."
        }
        Text::HandoutYubicoShows => {
            "L’application affiche maintenant, quand votre YubiKey est connectée, un code à {digits} chiffres pour \
             {issuer}. Il change toutes les {period} secondes."
        }
        Text::HandoutAppCounts => {
            "L’application contient maintenant une entrée pour {issuer}. Chaque appui sur la flèche affichée à \
             côté donne un nouveau code à {digits} chiffres. N’appuyez que lorsqu’il vous faut un code."
        }
        Text::HandoutSignIn => {
            "Ouvrez la page de connexion et connectez-vous avec votre nom d’utilisateur et votre mot de passe. \
             Quand elle demande un code, saisissez celui que l’application affiche à ce moment-là."
        }
        Text::HandoutTypeCode => {
            "Quand la page de connexion demande un code, saisissez celui que l’application affiche à ce moment-là."
        }
        Text::HandoutTwoCodes => {
            "La première fois, deux codes successifs sont demandés\u{a0}: attendez que l’application affiche le \
             suivant et saisissez-le aussi."
        }
        Text::HandoutDone => {
            "Une fois le code accepté, c’est terminé. Ensuite, un nouveau code vous sera demandé à chaque connexion."
        }
        Text::HandoutTokenTime => {
            "Prenez votre jeton d’authentification. Il affiche un code à {digits} chiffres\u{a0}; si l’écran est \
             éteint, appuyez sur son bouton."
        }
        Text::HandoutTokenCounter => {
            "Prenez votre jeton d’authentification. Chaque appui sur son bouton affiche un nouveau code à {digits} \
             chiffres. N’appuyez que lorsqu’il vous faut un code."
        }
        Text::HandoutSignInToken => {
            "Ouvrez la page de connexion et connectez-vous avec votre nom d’utilisateur et votre mot de passe. \
             Quand elle demande un code, saisissez celui que le jeton affiche."
        }
        Text::HandoutTypeTokenCode => {
            "Quand la page de connexion demande un code, saisissez celui que le jeton affiche."
        }
        Text::HandoutYubikeyPlug => {
            "Branchez votre YubiKey sur l’ordinateur. Aucune application n’est nécessaire."
        }
        Text::HandoutSignInYubikey => {
            "Ouvrez la page de connexion et connectez-vous avec votre nom d’utilisateur et votre mot de passe. \
             Quand elle demande un code, cliquez dans le champ."
        }
        Text::HandoutClickYubikey => {
            "Quand la page de connexion demande un code, cliquez dans le champ."
        }
        Text::HandoutYubikeyTouch => {
            "Posez un doigt sur le contact métallique de la YubiKey. Elle saisit elle-même une longue suite de \
             lettres. Si rien ne se passe ensuite, appuyez sur Entrée."
        }
        Text::HandoutYubikeyElsewhere => {
            "Ne la touchez que lorsque le curseur est dans ce champ\u{a0}: la suite de lettres s’écrit là où se \
             trouve le curseur, et n’a rien à faire dans une messagerie ou un e-mail."
        }
        Text::HandoutSignInPaper => {
            "Ouvrez la page de connexion et connectez-vous avec votre nom d’utilisateur et votre mot de passe. \
             Quand elle demande un code, saisissez un code de votre liste qui n’est pas barré."
        }
        Text::HandoutTypePaperCode => {
            "Quand la page de connexion demande un code, saisissez un code de votre liste qui n’est pas barré."
        }
        Text::HandoutCrossOut => "Barrez ce code\u{a0}: chacun ne sert qu’une fois.",
        Text::HandoutNewList => {
            "Quand il ne reste que cinq codes, demandez une nouvelle liste au centre d’assistance."
        }
        Text::HandoutElsewhere => {
            "Utilisez-le comme on vous l’a montré lors de la remise\u{a0}: {mark}. Il n’y a aucun code à saisir."
        }
        Text::HandoutKeep => {
            "Gardez votre appareil et ne supprimez rien dans l’application. Vous n’aurez rien à reconfigurer."
        }
        Text::HandoutAskToSwitchOn => {
            "Quand vous aurez de nouveau besoin de codes, demandez au centre d’assistance de réactiver votre \
             authentification à deux facteurs."
        }
        Text::HandoutAsBefore => {
            "Ensuite, connectez-vous comme avant\u{a0}: avec le même appareil et les codes qu’il donne."
        }
        Text::HandoutWaitForPage => {
            "Demandez au centre d’assistance de réactiver votre authentification à deux facteurs et de vous \
             remettre une nouvelle page. Elle vous expliquera comment configurer votre appareil."
        }
        Text::HandoutSwitchedOffTitle => {
            "{issuer}\u{a0}: votre authentification à deux facteurs est désactivée"
        }
        Text::HandoutSwitchedOff => {
            "Tous les réglages sont conservés, mais vos codes sont désactivés. Tant que le centre d’assistance ne \
             les a pas réactivés, tous les codes sont refusés. Demandez-lui comment vous connecter en attendant."
        }
        Text::HandoutAskedTitle => "Qui vous demande un code\u{a0}?",
        Text::HandoutAskedBy => {
            "Uniquement la page de connexion, après que vous l’avez ouverte vous-même."
        }
        Text::HandoutNotAskedYet => {
            "Si elle vous laisse entrer sans demander de code, vos codes ne sont pas encore utilisés\u{a0}: prévenez \
             le centre d’assistance, et reconnectez-vous quand il aura activé la demande d’un code."
        }
        Text::HandoutNeverAsked => {
            "Jamais le centre d’assistance, ni qui que ce soit par téléphone, par e-mail ou par messagerie. Ne \
             montrez et ne dictez jamais un code, et ne montrez cette page à personne. Si quelqu’un vous en demande \
             un, refusez et prévenez le centre d’assistance."
        }
        Text::HandoutNeverAskedNoSecret => {
            "Jamais le centre d’assistance, ni qui que ce soit par téléphone, par e-mail ou par messagerie. Ne \
             montrez et ne dictez jamais un code. Si quelqu’un vous en demande un, refusez et prévenez le centre \
             d’assistance."
        }
        Text::HandoutLostPhoneTitle => "Si vous perdez votre téléphone",
        Text::HandoutLostDeviceTitle => "En cas de perte ou de panne",
        Text::HandoutLostListTitle => "Si vous perdez la liste",
        Text::HandoutLost => {
            "Prévenez aussitôt le centre d’assistance. Il bloque ce que vous avez perdu et vous fournit de quoi le \
             remplacer."
        }
        Text::HandoutLostContact => {
            "Prévenez aussitôt le centre d’assistance\u{a0}: {contact}. Il bloque ce que vous avez perdu et vous \
             fournit de quoi le remplacer."
        }
        Text::HandoutLostRecovery => {
            "En attendant, un code de secours vous permet de vous connecter."
        }
        Text::HandoutNewPhone => {
            "Avant de vous séparer d’un ancien téléphone, demandez une nouvelle page au centre d’assistance."
        }
        Text::HandoutSeveralTitle => "Si vous utilisez plusieurs téléphones",
        Text::HandoutSeveral => {
            "Scannez cette page avec chacun d’eux maintenant, avant de la détruire. Tous afficheront le même code. \
             Si l’un d’eux est perdu, le centre d’assistance les bloque tous à la fois, et vous les configurez de \
             nouveau."
        }
        Text::HandoutSeveralAtSignIn => {
            "Scannez le code QR avec chacun d’eux avant de saisir le premier code\u{a0}: ensuite, il n’est plus \
             affiché. Tous afficheront le même code. Si l’un d’eux est perdu, le centre d’assistance les bloque \
             tous à la fois, et vous les configurez de nouveau."
        }
        Text::HandoutOnlyOne => {
            "N’en configurez qu’un seul avec cette page\u{a0}: chacun compte ses propres codes, et deux téléphones \
             ne seraient bientôt plus d’accord. Demandez au centre d’assistance une page pour chaque autre \
             téléphone."
        }
        Text::HandoutRefusedTitle => "Si un code est refusé",
        Text::HandoutRefusedTime => {
            "Chaque code ne sert qu’une fois et n’est valable que peu de temps\u{a0}: attendez le suivant. S’il est \
             refusé lui aussi, activez sur le téléphone le réglage automatique de la date et de l’heure."
        }
        Text::HandoutRefusedToken => {
            "Chaque code ne sert qu’une fois et n’est valable que peu de temps\u{a0}: attendez le suivant. S’il est \
             refusé lui aussi, adressez-vous au centre d’assistance, qui peut resynchroniser le jeton."
        }
        Text::HandoutRefusedCounter => {
            "Chaque code ne sert qu’une fois\u{a0}: prenez le suivant. S’il est refusé lui aussi, adressez-vous au \
             centre d’assistance, qui peut resynchroniser le compteur."
        }
        Text::HandoutTooLateTitle => "Si vous n’y arrivez pas à temps",
        Text::HandoutTooLate => {
            "Après le {date}, il sera trop tard pour saisir le premier code\u{a0}: demandez une nouvelle page au \
             centre d’assistance."
        }
        Text::HandoutTooLatePassword => {
            "Après le {date}, le mot de passe temporaire ne fonctionne plus\u{a0}: demandez-en un autre au centre \
             d’assistance."
        }
        Text::HandoutShownAgain => {
            "Si vous devez vous arrêter avant que le premier code soit accepté, reconnectez-vous plus tard, avec \
             votre nouveau mot de passe si vous l’avez déjà choisi\u{a0}: le code QR s’affichera de nouveau."
        }
        Text::HandoutKeyTitle => "À saisir si vous ne pouvez pas scanner",
        Text::HandoutKey => "Clé",
        Text::HandoutAccountName => "Nom du compte",
        Text::HandoutKeyKind => "Type de clé",
        Text::HandoutTimeBased => "basée sur l’heure (TOTP)",
        Text::HandoutCounterBased => "basée sur un compteur (HOTP)",
        Text::HandoutIfAsked => "Si demandé",
        Text::HandoutToSet => "À régler dans l’application",
        Text::HandoutTimeSettings => "{digits} chiffres, {period} secondes, {algorithm}",
        Text::HandoutCounterSettings => "{digits} chiffres, compteur {counter}, {algorithm}",
        Text::HandoutQr => "Code QR à scanner avec l’application",
        Text::HandoutTap => {
            "Vous lisez cette page sur ce téléphone\u{a0}? Touchez ici pour ajouter le compte."
        }
        Text::HandoutRecoveryTitle => "Codes de secours",
        Text::HandoutRecovery => {
            "Chacun remplace une fois un code que vous ne pouvez pas obtenir. Saisissez-le là où le code est \
             demandé, puis cochez sa case. Les anciens codes de secours ne fonctionnent plus."
        }
        Text::HandoutListTitle => "Votre liste de codes",
        Text::HandoutList => {
            "Chaque code ne sert qu’une fois, dans n’importe quel ordre. Barrez-le après usage."
        }
        Text::HandoutDestroy => {
            "Quiconque lit cette page peut générer vos codes. Dès que votre premier code a été accepté, \
             détruisez-la\u{a0}: déchirez le papier, supprimez le fichier."
        }
        Text::HandoutDestroyRest => {
            "Quiconque lit cette page et connaît votre mot de passe peut se connecter. Dès que votre premier code \
             a été accepté, gardez les codes de secours sur papier, loin de votre mot de passe, et détruisez le \
             reste\u{a0}: déchirez le papier, supprimez le fichier."
        }
        Text::HandoutKeepCodes => {
            "Quiconque lit ces codes et connaît votre mot de passe peut se connecter. Gardez-les sur papier, loin \
             de votre mot de passe, et détruisez la page quand le dernier a servi."
        }
        Text::HandoutNoSecret => "Cette page ne contient aucun secret.",

        // Mails about a page.
        Text::PageWaitingTitle => "une page vous attend pour votre second facteur",
        Text::PageWaiting => {
            "Désormais, il faut deux choses pour vous connecter\u{a0}: votre mot de passe, et un code à usage unique \
             donné par votre téléphone. Une page qui explique comment faire vous attend."
        }
        Text::PageFetch => {
            "Elle contient une clé qui n’est que pour vous\u{a0}; elle n’est donc pas envoyée par e-mail. Passez au \
             centre d’assistance avec le téléphone qui affichera les codes et une preuve de votre identité."
        }
        Text::PageAttachedTitle => "comment configurer votre second facteur",
        Text::PageAttached => {
            "Pour vous connecter, il faut deux choses\u{a0}: votre mot de passe, et un code à usage unique. La page \
             jointe dit pourquoi, ce qu’il faut faire étape par étape, et à qui vous adresser."
        }
        Text::PageStepsTitle => "comment vous connecter",
        Text::PageSteps => {
            "La page jointe dit comment vous connecter désormais, étape par étape, et à qui vous adresser."
        }
        Text::PageSecret => {
            "Elle contient un QR code et une clé. Quiconque les voit peut produire vos codes\u{a0}: ne transférez pas \
             ce message et ne montrez la page à personne. Ouvrez-la sur un ordinateur, ou imprimez-la, pour que votre \
             téléphone puisse scanner le code. Dès que votre premier code a été accepté, supprimez ce message et la page."
        }
        Text::PageNoSecret => "Elle ne contient que les étapes, et aucun secret.",
        Text::PageUntil => "À faire avant le\u{a0}: {date}",
        Text::PageHelpdesk => "Centre d’assistance\u{a0}: {contact}",
        Text::PageUnexpected => {
            "Si vous ne savez pas de quoi il s’agit, n’ouvrez rien et appelez votre centre d’assistance, à un numéro \
             que vous connaissez déjà."
        }

        // The QR code on a terminal.
        Text::QrTooNarrow => {
            "Le code QR demande {columns} colonnes\u{a0}: agrandissez le terminal puis lancez show-qr, omettez --ascii, \
             ou utilisez --output FICHIER.png."
        }
        Text::QrTooHigh => {
            "Le code QR a {rows} lignes\u{a0}: agrandissez le terminal ou réduisez sa police pour le voir en entier."
        }
        Text::TypeKey => "Saisissez ceci dans votre application d’authentification\u{a0}:",
    }
}
