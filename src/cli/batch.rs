//! `skindelta batch`

use super::{Machine, MethodArgs, print, with_option};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use skindelta::analyze::analyze;
use skindelta::batch::{self, BatchOptions};
use skindelta::settings::BatchSettings;
use skindelta::{Error, Result, Step};
use std::path::PathBuf;
use std::process::ExitCode;

/// Compare many series of photos, listed in a table
///
/// The table is a CSV file with the columns subject, visit, path, and where wanted view, date,
/// label, mm_per_px, regions. Visits are 0 (the baseline), 1, 2 and so on; paths start at the
/// table's folder. A series that fails is listed in failures.csv, the others are analysed, and the
/// exit code is then 1.
#[derive(Args)]
#[command(after_help = "\
Example of a table:
  subject,visit,path,date,mm_per_px
  anna,0,anna/before.jpg,2026-01-10,0.05
  anna,1,anna/after.jpg,2026-04-11,
  ben,0,ben/before.jpg,2026-01-12,0.05
  ben,1,ben/after.jpg,2026-04-13,

  skindelta batch study.csv --out results

Writes series/SUBJECT/VIEW/ with the results of each series, changes.csv with all changes, and
failures.csv.")]
pub struct Batch {
    /// The table of photos
    #[arg(value_name = "MANIFEST.csv")]
    manifest: PathBuf,
    /// Folder for the results
    #[arg(long, value_name = "DIR", default_value = "skindelta-out", help_heading = "Results")]
    out: PathBuf,
    /// Memory to use, as 500M or 4G [default: half of the machine's]
    #[arg(long, value_name = "SIZE", help_heading = "Program", value_parser = bytes)]
    memory: Option<u64>,
    #[command(flatten)]
    method: MethodArgs,
}

impl Batch {
    pub fn run(&self, machine: &Machine) -> Result<ExitCode> {
        let series = batch::plan(&self.manifest, &self.method.request(true, false)?)?;
        // Invisible where standard error is not a terminal.
        let bar = if machine.quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
        bar.set_length(series.len() as u64);
        let style = ProgressStyle::with_template("{pos} of {len} series {wide_bar} {eta} left");
        bar.set_style(style.map_err(|why| Error::wrap("", Step::Usage, why))?);
        let options = BatchOptions {
            out: &self.out,
            memory: self.memory.unwrap_or_else(default_memory),
            workers: machine.workers(),
            settings: BatchSettings::default(),
            progress: &|| bar.inc(1),
        };
        let failures = batch::run(&series, &options, &analyze)?;
        bar.finish_and_clear();
        for failure in &failures {
            eprintln!("skindelta: {}", with_option(&failure.to_string()));
        }
        if !machine.quiet {
            let done = series.len() - failures.len();
            let out = self.out.display();
            print(&format!("{done} series done, {} failed: {out}\n", failures.len()))?;
        }
        Ok(if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Machine {
    /// Number of series that run at the same time.
    fn workers(&self) -> usize {
        self.threads.map_or_else(
            || std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            usize::from,
        )
    }
}

/// A size in bytes, with K, M, G or T for powers of 1024.
fn bytes(text: &str) -> Result<u64, String> {
    let error = || format!("{text:?} is no size of memory; write 500M or 4G");
    let (number, unit) = match text.char_indices().last() {
        Some((at, letter)) if letter.is_ascii_alphabetic() => (&text[..at], letter),
        _ => (text, 'B'),
    };
    let power = "BKMGT".find(unit.to_ascii_uppercase()).ok_or_else(error)?;
    let number: f64 = number.parse().map_err(|_| error())?;
    let size = number * 1024f64.powi(power as i32);
    if (1.0..1e18).contains(&size) { Ok(size as u64) } else { Err(error()) }
}

/// Half of the machine's memory; 4 GiB where the system does not report it.
fn default_memory() -> u64 {
    const UNKNOWN: u64 = 4 << 30;
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = text.lines().find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = total.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.map_or(UNKNOWN, |kib| kib * 1024 / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_memory_are_read() {
        assert_eq!(bytes("4G"), Ok(4 << 30));
        assert_eq!(bytes("1.5m"), Ok(3 << 19));
        assert_eq!(bytes("1024"), Ok(1024));
        for bad in ["", "G", "-1G", "0", "NaN", "inf", "4GB", "4 G!", "1e40", "4é"] {
            assert!(bytes(bad).is_err(), "{bad}");
        }
    }
}
