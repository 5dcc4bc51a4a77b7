//! The parts of a face from the output of a model: its class probabilities or its landmarks.

use super::face::{Expression, Face, Pose, distance};
use super::frame::FaceFrame;
use super::model_output::{Class, Segments, Topology};
use super::view::View;
use crate::settings::RegionSettings;
use std::ops::Range;

/// Area and moments of a class inside a box of the raster.
#[derive(Debug, Clone, Copy)]
struct Moments {
    /// Sum of the probabilities, raster px.
    area: f64,
    /// Centre of gravity, raster px.
    centre: [f64; 2],
    /// Full axes of the ellipse of the same second moments along x and y, raster px.
    size: [f64; 2],
}

/// Smaller probabilities count as 0: a net's uncertainty is spread over the face.
const PROBABILITY_MIN: f64 = 0.3;

/// Moments of a class within `reach` (half width, half height) of `centre`, raster px; `None` where
/// it is absent.
fn moments(
    segments: &Segments,
    class: Class,
    centre: [f64; 2],
    reach: [f64; 2],
) -> Option<Moments> {
    let plane = &segments.planes[class as usize];
    let span = |k: usize, n: usize| {
        let from = (centre[k] - reach[k]).max(0.0) as usize;
        let to = (centre[k] + reach[k]).min(n as f64 - 1.0).max(0.0) as usize;
        from..=to
    };
    let (mut m, mut mx, mut my, mut mxx, mut myy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for y in span(1, plane.height()) {
        for x in span(0, plane.width()) {
            let p = f64::from(plane.at(x, y));
            if p < PROBABILITY_MIN {
                continue;
            }
            let (dx, dy) = (x as f64 - centre[0], y as f64 - centre[1]);
            m += p;
            mx += p * dx;
            my += p * dy;
            mxx += p * dx * dx;
            myy += p * dy * dy;
        }
    }
    (m > 0.0).then(|| {
        let (cx, cy) = (mx / m, my / m);
        let axis = |second: f64, first: f64| 4.0 * (second / m - first * first).max(0.0).sqrt();
        Moments {
            area: m,
            centre: [centre[0] + cx, centre[1] + cy],
            size: [axis(mxx, cx), axis(myy, cy)],
        }
    })
}

/// The face in a segmentation whose eyes are near `expected` (subject's right first, photo px).
///
/// `None` where the distances of eyes and mouth are not those of a face, or where the model has no
/// classes for them. An eye that is hidden (glasses, hair) stays at its expected position.
pub(super) fn of_segments(
    segments: &Segments,
    expected: [[f64; 2]; 2],
    settings: &RegionSettings,
) -> Option<Face> {
    if !segments.locates_faces() {
        return None;
    }
    let view = &segments.view;
    let [right, left] = expected.map(|p| view.to_raster(p));
    let unit = distance([right, left]);
    let middle = [0, 1].map(|k| 0.5 * (right[k] + left[k]));
    let below = |v: f64| [middle[0], middle[1] + v * unit];
    let large = |part: &Moments, share: f64| part.area >= share * unit * unit;

    let openings = [right, left].map(|at| {
        let found = moments(segments, Class::Eyes, at, [0.45 * unit, 0.35 * unit]);
        found.filter(|p| large(p, settings.eye_area))
    });
    let lips = moments(segments, Class::Lips, below(1.1), [0.7 * unit, 0.45 * unit])?;
    if !large(&lips, settings.lips_area) {
        return None;
    }
    let eyes = [0, 1].map(|k| openings[k].map_or([right, left][k], |p| p.centre));
    let pupils = distance(eyes);
    let drop = lips.centre[1] - 0.5 * (eyes[0][1] + eyes[1][1]);
    if !(0.6..1.6).contains(&(pupils / unit)) || !(0.6..1.6).contains(&(drop / pupils)) {
        return None;
    }
    let brow = |at: [f64; 2]| {
        moments(segments, Class::Brows, [at[0], at[1] - 0.35 * unit], [0.45 * unit, 0.3 * unit])
            .filter(|p| large(p, settings.brow_area))
    };
    let mean = |a: f64, b: f64| 0.5 * (a + b);
    let expression = match openings {
        [Some(r), Some(l)] => Some(Expression {
            eye_opening: mean(r.size[1] / r.size[0], l.size[1] / l.size[0]),
            mouth_width: lips.size[0] / pupils,
            mouth_opening: lips.size[1] / pupils,
            brow_height: match [brow(r.centre), brow(l.centre)] {
                [Some(br), Some(bl)] => {
                    Some(mean(r.centre[1] - br.centre[1], l.centre[1] - bl.centre[1]) / pupils)
                }
                _ => None,
            },
        }),
        _ => None,
    };
    let eyes = eyes.map(|p| view.to_photo(p));
    let mut face = Face { expression, ..Face::of(eyes, view.to_photo(lips.centre)) };
    let frame = FaceFrame::of(&face);
    // Raster px of one squared pupil distance.
    let square = (face.pupil_distance_px() / view.step[0]).powi(2);
    if let Some(nose) = nose(segments, &frame, settings.nose_area * square) {
        face.nose_base = Some(nose.base);
        let yaw = match sides(segments, &frame) {
            Some([right, left]) => YAW[0] * nose.middle[0] + YAW[1] * (right + left),
            None => YAW_BY_NOSE * nose.middle[0],
        };
        face.pose = Some(pose(&face, yaw, PITCH[0] * (nose.middle[1] - PITCH[1])));
    }
    // The chin lies off the plane of the face: the yaw displaces it.
    face.chin = chin(segments, &FaceFrame::of(&face));
    Some(face)
}

/// Tangent of the yaw of a head: weights of u of the upper half of the nose, and of the sum of u of
/// the sides of the cheeks. This and the next two by regression over 4000 renders of models/train:
/// half of the yaws are accurate to 1.2°, 90 % to 6°.
const YAW: [f64; 2] = [1.4, -0.385];
/// Tangent of the yaw from the nose alone.
const YAW_BY_NOSE: f64 = 4.4;
/// Tangent of the pitch: weight of v of the centre of gravity of the nose, and that v at pitch 0. The
/// lengths of noses differ: for half of the people it is accurate to 4°.
const PITCH: [f64; 2] = [2.4, 0.386];

/// A part of the face's plane.
struct Area {
    /// Largest |u|.
    reach: f64,
    /// Range of v.
    rows: Range<f64>,
}

/// A raster pixel in the face's plane.
struct PlanePixel {
    u: f64,
    v: f64,
    /// Summed probability of the classes.
    probability: f64,
}

/// The raster pixels in an area at which the summed probability of some classes is at least `least`.
fn pixels(
    segments: &Segments,
    frame: &FaceFrame,
    classes: &[Class],
    least: f64,
    area: &Area,
) -> Vec<PlanePixel> {
    let View { width, height, .. } = segments.view;
    let mut found = Vec::new();
    for y in 0..height {
        for x in 0..width {
            let likely = |&class: &Class| segments.planes[class as usize].at(x, y);
            let probability = f64::from(classes.iter().map(likely).sum::<f32>());
            if probability >= least {
                let [u, v] = frame.to_plane(segments.view.to_photo([x as f64, y as f64]));
                if u.abs() < area.reach && area.rows.contains(&v) {
                    found.push(PlanePixel { u, v, probability });
                }
            }
        }
    }
    found
}

/// The two sides of the cheeks, u: the ends of the skin beside the nose and the mouth.
fn sides(segments: &Segments, frame: &FaceFrame) -> Option<[f64; 2]> {
    let area = Area { reach: 1.5, rows: 0.45..0.85 };
    let skin = pixels(segments, frame, &[Class::Skin, Class::Nose], 0.5, &area);
    if skin.len() < 50 {
        return None;
    }
    let mut across: Vec<f64> = skin.into_iter().map(|pixel| pixel.u).collect();
    across.sort_by(f64::total_cmp);
    let at = |share: f64| across[(share * (across.len() - 1) as f64).round() as usize];
    Some([at(0.02), at(0.98)])
}

/// The nose in a segmentation.
struct Nose {
    /// u of the centre of gravity of the upper half, v of that of the whole.
    middle: [f64; 2],
    /// Middle of the lower end, photo px.
    base: [f64; 2],
}

/// The nose of a face; `least`: its smallest area, raster px.
fn nose(segments: &Segments, frame: &FaceFrame, least: f64) -> Option<Nose> {
    let area = Area { reach: 0.5, rows: -0.2..1.0 };
    let pixels = pixels(segments, frame, &[Class::Nose], PROBABILITY_MIN, &area);
    let centre = |from: f64, to: f64| {
        let (mut m, mut mu, mut mv) = (0.0, 0.0, 0.0);
        for &PlanePixel { u, v, probability } in &pixels {
            if (from..to).contains(&v) {
                m += probability;
                mu += probability * u;
                mv += probability * v;
            }
        }
        (m > 0.0).then(|| [mu / m, mv / m])
    };
    let total: f64 = pixels.iter().map(|pixel| pixel.probability).sum();
    if total < least {
        return None;
    }
    let [_, v] = centre(-1.0, 2.0)?;
    let [u, _] = centre(-1.0, 0.4)?;
    let end = pixels.iter().map(|pixel| pixel.v).fold(f64::MIN, f64::max);
    let [base, _] = centre(end - 0.1, 2.0)?;
    Some(Nose { middle: [u, v], base: frame.plane_to_photo([base, end]) })
}

/// A pose from the tangents of yaw and pitch.
fn pose(face: &Face, yaw: f64, pitch: f64) -> Pose {
    Pose {
        yaw_deg: yaw.atan().to_degrees(),
        pitch_deg: pitch.atan().to_degrees(),
        roll_deg: face.roll().to_degrees(),
    }
}

/// The end of the skin below the mouth, photo px; `None` where hair (a beard) or an occlusion follows
/// instead of neck or background.
fn chin(segments: &Segments, frame: &FaceFrame) -> Option<[f64; 2]> {
    const STEP: f64 = 0.02;
    let mean = |class: Class, v: f64| {
        let sum: f64 = (-2..=2)
            .map(|i| {
                let [x, y] = segments.view.to_raster(frame.to_photo([0.06 * f64::from(i), v]));
                f64::from(
                    segments.planes[class as usize].clamped(x.round() as isize, y.round() as isize),
                )
            })
            .sum();
        sum / 5.0
    };
    let mut inside = false;
    for k in 0..40 {
        let v = 1.2 + STEP * f64::from(k);
        let skin = mean(Class::Skin, v);
        inside |= skin > 0.5;
        if inside && skin < 0.5 {
            let ends = mean(Class::EarsNeck, v) + mean(Class::Background, v);
            return (ends > mean(Class::Hair, v) + mean(Class::Occlusion, v))
                .then(|| frame.to_photo([0.0, v - 0.5 * STEP]));
        }
    }
    None
}

/// Indices of the landmarks that outline the parts of a face, in order along each outline.
pub(super) struct Outlines {
    /// The face.
    pub face: &'static [usize],
    /// Openings of the eyes, subject's right first: outer corner, upper lid, inner corner, lower lid.
    pub eyes: [&'static [usize]; 2],
    /// Brows, subject's right first.
    pub brows: [&'static [usize]; 2],
    /// The lips' outer border, from the subject's right corner.
    pub lips: &'static [usize],
    /// Tip and base of the nose.
    nose: [usize; 2],
    chin: usize,
}

/// u of the tip of the nose over the tangent of the yaw (2000 renders of models/train); its v at
/// pitch 0, and the change of v over the tangent of the pitch (mean face of the ICT model).
const NOSE_TIP: [f64; 3] = [0.473, 0.456, 0.393];

/// Numbering: the canonical face of MediaPipe.
const MEDIAPIPE: Outlines = Outlines {
    face: &[
        10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
        152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
    ],
    eyes: [
        &[33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7],
        &[263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249],
    ],
    brows: [
        &[70, 63, 105, 66, 107, 55, 65, 52, 53, 46],
        &[300, 293, 334, 296, 336, 285, 295, 282, 283, 276],
    ],
    lips: &[
        61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146,
    ],
    nose: [4, 2],
    chin: 152,
};

/// Numbering: the 68 points of Multi-PIE and iBUG (Sagonas et al. 2016,
/// doi:10.1016/j.imavis.2016.01.002).
const IBUG: Outlines = Outlines {
    face: &[
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 26, 25, 24, 23, 22, 21, 20, 19,
        18, 17,
    ],
    eyes: [&[36, 37, 38, 39, 40, 41], &[45, 44, 43, 42, 47, 46]],
    brows: [&[17, 18, 19, 20, 21], &[26, 25, 24, 23, 22]],
    lips: &[48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59],
    nose: [30, 33],
    chin: 8,
};

/// The outlines in a numbering.
pub(super) fn outlines(topology: Topology) -> &'static Outlines {
    match topology {
        Topology::Mediapipe468 => &MEDIAPIPE,
        Topology::Ibug68 => &IBUG,
    }
}

/// The face outlined by landmarks; `points` in photo px.
///
/// `None` where the distance of eyes and mouth is not that of a face.
pub(super) fn of_landmarks(topology: Topology, points: &[[f64; 2]]) -> Option<Face> {
    let outlines = outlines(topology);
    let all = |list: &[usize]| -> Vec<[f64; 2]> { list.iter().map(|&i| points[i]).collect() };
    let centre = |list: &[usize]| mean_of(&all(list));
    let eyes = outlines.eyes.map(centre);
    let mouth = centre(outlines.lips);
    let unit = distance(eyes);
    let across = [0, 1].map(|k| (eyes[1][k] - eyes[0][k]) / unit);
    let middle = [0, 1].map(|k| 0.5 * (eyes[0][k] + eyes[1][k]));
    // Position along and below the line of the eyes, pupil distances.
    let local = |p: [f64; 2]| {
        let (dx, dy) = ((p[0] - middle[0]) / unit, (p[1] - middle[1]) / unit);
        [dx * across[0] + dy * across[1], dy * across[0] - dx * across[1]]
    };
    let [_, drop] = local(mouth);
    if !(unit > 0.0 && (0.6..1.6).contains(&drop)) {
        return None;
    }
    let extent = |list: &[usize], k: usize| {
        let along = list.iter().map(|&i| local(points[i])[k]);
        let (lo, hi) = along.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        hi - lo
    };
    let opening = |list: &[usize]| extent(list, 1) / extent(list, 0);
    let brow = |k: usize| local(eyes[k])[1] - local(centre(outlines.brows[k]))[1];
    let mut face = Face {
        nose_base: Some(points[outlines.nose[1]]),
        chin: Some(points[outlines.chin]),
        expression: Some(Expression {
            eye_opening: 0.5 * (opening(outlines.eyes[0]) + opening(outlines.eyes[1])),
            mouth_width: extent(outlines.lips, 0),
            mouth_opening: extent(outlines.lips, 1),
            brow_height: Some(0.5 * (brow(0) + brow(1))),
        }),
        ..Face::of(eyes, mouth)
    };
    let [u, v] = FaceFrame::of(&face).to_plane(points[outlines.nose[0]]);
    face.pose = Some(pose(&face, u / NOSE_TIP[0], (v - NOSE_TIP[1]) / NOSE_TIP[2]));
    Some(face)
}

fn mean_of(points: &[[f64; 2]]) -> [f64; 2] {
    [0, 1].map(|k| points.iter().map(|p| p[k]).sum::<f64>() / points.len() as f64)
}
