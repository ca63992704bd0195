//! The site's own templates of handouts, each tried out on a made-up user.

use super::{Health, HealthCheck, bad, safe};
use crate::config::Config;
use crate::handout::{Templates, Trial};

const WHAT: &str = "handouts";

/// Nothing where the site has no folder of templates.
pub fn templates(config: &Config) -> Vec<HealthCheck> {
    let Some(folder) = &config.handout.templates else { return Vec::new() };
    let trials = match Templates::load(&config.handout, &config.file_policy) {
        Err(error) => return vec![bad(WHAT, &error)],
        Ok(templates) => templates.try_out(),
    };
    if trials.is_empty() {
        let folder = folder.display();
        let words = format!(
            "{folder} has neither handout.html nor handout.txt: the program's own are used"
        );
        return vec![HealthCheck { what: WHAT, state: Health::Warning, words: safe(&words) }];
    }
    trials.into_iter().map(finding).collect()
}

fn finding(trial: Trial) -> HealthCheck {
    let Trial { file, refusal, lacks_secret } = trial;
    let (state, words) = match refusal {
        Some(refusal) => return bad(WHAT, &refusal.into()),
        None if lacks_secret => {
            let words = format!(
                "{file} makes pages, but with neither qr nor key nobody can set up an app by them"
            );
            (Health::Warning, words)
        }
        None => {
            (Health::Good, format!("{file} makes pages with every placeholder present or absent"))
        }
    };
    HealthCheck { what: WHAT, state, words: safe(&words) }
}
