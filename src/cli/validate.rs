//! `skindelta validate`

use super::{Machine, print};
use clap::Args;
use skindelta::{Error, Result, Step, validate};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Measure the program's own accuracy on test photos with known truth
#[derive(Args)]
#[command(after_help = "\
Example:
  skindelta validate --json accuracy.json")]
pub struct Validate {
    /// Write the table as JSON to this file; - is standard output, and nothing else goes there
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// More skins, more nuisances: takes long
    #[arg(long)]
    full: bool,
}

impl Validate {
    pub fn run(&self, machine: &Machine) -> Result<ExitCode> {
        let accuracy = validate::run(self.full)?;
        match self.json.as_deref() {
            Some(file) if file == Path::new("-") => print(&accuracy.to_json())?,
            Some(file) => std::fs::write(file, accuracy.to_json())
                .map_err(|why| Error::new(file, Step::Write, why))?,
            None => {}
        }
        if !machine.quiet && self.json.as_deref() != Some(Path::new("-")) {
            print(&accuracy.table())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
