//! `skindelta validate`

use super::{Machine, is_stdout, json_output, print, write_json};
use clap::Args;
use skindelta::validate::{self, Options};
use skindelta::{Result, output};
use std::path::PathBuf;
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
        output::check(json_output(self.json.as_deref()).as_slice(), &[])?;
        let outcome = validate::run(&options)?;
        write_json(self.json.as_deref(), || outcome.to_json())?;
        if !machine.quiet && !self.json.as_deref().is_some_and(is_stdout) {
            print(&outcome.table())?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
