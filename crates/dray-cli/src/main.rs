//! The program `dray`.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(dray_cli::run(std::env::args_os()))
}
