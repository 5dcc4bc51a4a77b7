//! Change between two visits: percent change, interval, smallest detectable change, verdict, trend.
//!
//! The change of a ratio metric is ln(follow-up / baseline), that of this region's skin between these two visits. Its
//! variance is what another capture of the same skin would give ([`crate::metric::CaptureSd`], from recaptured
//! phantoms), what differences in light and processing leave, and what of the region was not seen: the variance of a
//! paired bootstrap over tiles (Efron & Tibshirani 1993; the sample size is the number of tiles, for pores and scars
//! of the tiles with detected objects) times the share of the region that is not measured, as of a sample of a finite
//! population (Cochran 1977). How unevenly the skin responds is no error of its change. A verdict needs two things:
//! the 95 % interval excludes zero, and the row passes Benjamini & Hochberg (1995) at 5 % over the visit's rows.

use crate::filter::stats::student_quantile;
use crate::light::LightChange;
use crate::metric::{Better, Group, LightSensitivity, LocalSd, Metric, Reason, Sampling, Sheet};
use crate::rng::Rng;
use crate::settings::ChangeSettings;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Verdict on a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// An established change for the better.
    Improved,
    /// An established change for the worse.
    Worsened,
    /// An established change of a metric that has no better or worse.
    Changed,
    /// Equivalent: shown to be smaller than the equivalence margin.
    Unchanged,
    /// Neither a change nor its absence is shown.
    Inconclusive,
    /// The two photos cannot be compared here.
    NotComparable,
}

impl Verdict {
    /// Whether a change is established.
    pub fn is_change(self) -> bool {
        matches!(self, Verdict::Improved | Verdict::Worsened | Verdict::Changed)
    }

    /// Of a change of a metric that is `established` or else `equivalent` to none, a decrease if so.
    fn of(metric: &Metric, established: bool, equivalent: bool, decrease: bool) -> Verdict {
        match (established, metric.better) {
            (false, _) if equivalent => Verdict::Unchanged,
            (false, _) => Verdict::Inconclusive,
            (true, Better::Neutral) => Verdict::Changed,
            (true, Better::Lower) if decrease => Verdict::Improved,
            (true, Better::Lower) => Verdict::Worsened,
        }
    }
}

/// One change between the baseline and a follow-up: a row of `changes` in result.json.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangeRow {
    /// Follow-up number.
    pub visit: usize,
    /// Region name.
    pub region: String,
    /// Metric id.
    pub metric: &'static Metric,
    /// Value at the baseline, on skin visible in both photos.
    pub baseline: Option<f64>,
    /// Value at the follow-up.
    pub follow_up: Option<f64>,
    /// Unit of values, change, interval and SDC.
    pub unit: Cow<'static, str>,
    /// Follow-up − baseline.
    pub change: Option<f64>,
    /// 95 % interval of the change.
    pub ci95: Option<[f64; 2]>,
    /// Smallest detectable change.
    pub sdc: Option<f64>,
    /// 100·(f/b − 1).
    pub change_percent: Option<f64>,
    /// 95 % interval of the percent change.
    pub ci95_percent: Option<[f64; 2]>,
    /// Smallest detectable change in percent.
    pub sdc_percent: Option<f64>,
    /// Verdict.
    pub verdict: Verdict,
    /// Why the row is not comparable.
    pub reason: Option<Reason>,
    /// Two-sided p-value of no change: for the visit's false-discovery control only.
    #[serde(skip)]
    pub p: Option<f64>,
    /// Standard error of ln(f/b), for the trend only.
    #[serde(skip)]
    pub se_ln: Option<f64>,
}

/// Slope of one metric in one region over three or more visits: a row of `trends`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrendRow {
    /// Region name.
    pub region: String,
    /// Metric id.
    pub metric: &'static Metric,
    /// Percent of the baseline per visit.
    pub slope_percent_per_visit: Option<f64>,
    /// Its 95 % interval.
    pub ci95_percent_per_visit: Option<[f64; 2]>,
    /// Verdict on the slope.
    pub verdict: Verdict,
    /// Why there is none.
    pub reason: Option<Reason>,
}

/// 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_985;
/// 95 % quantile of the normal distribution.
const Z_ONE_SIDED: f64 = 1.644_853_627;

/// One metric in one region of one pair of photos: what a [`ChangeRow`] is computed for.
#[derive(Debug, Clone)]
pub struct RowContext<'a> {
    /// Follow-up number.
    pub visit: usize,
    /// Region name.
    pub region: &'a str,
    /// Metric.
    pub metric: &'static Metric,
    /// Unit text.
    pub unit: &'static str,
    /// Area measured, in cm² (of a nominal face where no scale is known).
    pub area_cm2: f64,
    /// Share of the region that is not measured.
    pub unseen: f64,
    /// Change of the light between the two photos.
    pub light: LightChange,
    /// Standard deviation of the metric's ln(f/b) from differences in focus and processing that remain.
    pub transfer_sd: f64,
}

impl RowContext<'_> {
    /// The row of a pair that cannot be compared.
    pub fn not_comparable(&self, reason: Reason) -> ChangeRow {
        ChangeRow {
            visit: self.visit,
            region: self.region.to_string(),
            metric: self.metric,
            baseline: None,
            follow_up: None,
            unit: self.unit.into(),
            change: None,
            ci95: None,
            sdc: None,
            change_percent: None,
            ci95_percent: None,
            sdc_percent: None,
            verdict: Verdict::NotComparable,
            reason: Some(reason),
            p: None,
            se_ln: None,
        }
    }
}

/// Bootstrap weights: how often each tile is drawn in each replicate. Both visits and all metrics of a region use
/// the same draws.
pub struct Resampling {
    /// 1 for each tile with measured skin, else 0.
    all: Vec<f64>,
    draws: Vec<Vec<f64>>,
    /// Number of tiles with measured skin.
    tiles: usize,
}

impl Resampling {
    /// `filled[tile]`: whether the tile holds measured skin. Deterministic.
    pub fn new(filled: &[bool], settings: &ChangeSettings) -> Self {
        let live: Vec<usize> = (0..filled.len()).filter(|&i| filled[i]).collect();
        let mut rng = Rng::new(0, 0);
        let draws = (0..settings.replicates)
            .map(|_| {
                let mut weights = vec![0.0; filled.len()];
                live.iter().for_each(|_| weights[live[rng.below(live.len())]] += 1.0);
                weights
            })
            .collect();
        let all = filled.iter().map(|&f| f as u8 as f64).collect();
        Resampling { all, draws, tiles: live.len() }
    }

    /// The weights without resampling: 1 for each tile with measured skin.
    pub fn all(&self) -> &[f64] {
        &self.all
    }

    /// Sums of both visits over all tiles, and over each replicate.
    pub fn totals(&self, baseline: &Sheet, follow_up: &Sheet) -> PairTotals {
        let both = |w: &Vec<f64>| [baseline.total(w), follow_up.total(w)];
        let draws = self.draws.iter().map(both).collect();
        PairTotals { baseline: baseline.clone(), all: both(&self.all), draws }
    }
}

/// Sums of two visits over all tiles, and over each bootstrap replicate.
pub struct PairTotals {
    baseline: Sheet,
    all: [Vec<f64>; 2],
    draws: Vec<[Vec<f64>; 2]>,
}

impl PairTotals {
    /// Sums of both visits over all tiles.
    pub fn all(&self) -> [&[f64]; 2] {
        self.all.each_ref().map(Vec::as_slice)
    }
}

/// The change of one metric in one region, without its verdict, which needs the whole visit
/// ([`decide`]).
pub fn change(
    context: &RowContext<'_>,
    totals: &PairTotals,
    resampling: &Resampling,
    sampling: &Sampling,
    settings: &ChangeSettings,
) -> ChangeRow {
    let metric = context.metric;
    let measure = |sums: &[Vec<f64>; 2]| -> Result<[f64; 2], Reason> {
        Ok([(metric.measure)(&sums[0], sampling)?, (metric.measure)(&sums[1], sampling)?])
    };
    let [b, f] = match measure(&totals.all) {
        Ok(values) => values,
        Err(reason) => return context.not_comparable(reason),
    };
    // Both visits are measured on the same pores or scars. Without any there is nothing that could have changed.
    let object_tiles = metric.countable_objects.map(|objects| totals.baseline.tiles_with(objects));
    let object_tiles = object_tiles.filter(|tiles| *tiles > 0);
    if object_tiles.is_some_and(|tiles| tiles < settings.object_tiles_min) {
        return context.not_comparable(Reason::NothingFound);
    }
    if resampling.tiles < settings.tiles_min {
        return context.not_comparable(Reason::TooSmall);
    }
    // A ratio needs positive values in both visits.
    let ratio = metric.ratio && b > 0.0 && f > 0.0;
    let effect = |v: [f64; 2]| -> f64 { if ratio { (v[1] / v[0]).ln() } else { v[1] - v[0] } };
    let mut effects = Vec::with_capacity(totals.draws.len());
    let mut missing = Reason::TooSmall;
    for sums in &totals.draws {
        match measure(sums) {
            Ok(v) if !ratio || (v[0] > 0.0 && v[1] > 0.0) => effects.push(effect(v)),
            Ok(_) => {}
            Err(reason) => missing = reason,
        }
    }
    if effects.len() * 5 < totals.draws.len() * 4 {
        return context.not_comparable(missing);
    }
    let spatial =
        standard_deviation(&effects) * small_sample(object_tiles.unwrap_or(resampling.tiles));
    let capture = metric.capture.over(context.area_cm2);
    let capture = capture.hypot(light_sd(metric, context.light, settings));
    let capture = capture.hypot(context.transfer_sd);
    // Without a ratio the relative error of a capture applies to the larger value.
    let capture = if ratio || !metric.ratio { capture } else { capture * b.max(f) };
    let (objects, unseen) = match metric.capture.local {
        LocalSd::Objects => (spatial, 0.0),
        LocalSd::AtOneCm2(_) => (0.0, spatial * context.unseen.sqrt()),
    };
    let capture = capture.hypot(objects);
    let se = capture.hypot(unseen);
    let e = effect([b, f]);
    let sdc = Z * capture;
    let percent = |v: f64| 100.0 * v.exp_m1();
    let unit = |v: f64| if ratio { b * v.exp_m1() } else { v };
    let (low, high) = (e - Z * se, e + Z * se);
    ChangeRow {
        baseline: Some(b),
        follow_up: Some(f),
        change: Some(f - b),
        ci95: Some([unit(low), unit(high)]),
        sdc: Some(unit(sdc)),
        change_percent: ratio.then(|| 100.0 * (f / b - 1.0)),
        ci95_percent: ratio.then(|| [percent(low), percent(high)]),
        sdc_percent: ratio.then(|| percent(sdc)),
        verdict: Verdict::Inconclusive,
        reason: None,
        p: Some(two_sided_p(e / se.max(1e-300))),
        se_ln: ratio.then_some(se),
        ..context.not_comparable(Reason::Alignment)
    }
}

/// Standard deviation of a relief metric's ln(f/b) from a change of the light direction or of the tone curve.
fn light_sd(metric: &Metric, light: LightChange, settings: &ChangeSettings) -> f64 {
    let [texture, wrinkles, anisotropy] = settings.shading_sd;
    let shading_sd = match metric.light {
        LightSensitivity::Unaffected => return 0.0,
        LightSensitivity::Texture => texture,
        LightSensitivity::Wrinkles => wrinkles,
        LightSensitivity::Anisotropy => anisotropy,
    };
    let gain = light.tone_curve_gain.unwrap_or(0.0).abs();
    let excess = (gain - settings.tone_curve_floor).max(0.0);
    let tone_curve = (settings.tone_curve_sd * excess).min(settings.tone_curve_sd_max);
    // Variances: that of a careful visit's light is among those of a capture.
    let shading = light.shading_change.unwrap_or(0.0).powi(2) - settings.shading_floor.powi(2);
    tone_curve.hypot(shading_sd * shading.max(0.0).sqrt())
}

fn standard_deviation(v: &[f64]) -> f64 {
    let n = v.len() as f64;
    let mean = v.iter().sum::<f64>() / n;
    (v.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0).max(1.0)).sqrt()
}

/// Student's 97.5 % quantile over the normal one, and the bootstrap's own shrinkage √(n/(n−1)).
fn small_sample(tiles: usize) -> f64 {
    let df = (tiles.max(2) - 1) as f64;
    student_quantile(0.975, df) / Z * ((df + 1.0) / df).sqrt()
}

/// P(|N(0,1)| > |z|).
fn two_sided_p(z: f64) -> f64 {
    libm::erfc(z.abs() * std::f64::consts::FRAC_1_SQRT_2)
}

/// Gives the rows of one visit their verdicts.
pub fn decide(rows: &mut [ChangeRow], settings: &ChangeSettings) {
    let mut p: Vec<f64> = rows.iter().filter_map(|r| r.p).collect();
    p.sort_by(f64::total_cmp);
    let m = p.len() as f64;
    let cut = p
        .iter()
        .enumerate()
        .filter(|(i, p)| **p <= settings.false_discovery_rate * (*i as f64 + 1.0) / m)
        .map(|(_, p)| *p)
        .fold(-1.0, f64::max);
    for row in rows {
        let (Some(change), Some([low, high]), Some(p)) = (row.change, row.ci95, row.p) else {
            continue;
        };
        let established = (low > 0.0 || high < 0.0) && p <= cut;
        let ln = row.change_percent.map(|percent| (percent / 100.0).ln_1p());
        let equivalent = match (ln, row.se_ln) {
            (Some(ln), Some(se)) => is_equivalent(ln, se, settings),
            // No margin is defined for what is no ratio.
            _ => change == 0.0,
        };
        row.verdict = Verdict::of(row.metric, established, equivalent, change < 0.0);
    }
}

/// Two one-sided tests at 5 % (Schuirmann 1987): whether the 90 % interval of a change, natural log, lies within the
/// equivalence margin.
fn is_equivalent(ln: f64, se: f64, settings: &ChangeSettings) -> bool {
    let margin = settings.equivalence_margin_percent / 100.0;
    ln - Z_ONE_SIDED * se > (-margin).ln_1p() && ln + Z_ONE_SIDED * se < margin.ln_1p()
}

/// Withdraws [`Verdict::Inconclusive`] from colours (of tone, no ratio) measured relative to the other skin: such a
/// row shows that a region changed differently from the rest, never that it did not change, since all of the
/// skin may have changed. Rows whose colour is exactly equal keep their verdict.
pub fn withdraw_relative_colour(rows: &mut [ChangeRow]) {
    for row in rows {
        let colour = row.change_percent.is_none() && row.metric.group == Group::Tone;
        let differs = row.change.is_some_and(|change| change != 0.0) && row.baseline != Some(0.0);
        if colour && differs && row.verdict == Verdict::Inconclusive {
            *row = ChangeRow {
                verdict: Verdict::NotComparable,
                reason: Some(Reason::NoReference),
                baseline: None,
                follow_up: None,
                change: None,
                ci95: None,
                sdc: None,
                p: None,
                ..row.clone()
            };
        }
    }
}

/// The trend of one metric in one region. `rows`: its change rows, one per follow-up, in order.
///
/// With e_k the capture error of visit k, ln(f_k/b) = slope·k + e_k − e_0: least squares with a free
/// intercept over visits 0 … n, whose errors are independent. A slope is equivalent to none where the change until the
/// last visit is.
pub fn trend(rows: &[&ChangeRow], settings: &ChangeSettings) -> TrendRow {
    let mut row = TrendRow {
        region: rows[0].region.clone(),
        metric: rows[0].metric,
        slope_percent_per_visit: None,
        ci95_percent_per_visit: None,
        verdict: Verdict::NotComparable,
        reason: None,
    };
    let mut points = vec![(0.0, 0.0)];
    let mut variance = 0.0;
    for r in rows {
        let (Some(change), Some(se)) = (r.change_percent, r.se_ln) else {
            row.reason = Some(r.reason.unwrap_or(Reason::NoPercent));
            return row;
        };
        points.push((r.visit as f64, (change / 100.0).ln_1p()));
        variance += 0.5 * se * se / rows.len() as f64;
    }
    let n = points.len() as f64;
    let (mx, my) =
        (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
    let sxx: f64 = points.iter().map(|p| (p.0 - mx).powi(2)).sum();
    let slope = points.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>() / sxx;
    let se = (variance / sxx).sqrt();
    let percent = |v: f64| 100.0 * v.exp_m1();
    let (low, high) = (slope - Z * se, slope + Z * se);
    let last = points.last().map_or(0.0, |p| p.0);
    let established = low > 0.0 || high < 0.0;
    let equivalent = is_equivalent(slope * last, se * last, settings);
    row.slope_percent_per_visit = Some(percent(slope));
    row.ci95_percent_per_visit = Some([percent(low), percent(high)]);
    row.verdict = Verdict::of(row.metric, established, equivalent, slope < 0.0);
    row
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::scars::sums::ScarSums;
    use crate::metric::sums::Sums;
    use crate::metric::texture::sums::{BandSums, TextureSums};

    fn sheets(scale: f64, wobble: f64) -> (Sheet, Sheet, Vec<bool>) {
        let n = 40;
        let sums = |energy: f64| TextureSums {
            pixels: 100.0,
            coarse: BandSums { energy, ..BandSums::ZERO },
            ..TextureSums::ZERO
        };
        let follow_up = |i: usize| {
            let noise = wobble * ((i * 7919 % 13) as f64 / 6.0 - 1.0);
            sums(100.0 * (scale * (1.0 + noise)).powi(2))
        };
        let a = Sheet::of(vec![sums(100.0); n]);
        let b = Sheet::of((0..n).map(follow_up).collect());
        (a, b, vec![true; n])
    }

    const AREA_CM2: f64 = 10.0;

    fn row_of(a: &Sheet, b: &Sheet, filled: &[bool]) -> ChangeRow {
        measured(Metric::find("texture_coarse").unwrap(), a, b, filled)
    }

    fn measured(metric: &'static Metric, a: &Sheet, b: &Sheet, filled: &[bool]) -> ChangeRow {
        let settings = ChangeSettings::default();
        let context = RowContext {
            visit: 1,
            region: "whole",
            metric,
            unit: "1",
            area_cm2: AREA_CM2,
            unseen: 0.0,
            light: LightChange::default(),
            transfer_sd: 0.0,
        };
        let sampling = Sampling::sharp(0.1);
        let r = Resampling::new(filled, &settings);
        let mut rows = vec![change(&context, &r.totals(a, b), &r, &sampling, &settings)];
        decide(&mut rows, &settings);
        rows.remove(0)
    }

    #[test]
    fn unchanged_is_exactly_zero() {
        let (a, _, filled) = sheets(1.0, 0.0);
        let row = row_of(&a, &a, &filled);
        assert_eq!(row.change, Some(0.0));
        assert_eq!(row.change_percent, Some(0.0));
        assert!(row.change_percent.unwrap().is_sign_positive());
        assert_eq!(row.verdict, Verdict::Unchanged);
    }

    #[test]
    fn a_clear_decrease_is_improved_and_swapping_negates_the_log_ratio() {
        let (a, b, filled) = sheets(0.7, 0.05);
        let (there, back) = (row_of(&a, &b, &filled), row_of(&b, &a, &filled));
        assert_eq!(there.verdict, Verdict::Improved);
        assert_eq!(back.verdict, Verdict::Worsened);
        let ln = |r: &ChangeRow| (r.change_percent.unwrap() / 100.0).ln_1p();
        assert!((ln(&there) + ln(&back)).abs() < 1e-12);
        let [low, high] = there.ci95_percent.unwrap();
        assert!(low < -30.0 && high > -30.0 - 5.0 && high < 0.0, "{low} {high}");
    }

    /// Change of scars 0.9 times as deep, with some variation; of 40 tiles the first `tiles` hold `each` scars.
    fn scars(tiles: usize, each: f64, metric: &str) -> ChangeRow {
        let sums = |i: usize, depth: f64| {
            let scars = if i < tiles { each } else { 0.0 };
            ScarSums {
                searched: 100.0,
                area_px2: scars,
                weight: scars,
                depth: scars * depth,
                joint_depth: scars,
                scars,
            }
        };
        let sheet =
            |depth: &dyn Fn(usize) -> f64| Sheet::of((0..40).map(|i| sums(i, depth(i))).collect());
        let (a, b) = (sheet(&|_| 1.0), sheet(&|i| 0.9 + 0.04 * (i % 3) as f64));
        measured(Metric::find(metric).unwrap(), &a, &b, &[true; 40])
    }

    #[test]
    fn few_tiles_with_objects_are_not_measurable_and_their_number_is_the_sample() {
        // Regardless of the number of scars on three tiles or on one.
        for (tiles, each) in [(3, 1.0), (3, 9.0), (1, 30.0)] {
            for metric in ["scar_depth", "scar_area_percent"] {
                assert_eq!(scars(tiles, each, metric).reason, Some(Reason::NothingFound));
            }
        }
        // No scars in either visit: the area has not changed, a depth is not measurable.
        let none = scars(0, 1.0, "scar_area_percent");
        assert_eq!((none.change, none.ci95, none.sdc), (Some(0.0), Some([0.0, 0.0]), Some(0.0)));
        assert_eq!(none.verdict, Verdict::Unchanged);
        assert_eq!(scars(0, 1.0, "scar_depth").reason, Some(Reason::NothingFound));
        // Student's quantile at 4 degrees of freedom is 2.776, at 39 2.023.
        let capture = Metric::find("scar_depth").unwrap().capture.over(AREA_CM2);
        let spatial = |tiles: usize| {
            let se = scars(tiles, 2.0, "scar_depth").se_ln.unwrap();
            (se * se - capture * capture).sqrt()
        };
        let shrunk = spatial(5) / spatial(40) / 8f64.sqrt();
        assert!((1.25..1.9).contains(&shrunk), "{shrunk}");
    }

    /// A change without a standard error of its own is as uncertain as a capture; how unevenly the skin responds counts
    /// for the share that was not seen.
    #[test]
    fn uneven_response_counts_for_skin_that_was_not_seen() {
        let (a, b, filled) = sheets(1.0, 0.3);
        let settings = ChangeSettings::default();
        let metric = Metric::find("texture_coarse").unwrap();
        let r = Resampling::new(&filled, &settings);
        let se = |unseen: f64| {
            let context = RowContext {
                visit: 1,
                region: "whole",
                metric,
                unit: "1",
                area_cm2: AREA_CM2,
                unseen,
                light: LightChange::default(),
                transfer_sd: 0.0,
            };
            change(&context, &r.totals(&a, &b), &r, &Sampling::sharp(0.1), &settings).se_ln.unwrap()
        };
        assert!((se(0.0) - metric.capture.over(AREA_CM2)).abs() < 1e-12);
        let spatial = |unseen: f64| (se(unseen).powi(2) - se(0.0).powi(2)) / unseen;
        assert!(spatial(1.0) > 1e-4 && (spatial(0.25) / spatial(1.0) - 1.0).abs() < 1e-9);
    }

    /// The 90 % interval lies within −10 to +10 % where the estimate is 1.645 standard errors away from both ends.
    #[test]
    fn a_change_is_unchanged_where_it_is_shown_to_be_within_the_margin() {
        let settings = ChangeSettings::default();
        let room = [0.9f64.ln().abs(), 1.1f64.ln()].map(|end| end / 1.644_853_627);
        for (ln, se, equivalent) in [
            (0.0, 0.99 * room[1], true),
            (0.0, 1.01 * room[1], false),
            (0.05, 0.99 * (room[1] - 0.05 / 1.644_853_627), true),
            (-0.05, 1.01 * (room[0] - 0.05 / 1.644_853_627), false),
            (-0.11, 1e-6, false),
        ] {
            assert_eq!(is_equivalent(ln, se, &settings), equivalent, "{ln} {se}");
        }
        let (a, b, filled) = sheets(1.01, 0.02);
        assert_eq!(row_of(&a, &b, &filled).verdict, Verdict::Unchanged);
    }

    #[test]
    fn p_values_match_the_normal_table() {
        for (z, p) in [(0.0, 1.0), (1.0, 0.317_31), (1.959_964, 0.05), (3.0, 0.002_70)] {
            assert!((two_sided_p(z) - p).abs() < 1e-5);
        }
        assert!((two_sided_p(8.0) / 1.244_192_115e-15 - 1.0).abs() < 1e-9);
        // Student's quantiles at 3 and 9 degrees of freedom.
        for (tiles, t) in [(4usize, 3.182_446), (10, 2.262_157)] {
            let n = tiles as f64;
            assert!((small_sample(tiles) * Z / (n / (n - 1.0)).sqrt() - t).abs() < 1e-6);
        }
    }
}
