//! Many series: a manifest in, one outcome per series out.
//!
//! The manifest is held to its form as a whole before any work starts. Series run on a few plain
//! threads, admitted in the manifest's order as memory allows; the rows of their images share the
//! one pool of threads. A series that fails, or panics, costs nobody but itself.

use crate::analyze::{Analysis, PhotoInput, Request};
use crate::arguments;
use crate::error::{Error, Result, Step};
use crate::output::{self, Form, Output, Sign};
use crate::photo::decode::stored_size;
use crate::region::RegionRequest;
use crate::report::{self, csv};
use crate::series::ScaleSource;
use crate::settings::BatchSettings;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// One series of a batch.
#[derive(Debug, Clone)]
pub struct SeriesPlan {
    /// Whose skin, `[A-Za-z0-9_-]+`.
    pub subject: String,
    /// Which view of it, `[A-Za-z0-9_-]+`.
    pub view: String,
    /// What is to be analysed.
    pub request: Request,
    /// The photos as the manifest names them, in order of visit.
    files: Vec<String>,
}

/// A step of a series that failed: a row of `failures.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Whose skin.
    pub subject: String,
    /// Which view.
    pub view: String,
    /// The visit, where the failure is that of one photo.
    pub visit: Option<usize>,
    /// The photo as the manifest names it, or the other file concerned, without its folder.
    pub file: String,
    /// Where it happened.
    pub step: &'static str,
    /// What is wrong.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.subject, self.view)?;
        if !self.file.is_empty() {
            write!(f, "{}: ", self.file)?;
        }
        write!(f, "{}: {}", self.step, self.reason)
    }
}

/// How a batch is run.
pub struct Options<'a> {
    /// Folder of the results.
    pub out: &'a Path,
    /// Memory that the series in work may need together, bytes. A larger series runs alone.
    pub memory: u64,
    /// Series in work at the same time, at most.
    pub workers: usize,
    /// What a series is expected to need.
    pub settings: BatchSettings,
    /// Called once per finished series.
    pub progress: &'a (dyn Fn() + Sync),
}

/// The columns that a manifest may have; the first three it must.
const COLUMNS: [&str; 8] =
    ["subject", "visit", "path", "view", "date", "label", "mm_per_px", "regions"];

/// A row of the manifest, with the line it stands on.
struct Row {
    line: u64,
    subject: String,
    view: String,
    visit: usize,
    path: String,
    date: Option<String>,
    label: Option<String>,
    mm_per_px: Option<f64>,
    regions: Option<String>,
}

/// Reads a manifest; series come in the order of their first line, visits in their own. `common`
/// gives all that the manifest does not say, and has no photos.
///
/// # Errors
/// Everything that is wrong with the manifest, at once, each with its line.
pub fn plan(manifest: &Path, common: &Request) -> Result<Vec<SeriesPlan>> {
    let bytes = fs::read(manifest).map_err(|why| Error::new(manifest, Step::Read, why))?;
    let folder = manifest.parent().unwrap_or(Path::new(""));
    let mut common = common.clone();
    common.read.push(manifest.into());
    let mut problems = Problems::default();
    let rows = rows(bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&bytes), folder, &mut problems);
    let series = series(rows, folder, &common, &mut problems);
    if problems.0.is_empty() && series.is_empty() {
        problems.add(1, "no photos in it");
    }
    match problems.text() {
        Some(why) => Err(Error::new(manifest, Step::Manifest, why)),
        None => Ok(series),
    }
}

/// What is wrong with a manifest: line and sentence.
#[derive(Default)]
struct Problems(Vec<(u64, String)>);

impl Problems {
    fn add(&mut self, line: u64, why: impl Into<String>) {
        self.0.push((line, why.into()));
    }

    /// All problems by line, each on a line of its own; none where there are none.
    fn text(mut self) -> Option<String> {
        self.0.sort();
        self.0.dedup();
        let lines: Vec<String> =
            self.0.iter().map(|(line, why)| format!("line {line}: {why}")).collect();
        (!lines.is_empty()).then(|| lines.join("\n  "))
    }
}

/// The rows that can be read; the others become problems.
fn rows(bytes: &[u8], folder: &Path, problems: &mut Problems) -> Vec<Row> {
    let mut reader =
        ::csv::ReaderBuilder::new().trim(::csv::Trim::All).flexible(true).from_reader(bytes);
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(_) => {
            problems.add(1, "not UTF-8 text; save the table as CSV UTF-8");
            return Vec::new();
        }
    };
    for (i, name) in header.iter().enumerate() {
        if !COLUMNS.contains(&name) {
            problems.add(1, format!("unknown column {name:?}; known are {}", COLUMNS.join(",")));
        } else if header.iter().take(i).any(|earlier| earlier == name) {
            problems.add(1, format!("column {name} is there twice"));
        }
    }
    for name in COLUMNS.iter().take(3).filter(|name| !header.iter().any(|h| h == **name)) {
        problems.add(1, format!("no column {name}"));
    }
    if !problems.0.is_empty() {
        return Vec::new();
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        match record {
            Ok(record) => {
                let line = record.position().map_or(0, ::csv::Position::line);
                if record.len() != header.len() {
                    let why = format!("{} cells instead of {}", record.len(), header.len());
                    problems.add(line, why);
                } else {
                    let cell = |name: &str| {
                        let at = header.iter().position(|h| h == name)?;
                        record.get(at).filter(|text| !text.is_empty())
                    };
                    rows.extend(row(line, cell, folder, problems));
                }
            }
            Err(error) => {
                let line = error.position().map_or(0, ::csv::Position::line);
                problems.add(line, "not UTF-8 text; save the table as CSV UTF-8");
            }
        }
    }
    rows
}

/// One row, or its problems.
fn row<'a>(
    line: u64,
    cell: impl Fn(&str) -> Option<&'a str>,
    folder: &Path,
    problems: &mut Problems,
) -> Option<Row> {
    let before = problems.0.len();
    let mut name = |column: &str, default: &str| {
        let text = cell(column).unwrap_or(default);
        let allowed = |c: u8| c.is_ascii_alphanumeric() || c == b'_' || c == b'-';
        if text.is_empty() || !text.bytes().all(allowed) {
            problems.add(line, format!("{column} {text:?}: use A-Z, a-z, 0-9, _ and -"));
        }
        text.to_string()
    };
    let (subject, view) = (name("subject", ""), name("view", "front"));
    let visit = cell("visit").unwrap_or_default();
    let visit = visit.parse().map_err(|_| {
        problems.add(line, format!("visit {visit:?} is no number; count 0, 1, 2 …"));
    });
    let path = cell("path").unwrap_or_default();
    if path.is_empty() {
        problems.add(line, "no path");
    } else if !folder.join(path).is_file() {
        problems.add(line, format!("{path}: no such file"));
    }
    let mut told = |why: String| problems.add(line, why);
    let date = cell("date").map(arguments::date).transpose().map_err(&mut told);
    let mm_per_px = cell("mm_per_px").map(arguments::mm_per_px).transpose().map_err(&mut told);
    if problems.0.len() > before {
        return None;
    }
    Some(Row {
        line,
        subject,
        view,
        visit: visit.ok()?,
        path: path.into(),
        date: date.ok()?,
        label: cell("label").map(String::from),
        mm_per_px: mm_per_px.ok()?,
        regions: cell("regions").map(String::from),
    })
}

/// Rows gathered into series, each with visits 0 … n.
fn series(
    rows: Vec<Row>,
    folder: &Path,
    common: &Request,
    problems: &mut Problems,
) -> Vec<SeriesPlan> {
    let mut groups: Vec<Vec<Row>> = Vec::new();
    let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
    for row in rows {
        let place = *places.entry((row.subject.clone(), row.view.clone())).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Vec::new());
        }
        groups[place].push(row);
    }
    let mut region_files: BTreeMap<String, Result<RegionRequest>> = BTreeMap::new();
    let mut plans = Vec::with_capacity(groups.len());
    for mut group in groups {
        group.sort_by_key(|row| row.visit);
        check_visits(&group, problems);
        let baseline = &group[0];
        let mut request = common.clone();
        if let Some(scale) = baseline.mm_per_px {
            request.scale = Some((scale, ScaleSource::Manifest));
        }
        if let Some(text) = &baseline.regions {
            let regions = region_files
                .entry(text.clone())
                .or_insert_with(|| arguments::regions(text, folder));
            match regions {
                Ok(regions) => {
                    request.regions = regions.clone();
                    request.read.extend(arguments::region_file(text, folder));
                }
                Err(error) => problems.add(baseline.line, format!("regions {text}: {}", error.why)),
            }
        }
        request.photos = group
            .iter()
            .map(|row| PhotoInput {
                path: folder.join(&row.path),
                label: row.label.clone(),
                date: row.date.clone(),
            })
            .collect();
        plans.push(SeriesPlan {
            subject: baseline.subject.clone(),
            view: baseline.view.clone(),
            request,
            files: group.iter().map(|row| row.path.clone()).collect(),
        });
    }
    plans
}

/// Holds the visits of one series, in their order, to 0 … n, and to one scale and one set of
/// regions: those of the baseline.
fn check_visits(group: &[Row], problems: &mut Problems) {
    let baseline = &group[0];
    let name = format!("{} {}", baseline.subject, baseline.view);
    if baseline.visit != 0 {
        problems.add(baseline.line, format!("{name} has no visit 0 (the baseline)"));
    }
    for pair in group.windows(2) {
        let (earlier, row) = (&pair[0], &pair[1]);
        if row.visit == earlier.visit {
            let why = format!("{name} has visit {} twice, see line {}", row.visit, earlier.line);
            problems.add(row.line, why);
        } else if row.visit != earlier.visit + 1 {
            let why = format!("{name} has visit {} but no visit {}", row.visit, earlier.visit + 1);
            problems.add(row.line, why);
        }
        if row.mm_per_px.is_some() && row.mm_per_px != baseline.mm_per_px {
            let why = "mm_per_px is that of the baseline; leave it empty for the later visits";
            problems.add(row.line, why);
        }
        if row.regions.is_some() && row.regions != baseline.regions {
            let why = "regions are those of the baseline; leave them empty for the later visits";
            problems.add(row.line, why);
        }
    }
}

/// What the threads of a batch share.
struct State {
    /// The next series that nobody works on yet.
    next: usize,
    /// Series let into memory so far; they enter in order, so that none starves.
    admitted: usize,
    /// Memory that the series in work are expected to need, bytes.
    used: u64,
    /// `changes.csv`, and the lines of series that finished before an earlier one.
    changes: File,
    written: usize,
    waiting: BTreeMap<usize, String>,
    failures: BTreeMap<usize, Failure>,
    /// What makes it senseless to go on: the results cannot be written.
    fatal: Option<Error>,
}

/// Analyses all series with `analyze` and writes `series/SUBJECT/VIEW/`, `changes.csv` and
/// `failures.csv` into the folder of the results; rows in the manifest's order, whatever finishes
/// first. Returns the failures.
///
/// # Errors
/// Before any series: an output may not be written ([`output::check`]). The tables over all series
/// cannot be written. A series that fails is no error.
pub fn run(
    plans: &[SeriesPlan],
    options: &Options<'_>,
    analyze: &(dyn Fn(&Request) -> Result<Analysis> + Sync),
) -> Result<Vec<Failure>> {
    let table = options.out.join("changes.csv");
    let failed = options.out.join("failures.csv");
    let write_error = |path: &Path, why| Error::new(path, Step::Write, why);
    check_outputs(plans, [&table, &failed], options.out)?;
    fs::create_dir_all(options.out).map_err(|why| write_error(options.out, why))?;
    let mut changes = File::create(&table).map_err(|why| write_error(&table, why))?;
    changes.write_all(csv::changes_header().as_bytes()).map_err(|why| write_error(&table, why))?;
    let state = Mutex::new(State {
        next: 0,
        admitted: 0,
        used: 0,
        changes,
        written: 0,
        waiting: BTreeMap::new(),
        failures: BTreeMap::new(),
        fatal: None,
    });
    let freed = Condvar::new();
    std::thread::scope(|scope| {
        for _ in 0..options.workers.clamp(1, plans.len().max(1)) {
            scope.spawn(|| {
                while let Some(i) = take(&state, plans.len()) {
                    // Series enter in order: one that never came would stop all others.
                    let need = || need(&plans[i], &options.settings);
                    let need = catch_unwind(AssertUnwindSafe(need)).unwrap_or(1);
                    admit(&state, &freed, i, need, options.memory);
                    let outcome = one(&plans[i], options.out, analyze);
                    let mut state = lock(&state);
                    state.used -= need;
                    freed.notify_all();
                    state.record(i, &plans[i], outcome, &table);
                    drop(state);
                    (options.progress)();
                }
            });
        }
    });
    let state = state.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = state.fatal {
        return Err(error);
    }
    let failures: Vec<Failure> = state.failures.into_values().collect();
    fs::write(&failed, failures_table(&failures)).map_err(|why| write_error(&failed, why))?;
    Ok(failures)
}

/// Whether all outputs of a batch may be written: its tables of changes and of failures, and the folders
/// of its series.
fn check_outputs(plans: &[SeriesPlan], tables: [&Path; 2], out: &Path) -> Result<()> {
    let signs = [csv::CHANGES_SIGN, FAILURES_SIGN];
    let tables = tables.map(Path::to_path_buf).into_iter().zip(signs);
    let mut outputs: Vec<Output> = tables.map(|(path, sign)| Output { path, sign }).collect();
    let mut inputs = Vec::new();
    for plan in plans {
        outputs.extend(report::outputs(&plan.folder(out), plan.request.pictures, false)?);
        inputs.extend(plan.request.inputs());
    }
    output::check(&outputs, &inputs)
}

/// The state, also after a panic elsewhere: it is consistent between any two statements.
fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(state: &Mutex<State>, count: usize) -> Option<usize> {
    let mut state = lock(state);
    let i = state.next;
    (i < count && state.fatal.is_none()).then(|| {
        state.next += 1;
        i
    })
}

/// Waits until series `i` is next and fits beside those in work, or is alone.
fn admit(state: &Mutex<State>, freed: &Condvar, i: usize, need: u64, memory: u64) {
    let mut state = freed
        .wait_while(lock(state), |state| {
            state.admitted != i || (state.used > 0 && state.used + need > memory)
        })
        .unwrap_or_else(PoisonError::into_inner);
    state.admitted += 1;
    state.used += need;
    freed.notify_all();
}

/// Memory that a series is expected to need, bytes, by the headers of its photos. A photo that
/// cannot be read needs none, and fails later. Never 0, so that memory in use means work.
fn need(plan: &SeriesPlan, settings: &BatchSettings) -> u64 {
    let pixels = plan.request.photos.iter().map(|photo| match stored_size(&photo.path) {
        Ok((width, height)) => u64::from(width) * u64::from(height),
        Err(_) => 0,
    });
    let pixels: Vec<u64> = pixels.collect();
    let held = pixels.iter().fold(0, |sum: u64, n| sum.saturating_add(*n));
    let largest = pixels.iter().copied().max().unwrap_or(0);
    held.saturating_mul(settings.bytes_per_photo_pixel)
        .saturating_add(largest.saturating_mul(settings.bytes_per_working_pixel))
        .clamp(1, u64::MAX / 4)
}

/// Lines of `changes.csv` of one series, its files written; or why not, with no files left.
fn one(
    plan: &SeriesPlan,
    out: &Path,
    analyze: &(dyn Fn(&Request) -> Result<Analysis> + Sync),
) -> Result<String> {
    let folder = plan.folder(out);
    let work = || {
        let analysis = analyze(&plan.request)?;
        let pictures = plan.request.pictures.then_some(&analysis.pictures);
        report::write(&folder, &analysis.report, pictures, None)?;
        Ok(csv::changes_rows(&plan.subject, &plan.view, &analysis.report.changes))
    };
    let outcome = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no cause");
        let why = format!("internal error, please report it: {text}");
        Err(Error::new("", Step::Measure, why))
    });
    if outcome.is_err() {
        // A result of an earlier run must not pass for one of this.
        let _ = report::withdraw(&folder);
    }
    outcome
}

impl SeriesPlan {
    /// Where its results go.
    fn folder(&self, out: &Path) -> PathBuf {
        out.join("series").join(&self.subject).join(&self.view)
    }

    fn failure(&self, error: &Error) -> Failure {
        let photos = &self.request.photos;
        let visit = photos.iter().position(|photo| photo.path.display().to_string() == error.file);
        let file = match visit {
            Some(visit) => self.files[visit].clone(),
            None => {
                let name = PathBuf::from(&error.file);
                name.file_name().unwrap_or_default().to_string_lossy().into_owned()
            }
        };
        Failure {
            subject: self.subject.clone(),
            view: self.view.clone(),
            visit,
            file,
            step: error.step.name(),
            reason: error.why.clone(),
        }
    }
}

impl State {
    /// Notes the outcome of series `i` and writes all lines whose turn has come.
    fn record(&mut self, i: usize, plan: &SeriesPlan, outcome: Result<String>, table: &Path) {
        let rows = outcome.unwrap_or_else(|error| {
            self.failures.insert(i, plan.failure(&error));
            String::new()
        });
        self.waiting.insert(i, rows);
        while let Some(rows) = self.waiting.remove(&self.written) {
            self.written += 1;
            if let Err(why) = self.changes.write_all(rows.as_bytes()) {
                self.fatal.get_or_insert(Error::new(table, Step::Write, why));
            }
        }
    }
}

/// How `failures.csv` starts.
const FAILURES_SIGN: Sign = Sign::Form(Form("subject,view,visit,file,step,reason", ""));

/// `failures.csv`.
fn failures_table(failures: &[Failure]) -> String {
    let header = ["subject", "view", "visit", "file", "step", "reason"];
    let mut rows = vec![header.map(String::from).to_vec()];
    rows.extend(failures.iter().map(|failure| {
        let visit = failure.visit.map_or(String::new(), |visit| visit.to_string());
        vec![
            csv::text(&failure.subject),
            csv::text(&failure.view),
            visit,
            csv::text(&failure.file),
            failure.step.into(),
            csv::text(&failure.reason),
        ]
    }));
    csv::table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Verdict;
    use crate::region::RegionSource;
    use crate::report::{ChangeRow, Maps, Pictures, RegionsRow, Report, ScaleRow, Tool};
    use crate::settings::Settings;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// A folder with a manifest and 40 × 30 px photos of these names.
    fn folder(manifest: &str, photos: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("manifest.csv"), manifest).unwrap();
        for name in photos {
            let file = folder.path().join(name);
            image::GrayImage::new(40, 30).save_with_format(file, image::ImageFormat::Png).unwrap();
        }
        folder
    }

    fn common() -> Request {
        Request {
            photos: Vec::new(),
            regions: RegionRequest::Face,
            scale: None,
            model: None,
            reference: None,
            pictures: true,
            maps: false,
            settings: Settings::default(),
            read: Vec::new(),
        }
    }

    fn planned(folder: &tempfile::TempDir) -> Result<Vec<SeriesPlan>> {
        plan(&folder.path().join("manifest.csv"), &common())
    }

    /// An analysis that tells one change, in a region named after the baseline's file.
    fn analysis(request: &Request) -> Analysis {
        let name = request.photos[0].path.file_name().unwrap().to_string_lossy().into_owned();
        let change = ChangeRow {
            visit: 1,
            region: name,
            metric: "texture_roughness",
            baseline: Some(1.0),
            follow_up: Some(1.0),
            unit: "1",
            change: Some(0.0),
            ci95: Some([0.0, 0.0]),
            sdc: Some(0.1),
            change_percent: Some(0.0),
            ci95_percent: Some([0.0, 0.0]),
            sdc_percent: Some(10.0),
            verdict: Verdict::NoDetectableChange,
            reason: None,
            p: None,
            se_ln: None,
        };
        Analysis {
            report: Report {
                schema_version: 1,
                tool: Tool { name: "skindelta", version: "0" },
                settings: serde_json::Value::Null,
                settings_sha256: String::new(),
                notices: Vec::new(),
                photos: Vec::new(),
                scale: ScaleRow {
                    mm_per_px: None,
                    source: ScaleSource::None,
                    relative_uncertainty: 0.0,
                },
                regions: RegionsRow {
                    source: RegionSource::Whole,
                    model: None,
                    model_sha256: None,
                },
                alignment: Vec::new(),
                quality: Vec::new(),
                measurements: Vec::new(),
                changes: vec![change],
                trends: Vec::new(),
                citations: Vec::new(),
            },
            pictures: Pictures::default(),
            maps: Maps::default(),
            costs: Vec::new(),
        }
    }

    fn run_in(
        folder: &tempfile::TempDir,
        memory: u64,
        workers: usize,
        analyze: &(dyn Fn(&Request) -> Result<Analysis> + Sync),
    ) -> Vec<Failure> {
        let settings = BatchSettings { bytes_per_photo_pixel: 1, bytes_per_working_pixel: 0 };
        let out = folder.path().join("out");
        let options = Options { out: &out, memory, workers, settings, progress: &|| {} };
        run(&planned(folder).unwrap(), &options, analyze).unwrap()
    }

    /// Series s0 … s(n-1), each with one photo of its own name.
    fn many(n: usize) -> tempfile::TempDir {
        let rows: String = (0..n).map(|i| format!("s{i},0,p{i}\n")).collect();
        let names: Vec<String> = (0..n).map(|i| format!("p{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        folder(&format!("subject,visit,path\n{rows}"), &names)
    }

    fn regions_of_changes(folder: &tempfile::TempDir) -> Vec<String> {
        let table = fs::read_to_string(folder.path().join("out/changes.csv")).unwrap();
        table.lines().skip(1).map(|line| line.split(',').nth(3).unwrap().to_string()).collect()
    }

    #[test]
    fn a_manifest_becomes_series() {
        let folder = folder(
            "\u{feff}subject,visit,path,view,date,label,mm_per_px,regions\n\
             b,1,b1,left,2026-02-01,after,,\n\
             a,0,a0,,,,,grid:2x3\n\
             b,0,b0,left,2026-01-01,\"before, dry\",0.05,\n\
             b,0,a0,right,,,,whole\n",
            &["a0", "b0", "b1"],
        );
        let plans = planned(&folder).unwrap();
        let names: Vec<_> = plans.iter().map(|p| (p.subject.as_str(), p.view.as_str())).collect();
        assert_eq!(names, [("b", "left"), ("a", "front"), ("b", "right")]);
        let b = &plans[0].request;
        assert_eq!(b.scale, Some((0.05, ScaleSource::Manifest)));
        assert_eq!(b.regions, RegionRequest::Face);
        assert_eq!(b.photos[0].path, folder.path().join("b0"));
        assert_eq!(b.photos[0].label.as_deref(), Some("before, dry"));
        assert_eq!(b.photos[1].date.as_deref(), Some("2026-02-01"));
        assert_eq!(plans[1].request.regions, RegionRequest::Grid { rows: 2, columns: 3 });
        assert_eq!(plans[1].request.scale, None);
        assert_eq!(plans[2].request.regions, RegionRequest::Whole);
    }

    #[test]
    fn all_problems_of_a_manifest_are_told_at_once() {
        let folder = folder(
            "subject,visit,path,view,date,mm_per_px,regions\n\
             a,0,a0,,,,\n\
             a,0,a0,,,,\n\
             a,3,a0,,,,\n\
             b b,0,a0,,,,\n\
             c,1,a0,,,,\n\
             d,0,gone,,,,\n\
             e,0,a0,,1.2.2026,,\n\
             f,0,a0,,,-1,\n\
             g,0,a0,,,,grid:0x1\n\
             h,0,a0\n\
             ,x,,../up,,,\n\
             i,0,a0,,,0.05,\n\
             i,1,a0,,,0.06,whole\n",
            &["a0"],
        );
        let error = planned(&folder).unwrap_err();
        assert_eq!(error.step, Step::Manifest);
        for expected in [
            "line 3: a front has visit 0 twice, see line 2",
            "line 4: a front has visit 3 but no visit 1",
            "line 5: subject \"b b\"",
            "line 6: c front has no visit 0",
            "line 7: gone: no such file",
            "line 8: \"1.2.2026\" is no date",
            "line 9: \"-1\" is no scale",
            "line 10: regions grid:0x1: ",
            "line 11: 3 cells instead of 7",
            "line 12: subject \"\"",
            "line 12: view \"../up\"",
            "line 12: visit \"x\" is no number",
            "line 12: no path",
            "line 14: mm_per_px is that of the baseline",
            "line 14: regions are those of the baseline",
        ] {
            assert!(error.why.contains(expected), "{expected} is not in\n{}", error.why);
        }
        assert_eq!(error.why.lines().count(), 15, "{}", error.why);
    }

    #[test]
    fn a_manifest_with_another_header_is_refused() {
        for (manifest, expected) in [
            ("subject;visit;path\n", "line 1: unknown column \"subject;visit;path\""),
            ("subject,visit\n", "line 1: no column path"),
            ("subject,visit,path,path\n", "line 1: column path is there twice"),
            ("subject,visit,path\n", "line 1: no photos in it"),
            ("", "line 1: no column subject"),
        ] {
            let error = planned(&folder(manifest, &[])).unwrap_err();
            assert!(error.why.contains(expected), "{manifest}: {error}");
        }
        let folder = folder("", &[]);
        fs::write(folder.path().join("manifest.csv"), b"subject,visit,path\na,0,\xFF\n").unwrap();
        assert!(planned(&folder).unwrap_err().why.contains("line 2: not UTF-8"));
    }

    #[test]
    fn a_series_that_fails_or_panics_costs_only_itself() {
        let folder = many(6);
        let out = folder.path().join("out/series");
        assert_eq!(run_in(&folder, u64::MAX, 3, &|request| Ok(analysis(request))), []);
        assert!(out.join("s2/front/result.json").is_file());
        let failures = run_in(&folder, u64::MAX, 3, &|request| {
            let path = &request.photos[0].path;
            match path.file_name().unwrap().to_str().unwrap() {
                "p1" => Err(Error::new(path, Step::Decode, "broken, \"quite\"")),
                "p2" => panic!("a bug"),
                "p4" => Err(Error::new("/secret/model.onnx", Step::Model, "no model")),
                _ => Ok(analysis(request)),
            }
        });
        let told: Vec<_> = failures
            .iter()
            .map(|f| (f.subject.as_str(), f.visit, f.file.as_str(), f.step))
            .collect();
        assert_eq!(
            told,
            [
                ("s1", Some(0), "p1", "decode"),
                ("s2", None, "", "measure"),
                ("s4", None, "model.onnx", "model")
            ]
        );
        assert!(failures[1].reason.contains("a bug"));
        assert_eq!(regions_of_changes(&folder), ["p0", "p3", "p5"]);
        assert!(out.join("s3/front/result.json").is_file());
        for failed in ["s1", "s2", "s4"] {
            assert!(!out.join(failed).join("front/result.json").exists());
        }
        let table = fs::read_to_string(folder.path().join("out/failures.csv")).unwrap();
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[0], "subject,view,visit,file,step,reason");
        assert_eq!(lines[1], "s1,front,0,p1,decode,\"broken, \"\"quite\"\"\"");
        assert_eq!(lines.len(), 4);
    }

    #[test]
    fn tables_of_somebody_else_are_not_overwritten() {
        let folder = many(1);
        let out = folder.path().join("out");
        fs::create_dir(&out).unwrap();
        for name in ["changes.csv", "failures.csv"] {
            let own = out.join(name);
            fs::write(&own, "subject,view\n").unwrap();
            let options = Options {
                out: &out,
                memory: u64::MAX,
                workers: 1,
                settings: BatchSettings { bytes_per_photo_pixel: 1, bytes_per_working_pixel: 0 },
                progress: &|| {},
            };
            let plans = planned(&folder).unwrap();
            let error = run(&plans, &options, &|request| Ok(analysis(request))).unwrap_err();
            assert_eq!((error.step, error.file), (Step::Write, own.display().to_string()));
            assert_eq!(fs::read_to_string(&own).unwrap(), "subject,view\n");
            fs::remove_file(own).unwrap();
        }
        // Its own tables, those of a run that was cut short included, are written anew.
        for _ in 0..2 {
            run_in(&folder, u64::MAX, 1, &|request| Ok(analysis(request)));
        }
        fs::write(out.join("changes.csv"), "").unwrap();
        run_in(&folder, u64::MAX, 1, &|request| Ok(analysis(request)));
        assert_eq!(regions_of_changes(&folder), ["p0"]);
    }

    #[test]
    fn rows_keep_the_order_of_the_manifest() {
        let folder = many(12);
        run_in(&folder, u64::MAX, 4, &|request| {
            // Earlier series take longer.
            let name = request.photos[0].path.file_name().unwrap().to_string_lossy().into_owned();
            let i: u64 = name[1..].parse().unwrap();
            std::thread::sleep(std::time::Duration::from_millis(3 * (12 - i)));
            Ok(analysis(request))
        });
        let expected: Vec<String> = (0..12).map(|i| format!("p{i}")).collect();
        assert_eq!(regions_of_changes(&folder), expected);
    }

    #[test]
    fn series_stay_within_the_memory_and_a_larger_one_runs_alone() {
        let folder = many(8);
        let big = folder.path().join("p3");
        image::GrayImage::new(400, 30).save_with_format(big, image::ImageFormat::Png).unwrap();
        let used = AtomicU64::new(0);
        let most = AtomicU64::new(0);
        let memory = 3 * 40 * 30;
        run_in(&folder, memory, 8, &|request| {
            let (width, height) = stored_size(&request.photos[0].path)?;
            let need = u64::from(width * height);
            let now = used.fetch_add(need, Ordering::SeqCst) + need;
            assert!(now <= memory || now == need, "{now} of {memory} bytes in use");
            most.fetch_max(now.min(memory), Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(20));
            used.fetch_sub(need, Ordering::SeqCst);
            Ok(analysis(request))
        });
        assert_eq!(regions_of_changes(&folder).len(), 8);
        assert!(most.into_inner() > 40 * 30, "series ran side by side");
    }
}
