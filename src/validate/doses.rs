//! Whether a known change comes out at its true size, and in nothing else.

use super::{Kind, Options, analyze, capture, mean, photograph};
use crate::change::Verdict;
use crate::error::Result;
use crate::phantom::truth::{Totals, VisitTruth};
use crate::phantom::{Scene, Skin, Treatment};
use crate::plane::par_collect;
use crate::region::{RegionRequest, WHOLE};
use serde::Serialize;

/// Factors of a dose, the untouched skin first.
const FACTORS: [f64; 5] = [1.0, 0.9, 0.8, 0.65, 0.5];
/// The factor that cross-talk is told at.
const CROSS_FACTOR: f64 = 0.8;
/// The metrics that cross-talk is told of.
pub const HEADLINES: [&str; 8] = [
    "texture_roughness",
    "texture_coarse",
    "pore_count",
    "pore_diameter",
    "wrinkle_length",
    "wrinkle_width",
    "wrinkle_depth",
    "scar_depth",
];

/// A true thing that is scaled, and the metrics that should tell. Pigment and redness of a whole photo
/// cannot be told from its white balance: they are here for what they must not move.
pub struct Dose {
    /// Name: the field of [`Treatment`].
    pub parameter: &'static str,
    metrics: &'static [&'static str],
    set: fn(&mut Treatment, f64),
    truth: fn(&Totals, f64) -> f64,
    skin: Kind,
}

const fn dose(
    skin: Kind,
    parameter: &'static str,
    metrics: &'static [&'static str],
    set: fn(&mut Treatment, f64),
    truth: fn(&Totals, f64) -> f64,
) -> Dose {
    Dose { parameter, metrics, set, truth, skin }
}

/// All doses.
#[rustfmt::skip]
pub static DOSES: [Dose; 9] = [
    dose(Kind::Lined, "wrinkle_depth", &["wrinkle_depth"], |t, f| t.wrinkle_depth = f, |all, _| all.wrinkle_depth_mm),
    dose(Kind::Lined, "wrinkle_width", &["wrinkle_width"], |t, f| t.wrinkle_width = f, |all, _| all.wrinkle_width_mm),
    dose(Kind::Lined, "wrinkle_length", &["wrinkle_length"], |t, f| t.wrinkle_length = f, |all, _| all.wrinkle_length_mm),
    dose(Kind::Usual, "pore_diameter", &["pore_diameter"], |t, f| t.pore_diameter = f, |all, _| all.pore_diameter_mm),
    dose(Kind::Usual, "pore_count", &["pore_count"], |t, f| t.pore_count = f, |all, _| all.pore_count as f64),
    dose(Kind::Scarred, "scar_depth", &["scar_depth"], |t, f| t.scar_depth = f, |_, factor| factor),
    dose(Kind::Usual, "pigment", &[], |t, f| t.pigment = f, |_, factor| factor),
    dose(Kind::Usual, "redness", &[], |t, f| t.redness = f, |_, factor| factor),
    dose(Kind::Bare, "fine_relief", &["texture_roughness", "texture_fine", "texture_coarse"], |t, f| t.fine_relief = f, |_, factor| factor),
];

/// How one metric answers to one dose, over all skins and factors.
#[derive(Debug, Clone, Serialize)]
pub struct DoseRow {
    /// What was treated.
    pub parameter: &'static str,
    /// Metric read.
    pub metric: &'static str,
    /// Slope of the reported ln(follow-up / baseline) over the true one, of the means over skins at each
    /// factor; 1 is right.
    pub slope: Option<f64>,
    /// Square of the correlation of the two.
    pub r_squared: Option<f64>,
    /// The same of single pairs.
    pub pair_r_squared: Option<f64>,
    /// Pairs that were refused, %.
    pub refused_percent: f64,
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

/// What one metric reports where another thing was scaled by 0.8, mean over skins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CrossTalk {
    /// What was treated.
    pub parameter: &'static str,
    /// Metric read.
    pub metric: &'static str,
    /// Reported change, %.
    pub reported_percent: Option<f64>,
    /// Skins measured.
    pub measured: usize,
}

/// What one pair of treated skin told.
struct Told {
    parameter: &'static str,
    metric: &'static str,
    factor: f64,
    /// True ln(follow-up / baseline) of what was treated.
    truth: f64,
    /// Reported ln(follow-up / baseline), and whether it was called an improvement.
    reported: Option<(f64, bool)>,
}

pub(super) fn doses(options: &Options) -> Result<(Vec<DoseRow>, Vec<CrossTalk>)> {
    let chosen: Vec<&Dose> =
        DOSES.iter().filter(|d| options.doses.contains(&d.parameter)).collect();
    // One baseline and one untouched follow-up serve all doses of a kind of skin; the skins of one resolution are
    // not those of another.
    let (skins, px_per_mm) = (options.dose_skins, &options.px_per_mm);
    let skins: Vec<(Kind, f64, usize)> = [Kind::Usual, Kind::Lined, Kind::Scarred, Kind::Bare]
        .into_iter()
        .filter(|kind| chosen.iter().any(|d| d.skin == *kind))
        .flat_map(|kind| (0..skins * px_per_mm.len()).map(move |k| (kind, px_per_mm[k / skins], k)))
        .collect();
    let told = par_collect(skins.len(), |i| {
        let (kind, px_per_mm, k) = skins[i];
        let doses: Vec<&Dose> = chosen.iter().copied().filter(|d| d.skin == kind).collect();
        treated_skin(options.seed + 10_000 + k as u64, px_per_mm, kind, &doses)
    });
    let mut all: Vec<Told> = Vec::new();
    for rows in told {
        all.extend(rows?);
    }
    let of = |parameter: &str, metric: &str| -> Vec<&Told> {
        all.iter().filter(|t| t.parameter == parameter && t.metric == metric).collect()
    };
    let rows = chosen.iter().flat_map(|d| d.metrics.iter().map(|m| (d.parameter, *m)));
    let rows = rows.map(|(parameter, metric)| dose_row(parameter, metric, &of(parameter, metric)));
    let cross = chosen.iter().flat_map(|d| HEADLINES.map(|m| (d.parameter, m)));
    let cross = cross.map(|(parameter, metric)| {
        let told = of(parameter, metric);
        let at = told.iter().filter(|t| t.factor == CROSS_FACTOR);
        let effects: Vec<f64> = at.filter_map(|t| t.reported).map(|(ln, _)| ln).collect();
        let reported = mean(effects.iter().copied());
        CrossTalk {
            parameter,
            metric,
            reported_percent: (!effects.is_empty()).then(|| 100.0 * reported.exp_m1()),
            measured: effects.len(),
        }
    });
    Ok((rows.collect(), cross.collect()))
}

/// Photographs one skin untouched twice and at each factor of each dose.
fn treated_skin(seed: u64, px_per_mm: f64, kind: Kind, doses: &[&Dose]) -> Result<Vec<Told>> {
    let skin = Skin::new(&kind.spec(seed, px_per_mm));
    let plain = Treatment::default();
    let untouched = match kind {
        Kind::Bare => Treatment { pigment: 0.0, redness: 0.0, ..plain },
        Kind::Usual | Kind::Lined | Kind::Scarred => plain,
    };
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
        let photos = vec![baseline.clone(), follow_up];
        Ok(analyze(photos, &first, RegionRequest::Whole)?.report.changes)
    });
    let changes = changes.into_iter().collect::<Result<Vec<_>>>()?;
    let mut all = Vec::new();
    for (d, dose) in doses.iter().enumerate() {
        for (k, factor) in FACTORS.into_iter().enumerate() {
            let i = if k == 0 { 0 } else { d * (FACTORS.len() - 1) + k };
            let after = (dose.truth)(&totals(&treatments[i]), factor);
            let truth = (after / (dose.truth)(&before, 1.0)).ln();
            let own = dose.metrics.iter().filter(|m| !HEADLINES.contains(m));
            for metric in HEADLINES.iter().chain(own) {
                let row = changes[i].iter().find(|r| r.metric.id == *metric && r.region == WHOLE);
                let reported = row.and_then(|r| {
                    let ln = (r.change_percent? / 100.0).ln_1p();
                    Some((ln, r.verdict == Verdict::Improved))
                });
                all.push(Told { parameter: dose.parameter, metric, factor, truth, reported });
            }
        }
    }
    Ok(all)
}

fn dose_row(parameter: &'static str, metric: &'static str, told: &[&Told]) -> DoseRow {
    let percent = |ln: f64| 100.0 * ln.exp_m1();
    let mut means = Vec::new();
    let points: Vec<DosePoint> = FACTORS
        .iter()
        .map(|&factor| {
            let measured: Vec<(f64, f64, bool)> = told
                .iter()
                .filter(|t| t.factor == factor)
                .filter_map(|t| t.reported.map(|(ln, improved)| (t.truth, ln, improved)))
                .collect();
            let average = |of: fn(&(f64, f64, bool)) -> f64| mean(measured.iter().map(of));
            let told = (!measured.is_empty()).then(|| (average(|m| m.0), average(|m| m.1)));
            means.extend(told);
            DosePoint {
                factor,
                true_percent: told.map(|t| percent(t.0)),
                reported_percent: told.map(|t| percent(t.1)),
                measured: measured.len(),
                improved: measured.iter().filter(|m| m.2).count(),
            }
        })
        .collect();
    let pairs: Vec<(f64, f64)> =
        told.iter().filter_map(|t| t.reported.map(|(ln, _)| (t.truth, ln))).collect();
    let line_of_means = line(&means);
    DoseRow {
        parameter,
        metric,
        slope: line_of_means.map(|l| l.0),
        r_squared: line_of_means.map(|l| l.1),
        pair_r_squared: line(&pairs).map(|l| l.1),
        refused_percent: super::percent(told.len() - pairs.len(), told.len()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_slope() {
        let (slope, r2) = line(&[(0.0, 1.0), (-1.0, 0.5), (-2.0, 0.0)]).unwrap();
        assert!((slope - 0.5).abs() < 1e-12 && (r2 - 1.0).abs() < 1e-12);
        assert_eq!(line(&[(1.0, 2.0)]), None);
    }
}
