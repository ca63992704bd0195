//! Authorizes operators before a verb runs. [`crate::app::authorization`] is checked again under the lock.

use std::collections::BTreeSet;
use std::rc::Rc;

use anyhow::Result;

use crate::app::App;
use crate::app::authorization::{Approval, Authorization};
use crate::config::Config;
use crate::domain::approval::Request;
use crate::domain::hint::command;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::domain::role::{Role, Roles, acting_uid};
use crate::domain::verb::{DoesToo, FindVerb, VerbSpec};
use crate::files::file_trust::system_uid;

/// The uid by which the operator is known.
#[must_use]
pub fn operator_uid(app: &App<'_>) -> u32 {
    let process = &app.env.process;
    acting_uid(process.operator.uid, process.sudo_uid, system_uid)
}

/// Which of its options a verb runs with.
#[derive(Clone, Default)]
pub struct UsedOptions {
    /// `--dry-run`, which needs no second operator.
    pub is_dry: bool,
    /// [`VerbSpec::guarded_option`].
    pub is_guarded: bool,
    /// Options of [`VerbSpec::does_too`] that are not there.
    pub left_out: Vec<&'static str>,
}

/// Fails with `not_permitted` if the operator's roles don't include this verb, or another one whose work it does.
pub fn authorize(app: &mut App<'_>, verb: &VerbSpec, used: &UsedOptions) -> Result<()> {
    if verb.roles.is_none() {
        return Ok(());
    }
    let uid = operator_uid(app);
    let mut authorization = Authorization { verb: verb.name, ..Authorization::default() };
    let is_done = |part: &&DoesToo| part.option.is_none_or(|own| !used.left_out.contains(&own));
    let parts: Vec<_> = verb.does_too.iter().filter(is_done).map(|part| part.verb).collect();
    if let Some(roles) = &app.config.roles {
        let own = roles_of(roles, uid);
        let is_system_user = verb.is_of_system_user && Some(uid) == system_uid();
        if !verb.is_for_oneself && !is_system_user {
            verb.permit(roles, &own)?;
            for part in parts.iter().filter_map(|part| (app.find_verb)(part)) {
                part.permit(roles, &own)?;
            }
        }
        if app.service.is_some() {
            // There `SUDO_UID` may come from the remote user, so it can only take rights away.
            verb.permit(roles, &roles_of(roles, app.env.process.operator.uid))?;
        }
        authorization.roles = Some(own);
        authorization.needs_second_operator = roles
            .second_operator
            .iter()
            .any(|second| second == verb.name || parts.contains(&second.as_str()));
        authorization.guarded_option = verb.guarded_option.filter(|_| used.is_guarded);
        authorization.is_dry = used.is_dry;
    }
    authorization.parts = parts;
    app.authorization = authorization;
    Ok(())
}

/// May the operator run another verb too?
#[must_use]
pub fn can_run(app: &App<'_>, verb: &str) -> bool {
    let own = app.authorization.roles.as_ref();
    let spec = (app.find_verb)(verb);
    let parts = spec.map(|spec| spec.does_too).unwrap_or_default().iter();
    let parts = parts.filter(|part| part.option.is_none()).map(|part| (app.find_verb)(part.verb));
    let verbs: Vec<_> = parts.chain([spec]).collect();
    let permits = |own, roles| {
        verbs.iter().all(|verb| verb.is_some_and(|verb| verb.permit(roles, own).is_ok()))
    };
    own.zip(app.config.roles.as_ref()).is_none_or(|(own, roles)| permits(own, roles))
}

/// Authorizes this run to carry out a request. The operator must be another one than the
/// requester, and must be allowed to run the verb.
pub fn begin_approval(
    app: &mut App<'_>,
    verb: &VerbSpec,
    request: &Request,
    is_alone: bool,
) -> Result<Approval> {
    let (uid, requester) = (operator_uid(app), request.operator.uid);
    if is_alone && uid != 0 {
        return Err(Refusal::new(ErrorCode::NotPermitted, "--alone is for root only")
            .hint("leave --alone out; then a second operator must approve")
            .into());
    }
    if uid == requester && !is_alone {
        let message = format!("you requested {} yourself", request.short());
        return Err(Refusal::new(ErrorCode::NotPermitted, message)
            .hint(
                command("approve")
                    .name(request.short())
                    .by_another()
                    .after("another operator can run: "),
            )
            .into());
    }
    let is_in_request = |option: &str| {
        let option = format!("--{}", option.replace('_', "-"));
        request.words.contains(&option)
    };
    let left_out = verb.does_too.iter().filter_map(|part| part.option);
    let left_out = left_out.filter(|option| !is_in_request(option)).collect();
    authorize(app, verb, &UsedOptions { left_out, ..UsedOptions::default() })?;
    let is_admin = |roles: &BTreeSet<Role>| roles.contains(&Role::Admin);
    let has_admin = match &app.config.roles {
        Some(roles) => is_admin(&roles_of(roles, uid)) || is_admin(&roles_of(roles, requester)),
        None => true,
    };
    let operator = app.env.process.operator.clone();
    let salt = app.env.random()?;
    let approval = Approval {
        request: request.clone(),
        is_alone,
        has_admin,
        operator,
        salt,
        is_carried_out: Rc::default(),
    };
    app.authorization.approval = Some(approval.clone());
    Ok(approval)
}

/// May somebody else, by their uid, run a verb? Everybody may where the configuration has no roles.
#[must_use]
pub fn permits(config: &Config, find_verb: FindVerb, verb: &str, uid: u32) -> bool {
    let Some(roles) = &config.roles else { return true };
    find_verb(verb).is_some_and(|verb| verb.permit(roles, &roles_of(roles, uid)).is_ok())
}

/// The roles of a uid and of its groups, as the system knows them now.
fn roles_of(roles: &Roles, uid: u32) -> BTreeSet<Role> {
    roles.of(uid, &groups_of(uid))
}

/// The uid of a name, as the system knows it now.
#[must_use]
pub fn uid_of(name: &str) -> Option<u32> {
    uzers::get_user_by_name(name).map(|user| user.uid())
}

/// The groups of a uid, as the system knows them now.
#[must_use]
pub fn groups_of(uid: u32) -> Vec<u32> {
    let groups = uzers::get_user_by_uid(uid).and_then(|user| {
        let groups = uzers::get_user_groups(user.name(), user.primary_group_id())?;
        Some(groups.iter().map(uzers::Group::gid).collect())
    });
    groups.unwrap_or_default()
}
