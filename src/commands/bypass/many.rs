//! `mfactl bypass --from`: a temporary code for every user of a list, or none any more.

use anyhow::{Context as _, Result};

use super::{Bypass, Terms, check_not_disabled, without};
use crate::app::App;
use crate::commands::Verb as _;
use crate::commands::bulk::BulkVerb;
use crate::commands::bulk::secrets::{HandOver, SecretField, SecretFields};
use crate::domain::backup_code::{BackupCode, BackupCodeKind};
use crate::domain::secret::Id;
use crate::domain::user::{Changed, User};
use crate::operate::bulk::{BulkAct, BulkDecision, BulkMoment, BulkRow, PlannedChange};
use crate::show::show_once::ShowOnceOptions;

/// Every user of a list gets a code.
pub struct BypassEach<'a> {
    pub terms: Terms,
    /// In the order of the list.
    pub codes: Vec<(Id, BackupCode)>,
    pub show: &'a ShowOnceOptions,
}

impl BypassEach<'_> {
    /// A code for each user of a list.
    pub fn codes(app: &mut App<'_>, users: usize) -> Result<Vec<(Id, BackupCode)>> {
        let code = |_| {
            let code = BackupCode::new(BackupCodeKind::Bypass, &app.env.random()?);
            Ok((Id::new(app.env.random()?), code))
        };
        (0..users).map(code).collect()
    }
}

impl BulkAct for BypassEach<'_> {
    const VERB: &'static str = Bypass::NAME;

    fn decide(&self, index: usize, user: User, moment: &BulkMoment<'_>) -> Result<BulkDecision> {
        check_not_disabled(&user)?;
        let (id, code) = self.codes.get(index).context("the list is longer than its codes")?;
        let after = self.terms.given_to(user.clone(), (*id, code), moment.vault);
        let given = self.terms.words();
        let has_code = user.bypass.as_ref().is_some_and(|bypass| !bypass.is_over(moment.at));
        let void = if has_code { ", and the earlier one is void" } else { "" };
        let changed = Changed { user: after, touched: Vec::new() };
        Ok(BulkDecision::update(user, changed, moment).with(|planned| PlannedChange {
            note: Some(format!("{given}{void}")),
            counted: Some(given),
            gives_secret: true,
            details: self.terms.details(),
            ..planned
        }))
    }

    fn is_bound_to_plan(&self) -> bool {
        true
    }

    fn fields(&self) -> Vec<&'static str> {
        vec!["made"]
    }
}

impl BulkVerb for BypassEach<'_> {
    const SCHEMA: &'static str = "mfactl.bypass/1";

    fn hand_over(&self, app: &mut App<'_>) -> Result<HandOver> {
        HandOver::choose(app, self.show, "bypass codes of several users")
    }

    fn secrets(&self, row: &BulkRow) -> SecretFields {
        let Some((_, code)) = self.codes.get(row.index) else { return SecretFields::default() };
        let Terms { starts_at, expires_at, uses } = self.terms;
        SecretFields(vec![
            ("code", SecretField::Text(code.grouped())),
            ("starts_at", SecretField::text(starts_at.to_string())),
            ("expires_at", SecretField::text(expires_at.to_string())),
            ("uses", SecretField::Number(uses)),
        ])
    }
}

/// Every user of a list loses their code.
pub struct RevokeEach;

impl BulkAct for RevokeEach {
    const VERB: &'static str = Bypass::NAME;

    fn decide(&self, _: usize, user: User, moment: &BulkMoment<'_>) -> Result<BulkDecision> {
        if user.bypass.is_none() {
            return Ok(BulkDecision::Already(
                Box::new(user),
                Some("has no bypass code".to_owned()),
            ));
        }
        let changed = without(user.clone());
        Ok(BulkDecision::update(user, changed, moment))
    }

    fn fields(&self) -> Vec<&'static str> {
        vec!["revoked"]
    }
}

impl BulkVerb for RevokeEach {
    const SCHEMA: &'static str = "mfactl.bypass/1";
}
