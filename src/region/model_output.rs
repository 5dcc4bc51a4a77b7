//! The output of a model in the classes and landmarks of this project, independent of the model's own
//! numbering.
#![cfg_attr(not(feature = "onnx"), expect(dead_code, reason = "without an engine no model runs"))]

use super::view::View;
use crate::filter::warp::bilinear;
use crate::photo::Reduction;
use crate::plane::{Mask, Plane, Window};

/// Class of a pixel of a face photo; in the order of the planes of the project's own model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Class {
    /// Walls, clothes, other people.
    Background,
    /// Skin of the face, without that of the nose where a model has a class for the nose.
    Skin,
    /// Both brows.
    Brows,
    /// Both eyes between the lids.
    Eyes,
    /// The nose.
    Nose,
    /// Lips, and the mouth between them.
    Lips,
    /// Hair of the head and beard.
    Hair,
    /// Skin of a person outside the face.
    EarsNeck,
    /// Objects that hide the face: glasses, hats, hands, jewellery.
    Occlusion,
}

impl Class {
    /// Number of classes.
    pub const COUNT: usize = Class::ALL.len();
    /// All classes, each at its own number.
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
    /// The classes that the model has; the planes of the others are 0.
    pub recognised: [bool; Class::COUNT],
}

/// The output of a model for one photo.
#[derive(Debug, Clone)]
pub(super) enum ModelOutput {
    /// The class of each pixel.
    Segments(Segments),
    /// The points of a face.
    Landmarks {
        /// Their numbering.
        topology: Topology,
        /// The points, photo px.
        points: Vec<[f64; 2]>,
        /// Probability that there is a face at all, where the model gives one.
        presence: Option<f64>,
    },
}

impl ModelOutput {
    /// The output for the reduced photo.
    pub fn reduced(mut self, reduction: &Reduction) -> ModelOutput {
        match &mut self {
            ModelOutput::Segments(Segments { view, .. }) => {
                view.centre = reduction.from_file(view.centre);
                view.step = view.step.map(|step| step / reduction.factor);
            }
            ModelOutput::Landmarks { points, .. } => {
                points.iter_mut().for_each(|point| *point = reduction.from_file(*point));
            }
        }
        self
    }
}

impl Segments {
    /// Whether the model has the classes that locate a face: eyes and lips.
    pub fn locates_faces(&self) -> bool {
        [Class::Eyes, Class::Lips].iter().all(|&class| self.recognised[class as usize])
    }

    /// The summed probability of some classes at a position of the photo, px; `None` outside the
    /// raster.
    pub fn probability(&self, classes: &[Class], at: [f64; 2]) -> Option<f32> {
        let [i, j] = self.view.covered(at)?;
        let known = classes.iter().map(|&class| class as usize).filter(|&k| self.recognised[k]);
        Some(known.map(|k| bilinear(&self.planes[k], i, j)).sum())
    }

    /// Skin inside `window` of the photo: face and nose together have a probability above one half;
    /// for a model without a class for skin, all of its classes together have at most one half.
    /// Outside the raster every pixel is skin.
    pub fn skin(&self, window: Window) -> Mask {
        let own = self.recognised[Class::Skin as usize];
        let classes: &[Class] = if own { &[Class::Skin, Class::Nose] } else { &Class::ALL };
        Mask::from_fn(window.width, window.height, |x, y| {
            let at = [(window.x + x) as f64, (window.y + y) as f64];
            self.probability(classes, at).is_none_or(|p| (p > 0.5) == own)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_in_the_order_of_their_numbers() {
        for (k, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, k);
        }
    }

    #[test]
    fn skin_is_face_and_nose_or_the_complement_of_all_classes() {
        let view = View { centre: [19.5, 9.5], step: [20.0; 2], roll: 0.0, width: 2, height: 1 };
        let segments = |recognised: &[Class], scores: &[(Class, [f32; 2])]| {
            let mut planes = vec![Plane::filled(2, 1, 0.0); Class::COUNT];
            for (class, values) in scores {
                planes[*class as usize] = Plane::from_vec(2, 1, values.to_vec());
            }
            let recognised = Class::ALL.map(|class| recognised.contains(&class));
            Segments { view, planes, recognised }
        };
        let full = Window::full(40, 20);
        let face = segments(
            &[Class::Skin, Class::Nose, Class::Hair],
            &[(Class::Skin, [0.4, 0.1]), (Class::Nose, [0.3, 0.0]), (Class::Hair, [0.3, 0.9])],
        );
        let mask = face.skin(full);
        assert!(mask.at(0, 10) && !mask.at(39, 10));
        let person = segments(&[Class::Background], &[(Class::Background, [0.1, 0.8])]);
        let mask = person.skin(Window { x: 2, y: 0, width: 36, height: 20 });
        assert!(mask.at(0, 10) && !mask.at(35, 10));
    }

    #[test]
    fn outside_the_raster_every_pixel_is_kept() {
        let view = View { centre: [10.0, 10.0], step: [1.0; 2], roll: 0.0, width: 5, height: 5 };
        let mut planes = vec![Plane::filled(5, 5, 0.0); Class::COUNT];
        planes[0] = Plane::filled(5, 5, 1.0);
        let recognised = Class::ALL.map(|class| class == Class::Background);
        let mask = Segments { view, planes, recognised }.skin(Window::full(20, 20));
        assert!(!mask.at(10, 10) && mask.at(2, 10) && mask.at(10, 17));
    }
}
