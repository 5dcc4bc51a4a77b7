//! The face detector: rustface (SeetaFace's funnel-structured cascade, Wu et al. 2017,
//! doi:10.1016/j.neucom.2016.09.072).
//!
//! The cascade detects upright faces only: where the upright photo has none, it runs on turned copies. A detection of
//! the first detector pass counts only if a second one, around it and well exposed, finds it again.

use super::view::View;
use crate::plane::{Grid, par_collect};
use crate::settings::RegionSettings;
use crate::srgb::luminance;

/// The cascade's weights, shipped inside the published crate (BSD-2-Clause).
static FACE_MODEL: &[u8] = include_bytes!(env!("SKINDELTA_FACE_MODEL"));

/// A square in which the cascade detects a face, in photo pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detection {
    centre: [f64; 2],
    width: f64,
    /// Turn of its rows against those of the photo, radians, clockwise in the picture.
    roll: f64,
    /// Whether it was detected in the mirror image of the photo.
    mirrored: bool,
    /// Sum of the scores of the cascade's windows that agree on it.
    pub score: f64,
}

impl Detection {
    /// The square, made `zoom` times as wide, on a raster of `side` px.
    pub fn view(&self, zoom: f64, side: usize) -> View {
        let step = self.width * zoom / side as f64;
        View { centre: self.centre, step: [step; 2], roll: self.roll, width: side, height: side }
    }

    /// Whether another square lies at nearly the same position and has nearly the same size.
    fn agrees(&self, other: &Detection) -> bool {
        let [dx, dy] = [0, 1].map(|k| other.centre[k] - self.centre[k]);
        let (s, c) = self.roll.sin_cos();
        (dx * c + dy * s).abs().max((dy * c - dx * s).abs()) < 0.25 * self.width
            && (0.67..1.5).contains(&(other.width / self.width))
    }

    /// The square half-way to another one of the same turn.
    fn mean(&self, other: &Detection) -> Detection {
        Detection {
            centre: [0, 1].map(|k| 0.5 * (self.centre[k] + other.centre[k])),
            width: 0.5 * (self.width + other.width),
            ..*other
        }
    }
}

/// Sampling of positions and sizes in one detector pass.
#[derive(Debug, Clone, Copy)]
struct DetectorPass {
    /// Step of the cascade's window, px.
    step: u32,
    /// Ratio of one size of the pyramid to the next.
    pyramid: f32,
    /// Linear light that is mapped to middle grey; `None`: the median of the raster.
    grey: Option<f32>,
}

/// Over the whole upright photo: fast, accepts low scores.
const FIRST: DetectorPass = DetectorPass { step: 4, pyramid: 0.8, grey: Some(0.2) };
/// Around one candidate, well exposed: many windows agree on a face, few on a false positive.
const SECOND: DetectorPass = DetectorPass { step: 2, pyramid: 0.9, grey: None };
/// The cascade's window, px.
const CASCADE_PX: usize = 40;
/// Side of the square that the second pass searches, in sides of the candidate.
const SECOND_ZOOM: f64 = 1.8;

impl DetectorPass {
    /// Runs the cascade over a view of a photo, or over its mirror image; returns the detections in
    /// pixels of the photo.
    fn run(&self, linear: &Grid<[u16; 3]>, view: &View, mirrored: bool) -> Vec<Detection> {
        let (w, h) = (view.width, view.height);
        if w.min(h) < CASCADE_PX {
            return Vec::new();
        }
        let light = view.sample(linear).map(luminance);
        // A power law: the cascade was trained on well exposed faces.
        let middle = self.grey.unwrap_or_else(|| {
            let mut sorted = light.data().to_vec();
            sorted.sort_by(f32::total_cmp);
            sorted[sorted.len() / 2].clamp(0.01, 0.8)
        });
        let power = (0.45f32.ln() / middle.ln()).clamp(0.25, 0.8);
        // A border keeps the cascade's windows inside the raster for faces at the frame.
        let pad = (w.max(h) / 8).max(CASCADE_PX / 2);
        let (pw, ph) = (w + 2 * pad, h + 2 * pad);
        let grey = Grid::from_fn(pw, ph, |x, y| {
            let x = if mirrored { pw - 1 - x } else { x };
            let v = light.clamped(x as isize - pad as isize, y as isize - pad as isize);
            (255.0 * v.max(0.0).powf(power)).round().min(255.0) as u8
        });
        // The weights are part of the program: that they can be read is tested.
        let Ok(model) = rustface::read_model(FACE_MODEL) else { return Vec::new() };
        let mut detector = rustface::create_detector_with_model(model);
        detector.set_slide_window_step(self.step, self.step);
        detector.set_pyramid_scale_factor(self.pyramid);
        detector.set_score_thresh(1.0);
        let faces = detector.detect(&rustface::ImageData::new(grey.data(), pw as u32, ph as u32));
        let found = faces.iter().filter(|face| 2 * face.bbox().width() as usize >= CASCADE_PX);
        let detection = |face: &rustface::FaceInfo| {
            let b = face.bbox();
            let half = 0.5 * f64::from(b.width());
            let [x, y] = [b.x(), b.y()].map(|v| f64::from(v) + half - pad as f64 - 0.5);
            let x = if mirrored { w as f64 - 1.0 - x } else { x };
            Detection {
                centre: view.to_photo([x, y]),
                width: 2.0 * half * view.step[0],
                roll: view.roll,
                mirrored,
                score: face.score(),
            }
        };
        found.map(detection).collect()
    }
}

/// A copy of a photo that is small enough for the cascade.
struct ReducedPhoto {
    linear: Grid<[u16; 3]>,
    /// Photo px per px of the copy, accurate to half a px over its shorter side.
    factor: f64,
}

impl ReducedPhoto {
    /// A copy whose longer side is at most `side_px`. Cost: one pass over the photo.
    fn new(photo: &Grid<[u16; 3]>, side_px: usize) -> Self {
        let size = [photo.width(), photo.height()];
        let [w, h] = size.map(|n| n as f64);
        let scale = (side_px as f64 / w.max(h)).min(1.0);
        let [width, height] = size.map(|n| ((n as f64 * scale).round() as usize).max(1));
        let encode = |v: f32| (65535.0 * v).round().clamp(0.0, 65535.0) as u16;
        let linear = View::whole(size, width, height).sample(photo).map(|rgb| rgb.map(encode));
        ReducedPhoto { linear, factor: 1.0 / scale }
    }

    /// Detections of a pass over the copy turned by `roll` radians, in photo px.
    fn candidates(&self, pass: &DetectorPass, roll: f64, mirrored: bool) -> Vec<Detection> {
        let size = [self.linear.width(), self.linear.height()];
        let (s, c) = (roll.sin().abs(), roll.cos().abs());
        let [w, h] = size.map(|n| n as f64);
        let side = |along: f64, across: f64| (along * c + across * s).round() as usize;
        let view = View {
            roll,
            width: side(w, h),
            height: side(h, w),
            ..View::whole(size, size[0], size[1])
        };
        let mut found = pass.run(&self.linear, &view, mirrored);
        for one in &mut found {
            one.centre = [0, 1].map(|k| (one.centre[k] + 0.5) * self.factor - 0.5);
            one.width *= self.factor;
        }
        found
    }
}

/// A candidate after a second pass around it: the mean of both squares with the second score;
/// `None` where the second pass detects no face there.
fn second_pass(
    linear: &Grid<[u16; 3]>,
    candidate: &Detection,
    settings: &RegionSettings,
) -> Option<Detection> {
    let side = (SECOND_ZOOM * settings.second_pass_px as f64).round() as usize;
    let detections = SECOND.run(linear, &candidate.view(SECOND_ZOOM, side), candidate.mirrored);
    let near = detections.iter().filter(|found| candidate.agrees(found));
    near.max_by(|a, b| a.score.total_cmp(&b.score)).map(|best| candidate.mean(best))
}

/// The largest upright face with at least `min_face_score` at the second pass.
pub(super) fn upright(linear: &Grid<[u16; 3]>, settings: &RegionSettings) -> Option<Detection> {
    let copy = ReducedPhoto::new(linear, settings.detector_side_px);
    let mut first = copy.candidates(&FIRST, 0.0, false);
    first.sort_by(|a, b| b.width.total_cmp(&a.width).then(b.score.total_cmp(&a.score)));
    let good = |found: &Detection| found.score >= settings.min_face_score;
    first.iter().find_map(|one| second_pass(linear, one, settings).filter(good))
}

/// Detections in the photo turned by any angle, without duplicates, by width × score (upright ones
/// times `upright_preference`), largest first; `upright` is the result of [`upright`].
///
/// Each turn is searched as it is and mirrored: the cascade detects some faces in one of the two only.
/// Cost: two passes for each of `SearchSettings::turns` over a copy of `SearchSettings::side_px`.
pub(super) fn turned(
    linear: &Grid<[u16; 3]>,
    upright: Option<Detection>,
    settings: &RegionSettings,
) -> Vec<Detection> {
    let search = &settings.search;
    let copy = ReducedPhoto::new(linear, search.side_px);
    let pass = DetectorPass { pyramid: search.pyramid, grey: None, ..FIRST };
    let step = std::f64::consts::TAU / search.turns as f64;
    let passes = par_collect(2 * search.turns, |k| {
        copy.candidates(&pass, (k / 2) as f64 * step, k % 2 == 1)
    });
    let mut first: Vec<Detection> = passes.into_iter().flatten().collect();
    first.sort_by(|a, b| b.score.total_cmp(&a.score));
    first.truncate(search.candidates_max);
    let found = par_collect(first.len(), |k| second_pass(linear, &first[k], settings));
    // The upright search locates an upright face more accurately.
    let again = |one: &Detection| one.roll == 0.0 && upright.is_some_and(|own| own.agrees(one));
    let enough = |one: &Detection| one.score >= search.min_score_with_model && !again(one);
    let mut found: Vec<Detection> =
        found.into_iter().flatten().filter(enough).chain(upright).collect();
    let rank = |one: &Detection| {
        let upright = one.roll.cos() > std::f64::consts::FRAC_1_SQRT_2;
        one.width * one.score * if upright { settings.upright_preference } else { 1.0 }
    };
    found.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    let mut kept: Vec<Detection> = Vec::new();
    for one in found {
        if !kept.iter().any(|better| better.agrees(&one)) {
            kept.push(one);
        }
    }
    kept
}
