//! What a model says of a photo, in the project's own words: whoever made it, and however it
//! numbers its classes and points.
#![cfg_attr(not(feature = "onnx"), expect(dead_code, reason = "without an engine nothing is said"))]

use super::view::View;
use crate::plane::Plane;

/// What a pixel of a face photo shows; in the order of the planes of the project's own model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Class {
    /// Walls, clothes, other people.
    Background,
    /// Skin of the face, without that of the nose where a model tells the nose.
    Skin,
    /// Both brows.
    Brows,
    /// Both eyes between the lids.
    Eyes,
    /// The nose.
    Nose,
    /// Lips, and the mouth between them.
    Lips,
    /// Hair of the head, beard.
    Hair,
    /// Skin of a person that is not of the face.
    EarsNeck,
    /// What hides the face: glasses, hats, hands, jewellery.
    Occlusion,
}

impl Class {
    /// Number of classes.
    pub const COUNT: usize = Class::ALL.len();
    /// All classes; each stands at its own number.
    pub const ALL: [Class; 9] = [
        Class::Background,
        Class::Skin,
        Class::Brows,
        Class::Eyes,
        Class::Nose,
        Class::Lips,
        Class::Hair,
        Class::EarsNeck,
        Class::Occlusion,
    ];
}

/// Numbering of a face's landmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Topology {
    /// The 468 vertices of MediaPipe's canonical face.
    Mediapipe468,
    /// The 68 points of iBUG 300-W (Sagonas et al. 2013).
    Ibug68,
}

impl Topology {
    /// Number of points.
    pub fn points(self) -> usize {
        match self {
            Topology::Mediapipe468 => 468,
            Topology::Ibug68 => 68,
        }
    }
}

/// Scores of a segmentation model, as probabilities.
#[derive(Debug, Clone)]
pub(super) struct Segments {
    /// Raster of the planes over the photo.
    pub view: View,
    /// One plane for each [`Class`], 0 … 1; they sum to at most 1.
    pub planes: Vec<Plane>,
    /// The classes that the model can tell at all; the planes of the others are 0.
    pub told: [bool; Class::COUNT],
}

/// What a model says of a photo.
#[derive(Debug, Clone)]
pub(super) enum Said {
    /// What each pixel shows.
    Segments(Segments),
    /// Where the points of a face lie.
    Landmarks {
        /// Their numbering.
        topology: Topology,
        /// The points, photo px.
        points: Vec<[f64; 2]>,
        /// Probability that there is a face at all, where the model says so.
        presence: Option<f64>,
    },
}

impl Segments {
    /// Whether the model tells eyes and mouth apart from the rest, and so a face.
    pub fn tells_a_face(&self) -> bool {
        [Class::Eyes, Class::Lips].iter().all(|&class| self.told[class as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_stand_at_their_numbers() {
        for (k, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, k);
        }
    }
}
