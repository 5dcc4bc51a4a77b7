//! Shapes of the named regions on a face: polygons in the face frame.
//!
//! Frame: origin between the pupils; u along the line of the eyes in pupil distances, positive
//! towards the subject's left (right in the picture); v towards the mouth, 1 at its middle, 1.6 at
//! the chin; [`depth`] towards the camera, above the plane through pupils and mouth. The shapes
//! follow the aesthetic units of the face (Gonzalez-Ulloa 1954, doi:10.1097/00006534-
//! 195411000-00006). Neighbours share edges; brows, lids, lips and nostrils are
//! outside.

use super::frame::FaceFrame;
use super::{FACE_REGIONS, Polygon};

/// A position (u, v) in the face frame.
pub(super) type Corner = [f64; 2];

// Regions on the middle line, and those of the subject's left; the latter are mirrored.
const FOREHEAD: &[Corner] = &[
    [-0.92, -0.40],
    [-0.86, -0.75],
    [-0.62, -1.00],
    [-0.30, -1.12],
    [0.30, -1.12],
    [0.62, -1.00],
    [0.86, -0.75],
    [0.92, -0.40],
    [0.72, -0.40],
    [0.50, -0.45],
    [0.22, -0.44],
    [-0.22, -0.44],
    [-0.50, -0.45],
    [-0.72, -0.40],
];
const GLABELLA: &[Corner] =
    &[[-0.22, -0.44], [0.22, -0.44], [0.17, -0.20], [0.14, -0.04], [-0.14, -0.04], [-0.17, -0.20]];
const LATERAL_CANTHAL: &[Corner] = &[
    [0.80, 0.12],
    [0.80, -0.06],
    [0.86, -0.20],
    [0.92, -0.40],
    [1.02, -0.34],
    [1.06, -0.05],
    [1.06, 0.30],
    [0.84, 0.30],
];
const INFRAORBITAL: &[Corner] = &[
    [0.15, 0.08],
    [0.24, 0.13],
    [0.36, 0.18],
    [0.55, 0.19],
    [0.70, 0.15],
    [0.80, 0.12],
    [0.84, 0.30],
    [0.72, 0.43],
    [0.50, 0.48],
    [0.33, 0.45],
    [0.22, 0.30],
];
const NOSE: &[Corner] = &[
    [-0.14, -0.04],
    [0.14, -0.04],
    [0.15, 0.08],
    [0.22, 0.30],
    [0.31, 0.45],
    [0.31, 0.58],
    [0.24, 0.64],
    [0.12, 0.66],
    [-0.12, 0.66],
    [-0.24, 0.64],
    [-0.31, 0.58],
    [-0.31, 0.45],
    [-0.22, 0.30],
    [-0.15, 0.08],
];
const CHEEK: &[Corner] = &[
    [0.42, 0.47],
    [0.50, 0.48],
    [0.72, 0.43],
    [0.84, 0.30],
    [1.06, 0.30],
    [1.04, 0.70],
    [0.97, 1.00],
    [0.86, 1.24],
    [0.70, 1.44],
    [0.65, 1.12],
    [0.62, 0.90],
    [0.51, 0.68],
];
const NASOLABIAL: &[Corner] = &[
    [0.31, 0.45],
    [0.42, 0.47],
    [0.51, 0.68],
    [0.62, 0.90],
    [0.65, 1.12],
    [0.54, 1.16],
    [0.47, 0.92],
    [0.36, 0.70],
    [0.31, 0.58],
];
/// A ring around the lips, slit open on the left.
const PERIORAL: &[Corner] = &[
    [-0.24, 0.64],
    [-0.12, 0.66],
    [0.12, 0.66],
    [0.24, 0.64],
    [0.31, 0.58],
    [0.36, 0.70],
    [0.47, 0.92],
    [0.54, 1.16],
    [0.42, 1.28],
    [0.00, 1.32],
    [-0.42, 1.28],
    [-0.54, 1.16],
    [-0.47, 0.92],
    [-0.36, 0.70],
    [-0.31, 0.58],
    [-0.24, 0.64],
    [-0.12, 0.88],
    [-0.42, 1.00],
    [-0.25, 1.17],
    [0.00, 1.20],
    [0.25, 1.17],
    [0.42, 1.00],
    [0.12, 0.88],
    [0.00, 0.90],
    [-0.12, 0.88],
];
const CHIN: &[Corner] = &[
    [-0.42, 1.28],
    [0.00, 1.32],
    [0.42, 1.28],
    [0.54, 1.16],
    [0.65, 1.12],
    [0.70, 1.44],
    [0.50, 1.56],
    [0.26, 1.64],
    [0.00, 1.66],
    [-0.26, 1.64],
    [-0.50, 1.56],
    [-0.70, 1.44],
    [-0.65, 1.12],
    [-0.54, 1.16],
];

/// Outline of the face, within which skin is segmented.
pub(super) const OUTLINE: &[Corner] = &[
    [-1.08, 0.0],
    [-1.03, -0.40],
    [-0.92, -0.75],
    [-0.65, -1.05],
    [-0.30, -1.18],
    [0.30, -1.18],
    [0.65, -1.05],
    [0.92, -0.75],
    [1.03, -0.40],
    [1.08, 0.0],
    [1.06, 0.40],
    [1.00, 0.80],
    [0.86, 1.18],
    [0.62, 1.48],
    [0.32, 1.68],
    [0.0, 1.72],
    [-0.32, 1.68],
    [-0.62, 1.48],
    [-0.86, 1.18],
    [-1.00, 0.80],
    [-1.06, 0.40],
];
/// The subject's left eye with its lids; mirrored for the right.
pub(super) const EYE: &[Corner] = &[
    [0.20, 0.02],
    [0.30, -0.11],
    [0.50, -0.16],
    [0.70, -0.11],
    [0.80, 0.02],
    [0.68, 0.11],
    [0.50, 0.14],
    [0.32, 0.10],
];
/// The lips at rest.
pub(super) const LIPS: &[Corner] = &[
    [-0.42, 1.00],
    [-0.14, 0.88],
    [0.0, 0.90],
    [0.14, 0.88],
    [0.42, 1.00],
    [0.24, 1.15],
    [0.0, 1.18],
    [-0.24, 1.15],
];
/// Areas of skin on nearly every face: both cheeks below the eyes, the nose, the forehead.
pub(super) const SEEDS: [&[Corner]; 4] = [
    &[[0.35, 0.35], [0.75, 0.30], [0.80, 0.55], [0.45, 0.65]],
    &[[-0.35, 0.35], [-0.75, 0.30], [-0.80, 0.55], [-0.45, 0.65]],
    &[[-0.10, 0.10], [0.10, 0.10], [0.16, 0.50], [-0.16, 0.50]],
    &[[-0.35, -0.52], [0.35, -0.52], [0.35, -0.68], [-0.35, -0.68]],
];

/// Areas with shadows and seldom with hair, on the subject's left: beside the nose, under the eye,
/// the cheek; mirrored for the right.
pub(super) const SHADED: &[Corner] = &[
    [0.04, 0.10],
    [0.25, 0.16],
    [0.85, 0.20],
    [1.00, 0.45],
    [0.90, 0.90],
    [0.70, 1.12],
    [0.52, 1.02],
    [0.36, 0.66],
    [0.30, 0.52],
    [0.10, 0.50],
];

/// Area where a beard or a moustache may grow.
pub(super) const BEARD: &[Corner] = &[[-0.62, 0.62], [0.62, 0.62], [0.62, 1.72], [-0.62, 1.72]];
/// Area where hair belongs to the head and falls onto the skin.
pub(super) const HAIRLINE: &[Corner] = &[[-1.4, -1.6], [1.4, -1.6], [1.4, 0.0], [-1.4, 0.0]];

/// Depth of the face's surface above the plane through pupils and mouth, pupil distances: rows for
/// v = −1.4, −1.2 … 1.6, columns for |u| = 0, 0.2 … 1.2. From the mean face of the ICT face
/// model (Li et al. 2020, MIT), interpolated across the eyes; −1.5: beyond the face's outline.
const DEPTH: [[f64; 7]; 16] = [
    [-0.25, -0.30, -0.44, -0.81, -1.50, -1.50, -1.50],
    [0.05, 0.02, -0.08, -0.26, -0.60, -1.50, -1.50],
    [0.20, 0.18, 0.11, -0.03, -0.28, -0.71, -1.50],
    [0.27, 0.26, 0.21, 0.09, -0.12, -0.47, -1.50],
    [0.29, 0.28, 0.23, 0.12, -0.05, -0.37, -0.99],
    [0.30, 0.30, 0.26, 0.16, -0.02, -0.35, -0.95],
    [0.25, 0.22, 0.16, 0.11, 0.00, -0.37, -1.02],
    [0.21, 0.04, 0.00, -0.05, -0.12, -0.42, -1.14],
    [0.32, 0.08, -0.06, -0.10, -0.22, -0.43, -1.34],
    [0.43, 0.19, -0.04, -0.11, -0.20, -0.43, -1.50],
    [0.33, 0.09, -0.07, -0.13, -0.26, -0.55, -1.50],
    [0.10, 0.06, -0.07, -0.19, -0.37, -0.73, -1.50],
    [-0.01, -0.06, -0.16, -0.27, -0.51, -0.94, -1.50],
    [-0.09, -0.12, -0.24, -0.40, -0.68, -1.50, -1.50],
    [-0.15, -0.20, -0.35, -0.59, -1.48, -1.50, -1.50],
    [-0.32, -0.37, -0.69, -1.36, -1.50, -1.50, -1.50],
];
/// Spacing of [`DEPTH`] in u and v.
const DEPTH_STEP: f64 = 0.2;
/// v of its first row.
const DEPTH_TOP: f64 = -1.4;

/// Depth of the surface at a position of the face frame, in pupil distances: linear interpolation
/// between the values of the mean face. Border rule: the outermost values are repeated.
pub(super) fn depth([u, v]: Corner) -> f64 {
    let along = |t: f64, n: usize| {
        let t = (t / DEPTH_STEP).clamp(0.0, n as f64 - 1.0);
        let cell = (t as usize).min(n - 2);
        (cell, t - cell as f64)
    };
    let (i, fu) = along(u.abs(), DEPTH[0].len());
    let (j, fv) = along(v - DEPTH_TOP, DEPTH.len());
    let row = |j: usize| DEPTH[j][i] * (1.0 - fu) + DEPTH[j][i + 1] * fu;
    row(j) * (1.0 - fv) + row(j + 1) * fv
}

/// The same shape on the other side of the face.
pub(super) fn mirrored(corners: &[Corner]) -> Vec<Corner> {
    corners.iter().map(|&[u, v]| [-u, v]).collect()
}

/// The corners of a named region in the face frame; `None` for a name that is not of
/// [`FACE_REGIONS`].
fn corners(name: &str) -> Option<Vec<Corner>> {
    let (stem, right) = match name.strip_suffix("_right") {
        Some(stem) => (stem, true),
        None => (name.strip_suffix("_left").unwrap_or(name), false),
    };
    let corners = match stem {
        "forehead" => FOREHEAD,
        "glabella" => GLABELLA,
        "lateral_canthal" => LATERAL_CANTHAL,
        "infraorbital" => INFRAORBITAL,
        "nose" => NOSE,
        "cheek" => CHEEK,
        "nasolabial" => NASOLABIAL,
        "perioral" => PERIORAL,
        "chin" => CHIN,
        _ => return None,
    };
    Some(if right { mirrored(corners) } else { corners.to_vec() })
}

/// The named regions of a face in the order of [`FACE_REGIONS`], in photo pixels. One that the
/// turn of the head hides, or foreshortens too much, has no corners.
pub(super) fn regions(frame: &FaceFrame) -> Vec<Polygon> {
    let region = |name: &&str| {
        let corners = corners(name).unwrap_or_default();
        if frame.visible(&corners) {
            frame.polygon(name, &corners)
        } else {
            Polygon { name: (*name).into(), points: Vec::new() }
        }
    };
    FACE_REGIONS.iter().map(region).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_its_shape() {
        assert!(FACE_REGIONS.iter().all(|name| corners(name).is_some()));
    }

    #[test]
    fn depth_is_that_of_the_mean_face() {
        assert!((depth([0.0, 0.4]) - 0.43).abs() < 1e-9);
        assert!((depth([-0.3, 0.5]) - 0.25 * (0.19 - 0.04 + 0.09 - 0.07)).abs() < 1e-9);
        assert_eq!(depth([9.0, 9.0]), -1.5);
    }
}
