//! Dose response: the reported change against a known true change, and cross-talk on the other metrics.

use super::{SkinKind, ValidationOptions, analyze, capture, mean, photograph};
use crate::change::Verdict;
use crate::error::Result;
use crate::phantom::truth::{VisitTotals, VisitTruth};
use crate::phantom::{Scene, Skin, Treatment};
use crate::plane::par_collect;
use crate::region::{RegionRequest, WHOLE};
use serde::Serialize;

/// Factors on the treated parameter, untreated skin first.
const FACTORS: [f64; 5] = [1.0, 0.9, 0.8, 0.65, 0.5];
/// The factor at which cross-talk is reported.
const CROSS_FACTOR: f64 = 0.8;
/// The metrics in which cross-talk is reported.
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

/// A parameter of the skin that is scaled, and the metrics that should change with it. Pigment and redness of a
/// whole photo cannot be separated from its white balance: they are scaled for their cross-talk only.
pub struct Dose {
    /// Name of the parameter: the field of [`Treatment`].
    pub parameter: &'static str,
    metrics: &'static [&'static str],
    set: fn(&mut Treatment, f64),
    truth: fn(&VisitTotals, f64) -> f64,
    skin: SkinKind,
}

const fn dose(
    skin: SkinKind,
    parameter: &'static str,
    metrics: &'static [&'static str],
    set: fn(&mut Treatment, f64),
    truth: fn(&VisitTotals, f64) -> f64,
) -> Dose {
    Dose { parameter, metrics, set, truth, skin }
}

/// All doses.
#[rustfmt::skip]
pub static DOSES: [Dose; 9] = [
    dose(SkinKind::Lined, "wrinkle_depth", &["wrinkle_depth"], |t, f| t.wrinkle_depth = f, |all, _| all.wrinkle_depth_mm),
    dose(SkinKind::Lined, "wrinkle_width", &["wrinkle_width"], |t, f| t.wrinkle_width = f, |all, _| all.wrinkle_width_mm),
    dose(SkinKind::Lined, "wrinkle_length", &["wrinkle_length"], |t, f| t.wrinkle_length = f, |all, _| all.wrinkle_length_mm),
    dose(SkinKind::Usual, "pore_diameter", &["pore_diameter"], |t, f| t.pore_diameter = f, |all, _| all.pore_diameter_mm),
    dose(SkinKind::Usual, "pore_count", &["pore_count"], |t, f| t.pore_count = f, |all, _| all.pore_count as f64),
    dose(SkinKind::Scarred, "scar_depth", &["scar_depth"], |t, f| t.scar_depth = f, |_, factor| factor),
    dose(SkinKind::Usual, "pigment", &[], |t, f| t.pigment = f, |_, factor| factor),
    dose(SkinKind::Usual, "redness", &[], |t, f| t.redness = f, |_, factor| factor),
    dose(SkinKind::Bare, "fine_relief", &["texture_roughness", "texture_fine", "texture_coarse"], |t, f| t.fine_relief = f, |_, factor| factor),
];

/// Response of one metric to one parameter, over all skins and factors.
#[derive(Debug, Clone, Serialize)]
pub struct DoseRow {
    /// Treated parameter.
    pub parameter: &'static str,
    /// Metric id.
    pub metric: &'static str,
    /// Slope of the reported on the true ln(follow-up / baseline), of the means over skins at each factor;
    /// 1 without error.
    pub slope: Option<f64>,
    /// Squared correlation of the two.
    pub r_squared: Option<f64>,
    /// Squared correlation over single pairs.
    pub pair_r_squared: Option<f64>,
    /// Share of the pairs that were not comparable, %.
    pub not_comparable_percent: f64,
    /// Whether the mean reported change falls with every factor.
    pub monotone: bool,
    /// One per factor.
    pub points: Vec<DosePoint>,
}

/// Mean over the comparable skins at one factor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DosePoint {
    /// Factor on the parameter.
    pub factor: f64,
    /// True change, %.
    pub true_percent: Option<f64>,
    /// Reported change, %.
    pub reported_percent: Option<f64>,
    /// Comparable skins.
    pub measured: usize,
    /// Skins with the verdict `improved`.
    pub improved: usize,
}

/// Mean reported change of one metric where a parameter was scaled by 0.8.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CrossTalk {
    /// Treated parameter.
    pub parameter: &'static str,
    /// Metric id.
    pub metric: &'static str,
    /// Reported change, %.
    pub reported_percent: Option<f64>,
    /// Comparable skins.
    pub measured: usize,
}

/// True and reported change of one metric in one pair of photos.
struct PairChange {
    parameter: &'static str,
    metric: &'static str,
    factor: f64,
    /// True ln(follow-up / baseline) of the parameter.
    truth: f64,
    /// None where the pair is not comparable.
    reported: Option<Reported>,
}

/// Reported ln(follow-up / baseline), and whether the verdict is `improved`.
#[derive(Clone, Copy)]
struct Reported {
    ln: f64,
    improved: bool,
}

pub(super) fn dose_response(options: &ValidationOptions) -> Result<(Vec<DoseRow>, Vec<CrossTalk>)> {
    let chosen: Vec<&Dose> =
        DOSES.iter().filter(|d| options.treated_parameters.contains(&d.parameter)).collect();
    let changes = pair_changes(options, &chosen)?;
    let of = |parameter: &str, metric: &str| -> Vec<&PairChange> {
        changes.iter().filter(|c| c.parameter == parameter && c.metric == metric).collect()
    };
    let rows = chosen.iter().flat_map(|d| d.metrics.iter().map(|m| (d.parameter, *m)));
    let rows = rows.map(|(parameter, metric)| dose_row(parameter, metric, &of(parameter, metric)));
    let cross = chosen.iter().flat_map(|d| HEADLINES.map(|m| (d.parameter, m)));
    let cross = cross.map(|(parameter, metric)| {
        let changes = of(parameter, metric);
        let at = changes.iter().filter(|c| c.factor == CROSS_FACTOR);
        let effects: Vec<f64> = at.filter_map(|c| c.reported).map(|r| r.ln).collect();
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

/// Changes of all treated skins. One baseline and one untreated follow-up serve all doses of a kind of skin; the
/// skins differ between resolutions.
fn pair_changes(options: &ValidationOptions, chosen: &[&Dose]) -> Result<Vec<PairChange>> {
    let (skins, px_per_mm) = (options.treated_skins, &options.px_per_mm);
    let kinds = [SkinKind::Usual, SkinKind::Lined, SkinKind::Scarred, SkinKind::Bare];
    let skins: Vec<(SkinKind, f64, usize)> = kinds
        .into_iter()
        .filter(|kind| chosen.iter().any(|d| d.skin == *kind))
        .flat_map(|kind| (0..skins * px_per_mm.len()).map(move |k| (kind, px_per_mm[k / skins], k)))
        .collect();
    let changes = par_collect(skins.len(), |i| {
        let (kind, px_per_mm, k) = skins[i];
        let doses: Vec<&Dose> = chosen.iter().copied().filter(|d| d.skin == kind).collect();
        treated_skin(options.seed + 10_000 + k as u64, px_per_mm, kind, &doses)
    });
    let mut all = Vec::new();
    for changes in changes {
        all.extend(changes?);
    }
    Ok(all)
}

/// Photographs one skin untreated twice and at each factor of each dose.
fn treated_skin(
    seed: u64,
    px_per_mm: f64,
    kind: SkinKind,
    doses: &[&Dose],
) -> Result<Vec<PairChange>> {
    let skin = Skin::new(&kind.spec(seed, px_per_mm));
    let plain = Treatment::default();
    let untreated = match kind {
        SkinKind::Bare => Treatment { pigment: 0.0, redness: 0.0, ..plain },
        SkinKind::Usual | SkinKind::Lined | SkinKind::Scarred => plain,
    };
    let first = capture(seed, 0, px_per_mm);
    let baseline = photograph(&Scene::of_skin(&skin, &untreated), &first)?;
    let totals = |t: &Treatment| VisitTruth::new(&skin, &first, 0, t, &first).totals;
    let before = totals(&untreated);
    let mut treatments = vec![untreated];
    for dose in doses {
        for factor in &FACTORS[1..] {
            let mut treatment = untreated;
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
                    Some(Reported { ln, improved: r.verdict == Verdict::Improved })
                });
                all.push(PairChange { parameter: dose.parameter, metric, factor, truth, reported });
            }
        }
    }
    Ok(all)
}

fn dose_row(parameter: &'static str, metric: &'static str, changes: &[&PairChange]) -> DoseRow {
    let percent = |ln: f64| 100.0 * ln.exp_m1();
    let mut means = Vec::new();
    let points: Vec<DosePoint> = FACTORS
        .iter()
        .map(|&factor| {
            let measured: Vec<(f64, Reported)> = changes
                .iter()
                .filter(|c| c.factor == factor)
                .filter_map(|c| Some((c.truth, c.reported?)))
                .collect();
            let average = |of: fn(&(f64, Reported)) -> f64| mean(measured.iter().map(of));
            let at = (!measured.is_empty()).then(|| (average(|m| m.0), average(|m| m.1.ln)));
            means.extend(at);
            DosePoint {
                factor,
                true_percent: at.map(|(truth, _)| percent(truth)),
                reported_percent: at.map(|(_, reported)| percent(reported)),
                measured: measured.len(),
                improved: measured.iter().filter(|m| m.1.improved).count(),
            }
        })
        .collect();
    let pairs: Vec<(f64, f64)> =
        changes.iter().filter_map(|c| Some((c.truth, c.reported?.ln))).collect();
    let line_of_means = line(&means);
    DoseRow {
        parameter,
        metric,
        slope: line_of_means.map(|l| l.0),
        r_squared: line_of_means.map(|l| l.1),
        pair_r_squared: line(&pairs).map(|l| l.1),
        not_comparable_percent: super::percent(changes.len() - pairs.len(), changes.len()),
        monotone: points.windows(2).all(|p| {
            matches!((p[0].reported_percent, p[1].reported_percent), (Some(a), Some(b)) if b < a)
        }),
        points,
    }
}

/// Slope of y on x and their squared correlation; none where either is constant.
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
