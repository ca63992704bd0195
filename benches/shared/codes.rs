//! The codes that the people's authenticators show.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Result, anyhow};

use super::people;

const PERIOD: u64 = 30;

/// The line that the nth user types now, off by so much.
pub fn code(n: u32, wrong: u32) -> Result<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let codes = totp_rs::Builder::new()
        .with_algorithm(totp_rs::Algorithm::SHA1)
        .with_digits(6)
        .with_step_duration(PERIOD)
        .with_secret(people::bytes::<20>("secret", n).as_slice())
        .build()
        .map_err(|e| anyhow!("{e:?}"))?;
    let code: u32 = codes.generate(now).to_string().parse()?;
    Ok(format!("{:06}\n", (code + wrong) % 1_000_000))
}
