//! The command line: one file per subcommand, each turning arguments into a request.

mod batch;
mod check;
mod compare;
mod measure;
mod phantom;
mod schema;
mod validate;

use clap::{Args, Parser, Subcommand};
use skindelta::analyze::{Analysis, PhotoInput, Request};
use skindelta::output::Output;
use skindelta::region::{Model, RegionRequest};
use skindelta::series::ScaleSource;
use skindelta::settings::Settings;
use skindelta::{Error, Result, Step, arguments, report};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Measure how skin texture changes between photos taken before and after treatment.
///
/// Photos of the same skin are aligned, made comparable, and measured: texture, pores, wrinkles,
/// scars, tone. Each change comes with its uncertainty, and a verdict only where it is larger than
/// what two photos of unchanged skin would show.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Examples:
  skindelta check before.jpg after.jpg
  skindelta compare before.jpg after.jpg --mm-per-px 0.05
  skindelta compare --help

Exit code: 0 done, 1 something failed, 2 the command was not understood."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    machine: Machine,
}

#[derive(Subcommand)]
enum Command {
    Compare(compare::Compare),
    Measure(measure::Measure),
    Check(check::Check),
    Batch(batch::Batch),
    Phantom(phantom::Phantom),
    Schema(schema::Schema),
    Validate(validate::Validate),
}

/// How the program behaves on this machine; moves no number.
#[derive(Args)]
pub struct Machine {
    /// Threads to use [default: all cores]
    #[arg(long, global = true, value_name = "N", help_heading = "Program",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Say nothing but errors
    #[arg(short, long, global = true, help_heading = "Program", conflicts_with = "verbose")]
    quiet: bool,
    /// Say what each stage cost in time and memory
    #[arg(short, long, global = true, help_heading = "Program")]
    verbose: bool,
}

impl Cli {
    /// Number of threads asked for, 0 for all cores.
    pub fn threads(&self) -> usize {
        self.machine.threads.map_or(0, usize::from)
    }

    /// Does what was asked.
    pub fn run(&self) -> Result<ExitCode> {
        match &self.command {
            Command::Compare(command) => command.run(&self.machine),
            Command::Measure(command) => command.run(&self.machine),
            Command::Check(command) => command.run(&self.machine),
            Command::Batch(command) => command.run(&self.machine),
            Command::Phantom(command) => command.run(&self.machine),
            Command::Schema(command) => command.run(),
            Command::Validate(command) => command.run(&self.machine),
        }
    }
}

/// How skin is measured, the same in all commands.
#[derive(Args)]
struct Method {
    /// ONNX model that finds skin and face regions, with a sidecar FILE.toml beside it
    #[arg(long, value_name = "FILE", help_heading = "Skin")]
    model: Option<PathBuf>,
    /// Region of untreated skin that tone is compared with
    #[arg(long, value_name = "NAME", help_heading = "Skin")]
    reference: Option<String>,
    /// Largest photo accepted, in megapixels
    #[arg(long, value_name = "N", help_heading = "Program", value_parser = megapixels,
          default_value_t = Settings::default().photo.max_megapixels)]
    max_megapixels: f64,
}

/// Which skin of a photo is measured, and how large it is.
#[derive(Args)]
struct Skin {
    /// What to measure: face, whole (the full picture), grid:RxC (rows x columns of cells), or a
    /// region file
    ///
    /// Without a face, as in a close-up, use whole, a grid or a file. Where no face is found, the
    /// whole picture is measured and a warning says so. A region file is
    /// {"regions": [{"name": "scar_1", "polygon": [[x, y], ...]}]} in pixels of the baseline.
    #[arg(long, value_name = "REGIONS", default_value = "face", help_heading = "Skin")]
    regions: String,
    /// Millimetres of skin per pixel of the first photo
    ///
    /// Without it nothing can be told in millimetres: photograph a ruler beside the skin once, and
    /// divide a length on it by the pixels it covers.
    #[arg(long, value_name = "F", help_heading = "Skin", value_parser = arguments::mm_per_px,
          allow_negative_numbers = true)]
    mm_per_px: Option<f64>,
    #[command(flatten)]
    method: Method,
}

impl Method {
    /// A request without photos, its model loaded.
    fn request(&self, pictures: bool, maps: bool) -> Result<Request> {
        let mut settings = Settings::default();
        settings.photo.max_megapixels = self.max_megapixels;
        let model = self.model.as_deref().map(Model::load).transpose()?;
        let sidecar = self.model.as_ref().map(|model| model.with_extension("toml"));
        Ok(Request {
            photos: Vec::new(),
            regions: RegionRequest::Face,
            scale: None,
            model: model.map(Arc::new),
            reference: self.reference.clone(),
            pictures,
            maps,
            settings,
            read: self.model.iter().cloned().chain(sidecar).collect(),
        })
    }
}

impl Skin {
    /// A request without photos.
    fn request(&self, pictures: bool, maps: bool) -> Result<Request> {
        let mut request = self.method.request(pictures, maps)?;
        request.regions = arguments::regions(&self.regions, Path::new(""))?;
        request.read.extend(arguments::region_file(&self.regions, Path::new("")));
        request.scale = self.mm_per_px.map(|scale| (scale, ScaleSource::Argument));
        Ok(request)
    }
}

/// A photo without label and date.
fn photo(path: &Path) -> PhotoInput {
    PhotoInput { path: path.into(), label: None, date: None }
}

fn megapixels(text: &str) -> Result<f64, String> {
    // The largest sides that any of the formats is read with.
    const MOST: f64 = 4294.0;
    text.parse().ok().filter(|n| *n > 0.0 && *n <= MOST).ok_or_else(|| format!("0 to {MOST}"))
}

/// Whether `--json` asks for standard output.
fn is_stdout(file: &Path) -> bool {
    file == Path::new("-")
}

/// The file that `--json` names, as an output; none for standard output.
fn json_output(file: Option<&Path>) -> Option<Output> {
    let path = file.filter(|file| !is_stdout(file))?.into();
    Some(Output { path, sign: report::JSON_SIGN })
}

/// Writes what `--json` asks for, where it does.
fn write_json(file: Option<&Path>, text: impl FnOnce() -> String) -> Result<()> {
    let error = |file, why| Error::new(file, Step::Write, why);
    match file {
        Some(file) if is_stdout(file) => print(&text()),
        Some(file) => {
            let folder = file.parent().unwrap_or(Path::new(""));
            std::fs::create_dir_all(folder).map_err(|why| error(folder, why))?;
            std::fs::write(file, text()).map_err(|why| error(file, why))
        }
        None => Ok(()),
    }
}

/// An option that cannot be used as it stands.
fn usage(why: impl Into<String>) -> Error {
    Error::new("", Step::Usage, why.into())
}

/// Writes to standard output; a reader that has gone away is no error.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != ErrorKind::BrokenPipe => {
            Err(Error::new("standard output", Step::Write, why))
        }
        _ => Ok(()),
    }
}

/// Tells an error as all errors are told.
pub fn complain(error: &Error) {
    eprintln!("skindelta: {error}");
}

impl Machine {
    /// Tells what the user must know, and how long it took.
    fn tell(&self, analysis: &Analysis) {
        if !self.quiet {
            let report = &analysis.report;
            for notice in &report.notices {
                let warning = report.warnings().any(|warning| warning == notice);
                eprintln!("{}: {notice}", if warning { "warning" } else { "notice" });
            }
        }
        if self.verbose {
            for cost in &analysis.costs {
                let peak = cost.peak_mib.map_or(String::new(), |m| format!("  {m:>6.0} MiB"));
                eprintln!("{:<16} {:>8.2} s{peak}", cost.stage, cost.seconds);
            }
            let total: f64 = analysis.costs.iter().map(|c| c.seconds).sum();
            eprintln!("{:<16} {total:>8.2} s", "all");
        }
    }
}
