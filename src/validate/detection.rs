//! Detection in one photo: precision and recall of pores, lines and scars, and the error of their sizes.

use super::{SkinKind, ValidationOptions, analyze, capture, mean, mm_per_px, percent, photograph};
use crate::analyze::Analysis;
use crate::error::Result;
use crate::filter::stats::median;
use crate::phantom::truth::{DotTruth, VisitTruth, WrinkleTruth};
use crate::phantom::{Scene, Skin, Treatment};
use crate::plane::par_collect;
use crate::region::{RegionRequest, WHOLE};
use serde::Serialize;
use std::collections::BTreeSet;

/// Recall is that of pores of at least this diameter, mm.
const PORE_MM: f64 = 0.25;
/// Least depth of `deep pores`, in diameters: their contrast is 4.5 (11 px/mm) to 5 (20 px/mm) times the
/// RMS response of the microrelief.
const PORE_DEEP: f64 = 0.6;
const DEEP: &str = "deep pores";
/// Recall is that of scars of at least this depth, mm.
const SCAR_MM: f64 = 0.25;
/// Recall is that of points of lines of at least this depth, mm.
const LINE_MM: f64 = 0.15;
/// Largest distance of a detection from a true scar or pore, in its diameters.
const SCAR_NEAR: f64 = 0.5;
const PORE_NEAR: f64 = 0.5;
/// Largest distance of a detection from a true line, mm.
const LINE_NEAR_MM: f64 = 1.0;
/// Recall leaves out true objects nearer to the edge of the photo than this, mm.
const EDGE_MM: f64 = 1.5;

/// Detections of one kind of object at one resolution, all skins together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DetectionRow {
    /// `pores`, `deep pores` (depth at least 0.6 diameters), `lines` or `scars`.
    pub object: &'static str,
    /// Kind of skin.
    pub skin: SkinKind,
    /// Pixels per mm.
    pub px_per_mm: f64,
    /// Share of the detections that match a true object, %. None without detections, and for deep pores: only
    /// the truth says which pores are deep.
    pub precision_percent: Option<f64>,
    /// Share of the true objects that are detected, %: pores (deep ones too) of at least 0.25 mm diameter, lines
    /// of at least 0.15 mm depth, scars of at least 0.25 mm depth.
    pub recall_percent: Option<f64>,
    /// Detections: pores, scars, or pixels of centre lines.
    pub detected: usize,
}

/// Error of a metric of size in one photo: the reported mean against the true mean of the detected objects.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SizeRow {
    /// Metric id.
    pub metric: &'static str,
    /// Kind of skin.
    pub skin: SkinKind,
    /// Pixels per mm.
    pub px_per_mm: f64,
    /// Median over skins of reported / true − 1, %.
    pub bias_percent: Option<f64>,
    /// Median over skins of its absolute value, %.
    pub error_percent: Option<f64>,
    /// Skins with a value.
    pub skins: usize,
}

/// Counts of one kind of object.
#[derive(Default)]
struct Counts {
    detected: usize,
    /// Detections that match a true object.
    matched: usize,
    /// True objects that recall counts.
    present: usize,
    /// Those of them that are detected.
    recalled: usize,
}

/// Result of one photo.
struct PhotoResult {
    pores: Counts,
    deep_pores: Counts,
    lines: Counts,
    scars: Counts,
    /// Reported over true, one per metric of [`SIZES`].
    sizes: [Option<f64>; SIZES.len()],
}

/// Metrics of size.
const SIZES: [&str; 5] =
    ["pore_diameter", "wrinkle_length", "wrinkle_width", "wrinkle_depth", "scar_depth"];

pub(super) fn detection(options: &ValidationOptions) -> Result<(Vec<DetectionRow>, Vec<SizeRow>)> {
    let (mut rows, mut sizes) = (Vec::new(), Vec::new());
    let scales = options.px_per_mm.iter();
    for (px_per_mm, skin) in scales.flat_map(|px| [(*px, SkinKind::Usual), (*px, SkinKind::Lined)])
    {
        let photos = par_collect(options.untreated_skins, |i| {
            one_photo(skin, options.seed + 20_000 + i as u64, px_per_mm)
        });
        let photos = photos.into_iter().collect::<Result<Vec<PhotoResult>>>()?;
        rows.extend(detection_rows(&photos, skin, px_per_mm));
        sizes.extend(size_rows(&photos, skin, px_per_mm));
    }
    Ok((rows, sizes))
}

/// Whether a kind of skin is reported for lines only, or for all objects.
fn reported(skin: SkinKind, of_lines: bool) -> bool {
    of_lines || skin == SkinKind::Usual
}

fn detection_rows(photos: &[PhotoResult], skin: SkinKind, px_per_mm: f64) -> Vec<DetectionRow> {
    type CountsOf = fn(&PhotoResult) -> &Counts;
    let objects: [(&str, CountsOf); 4] = [
        ("pores", |p| &p.pores),
        (DEEP, |p| &p.deep_pores),
        ("lines", |p| &p.lines),
        ("scars", |p| &p.scars),
    ];
    let row = |(object, of): (&'static str, fn(&PhotoResult) -> &Counts)| {
        let sum = |n: fn(&Counts) -> usize| photos.iter().map(|p| n(of(p))).sum::<usize>();
        let detected = sum(|c| c.detected);
        DetectionRow {
            object,
            skin,
            px_per_mm,
            precision_percent: share(sum(|c| c.matched), detected).filter(|_| object != DEEP),
            recall_percent: share(sum(|c| c.recalled), sum(|c| c.present)),
            detected,
        }
    };
    objects.into_iter().filter(|(object, _)| reported(skin, *object == "lines")).map(row).collect()
}

fn size_rows(photos: &[PhotoResult], skin: SkinKind, px_per_mm: f64) -> Vec<SizeRow> {
    let metrics = SIZES.into_iter().enumerate();
    let row = |(k, metric): (usize, &'static str)| {
        let mut errors: Vec<f64> =
            photos.iter().filter_map(|p| Some(100.0 * (p.sizes[k]? - 1.0))).collect();
        let mut amounts: Vec<f64> = errors.iter().map(|e| e.abs()).collect();
        SizeRow {
            metric,
            skin,
            px_per_mm,
            bias_percent: median(&mut errors),
            error_percent: median(&mut amounts),
            skins: errors.len(),
        }
    };
    metrics.filter(|(_, metric)| reported(skin, metric.starts_with("wrinkle"))).map(row).collect()
}

fn share(n: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| percent(n, of))
}

/// Renders one skin, photographs and measures it, and compares the detections with the truth.
fn one_photo(kind: SkinKind, seed: u64, px_per_mm: f64) -> Result<PhotoResult> {
    let photo = MeasuredPhoto::new(kind, seed, px_per_mm)?;
    let (pores, deep_pores, true_pores) = photo.pores();
    let (scars, true_scars) = photo.scars();
    let (lines, true_points) = photo.lines();
    let over = |metric: &str, truth: f64| {
        Some(photo.value(metric)? / truth).filter(|ratio| ratio.is_finite())
    };
    let sizes = [
        over(SIZES[0], mean(true_pores.iter().map(|p| p.diameter_mm))),
        over(SIZES[1], true_points.iter().map(|p| p.length_mm).sum()),
        over(SIZES[2], mean(true_points.iter().map(|p| p.width_mm))),
        over(SIZES[3], mean(true_points.iter().map(|p| p.depth_mm))),
        over(SIZES[4], mean(true_scars.iter().map(|s| s.depth_mm))),
    ];
    Ok(PhotoResult { pores, deep_pores, lines, scars, sizes })
}

/// A photo of rendered skin with its analysis and its truth, both in its pixels.
struct MeasuredPhoto {
    analysis: Analysis,
    truth: VisitTruth,
    mm_per_px: f64,
    size_px: [f64; 2],
}

impl MeasuredPhoto {
    fn new(kind: SkinKind, seed: u64, px_per_mm: f64) -> Result<Self> {
        let (skin, treatment) = (Skin::new(&kind.spec(seed, px_per_mm)), Treatment::default());
        let shot = capture(seed, 0, px_per_mm);
        let photo = photograph(&Scene::of_skin(&skin, &treatment), &shot)?;
        let size_px = [photo.width(), photo.height()].map(|n| n as f64);
        let analysis = analyze(vec![photo], &shot, RegionRequest::Whole)?;
        let truth = VisitTruth::new(&skin, &shot, 0, &treatment, &shot);
        Ok(MeasuredPhoto { analysis, truth, mm_per_px: mm_per_px(&shot), size_px })
    }

    /// Value of a metric of the whole photo.
    fn value(&self, metric: &str) -> Option<f64> {
        let mut rows = self.analysis.report.measurements.iter();
        rows.find(|r| r.metric.id == metric && r.region == WHOLE).and_then(|r| r.value)
    }

    /// Distance of two pixel positions, mm.
    fn distance_mm(&self, a: [f64; 2], b: [f64; 2]) -> f64 {
        self.mm_per_px * (a[0] - b[0]).hypot(a[1] - b[1])
    }

    /// Whether a pixel position keeps [`EDGE_MM`] from the edge.
    fn inside(&self, [x, y]: [f64; 2]) -> bool {
        let edge = EDGE_MM / self.mm_per_px;
        (edge..self.size_px[0] - edge).contains(&x) && (edge..self.size_px[1] - edge).contains(&y)
    }

    /// Counts of the pores and of the deep ones, and the true pores that are detected.
    fn pores(&self) -> (Counts, Counts, Vec<&DotTruth>) {
        let rows = self.analysis.maps.pores.first().into_iter().flatten().flatten();
        let detections: Vec<[f64; 2]> = rows.map(|p| [p.x_px, p.y_px]).collect();
        let off = |pore: &DotTruth, at| {
            self.distance_mm([pore.x_px, pore.y_px], at)
                / (PORE_NEAR * pore.diameter_mm.max(PORE_MM))
        };
        let wide =
            |pore: &DotTruth| pore.diameter_mm >= PORE_MM && self.inside([pore.x_px, pore.y_px]);
        let deep = |pore: &DotTruth| wide(pore) && pore.depth_mm >= PORE_DEEP * pore.diameter_mm;
        let (pores, matched) = match_dots(&detections, &self.truth.pores, off, wide);
        let (deep_pores, _) = match_dots(&detections, &self.truth.pores, off, deep);
        (pores, deep_pores, matched)
    }

    /// Counts of the scars, and the true scars that are detected.
    fn scars(&self) -> (Counts, Vec<&DotTruth>) {
        let rows = self.analysis.maps.scars.first().into_iter().flatten().flatten();
        let detections: Vec<[f64; 2]> = rows.map(|s| [s.x_px, s.y_px]).collect();
        let off = |scar: &DotTruth, at| {
            self.distance_mm([scar.x_px, scar.y_px], at) / (SCAR_NEAR * scar.diameter_mm)
        };
        let counted =
            |scar: &DotTruth| scar.depth_mm >= SCAR_MM && self.inside([scar.x_px, scar.y_px]);
        match_dots(&detections, &self.truth.scars, off, counted)
    }

    /// Counts of the lines (detections are pixels of the centre lines), and the true points that are detected.
    fn lines(&self) -> (Counts, Vec<TruePoint>) {
        let mask = self.analysis.maps.wrinkles.first().into_iter().flatten();
        let pixels = mask.flat_map(|m| m.data()).enumerate().filter(|(_, m)| **m);
        let width = self.size_px[0] as usize;
        let detections: Vec<[f64; 2]> =
            pixels.map(|(i, _)| [(i % width) as f64, (i / width) as f64]).collect();
        let mut points = self.true_points();
        let near = |p: &TruePoint, at: &[f64; 2]| self.distance_mm(p.at, *at) < LINE_NEAR_MM;
        let counted = |p: &&TruePoint| p.depth_mm >= LINE_MM && self.inside(p.at);
        let matched = detections.iter().filter(|at| points.iter().any(|p| near(p, at))).count();
        let present = points.iter().filter(counted).count();
        points.retain(|p| detections.iter().any(|at| near(p, at)));
        let recalled = points.iter().filter(counted).count();
        (Counts { detected: detections.len(), matched, present, recalled }, points)
    }

    fn true_points(&self) -> Vec<TruePoint> {
        let of_wrinkle = |w: &WrinkleTruth| -> Vec<TruePoint> {
            let steps = w.points_px.windows(2).map(|two| self.distance_mm(two[0], two[1]));
            let length_mm = steps.sum::<f64>() / w.points_px.len() as f64;
            let points = w.points_px.iter().zip(&w.depths_mm);
            let point = |(at, depth_mm): (&[f64; 2], &f64)| TruePoint {
                at: *at,
                depth_mm: *depth_mm,
                width_mm: w.width_mm,
                length_mm,
            };
            points.map(point).collect()
        };
        self.truth.wrinkles.iter().flat_map(of_wrinkle).collect()
    }
}

/// A point of a true line.
struct TruePoint {
    at: [f64; 2],
    depth_mm: f64,
    width_mm: f64,
    /// Share of the line's length: length / number of points.
    length_mm: f64,
}

/// Matches detections with true dots one to one, each detection with the nearest free dot, and counts; with
/// the matched true dots. Recall counts the true dots that `counted` holds for. `distance` is relative: a match
/// is below 1.
fn match_dots<'a>(
    detections: &[[f64; 2]],
    truth: &'a [DotTruth],
    distance: impl Fn(&DotTruth, [f64; 2]) -> f64,
    counted: impl Fn(&DotTruth) -> bool,
) -> (Counts, Vec<&'a DotTruth>) {
    let mut counts = Counts { detected: detections.len(), ..Counts::default() };
    let mut taken = BTreeSet::new();
    for at in detections {
        let free =
            (0..truth.len()).filter(|i| !taken.contains(i) && distance(&truth[*i], *at) < 1.0);
        let nearest =
            free.min_by(|a, b| distance(&truth[*a], *at).total_cmp(&distance(&truth[*b], *at)));
        taken.extend(nearest);
    }
    counts.matched = taken.len();
    for dot in truth.iter().filter(|dot| counted(dot)) {
        counts.present += 1;
        counts.recalled += usize::from(detections.iter().any(|at| distance(dot, *at) < 1.0));
    }
    (counts, taken.into_iter().map(|i| &truth[i]).collect())
}
