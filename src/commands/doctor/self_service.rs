//! What users may do about their own MFA.

use super::{Health, HealthCheck};
use crate::config::Config;
use crate::domain::self_service::OwnAct;

/// `None` where that is nothing.
pub fn turned_on(config: &Config) -> Option<HealthCheck> {
    let acts: Vec<_> = config.self_service.acts().map(OwnAct::word).collect();
    let words = format!("{}, from the configuration", acts.join(", "));
    let finding = HealthCheck { what: "self-service", state: Health::Good, words };
    (!acts.is_empty()).then_some(finding)
}
