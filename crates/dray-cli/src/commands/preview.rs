//! `dray preview`: a few records of a resource, nothing written.

use std::sync::Arc;

use dray::env::Env;
use dray::error::{Error, ErrorKind, Result};
use dray::extract::{Cursors, Event, Resume, extract};
use dray::pipeline::Progress;
use tokio::sync::mpsc;

use super::run::select;
use crate::args::Preview;
use crate::exit::Exit;
use crate::printer::Printer;
use crate::source::{Reading, ready};

/// Prints the first records, of a dependent resource those of the first parents.
pub(crate) fn preview(args: &Preview, printer: &Printer) -> Result<Exit> {
    let env = Arc::new(Env::system().hiding(printer.scrubber().clone()));
    let mut ready = ready(&args.config, Reading::default(), &env, printer)?;
    select(&mut ready.plan, std::slice::from_ref(&args.resource))?;
    let progress = Progress::new(&ready.plan);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Bug, "cannot start the runtime").caused_by(error))?;
    runtime.block_on(async {
        let (sender, mut events) = mpsc::channel(1);
        let reading = extract(
            Arc::new(ready.plan),
            Cursors::default(),
            Resume::default(),
            env,
            sender,
            Arc::clone(&progress.stats),
        );
        tokio::select! {
            result = show(&mut events, args.limit, printer) => result,
            // Nothing more comes: what is waiting is still shown.
            () = reading => show(&mut events, args.limit, printer).await,
        }
    })?;
    Ok(Exit::Success)
}

async fn show(events: &mut mpsc::Receiver<Event>, limit: usize, printer: &Printer) -> Result<()> {
    let mut shown = 0;
    while let Some(event) = events.recv().await {
        match event {
            Event::Page(page) => {
                for record in page.records.iter().take(limit - shown) {
                    printer.out(&format!("{:#}\n", page.document.value(*record)))?;
                    shown += 1;
                }
                if shown == limit {
                    return Ok(());
                }
            }
            Event::PartitionDone { .. } | Event::Opened(_) | Event::Restarted { .. } => {}
            Event::ResourceDone { outcome, .. } => outcome?,
        }
    }
    if shown == 0 {
        printer.err("no records");
    }
    Ok(())
}
