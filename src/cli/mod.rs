//! The command line: one file per subcommand, which turns arguments into a request.

mod batch;
mod check;
mod clock;
mod compare;
mod measure;
mod phantom;
mod schema;
mod validate;

use clap::{ArgAction, Args, Parser, Subcommand};
use clock::Clock;
use skindelta::analyze::{Analysis, Analyzer, Options, PhotoInput, Request};
use skindelta::output::Output;
use skindelta::region::Model;
use skindelta::series::ScaleSource;
use skindelta::settings::Settings;
use skindelta::{Error, Result, Step, arguments, report};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Measure how skin texture changes between photos taken before and after treatment.
///
/// Photos of the same skin are registered, made comparable, and measured: texture, pores, wrinkles,
/// scars, tone. Each change has a 95 % interval, and is detected only where it is larger than the
/// difference between two photos of unchanged skin.
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

/// Options of the program on this machine; they do not affect the results.
#[derive(Args)]
pub struct Machine {
    /// Threads to use [default: all cores]
    #[arg(long, global = true, value_name = "N", help_heading = "Program",
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// Print errors only
    #[arg(short, long, global = true, help_heading = "Program", conflicts_with = "verbose")]
    quiet: bool,
    /// Print time and memory of each stage; -vv: also each step of the analysis
    #[arg(short, long, global = true, help_heading = "Program", action = ArgAction::Count)]
    verbose: u8,
}

impl Cli {
    /// Requested number of threads, 0 for all cores.
    pub fn threads(&self) -> usize {
        self.machine.threads.map_or(0, usize::from)
    }

    /// Runs the command.
    pub fn run(&self) -> Result<ExitCode> {
        if self.machine.verbose > 1 && log::set_logger(&Trace).is_ok() {
            log::set_max_level(log::LevelFilter::Trace);
        }
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

/// Options of the measurement, the same for all commands.
#[derive(Args)]
struct MethodArgs {
    /// ONNX model that finds skin and face regions, with a sidecar FILE.toml beside it
    #[arg(long, value_name = "FILE", help_heading = "Skin")]
    model: Option<PathBuf>,
    /// Region of untreated skin that tone is compared with
    #[arg(long, value_name = "NAME", help_heading = "Skin")]
    reference: Option<String>,
    #[arg(long, value_name = "N", help_heading = "Program", value_parser = megapixels,
          help = format!("Largest photo accepted, in megapixels [default: {}]",
                         Settings::default().photo.max_megapixels))]
    max_megapixels: Option<f64>,
    /// TOML file with numbers that replace settings, as a line glcm_bin_width = 0.03 below [metric]
    ///
    /// result.json holds all settings by their names; src/settings/settings.toml documents them.
    #[arg(long, value_name = "FILE.toml", help_heading = "Program")]
    settings: Option<PathBuf>,
}

/// Regions and scale.
#[derive(Args)]
struct SkinArgs {
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
    /// Without it a close-up has no values in millimetres: photograph a ruler beside the skin once,
    /// and divide a length on it by the pixels it covers.
    #[arg(long, value_name = "F", help_heading = "Skin", value_parser = arguments::mm_per_px,
          allow_negative_numbers = true)]
    mm_per_px: Option<f64>,
    #[command(flatten)]
    method: MethodArgs,
}

impl MethodArgs {
    /// A request without photos, with the model loaded.
    fn request(&self, pictures: bool, maps: bool) -> Result<Request> {
        let mut settings = self.settings.as_deref().map_or(Ok(Settings::default()), settings)?;
        if let Some(most) = self.max_megapixels {
            settings.photo.max_megapixels = most;
        }
        let model = self.model.as_deref().map(Model::load).transpose()?;
        let sidecar = self.model.as_ref().map(|model| model.with_extension("toml"));
        let options = Options {
            model: model.map(Arc::new),
            reference: self.reference.clone(),
            settings,
            ..Options::default()
        };
        let read = [&self.model, &sidecar, &self.settings].into_iter().flatten().cloned().collect();
        Ok(Request { options, pictures, maps, read, ..Request::default() })
    }
}

impl SkinArgs {
    /// A request without photos.
    fn request(&self, pictures: bool, maps: bool) -> Result<Request> {
        let mut request = self.method.request(pictures, maps)?;
        request.options.regions = arguments::regions(&self.regions, Path::new(""))?;
        request.read.extend(arguments::region_file(&self.regions, Path::new("")));
        request.options.scale = self.mm_per_px.map(|scale| (scale, ScaleSource::Argument));
        Ok(request)
    }
}

/// A photo without label and date.
fn photo(path: &Path) -> PhotoInput {
    PhotoInput { path: path.into(), label: None, date: None }
}

/// The settings with the replacements of a file.
fn settings(file: &Path) -> Result<Settings> {
    let text = std::fs::read_to_string(file).map_err(|why| Error::new(file, Step::Read, why))?;
    Settings::with_overrides(&text).map_err(|error| Error::new(file, error.step, error.why))
}

fn megapixels(text: &str) -> Result<f64, String> {
    // 65535 × 65535 px, the largest size of the supported formats.
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

/// Writes the JSON to the file or standard output that `--json` names.
fn write_json(file: Option<&Path>, text: impl FnOnce() -> String) -> Result<()> {
    let error = |file, cause: io::Error| Error::wrap(file, Step::Write, cause);
    match file {
        Some(file) if is_stdout(file) => print(&text()),
        Some(file) => {
            let folder = file.parent().unwrap_or(Path::new(""));
            std::fs::create_dir_all(folder).map_err(|cause| error(folder, cause))?;
            std::fs::write(file, text()).map_err(|cause| error(file, cause))
        }
        None => Ok(()),
    }
}

/// The error of an option that cannot be used.
fn usage(why: impl Into<String>) -> Error {
    Error::new("", Step::Usage, why.into())
}

/// Writes to standard output; a closed pipe is not an error.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(cause) if cause.kind() != ErrorKind::BrokenPipe => {
            Err(Error::wrap("standard output", Step::Write, cause))
        }
        _ => Ok(()),
    }
}

/// Prints an error to standard error.
pub fn complain(error: &Error) {
    eprintln!("skindelta: {}", with_option(&error.to_string()));
}

/// Phrases in messages of the library, and the option of the command line for each.
const OPTIONS: [(&str, &str); 3] = [
    ("limit of megapixels", "--max-megapixels"),
    ("scale in mm per pixel", "--mm-per-px"),
    ("onnx feature", "cargo build --release --features onnx"),
];

/// A message of the library with the option that it concerns.
fn with_option(message: &str) -> String {
    // The name of the region follows, as it does after the option.
    let message = message.replace("reference region", "--reference");
    let named = OPTIONS.iter().find(|(phrase, _)| message.contains(phrase));
    named.map_or(message.clone(), |(_, option)| format!("{message} ({option})"))
}

impl Machine {
    /// Analyses a series of files; prints notices, warnings and the cost of each stage.
    fn analyze(&self, request: &Request) -> Result<Analysis> {
        let clock = Clock::new();
        let watch = clock.clone();
        let analyzer = Analyzer::new(request.options.clone());
        let analysis = analyzer.watched(move |_, stage| watch.stage(stage)).files(request)?;
        if !self.quiet {
            let report = &analysis.report;
            for notice in &report.notices {
                let warning = report.warnings().any(|warning| warning == notice);
                let kind = if warning { "warning" } else { "notice" };
                eprintln!("{kind}: {}", with_option(notice));
            }
        }
        if self.verbose > 0 {
            eprint!("{}", clock.table());
        }
        Ok(analysis)
    }
}

/// Writes the log of the library to standard error, for `-vv`.
struct Trace;

impl log::Log for Trace {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == env!("CARGO_PKG_NAME")
    }
    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{}", record.args());
        }
    }
    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use super::*;
    use skindelta::photo::Photo;

    #[test]
    fn a_message_of_the_library_names_its_option() {
        let settings = Settings::default().photo;
        let small = skindelta::settings::PhotoSettings { max_megapixels: 1e-6, ..settings };
        let bytes = include_bytes!("../../fixtures/closeup/visit-0.jpg");
        let error = Photo::from_bytes(Path::new("a.jpg"), bytes, &small).unwrap_err();
        let text = with_option(&error.to_string());
        assert!(text.ends_with("if the photo is right (--max-megapixels)"), "{text}");
        assert_eq!(with_option("a.jpg: read: no such file"), "a.jpg: read: no such file");
    }
}
