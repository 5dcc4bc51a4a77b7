//! Where the named regions lie on a face: polygons in a face frame, mapped by eyes and mouth.
//!
//! Frame: origin between the pupils; u along the line of the eyes in pupil distances, positive
//! towards the subject's left (right in the picture); v towards the mouth, 1 at its middle. The
//! shapes follow the aesthetic units of the face (Gonzalez-Ulloa 1954, doi:10.1097/00006534-
//! 195411000-00006), kept clear of brows, lids, lips and nostrils.

use super::{FACE_REGIONS, Face, Polygon};

/// A corner in the face frame.
pub(super) type Corner = [f64; 2];

// Regions on the middle line, and those of the subject's left, which are mirrored.
const FOREHEAD: &[Corner] = &[
    [-0.78, -0.52],
    [-0.72, -0.80],
    [-0.50, -1.00],
    [0.0, -1.08],
    [0.50, -1.00],
    [0.72, -0.80],
    [0.78, -0.52],
    [0.50, -0.47],
    [0.22, -0.45],
    [-0.22, -0.45],
    [-0.50, -0.47],
];
const GLABELLA: &[Corner] =
    &[[-0.20, -0.44], [0.20, -0.44], [0.15, -0.20], [0.12, -0.06], [-0.12, -0.06], [-0.15, -0.20]];
const LATERAL_CANTHAL: &[Corner] =
    &[[0.82, -0.10], [0.96, -0.20], [1.06, -0.05], [1.04, 0.25], [0.86, 0.26], [0.80, 0.08]];
const INFRAORBITAL: &[Corner] = &[
    [0.24, 0.16],
    [0.36, 0.20],
    [0.55, 0.21],
    [0.70, 0.17],
    [0.82, 0.30],
    [0.70, 0.42],
    [0.50, 0.46],
    [0.33, 0.42],
    [0.22, 0.30],
];
const NOSE: &[Corner] = &[
    [-0.11, -0.02],
    [0.11, -0.02],
    [0.16, 0.28],
    [0.25, 0.44],
    [0.27, 0.56],
    [0.14, 0.61],
    [-0.14, 0.61],
    [-0.27, 0.56],
    [-0.25, 0.44],
    [-0.16, 0.28],
];
const CHEEK: &[Corner] = &[
    [0.42, 0.50],
    [0.70, 0.46],
    [0.88, 0.32],
    [1.02, 0.34],
    [1.00, 0.60],
    [0.92, 0.90],
    [0.78, 1.15],
    [0.66, 1.10],
    [0.62, 0.90],
    [0.50, 0.68],
];
const NASOLABIAL: &[Corner] = &[
    [0.30, 0.48],
    [0.40, 0.50],
    [0.49, 0.69],
    [0.60, 0.90],
    [0.64, 1.10],
    [0.54, 1.12],
    [0.46, 0.92],
    [0.34, 0.70],
    [0.29, 0.60],
];
/// A ring around the lips, slit open on the left.
const PERIORAL: &[Corner] = &[
    [-0.20, 0.70],
    [0.0, 0.68],
    [0.20, 0.70],
    [0.32, 0.71],
    [0.44, 0.92],
    [0.52, 1.12],
    [0.42, 1.28],
    [0.0, 1.32],
    [-0.42, 1.28],
    [-0.52, 1.12],
    [-0.44, 0.92],
    [-0.32, 0.71],
    [-0.20, 0.70],
    [-0.12, 0.87],
    [-0.42, 1.00],
    [-0.25, 1.17],
    [0.0, 1.21],
    [0.25, 1.17],
    [0.42, 1.00],
    [0.12, 0.87],
    [0.0, 0.89],
    [-0.12, 0.87],
];
const CHIN: &[Corner] = &[
    [-0.42, 1.30],
    [0.0, 1.34],
    [0.42, 1.30],
    [0.38, 1.48],
    [0.22, 1.60],
    [0.0, 1.63],
    [-0.22, 1.60],
    [-0.38, 1.48],
];

/// The outline within which skin of the face is looked for.
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
/// Where skin shows on nearly every face: both cheeks below the eyes, the nose, the forehead.
pub(super) const SEEDS: [&[Corner]; 4] = [
    &[[0.35, 0.35], [0.75, 0.30], [0.80, 0.55], [0.45, 0.65]],
    &[[-0.35, 0.35], [-0.75, 0.30], [-0.80, 0.55], [-0.45, 0.65]],
    &[[-0.10, 0.10], [0.10, 0.10], [0.16, 0.50], [-0.16, 0.50]],
    &[[-0.35, -0.52], [0.35, -0.52], [0.35, -0.68], [-0.35, -0.68]],
];

/// The subject's left half of where shadows fall and hair seldom grows: beside the nose, under the
/// eye, the cheek; mirrored for the right.
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

/// Where a beard or a moustache may grow.
pub(super) const BEARD: &[Corner] = &[[-0.62, 0.62], [0.62, 0.62], [0.62, 1.72], [-0.62, 1.72]];

/// The affine map from the face frame to photo pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    origin: [f64; 2],
    across: [f64; 2],
    down: [f64; 2],
}

impl Frame {
    /// The frame of a face.
    pub fn of(face: &Face) -> Self {
        let [right, left] = face.eyes;
        let origin = [0.5 * (right[0] + left[0]), 0.5 * (right[1] + left[1])];
        Frame {
            origin,
            across: [left[0] - right[0], left[1] - right[1]],
            down: [face.mouth[0] - origin[0], face.mouth[1] - origin[1]],
        }
    }

    /// Photo pixel of a place in the frame.
    pub fn place(&self, [u, v]: Corner) -> [f64; 2] {
        [0, 1].map(|k| self.origin[k] + u * self.across[k] + v * self.down[k])
    }

    /// The polygon with these corners, in photo pixels.
    pub fn polygon(&self, name: &str, corners: &[Corner]) -> Polygon {
        Polygon { name: name.into(), points: corners.iter().map(|&c| self.place(c)).collect() }
    }
}

/// The same shape on the other side of the face.
pub(super) fn mirrored(corners: &[Corner]) -> Vec<Corner> {
    corners.iter().map(|&[u, v]| [-u, v]).collect()
}

/// The named regions of a face, in the order of [`FACE_REGIONS`], in photo pixels.
pub(super) fn regions(frame: &Frame) -> Vec<Polygon> {
    let corners = |name: &str| -> Vec<Corner> {
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
            _ => CHIN,
        };
        if right { mirrored(corners) } else { corners.to_vec() }
    };
    FACE_REGIONS.iter().map(|name| frame.polygon(name, &corners(name))).collect()
}
