//! `[roles]`: looks up the users and groups of each role.

use anyhow::Result;

use super::rules::refuse;
use super::{file, gid_of};
use crate::domain::refusal::Refusal;
use crate::domain::role::{Member, Role, Roles};
use crate::domain::verb::FindVerb;

pub fn roles(file: file::RolesSection, find_verb: FindVerb) -> Result<Roles> {
    let mut roles = Roles::default();
    for (role, names) in [
        (Role::Helpdesk, &file.helpdesk),
        (Role::Auditor, &file.auditor),
        (Role::Service, &file.service),
        (Role::Admin, &file.admin),
    ] {
        let key = format!("roles.{}", role.word());
        for (name, n) in names.iter().zip(1..) {
            let member = member(&key, name).map_err(|e| e.field(format!("{key}, entry {n}")));
            roles.members.push((role, member?));
        }
    }
    for (verb, words) in file.verbs {
        let key = format!("roles.verbs.{verb}");
        if find_verb(&verb).is_none_or(|spec| spec.roles.is_none()) {
            let problem = "names no verb that takes a role";
            return Err(refuse("roles.verbs", problem).into());
        }
        let role = |word: &String| Role::parse(word).ok_or_else(|| refuse(&key, "names no role"));
        let named = words.iter().map(role).collect::<Result<_, _>>()?;
        roles.verbs.insert(verb, named);
    }
    let changes_user = |verb: &&String| find_verb(verb).is_some_and(|spec| spec.changes_user);
    if !file.second_operator.iter().all(|verb| changes_user(&verb)) {
        let problem = "names a verb that changes no user";
        return Err(refuse("roles.second_operator", problem).into());
    }
    roles.second_operator = file.second_operator;
    Ok(roles)
}

fn member(key: &str, name: &str) -> Result<Member, Refusal> {
    if let Some(name) = name.strip_prefix('%') {
        let gid = gid_of(key, Some(name))?;
        return gid.map(Member::Group).ok_or_else(|| refuse(key, "names no group"));
    }
    match uzers::get_user_by_name(name) {
        Some(user) => Ok(Member::User(user.uid())),
        None => Err(refuse(key, "names a user who does not exist")
            .hint("create it with useradd, or name an existing user; write a group as %group")),
    }
}
