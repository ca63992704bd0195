//! The inventory of tokens.

use anyhow::Result;

use super::{Health, HealthCheck};
use crate::app::App;
use crate::domain::hint::command;
use crate::domain::text::{counted, shown};
use crate::store::{FREE, LOST};

/// Lost tokens that are named.
const MOST_NAMED: usize = 5;

/// How many tokens there are; a warning that names those whose secret is gone. `None` without any.
pub fn inventory(app: &mut App<'_>) -> Result<Option<HealthCheck>> {
    let (mut tokens, mut free, mut lost, mut named) = (0_u64, 0_u64, 0_u64, Vec::new());
    app.reader()?.read()?.tokens(&mut |token| {
        tokens += 1;
        free += u64::from(token.state == FREE);
        if token.state == LOST {
            lost += 1;
            if named.len() < MOST_NAMED {
                named.push(shown(&token.serial).into_owned());
            }
        }
        Ok(true)
    })?;
    if tokens == 0 {
        return Ok(None);
    }
    let what = "tokens";
    if lost == 0 {
        let words = format!("{}, of which {free} are free", counted(tokens, "token"));
        return Ok(Some(HealthCheck { what, state: Health::Good, words }));
    }
    let more = if lost > named.len() as u64 { " and others" } else { "" };
    let words = format!(
        "{lost} of {} lost with their users: {}{more}; add each again after: ",
        counted(tokens, "token"),
        named.join(", ")
    );
    let remove = command("remove-token").name("SERIAL");
    Ok(Some(HealthCheck { what, state: Health::Warning, words: app.words(remove.after(&words)) }))
}
