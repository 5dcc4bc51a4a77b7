//! Whether the pores, lines and scars that one photo shows are there, and as large as told.

use super::{Kind, Options, analyze, capture, mean, mm_per_px, percent, photograph};
use crate::error::Result;
use crate::filter::stats::median;
use crate::phantom::truth::{DotTruth, VisitTruth};
use crate::phantom::{Scene, Skin, Treatment};
use crate::plane::par_collect;
use crate::region::{RegionRequest, WHOLE};
use serde::Serialize;
use std::collections::BTreeSet;

/// Pores from this diameter should be found, mm.
const PORE_MM: f64 = 0.25;
/// Pores this deep, of their diameter, are 4.5 (11 px/mm) to 5 (20) times as strong as what the mesh of skin
/// answers (root mean square): `deep pores`.
const PORE_DEEP: f64 = 0.6;
const DEEP: &str = "deep pores";
/// Scars from this depth should be found, mm, and how far what is found may lie from one, in its diameters.
const SCAR_MM: f64 = 0.25;
const SCAR_NEAR: f64 = 0.5;
/// Lines from this depth should be found, mm.
const LINE_MM: f64 = 0.15;
/// How far what is found may lie from the truth: a line, mm; a pore, in its diameters.
const LINE_NEAR_MM: f64 = 1.0;
const PORE_NEAR: f64 = 0.5;
/// What lies nearer to the frame's edge than this is not asked for, mm.
const EDGE_MM: f64 = 1.5;

/// What is found of one kind at one resolution, all skins together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PlaceRow {
    /// `pores`, `deep pores` (those of them that are at least 0.6 times as deep as wide), `lines` or `scars`.
    pub what: &'static str,
    /// On which skin.
    pub skin: Kind,
    /// Pixels per mm.
    pub px_per_mm: f64,
    /// Share of what is found that is one, %; none where nothing is found, and of deep pores: what is found is
    /// told from its photo, how deep it is only from the truth.
    pub precision_percent: Option<f64>,
    /// Share that is found of those of 0.25 mm diameter (pores, deep ones too), 0.15 mm depth (lines) or 0.25 mm depth (scars) and
    /// more, %.
    pub recall_percent: Option<f64>,
    /// How many are found: pores, scars, or pixels of centre lines.
    pub found: usize,
}

/// How far one photo's mean size of what it finds is from the true mean of the same, over skins.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SizeRow {
    /// Metric.
    pub metric: &'static str,
    /// On which skin.
    pub skin: Kind,
    /// Pixels per mm.
    pub px_per_mm: f64,
    /// Median of reported over true, less 1, %.
    pub bias_percent: Option<f64>,
    /// Median of its size, %.
    pub error_percent: Option<f64>,
    /// Skins measured.
    pub skins: usize,
}

/// Counts of one kind.
#[derive(Default)]
struct Found {
    found: usize,
    right: usize,
    there: usize,
    seen: usize,
}

/// What one photo told of the skin: pores, lines, scars, and reported over true for each metric of size.
struct Seen {
    pores: Found,
    deep_pores: Found,
    lines: Found,
    scars: Found,
    sizes: [Option<f64>; SIZES.len()],
}

/// Metrics of size.
const SIZES: [&str; 5] =
    ["pore_diameter", "wrinkle_length", "wrinkle_width", "wrinkle_depth", "scar_depth"];

pub(super) fn places(options: &Options) -> Result<(Vec<PlaceRow>, Vec<SizeRow>)> {
    let (mut places, mut sizes) = (Vec::new(), Vec::new());
    let scales = options.px_per_mm.iter();
    for (px_per_mm, skin) in scales.flat_map(|px| [(*px, Kind::Usual), (*px, Kind::Lined)]) {
        let seen = par_collect(options.null_skins, |i| {
            one_photo(skin, options.seed + 20_000 + i as u64, px_per_mm)
        });
        let seen = seen.into_iter().collect::<Result<Vec<Seen>>>()?;
        let kinds: [(&str, fn(&Seen) -> &Found); 4] = [
            ("pores", |s| &s.pores),
            (DEEP, |s| &s.deep_pores),
            ("lines", |s| &s.lines),
            ("scars", |s| &s.scars),
        ];
        // Lined skin is drawn for its lines.
        let asked = |lines: bool| lines || skin == Kind::Usual;
        for (what, of) in kinds.into_iter().filter(|(what, _)| asked(*what == "lines")) {
            let sum = |n: fn(&Found) -> usize| seen.iter().map(|s| n(of(s))).sum::<usize>();
            let found = sum(|f| f.found);
            places.push(PlaceRow {
                what,
                skin,
                px_per_mm,
                precision_percent: share(sum(|f| f.right), found).filter(|_| what != DEEP),
                recall_percent: share(sum(|f| f.seen), sum(|f| f.there)),
                found,
            });
        }
        let metrics = SIZES.into_iter().enumerate();
        for (k, metric) in metrics.filter(|(_, metric)| asked(metric.starts_with("wrinkle"))) {
            let mut errors: Vec<f64> =
                seen.iter().filter_map(|s| Some(100.0 * (s.sizes[k]? - 1.0))).collect();
            let mut amounts: Vec<f64> = errors.iter().map(|e| e.abs()).collect();
            sizes.push(SizeRow {
                metric,
                skin,
                px_per_mm,
                bias_percent: median(&mut errors),
                error_percent: median(&mut amounts),
                skins: errors.len(),
            });
        }
    }
    Ok((places, sizes))
}

fn share(n: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| percent(n, of))
}

fn one_photo(kind: Kind, seed: u64, px_per_mm: f64) -> Result<Seen> {
    let (skin, treatment) = (Skin::new(&kind.spec(seed, px_per_mm)), Treatment::default());
    let shot = capture(seed, 0, px_per_mm);
    let photo = photograph(&Scene::of_skin(&skin, &treatment), &shot)?;
    let size = [photo.width(), photo.height()].map(|n| n as f64);
    let analysis = analyze(vec![photo], &shot, RegionRequest::Whole)?;
    let truth = VisitTruth::new(&skin, &shot, 0, &treatment, &shot);
    let mm = mm_per_px(&shot);
    let inside = |[x, y]: [f64; 2]| {
        let edge = EDGE_MM / mm;
        (edge..size[0] - edge).contains(&x) && (edge..size[1] - edge).contains(&y)
    };
    let apart = |a: [f64; 2], b: [f64; 2]| mm * (a[0] - b[0]).hypot(a[1] - b[1]);
    let value = |metric: &str| {
        let mut rows = analysis.report.measurements.iter();
        rows.find(|r| r.metric.id == metric && r.region == WHOLE).and_then(|r| r.value)
    };

    let far = |dot: &DotTruth, at: [f64; 2]| apart([dot.x_px, dot.y_px], at);
    let asked = |dot: &DotTruth| inside([dot.x_px, dot.y_px]);
    let told = analysis.maps.pores.first().cloned().flatten().unwrap_or_default();
    let told: Vec<[f64; 2]> = told.iter().map(|p| [p.x_px, p.y_px]).collect();
    let off = |pore: &DotTruth, at| far(pore, at) / (PORE_NEAR * pore.diameter_mm.max(PORE_MM));
    let wide = |pore: &DotTruth| pore.diameter_mm >= PORE_MM && asked(pore);
    let deep = |pore: &DotTruth| wide(pore) && pore.depth_mm >= PORE_DEEP * pore.diameter_mm;
    let (pores, found_pores) = dots(&told, &truth.pores, off, wide);
    let (deep_pores, _) = dots(&told, &truth.pores, off, deep);
    let told = analysis.maps.scars.first().cloned().flatten().unwrap_or_default();
    let told: Vec<[f64; 2]> = told.iter().map(|s| [s.x_px, s.y_px]).collect();
    let (scars, found_scars) = dots(
        &told,
        &truth.scars,
        |scar, at| far(scar, at) / (SCAR_NEAR * scar.diameter_mm),
        |scar| scar.depth_mm >= SCAR_MM && asked(scar),
    );

    let mut lines = Found::default();
    let mask = analysis.maps.wrinkles.first().cloned().flatten();
    let mut centre = Vec::new();
    for (i, _) in mask.iter().flat_map(|m| m.data()).enumerate().filter(|(_, m)| **m) {
        centre.push([(i % size[0] as usize) as f64, (i / size[0] as usize) as f64]);
    }
    let points: Vec<LinePoint> = truth
        .wrinkles
        .iter()
        .flat_map(|w| {
            let length = w.points_px.windows(2).map(|two| apart(two[0], two[1])).sum::<f64>();
            let length_mm = length / w.points_px.len() as f64;
            let points = w.points_px.iter().zip(&w.depths_mm);
            points.map(move |(at, depth_mm)| LinePoint {
                at: *at,
                depth_mm: *depth_mm,
                width_mm: w.width_mm,
                length_mm,
            })
        })
        .collect();
    lines.found = centre.len();
    let by_a_line = |at: &&[f64; 2]| points.iter().any(|p| apart(p.at, **at) < LINE_NEAR_MM);
    lines.right = centre.iter().filter(by_a_line).count();
    let is_seen = |p: &&LinePoint| centre.iter().any(|at| apart(p.at, *at) < LINE_NEAR_MM);
    let seen: Vec<&LinePoint> = points.iter().filter(is_seen).collect();
    let deep = |p: &&LinePoint| p.depth_mm >= LINE_MM && inside(p.at);
    lines.there = points.iter().filter(deep).count();
    lines.seen = seen.iter().copied().filter(|p| deep(p)).count();

    let over = |metric: &str, truth: f64| Some(value(metric)? / truth).filter(|v| v.is_finite());
    let sizes = [
        over(SIZES[0], mean(found_pores.iter().map(|p| p.diameter_mm))),
        over(SIZES[1], seen.iter().map(|p| p.length_mm).sum()),
        over(SIZES[2], mean(seen.iter().map(|p| p.width_mm))),
        over(SIZES[3], mean(seen.iter().map(|p| p.depth_mm))),
        over(SIZES[4], mean(found_scars.iter().map(|s| s.depth_mm))),
    ];
    Ok(Seen { pores, deep_pores, lines, scars, sizes })
}

/// A point of a true line, and the length that it stands for.
struct LinePoint {
    at: [f64; 2],
    depth_mm: f64,
    width_mm: f64,
    length_mm: f64,
}

/// How many of the places that are told lie on a true dot, one each, and how many of those that `count`
/// are found; beside them the true ones that were met. `far`: 1 and less is near enough.
fn dots<'a>(
    told: &[[f64; 2]],
    truth: &'a [DotTruth],
    far: impl Fn(&DotTruth, [f64; 2]) -> f64,
    count: impl Fn(&DotTruth) -> bool,
) -> (Found, Vec<&'a DotTruth>) {
    let mut found = Found { found: told.len(), ..Found::default() };
    let mut taken = BTreeSet::new();
    for at in told {
        let free = (0..truth.len()).filter(|i| !taken.contains(i) && far(&truth[*i], *at) < 1.0);
        let nearest = free.min_by(|a, b| far(&truth[*a], *at).total_cmp(&far(&truth[*b], *at)));
        taken.extend(nearest);
    }
    found.right = taken.len();
    for dot in truth.iter().filter(|dot| count(dot)) {
        found.there += 1;
        found.seen += usize::from(told.iter().any(|at| far(dot, *at) < 1.0));
    }
    (found, taken.into_iter().map(|i| &truth[i]).collect())
}
