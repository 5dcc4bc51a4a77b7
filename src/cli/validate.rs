//! `skindelta validate`

use super::{Machine, is_stdout, json_output, print, usage, write_json};
use clap::{Args, ValueEnum};
use skindelta::validate::processing::{self, ProcessingOptions};
use skindelta::validate::{self, ValidationOptions, page};
use skindelta::{Error, Result, Step, output};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Measure the program's own accuracy on rendered skin with known truth
///
/// Three experiments: repeatability (unchanged skin, photographed again as careful visits differ),
/// dose response (skin treated by known amounts) and detection (pores, lines and scars of one
/// photo). Takes some four minutes on two cores; the numbers are the same on every machine.
#[derive(Args)]
#[command(after_help = "\
Examples:
  skindelta validate --json accuracy.json
  skindelta validate --full --json docs/accuracy.json --page docs/accuracy.md
  skindelta validate processing")]
pub struct Validate {
    /// Which experiments
    #[arg(value_enum, default_value_t = Experiments::Skin)]
    experiments: Experiments,
    /// Write the results as JSON to this file; - is standard output, and nothing else goes there
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Replace the tables of this Markdown file, between its lines `<!-- begin: skindelta validate -->` and
    /// `<!-- end: skindelta validate -->`
    #[arg(long, value_name = "FILE.md")]
    page: Option<PathBuf>,
    /// Three resolutions and more skins, or more faces for processing: takes ten times as long
    #[arg(long)]
    full: bool,
    /// For processing: folder with faces/unsplash/04_man… and 02_woman…, which are used, too
    #[arg(long, value_name = "DIR")]
    photos: Option<PathBuf>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Experiments {
    /// Repeatability, dose response and detection
    Skin,
    /// False verdicts on unchanged skin where one photo is taken, processed or compressed differently
    Processing,
}

impl Validate {
    pub fn run(&self, machine: &Machine) -> Result<ExitCode> {
        output::check(json_output(self.json.as_deref()).as_slice(), &[])?;
        if self.experiments == Experiments::Skin && self.photos.is_some() {
            return Err(usage("--photos is for `validate processing`"));
        }
        if self.experiments == Experiments::Processing && self.page.is_some() {
            return Err(usage("--page is for `validate skin`"));
        }
        let (json, table) = match self.experiments {
            Experiments::Skin => self.skin()?,
            Experiments::Processing => {
                let photos = self.photos.clone();
                let outcome = processing::run(&ProcessingOptions { photos, full: self.full })?;
                (outcome.to_json(), outcome.table())
            }
        };
        write_json(self.json.as_deref(), || json)?;
        if !machine.quiet && !self.json.as_deref().is_some_and(is_stdout) {
            print(&table)?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// The results as JSON and as tables; the page is written.
    fn skin(&self) -> Result<(String, String)> {
        let page = self.page.as_deref().map(|file| Ok((file, read_page(file)?))).transpose()?;
        let options =
            if self.full { ValidationOptions::full() } else { ValidationOptions::short() };
        let accuracy = validate::run(&options)?;
        let tables = accuracy.tables();
        if let Some((file, text)) = page {
            let text = page::insert(&text, &tables).unwrap_or(text);
            std::fs::write(file, text).map_err(|why| Error::wrap(file, Step::Write, why))?;
        }
        Ok((accuracy.to_json(), tables))
    }
}

/// The text of a page that has a place for the tables.
fn read_page(file: &Path) -> Result<String> {
    let text = std::fs::read_to_string(file).map_err(|why| Error::wrap(file, Step::Read, why))?;
    if page::insert(&text, "").is_none() {
        let why =
            format!("the page lacks the lines that enclose the tables:\n{}", page::MARKS.concat());
        return Err(Error::new(file, Step::Read, why));
    }
    Ok(text)
}
