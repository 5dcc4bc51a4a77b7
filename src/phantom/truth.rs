//! Series of test photos: their specification, their files, and `truth.json` beside them.
//!
//! All pixel positions are in baseline pixels, as those of the results are.

use super::camera::{Capture, Mapper, Scene, Shot};
use super::face;
use super::skin::{Dot, Skin, SkinSpec, Treatment, Wrinkle};
use crate::error::{Error, Result, Step};
use crate::npy;
use crate::output::{self, Form, Output, Sign};
use crate::plane::Grid;
use serde::Serialize;
use std::path::Path;

/// Spacing of the displacement grid, baseline pixels (the maps of the analysis use the same).
const GRID_PX: usize = 8;
/// One of this many points of a centre line is written, and the last one.
const KEPT_POINTS: usize = 5;

/// Kind of test photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A patch of skin that fills the frame.
    Closeup,
    /// A frontal face.
    Face,
}

/// A series of test photos.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// Kind of test photo.
    pub kind: Kind,
    /// Seed of the skin; the seeds of the captures follow from it.
    pub seed: u64,
    /// Skin tone, 1 … 6.
    pub tone: u8,
    /// Pixels per mm of the baseline.
    pub px_per_mm: f64,
    /// Width of every photo.
    pub width_px: usize,
    /// Height of every photo.
    pub height_px: usize,
    /// One per visit; the first belongs to the baseline.
    pub treatments: Vec<Treatment>,
}

impl Spec {
    /// A series in which everything improves by the same step at each visit: 10 % in wrinkle
    /// depth, 7 % in pores, 6 % in fine relief.
    pub fn new(kind: Kind, seed: u64, visits: usize) -> Spec {
        let (px_per_mm, width_px, height_px) = match kind {
            Kind::Closeup => (14.0, 900, 700),
            Kind::Face => (5.0, 1000, 1300),
        };
        let step = |k: usize, loss: f64| (1.0f64 - loss).powi(k as i32);
        let treatments = (0..visits)
            .map(|k| Treatment {
                wrinkle_depth: step(k, 0.10),
                wrinkle_width: step(k, 0.03),
                wrinkle_length: step(k, 0.04),
                pore_diameter: step(k, 0.05),
                pore_count: step(k, 0.07),
                fine_relief: step(k, 0.06),
                pigment: step(k, 0.05),
                redness: step(k, 0.05),
                scar_depth: step(k, 0.08),
                zone: None,
            })
            .collect();
        Spec { kind, seed, tone: 2, px_per_mm, width_px, height_px, treatments }
    }

    /// The same series with more or fewer pixels on the same skin.
    pub fn with_px_per_mm(self, px_per_mm: f64) -> Spec {
        let scaled = |side: usize| (side as f64 * px_per_mm / self.px_per_mm).round() as usize;
        let (width_px, height_px) = (scaled(self.width_px), scaled(self.height_px));
        Spec { px_per_mm, width_px, height_px, ..self }
    }

    /// Capture of visit `k`: the default one for the baseline, [`Capture::careful`] for the others.
    pub fn capture(&self, k: usize) -> Capture {
        let seed = self.seed.wrapping_mul(1000).wrapping_add(k as u64);
        let base =
            if k == 0 { Capture { seed, ..Capture::default() } } else { Capture::careful(seed) };
        Capture {
            px_per_mm: self.px_per_mm,
            width_px: self.width_px,
            height_px: self.height_px,
            ..base
        }
    }

    /// The untreated skin.
    pub fn skin(&self) -> Skin {
        match self.kind {
            Kind::Face => face::skin(self),
            Kind::Closeup => {
                // Room for a photo that is 5 % nearer or farther, rotated and shifted.
                let size_mm = [self.width_px, self.height_px]
                    .map(|n| 1.06 * n as f64 / self.px_per_mm + 100.0 / self.px_per_mm);
                let samples_per_mm = (2.0 * self.px_per_mm).max(12.0);
                Skin::new(&SkinSpec {
                    seed: self.seed,
                    tone: self.tone,
                    size_mm,
                    samples_per_mm,
                    ..SkinSpec::default()
                })
            }
        }
    }

    /// The scene of visit `k`.
    pub fn scene(&self, skin: &Skin, k: usize) -> Scene {
        match self.kind {
            Kind::Closeup => Scene::of_skin(skin, &self.treatments[k]),
            Kind::Face => face::scene(skin, &self.treatments[k]),
        }
    }
}

/// `truth.json`.
#[derive(Debug, Clone, Serialize)]
pub struct Truth {
    /// Kind of test photo.
    pub kind: Kind,
    /// Seed of the series.
    pub seed: u64,
    /// Skin tone, 1 … 6.
    pub tone: u8,
    /// Scale of the baseline.
    pub mm_per_px: f64,
    /// The face, in baseline pixels.
    pub face: Option<FaceTruth>,
    /// One per photo.
    pub visits: Vec<VisitTruth>,
}

/// Positions of the parts of the face, baseline px.
#[derive(Debug, Clone, Serialize)]
pub struct FaceTruth {
    /// Pupils; the subject's right eye (left in the photo) first.
    pub eyes_px: [[f64; 2]; 2],
    /// Middle of the mouth.
    pub mouth_px: [f64; 2],
    /// Width at the cheek bones.
    pub width_px: f64,
}

/// One photo.
#[derive(Debug, Clone, Serialize)]
pub struct VisitTruth {
    /// Visit number.
    pub visit: usize,
    /// File name.
    pub file: String,
    /// File name of the displacement from the baseline.
    pub displacement: Option<String>,
    /// Capture.
    pub capture: Capture,
    /// Unit vector to the light: x right, y down, z to the camera.
    pub light: [f64; 3],
    /// Treatment of the skin.
    pub treatment: Treatment,
    /// Sums and means over the frame of the baseline.
    pub totals: VisitTotals,
    /// Wrinkles in the frame of the baseline.
    pub wrinkles: Vec<WrinkleTruth>,
    /// Pores in the frame of the baseline.
    pub pores: Vec<DotTruth>,
    /// Scars in the frame of the baseline.
    pub scars: Vec<DotTruth>,
}

/// Sums and means of one visit.
#[derive(Debug, Clone, Serialize)]
pub struct VisitTotals {
    /// Sum of the lengths of the centre lines, mm.
    pub wrinkle_length_mm: f64,
    /// Length-weighted mean depth, mm.
    pub wrinkle_depth_mm: f64,
    /// Length-weighted mean full width at half depth, mm.
    pub wrinkle_width_mm: f64,
    /// Number of pores.
    pub pore_count: usize,
    /// Mean diameter, mm.
    pub pore_diameter_mm: f64,
}

/// One wrinkle of one visit.
#[derive(Debug, Clone, Serialize)]
pub struct WrinkleTruth {
    /// Centre line, baseline px.
    pub points_px: Vec<[f64; 2]>,
    /// Depth at each point, mm.
    pub depths_mm: Vec<f64>,
    /// Length of the centre line on the skin, mm.
    pub length_mm: f64,
    /// Full width at half depth, mm.
    pub width_mm: f64,
    /// Mean depth along the line, mm.
    pub depth_mm: f64,
}

/// One pore or scar of one visit.
#[derive(Debug, Clone, Serialize)]
pub struct DotTruth {
    /// Middle, baseline px.
    pub x_px: f64,
    /// Middle, baseline px.
    pub y_px: f64,
    /// Equivalent diameter at half depth, mm.
    pub diameter_mm: f64,
    /// Depth, mm.
    pub depth_mm: f64,
    /// Ratio of the axes.
    pub elongation: f64,
}

/// Four decimals, to keep the file short.
fn rounded(v: f64) -> f64 {
    (v * 1e4).round() / 1e4
}

impl VisitTruth {
    /// The truth of visit `k` in pixels of the baseline: what the baseline's frame contains.
    pub fn new(skin: &Skin, baseline: &Capture, k: usize, t: &Treatment, shot: &Capture) -> Self {
        let map = Mapper::new(baseline);
        let wrinkles: Vec<WrinkleTruth> =
            skin.wrinkles(t).iter().flat_map(|wrinkle| visible_parts(wrinkle, &map)).collect();
        let pores = visible_dots(&skin.pores(t), &map);
        VisitTruth {
            visit: k,
            file: String::new(),
            displacement: None,
            capture: shot.clone(),
            light: shot.light().map(rounded),
            treatment: *t,
            totals: VisitTotals::new(&wrinkles, &pores),
            wrinkles,
            pores,
            scars: visible_dots(&skin.scars(t), &map),
        }
    }
}

/// A point of a wrinkle's centre line: its index and its pixel position.
struct VisiblePoint {
    index: usize,
    px: [f64; 2],
}

/// The parts of a wrinkle that the frame contains: a line that leaves the frame and comes back counts as one per
/// part. Parts of a single point are left out.
fn visible_parts(wrinkle: &Wrinkle, map: &Mapper<'_>) -> Vec<WrinkleTruth> {
    let last = wrinkle.points_mm.len() - 1;
    let mut parts = vec![Vec::new()];
    for index in (0..=last).filter(|i| i % KEPT_POINTS == 0 || *i == last) {
        let px = map.px(wrinkle.points_mm[index]);
        match parts.last_mut() {
            Some(part) if map.shows(px) => part.push(VisiblePoint { index, px }),
            _ => parts.push(Vec::new()),
        }
    }
    parts.iter().filter(|part| part.len() >= 2).map(|p| WrinkleTruth::new(wrinkle, p)).collect()
}

impl WrinkleTruth {
    fn new(wrinkle: &Wrinkle, part: &[VisiblePoint]) -> Self {
        let mm = |point: &VisiblePoint| wrinkle.points_mm[point.index];
        let length_mm: f64 = part
            .windows(2)
            .map(|p| (mm(&p[1])[0] - mm(&p[0])[0]).hypot(mm(&p[1])[1] - mm(&p[0])[1]))
            .sum();
        let depths: Vec<f64> = part.iter().map(|p| wrinkle.depth_mm[p.index]).collect();
        WrinkleTruth {
            points_px: part.iter().map(|p| p.px.map(rounded)).collect(),
            length_mm: rounded(length_mm),
            width_mm: rounded(wrinkle.width_mm),
            depth_mm: rounded(depths.iter().sum::<f64>() / depths.len() as f64),
            depths_mm: depths.into_iter().map(rounded).collect(),
        }
    }
}

/// The pores or scars that the frame contains.
fn visible_dots(dots: &[Dot], map: &Mapper<'_>) -> Vec<DotTruth> {
    dots.iter()
        .map(|dot| (dot, map.px(dot.at_mm)))
        .filter(|(_, px)| map.shows(*px))
        .map(|(dot, px)| DotTruth {
            x_px: rounded(px[0]),
            y_px: rounded(px[1]),
            diameter_mm: rounded(dot.diameter_mm),
            depth_mm: rounded(dot.depth),
            elongation: rounded(dot.elongation),
        })
        .collect()
}

impl VisitTotals {
    fn new(wrinkles: &[WrinkleTruth], pores: &[DotTruth]) -> Self {
        let length: f64 = wrinkles.iter().map(|w| w.length_mm).sum();
        let mean = |f: fn(&WrinkleTruth) -> f64| {
            let weighted: f64 = wrinkles.iter().map(|w| f(w) * w.length_mm).sum();
            if length > 0.0 { rounded(weighted / length) } else { 0.0 }
        };
        let diameters: f64 = pores.iter().map(|p| p.diameter_mm).sum();
        VisitTotals {
            wrinkle_length_mm: rounded(length),
            wrinkle_depth_mm: mean(|w| w.depth_mm),
            wrinkle_width_mm: mean(|w| w.width_mm),
            pore_count: pores.len(),
            pore_diameter_mm: rounded(diameters / pores.len().max(1) as f64),
        }
    }
}

/// For the baseline pixel (8j, 8i) the position of the same skin in the follow-up, px; NaN where
/// it lies outside the follow-up.
pub fn displacement(baseline: &Capture, follow_up: &Capture) -> Grid<[f32; 2]> {
    let (from, to) = (Mapper::new(baseline), Mapper::new(follow_up));
    let (w, h) = (baseline.width_px.div_ceil(GRID_PX), baseline.height_px.div_ceil(GRID_PX));
    Grid::from_fn(w, h, |j, i| {
        let px = to.px(from.mm([(GRID_PX * j) as f64, (GRID_PX * i) as f64]));
        if to.shows(px) { px.map(|v| v as f32) } else { [f32::NAN; 2] }
    })
}

pub(super) fn save(dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let path = dir.join(name);
    std::fs::write(&path, bytes).map_err(|e| Error::wrap(&path, Step::Write, e))
}

pub(super) fn create(dir: &Path) -> Result<()> {
    std::fs::create_dir_all(dir).map_err(|e| Error::wrap(dir, Step::Write, e))
}

/// Form by which an earlier `truth.json` is recognised.
const TRUTH: Form = Form("{\"kind\":", "\"displacement\":null,\"capture\":{\"px_per_mm\":");

/// The files that [`write`] makes in `dir`, for [`output::check`]. Earlier photos and displacements are recognised
/// by the `truth.json` beside them.
pub fn outputs(dir: &Path, spec: &Spec) -> Vec<Output> {
    series_outputs(dir, &photo_names(spec))
}

fn photo_names(spec: &Spec) -> Vec<String> {
    (0..spec.treatments.len()).map(|k| format!("visit-{k}.jpg")).collect()
}

fn displacement_name(visit: usize) -> String {
    format!("visit-{visit}-displacement.npy")
}

pub(super) fn series_outputs(dir: &Path, photos: &[String]) -> Vec<Output> {
    let truth = dir.join("truth.json");
    let mut outputs = vec![Output { path: truth.clone(), sign: Sign::Form(TRUTH) }];
    outputs.extend(
        photos
            .iter()
            .cloned()
            .chain((1..photos.len()).map(displacement_name))
            .map(|name| Output { path: dir.join(name), sign: Sign::Beside(truth.clone(), TRUTH) }),
    );
    outputs
}

/// Writes `visit-K.jpg`, `visit-K-displacement.npy` (K ≥ 1) and `truth.json` into `dir`, which is created if
/// necessary. Those of an earlier series are replaced.
///
/// # Errors
/// A series without visits or of an unsupported size; a file of these names that is not of an earlier series
/// ([`output::check`]); a file that cannot be written.
pub fn write(dir: &Path, spec: &Spec) -> Result<()> {
    write_named(dir, spec, &photo_names(spec))
}

pub(super) fn write_named(dir: &Path, spec: &Spec, names: &[String]) -> Result<()> {
    if spec.treatments.is_empty() {
        return Err(Error::new("", Step::Phantom, "a series needs at least one visit"));
    }
    let sides = [spec.width_px, spec.height_px];
    if sides.iter().any(|n| !(32..=8000).contains(n)) || !(1.0..=60.0).contains(&spec.px_per_mm) {
        let why = "a test photo is 32 to 8000 px wide and high, with 1 to 60 px/mm";
        return Err(Error::new("", Step::Phantom, why));
    }
    output::check(&series_outputs(dir, names), &[])?;
    create(dir)?;
    let skin = spec.skin();
    let baseline = spec.capture(0);
    let mut visits = Vec::new();
    for (k, (treatment, name)) in spec.treatments.iter().zip(names).enumerate() {
        let capture = spec.capture(k);
        let shot: Shot = spec.scene(&skin, k).shoot(&capture);
        save(dir, name, &shot.encode())?;
        let mut truth = VisitTruth::new(&skin, &baseline, k, treatment, &capture);
        truth.file = name.clone();
        if k > 0 {
            let displacement = displacement_name(k);
            save(dir, &displacement, &npy::encode(&self::displacement(&baseline, &capture)))?;
            truth.displacement = Some(displacement);
        }
        visits.push(truth);
    }
    let truth = Truth {
        kind: spec.kind,
        seed: spec.seed,
        tone: spec.tone,
        mm_per_px: 1.0 / (baseline.scale * spec.px_per_mm),
        face: (spec.kind == Kind::Face).then(|| face::truth(&baseline)),
        visits,
    };
    let mut json = serde_json::to_string(&truth).map_err(|e| Error::wrap(dir, Step::Phantom, e))?;
    json.push('\n');
    save(dir, "truth.json", json.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        Spec { px_per_mm: 10.0, width_px: 200, height_px: 160, ..Spec::new(Kind::Closeup, 5, 2) }
    }

    #[test]
    fn a_wrinkle_is_as_long_as_its_line_in_the_picture() {
        let spec = spec();
        let skin = spec.skin();
        let baseline = spec.capture(0);
        for (k, treatment) in spec.treatments.iter().enumerate() {
            let truth = VisitTruth::new(&skin, &baseline, k, treatment, &spec.capture(k));
            assert!(!truth.wrinkles.is_empty() && !truth.pores.is_empty());
            let mut sum = 0.0;
            for w in &truth.wrinkles {
                let step = |p: &[[f64; 2]]| (p[1][0] - p[0][0]).hypot(p[1][1] - p[0][1]);
                let length_px: f64 = w.points_px.windows(2).map(step).sum();
                assert!((length_px / spec.px_per_mm - w.length_mm).abs() < 1e-3);
                sum += w.length_mm;
            }
            assert!((sum - truth.totals.wrinkle_length_mm).abs() < 1e-3);
        }
    }

    #[test]
    fn treatments_thin_out_and_narrow_the_true_pores() {
        let spec = spec();
        let skin = spec.skin();
        let treatment = Treatment { pore_count: 0.6, pore_diameter: 0.8, ..Treatment::default() };
        let totals = |t| VisitTruth::new(&skin, &spec.capture(0), 0, t, &spec.capture(0)).totals;
        let (before, after) = (totals(&Treatment::default()), totals(&treatment));
        let kept = after.pore_count as f64 / before.pore_count as f64;
        assert!((kept - 0.6).abs() < 0.12, "kept {kept} of {}", before.pore_count);
        let narrowed = after.pore_diameter_mm / before.pore_diameter_mm;
        assert!((narrowed - 0.8).abs() < 0.05, "narrowed to {narrowed}");
    }

    #[test]
    fn a_shift_displaces_every_pixel_by_itself() {
        let baseline = Capture { width_px: 64, height_px: 48, ..Capture::default() };
        let follow_up = Capture { shift_px: [3.0, -2.0], ..baseline.clone() };
        let map = displacement(&baseline, &follow_up);
        assert_eq!((map.width(), map.height()), (8, 6));
        let [x, y] = map.at(2, 3);
        assert!((x - 19.0).abs() < 1e-5 && (y - 22.0).abs() < 1e-5);
        assert!(map.at(0, 0)[1].is_nan(), "a place outside the follow-up is not a number");
    }

    #[test]
    fn an_unsupported_series_is_an_error() {
        for spec in [Spec { treatments: vec![], ..spec() }, Spec { width_px: 90_000, ..spec() }] {
            assert_eq!(write(Path::new("unused"), &spec).unwrap_err().step, Step::Phantom);
        }
    }
}
