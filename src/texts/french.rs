//! French, with no-break spaces before `: ; ! ? »` and typographic apostrophes.

use crate::texts::Text;

pub const MONTHS: [&str; 12] = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
];

pub const fn text(text: Text) -> &'static str {
    match text {
        // The handout.
        Text::HandoutTitle => "{issuer}\u{a0}: connexion avec un code à usage unique",
        Text::HandoutWhy => {
            "Désormais, il faut deux choses pour vous connecter\u{a0}: votre mot de passe, et un code à usage \
             unique que personne d’autre ne peut obtenir. Connaître votre mot de passe ne suffit donc plus pour se \
             connecter à votre place."
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
        Text::HandoutFirstPassword => {
            "Ouvrez la page de connexion et connectez-vous avec votre nom d’utilisateur."
        }
        Text::HandoutOldPassword => {
            "Ouvrez la page de connexion. Connectez-vous avec votre nom d’utilisateur et votre mot de passe \
             actuel."
        }
        Text::HandoutNewPassword => {
            "La page de connexion vous demande un nouveau mot de passe\u{a0}: choisissez-en un que vous n’utilisez \
             nulle part ailleurs. Ensuite, seul le nouveau fonctionne."
        }
        Text::HandoutInstall => {
            "Sur votre téléphone, installez {app} depuis l’App Store ou Google Play. L’application est gratuite. \
             Si elle y est déjà, utilisez-la."
        }
        Text::HandoutInstallAny => {
            "Sur votre téléphone, installez une application d’authentification depuis l’App Store ou Google Play, \
             par exemple Google Authenticator, Microsoft Authenticator, Okta Verify ou Duo Mobile. Elles sont \
             gratuites. Si vous en avez déjà une, utilisez-la."
        }
        Text::HandoutInstallYubico => {
            "Installez Yubico Authenticator sur votre téléphone (App Store ou Google Play) ou sur votre ordinateur \
             (yubico.com). Munissez-vous de votre YubiKey\u{a0}: c’est elle qui garde la clé de vos codes."
        }
        Text::HandoutScanGoogle => {
            "Ouvrez l’application et touchez + en bas à droite. Touchez «\u{a0}Scanner un code QR\u{a0}» et visez \
             le carré de cette page avec l’appareil photo."
        }
        Text::HandoutScanMicrosoft => {
            "Ouvrez l’application et touchez + en haut à droite. Choisissez «\u{a0}Autre compte (Google, Facebook, \
             etc.)\u{a0}», même s’il s’agit de votre compte professionnel, et visez le carré de cette page avec \
             l’appareil photo."
        }
        Text::HandoutScanOkta => {
            "Ouvrez l’application et touchez + en haut à droite. Choisissez «\u{a0}Autre\u{a0}», puis \
             «\u{a0}Scanner un code QR\u{a0}», et visez le carré de cette page avec l’appareil photo. Touchez \
             «\u{a0}Terminé\u{a0}»."
        }
        Text::HandoutScanDuo => {
            "Ouvrez l’application et touchez «\u{a0}Ajouter\u{a0}» en haut à droite (la première fois, \
             «\u{a0}Configurer un compte\u{a0}»). Touchez «\u{a0}Utiliser un code QR\u{a0}» et visez le carré de \
             cette page avec l’appareil photo. Gardez le nom proposé et touchez «\u{a0}Enregistrer\u{a0}»."
        }
        Text::HandoutScanYubico => {
            "Ouvrez l’application, puis branchez votre YubiKey ou tenez-la contre le dos du téléphone. Dans le \
             menu, choisissez «\u{a0}Ajouter un compte\u{a0}», puis «\u{a0}Scanner le code QR\u{a0}», et visez le \
             carré de cette page avec l’appareil photo. Touchez «\u{a0}Enregistrer\u{a0}»\u{a0}; présentez de \
             nouveau la YubiKey si l’application le demande."
        }
        Text::HandoutScanAny => {
            "Ouvrez l’application et touchez + ou «\u{a0}Ajouter un compte\u{a0}». Si elle demande le type de \
             compte, choisissez «\u{a0}Autre\u{a0}». Choisissez «\u{a0}Scanner un code QR\u{a0}» et visez le carré \
             de cette page avec l’appareil photo."
        }
        Text::HandoutTypeGoogle => {
            "Si vous ne pouvez pas scanner\u{a0}: touchez + puis «\u{a0}Saisir une clé de configuration\u{a0}». \
             Saisissez le nom du compte et la clé de cette page, choisissez le type de clé «\u{a0}{kind}\u{a0}», \
             puis touchez «\u{a0}Ajouter\u{a0}»."
        }
        Text::HandoutTypeMicrosoft => {
            "Si vous ne pouvez pas scanner\u{a0}: touchez «\u{a0}Entrer le code manuellement\u{a0}» sous l’image \
             de l’appareil photo. Saisissez le nom du compte et la clé secrète de cette page, puis touchez \
             «\u{a0}Terminer\u{a0}»."
        }
        Text::HandoutTypeOkta => {
            "Si vous ne pouvez pas scanner\u{a0}: touchez +, «\u{a0}Autre\u{a0}», puis «\u{a0}Saisir la clé \
             manuellement\u{a0}». Saisissez le nom du compte et la clé de cette page, puis touchez \
             «\u{a0}Terminé\u{a0}»."
        }
        Text::HandoutTypeDuo => {
            "Si vous ne pouvez pas scanner\u{a0}: touchez «\u{a0}Ajouter\u{a0}» et choisissez «\u{a0}Autre\u{a0}» \
             à la fin de la liste des comptes. Saisissez le nom du compte et la clé de cette page, puis touchez \
             «\u{a0}Enregistrer\u{a0}»."
        }
        Text::HandoutTypeYubico => {
            "Si vous ne pouvez pas scanner\u{a0}: choisissez «\u{a0}Ajouter un compte\u{a0}», puis la saisie \
             manuelle. Saisissez le nom du compte et la clé secrète de cette page, puis touchez \
             «\u{a0}Enregistrer\u{a0}»."
        }
        Text::HandoutTypeAny => {
            "Si vous ne pouvez pas scanner\u{a0}: choisissez dans l’application de saisir la clé à la main. \
             Saisissez le nom du compte et la clé de cette page."
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
            "Une fois le code accepté, c’est terminé. Ensuite, chaque connexion demande un nouveau code."
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
            "Utilisez-le comme on vous l’a montré à la remise\u{a0}: {mark}. Aucun code n’est à saisir."
        }
        Text::HandoutKeep => {
            "Gardez votre appareil et ne supprimez rien dans l’application. Rien n’est à configurer de nouveau."
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
            "Vos codes sont désactivés, et tous les réglages sont conservés. Tant que le centre d’assistance ne \
             les a pas réactivés, tous les codes sont refusés. Demandez au centre d’assistance comment vous \
             connecter en attendant."
        }
        Text::HandoutAskedTitle => "Qui vous demande un code\u{a0}?",
        Text::HandoutAskedBy => {
            "Uniquement la page de connexion, après que vous l’avez ouverte vous-même."
        }
        Text::HandoutNeverAsked => {
            "Jamais le centre d’assistance, et jamais personne par téléphone, par e-mail ou par messagerie. Ne \
             montrez et ne dictez ni un code ni cette page. Si quelqu’un vous en demande, refusez et prévenez le \
             centre d’assistance."
        }
        Text::HandoutLostPhoneTitle => "Si vous perdez votre téléphone",
        Text::HandoutLostDeviceTitle => "En cas de perte ou de panne",
        Text::HandoutLostListTitle => "Si vous perdez la liste",
        Text::HandoutLost => {
            "Prévenez aussitôt le centre d’assistance. Il bloque ce qui est perdu et vous donne de quoi configurer \
             un remplacement."
        }
        Text::HandoutLostContact => {
            "Prévenez aussitôt le centre d’assistance\u{a0}: {contact}. Il bloque ce qui est perdu et vous donne \
             de quoi configurer un remplacement."
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
        Text::HandoutOnlyOne => {
            "N’en configurez qu’un seul avec cette page\u{a0}: chacun compte ses propres codes, et deux téléphones \
             ne seraient bientôt plus d’accord. Demandez au centre d’assistance une page pour chaque autre \
             téléphone."
        }
        Text::HandoutRefusedTitle => "Si un code est refusé",
        Text::HandoutRefusedTime => {
            "Chaque code ne sert qu’une fois, et peu de temps\u{a0}: attendez le suivant. S’il est refusé lui \
             aussi, laissez le téléphone régler automatiquement la date et l’heure."
        }
        Text::HandoutRefusedToken => {
            "Chaque code ne sert qu’une fois, et peu de temps\u{a0}: attendez le suivant. S’il est refusé lui \
             aussi, adressez-vous au centre d’assistance, qui peut resynchroniser le jeton."
        }
        Text::HandoutRefusedCounter => {
            "Chaque code ne sert qu’une fois\u{a0}: prenez le suivant. S’il est refusé lui aussi, adressez-vous au \
             centre d’assistance, qui peut resynchroniser le compteur."
        }
        Text::HandoutTooLateTitle => "Si vous n’y arrivez pas à temps",
        Text::HandoutTooLate => {
            "Après le {date}, aucun premier code n’est plus accepté\u{a0}: demandez une nouvelle page au centre \
             d’assistance."
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
            "Quiconque lit cette page peut produire vos codes. Dès que votre premier code a été accepté, \
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
    }
}
