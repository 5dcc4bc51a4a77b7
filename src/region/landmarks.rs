//! Eyes and mouth inside the detector's box, without a learned landmark model.
//!
//! A template of dark and bright blobs is fitted to the box first. Near each of its eyes the pupil is the
//! position that most dark-to-light gradients point away from (Timm & Barth 2011, doi:10.5220/0003326101170122);
//! the mouth is the best dark and red bar below the eyes.

use super::detector::Detection;
use super::face::Face;
use crate::filter::box_mean::box_mean;
use crate::plane::{Grid, Plane, par_collect};
use crate::srgb::luminance;

/// Side of the raster in which eyes and mouth are located, px: the box plus a margin.
const RASTER_PX: usize = 240;
/// Margin around the box in that raster, in box widths.
const MARGIN: f64 = 0.1;

/// Mean position of the eyes in the box, in box widths; standard deviation 0.04. v was chosen
/// between 0.346 and 0.388 (the median over 213 heads rendered by models/train) on the three free
/// photos.
const BOX_EYES: [[f64; 2]; 2] = [[0.296, 0.346], [0.704, 0.346]];
/// Drop from the pupils to the middle of the mouth, in pupil distances. Of 1.03, 1.07 and 1.12 (the
/// rendered heads' median) the one with the most accurate eyes on the free photos.
const MOUTH_DROP: f64 = 1.03;

/// The landmarks of a detection.
pub(super) struct Landmarks {
    /// Its eyes and its mouth.
    pub face: Face,
    /// Mean position of the eyes in the detector's box, photo px: less accurate than the fit, but
    /// never on a brow or a beard.
    pub box_eyes: [[f64; 2]; 2],
}

/// The eyes and the mouth of a detected face.
pub(super) fn locate(linear: &Grid<[u16; 3]>, detection: &Detection) -> Landmarks {
    let view = detection.view(1.0 + 2.0 * MARGIN, RASTER_PX);
    let colour = view.sample(linear);
    let unit = RASTER_PX as f64 / (1.0 + 2.0 * MARGIN); // box width in raster px
    let expected = |[x, y]: [f64; 2]| [(x + MARGIN) * unit, (y + MARGIN) * unit];
    let log = log_luminance(&colour);
    let pose = fit(&log, BOX_EYES.map(expected));
    let eyes = refined_eyes(&log, &pose);
    let mouth = LipPlanes::new(&colour).mouth(eyes, pose.drop);
    let to_photo = |p: [f64; 2]| view.to_photo(p);
    let in_box = |p: [f64; 2]| view.to_photo(expected(p).map(|v| v - 0.5));
    Landmarks {
        face: Face::of(eyes.map(to_photo), to_photo(mouth)),
        box_eyes: BOX_EYES.map(in_box),
    }
}

/// Natural log of luminance, smoothed over 3 × 3 px.
fn log_luminance(colour: &Grid<[f32; 3]>) -> Plane {
    box_mean(&colour.map(|rgb| (luminance(rgb) + 0.01).ln()), 1)
}

/// A part of the template: darker or brighter than its surround.
struct Blob {
    /// Centre in the face frame: u along the eyes, v down, in pupil distances; v of the mouth's
    /// parts in drops of the mouth. Mirrored in u.
    at: [f64; 2],
    /// Standard deviations along u and v.
    spread: [f64; 2],
    /// Negative: darker.
    weight: f64,
}

impl Blob {
    const fn new(at: [f64; 2], spread: [f64; 2], weight: f64) -> Self {
        Blob { at, spread, weight }
    }

    fn value(&self, u: f64, v: f64) -> f64 {
        let ([pu, pv], [su, sv]) = (self.at, self.spread);
        let bump = |u: f64| (-0.5 * (((u - pu) / su).powi(2) + ((v - pv) / sv).powi(2))).exp();
        self.weight * (bump(u) + bump(-u)).min(1.0)
    }
}

/// The template face.
const TEMPLATE: [Blob; 9] = [
    Blob::new([0.43, 0.00], [0.12, 0.055], -1.0),  // eye
    Blob::new([0.45, -0.25], [0.17, 0.045], -0.8), // brow
    Blob::new([0.11, 0.57], [0.07, 0.045], -0.5),  // nostril
    Blob::new([0.12, 1.00], [0.15, 0.045], -0.8),  // mouth
    Blob::new([0.00, 0.33], [0.11, 0.230], 0.3),   // bridge and tip of the nose
    Blob::new([0.48, 0.47], [0.17, 0.140], 0.5),   // cheek
    Blob::new([0.25, -0.55], [0.25, 0.100], 0.3),  // forehead
    Blob::new([0.10, 1.24], [0.15, 0.055], 0.2),   // chin
    Blob::new([0.10, 0.83], [0.11, 0.045], 0.1),   // upper lip's skin
];

/// The template at one position of the face frame.
struct Sample {
    u: f64,
    /// For a drop of the mouth of 1.
    v: f64,
    /// Value less the template's mean.
    weight: f64,
}

/// The template, sampled on a grid of the face frame.
fn template() -> Vec<Sample> {
    let mut samples = Vec::new();
    for j in 0..44 {
        for i in 0..40 {
            let (u, v) = (-0.875 + 0.045 * f64::from(i), -0.72 + 0.05 * f64::from(j));
            let weight = TEMPLATE.iter().map(|blob| blob.value(u, v)).sum::<f64>();
            samples.push(Sample { u, v, weight });
        }
    }
    let mean = samples.iter().map(|s| s.weight).sum::<f64>() / samples.len() as f64;
    samples.iter_mut().for_each(|s| s.weight -= mean);
    samples
}

/// Position of the template on the raster.
#[derive(Debug, Clone, Copy)]
struct TemplatePose {
    /// Middle of the eyes, raster px.
    middle: [f64; 2],
    /// Distance of the pupils, raster px.
    distance: f64,
    /// Roll, radians.
    roll: f64,
    /// Drop of the mouth, pupil distances.
    drop: f64,
}

impl TemplatePose {
    /// Raster position of a position in the face frame.
    fn to_raster(self, u: f64, v: f64) -> [f64; 2] {
        let (s, c) = self.roll.sin_cos();
        [
            self.middle[0] + self.distance * (u * c - v * s),
            self.middle[1] + self.distance * (u * s + v * c),
        ]
    }

    /// Middles, sizes and rolls around this pose.
    fn around(self) -> Vec<TemplatePose> {
        let mut poses = Vec::new();
        for size in [0.85, 1.0, 1.18] {
            for roll in [-0.35, -0.175, 0.0, 0.175, 0.35] {
                for dy in -5..=5 {
                    for dx in -4..=4 {
                        let step = 0.1 * self.distance;
                        let middle = [
                            self.middle[0] + step * f64::from(dx),
                            self.middle[1] + step * f64::from(dy),
                        ];
                        poses.push(TemplatePose {
                            middle,
                            distance: self.distance * size,
                            roll,
                            ..self
                        });
                    }
                }
            }
        }
        poses
    }
}

/// The pose in which the template agrees best with the raster; `eyes`: where the detector's box
/// predicts them.
fn fit(log: &Plane, eyes: [[f64; 2]; 2]) -> TemplatePose {
    let start = TemplatePose {
        middle: [0.5 * (eyes[0][0] + eyes[1][0]), 0.5 * (eyes[0][1] + eyes[1][1])],
        distance: eyes[1][0] - eyes[0][0],
        roll: 0.0,
        drop: MOUTH_DROP,
    };
    let fit = TemplateFit::new(log, start);
    // Coarse search over position, size and roll, then ascent from the eight best.
    let starts = start.around();
    let scores = par_collect(starts.len(), |k| fit.score(&starts[k]));
    let mut order: Vec<usize> = (0..starts.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let refined =
        par_collect(order.len().min(8), |k| fit.ascend(starts[order[k]], scores[order[k]]));
    refined.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(start, |(pose, _)| pose)
}

/// Agreement of the template with a raster.
struct TemplateFit {
    /// Band-passed log luminance.
    band: Plane,
    template: Vec<Sample>,
    /// Sum of the squared weights of the template.
    power: f64,
    /// Prior of the pose.
    start: TemplatePose,
}

impl TemplateFit {
    fn new(log: &Plane, start: TemplatePose) -> Self {
        let fine = box_mean(log, (0.02 * start.distance) as usize);
        let wide = box_mean(log, (0.30 * start.distance) as usize);
        let band = Plane::from_fn(log.width(), log.height(), |x, y| {
            (fine.at(x, y) - wide.at(x, y)).clamp(-1.0, 1.0)
        });
        let template = template();
        let power: f64 = template.iter().map(|s| s.weight * s.weight).sum();
        TemplateFit { band, template, power, start }
    }

    /// Normalised correlation less a penalty for the departure from the prior.
    fn score(&self, pose: &TemplatePose) -> f64 {
        let (mut sum, mut squares, mut product) = (0.0, 0.0, 0.0);
        for &Sample { u, v, weight } in &self.template {
            let [x, y] = pose.to_raster(u, if v > 0.0 { v * pose.drop } else { v });
            let value = f64::from(self.band.clamped(x.round() as isize, y.round() as isize));
            sum += value;
            squares += value * value;
            product += value * weight;
        }
        let spread = (squares - sum * sum / self.template.len() as f64).max(1e-9);
        let start = &self.start;
        let off = [
            (pose.middle[0] - start.middle[0]) / (0.15 * start.distance),
            (pose.middle[1] - start.middle[1]) / (0.20 * start.distance),
            (pose.distance / start.distance).ln() / 0.12,
            pose.roll / 0.2,
            (pose.drop / start.drop).ln() / 0.10,
        ];
        product / (spread * self.power).sqrt() - 0.02 * off.iter().map(|d| d * d).sum::<f64>()
    }

    /// Coordinate ascent of the score from `pose`, with ever smaller steps; the last pose and its
    /// score.
    fn ascend(&self, mut pose: TemplatePose, mut best: f64) -> (TemplatePose, f64) {
        for step in [0.06, 0.03, 0.015] {
            for _ in 0..6 {
                let before = best;
                for k in 0..10 {
                    let d = if k % 2 == 0 { step } else { -step };
                    let mut next = pose;
                    match k / 2 {
                        0 => next.middle[0] += d * self.start.distance,
                        1 => next.middle[1] += d * self.start.distance,
                        2 => next.distance *= 1.0 + d,
                        3 => next.roll += d,
                        _ => next.drop *= 1.0 + d,
                    }
                    let value = self.score(&next);
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
    }
}

/// The eyes of the fitted template, each moved to the pupil near it.
fn refined_eyes(log: &Plane, pose: &TemplatePose) -> [[f64; 2]; 2] {
    // Iris radius 5.9 mm of a pupil distance of 63 mm.
    let iris = pose.distance * 5.9 / 63.0;
    [-0.5, 0.5].map(|u| refine_eye(log, pose.to_raster(u, 0.0), iris))
}

/// The centre of the eye near `centre`: the position that most dark-to-light gradients point away
/// from (Timm & Barth), weighted by darkness and by the distance from `centre`; `centre` where
/// there are no such gradients. `iris`: expected radius, raster px.
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
                        // Lids have vertical gradients only; horizontal ones belong to an iris.
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
    // Centre of gravity of the scores above 80 % of the maximum, which averages out the lids.
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

/// The planes in which lips differ from skin.
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

    /// Middle of the mouth below the `eyes`: of the bar, as wide as a mouth, that is darkest and
    /// reddest against the skin above and below it. `drop`: expected distance from the line of the
    /// eyes, pupil distances.
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
