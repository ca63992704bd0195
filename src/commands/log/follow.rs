//! `log --follow`

use std::time::Duration;

use anyhow::Result;

use super::{EventLine, OperatorNames};
use crate::app::App;
use crate::domain::refusal::{ErrorCode, Refusal};
use crate::report::{Format, Record as _, Report, Verdict, Writer};
use crate::store::LogQuery;

/// How many events are shown at first by default.
pub const INITIAL: u64 = 10;
/// Interval between two queries.
const INTERVAL: Duration = Duration::from_secs(1);

pub fn follow(app: &mut App<'_>, mut query: LogQuery) -> Result<Report> {
    if matches!(app.options.format(), Format::Json | Format::Csv) {
        return Err(Refusal::new(
            ErrorCode::Usage,
            "--follow never ends, so this format cannot be completed",
        )
        .hint("use --format jsonl, or leave the format out")
        .into());
    }
    // Opened anew for each query, so that an idle follower keeps no connection or lock.
    let place = app.store_opener()?;
    let mut names = OperatorNames::of(app);
    Ok(Report::list(Verdict::Yes, move |writer| {
        loop {
            let mut store = place.open()?;
            let mut newest = query.after.unwrap_or_default();
            let mut snapshot = store.read()?;
            let end = snapshot.log().head()?.seq;
            snapshot.log().events(&query, &mut |event| {
                let event = EventLine::of(event).named(&mut names);
                newest = newest.max(event.seq());
                write(writer, &event).map(|()| true)
            })?;
            drop(snapshot);
            drop(store);
            writer.out.flush()?;
            query.after = Some(newest.max(end));
            query.last = None;
            std::thread::sleep(INTERVAL);
        }
    }))
}

fn write(writer: &mut Writer<'_>, event: &EventLine) -> Result<()> {
    if writer.format == Format::Table {
        writer.line(&event.sentence())?;
    } else {
        serde_json::to_writer(&mut *writer.out, event)?;
        writer.out.write_all(b"\n")?;
    }
    Ok(())
}
