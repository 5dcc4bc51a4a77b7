//! A synthetic report that contains every verdict and most reasons, with 14 regions and pictures.

use image::{Rgb, RgbImage, Rgba, RgbaImage};
use skindelta::align::AlignmentStatus;
use skindelta::change::Verdict;
use skindelta::metric::{Metric, Reason};
use skindelta::plane::{Grid, Mask};
use skindelta::quality::{Check, QualityCheck, Status};
use skindelta::region::{FACE_REGIONS, RegionSource, WHOLE};
use skindelta::report::*;
use skindelta::rng::Rng;
use skindelta::series::ScaleSource;

/// Every value of an enum; a variant that is missing here does not compile.
macro_rules! all {
    ($of:ident: $($variant:ident),+) => {{
        fn _complete(value: $of) {
            match value { $($of::$variant => {})+ }
        }
        [$($of::$variant),+]
    }};
}

/// All reasons.
pub fn reasons() -> [Reason; 10] {
    all!(Reason: Alignment, BelowResolution, BelowNoise, NoScale, NoPercent, LowCoverage, NothingFound, NoReference,
        Quality, TooSmall)
}

/// All verdicts.
pub fn verdicts() -> [Verdict; 6] {
    all!(Verdict: Improved, Worsened, Changed, Unchanged, Inconclusive, NotComparable)
}

/// All outcomes of a check.
pub fn statuses() -> [Status; 3] {
    all!(Status: Pass, Warn, Fail)
}

/// All outcomes of an alignment.
pub fn alignments() -> [AlignmentStatus; 3] {
    all!(AlignmentStatus: Aligned, Partial, Failed)
}

/// All sources of a scale.
pub fn scales() -> [ScaleSource; 5] {
    all!(ScaleSource: Argument, Manifest, Face, Nominal, None)
}

/// All sources of regions.
pub fn sources() -> [RegionSource; 4] {
    all!(RegionSource: Face, Whole, Grid, File)
}

/// Metric, unit, typical value, SDC in percent, whether changes are in percent, whether less is better.
const METRICS: [(&str, &str, f64, f64, bool, bool); 32] = [
    ("texture_roughness", "1", 0.0412, 3.1, true, true),
    ("texture_fine", "1", 0.0231, 4.4, true, true),
    ("texture_coarse", "1", 0.0341, 2.8, true, true),
    ("texture_anisotropy", "1", 0.214, 8.0, true, false),
    ("glcm_contrast", "1", 5.281, 5.5, true, false),
    ("glcm_joint_entropy", "1", 6.31, 1.4, true, false),
    ("glcm_angular_second_moment", "1", 0.0151, 6.0, true, false),
    ("glcm_inverse_difference_moment", "1", 0.481, 2.2, true, false),
    ("glcm_correlation", "1", 0.731, 3.0, false, false),
    ("glcm_dissimilarity", "1", 1.62, 3.0, true, false),
    ("pore_count", "1", 142.0, 7.0, true, true),
    ("pore_density", "1/cm²", 31.4, 7.0, true, true),
    ("pore_diameter", "mm", 0.312, 3.9, true, true),
    ("pore_area_percent", "%", 2.81, 9.0, true, true),
    ("visible_pore_density", "1/cm²", 19.7, 9.0, true, true),
    ("pore_elongation", "1", 1.42, 4.0, true, false),
    ("wrinkle_length", "mm", 84.2, 8.0, true, true),
    ("wrinkle_density", "mm/cm²", 18.6, 8.0, true, true),
    ("wrinkle_width", "mm", 0.481, 6.0, true, true),
    ("wrinkle_depth", "mm", 0.118, 9.0, true, true),
    ("wrinkle_depth_max", "mm", 0.392, 14.0, true, true),
    ("wrinkle_area_percent", "%", 4.92, 10.0, true, true),
    ("scar_area_percent", "%", 1.31, 12.0, true, true),
    ("scar_depth", "mm", 0.214, 14.0, true, true),
    ("lightness", "L*", 64.2, 1.2, false, false),
    ("redness", "a*", 13.4, 6.0, false, false),
    ("yellowness", "b*", 17.9, 4.0, false, false),
    ("ita", "degrees", 38.2, 4.0, false, false),
    ("tone_unevenness", "ΔE00", 3.41, 5.0, true, true),
    ("spot_area_percent", "%", 0.82, 18.0, true, true),
    ("spot_count", "1", 6.0, 34.0, true, true),
    ("spot_contrast", "ΔE00", 5.12, 12.0, true, true),
];

/// A number in [0, 1) that depends on nothing but `seed`.
fn random(seed: u64) -> f64 {
    Rng::new(seed, 0).uniform()
}

/// Roughly normal, standard deviation 1.
fn normal(seed: u64) -> f64 {
    (0..6).map(|i| random(seed * 8 + i)).sum::<f64>() * std::f64::consts::SQRT_2 - 4.243
}

/// A value of the table of changes: visit, region and metric by number.
#[derive(Clone, Copy)]
struct Place {
    visit: usize,
    region: usize,
    metric: usize,
}

/// All regions by number, the whole last.
fn regions() -> impl Iterator<Item = (usize, &'static str)> {
    FACE_REGIONS.into_iter().chain([WHOLE]).enumerate()
}

/// Why a value is missing; every reason occurs.
fn reason(place: Place, region: &str) -> Option<Reason> {
    let (metric, unit, ..) = METRICS[place.metric];
    match place.region {
        5 if place.visit == 2 => Some(Reason::Alignment),
        _ if region == "nose" && metric.starts_with("wrinkle") => Some(Reason::NothingFound),
        _ if region == "chin" && metric.starts_with("pore") => Some(Reason::BelowResolution),
        6 | 9 if metric == "texture_fine" => Some(Reason::BelowResolution),
        11 if place.metric > 5 => Some(Reason::LowCoverage),
        1 if metric.starts_with("spot") => Some(Reason::TooSmall),
        3 if metric.starts_with("glcm") => Some(Reason::Quality),
        8 if metric == "pore_density" => Some(Reason::NoScale),
        _ if region == WHOLE && unit.contains('*') => Some(Reason::NoReference),
        _ if metric.starts_with("scar") && !matches!(place.region, 7 | 8) => {
            Some(Reason::NothingFound)
        }
        _ => None,
    }
}

fn change(place: Place, region: &str) -> ChangeRow {
    let (metric, unit, ..) = METRICS[place.metric];
    let reason = reason(place, region);
    let row = ChangeRow {
        visit: place.visit,
        region: region.into(),
        metric: Metric::find(metric).expect("a metric"),
        baseline: None,
        follow_up: None,
        unit: unit.into(),
        change: None,
        ci95: None,
        sdc: None,
        change_percent: None,
        ci95_percent: None,
        sdc_percent: None,
        verdict: Verdict::NotComparable,
        reason,
        p: None,
        se_ln: None,
    };
    if reason.is_some() { row } else { with_values(row, place) }
}

fn with_values(mut row: ChangeRow, place: Place) -> ChangeRow {
    let (metric, _, middling, sdc_percent, percent, better) = METRICS[place.metric];
    let seed = ((place.visit * 100 + place.region) * 100 + place.metric) as u64;
    let baseline = middling * (0.7 + 0.6 * random(seed % 10_000));
    let treated = matches!(place.region, 2 | 3 | 7 | 8) && better;
    let treated = if treated { -4.5 * place.visit as f64 } else { 0.0 };
    let worse = if place.region == 12 && metric == "tone_unevenness" { 14.0 } else { 0.0 };
    let effect = treated + worse + 0.45 * sdc_percent * normal(seed);
    let half = sdc_percent * (0.5 + 0.6 * random(seed + 7));
    let unit_of = |p: f64| baseline * p / 100.0;
    let significant = effect.abs() > sdc_percent && effect.abs() > 1.08 * half;
    row.baseline = Some(baseline);
    row.follow_up = Some(baseline + unit_of(effect));
    row.change = Some(unit_of(effect));
    row.ci95 = Some([unit_of(effect - half), unit_of(effect + half)]);
    row.sdc = Some(unit_of(sdc_percent));
    if percent {
        row.change_percent = Some(effect);
        row.ci95_percent = Some([effect - half, effect + 1.08 * half]);
        row.sdc_percent = Some(sdc_percent);
    }
    row.verdict = match (significant, better, effect < 0.0) {
        (false, ..) if effect.abs() + half < 10.0 => Verdict::Unchanged,
        (false, ..) => Verdict::Inconclusive,
        (true, false, _) => Verdict::Changed,
        (true, true, true) => Verdict::Improved,
        (true, true, false) => Verdict::Worsened,
    };
    row
}

/// The changes of one visit.
fn changes(visit: usize) -> impl Iterator<Item = ChangeRow> {
    regions().flat_map(move |(region, name)| {
        (0..METRICS.len()).map(move |metric| change(Place { visit, region, metric }, name))
    })
}

fn measurements(visit: usize) -> impl Iterator<Item = MeasurementRow> {
    changes(visit.max(1)).enumerate().map(move |(i, row)| MeasurementRow {
        visit,
        region: row.region,
        metric: row.metric,
        value: if visit == 0 { row.baseline } else { row.follow_up },
        unit: row.unit,
        reason: row.reason,
        coverage_percent: 99.0 - (i / METRICS.len()) as f64 * 1.7 - visit as f64,
    })
}

/// Trends to the last of so many visits.
fn trends(visits: usize) -> impl Iterator<Item = TrendRow> {
    let per_visit = 1.0 / (visits.max(2) - 1) as f64;
    changes(visits.max(2) - 1).map(move |last| TrendRow {
        region: last.region,
        metric: last.metric,
        slope_percent_per_visit: last.change_percent.map(|p| p * per_visit),
        ci95_percent_per_visit: last.ci95_percent.map(|ci| ci.map(|p| p * per_visit)),
        verdict: last.verdict,
        reason: last.reason,
    })
}

/// A check of a whole photo that passes.
fn passed(visit: usize, check: Check, value: f64, limit: f64, unit: &'static str) -> QualityCheck {
    QualityCheck {
        visit,
        region: None,
        check,
        status: Status::Pass,
        value: Some(value),
        limit: Some(limit),
        unit: unit.into(),
        advice: None,
    }
}

/// Three passed checks of each visit, and a warning and a failure of the last one.
fn quality(visits: usize) -> Vec<QualityCheck> {
    let mut quality: Vec<QualityCheck> = (0..visits)
        .flat_map(|visit| {
            [
                passed(visit, Check::Sharpness, 1.31, 2.5, "px"),
                passed(visit, Check::Clipping, 0.12, 1.0, "%"),
                passed(visit, Check::Exposure, -0.21, 0.5, "EV"),
            ]
        })
        .collect();
    let last = visits - 1;
    quality.push(QualityCheck {
        status: Status::Warn,
        advice: Some("Put the light where it stood at the baseline: it is too far left.".into()),
        ..passed(last, Check::LightTurn, 7.4, 5.0, "degrees")
    });
    quality.push(QualityCheck {
        region: Some("infraorbital_right".into()),
        status: Status::Fail,
        advice: Some("Focus on the cheek and take the photo again.".into()),
        ..passed(last, Check::Sharpness, 4.1, 2.5, "px")
    });
    quality
}

/// Visit 2 is aligned in part, the others in full.
fn alignment(visits: usize) -> Vec<AlignmentRow> {
    let mut alignment = Vec::new();
    for visit in 1..visits {
        alignment.push(AlignmentRow {
            visit,
            region: None,
            status: if visit == 2 { AlignmentStatus::Partial } else { AlignmentStatus::Aligned },
            residual_median_px: Some(0.31),
            residual_p95_px: Some(0.94),
            overlap_percent: Some(96.2),
            reason: (visit == 2).then(|| "the head is turned too far for one region".into()),
        });
        if visit == 2 {
            alignment.push(AlignmentRow {
                visit,
                region: Some("infraorbital_right".into()),
                status: AlignmentStatus::Failed,
                residual_median_px: None,
                residual_p95_px: None,
                overlap_percent: Some(41.0),
                reason: Some("too little of it can be seen in the follow-up".into()),
            });
        }
    }
    alignment
}

fn sha(i: usize) -> String {
    format!("{:064x}", 0x1234_5678_9abc_def0_u128 * (i as u128 + 3))
}

fn photo_row(visit: usize) -> PhotoRow {
    let dates = ["2026-01-12", "2026-02-16", "2026-03-23", "2026-04-27"];
    PhotoRow {
        visit,
        label: if visit == 0 { "baseline".into() } else { format!("visit {visit}") },
        date: dates.get(visit).map(|d| d.to_string()),
        file: format!("IMG_204{visit}.jpg"),
        sha256: sha(visit),
        width_px: 3024,
        height_px: 4032,
    }
}

/// A report of so many visits (1: a measurement without comparison).
pub fn report(visits: usize) -> Report {
    Report {
        schema_version: SCHEMA_VERSION,
        tool: Tool { name: "skindelta".into(), version: "0.1.0".into() },
        settings: serde_json::json!({"photo": {"max_megapixels": 200.0}, "change": {"seed": 7}}),
        settings_sha256: sha(9),
        notices: vec!["The baseline and visit 1 were taken with different cameras.".into()],
        photos: (0..visits).map(photo_row).collect(),
        scale: ScaleRow {
            mm_per_px: Some(0.052),
            source: ScaleSource::Argument,
            relative_uncertainty: 0.02,
        },
        regions: RegionsRow { source: RegionSource::Face, model: None, model_sha256: None },
        alignment: alignment(visits),
        quality: quality(visits),
        measurements: (0..visits).flat_map(measurements).collect(),
        changes: (1..visits).flat_map(changes).collect(),
        trends: if visits > 2 { trends(visits).collect() } else { Vec::new() },
        citations: vec![
            "Zwanenburg et al., The Image Biomarker Standardization Initiative, \
             Radiology 2020, doi:10.1148/radiol.2020191145"
                .to_string(),
            "Flament et al., Facial skin pores: a multiethnic study, \
             Clin Cosmet Investig Dermatol 2015, doi:10.2147/CCID.S74401"
                .to_string(),
        ],
    }
}

/// Noise in the colour of skin with dark lines and pores; visit 2 has no pictures.
pub fn pictures(visits: usize) -> Pictures {
    const W: u32 = 900;
    const H: u32 = 1100;
    let line = |x: u32, y: u32| {
        let bend = 40.0 * (f64::from(x) / 130.0).sin();
        [260.0, 420.0, 790.0].iter().map(|at| (f64::from(y) - at - bend).abs()).fold(1e9, f64::min)
    };
    let pore = |x: u32, y: u32| {
        let (i, j) = (x / 46, y / 46);
        let (dx, dy) = (f64::from(x % 46) - 23.0, f64::from(y % 46) - 23.0);
        if (i * 7 + j * 13) % 5 == 0 { dx.hypot(dy) } else { 1e9 }
    };
    let photo = |visit: usize| {
        let depth = 34.0 - 7.0 * visit as f64;
        RgbImage::from_fn(W, H, |x, y| {
            let (u, v) = (f64::from(x) / f64::from(W) - 0.45, f64::from(y) / f64::from(H) - 0.45);
            let light = 22.0 - 150.0 * (u * u + 0.6 * v * v);
            let grain = 9.0 * (random(u64::from((y / 2) * W + x / 2)) - 0.5);
            let dark_profile = depth * (-line(x, y) / 3.0).exp() + 28.0 * (-pore(x, y) / 2.5).exp();
            let shade = light + grain - dark_profile;
            Rgb([214.0, 172.0, 150.0].map(|c: f64| (c + shade).clamp(0.0, 255.0) as u8))
        })
    };
    let overlay = |hit: &dyn Fn(u32, u32) -> bool, colour: [u8; 4]| {
        RgbaImage::from_fn(W, H, |x, y| Rgba(if hit(x, y) { colour } else { [0; 4] }))
    };
    let all = |f: &dyn Fn(usize) -> RgbaImage| {
        (0..visits).map(|v| (v != 2).then(|| f(v))).collect::<Vec<_>>()
    };
    Pictures {
        photos: (0..visits).map(|v| (v != 2).then(|| photo(v))).collect(),
        wrinkles: all(&|_| overlay(&|x, y| line(x, y) < 1.6, [0, 160, 220, 230])),
        pores: all(&|_| overlay(&|x, y| (6.0..8.0).contains(&pore(x, y)), [250, 210, 40, 230])),
        scars: all(&|_| overlay(&|x, y| (20.0..23.0).contains(&pore(x, y)), [120, 255, 120, 230])),
        regions: Some(overlay(
            &|x, y| (x % 300 < 3 || y % 366 < 3) && x > 40 && x < 860,
            [255, 255, 255, 200],
        )),
    }
}

/// Small maps of two visits.
pub fn maps() -> Maps {
    let pore =
        PoreRow { pore_id: 4, x_px: 10.25, y_px: 3.0, diameter_mm: 0.31, region: WHOLE.into() };
    let scar =
        ScarRow { x_px: 5.5, y_px: 2.0, diameter_mm: 2.4, depth_mm: 0.3, region: String::new() };
    Maps {
        displacement: vec![Some(Grid::filled(3, 2, [1.5, f32::NAN]))],
        wrinkles: vec![Some(Mask::filled(20, 10, true)), None],
        pores: vec![Some(vec![pore]), Some(Vec::new())],
        scars: vec![Some(vec![scar]), None],
        measured: vec![Some(Grid::filled(20, 10, 1)), None],
        regions: Some(Grid::filled(20, 10, 1)),
        region_names: vec!["forehead".into(), "chin".into()],
    }
}
