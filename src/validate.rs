//! The program's own accuracy, on skin whose truth is known ([`crate::phantom`]).
//!
//! Two questions. What does a pair of photos of *unchanged* skin show (nulls)? The answer is the
//! variance between captures that every verdict rests on (`settings::ChangeSettings::capture`).
//! And does a *known* change come out at its true size (doses)? Photos differ as careful visits do
//! ([`Capture::careful`]): exposure, white balance, light, focus, noise, compression, distance,
//! pose.

use crate::analyze::{Request, analyze_series};
use crate::change::{ChangeRow, Verdict};
use crate::error::Result;
use crate::filter::stats::median;
use crate::metric::{METRICS, Metric, Reason};
use crate::phantom::truth::{Totals, VisitTruth};
use crate::phantom::{Capture, Scene, Skin, SkinSpec, Treatment};
use crate::photo::Photo;
use crate::plane::par_collect;
use crate::region::{Polygon, RegionRequest, WHOLE};
use crate::report;
use crate::series::{ScaleSource, Series, Visit};
use crate::settings::Settings;
use serde::Serialize;
use std::fmt::Write;

/// Factors of a dose, the untouched skin first.
const FACTORS: [f64; 5] = [1.0, 0.9, 0.8, 0.65, 0.5];
/// Nulls are read in the frame cut into 4 × 4 and 2 × 2 cells, and in the whole: three areas.
const CUTS: [usize; 2] = [4, 2];
/// Effects beyond this many standard deviations of the fitted model count as that many.
const CLIP: f64 = 5.0;

/// How much is validated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Options {
    /// Resolutions of the nulls, px/mm.
    pub px_per_mm: Vec<f64>,
    /// Unchanged skins at each resolution, their tones in turn light to dark.
    pub null_skins: usize,
    /// Follow-up photos of each.
    pub recaptures: usize,
    /// What is treated, of [`DOSES`].
    pub doses: Vec<&'static str>,
    /// Treated skins for each dose, at 14 px/mm.
    pub dose_skins: usize,
    /// First seed; skins take it and the following ones.
    pub seed: u64,
}

impl Options {
    /// A few minutes on two cores.
    pub fn short() -> Options {
        Options {
            px_per_mm: vec![14.0],
            null_skins: 12,
            recaptures: 1,
            doses: DOSES.iter().map(|dose| dose.parameter).collect(),
            dose_skins: 2,
            seed: 100,
        }
    }

    /// Three resolutions, more skins.
    pub fn full() -> Options {
        Options {
            px_per_mm: vec![10.0, 14.0, 20.0],
            recaptures: 2,
            dose_skins: 4,
            ..Options::short()
        }
    }
}

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    /// Name and version of the program.
    pub tool: report::Tool,
    /// What was run.
    pub options: Options,
    /// One per metric that this version measures, in the order of the table.
    pub nulls: Vec<NullRow>,
    /// One per dose and metric.
    pub doses: Vec<DoseRow>,
}

/// What one metric shows on unchanged skin. Effects are ln(follow-up / baseline), or differences in
/// the metric's unit where it is no ratio.
#[derive(Debug, Clone, Serialize)]
pub struct NullRow {
    /// Metric id.
    pub metric: &'static str,
    /// Unit of the effects: `ln`, or the metric's own.
    pub unit: &'static str,
    /// Rows compared: pairs × regions.
    pub rows: usize,
    /// Share of them that were refused, %.
    pub refused_percent: f64,
    /// What the measured rows show; none where all were refused.
    pub spread: Option<Spread>,
}

/// The effects of one metric on unchanged skin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// Mean effect.
    pub bias: f64,
    /// Root mean square of the effect.
    pub rms: f64,
    /// Share of measured rows with a verdict of change, %.
    pub false_alarm_percent: f64,
    /// Share of measured rows whose 95 % interval covers no change, %.
    pub coverage_percent: f64,
    /// Median width of the 95 % interval, of the effect.
    pub interval_width: f64,
    /// Model of the standard deviation: what is left on any area.
    pub floor: f64,
    /// Model of the standard deviation: what 1 cm² adds.
    pub at_1_cm2: f64,
    /// Root mean square by nominal area.
    pub by_area: Vec<AreaRms>,
}

/// Root mean square of the effect in regions of one size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AreaRms {
    /// Pixels per mm.
    pub px_per_mm: f64,
    /// Area of a region, cm².
    pub area_cm2: f64,
    /// Rows measured.
    pub rows: usize,
    /// Root mean square.
    pub rms: f64,
}

/// How one metric answers to one dose, over all skins and factors.
#[derive(Debug, Clone, Serialize)]
pub struct DoseRow {
    /// What was treated.
    pub parameter: &'static str,
    /// Metric read.
    pub metric: &'static str,
    /// Slope of the reported ln(follow-up / baseline) over the true one; 1 is right.
    pub slope: Option<f64>,
    /// Square of the correlation of the two.
    pub r_squared: Option<f64>,
    /// Whether the mean report falls with every step of the dose.
    pub monotone: bool,
    /// One per factor.
    pub points: Vec<DosePoint>,
}

/// One factor of a dose, mean over the skins that were measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DosePoint {
    /// Factor on the true thing.
    pub factor: f64,
    /// True change, %.
    pub true_percent: Option<f64>,
    /// Reported change, %.
    pub reported_percent: Option<f64>,
    /// Skins measured.
    pub measured: usize,
    /// Skins with a verdict of improvement.
    pub improved: usize,
}

/// A true thing that is scaled, and the metrics that should tell.
pub struct Dose {
    /// Name: the field of [`Treatment`].
    pub parameter: &'static str,
    metrics: &'static [&'static str],
    set: fn(&mut Treatment, f64),
    truth: fn(&Totals, f64) -> f64,
    /// Whether the skin has nothing but fine relief: texture sees wrinkles, pores and pigment too.
    bare: bool,
}

/// All doses.
pub static DOSES: [Dose; 5] = [
    Dose {
        parameter: "wrinkle_depth",
        metrics: &["wrinkle_depth"],
        set: |t, f| t.wrinkle_depth = f,
        truth: |totals, _| totals.wrinkle_depth_mm,
        bare: false,
    },
    Dose {
        parameter: "wrinkle_width",
        metrics: &["wrinkle_width"],
        set: |t, f| t.wrinkle_width = f,
        truth: |totals, _| totals.wrinkle_width_mm,
        bare: false,
    },
    Dose {
        parameter: "pore_diameter",
        metrics: &["pore_diameter"],
        set: |t, f| t.pore_diameter = f,
        truth: |totals, _| totals.pore_diameter_mm,
        bare: false,
    },
    Dose {
        parameter: "pore_count",
        metrics: &["pore_count"],
        set: |t, f| t.pore_count = f,
        truth: |totals, _| totals.pore_count as f64,
        bare: false,
    },
    Dose {
        parameter: "fine_relief",
        metrics: &["texture_roughness", "texture_fine", "texture_coarse"],
        set: |t, f| t.fine_relief = f,
        truth: |_, factor| factor,
        bare: true,
    },
];

/// Photographs and measures all skins. Deterministic.
///
/// # Errors
/// As [`crate::analyze::analyze_series`].
pub fn run(options: &Options) -> Result<Outcome> {
    Ok(Outcome {
        tool: report::Tool { name: env!("CARGO_PKG_NAME"), version: env!("CARGO_PKG_VERSION") },
        options: options.clone(),
        nulls: nulls(options)?,
        doses: doses(options)?,
    })
}

/// One person's skin, large enough for the default frame at `px_per_mm`, with the same wrinkles
/// and spots per area at all resolutions.
fn skin_spec(seed: u64, px_per_mm: f64) -> SkinSpec {
    let frame = Capture::default();
    let usual = SkinSpec::default();
    let size_mm = [frame.width_px, frame.height_px].map(|n| (1.06 * n as f64 + 100.0) / px_per_mm);
    let area = size_mm[0] * size_mm[1] / (usual.size_mm[0] * usual.size_mm[1]);
    let per_area = |n: usize| (n as f64 * area).round().max(1.0) as usize;
    SkinSpec {
        seed,
        tone: 1 + (seed % 6) as u8,
        size_mm,
        samples_per_mm: 2.0 * px_per_mm,
        wrinkles: per_area(usual.wrinkles),
        spots: per_area(usual.spots),
        ..usual
    }
}

/// How photo `k` of a skin is taken.
fn capture(seed: u64, k: u64, px_per_mm: f64) -> Capture {
    Capture { px_per_mm, ..Capture::careful(1000 * seed + k) }
}

/// One photo as the program reads it: encoded and decoded.
fn photograph(scene: &Scene, capture: &Capture) -> Result<Photo> {
    let bytes = scene.shoot(capture).encode();
    Photo::from_bytes("phantom.jpg".as_ref(), &bytes, &Settings::default().photo)
}

/// The changes from the baseline to one follow-up.
fn compare(
    baseline: &Photo,
    follow_up: Photo,
    shot: &Capture,
    regions: RegionRequest,
) -> Result<Vec<ChangeRow>> {
    let visit = |label: &str, photo| Visit { label: label.into(), date: None, photo };
    let series =
        Series { visits: vec![visit("baseline", baseline.clone()), visit("visit 1", follow_up)] };
    let request = Request {
        photos: Vec::new(),
        regions,
        scale: Some((1.0 / (shot.scale * shot.px_per_mm), ScaleSource::Argument)),
        model: None,
        reference: None,
        pictures: false,
        maps: false,
        settings: Settings::default(),
    };
    Ok(analyze_series(series, &request)?.report.changes)
}

/// The effect of a row: ln(follow-up / baseline), or the difference where the metric is no ratio.
/// None where the row is refused, or a ratio has nothing to stand on.
fn effect(metric: &Metric, row: &ChangeRow) -> Option<f64> {
    if metric.ratio { row.change_percent.map(|c| (c / 100.0).ln_1p()) } else { row.change }
}

/// The 95 % interval of [`effect`].
fn interval(metric: &Metric, row: &ChangeRow) -> Option<[f64; 2]> {
    if metric.ratio { row.ci95_percent.map(|c| c.map(|v| (v / 100.0).ln_1p())) } else { row.ci95 }
}

/// One row of a null pair.
struct Null {
    px_per_mm: f64,
    area_cm2: f64,
    row: ChangeRow,
}

fn nulls(options: &Options) -> Result<Vec<NullRow>> {
    let each = options.null_skins;
    let pairs = par_collect(options.px_per_mm.len() * each, |i| {
        null_pairs(options.px_per_mm[i / each.max(1)], options.seed + i as u64, options.recaptures)
    });
    let mut all = Vec::new();
    for rows in pairs {
        all.extend(rows?);
    }
    let known = |r: &&Null| r.row.reason != Some(Reason::NotImplemented);
    let rows_of = |m: &'static Metric| -> Vec<&Null> {
        all.iter().filter(|r| r.row.metric == m.id).filter(known).collect()
    };
    let tables = METRICS.iter().map(|m| (m, rows_of(m))).filter(|(_, rows)| !rows.is_empty());
    Ok(tables.map(|(m, rows)| null_row(m, &rows)).collect())
}

/// Photographs one unchanged skin and compares its photos with the first.
fn null_pairs(px_per_mm: f64, seed: u64, recaptures: usize) -> Result<Vec<Null>> {
    let skin = Skin::new(&skin_spec(seed, px_per_mm));
    let shots: Vec<Capture> =
        (0..=recaptures as u64).map(|k| capture(seed, k, px_per_mm)).collect();
    let scene = Scene::of_skin(&skin, &Treatment::default());
    let baseline = photograph(&scene, &shots[0])?;
    let frame_cm2 = (baseline.width() * baseline.height()) as f64
        / (shots[0].scale * px_per_mm).powi(2)
        / 100.0;
    let cells = cells(baseline.width(), baseline.height());
    let mut nulls = Vec::new();
    for shot in &shots[1..] {
        let request = RegionRequest::Polygons(cells.iter().map(|c| c.0.clone()).collect());
        for row in compare(&baseline, photograph(&scene, shot)?, &shots[0], request)? {
            let share = cells.iter().find(|c| c.0.name == row.region).map_or(1.0, |c| c.1);
            nulls.push(Null { px_per_mm, area_cm2: share * frame_cm2, row });
        }
    }
    Ok(nulls)
}

/// The frame cut into equal cells, with each cell's share of the frame.
fn cells(width: usize, height: usize) -> Vec<(Polygon, f64)> {
    let mut cells = Vec::new();
    for n in CUTS {
        for i in 0..n * n {
            let edge = |k: usize, side: usize| (k * side) as f64 / n as f64 - 0.5;
            let (x, y) = (i % n, i / n);
            let (left, right) = (edge(x, width), edge(x + 1, width));
            let (top, bottom) = (edge(y, height), edge(y + 1, height));
            let points = vec![[left, top], [right, top], [right, bottom], [left, bottom]];
            let name = format!("cut{n}_r{}c{}", y + 1, x + 1);
            cells.push((Polygon { name, points }, 1.0 / (n * n) as f64));
        }
    }
    cells
}

fn null_row(metric: &'static Metric, rows: &[&Null]) -> NullRow {
    let measured: Vec<&Null> = rows.iter().copied().filter(|r| r.row.reason.is_none()).collect();
    NullRow {
        metric: metric.id,
        unit: if metric.ratio { "ln" } else { rows[0].row.unit },
        rows: rows.len(),
        refused_percent: percent(rows.len() - measured.len(), rows.len()),
        spread: (!measured.is_empty()).then(|| spread(metric, &measured)),
    }
}

fn spread(metric: &Metric, measured: &[&Null]) -> Spread {
    let alarms = measured.iter().filter(|r| r.row.verdict != Verdict::NoDetectableChange).count();
    let covered = measured
        .iter()
        .filter(|r| r.row.ci95.is_some_and(|[low, high]| low <= 0.0 && high >= 0.0))
        .count();
    let effects: Vec<(&Null, f64)> =
        measured.iter().filter_map(|r| Some((*r, effect(metric, &r.row)?))).collect();
    let mut widths: Vec<f64> = measured
        .iter()
        .filter_map(|r| interval(metric, &r.row))
        .map(|[low, high]| high - low)
        .collect();
    let samples: Vec<(f64, f64)> = effects.iter().map(|(r, e)| (r.area_cm2, *e)).collect();
    let (floor, at_1_cm2) = fit(&samples);
    Spread {
        bias: mean(effects.iter().map(|e| e.1)),
        rms: mean(effects.iter().map(|e| e.1 * e.1)).sqrt(),
        false_alarm_percent: percent(alarms, measured.len()),
        coverage_percent: percent(covered, measured.len()),
        interval_width: median(&mut widths).unwrap_or(0.0),
        floor,
        at_1_cm2,
        by_area: by_area(&effects),
    }
}

fn percent(n: usize, of: usize) -> f64 {
    100.0 * n as f64 / of.max(1) as f64
}

/// Root mean square for each resolution and kind of region, the smallest first.
fn by_area(effects: &[(&Null, f64)]) -> Vec<AreaRms> {
    let kind = |region: &str| region.split('_').next().unwrap_or(WHOLE).to_string();
    let mut groups: Vec<(f64, String)> = Vec::new();
    for (null, _) in effects {
        let group = (null.px_per_mm, kind(&null.row.region));
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let group_rms = |(px_per_mm, name): &(f64, String)| {
        let of: Vec<&(&Null, f64)> = effects
            .iter()
            .filter(|(r, _)| r.px_per_mm == *px_per_mm && kind(&r.row.region) == *name)
            .collect();
        AreaRms {
            px_per_mm: *px_per_mm,
            area_cm2: mean(of.iter().map(|(r, _)| r.area_cm2)),
            rows: of.len(),
            rms: mean(of.iter().map(|(_, e)| e * e)).sqrt(),
        }
    };
    groups.iter().map(group_rms).collect()
}

/// (floor, at 1 cm²) of the model sd² = floor² + at_1_cm2²/area, from (area, effect).
///
/// Least squares on the squared effects, weighted by the inverse square of the model (whose
/// scatter is in proportion to it), neither part below zero, wild effects clipped.
fn fit(samples: &[(f64, f64)]) -> (f64, f64) {
    let start = mean(samples.iter().map(|s| s.1 * s.1));
    if start == 0.0 {
        return (0.0, 0.0);
    }
    let (mut floor2, mut slope) = (start, 0.0);
    for _ in 0..50 {
        let [mut w, mut wx, mut wxx, mut wy, mut wxy] = [0.0f64; 5];
        for &(area, effect) in samples {
            let x = 1.0 / area;
            let model = floor2 + slope * x;
            let y = (effect * effect).min(CLIP * CLIP * model);
            let weight = 1.0 / (model * model);
            w += weight;
            wx += weight * x;
            wxx += weight * x * x;
            wy += weight * y;
            wxy += weight * x * y;
        }
        let determinant = w * wxx - wx * wx;
        let (a, b) = if determinant > 1e-9 * w * wxx {
            ((wxx * wy - wx * wxy) / determinant, (w * wxy - wx * wy) / determinant)
        } else {
            (wy / w, 0.0)
        };
        (floor2, slope) = if b < 0.0 {
            (wy / w, 0.0)
        } else if a < 0.0 {
            (0.0, wxy / wxx)
        } else {
            (a, b)
        };
    }
    (floor2.sqrt(), slope.sqrt())
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), v| (sum + v, n + 1));
    sum / n.max(1) as f64
}

/// What one pair of treated skin told.
struct Told {
    factor: f64,
    truth: f64,
    /// Reported ln(follow-up / baseline), and whether it was called an improvement.
    reported: Option<(f64, bool)>,
}

fn doses(options: &Options) -> Result<Vec<DoseRow>> {
    let chosen: Vec<&Dose> =
        DOSES.iter().filter(|d| options.doses.contains(&d.parameter)).collect();
    // One baseline and one untouched follow-up serve all doses of a kind of skin.
    let kinds: Vec<(bool, u64)> = [false, true]
        .into_iter()
        .filter(|bare| chosen.iter().any(|d| d.bare == *bare))
        .flat_map(|bare| (0..options.dose_skins as u64).map(move |i| (bare, i)))
        .collect();
    let told = par_collect(kinds.len(), |i| {
        let (bare, k) = kinds[i];
        let doses: Vec<&Dose> = chosen.iter().copied().filter(|d| d.bare == bare).collect();
        treated_skin(options.seed + 10_000 + k, &doses)
    });
    let mut all: Vec<(&'static str, &'static str, Told)> = Vec::new();
    for rows in told {
        all.extend(rows?);
    }
    let rows = chosen.iter().flat_map(|d| d.metrics.iter().map(|m| (d.parameter, *m)));
    Ok(rows
        .map(|(parameter, metric)| {
            let told: Vec<&Told> =
                all.iter().filter(|t| t.0 == parameter && t.1 == metric).map(|t| &t.2).collect();
            dose_row(parameter, metric, &told)
        })
        .collect())
}

/// Photographs one skin untouched twice and at each factor of each dose.
fn treated_skin(seed: u64, doses: &[&Dose]) -> Result<Vec<(&'static str, &'static str, Told)>> {
    let px_per_mm = Capture::default().px_per_mm;
    let bare = doses.iter().any(|d| d.bare);
    let usual = skin_spec(seed, px_per_mm);
    let spec = if bare { SkinSpec { wrinkles: 0, pore_density: 0.0, ..usual } } else { usual };
    let skin = Skin::new(&spec);
    let usual = Treatment::default();
    let untouched = if bare { Treatment { pigment: 0.0, redness: 0.0, ..usual } } else { usual };
    let first = capture(seed, 0, px_per_mm);
    let baseline = photograph(&Scene::of_skin(&skin, &untouched), &first)?;
    let totals = |t: &Treatment| VisitTruth::new(&skin, &first, 0, t, &first).totals;
    let before = totals(&untouched);
    let mut treatments = vec![untouched];
    for dose in doses {
        for factor in &FACTORS[1..] {
            let mut treatment = untouched;
            (dose.set)(&mut treatment, *factor);
            treatments.push(treatment);
        }
    }
    let changes = par_collect(treatments.len(), |i| {
        let scene = Scene::of_skin(&skin, &treatments[i]);
        let follow_up = photograph(&scene, &capture(seed, 1 + i as u64, px_per_mm))?;
        compare(&baseline, follow_up, &first, RegionRequest::Whole)
    });
    let changes = changes.into_iter().collect::<Result<Vec<_>>>()?;
    let mut all = Vec::new();
    for (d, dose) in doses.iter().enumerate() {
        for (k, factor) in FACTORS.into_iter().enumerate() {
            let i = if k == 0 { 0 } else { d * (FACTORS.len() - 1) + k };
            let after = (dose.truth)(&totals(&treatments[i]), factor);
            let truth = (after / (dose.truth)(&before, 1.0)).ln();
            for metric in dose.metrics {
                let row = changes[i].iter().find(|r| r.metric == *metric && r.region == WHOLE);
                let reported = row.and_then(|r| {
                    let ln = (r.change_percent? / 100.0).ln_1p();
                    Some((ln, r.verdict == Verdict::Improved))
                });
                all.push((dose.parameter, *metric, Told { factor, truth, reported }));
            }
        }
    }
    Ok(all)
}

fn dose_row(parameter: &'static str, metric: &'static str, told: &[&Told]) -> DoseRow {
    let percent = |ln: f64| 100.0 * ln.exp_m1();
    let points: Vec<DosePoint> = FACTORS
        .iter()
        .map(|&factor| {
            let measured: Vec<(f64, f64, bool)> = told
                .iter()
                .filter(|t| t.factor == factor)
                .filter_map(|t| t.reported.map(|(ln, improved)| (t.truth, ln, improved)))
                .collect();
            let average = |of: fn(&(f64, f64, bool)) -> f64| {
                (!measured.is_empty()).then(|| percent(mean(measured.iter().map(of))))
            };
            DosePoint {
                factor,
                true_percent: average(|m| m.0),
                reported_percent: average(|m| m.1),
                measured: measured.len(),
                improved: measured.iter().filter(|m| m.2).count(),
            }
        })
        .collect();
    let pairs: Vec<(f64, f64)> =
        told.iter().filter_map(|t| t.reported.map(|(ln, _)| (t.truth, ln))).collect();
    let line = line(&pairs);
    DoseRow {
        parameter,
        metric,
        slope: line.map(|l| l.0),
        r_squared: line.map(|l| l.1),
        monotone: points.windows(2).all(|p| {
            matches!((p[0].reported_percent, p[1].reported_percent), (Some(a), Some(b)) if b < a)
        }),
        points,
    }
}

/// Slope and squared correlation of y over x; none where either does not vary.
fn line(pairs: &[(f64, f64)]) -> Option<(f64, f64)> {
    let (mx, my) = (mean(pairs.iter().map(|p| p.0)), mean(pairs.iter().map(|p| p.1)));
    let sum = |f: fn(f64, f64) -> f64| pairs.iter().map(|p| f(p.0 - mx, p.1 - my)).sum::<f64>();
    let (xx, yy, xy) = (sum(|x, _| x * x), sum(|_, y| y * y), sum(|x, y| x * y));
    (xx > 0.0 && yy > 0.0).then(|| (xy / xx, xy * xy / (xx * yy)))
}

impl Outcome {
    /// The outcome as JSON, laid out as result.json is.
    pub fn to_json(&self) -> String {
        report::json::to_json(self)
    }

    /// The outcome as text for people.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "Unchanged skin, photographed again (effects in % for ratios, else in the unit)\n",
        );
        let _ = writeln!(
            text,
            "  {:<31} {:>5} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}  {:>7} {:>7}  unit",
            "metric",
            "rows",
            "refused",
            "bias",
            "rms",
            "alarms",
            "covered",
            "width",
            "floor",
            "1cm2"
        );
        for row in &self.nulls {
            // To first order a difference of logs is a share.
            let (scale, unit) = if row.unit == "ln" { (100.0, "%") } else { (1.0, row.unit) };
            let _ =
                write!(text, "  {:<31} {:>5} {:>6.1} %", row.metric, row.rows, row.refused_percent);
            if let Some(s) = &row.spread {
                let _ = write!(
                    text,
                    " {:>8.2} {:>8.2} {:>6.1} % {:>6.1} % {:>8.2}  {:>7.2} {:>7.2}  {unit}",
                    scale * s.bias,
                    scale * s.rms,
                    s.false_alarm_percent,
                    s.coverage_percent,
                    scale * s.interval_width,
                    scale * s.floor,
                    scale * s.at_1_cm2,
                );
            }
            text.push('\n');
        }
        text.push_str("\nTreated skin: reported change (true change), and skins called improved\n");
        for row in &self.doses {
            let number = |v: Option<f64>| v.map_or_else(|| "-".to_string(), |v| format!("{v:.2}"));
            let _ = writeln!(
                text,
                "  {} -> {}: slope {}, R2 {}, {}",
                row.parameter,
                row.metric,
                number(row.slope),
                number(row.r_squared),
                if row.monotone { "monotone" } else { "not monotone" },
            );
            for p in &row.points {
                let _ = match (p.reported_percent, p.true_percent) {
                    (Some(reported), Some(truth)) => writeln!(
                        text,
                        "    x {:<5} {reported:>+7.1} % ({truth:>+6.1} %)  {} of {}",
                        p.factor, p.improved, p.measured
                    ),
                    _ => writeln!(text, "    x {:<5} not measured", p.factor),
                };
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_of_the_variance_is_recovered() {
        // Effects of exactly the model's size, both signs, at three areas.
        let (floor, at_1) = (0.02, 0.06);
        let samples: Vec<(f64, f64)> = [1.0, 2.0, 8.0, 32.0]
            .iter()
            .flat_map(|&area: &f64| {
                let sd = f64::sqrt(floor * floor + at_1 * at_1 / area);
                [(area, sd), (area, -sd), (area, sd)]
            })
            .collect();
        let found = fit(&samples);
        assert!((found.0 - floor).abs() < 1e-6 && (found.1 - at_1).abs() < 1e-6, "{found:?}");
        // One wild effect in many moves it little.
        let mut wild = samples.repeat(20);
        wild.push((32.0, 5.0));
        let moved = fit(&wild);
        assert!((moved.0 - floor).abs() < 0.3 * floor, "{moved:?}");
        // An error that does not fall with area is all floor, and no error is none.
        let flat = fit(&[(1.0, 0.1), (4.0, 0.1), (32.0, 0.1)]);
        assert!((flat.0 - 0.1).abs() < 1e-6 && flat.1 < 1e-3, "{flat:?}");
        assert_eq!(fit(&[(1.0, 0.0), (4.0, 0.0)]), (0.0, 0.0));
    }

    #[test]
    fn cells_tile_the_frame_at_each_cut() {
        let cells = cells(900, 700);
        assert_eq!(cells.len(), 20);
        for n in CUTS {
            let name = format!("cut{n}_");
            let shares: f64 =
                cells.iter().filter(|c| c.0.name.starts_with(&name)).map(|c| c.1).sum();
            assert!((shares - 1.0).abs() < 1e-12);
        }
        assert_eq!(cells[15].0.points[2], [899.5, 699.5]);
    }

    #[test]
    fn a_line_has_its_slope() {
        let (slope, r2) = line(&[(0.0, 1.0), (-1.0, 0.5), (-2.0, 0.0)]).unwrap();
        assert!((slope - 0.5).abs() < 1e-12 && (r2 - 1.0).abs() < 1e-12);
        assert_eq!(line(&[(1.0, 2.0)]), None);
    }
}
