//! `skindelta validate`

use super::{Machine, is_stdout, json_output, print, usage, write_json};
use clap::{Args, ValueEnum};
use skindelta::validate::{self, Options, processing};
use skindelta::{Result, output};
use std::path::PathBuf;
use std::process::ExitCode;

/// Measure the program's own accuracy on test photos with known truth
///
/// Drawn skin is photographed twice as careful visits differ, unchanged and treated by known
/// amounts. Takes some four minutes on two cores; the numbers are the same on every machine.
#[derive(Args)]
#[command(after_help = "\
Examples:
  skindelta validate --json accuracy.json
  skindelta validate processing")]
pub struct Validate {
    /// What is asked
    #[arg(value_enum, default_value_t = What::Skin)]
    what: What,
    /// Write the table as JSON to this file; - is standard output, and nothing else goes there
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Three resolutions and more skins, for processing more faces: takes ten times as long
    #[arg(long)]
    full: bool,
    /// Folder with faces/unsplash/04_man… and 02_woman…: their faces and skin are used, too, for processing
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum What {
    /// Unchanged and treated skin, photographed as careful visits differ
    Skin,
    /// Unchanged skin, one photo taken, processed or written otherwise
    Processing,
}

impl Validate {
    pub fn run(&self, machine: &Machine) -> Result<ExitCode> {
        output::check(json_output(self.json.as_deref()).as_slice(), &[])?;
        if matches!(self.what, What::Skin) && self.photos.is_some() {
            return Err(usage("--photos is for `validate processing`"));
        }
        let (json, table) = match self.what {
            What::Skin => {
                let options = if self.full { Options::full() } else { Options::short() };
                let outcome = validate::run(&options)?;
                (outcome.to_json(), outcome.table())
            }
            What::Processing => {
                let options = processing::Options { photos: self.photos.clone(), full: self.full };
                let outcome = processing::run(&options)?;
                (outcome.to_json(), outcome.table())
            }
        };
        write_json(self.json.as_deref(), || json)?;
        if !machine.quiet && !self.json.as_deref().is_some_and(is_stdout) {
            print(&table)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
