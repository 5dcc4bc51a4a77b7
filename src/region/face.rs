//! What is known of a face in a photo: where its parts lie, its pose, its expression, its scale.

use crate::photo::Reduction;
use crate::photo::turn::Turn;

/// A face found in a photo.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// Centres of the eyes, subject's right eye first (left in the picture), photo px.
    pub eyes: [[f64; 2]; 2],
    /// Middle of the mouth, photo px.
    pub mouth: [f64; 2],
    /// Width of the face at the cheek bones, px: that of a mean face with these eyes.
    pub width_px: f64,
    /// Base of the nose, photo px; `None` without a model.
    pub nose_base: Option<[f64; 2]>,
    /// Tip of the chin, photo px; `None` without a model and under a beard.
    pub chin: Option<[f64; 2]>,
    /// Direction of the head; `None` without a model.
    pub pose: Option<Pose>,
    /// Opening of eyes and mouth, height of the brows; `None` without a model.
    pub expression: Option<Expression>,
    /// Millimetres per pixel in the plane of the eyes, with one relative standard deviation; `None`
    /// where neither irises nor pupils can be measured.
    pub mm_per_px: Option<(f64, f64)>,
}

/// Direction of a head, degrees; all 0 for the mean face looking into the camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pose {
    /// Turned towards the subject's left.
    pub yaw_deg: f64,
    /// Lowered. It depends on the shape of the nose, too: compare only photos of one person.
    pub pitch_deg: f64,
    /// Tilted, clockwise in the picture.
    pub roll_deg: f64,
}

/// Facial expression. Faces differ at rest: compare only photos of one person.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expression {
    /// Height of the eyes' openings over their width; falls when they close.
    pub eye_opening: f64,
    /// Width of the mouth over the distance of the pupils; grows with a smile.
    pub mouth_width: f64,
    /// Height of the mouth with its lips over the distance of the pupils; grows when it opens.
    pub mouth_opening: f64,
    /// Height of the brows above the eyes over the distance of the pupils; `None` where hidden.
    pub brow_height: Option<f64>,
}

/// Width of a face at the cheek bones over the distance of the pupils (140 mm / 63 mm).
const WIDTH_PER_PUPIL_DISTANCE: f64 = 2.22;

impl Face {
    /// A face of which only the eyes and the mouth are known.
    pub(super) fn of(eyes: [[f64; 2]; 2], mouth: [f64; 2]) -> Self {
        Face {
            eyes,
            mouth,
            width_px: WIDTH_PER_PUPIL_DISTANCE * distance(eyes),
            nose_base: None,
            chin: None,
            pose: None,
            expression: None,
            mm_per_px: None,
        }
    }

    /// The turn that brings the face to within 45° of upright.
    pub fn to_upright(&self) -> Turn {
        Turn::to_upright(self.roll())
    }

    /// The face in its photo after a turn; `size` (width, height; px) is that of the photo before.
    pub fn turned(&self, turn: Turn, size: [usize; 2]) -> Face {
        let turned = |p: [f64; 2]| turn.position(p, size);
        let mut eyes = self.eyes.map(turned);
        if turn.mirrored {
            eyes.reverse();
        }
        let pose = self.pose.map(|pose| Pose {
            yaw_deg: if turn.mirrored { -pose.yaw_deg } else { pose.yaw_deg },
            roll_deg: roll(eyes).to_degrees(),
            ..pose
        });
        let [nose_base, chin] = [self.nose_base, self.chin].map(|p| p.map(turned));
        Face { eyes, mouth: turned(self.mouth), pose, nose_base, chin, ..*self }
    }

    /// The face in its photo after a reduction.
    pub fn reduced(&self, reduction: &Reduction) -> Face {
        let at = |p| reduction.from_file(p);
        Face {
            eyes: self.eyes.map(at),
            mouth: at(self.mouth),
            width_px: self.width_px / reduction.factor,
            nose_base: self.nose_base.map(at),
            chin: self.chin.map(at),
            mm_per_px: self.mm_per_px.map(|(mm, sd)| (mm * reduction.factor, sd)),
            ..*self
        }
    }

    /// Distance of the pupils, photo px.
    pub(super) fn pupil_distance_px(&self) -> f64 {
        distance(self.eyes)
    }

    /// Direction of the line through the eyes, radians, clockwise in the picture.
    pub(super) fn roll(&self) -> f64 {
        roll(self.eyes)
    }
}

/// Distance of two points, in their own unit.
pub(super) fn distance([a, b]: [[f64; 2]; 2]) -> f64 {
    (b[0] - a[0]).hypot(b[1] - a[1])
}

/// Direction from one point to another, radians, clockwise in the picture from its rows.
pub(super) fn roll([a, b]: [[f64; 2]; 2]) -> f64 {
    (b[1] - a[1]).atan2(b[0] - a[0])
}
