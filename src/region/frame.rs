//! The face frame: an affine camera for a head, from the eyes, the mouth and the yaw.
//!
//! The pupils and the middle of the mouth span the plane of the face; the yaw displaces what lies off
//! that plane in proportion to its depth.

use super::template::{Corner, depth};
use super::{Face, Polygon};

/// v of the mean face's chin.
const CHIN_V: f64 = 1.6;
/// Range of the length of the lower face over that of the mean face.
const CHIN_STRETCH: [f64; 2] = [0.75, 1.25];
/// Drop from the pupils to the middle of the mouth, pupil distances: vertical, and forward. Mean
/// face of the ICT face model.
const DROP: [f64; 2] = [1.11, 0.286];
/// Largest angle between the line of sight and the normal of most of a measured region, degrees: at
/// 70° a millimetre is foreshortened to a third. From the front, crow's feet lie at 55 … 65°.
const LARGEST_ANGLE_DEG: f64 = 70.0;

/// The affine map from the face frame to photo pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct FaceFrame {
    origin: [f64; 2],
    across: [f64; 2],
    down: [f64; 2],
    /// Turn towards the subject's left, radians. It displaces what lies off the plane, along `across`
    /// only: pitch cannot be separated from the length of a face.
    yaw: f64,
    /// Length of the lower face over that of the mean face.
    chin_stretch: f64,
}

impl FaceFrame {
    /// The frame of a face.
    pub fn of(face: &Face) -> Self {
        let [right, left] = face.eyes;
        let origin = [0, 1].map(|k| 0.5 * (right[k] + left[k]));
        let mut frame = FaceFrame {
            origin,
            across: [left[0] - right[0], left[1] - right[1]],
            down: [face.mouth[0] - origin[0], face.mouth[1] - origin[1]],
            yaw: face.pose.map_or(0.0, |pose| pose.yaw_deg.to_radians()),
            chin_stretch: 1.0,
        };
        if let Some(chin) = face.chin {
            let [_, v] = frame.to_plane(chin);
            frame.chin_stretch =
                ((v - 1.0) / (CHIN_V - 1.0)).clamp(CHIN_STRETCH[0], CHIN_STRETCH[1]);
        }
        frame
    }

    /// Photo position of a position on the face's surface.
    pub fn to_photo(self, [u, v]: Corner) -> [f64; 2] {
        let aside = depth([u, v]) * self.yaw.tan();
        let v = if v > 1.0 { 1.0 + (v - 1.0) * self.chin_stretch } else { v };
        self.plane_to_photo([u + aside, v])
    }

    /// Position in the plane of the face of a photo position.
    pub fn to_plane(self, [x, y]: [f64; 2]) -> Corner {
        let area = self.across[0] * self.down[1] - self.across[1] * self.down[0];
        let (dx, dy) = (x - self.origin[0], y - self.origin[1]);
        [
            (dx * self.down[1] - dy * self.down[0]) / area,
            (dy * self.across[0] - dx * self.across[1]) / area,
        ]
    }

    /// Photo position of a position in the plane of the face: the inverse of [`FaceFrame::to_plane`].
    pub fn plane_to_photo(&self, [u, v]: Corner) -> [f64; 2] {
        [0, 1].map(|k| self.origin[k] + u * self.across[k] + v * self.down[k])
    }

    /// The polygon with these corners, in photo pixels.
    pub fn polygon(&self, name: &str, corners: &[Corner]) -> Polygon {
        Polygon { name: name.into(), points: corners.iter().map(|&c| self.to_photo(c)).collect() }
    }

    /// Whether most of a shape is seen at less than [`LARGEST_ANGLE_DEG`].
    pub fn visible(&self, corners: &[Corner]) -> bool {
        let (s, c) = self.yaw.sin_cos();
        let angle = |[u, v]: Corner| {
            let h = 0.1;
            let across = (depth([u + h, v]) - depth([u - h, v])) / (2.0 * h);
            let down = (depth([u, v + h]) - depth([u, v - h])) / (2.0 * h) + DROP[1];
            let normal = [-across, -down / DROP[0], 1.0];
            let length = normal.iter().map(|n| n * n).sum::<f64>().sqrt();
            ((normal[2] * c - normal[0] * s) / length).acos().to_degrees()
        };
        // Half-way from the middle to each corner: corners may lie on the outline.
        let n = corners.len() as f64;
        let middle = [0, 1].map(|k| corners.iter().map(|c| c[k]).sum::<f64>() / n);
        let half = corners.iter().map(|c| [0, 1].map(|k| 0.5 * (c[k] + middle[k])));
        2 * half.filter(|&at| angle(at) > LARGEST_ANGLE_DEG).count() < corners.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::region::Pose;

    /// The mean face turned by `yaw` before a far camera.
    fn turned(yaw: f64) -> Face {
        let seen = |at| projected(yaw, at);
        let pose = Some(Pose { yaw_deg: yaw, pitch_deg: 0.0, roll_deg: 0.0 });
        Face { pose, ..Face::of([seen([-0.5, 0.0]), seen([0.5, 0.0])], seen([0.0, 1.0])) }
    }

    /// Photo position of a position on that face.
    fn projected(yaw: f64, [u, v]: Corner) -> [f64; 2] {
        let (s, c) = yaw.to_radians().sin_cos();
        // Pupils and mouth lie in the plane, where depth is 0.
        let w = if v == 0.0 || v == 1.0 { 0.0 } else { depth([u, v]) };
        let [x, y, z] = [u, v * DROP[0], w + v * DROP[1]];
        [500.0 + 200.0 * (x * c + z * s), 400.0 + 200.0 * y]
    }

    #[test]
    fn positions_on_a_turned_head_are_projected() {
        for yaw in [-35.0, -10.0, 0.0, 5.0, 30.0] {
            let frame = FaceFrame::of(&turned(yaw));
            for at in [[0.0, 0.45], [0.8, 0.6], [-0.9, 0.3], [0.3, -0.8]] {
                let [a, b] = [frame.to_photo(at), projected(yaw, at)];
                assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 1e-6, "{yaw} {at:?}: {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn the_far_cheek_of_a_turned_head_is_not_visible() {
        let cheek = [[0.5, 0.5], [0.84, 0.3], [1.0, 0.4], [0.97, 1.0], [0.7, 1.4], [0.6, 0.9]];
        let other = cheek.map(|[u, v]| [-u, v]);
        let frame = |yaw| FaceFrame::of(&turned(yaw));
        assert!(frame(0.0).visible(&cheek) && frame(0.0).visible(&other));
        // To the subject's left: the left cheek goes away, the right one comes to the front.
        assert!(!frame(40.0).visible(&cheek) && frame(40.0).visible(&other));
        assert!(frame(-40.0).visible(&cheek) && !frame(-40.0).visible(&other));
    }

    #[test]
    fn to_plane_is_the_inverse_of_to_photo_in_the_plane() {
        let frame = FaceFrame::of(&turned(0.0));
        let [u, v] = frame.to_plane(frame.to_photo([0.3, 0.7]));
        assert!((u - 0.3).abs() < 1e-9 && (v - 0.7).abs() < 1e-9);
    }
}
