//! Reading of a manifest: a CSV table of photos, checked as a whole before any series is analysed.

use crate::analyze::{PhotoInput, Request};
use crate::arguments;
use crate::error::{Error, Result, Step};
use crate::region::RegionRequest;
use crate::series::ScaleSource;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// One series of a batch.
#[derive(Debug, Clone)]
pub struct SeriesPlan {
    /// The subject, `[A-Za-z0-9_-]+`.
    pub subject: String,
    /// The view of it, `[A-Za-z0-9_-]+`.
    pub view: String,
    /// The analysis to run.
    pub request: Request,
    /// The photos as the manifest names them, in order of visit.
    pub(super) files: Vec<String>,
}

/// The columns of a manifest; the first three are required.
const COLUMNS: [&str; 8] =
    ["subject", "visit", "path", "view", "date", "label", "mm_per_px", "regions"];

/// A row of the manifest and its line number.
struct ManifestRow {
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

/// Reads a manifest. Series are in the order of their first line, visits in ascending order. `common` has no photos and
/// holds everything that the manifest does not specify.
///
/// # Errors
/// All problems of the manifest at once, each with its line.
pub fn plan(manifest: &Path, common: &Request) -> Result<Vec<SeriesPlan>> {
    let bytes = fs::read(manifest).map_err(|cause| Error::wrap(manifest, Step::Read, cause))?;
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

/// Problems of a manifest: line number and message.
#[derive(Default)]
struct Problems(Vec<(u64, String)>);

impl Problems {
    fn add(&mut self, line: u64, why: impl Into<String>) {
        self.0.push((line, why.into()));
    }

    /// All problems in the order of their lines, one per line of text; none where there are none.
    fn text(mut self) -> Option<String> {
        self.0.sort();
        self.0.dedup();
        let lines: Vec<String> =
            self.0.iter().map(|(line, why)| format!("line {line}: {why}")).collect();
        (!lines.is_empty()).then(|| lines.join("\n  "))
    }
}

/// The valid rows; the others are added to the problems.
fn rows(bytes: &[u8], folder: &Path, problems: &mut Problems) -> Vec<ManifestRow> {
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

/// One row; none where it has problems.
fn row<'a>(
    line: u64,
    cell: impl Fn(&str) -> Option<&'a str>,
    folder: &Path,
    problems: &mut Problems,
) -> Option<ManifestRow> {
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
    let mut report = |why: String| problems.add(line, why);
    let date = cell("date").map(arguments::date).transpose().map_err(&mut report);
    let mm_per_px = cell("mm_per_px").map(arguments::mm_per_px).transpose().map_err(&mut report);
    if problems.0.len() > before {
        return None;
    }
    Some(ManifestRow {
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

/// Rows grouped into series, each with visits 0 … n.
fn series(
    rows: Vec<ManifestRow>,
    folder: &Path,
    common: &Request,
    problems: &mut Problems,
) -> Vec<SeriesPlan> {
    let mut groups: Vec<Vec<ManifestRow>> = Vec::new();
    let mut indices: BTreeMap<(String, String), usize> = BTreeMap::new();
    for row in rows {
        let index = *indices.entry((row.subject.clone(), row.view.clone())).or_insert(groups.len());
        if index == groups.len() {
            groups.push(Vec::new());
        }
        groups[index].push(row);
    }
    let mut region_files: BTreeMap<String, Result<RegionRequest>> = BTreeMap::new();
    let mut plans = Vec::with_capacity(groups.len());
    for mut group in groups {
        group.sort_by_key(|row| row.visit);
        check_visits(&group, problems);
        let baseline = &group[0];
        let mut request = common.clone();
        if let Some(scale) = baseline.mm_per_px {
            request.options.scale = Some((scale, ScaleSource::Manifest));
        }
        if let Some(text) = &baseline.regions {
            let regions = region_files
                .entry(text.clone())
                .or_insert_with(|| arguments::regions(text, folder));
            match regions {
                Ok(regions) => {
                    request.options.regions = regions.clone();
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

/// Checks that the visits of one series are 0 … n, and that no later one has a scale or regions other than the
/// baseline's.
fn check_visits(group: &[ManifestRow], problems: &mut Problems) {
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

#[cfg(test)]
mod tests {
    use super::super::testing::{folder, planned};
    use super::*;

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
        assert_eq!(b.options.scale, Some((0.05, ScaleSource::Manifest)));
        assert_eq!(b.options.regions, RegionRequest::Face);
        assert_eq!(b.photos[0].path, folder.path().join("b0"));
        assert_eq!(b.photos[0].label.as_deref(), Some("before, dry"));
        assert_eq!(b.photos[1].date.as_deref(), Some("2026-02-01"));
        assert_eq!(plans[1].request.options.regions, RegionRequest::Grid { rows: 2, columns: 3 });
        assert_eq!(plans[1].request.options.scale, None);
        assert_eq!(plans[2].request.options.regions, RegionRequest::Whole);
    }

    #[test]
    fn all_problems_of_a_manifest_are_reported_at_once() {
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
    fn a_manifest_with_another_header_is_an_error() {
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
}
