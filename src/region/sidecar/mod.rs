//! Input and outputs of a model: the `FILE.toml` beside `FILE.onnx`, explained in `models/README.md`.
//! Nothing here uses the engine.
//!
//! - `schema`: the keys of the file;
//! - `check`: the keys that each kind of model needs, their ranges, the shapes of its outputs;
//! - `output`: from a model's output values to classes and points on the photo.

mod check;
mod output;
mod schema;

pub(super) use output::RawOutput;
pub(super) use schema::OutputId;

use super::face::{distance, roll};
use super::model_output::{Class, Topology};
use super::view::View;
use crate::photo::Photo;
use crate::srgb;
use schema::{Activation, Coordinates, Layout, Order};

/// The part of a photo that is a model's input.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Crop {
    /// All of it.
    Photo,
    /// A square turned with the eyes; lengths in pupil distances.
    Face { side: f64, drop: f64 },
}

/// Kind of a model's output.
#[derive(Debug, Clone, PartialEq)]
enum OutputKind {
    /// For each of its planes, the class of this project that it belongs to.
    Planes { activation: Activation, ours: Vec<Option<Class>> },
    /// Points of `dimensions` values each, followed by `extra` values that are ignored.
    Points {
        topology: Topology,
        coordinates: Coordinates,
        dimensions: usize,
        extra: usize,
        presence: Option<OutputId>,
    },
}

/// A sidecar that has passed its checks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sidecar {
    width: usize,
    height: usize,
    layout: Layout,
    order: Order,
    scale: f64,
    mean: [f64; 3],
    std: [f64; 3],
    crop: Crop,
    output: OutputId,
    output_kind: OutputKind,
}

impl Sidecar {
    /// Shape of the input.
    pub fn shape(&self) -> [usize; 4] {
        match self.layout {
            Layout::Nchw => [1, 3, self.height, self.width],
            Layout::Nhwc => [1, self.height, self.width, 3],
        }
    }

    /// The outputs to request.
    pub fn outputs(&self) -> Vec<&OutputId> {
        let presence = match &self.output_kind {
            OutputKind::Points { presence, .. } => presence.as_ref(),
            OutputKind::Planes { .. } => None,
        };
        std::iter::once(&self.output).chain(presence).collect()
    }

    /// The raster of the model's input on a photo of `photo` px; `None` where it needs the eyes and
    /// there are none.
    pub fn view(&self, photo: [usize; 2], eyes: Option<[[f64; 2]; 2]>) -> Option<View> {
        let (width, height) = (self.width, self.height);
        let Crop::Face { side, drop } = self.crop else {
            return Some(View::whole(photo, width, height));
        };
        let eyes = eyes?;
        let [right, left] = eyes;
        let (dx, dy) = (left[0] - right[0], left[1] - right[1]);
        let pupils = distance(eyes);
        (pupils > 0.0).then(|| View {
            centre: [
                0.5 * (right[0] + left[0]) - drop * dy,
                0.5 * (right[1] + left[1]) + drop * dx,
            ],
            step: [side * pupils / width as f64, side * pupils / height as f64],
            roll: roll(eyes),
            width,
            height,
        })
    }

    /// Whether the model's input is a square around the eyes.
    pub fn needs_eyes(&self) -> bool {
        matches!(self.crop, Crop::Face { .. })
    }

    /// The model's input: the photo in a view, in sRGB, normalised, in the sidecar's layout.
    pub fn input(&self, photo: &Photo, view: &View) -> Vec<f32> {
        let pixels = view.sample(&photo.linear).map(|rgb| {
            [0, 1, 2].map(|c| {
                let channel = if self.order == Order::Bgr { 2 - c } else { c };
                let v = 255.0 * srgb::encode(f64::from(rgb[channel]));
                ((v - self.mean[c]) / self.std[c] * self.scale) as f32
            })
        });
        match self.layout {
            Layout::Nchw => (0..3).flat_map(|c| pixels.data().iter().map(move |v| v[c])).collect(),
            Layout::Nhwc => pixels.data().as_flattened().to_vec(),
        }
    }
}

#[cfg(test)]
mod samples {
    //! A sidecar of each kind, for the tests of this folder.

    pub const SEGMENTATION: &str = r#"
kind = "segmentation"
width = 4
height = 2
layout = "nchw"
order = "rgb"
scale = 1.0
mean = [0.0, 0.0, 0.0]
std = [255.0, 255.0, 255.0]
view = "photo"
activation = "logits"
classes = ["wall", "face", "nose", "dog"]
[map]
background = ["wall"]
skin = ["face", "nose"]
"#;

    pub const LANDMARKS: &str = r#"
kind = "landmarks"
width = 100
height = 100
layout = "nhwc"
order = "bgr"
scale = 1.0
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
view = "face"
side = 4.0
drop = 0.5
output = "points"
topology = "ibug68"
coordinates = "unit"
dimensions = 2
extra = 1
presence = 1
"#;
}

#[cfg(test)]
mod tests {
    use super::samples::SEGMENTATION;
    use super::*;
    use crate::plane::Grid;

    #[test]
    fn inputs_are_normalised_in_layout_and_order() {
        let photo = Photo::drawn(Grid::filled(8, 4, [65_535, 0, 0]));
        let sidecar = Sidecar::read(SEGMENTATION).expect("a sidecar");
        let view = sidecar.view([8, 4], None).expect("a view");
        let input = sidecar.input(&photo, &view);
        assert_eq!(input[..8], [1.0; 8]);
        assert_eq!(input[8..], [0.0; 16]);

        let text = SEGMENTATION
            .replace("nchw", "nhwc")
            .replace("\"rgb\"", "\"bgr\"")
            .replace("scale = 1.0", "scale = 0.5")
            .replace("mean = [0.0, 0.0", "mean = [0.0, 51.0");
        let sidecar = Sidecar::read(&text).expect("a sidecar");
        assert_eq!(sidecar.shape(), [1, 2, 4, 3]);
        assert_eq!(sidecar.input(&photo, &view)[..6], [0.0, -0.1, 0.5, 0.0, -0.1, 0.5]);
    }
}
