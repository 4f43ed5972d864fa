//! Panics, told like everything else: without secrets.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind, set_hook};

use crate::exit::Exit;
use crate::printer::Printer;

/// Runs some work. A panic in it, or in a thread that it started, is printed through the printer: what a panic says may
/// hold anything that the program has at hand.
pub(crate) fn caught(printer: &Printer, work: impl FnOnce() -> Exit) -> Exit {
    let speaker = printer.clone();
    set_hook(Box::new(move |info| speaker.err(&told(info))));
    // Nothing of the work is used after a panic.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Bug)
}

fn told(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    let place = info.location().map(|location| format!(" at {location}")).unwrap_or_default();
    let mut text = format!("error: this is a bug in dray{place}: {message}");
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        text.push_str(&format!("\n{backtrace}"));
    } else {
        text.push_str("\nhelp: please report it; RUST_BACKTRACE=1 shows where it came from");
    }
    text
}
