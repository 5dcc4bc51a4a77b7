//! Repeatability: the change reported between two photos of unchanged skin.

use super::{SkinKind, ValidationOptions, analyze, capture, mean, percent, photograph};
use crate::change::ChangeRow;
use crate::error::Result;
use crate::filter::stats::median;
use crate::metric::{METRICS, Metric};
use crate::phantom::{Capture, Scene, Skin, Treatment};
use crate::plane::par_collect;
use crate::region::{Polygon, RegionRequest, WHOLE};
use serde::Serialize;
use std::borrow::Cow;

/// Regions: the frame cut into 4 × 4 and 2 × 2 cells, and the whole frame, so three areas.
const CUTS: [usize; 2] = [4, 2];
/// Effects are clipped at this many standard deviations of the fitted model.
const CLIP: f64 = 5.0;

/// Repeatability of one metric. An effect is ln(follow-up / baseline), or follow-up − baseline in the metric's
/// unit for a metric whose changes are not given in percent.
#[derive(Debug, Clone, Serialize)]
pub struct RepeatabilityRow {
    /// Metric id.
    pub metric: &'static str,
    /// Unit of the effects: `ln`, or the metric's own.
    pub unit: Cow<'static, str>,
    /// Rows compared: pairs × regions.
    pub rows: usize,
    /// Share of them that were not comparable, %.
    pub not_comparable_percent: f64,
    /// Spread over the comparable rows; none where there are none.
    pub spread: Option<Spread>,
}

/// The effects of one metric on unchanged skin.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spread {
    /// Mean effect.
    pub bias: f64,
    /// Root mean square of the effect.
    pub rms: f64,
    /// Share of comparable rows with a verdict of change, %.
    pub false_alarm_percent: f64,
    /// Share of comparable rows whose 95 % interval holds 0, %.
    pub coverage_percent: f64,
    /// Median width of the 95 % interval of the effect.
    pub interval_width: f64,
    /// Model of the standard deviation, sd² = floor² + at_1_cm2² / area: part that no area averages out.
    pub floor: f64,
    /// The same: part that falls with the area, at 1 cm².
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
    /// Comparable rows.
    pub rows: usize,
    /// Root mean square.
    pub rms: f64,
}

/// The effect of a row. None where the row is not comparable, or a ratio has no baseline above 0.
fn effect(metric: &Metric, row: &ChangeRow) -> Option<f64> {
    if metric.ratio { row.change_percent.map(|c| (c / 100.0).ln_1p()) } else { row.change }
}

/// The 95 % interval of [`effect`].
fn interval(metric: &Metric, row: &ChangeRow) -> Option<[f64; 2]> {
    if metric.ratio { row.ci95_percent.map(|c| c.map(|v| (v / 100.0).ln_1p())) } else { row.ci95 }
}

/// One row of a pair of photos of unchanged skin.
struct UnchangedRow {
    px_per_mm: f64,
    area_cm2: f64,
    row: ChangeRow,
}

pub(super) fn repeatability(options: &ValidationOptions) -> Result<Vec<RepeatabilityRow>> {
    let each = options.untreated_skins;
    let pairs = par_collect(options.px_per_mm.len() * each, |i| {
        unchanged_pairs(
            options.px_per_mm[i / each.max(1)],
            options.seed + i as u64,
            options.recaptures,
        )
    });
    let mut all = Vec::new();
    for rows in pairs {
        all.extend(rows?);
    }
    let rows_of = |m: &'static Metric| -> Vec<&UnchangedRow> {
        all.iter().filter(|r| r.row.metric.id == m.id).collect()
    };
    let tables = METRICS.iter().map(|m| (m, rows_of(m))).filter(|(_, rows)| !rows.is_empty());
    Ok(tables.map(|(m, rows)| repeatability_row(m, &rows)).collect())
}

/// Photographs one unchanged skin and compares its photos with the first.
fn unchanged_pairs(px_per_mm: f64, seed: u64, recaptures: usize) -> Result<Vec<UnchangedRow>> {
    let skin = Skin::new(&SkinKind::Usual.spec(seed, px_per_mm));
    let shots: Vec<Capture> =
        (0..=recaptures as u64).map(|k| capture(seed, k, px_per_mm)).collect();
    let scene = Scene::of_skin(&skin, &Treatment::default());
    let baseline = photograph(&scene, &shots[0])?;
    let frame_cm2 = (baseline.width() * baseline.height()) as f64
        / (shots[0].scale * px_per_mm).powi(2)
        / 100.0;
    let cells = cells(baseline.width(), baseline.height());
    let mut rows = Vec::new();
    for shot in &shots[1..] {
        let request = RegionRequest::Polygons(cells.iter().map(|c| c.0.clone()).collect());
        let photos = vec![baseline.clone(), photograph(&scene, shot)?];
        for row in analyze(photos, &shots[0], request)?.report.changes {
            let share = cells.iter().find(|c| c.0.name == row.region).map_or(1.0, |c| c.1);
            rows.push(UnchangedRow { px_per_mm, area_cm2: share * frame_cm2, row });
        }
    }
    Ok(rows)
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

fn repeatability_row(metric: &'static Metric, rows: &[&UnchangedRow]) -> RepeatabilityRow {
    let measured: Vec<&UnchangedRow> =
        rows.iter().copied().filter(|r| r.row.reason.is_none()).collect();
    RepeatabilityRow {
        metric: metric.id,
        unit: if metric.ratio { "ln".into() } else { rows[0].row.unit.clone() },
        rows: rows.len(),
        not_comparable_percent: percent(rows.len() - measured.len(), rows.len()),
        spread: (!measured.is_empty()).then(|| spread(metric, &measured)),
    }
}

fn spread(metric: &Metric, measured: &[&UnchangedRow]) -> Spread {
    let alarms = measured.iter().filter(|r| r.row.verdict.is_change()).count();
    let covered = measured
        .iter()
        .filter(|r| r.row.ci95.is_some_and(|[low, high]| low <= 0.0 && high >= 0.0))
        .count();
    let effects: Vec<(&UnchangedRow, f64)> =
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

/// Root mean square for each resolution and kind of region, the smallest first.
fn by_area(effects: &[(&UnchangedRow, f64)]) -> Vec<AreaRms> {
    let kind = |region: &str| region.split('_').next().unwrap_or(WHOLE).to_string();
    let mut groups: Vec<(f64, String)> = Vec::new();
    for (row, _) in effects {
        let group = (row.px_per_mm, kind(&row.row.region));
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let group_rms = |(px_per_mm, name): &(f64, String)| {
        let of: Vec<&(&UnchangedRow, f64)> = effects
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

/// (floor, at_1_cm2) of the model sd² = floor² + at_1_cm2²/area, from (area, effect).
///
/// Least squares on the squared effects, weighted by the inverse square of the model (their standard deviation
/// is proportional to it), both parts at least 0, effects clipped at [`CLIP`] standard deviations.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variance_model_is_recovered() {
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
        // One outlier among many has little influence.
        let mut with_outlier = samples.repeat(20);
        with_outlier.push((32.0, 5.0));
        let moved = fit(&with_outlier);
        assert!((moved.0 - floor).abs() < 0.3 * floor, "{moved:?}");
        // An error that does not fall with area is all floor; without errors both parts are 0.
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
}
