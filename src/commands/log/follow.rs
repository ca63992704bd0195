//! Waiting for more of the log.

use std::time::Duration;

use anyhow::Result;

use super::EventLine;
use crate::domain::refusal::{Code, Refusal};
use crate::report::{Format, Record as _, Report, Verdict, Writer};
use crate::session::Session;
use crate::store::Wanted;

/// Events that are shown at first, where nothing else is asked for.
pub const FIRST: u64 = 10;
/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// # Errors
/// `usage` for a form that has an end.
pub fn follow(session: &mut Session<'_>, mut wanted: Wanted) -> Result<Report> {
    if matches!(session.options.format(), Format::Json | Format::Csv) {
        return Err(Refusal::new(Code::Usage, "--follow has no end, and this format has one")
            .hint("add --format jsonl, or leave --format out")
            .into());
    }
    // Opened for each look: a store is not held while nothing happens.
    let place = session.place()?;
    Ok(Report::list(Verdict::Yes, move |writer| {
        loop {
            let mut store = place.open()?;
            let mut newest = wanted.after.unwrap_or_default();
            let mut snapshot = store.read()?;
            let end = snapshot.head()?.seq;
            snapshot.log(&wanted, &mut |told| {
                let event = EventLine::of(told);
                newest = newest.max(event.seq());
                write(writer, &event).map(|()| true)
            })?;
            drop(snapshot);
            drop(store);
            writer.out.flush()?;
            wanted.after = Some(newest.max(end));
            wanted.last = None;
            std::thread::sleep(PAUSE);
        }
    }))
}

fn write(writer: &mut Writer<'_>, event: &EventLine) -> Result<()> {
    if writer.format == Format::Table {
        writeln!(writer.out, "{}", event.sentence())?;
    } else {
        serde_json::to_writer(&mut *writer.out, event)?;
        writer.out.write_all(b"\n")?;
    }
    Ok(())
}
