//! From a model's output values to classes and points on the photo, as the sidecar describes.

use super::schema::{Activation, Coordinates, Layout};
use super::{OutputKind, Sidecar};
use crate::plane::Grid;
use crate::region::model_output::{Class, ModelOutput, Segments};
use crate::region::view::View;

/// Tolerance of probabilities for rounding.
const ROUNDING: f32 = 1e-3;

/// One output of a model.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::region) struct RawOutput {
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    /// Its values, the last axis fastest.
    pub values: Vec<f32>,
}

impl Sidecar {
    /// The outputs as classes of this project or as points of the photo; `view`: raster of the input.
    ///
    /// # Errors
    /// Outputs of the wrong shape, or that are no numbers, or no probabilities.
    pub fn model_output(&self, view: &View, outputs: &[RawOutput]) -> Result<ModelOutput, String> {
        let shapes: Vec<&[usize]> = outputs.iter().map(|output| output.shape.as_slice()).collect();
        self.check_shapes(&shapes)?;
        if !outputs.iter().all(|output| output.values.iter().all(|v| v.is_finite())) {
            return Err("gives scores that are not finite".into());
        }
        let first = &outputs[0];
        match &self.output_kind {
            OutputKind::Planes { activation, ours } => {
                let scores = Scores {
                    values: &first.values,
                    layout: self.layout,
                    activation: *activation,
                    raster: self.raster(&first.shape, ours.len())?,
                };
                scores.segments(view, ours).map(ModelOutput::Segments)
            }
            &OutputKind::Points { topology, coordinates, dimensions, .. } => {
                let size = match coordinates {
                    Coordinates::Px => [1.0, 1.0],
                    Coordinates::Unit => [self.width as f64, self.height as f64],
                };
                // Models count from the edge of the first pixel, views from its centre.
                let to_photo = |point: &[f32]| {
                    view.to_photo([0, 1].map(|k| f64::from(point[k]) * size[k] - 0.5))
                };
                let points = first.values.chunks_exact(dimensions).take(topology.points());
                let presence = outputs.get(1).and_then(|output| output.values.first());
                Ok(ModelOutput::Landmarks {
                    topology,
                    points: points.map(to_photo).collect(),
                    presence: presence.map(|&logit| 1.0 / (1.0 + f64::from(-logit).exp())),
                })
            }
        }
    }
}

/// The values of a segmentation's output, and their layout.
struct Scores<'a> {
    values: &'a [f32],
    layout: Layout,
    activation: Activation,
    /// Planes, columns and rows.
    raster: [usize; 3],
}

impl Scores<'_> {
    fn at(&self, plane: usize, x: usize, y: usize) -> f32 {
        let [planes, width, height] = self.raster;
        match self.layout {
            Layout::Nchw => self.values[(plane * height + y) * width + x],
            Layout::Nhwc => self.values[(y * width + x) * planes + plane],
        }
    }

    /// Score of a class. A single plane is the second of two classes; with a first score of 0 the
    /// softmax of logits is their sigmoid.
    fn score(&self, class: usize, x: usize, y: usize) -> f32 {
        match (self.raster[0], class, self.activation) {
            (1, 0, Activation::Logits) => 0.0,
            (1, 0, Activation::Probabilities) => 1.0 - self.at(0, x, y),
            (1, _, _) => self.at(0, x, y),
            _ => self.at(class, x, y),
        }
    }

    /// Probabilities of this project's classes at a pixel, and the sum over all classes of the model.
    fn probabilities(
        &self,
        ours: &[Option<Class>],
        x: usize,
        y: usize,
    ) -> ([f32; Class::COUNT], f32) {
        let scores = (0..ours.len()).map(|class| self.score(class, x, y));
        let best = scores.clone().fold(f32::NEG_INFINITY, f32::max);
        let mut sums = [0.0f32; Class::COUNT];
        let mut all = 0.0f32;
        for (value, class) in scores.zip(ours) {
            let value = match self.activation {
                Activation::Logits => (value - best).exp(),
                Activation::Probabilities => value.max(0.0),
            };
            all += value;
            if let Some(class) = class {
                sums[*class as usize] += value;
            }
        }
        let whole = if self.activation == Activation::Logits { all } else { all.max(1.0) };
        (sums.map(|v| v / whole), all)
    }

    /// One plane for each of this project's classes; `view`: raster of the input.
    ///
    /// # Errors
    /// Scores that should be probabilities and are none.
    fn segments(&self, view: &View, ours: &[Option<Class>]) -> Result<Segments, String> {
        let [_, width, height] = self.raster;
        let pixels = Grid::from_fn(width, height, |x, y| self.probabilities(ours, x, y));
        if self.activation == Activation::Probabilities {
            let low = self.values.iter().copied().fold(f32::INFINITY, f32::min);
            let high = self.values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum = pixels.data().iter().map(|(_, all)| *all).fold(0.0, f32::max);
            if low < -ROUNDING || high > 1.0 + ROUNDING || sum > 1.0 + ROUNDING {
                return Err(format!(
                    "gives scores of {low} … {high} that sum to {sum}, which are no probabilities \
                     (activation = \"logits\"?)"
                ));
            }
        }
        let view = View {
            step: [
                view.step[0] * view.width as f64 / width as f64,
                view.step[1] * view.height as f64 / height as f64,
            ],
            width,
            height,
            ..*view
        };
        Ok(Segments {
            view,
            planes: Class::ALL.map(|class| pixels.map(|(sums, _)| sums[class as usize])).to_vec(),
            recognised: Class::ALL.map(|class| ours.contains(&Some(class))),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::OutputId;
    use super::super::samples::{LANDMARKS, SEGMENTATION};
    use super::*;
    use crate::region::model_output::Topology;

    fn segments(sidecar: &Sidecar, shape: &[usize], values: Vec<f32>) -> Result<Segments, String> {
        let view = sidecar.view([40, 20], None).expect("a view");
        let output = RawOutput { shape: shape.to_vec(), values };
        match sidecar.model_output(&view, &[output])? {
            ModelOutput::Segments(segments) => Ok(segments),
            ModelOutput::Landmarks { .. } => Err("landmarks".into()),
        }
    }

    #[test]
    fn scores_become_probabilities_of_this_projects_classes() {
        let sidecar = Sidecar::read(SEGMENTATION).expect("a sidecar");
        // A raster of 2×1: e^x = 1 2 3 4 at the left, and a sure dog at the right.
        let ln = |v: f32| v.ln();
        let values =
            [ln(1.0), 0.0, ln(2.0), 0.0, ln(3.0), 0.0, ln(4.0), 80.0].map(|v| v + 30.0).to_vec();
        let nchw = segments(&sidecar, &[1, 4, 1, 2], values.clone()).expect("segments");
        let at = |s: &Segments, class: Class, x: usize| s.planes[class as usize].at(x, 0);
        assert!((at(&nchw, Class::Background, 0) - 0.1).abs() < 1e-6);
        assert!((at(&nchw, Class::Skin, 0) - 0.5).abs() < 1e-6);
        assert!(at(&nchw, Class::Skin, 1) < 1e-6 && at(&nchw, Class::Hair, 0) == 0.0);
        assert_eq!(
            nchw.recognised,
            Class::ALL.map(|c| matches!(c, Class::Background | Class::Skin))
        );
        // The raster of the planes covers the photo.
        assert_eq!(nchw.view, View::whole([40, 20], 2, 1));

        let text = SEGMENTATION.replace("nchw", "nhwc");
        let turned: Vec<f32> =
            (0..2).flat_map(|x| (0..4).map(move |k| 2 * k + x)).map(|i| values[i]).collect();
        let sidecar = Sidecar::read(&text).expect("a sidecar");
        let nhwc = segments(&sidecar, &[1, 1, 2, 4], turned).expect("segments");
        assert_eq!(nhwc.planes, nchw.planes);
    }

    #[test]
    fn a_single_plane_is_the_second_of_two_classes() {
        let text = SEGMENTATION
            .replace("\"wall\", \"face\", \"nose\", \"dog\"", "\"wall\", \"face\"")
            .replace(", \"nose\"]", "]");
        let logits = Sidecar::read(&text).expect("a sidecar");
        let shape = [1, 1, 1, 2];
        let one = segments(&logits, &shape, vec![0.0, 3f32.ln()]).expect("segments");
        for (plane, expected) in [(&one.planes[0], [0.5, 0.25]), (&one.planes[1], [0.5, 0.75])] {
            let near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-6;
            assert!(plane.data().iter().zip(&expected).all(near), "{plane:?}");
        }

        let sidecar = Sidecar::read(&text.replace("logits", "probabilities")).expect("a sidecar");
        let one = segments(&sidecar, &shape, vec![0.0, 0.75]).expect("segments");
        assert_eq!(one.planes[0].data(), [1.0, 0.25]);
        assert_eq!(one.planes[1].data(), [0.0, 0.75]);
        for bad in [vec![0.0, 1.1], vec![-0.1, 0.5]] {
            let why = segments(&sidecar, &shape, bad).expect_err("no probabilities");
            assert!(why.contains("no probabilities"), "{why}");
        }
        let why = segments(&sidecar, &[1, 2, 1, 1], vec![0.9, 0.9]).expect_err("1.8");
        assert!(why.contains("sum to 1.8"), "{why}");
    }

    #[test]
    fn scores_of_another_shape_or_not_finite_are_refused() {
        let sidecar = Sidecar::read(SEGMENTATION).expect("a sidecar");
        for shape in
            [&[1, 3, 2, 2][..], &[1, 1, 4, 3], &[4, 3, 1], &[2, 4, 1, 2], &[1, 4, 0, 3], &[]]
        {
            let count = shape.iter().product();
            let why = segments(&sidecar, shape, vec![0.0; count]).expect_err("a wrong shape");
            assert!(why.contains("one plane for each of the 4 classes"), "{why}");
        }
        for bad in [f32::NAN, f32::INFINITY] {
            let why = segments(&sidecar, &[1, 4, 1, 1], vec![0.0, 0.0, bad, 0.0]).expect_err("NaN");
            assert!(why.contains("not finite"), "{why}");
        }
    }

    fn raw(values: usize, presence: usize) -> [RawOutput; 2] {
        [vec![0.5; values], vec![3f32.ln(); presence]]
            .map(|values| RawOutput { shape: vec![1, values.len()], values })
    }

    #[test]
    fn points_lie_in_the_turned_square() {
        let sidecar = Sidecar::read(LANDMARKS).expect("a sidecar");
        let ids = [OutputId::Name("points".into()), OutputId::Index(1)];
        assert_eq!(sidecar.outputs(), ids.iter().collect::<Vec<_>>());
        assert_eq!(sidecar.view([300, 300], None), None);
        assert_eq!(sidecar.view([300, 300], Some([[9.0, 9.0]; 2])), None);
        // Eyes 20 px apart, the face turned clockwise by a right angle: its chin is at the left.
        let eyes = [[100.0, 90.0], [100.0, 110.0]];
        let view = sidecar.view([300, 300], Some(eyes)).expect("a view");
        let mut outputs = raw(137, 1);
        outputs[0].values[..4].copy_from_slice(&[0.25, 0.5, 0.5, 1.0]);
        let output = sidecar.model_output(&view, &outputs).expect("landmarks");
        let ModelOutput::Landmarks { topology, points, presence } = output else {
            panic!("{output:?}")
        };
        assert_eq!((topology, points.len()), (Topology::Ibug68, 68));
        // Side 80, the centre 10 below the eyes: a quarter of the side along the eyes, half down.
        let near = |p: [f64; 2], q: [f64; 2]| (p[0] - q[0]).hypot(p[1] - q[1]) < 1e-9;
        assert!(near(points[0], [90.0, 80.0]), "{:?}", points[0]);
        assert!(near(points[1], [50.0, 100.0]), "{:?}", points[1]);
        assert!(near(points[2], [90.0, 100.0]), "{:?}", points[2]);
        assert!((presence.expect("a presence") - 0.75).abs() < 1e-6);
    }

    #[test]
    fn another_number_of_points_is_refused() {
        let sidecar = Sidecar::read(LANDMARKS).expect("a sidecar");
        let view = sidecar.view([9, 9], Some([[0.0, 0.0], [1.0, 0.0]])).expect("a view");
        let why = sidecar.model_output(&view, &raw(136, 1)).expect_err("one too few");
        assert!(why.contains("136 values") && why.contains("68 points of 2 and 1 more"), "{why}");
        let why = sidecar.model_output(&view, &raw(137, 2)).expect_err("two presences");
        assert!(why.contains("presence of shape [1, 2]"), "{why}");
    }
}
