//! `skindelta validate`

use super::{Machine, print};
use clap::Args;
use skindelta::validate::{self, Options};
use skindelta::{Error, Result, Step};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Measure the program's own accuracy on test photos with known truth
///
/// Drawn skin is photographed twice as careful visits differ, unchanged and treated by known
/// amounts. Takes some four minutes on two cores; the numbers are the same on every machine.
#[derive(Args)]
#[command(after_help = "\
Example:
  skindelta validate --json accuracy.json")]
pub struct Validate {
    /// Write the table as JSON to this file; - is standard output, and nothing else goes there
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Three resolutions and more skins: takes ten times as long
    #[arg(long)]
    full: bool,
}

impl Validate {
    pub fn run(&self, machine: &Machine) -> Result<ExitCode> {
        let options = if self.full { Options::full() } else { Options::short() };
        let outcome = validate::run(&options)?;
        match self.json.as_deref() {
            Some(file) if file == Path::new("-") => print(&outcome.to_json())?,
            Some(file) => std::fs::write(file, outcome.to_json())
                .map_err(|why| Error::new(file, Step::Write, why))?,
            None => {}
        }
        if !machine.quiet && self.json.as_deref() != Some(Path::new("-")) {
            print(&outcome.table())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
