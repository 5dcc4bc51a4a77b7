//! Finding a face and its eyes and mouth, without a learned landmark model.
//!
//! The box comes from rustface (SeetaFace's funnel-structured cascade, Wu et al. 2017,
//! doi:10.1016/j.neucom.2016.09.072), which knows upright faces only: it is run on turned copies of
//! the photo, too, where the upright one shows no face. Inside the box the pupils are the centres
//! that most dark-to-light gradients point away from (Timm & Barth 2011,
//! doi:10.5220/0003326101170122), weighted by where the box expects them; the mouth is the best dark
//! and red bar below them.

use super::Face;
use super::view::View;
use crate::filter::box_mean::box_mean;
use crate::plane::{Grid, Plane, par_collect};
use crate::settings::RegionSettings;
use crate::srgb::luminance;

/// The cascade's weights, shipped inside the published crate (BSD-2-Clause).
static FACE_MODEL: &[u8] = include_bytes!(env!("SKINDELTA_FACE_MODEL"));

/// A square in which the cascade sees a face, in photo pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Detection {
    centre: [f64; 2],
    width: f64,
    /// Turn of its rows against those of the photo, radians, clockwise in the picture.
    roll: f64,
    /// Whether it was seen in the mirror image of the photo.
    mirrored: bool,
    /// Sum of the scores of the windows that agree on it.
    pub score: f64,
}

impl Detection {
    /// The square, made `zoom` times as wide, on a raster of `side` px.
    fn view(&self, zoom: f64, side: usize) -> View {
        let step = self.width * zoom / side as f64;
        View { centre: self.centre, step: [step; 2], roll: self.roll, width: side, height: side }
    }

    /// Whether another square lies at nearly the same place.
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

/// How thoroughly the cascade searches a raster.
#[derive(Debug, Clone, Copy)]
struct Pass {
    /// Step of its window, px.
    step: u32,
    /// Ratio of one size to the next.
    pyramid: f32,
    /// Linear light that becomes middle grey; `None`: the median of the raster.
    grey: Option<f32>,
}

/// Over the whole upright photo: fast, accepts weak faces.
const FIRST: Pass = Pass { step: 4, pyramid: 0.8, grey: Some(0.2) };
/// Over one candidate, well exposed: many windows agree on a face, few on a chance likeness.
const SECOND: Pass = Pass { step: 2, pyramid: 0.9, grey: None };
/// The cascade's window, px.
const CASCADE_PX: usize = 40;
/// Side of the square that the second pass searches, in sides of the candidate.
const SECOND_ZOOM: f64 = 1.8;

impl Pass {
    /// Runs the cascade over a view of a photo, or over its mirror image; the squares found, in
    /// pixels of that photo.
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
        // A border keeps faces at the frame, and the cascade's windows, inside the raster.
        let pad = (w.max(h) / 8).max(CASCADE_PX / 2);
        let (pw, ph) = (w + 2 * pad, h + 2 * pad);
        let grey = Grid::from_fn(pw, ph, |x, y| {
            let x = if mirrored { pw - 1 - x } else { x };
            let v = light.clamped(x as isize - pad as isize, y as isize - pad as isize);
            (255.0 * v.max(0.0).powf(power)).round().min(255.0) as u8
        });
        // The model is part of the program: it can be read, or no build of it ever worked.
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
                centre: view.place([x, y]),
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
struct Copy {
    linear: Grid<[u16; 3]>,
    /// Photo px per px of the copy, to half a px of its shorter side.
    factor: f64,
}

impl Copy {
    /// A copy whose longer side is at most `side_px`. Cost: one reading of the photo.
    fn new(photo: &Grid<[u16; 3]>, side_px: usize) -> Self {
        let size = [photo.width(), photo.height()];
        let [w, h] = size.map(|n| n as f64);
        let scale = (side_px as f64 / w.max(h)).min(1.0);
        let [width, height] = size.map(|n| ((n as f64 * scale).round() as usize).max(1));
        let encode = |v: f32| (65535.0 * v).round().clamp(0.0, 65535.0) as u16;
        let linear = View::whole(size, width, height).sample(photo).map(|rgb| rgb.map(encode));
        Copy { linear, factor: 1.0 / scale }
    }

    /// What a pass over the copy turned by `roll` radians sees, in photo px.
    fn candidates(&self, pass: &Pass, roll: f64, mirrored: bool) -> Vec<Detection> {
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

/// A candidate after a second pass around it; `None` where that sees no face there.
fn second(
    linear: &Grid<[u16; 3]>,
    candidate: &Detection,
    settings: &RegionSettings,
) -> Option<Detection> {
    let side = (SECOND_ZOOM * settings.second_look_px as f64).round() as usize;
    let seen = SECOND.run(linear, &candidate.view(SECOND_ZOOM, side), candidate.mirrored);
    let near = seen.iter().filter(|found| candidate.agrees(found));
    near.max_by(|a, b| a.score.total_cmp(&b.score)).map(|best| candidate.mean(best))
}

/// The largest upright face that scores well at the second pass.
pub(super) fn upright(linear: &Grid<[u16; 3]>, settings: &RegionSettings) -> Option<Detection> {
    let copy = Copy::new(linear, settings.detector_side_px);
    let mut first = copy.candidates(&FIRST, 0.0, false);
    first.sort_by(|a, b| b.width.total_cmp(&a.width).then(b.score.total_cmp(&a.score)));
    let good = |found: &Detection| found.score >= settings.min_face_score;
    first.iter().find_map(|one| second(linear, one, settings).filter(good))
}

/// What may be faces in the photo turned by any angle, the likeliest first, one for each place;
/// `upright` is what [`upright`] has found.
///
/// Each turn is searched as it is and mirrored: the cascade sees some faces in one of the two only.
/// Cost: two passes for each of `SearchSettings::turns` over a copy of `SearchSettings::side_px`.
pub(super) fn turned(
    linear: &Grid<[u16; 3]>,
    upright: Option<Detection>,
    settings: &RegionSettings,
) -> Vec<Detection> {
    let search = &settings.search;
    let copy = Copy::new(linear, search.side_px);
    let pass = Pass { pyramid: search.pyramid, grey: None, ..FIRST };
    let step = std::f64::consts::TAU / search.turns as f64;
    let passes = par_collect(2 * search.turns, |k| {
        copy.candidates(&pass, (k / 2) as f64 * step, k % 2 == 1)
    });
    let mut first: Vec<Detection> = passes.into_iter().flatten().collect();
    first.sort_by(|a, b| b.score.total_cmp(&a.score));
    first.truncate(search.candidates_max);
    let found = par_collect(first.len(), |k| second(linear, &first[k], settings));
    // The upright search has placed its own face best.
    let again = |one: &Detection| one.roll == 0.0 && upright.is_some_and(|own| own.agrees(one));
    let enough = |one: &Detection| one.score >= search.doubtful_score && !again(one);
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

/// Side of the raster in which eyes and mouth are looked for, px: the box plus a margin.
const LANDMARK_PX: usize = 240;
/// Margin around the box in that raster, in box widths.
const LANDMARK_MARGIN: f64 = 0.1;

/// Where the box has the eyes, in box widths; they scatter by 0.04. Of v from 0.346 to 0.388 (the
/// median over 213 heads rendered by models/train) the one that serves the three free photos best.
const BOX_EYES: [[f64; 2]; 2] = [[0.296, 0.346], [0.704, 0.346]];
/// Drop from the pupils to the middle of the mouth, in pupil distances. Of 1.03, 1.07 and 1.12 (the
/// rendered heads' median) the one with which the eyes of the free photos are met best.
const MOUTH_DROP: f64 = 1.03;

/// A face as the cascade and the drawn face see it.
pub(super) struct Sighting {
    /// Its eyes and its mouth.
    pub face: Face,
    /// Where the cascade's box has the eyes: coarse, but never on a brow or a beard.
    pub box_eyes: [[f64; 2]; 2],
}

/// The eyes and the mouth of a detected face.
pub(super) fn parts(linear: &Grid<[u16; 3]>, detection: &Detection) -> Sighting {
    let view = detection.view(1.0 + 2.0 * LANDMARK_MARGIN, LANDMARK_PX);
    let colour = view.sample(linear);
    let unit = LANDMARK_PX as f64 / (1.0 + 2.0 * LANDMARK_MARGIN); // box width in raster px
    let expected = |[x, y]: [f64; 2]| [(x + LANDMARK_MARGIN) * unit, (y + LANDMARK_MARGIN) * unit];
    let (eyes, mouth) = landmarks(&colour, BOX_EYES.map(expected));
    let place = |p: [f64; 2]| view.place(p);
    let in_box = |p: [f64; 2]| view.place(expected(p).map(|v| v - 0.5));
    Sighting { face: Face::of(eyes.map(place), place(mouth)), box_eyes: BOX_EYES.map(in_box) }
}

/// A drawn face: what is darker (−) and brighter (+) than its surround, in the face frame (u along
/// the eyes, v down, in pupil distances; v of the mouth parts in drops of the mouth).
/// Each row: (u, v, spread in u, spread in v, weight); mirrored in u.
const DRAWN_FACE: [(f64, f64, f64, f64, f64); 9] = [
    (0.43, 0.00, 0.12, 0.055, -1.0),  // eye
    (0.45, -0.25, 0.17, 0.045, -0.8), // brow
    (0.11, 0.57, 0.07, 0.045, -0.5),  // nostril
    (0.12, 1.00, 0.15, 0.045, -0.8),  // mouth
    (0.00, 0.33, 0.11, 0.230, 0.3),   // bridge and tip of the nose
    (0.48, 0.47, 0.17, 0.140, 0.5),   // cheek
    (0.25, -0.55, 0.25, 0.100, 0.3),  // forehead
    (0.10, 1.24, 0.15, 0.055, 0.2),   // chin
    (0.10, 0.83, 0.11, 0.045, 0.1),   // upper lip's skin
];

/// Where a drawn face is laid on the raster.
#[derive(Debug, Clone, Copy)]
struct Pose {
    /// Middle of the eyes, raster px.
    middle: [f64; 2],
    /// Distance of the pupils, raster px.
    distance: f64,
    /// Roll, radians.
    roll: f64,
    /// Drop of the mouth, pupil distances.
    drop: f64,
}

impl Pose {
    fn place(&self, u: f64, v: f64) -> [f64; 2] {
        let (s, c) = self.roll.sin_cos();
        [
            self.middle[0] + self.distance * (u * c - v * s),
            self.middle[1] + self.distance * (u * s + v * c),
        ]
    }
}

/// Pupils and middle of the mouth in raster pixels; `expected`: the eyes that the box
/// suggests.
fn landmarks(colour: &Grid<[f32; 3]>, expected: [[f64; 2]; 2]) -> ([[f64; 2]; 2], [f64; 2]) {
    let log = box_mean(&colour.map(|rgb| (luminance(rgb) + 0.01).ln()), 1);
    let start = Pose {
        middle: [0.5 * (expected[0][0] + expected[1][0]), 0.5 * (expected[0][1] + expected[1][1])],
        distance: expected[1][0] - expected[0][0],
        roll: 0.0,
        drop: MOUTH_DROP,
    };
    let pose = fit_drawing(&log, start);
    // Iris radius 5.9 mm of a pupil distance of 63 mm.
    let iris = pose.distance * 5.9 / 63.0;
    let eyes = [-0.5, 0.5].map(|u| refine_eye(&log, pose.place(u, 0.0), iris));
    let mouth = LipPlanes::new(colour).mouth(eyes, pose.drop);
    (eyes, mouth)
}

/// The pose in which the drawn face agrees best with the band-passed log luminance (normalised
/// correlation), less a penalty for leaving the `start`.
fn fit_drawing(log: &Plane, start: Pose) -> Pose {
    let fine = box_mean(log, (0.02 * start.distance) as usize);
    let wide = box_mean(log, (0.30 * start.distance) as usize);
    let band = Plane::from_fn(log.width(), log.height(), |x, y| {
        (fine.at(x, y) - wide.at(x, y)).clamp(-1.0, 1.0)
    });
    // The drawing, sampled on a grid of the face frame (v of the mouth for a drop of 1).
    let mut points = Vec::new();
    for j in 0..44 {
        for i in 0..40 {
            let (u, v) = (-0.875 + 0.045 * f64::from(i), -0.72 + 0.05 * f64::from(j));
            let part = |&(pu, pv, su, sv, weight): &(f64, f64, f64, f64, f64)| {
                let bump =
                    |u: f64| (-0.5 * (((u - pu) / su).powi(2) + ((v - pv) / sv).powi(2))).exp();
                weight * (bump(u) + bump(-u)).min(1.0)
            };
            points.push((u, v, DRAWN_FACE.iter().map(part).sum::<f64>()));
        }
    }
    let mean = points.iter().map(|p| p.2).sum::<f64>() / points.len() as f64;
    points.iter_mut().for_each(|p| p.2 -= mean);
    let power: f64 = points.iter().map(|p| p.2 * p.2).sum();

    let score = |pose: &Pose| {
        let (mut sum, mut squares, mut product) = (0.0, 0.0, 0.0);
        for &(u, v, weight) in &points {
            let [x, y] = pose.place(u, if v > 0.0 { v * pose.drop } else { v });
            let value = f64::from(band.clamped(x.round() as isize, y.round() as isize));
            sum += value;
            squares += value * value;
            product += value * weight;
        }
        let spread = (squares - sum * sum / points.len() as f64).max(1e-9);
        let off = [
            (pose.middle[0] - start.middle[0]) / (0.15 * start.distance),
            (pose.middle[1] - start.middle[1]) / (0.20 * start.distance),
            (pose.distance / start.distance).ln() / 0.12,
            pose.roll / 0.2,
            (pose.drop / start.drop).ln() / 0.10,
        ];
        product / (spread * power).sqrt() - 0.02 * off.iter().map(|d| d * d).sum::<f64>()
    };
    // Coarse search over place, size and roll, then ever finer steps in each direction.
    let mut starts = Vec::new();
    for size in [0.85, 1.0, 1.18] {
        for roll in [-0.35, -0.175, 0.0, 0.175, 0.35] {
            for dy in -5..=5 {
                for dx in -4..=4 {
                    let step = 0.1 * start.distance;
                    let middle = [
                        start.middle[0] + step * f64::from(dx),
                        start.middle[1] + step * f64::from(dy),
                    ];
                    starts.push(Pose { middle, distance: start.distance * size, roll, ..start });
                }
            }
        }
    }
    let scores = par_collect(starts.len(), |k| score(&starts[k]));
    let mut order: Vec<usize> = (0..starts.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let climbed = par_collect(order.len().min(8), |k| {
        let (mut pose, mut best) = (starts[order[k]], scores[order[k]]);
        for step in [0.06, 0.03, 0.015] {
            for _ in 0..6 {
                let before = best;
                for k in 0..10 {
                    let d = if k % 2 == 0 { step } else { -step };
                    let mut next = pose;
                    match k / 2 {
                        0 => next.middle[0] += d * start.distance,
                        1 => next.middle[1] += d * start.distance,
                        2 => next.distance *= 1.0 + d,
                        3 => next.roll += d,
                        _ => next.drop *= 1.0 + d,
                    }
                    let value = score(&next);
                    if value > best {
                        (pose, best) = (next, value);
                    }
                }
                if best <= before {
                    break;
                }
            }
        }
        (pose, best)
    });
    climbed.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(start, |(pose, _)| pose)
}

/// The centre of the eye near `centre`: where most gradients point away from a dark iris; stays at
/// `centre` as far as they do not tell.
fn refine_eye(log: &Plane, centre: [f64; 2], iris: f64) -> [f64; 2] {
    let reach = (2.2 * iris).round() as isize;
    let radius = (1.6 * iris).round() as isize;
    let (cx, cy) = (centre[0].round() as isize, centre[1].round() as isize);
    let narrow = box_mean(log, (0.35 * iris) as usize);
    let wide = box_mean(log, (1.5 * iris) as usize);
    let side = (2 * reach + 1) as usize;
    let scores = par_collect(side, |j| {
        let y = cy - reach + j as isize;
        let at = |i: usize| {
            let x = cx - reach + i as isize;
            let mut sum = 0.0f64;
            for v in -radius..=radius {
                for u in -radius..=radius {
                    let r2 = (u * u + v * v) as f64;
                    if r2 < 2.0 || r2 > (radius * radius) as f64 {
                        continue;
                    }
                    let (px, py) = (x + u, y + v);
                    let gx = f64::from(log.clamped(px + 1, py) - log.clamped(px - 1, py));
                    let gy = f64::from(log.clamped(px, py + 1) - log.clamped(px, py - 1));
                    let g = gx.hypot(gy);
                    let along = (gx * u as f64 + gy * v as f64) / r2.sqrt();
                    if along > 0.0 && g > 0.02 {
                        // Lids give vertical gradients only: horizontal ones tell an iris.
                        sum += (along / g).powi(2) * g.min(0.6) * (0.3 + (u * u) as f64 / r2);
                    }
                }
            }
            let dark = f64::from(wide.clamped(x, y) - narrow.clamped(x, y)).max(0.0);
            let (dx, dy) = (x as f64 - centre[0], y as f64 - centre[1]);
            let near = (-0.5 * (dx * dx + dy * dy) / (1.1 * iris).powi(2)).exp();
            sum * (0.1 + dark) * near
        };
        (0..side).map(at).collect::<Vec<f64>>()
    });
    // The centre of gravity of what comes near the best: half a pixel matters less than a lid.
    let top = scores.iter().flatten().fold(0.0f64, |a, &b| a.max(b));
    let (mut sum, mut sx, mut sy) = (0.0, 0.0, 0.0);
    for (j, row) in scores.iter().enumerate() {
        for (i, &s) in row.iter().enumerate() {
            let w = (s - 0.8 * top).max(0.0);
            sum += w;
            sx += w * (cx - reach + i as isize) as f64;
            sy += w * (cy - reach + j as isize) as f64;
        }
    }
    if sum > 0.0 { [sx / sum, sy / sum] } else { centre }
}

/// What a mouth shows in.
struct LipPlanes {
    /// Natural log of luminance.
    log: Plane,
    /// Natural log of red over green.
    red: Plane,
}

impl LipPlanes {
    fn new(colour: &Grid<[f32; 3]>) -> Self {
        LipPlanes {
            log: colour.map(|rgb| (luminance(rgb) + 0.01).ln()),
            red: colour.map(|[r, g, _]| ((r + 0.01) / (g + 0.01)).ln()),
        }
    }

    /// Middle of the mouth below the `eyes`, and how well it shows: the bar, as wide as a mouth,
    /// that is darkest and reddest against the skin above and below it.
    fn mouth(&self, eyes: [[f64; 2]; 2], drop: f64) -> [f64; 2] {
        let middle = [0.5 * (eyes[0][0] + eyes[1][0]), 0.5 * (eyes[0][1] + eyes[1][1])];
        let (dx, dy) = (eyes[1][0] - eyes[0][0], eyes[1][1] - eyes[0][1]);
        // Face frame in pupil distances: u along the eyes, v down.
        let place = |u: f64, v: f64| [middle[0] + u * dx - v * dy, middle[1] + u * dy + v * dx];
        let row = |plane: &Plane, u: f64, v: f64, half: f64| {
            let sample = |k: i32| {
                let [x, y] = place(u + half * f64::from(k) / 8.0, v);
                f64::from(plane.clamped(x.round() as isize, y.round() as isize))
            };
            (-8..=8).map(sample).sum::<f64>() / 17.0
        };
        let mut best = (f64::MIN, [0.0, drop]);
        for i in -5..=5 {
            let u = 0.03 * f64::from(i);
            for j in -25..=25 {
                let v = drop + 0.012 * f64::from(j);
                let line = 0.5
                    * (row(&self.log, u, v - 0.1, 0.36) + row(&self.log, u, v + 0.1, 0.36))
                    - row(&self.log, u, v, 0.36);
                let red =
                    |near: f64| row(&self.red, u, v - near, 0.3) + row(&self.red, u, v + near, 0.3);
                let lips = 0.5 * (red(0.06) - red(0.26));
                let (pu, pv) = (u / 0.08, (v - drop) / 0.10);
                let score = line.clamp(-0.5, 0.5) + 2.0 * lips.clamp(-0.2, 0.3)
                    - 0.05 * (pu * pu + pv * pv);
                if score > best.0 {
                    best = (score, [u, v]);
                }
            }
        }
        place(best.1[0], best.1[1])
    }
}
