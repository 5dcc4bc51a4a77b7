//! `skindelta compare`

use super::{Machine, SkinArgs, is_stdout, json_output, photo, print, usage, write_json};
use clap::Args;
use skindelta::align::AlignmentStatus;
use skindelta::analyze::{Analysis, Request};
use skindelta::change::Verdict;
use skindelta::output::{self, Output};
use skindelta::quality::Status;
use skindelta::report::{self, ChangeRow, Report};
use skindelta::{Result, arguments};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Compare photos of the same skin over time
///
/// The first photo is the baseline; each later one is compared with it. Writes result.json,
/// metrics.csv and report.html (open it in a browser). The exit code is 0 also where photos are
/// not comparable: the report gives the reason.
#[derive(Args)]
#[command(after_help = "\
Examples:
  Two photos of a face:
    skindelta compare before.jpg after.jpg
  Four visits, with a scale and dates:
    skindelta compare v0.jpg v1.jpg v2.jpg v3.jpg --mm-per-px 0.05 \\
      --dates 2026-01-10,2026-02-07,2026-03-07,2026-05-30 --out anna
  A close-up, in six cells of two rows:
    skindelta compare before.tif after.tif --regions grid:2x3 --mm-per-px 0.02
  Only the numbers, into another program:
    skindelta compare before.jpg after.jpg --json - | jq .changes")]
pub struct Compare {
    /// The first photo: JPEG, PNG, TIFF or WebP
    baseline: PathBuf,
    /// Later photos of the same skin, in order of visit
    #[arg(required = true, value_name = "FOLLOW_UP")]
    follow_ups: Vec<PathBuf>,
    /// Folder for the results [default: skindelta-out]
    ///
    /// Results of an earlier run are replaced there, other files never.
    #[arg(long, value_name = "DIR", help_heading = "Results")]
    out: Option<PathBuf>,
    /// Write result.json to this file; - is standard output, and nothing else goes there
    ///
    /// The folder of results is then written only if --out names one.
    #[arg(long, value_name = "FILE", help_heading = "Results")]
    json: Option<PathBuf>,
    /// Also write maps: displacement, wrinkles, pores, scars, regions, measured skin
    #[arg(long, help_heading = "Results")]
    maps: bool,
    /// Do not write report.html
    #[arg(long, help_heading = "Results")]
    no_html: bool,
    /// Dates of the photos, separated by commas, as 2026-03-31
    #[arg(long, value_name = "D,D,...", help_heading = "Results", value_delimiter = ',',
          value_parser = arguments::date)]
    dates: Vec<String>,
    /// Names of the photos in the report, separated by commas
    #[arg(long, value_name = "L,L,...", help_heading = "Results", value_delimiter = ',')]
    labels: Vec<String>,
    #[command(flatten)]
    skin: SkinArgs,
}

impl Compare {
    pub fn run(&self, machine: &Machine) -> Result<ExitCode> {
        let request = self.request()?;
        let out = self.folder();
        let mut outputs: Vec<Output> = json_output(self.json.as_deref()).into_iter().collect();
        if let Some(out) = out {
            outputs.extend(report::outputs(out, request.pictures, request.maps)?);
        }
        output::check(&outputs, &request.inputs())?;
        let analysis = machine.analyze(&request)?;
        if let Some(out) = out {
            let pictures = request.pictures.then_some(&analysis.pictures);
            let maps = request.maps.then_some(&analysis.maps);
            report::write(out, &analysis.report, pictures, maps)?;
        }
        write_json(self.json.as_deref(), || report::json::to_json(&analysis.report))?;
        if !machine.quiet && !self.json.as_deref().is_some_and(is_stdout) {
            print(&self.summary(&analysis, out))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn request(&self) -> Result<Request> {
        let count = 1 + self.follow_ups.len();
        for (option, values) in [("dates", &self.dates), ("labels", &self.labels)] {
            if !values.is_empty() && values.len() != count {
                let why =
                    format!("--{option} names {}, but there are {count} photos", values.len());
                return Err(usage(why));
            }
        }
        let writes_folder = self.folder().is_some();
        let mut request =
            self.skin.request(writes_folder && !self.no_html, writes_folder && self.maps)?;
        request.photos = std::iter::once(&self.baseline)
            .chain(&self.follow_ups)
            .map(|path| photo(path))
            .collect();
        for (visit, photo) in request.photos.iter_mut().enumerate() {
            photo.label = self.labels.get(visit).cloned();
            photo.date = self.dates.get(visit).cloned();
        }
        Ok(request)
    }

    /// Folder of the results; none where only the JSON is written.
    fn folder(&self) -> Option<&Path> {
        match (&self.out, &self.json) {
            (Some(out), _) => Some(out),
            (None, Some(_)) => None,
            (None, None) => Some(Path::new("skindelta-out")),
        }
    }

    fn summary(&self, analysis: &Analysis, out: Option<&Path>) -> String {
        let mut text = summary(&analysis.report);
        if let Some(out) = out {
            let file = if self.no_html { "result.json" } else { "report.html" };
            let _ = writeln!(text, "Report: {}", out.join(file).display());
        }
        text
    }
}

/// The detected changes, the number of the other rows, and warnings.
fn summary(report: &Report) -> String {
    let mut text = String::new();
    let real = |row: &&ChangeRow| row.verdict.is_change();
    let rows: Vec<[String; 5]> = report.changes.iter().filter(real).map(cells).collect();
    let header = ["visit", "region and metric", "change", "95 % interval", "verdict"];
    let mut widths = header.map(|title| title.chars().count());
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    let mut line = |cells: &[&str]| {
        let [visit, what, change, interval, verdict] = widths;
        let padded = format!(
            "{:<visit$}  {:<what$}  {:>change$}  {:>interval$}  {:<verdict$}",
            cells[0], cells[1], cells[2], cells[3], cells[4]
        );
        let _ = writeln!(text, "{}", padded.trim_end());
    };
    if !rows.is_empty() {
        line(&header);
    }
    for row in &rows {
        line(&row.each_ref().map(String::as_str));
    }
    let count = |verdict| report.changes.iter().filter(|row| row.verdict == verdict).count();
    let _ = writeln!(
        text,
        "{} established changes, {} unchanged ({}), {} inconclusive, {} not comparable",
        rows.len(),
        count(Verdict::Unchanged),
        report.within_margin().replace('\u{a0}', " "),
        count(Verdict::Inconclusive),
        count(Verdict::NotComparable)
    );
    for warning in report.warnings() {
        let _ = writeln!(text, "Warning: {warning}");
    }
    for row in &report.alignment {
        if row.region.is_none() && row.status != AlignmentStatus::Aligned {
            let how =
                if row.status == AlignmentStatus::Failed { "not be" } else { "only partly be" };
            let why = row.reason.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
            let _ = writeln!(text, "Visit {} could {how} aligned{why}", row.visit);
        }
    }
    let judged = |status| report.quality.iter().filter(|check| check.status == status).count();
    let (failed, warned) = (judged(Status::Fail), judged(Status::Warn));
    if failed + warned > 0 {
        let _ =
            writeln!(text, "Photo quality: {failed} checks failed, {warned} warn; see the report");
    }
    text
}

/// A change in percent, or in its unit where a percentage has no meaning.
fn cells(row: &ChangeRow) -> [String; 5] {
    let (value, interval, unit) = match row.change_percent {
        Some(percent) => (Some(percent), row.ci95_percent, "%"),
        None => (row.change, row.ci95, &*row.unit),
    };
    let number = |v: f64| if unit == "%" { format!("{v:+.1}") } else { format!("{v:+.3}") };
    let with_unit = |text: String| if unit == "1" { text } else { format!("{text} {unit}") };
    let verdict = match row.verdict {
        Verdict::Improved => "improved",
        Verdict::Worsened => "worsened",
        Verdict::Changed => "changed",
        Verdict::Unchanged => "unchanged",
        Verdict::Inconclusive => "inconclusive",
        Verdict::NotComparable => "not comparable",
    };
    [
        row.visit.to_string(),
        format!("{} {}", row.region, row.metric.id),
        value.map(|v| with_unit(number(v))).unwrap_or_default(),
        interval
            .map(|[low, high]| with_unit(format!("{} to {}", number(low), number(high))))
            .unwrap_or_default(),
        verdict.into(),
    ]
}
