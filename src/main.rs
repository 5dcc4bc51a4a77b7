//! The command `skindelta`: parse, call, print, exit code.

mod cli;

use clap::Parser;
use skindelta::{Error, Step};
use std::process::ExitCode;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(cli.threads()).build_global();
    let outcome =
        pool.map_err(|cause| Error::wrap("", Step::Usage, cause)).and_then(|()| cli.run());
    outcome.unwrap_or_else(|error| {
        cli::complain(&error);
        ExitCode::from(if error.step == Step::Usage { 2 } else { 1 })
    })
}
