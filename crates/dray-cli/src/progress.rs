//! What a run has done so far: bars on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use dray::pipeline::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use crate::printer::Printer;
use crate::table::thousands;

/// Between two looks at the counters.
const TERMINAL: Duration = Duration::from_millis(100);
const PLAIN: Duration = Duration::from_secs(5);

/// Shows a run until it is dropped.
pub(crate) struct Shown {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Shown {
    /// Begins to show a run's progress.
    pub(crate) fn start(progress: Arc<Progress>, printer: Printer, quiet: bool) -> Self {
        if quiet {
            return Self { stop: None, thread: None };
        }
        let (stop, stopped) = channel();
        let thread = std::thread::spawn(move || {
            let view = View::new(&progress, printer);
            let pause = if view.bars.is_empty() { PLAIN } else { TERMINAL };
            while stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
                view.show(&progress);
            }
            view.finish();
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::debug!("progress ended unexpectedly");
        }
    }
}

struct View {
    printer: Printer,
    /// One per resource on a terminal, none elsewhere.
    bars: Vec<ProgressBar>,
}

impl View {
    fn new(progress: &Progress, printer: Printer) -> Self {
        let mut bars = Vec::new();
        if std::io::stderr().is_terminal() {
            let width = progress.names.iter().map(String::len).max().unwrap_or_default();
            for name in &progress.names {
                let bar = printer.bars().add(ProgressBar::new_spinner());
                if let Ok(style) = ProgressStyle::with_template("{spinner} {prefix} {msg}") {
                    bar.set_style(style);
                }
                bar.set_prefix(format!("{name:<width$}"));
                bars.push(bar);
            }
        }
        Self { printer, bars }
    }

    fn show(&self, progress: &Progress) {
        for (index, name) in progress.names.iter().enumerate() {
            let (Some(stats), Some(rows)) = (progress.stats.get(index), progress.rows.get(index)) else {
                continue;
            };
            let count = |counter: &AtomicU64| thousands(counter.load(Ordering::Relaxed));
            let ended = progress.ended.get(index).map_or(0, |ended| ended.load(Ordering::Relaxed));
            let text = format!(
                "{} records, {} loaded, {} requests, {} retries",
                count(&stats.records),
                count(rows),
                count(&stats.requests),
                count(&stats.retries)
            );
            match self.bars.get(index) {
                Some(bar) => {
                    let state = match ended {
                        0 => "",
                        1 => ", complete",
                        _ => ", FAILED",
                    };
                    bar.set_message(format!("{text}{state}"));
                    if ended == 0 {
                        bar.tick();
                    }
                }
                None if ended == 0 && stats.requests.load(Ordering::Relaxed) > 0 => {
                    self.printer.talk(&format!("{name}: {text}"));
                }
                None => {}
            }
        }
    }

    fn finish(&self) {
        if let Err(error) = self.printer.bars().clear() {
            tracing::debug!(%error, "cannot clear the progress bars");
        }
    }
}
