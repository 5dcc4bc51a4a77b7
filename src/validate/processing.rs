//! False verdicts where one of two photos of *unchanged* skin was taken, processed or compressed differently
//! ([`NUISANCES`]): every verdict of change is false. Rendered faces and close-ups of several tones, and real ones
//! if a folder holds them.

use super::nuisance::{MARGIN_PX, NUISANCES, Nuisance, linear};
use super::percent;
use crate::analyze::{Analysis, Request, analyze_series};
use crate::change::{ChangeRow, Verdict};
use crate::error::{Error, Result, Step};
use crate::filter::resize::shrink;
use crate::filter::stats::median;
use crate::phantom::{Capture, Kind, Spec};
use crate::photo::Photo;
use crate::plane::{Plane, Window, par_collect};
use crate::region::RegionRequest;
use crate::report;
use crate::series::{ScaleSource, Series, Visit};
use crate::settings::Settings;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Extent of the experiment.
#[derive(Debug, Clone, Default)]
pub struct ProcessingOptions {
    /// Folder of real photos; those of `real_subjects` that it holds are used.
    pub photos: Option<PathBuf>,
    /// Five rendered faces and close-ups and the real ones, each with a half or a third of the nuisances; otherwise
    /// one rendered close-up with all nuisances.
    pub full: bool,
}

/// Result of the experiment.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessingOutcome {
    /// Name and version of the program.
    pub tool: report::Tool,
    /// Names of the photographed skins.
    pub subjects: Vec<&'static str>,
    /// One per nuisance.
    pub rows: Vec<NuisanceRow>,
    /// Rows with the verdict improved or worsened.
    pub false_rows: Vec<FalseRow>,
}

/// Verdicts of the pairs with one nuisance.
#[derive(Debug, Clone, Serialize)]
pub struct NuisanceRow {
    /// Nuisance of one of the two photos.
    pub nuisance: &'static str,
    /// Pairs compared.
    pub pairs: usize,
    /// Pairs with at least one row improved or worsened.
    pub false_pairs: usize,
    /// Rows with the verdict improved or worsened.
    pub improved_or_worsened: usize,
    /// Rows of neutral metrics with the verdict changed.
    pub changed: usize,
    /// Rows compared: pairs × regions × metrics.
    pub compared: usize,
    /// Share of them that were not comparable, %, by reason.
    pub not_comparable_percent: BTreeMap<String, f64>,
    /// Median half-width of the 95 % CI of the change of a metric of relief, %.
    pub half_width_percent: Option<f64>,
    /// Pairs whose analysis failed, and why.
    pub errors: Vec<String>,
}

/// A false verdict: improved or worsened.
#[derive(Debug, Clone, Serialize)]
pub struct FalseRow {
    /// Name of the photographed skin.
    pub subject: &'static str,
    /// Nuisance of one of the two photos.
    pub nuisance: &'static str,
    /// Region name.
    pub region: String,
    /// Metric id.
    pub metric: &'static str,
    /// Reported change, %.
    pub change_percent: Option<f64>,
}

/// Seed of the first pair.
const FIRST_SEED: u64 = 9000;

/// Skin that is photographed.
struct Subject {
    name: &'static str,
    source: Source,
    regions: RegionRequest,
    mm_per_px: f64,
}

enum Source {
    /// Seed and tone of rendered skin.
    Rendered(Kind, u64, u8),
    /// A crop (left, top, width, height, px) of a file in the folder of photos, shrunk by a factor.
    Real { file: &'static str, crop: [usize; 4], shrunk: usize },
}

fn rendered(name: &'static str, kind: Kind, seed: u64, tone: u8) -> Subject {
    let spec = Spec::new(kind, seed, 1);
    let regions = match kind {
        Kind::Face => RegionRequest::Face,
        Kind::Closeup => RegionRequest::Grid { rows: 2, columns: 2 },
    };
    Subject {
        name,
        source: Source::Rendered(kind, seed, tone),
        regions,
        mm_per_px: 1.0 / spec.px_per_mm,
    }
}

/// The rendered subjects.
fn rendered_subjects(full: bool) -> Vec<Subject> {
    let mut all = vec![rendered("rendered close-up, tone 2", Kind::Closeup, 1, 2)];
    if full {
        all.extend([
            rendered("rendered close-up, tone 4", Kind::Closeup, 902, 4),
            rendered("rendered close-up, tone 6", Kind::Closeup, 903, 6),
            rendered("rendered face, tone 2", Kind::Face, 1, 2),
            rendered("rendered face, tone 6", Kind::Face, 901, 6),
        ]);
    }
    all
}

/// The real subjects. Their photos may not be distributed.
fn real_subjects() -> Vec<Subject> {
    const MAN: &str = "faces/unsplash/04_man_wrinkles_3456x5184.jpg";
    const WOMAN: &str = "faces/unsplash/02_woman_3974x5000.jpg";
    let real = |name, file, crop, shrunk: usize, regions, mm: f64| Subject {
        name,
        source: Source::Real { file, crop, shrunk },
        regions,
        mm_per_px: mm * shrunk as f64,
    };
    let grid = || RegionRequest::Grid { rows: 2, columns: 2 };
    let face = || RegionRequest::Face;
    vec![
        real("man", MAN, [700, 1050, 2150, 2400], 2, face(), 0.088),
        real("woman", WOMAN, [1200, 900, 2000, 2600], 2, face(), 0.096),
        real("man's forehead", MAN, [1330, 1330, 900, 560], 1, grid(), 0.088),
        real("man's cheek", MAN, [980, 2050, 640, 760], 1, grid(), 0.088),
        real("woman's forehead", WOMAN, [1550, 1150, 900, 600], 1, grid(), 0.096),
    ]
}

impl Subject {
    /// Linear light with a margin of [`MARGIN_PX`] px on each side; none if the file is absent.
    fn scene(&self, photos: Option<&Path>) -> Result<Option<[Plane; 3]>> {
        match &self.source {
            Source::Rendered(kind, seed, tone) => {
                let spec = Spec { tone: *tone, ..Spec::new(*kind, *seed, 1) };
                let base = spec.capture(0);
                let capture = Capture {
                    width_px: base.width_px + 2 * MARGIN_PX,
                    height_px: base.height_px + 2 * MARGIN_PX,
                    noise: 0.0,
                    ..base
                };
                Ok(Some(linear(&spec.scene(&spec.skin(), 0).shoot(&capture).image)))
            }
            Source::Real { file, crop: [left, top, width, height], shrunk } => {
                let Some(path) = photos.map(|folder| folder.join(file)).filter(|p| p.is_file())
                else {
                    return Ok(None);
                };
                let photo = Photo::open(&path, &Settings::default().photo)?;
                let margin = MARGIN_PX * shrunk;
                let window = Window {
                    x: left - margin,
                    y: top - margin,
                    width: width + 2 * margin,
                    height: height + 2 * margin,
                };
                let [right, bottom] = [window.x + window.width, window.y + window.height];
                if right > photo.width() || bottom > photo.height() {
                    let why = format!("{right} × {bottom} px are needed: use the original photo");
                    return Err(Error::new(&path, Step::Decode, why));
                }
                let crop = photo.linear.crop(window);
                let plane = |k: usize| shrink(&crop.map(|v| f32::from(v[k]) / 65535.0), *shrunk);
                Ok(Some([0, 1, 2].map(plane)))
            }
        }
    }

    /// Analyses a pair. The photo with the nuisance is the follow-up, or the baseline where `first`.
    fn compare(
        &self,
        scene: &[Plane; 3],
        nuisance: Nuisance,
        seed: u64,
        first: bool,
    ) -> Result<Analysis> {
        let settings = Settings::default();
        let mut files = [(Nuisance::Again, 2 * seed), (nuisance, 2 * seed + 1)];
        if first {
            files.reverse();
        }
        let mut visits = Vec::new();
        for (k, (nuisance, seed)) in files.into_iter().enumerate() {
            let bytes = nuisance.shoot(scene, seed);
            let photo = Photo::from_bytes("photo.jpg".as_ref(), &bytes, &settings.photo)?;
            visits.push(Visit { label: format!("visit {k}"), date: None, photo });
        }
        let mut request = Request::new([""; 0]);
        request.options.regions = self.regions.clone();
        request.options.scale = Some((self.mm_per_px, ScaleSource::Argument));
        analyze_series(Series { visits }, &request)
    }
}

/// One pair: its rows, or why its analysis failed.
struct NuisancePair {
    subject: &'static str,
    nuisance: usize,
    rows: std::result::Result<Vec<ChangeRow>, String>,
}

/// Photographs and compares all subjects under the nuisances. The photo with the nuisance is the baseline and the
/// follow-up in turn. Deterministic.
///
/// # Errors
/// A photo of the folder cannot be read.
pub fn run(options: &ProcessingOptions) -> Result<ProcessingOutcome> {
    let mut pairs = Vec::new();
    let mut subjects = Vec::new();
    let mut all = rendered_subjects(options.full);
    if options.photos.is_some() {
        all.extend(real_subjects());
    }
    for (s, subject) in all.iter().enumerate() {
        let Some(scene) = subject.scene(options.photos.as_deref())? else { continue };
        subjects.push(subject.name);
        // Short: all nuisances. Full: a half of them for each subject, a third for faces, which are slower.
        let face = matches!(subject.regions, RegionRequest::Face);
        let step = match (options.full, face) {
            (false, _) => 1,
            (true, false) => 2,
            (true, true) => 3,
        };
        let from = s % step;
        let own: Vec<usize> = (from..NUISANCES.len()).step_by(step).collect();
        pairs.extend(par_collect(own.len(), |k| {
            let i = own[k];
            let seed = FIRST_SEED + (s * NUISANCES.len() + i) as u64;
            let analysis = subject.compare(&scene, NUISANCES[i].1, seed, (s + k) % 2 == 1);
            NuisancePair {
                subject: subject.name,
                nuisance: i,
                rows: analysis.map(|a| a.report.changes).map_err(|e| e.to_string()),
            }
        }));
    }
    let of = |i: usize| pairs.iter().filter(move |p| p.nuisance == i);
    Ok(ProcessingOutcome {
        tool: report::Tool::THIS,
        subjects,
        rows: (0..NUISANCES.len()).map(|i| nuisance_row(NUISANCES[i].0, of(i))).collect(),
        false_rows: pairs.iter().flat_map(false_rows).collect(),
    })
}

fn is_false(row: &ChangeRow) -> bool {
    matches!(row.verdict, Verdict::Improved | Verdict::Worsened)
}

fn false_rows(pair: &NuisancePair) -> Vec<FalseRow> {
    let rows = pair.rows.iter().flatten().filter(|row| is_false(row));
    let false_row = |row: &ChangeRow| FalseRow {
        subject: pair.subject,
        nuisance: NUISANCES[pair.nuisance].0,
        region: row.region.clone(),
        metric: row.metric.id,
        change_percent: row.change_percent,
    };
    rows.map(false_row).collect()
}

fn nuisance_row<'a>(
    nuisance: &'static str,
    pairs: impl Iterator<Item = &'a NuisancePair>,
) -> NuisanceRow {
    let pairs: Vec<&NuisancePair> = pairs.collect();
    let rows: Vec<&ChangeRow> = pairs.iter().flat_map(|p| p.rows.iter().flatten()).collect();
    let verdicts = |of: Verdict| rows.iter().filter(|row| row.verdict == of).count();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.verdict == Verdict::NotComparable) {
        *reasons.entry(report::csv::word(row.reason)).or_default() += 1;
    }
    let mut widths: Vec<f64> = rows
        .iter()
        .filter(|row| row.metric.period_mm.is_some())
        .filter_map(|row| row.ci95_percent)
        .map(|[low, high]| 0.5 * (high - low))
        .collect();
    NuisanceRow {
        nuisance,
        pairs: pairs.len(),
        false_pairs: pairs.iter().filter(|p| p.rows.iter().flatten().any(is_false)).count(),
        improved_or_worsened: verdicts(Verdict::Improved) + verdicts(Verdict::Worsened),
        changed: verdicts(Verdict::Changed),
        compared: rows.len(),
        not_comparable_percent: reasons
            .into_iter()
            .map(|(reason, n)| (reason, percent(n, rows.len())))
            .collect(),
        half_width_percent: median(&mut widths),
        errors: pairs
            .iter()
            .filter_map(|p| Some(format!("{}: {}", p.subject, p.rows.as_ref().err()?)))
            .collect(),
    }
}

impl ProcessingOutcome {
    /// As JSON, laid out as result.json is.
    pub fn to_json(&self) -> String {
        report::json::to_json(self)
    }

    /// As a text table.
    pub fn table(&self) -> String {
        let mut text = format!(
            "Unchanged skin, one photo taken or processed differently: {}\n",
            self.subjects.join(", ")
        );
        let _ = writeln!(
            text,
            "  {:<24} {:>5} {:>11} {:>9} {:>8}  {:>10}  not comparable, %",
            "one photo", "pairs", "false pairs", "verdicts", "changed", "half-width"
        );
        for row in &self.rows {
            let reasons: Vec<String> =
                row.not_comparable_percent.iter().map(|(why, p)| format!("{why} {p:.0}")).collect();
            let width = row.half_width_percent.map_or("-".into(), |w| format!("{w:.1} %"));
            let _ = writeln!(
                text,
                "  {:<24} {:>5} {:>11} {:>9} {:>8}  {width:>10}  {}",
                row.nuisance,
                row.pairs,
                row.false_pairs,
                row.improved_or_worsened,
                row.changed,
                reasons.join(", ")
            );
            row.errors.iter().for_each(|e| _ = writeln!(text, "    failed: {e}"));
        }
        let sum = |of: fn(&NuisanceRow) -> usize| self.rows.iter().map(of).sum::<usize>();
        let (pairs, wrong) = (sum(|r| r.pairs), sum(|r| r.false_pairs));
        let _ = writeln!(
            text,
            "  pairs with a false verdict: {wrong} of {pairs} ({:.1} %)",
            percent(wrong, pairs)
        );
        for f in &self.false_rows {
            let change = f.change_percent.map_or("-".into(), |c| format!("{c:+.1} %"));
            let _ = writeln!(
                text,
                "    {}, {}: {} {} {change}",
                f.subject, f.nuisance, f.region, f.metric
            );
        }
        text
    }
}
