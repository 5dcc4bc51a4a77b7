//! Analysis of the series of a batch on a few plain threads. Series start in the manifest's order as memory allows; the
//! loops over their image rows share one thread pool. A series that fails or panics does not stop the others.

use super::manifest::SeriesPlan;
use crate::analyze::{Analysis, Request};
use crate::error::{Error, Result, Step};
use crate::output::{self, Form, Output, Sign};
use crate::photo::decode::stored_size;
use crate::report::{self, csv};
use crate::settings::BatchSettings;
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A step of a series that failed: a row of `failures.csv`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Subject.
    pub subject: String,
    /// View.
    pub view: String,
    /// The visit, if the failure is that of one photo.
    pub visit: Option<usize>,
    /// The photo as the manifest names it, or the name of another file without its folder.
    pub file: String,
    /// Step of the analysis that failed.
    pub step: &'static str,
    /// Cause.
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

/// Resources and outputs of a batch.
pub struct BatchOptions<'a> {
    /// Folder of the results.
    pub out: &'a Path,
    /// Memory that the running series may need together, bytes. A series that needs more runs alone.
    pub memory: u64,
    /// Largest number of series that run at the same time.
    pub workers: usize,
    /// Expected memory of a series.
    pub settings: BatchSettings,
    /// Called once per finished series.
    pub progress: &'a (dyn Fn() + Sync),
}

/// Shared state of the threads of a batch.
struct BatchState {
    /// The next series that no thread has taken.
    next: usize,
    /// Number of series admitted so far; they are admitted in order, so that a large one is not passed by for ever.
    admitted: usize,
    /// Expected memory of the running series, bytes.
    used: u64,
    /// `changes.csv`, the number of series in it, and the lines of series that finished before an earlier one.
    changes: File,
    written: usize,
    waiting: BTreeMap<usize, String>,
    failures: BTreeMap<usize, Failure>,
    /// Error that stops the batch: the results cannot be written.
    fatal: Option<Error>,
}

/// Analyses all series with `analyze` and writes `series/SUBJECT/VIEW/`, `changes.csv` and `failures.csv` into the
/// folder of the results, rows in the manifest's order. Returns the failures.
///
/// # Errors
/// Before any series: an output may not be written ([`output::check`]). During the batch: `changes.csv` or
/// `failures.csv` cannot be written. A series that fails is not an error.
pub fn run(
    plans: &[SeriesPlan],
    options: &BatchOptions<'_>,
    analyze: &(dyn Fn(&Request) -> Result<Analysis> + Sync),
) -> Result<Vec<Failure>> {
    let table = options.out.join("changes.csv");
    let failed = options.out.join("failures.csv");
    check_outputs(plans, [&table, &failed], options.out)?;
    fs::create_dir_all(options.out).map_err(|why| write_error(options.out, why))?;
    let mut changes = File::create(&table).map_err(|why| write_error(&table, why))?;
    changes.write_all(csv::changes_header().as_bytes()).map_err(|why| write_error(&table, why))?;
    let state = Mutex::new(BatchState {
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
                    // Series are admitted in order: one that is never admitted would block all others.
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

/// The error of a table or folder that cannot be written.
fn write_error(path: &Path, cause: io::Error) -> Error {
    Error::wrap(path, Step::Write, cause)
}

/// Checks that all outputs of a batch may be written: the tables of changes and of failures, and the folders of the
/// series.
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

/// Locks the state, also after a panic of another thread: it is consistent between any two statements.
fn lock(state: &Mutex<BatchState>) -> MutexGuard<'_, BatchState> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn take(state: &Mutex<BatchState>, count: usize) -> Option<usize> {
    let mut state = lock(state);
    let i = state.next;
    (i < count && state.fatal.is_none()).then(|| {
        state.next += 1;
        i
    })
}

/// Waits until series `i` is next and fits into memory beside the running ones, or runs alone.
fn admit(state: &Mutex<BatchState>, freed: &Condvar, i: usize, need: u64, memory: u64) {
    let mut state = freed
        .wait_while(lock(state), |state| {
            state.admitted != i || (state.used > 0 && state.used + need > memory)
        })
        .unwrap_or_else(PoisonError::into_inner);
    state.admitted += 1;
    state.used += need;
    freed.notify_all();
}

/// Expected memory of a series, bytes, from the headers of its photos. A photo that cannot be read counts as 0 and
/// fails later. At least 1, so that memory is in use whenever a series runs.
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

/// Analyses one series, writes its files and returns its lines of `changes.csv`. After an error no files are left.
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
        // The result of an earlier run must not be mistaken for one of this run.
        let _ = report::withdraw(&folder);
    }
    outcome
}

impl SeriesPlan {
    /// Folder of its results.
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

impl BatchState {
    /// Records the outcome of series `i` and writes all lines that are next in order.
    fn record(&mut self, i: usize, plan: &SeriesPlan, outcome: Result<String>, table: &Path) {
        let rows = outcome.unwrap_or_else(|error| {
            self.failures.insert(i, plan.failure(&error));
            String::new()
        });
        self.waiting.insert(i, rows);
        while let Some(rows) = self.waiting.remove(&self.written) {
            self.written += 1;
            if let Err(why) = self.changes.write_all(rows.as_bytes()) {
                self.fatal.get_or_insert(write_error(table, why));
            }
        }
    }
}

/// Form by which an earlier `failures.csv` is recognised.
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
    use super::super::testing::{folder, planned};
    use super::*;
    use crate::change::Verdict;
    use crate::region::RegionSource;
    use crate::report::{ChangeRow, Maps, Pictures, RegionsRow, Report, ScaleRow, Tool};
    use crate::series::ScaleSource;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// An analysis with one change, in a region named after the baseline's file.
    fn analysis(request: &Request) -> Analysis {
        let name = request.photos[0].path.file_name().unwrap().to_string_lossy().into_owned();
        let change = ChangeRow {
            visit: 1,
            region: name,
            metric: crate::metric::Metric::find("texture_roughness").unwrap(),
            baseline: Some(1.0),
            follow_up: Some(1.0),
            unit: "1".into(),
            change: Some(0.0),
            ci95: Some([0.0, 0.0]),
            sdc: Some(0.1),
            change_percent: Some(0.0),
            ci95_percent: Some([0.0, 0.0]),
            sdc_percent: Some(10.0),
            verdict: Verdict::Unchanged,
            reason: None,
            p: None,
            se_ln: None,
        };
        Analysis {
            report: Report {
                schema_version: 1,
                tool: Tool::THIS,
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
        let options = BatchOptions { out: &out, memory, workers, settings, progress: &|| {} };
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
    fn a_series_that_fails_or_panics_does_not_affect_others() {
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
        let found: Vec<_> = failures
            .iter()
            .map(|f| (f.subject.as_str(), f.visit, f.file.as_str(), f.step))
            .collect();
        assert_eq!(
            found,
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
    fn foreign_tables_are_not_overwritten() {
        let folder = many(1);
        let out = folder.path().join("out");
        fs::create_dir(&out).unwrap();
        for name in ["changes.csv", "failures.csv"] {
            let own = out.join(name);
            fs::write(&own, "subject,view\n").unwrap();
            let options = BatchOptions {
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
        // Its own tables are replaced, also those of an interrupted run.
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
