//! What a model takes and gives: the `FILE.toml` beside `FILE.onnx`, explained in
//! `models/README.md`. Nothing here knows the engine.

use super::said::{Class, Said, Segments, Topology};
use super::view::View;
use super::{distance, roll};
use crate::photo::Photo;
use crate::plane::Grid;
use crate::srgb;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

/// Largest side of an input, px: the models of the field take 128 to 512.
const LARGEST_SIDE: usize = 1024;
/// Largest square to look at, and the farthest way below the eyes, in distances of the pupils: a
/// face is about 4 high.
const LARGEST_FRAME: f64 = 20.0;
/// What rounding may add to a probability.
const ROUNDING: f32 = 1e-3;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Segmentation,
    Landmarks,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Layout {
    Nchw,
    Nhwc,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    Rgb,
    Bgr,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Part {
    Photo,
    Face,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Activation {
    Logits,
    Probabilities,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Coordinates {
    Px,
    Unit,
}

/// An output of a model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum Output {
    /// Its place among the outputs, from 0.
    Place(usize),
    /// Its name.
    Name(String),
}

impl Default for Output {
    fn default() -> Self {
        Output::Place(0)
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Output::Place(place) => write!(f, "{place}"),
            Output::Name(name) => write!(f, "{name:?}"),
        }
    }
}

/// The file as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    kind: Kind,
    width: usize,
    height: usize,
    layout: Layout,
    order: Order,
    scale: f64,
    mean: [f64; 3],
    std: [f64; 3],
    view: Part,
    side: Option<f64>,
    drop: Option<f64>,
    #[serde(default)]
    output: Output,
    activation: Option<Activation>,
    classes: Option<Vec<String>>,
    map: Option<BTreeMap<Class, Vec<String>>>,
    topology: Option<Topology>,
    coordinates: Option<Coordinates>,
    dimensions: Option<usize>,
    extra: Option<usize>,
    presence: Option<Output>,
}

/// The part of a photo that a model looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Frame {
    /// All of it.
    Photo,
    /// A square turned with the eyes; lengths in distances of the pupils.
    Face { side: f64, drop: f64 },
}

/// What a model gives.
#[derive(Debug, Clone, PartialEq)]
enum Kept {
    /// For each of its planes, the class of ours that it belongs to.
    Planes { activation: Activation, ours: Vec<Option<Class>> },
    /// Points of so many values each, and so many values behind them that are left out.
    Points {
        topology: Topology,
        coordinates: Coordinates,
        dimensions: usize,
        extra: usize,
        presence: Option<Output>,
    },
}

/// A sidecar that makes sense.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sidecar {
    width: usize,
    height: usize,
    layout: Layout,
    order: Order,
    scale: f64,
    mean: [f64; 3],
    std: [f64; 3],
    frame: Frame,
    output: Output,
    kept: Kept,
}

/// One output of a model that has run.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    /// Lengths of its axes.
    pub shape: Vec<usize>,
    /// Its values, the last axis fastest.
    pub values: Vec<f32>,
}

impl Sidecar {
    /// Reads the text of a sidecar.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence.
    pub fn read(text: &str) -> Result<Self, String> {
        let written: Written = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                1 + text.as_bytes().iter().take(span.start).filter(|&&b| b == b'\n').count()
            });
            format!("line {line}: {}", error.message())
        })?;
        let sides = 1..=LARGEST_SIDE;
        if !sides.contains(&written.width) || !sides.contains(&written.height) {
            return Err(format!("width and height must lie in 1 … {LARGEST_SIDE}"));
        }
        let numbers = [[written.scale; 3], written.mean, written.std].concat();
        if !numbers.iter().all(|v| v.is_finite()) || written.std.contains(&0.0) {
            return Err("mean, std and scale must be finite, and std not 0".into());
        }
        Ok(Sidecar {
            width: written.width,
            height: written.height,
            layout: written.layout,
            order: written.order,
            scale: written.scale,
            mean: written.mean,
            std: written.std,
            frame: frame(&written)?,
            kept: match written.kind {
                Kind::Segmentation => planes(&written)?,
                Kind::Landmarks => points(&written)?,
            },
            output: written.output,
        })
    }

    /// Shape of the input.
    pub fn shape(&self) -> [usize; 4] {
        match self.layout {
            Layout::Nchw => [1, 3, self.height, self.width],
            Layout::Nhwc => [1, self.height, self.width, 3],
        }
    }

    /// The outputs to be asked for.
    pub fn outputs(&self) -> Vec<&Output> {
        let presence = match &self.kept {
            Kept::Points { presence, .. } => presence.as_ref(),
            Kept::Planes { .. } => None,
        };
        std::iter::once(&self.output).chain(presence).collect()
    }

    /// Where the model looks on a photo of `photo` px; nowhere where it looks at a face and there
    /// is none.
    pub fn view(&self, photo: [usize; 2], eyes: Option<[[f64; 2]; 2]>) -> Option<View> {
        let (width, height) = (self.width, self.height);
        let Frame::Face { side, drop } = self.frame else {
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

    /// Whether the model looks at a square around the eyes.
    pub fn looks_at_faces(&self) -> bool {
        matches!(self.frame, Frame::Face { .. })
    }

    /// The photo in a view, as the model takes it: in sRGB, normalised, in the sidecar's layout.
    pub fn input(&self, photo: &Photo, view: &View) -> Vec<f32> {
        let seen = view.sample(&photo.linear).map(|rgb| {
            [0, 1, 2].map(|c| {
                let channel = if self.order == Order::Bgr { 2 - c } else { c };
                let v = 255.0 * srgb::encode(f64::from(rgb[channel]));
                ((v - self.mean[c]) / self.std[c] * self.scale) as f32
            })
        });
        match self.layout {
            Layout::Nchw => (0..3).flat_map(|c| seen.data().iter().map(move |v| v[c])).collect(),
            Layout::Nhwc => seen.data().as_flattened().to_vec(),
        }
    }

    /// Holds the shapes of the outputs to what the sidecar says of them.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn check(&self, shapes: &[&[usize]]) -> Result<(), String> {
        let [first, presence @ ..] = shapes else {
            return Err("gives no output".into());
        };
        match &self.kept {
            Kept::Planes { ours, .. } => self.raster(first, ours.len()).map(|_| ()),
            Kept::Points { topology, dimensions, extra, .. } => {
                let values: usize = first.iter().product();
                if values != topology.points() * dimensions + extra {
                    let plus =
                        if *extra > 0 { format!(" and {extra} more") } else { String::new() };
                    return Err(format!(
                        "gives {values} values (shape {first:?}): {} points of \
                         {dimensions}{plus} are needed",
                        topology.points()
                    ));
                }
                match presence.iter().find(|shape| shape.iter().product::<usize>() != 1) {
                    Some(shape) => Err(format!("gives a presence of shape {shape:?}, not 1 value")),
                    None => Ok(()),
                }
            }
        }
    }

    /// Planes, columns and rows of an output of this shape.
    fn raster(&self, shape: &[usize], classes: usize) -> Result<[usize; 3], String> {
        let (planes, rows, columns) = match (shape, self.layout) {
            (&[1, c, y, x], Layout::Nchw) | (&[1, y, x, c], Layout::Nhwc) => (c, y, x),
            _ => (0, 0, 0),
        };
        let fits = planes == classes || (planes == 1 && classes == 2);
        if !fits || rows == 0 || columns == 0 {
            let (axes, or) = match self.layout {
                Layout::Nchw => (format!("1×{classes}×height×width"), "1×1×height×width"),
                Layout::Nhwc => (format!("1×height×width×{classes}"), "1×height×width×1"),
            };
            let or = if classes == 2 { format!(" or {or}") } else { String::new() };
            return Err(format!(
                "gives scores of shape {shape:?}: one plane for each of the {classes} classes is \
                 needed, {axes}{or}"
            ));
        }
        Ok([planes, columns, rows])
    }

    /// The outputs in the project's own words; `view` is where the model looked.
    ///
    /// # Errors
    /// Outputs of the wrong shape, or that are no numbers, or no probabilities.
    pub fn said(&self, view: &View, answers: &[Answer]) -> Result<Said, String> {
        let shapes: Vec<&[usize]> = answers.iter().map(|a| a.shape.as_slice()).collect();
        self.check(&shapes)?;
        if !answers.iter().all(|a| a.values.iter().all(|v| v.is_finite())) {
            return Err("gives scores that are not finite".into());
        }
        let first = &answers[0];
        match &self.kept {
            Kept::Planes { activation, ours } => {
                let raster = self.raster(&first.shape, ours.len())?;
                self.segments(view, raster, &first.values, *activation, ours).map(Said::Segments)
            }
            &Kept::Points { topology, coordinates, dimensions, .. } => {
                let size = match coordinates {
                    Coordinates::Px => [1.0, 1.0],
                    Coordinates::Unit => [self.width as f64, self.height as f64],
                };
                // Models count from the edge of the first pixel, views from its centre.
                let place =
                    |point: &[f32]| view.place([0, 1].map(|k| f64::from(point[k]) * size[k] - 0.5));
                let points = first.values.chunks_exact(dimensions).take(topology.points());
                let presence = answers.get(1).and_then(|a| a.values.first());
                Ok(Said::Landmarks {
                    topology,
                    points: points.map(place).collect(),
                    presence: presence.map(|&logit| 1.0 / (1.0 + f64::from(-logit).exp())),
                })
            }
        }
    }

    fn segments(
        &self,
        view: &View,
        [planes, width, height]: [usize; 3],
        values: &[f32],
        activation: Activation,
        ours: &[Option<Class>],
    ) -> Result<Segments, String> {
        let at = |class: usize, x: usize, y: usize| match self.layout {
            Layout::Nchw => values[(class * height + y) * width + x],
            Layout::Nhwc => values[(y * width + x) * planes + class],
        };
        // A single plane is the second of two; that the first scores 0 makes it a sigmoid.
        let score = |class: usize, x: usize, y: usize| match (planes, class, activation) {
            (1, 0, Activation::Logits) => 0.0,
            (1, 0, Activation::Probabilities) => 1.0 - at(0, x, y),
            (1, _, _) => at(0, x, y),
            _ => at(class, x, y),
        };
        // Probabilities of our classes, and the sum over all of the model's.
        let seen = Grid::from_fn(width, height, |x, y| {
            let scores = (0..ours.len()).map(|class| score(class, x, y));
            let best = scores.clone().fold(f32::NEG_INFINITY, f32::max);
            let mut sums = [0.0f32; Class::COUNT];
            let mut all = 0.0f32;
            for (value, class) in scores.zip(ours) {
                let value = match activation {
                    Activation::Logits => (value - best).exp(),
                    Activation::Probabilities => value.max(0.0),
                };
                all += value;
                if let Some(class) = class {
                    sums[*class as usize] += value;
                }
            }
            let whole = if activation == Activation::Logits { all } else { all.max(1.0) };
            (sums.map(|v| v / whole), all)
        });
        if activation == Activation::Probabilities {
            let low = values.iter().copied().fold(f32::INFINITY, f32::min);
            let high = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let sum = seen.data().iter().map(|(_, all)| *all).fold(0.0, f32::max);
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
            planes: Class::ALL.map(|class| seen.map(|(sums, _)| sums[class as usize])).to_vec(),
            told: Class::ALL.map(|class| ours.contains(&Some(class))),
        })
    }
}

/// Where the model looks.
fn frame(written: &Written) -> Result<Frame, String> {
    match (written.view, written.side, written.drop) {
        (Part::Photo, None, None) => Ok(Frame::Photo),
        (Part::Photo, _, _) => Err("side and drop belong to view = \"face\"".into()),
        (Part::Face, Some(side), Some(drop)) => {
            if side > 0.0 && side <= LARGEST_FRAME && drop.abs() <= LARGEST_FRAME {
                Ok(Frame::Face { side, drop })
            } else {
                let why = format!(
                    "side must lie in 0 … {LARGEST_FRAME} and drop in −{LARGEST_FRAME} … \
                     {LARGEST_FRAME} distances of the pupils"
                );
                Err(why)
            }
        }
        (Part::Face, _, _) => Err("view = \"face\" needs side and drop".into()),
    }
}

/// A key that one kind needs.
fn needed<T>(value: Option<T>, key: &str, kind: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("kind = \"{kind}\" needs {key}"))
}

/// Keys of the other kind.
fn strangers(keys: &[(&str, bool)], kind: &str) -> Result<(), String> {
    match keys.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(format!("{key} does not belong to kind = \"{kind}\"")),
        None => Ok(()),
    }
}

/// The keys of a segmentation.
fn planes(written: &Written) -> Result<Kept, String> {
    let kind = "segmentation";
    strangers(
        &[
            ("topology", written.topology.is_some()),
            ("coordinates", written.coordinates.is_some()),
            ("dimensions", written.dimensions.is_some()),
            ("extra", written.extra.is_some()),
            ("presence", written.presence.is_some()),
        ],
        kind,
    )?;
    let activation = needed(written.activation, "activation", kind)?;
    let classes = needed(written.classes.as_ref(), "classes", kind)?;
    let map = needed(written.map.as_ref(), "[map]", kind)?;
    if classes.len() < 2 {
        return Err("classes must name at least two (of a single plane: [not, is])".into());
    }
    if let Some((at, name)) =
        classes.iter().enumerate().find(|(at, name)| classes[..*at].contains(name))
    {
        return Err(format!("classes names {name:?} twice, the second time at {at}"));
    }
    let mut ours = vec![None; classes.len()];
    for (class, names) in map {
        for name in names {
            let Some(at) = classes.iter().position(|known| known == name) else {
                return Err(format!("[map] names {name:?}, which is none of the classes"));
            };
            if ours[at].replace(*class).is_some() {
                return Err(format!("[map] names {name:?} twice"));
            }
        }
    }
    if ours.iter().all(Option::is_none) {
        return Err("[map] names no class: the model would say nothing".into());
    }
    Ok(Kept::Planes { activation, ours })
}

/// The keys of landmarks.
fn points(written: &Written) -> Result<Kept, String> {
    let kind = "landmarks";
    strangers(
        &[
            ("activation", written.activation.is_some()),
            ("classes", written.classes.is_some()),
            ("[map]", written.map.is_some()),
        ],
        kind,
    )?;
    let dimensions = needed(written.dimensions, "dimensions", kind)?;
    if !(2..=3).contains(&dimensions) {
        return Err(format!("dimensions is {dimensions}; a point has 2 or 3"));
    }
    Ok(Kept::Points {
        topology: needed(written.topology, "topology", kind)?,
        coordinates: needed(written.coordinates, "coordinates", kind)?,
        dimensions,
        extra: written.extra.unwrap_or(0),
        presence: written.presence.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEGMENTATION: &str = r#"
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

    const LANDMARKS: &str = r#"
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

    fn photo(width: usize, height: usize, rgb: [u16; 3]) -> Photo {
        let linear = Grid::filled(width, height, rgb);
        Photo::drawn(linear)
    }

    #[test]
    fn the_shipped_sidecars_are_read() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models/sidecars");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("text");
            let read = Sidecar::read(&text);
            assert!(read.is_ok(), "{}: {read:?}", path.display());
            count += 1;
        }
        assert_eq!(count, 5);
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (base, from, to, expected) in [
            (SEGMENTATION, "width", "breadth", "line 3: unknown field `breadth`"),
            (SEGMENTATION, "kind = \"segmentation\"", "", "missing field `kind`"),
            (SEGMENTATION, "\"segmentation\"", "\"boxes\"", "line 2: unknown variant `boxes`"),
            (SEGMENTATION, "width = 4", "width = 0", "width and height must lie in 1 … 1024"),
            (SEGMENTATION, "height = 2", "height = 1025", "width and height must lie in 1 … 1024"),
            (SEGMENTATION, "width = 4", "width = -4", "line 3: invalid value"),
            (SEGMENTATION, "[255.0", "[0.0", "std not 0"),
            (SEGMENTATION, "scale = 1.0", "scale = inf", "must be finite"),
            (SEGMENTATION, "mean = [0.0,", "mean = [nan,", "must be finite"),
            (SEGMENTATION, "activation = \"logits\"", "", "needs activation"),
            (
                SEGMENTATION,
                "activation",
                "dimensions = 2\nactivation",
                "dimensions does not belong",
            ),
            (SEGMENTATION, "activation", "side = 3.0\nactivation", "belong to view = \"face\""),
            (SEGMENTATION, "\"dog\"", "\"wall\"", "classes names \"wall\" twice"),
            (
                SEGMENTATION,
                ", \"nose\"]\n",
                ", \"cat\"]\n",
                "\"cat\", which is none of the classes",
            ),
            (SEGMENTATION, ", \"nose\"]\n", ", \"wall\"]\n", "[map] names \"wall\" twice"),
            (SEGMENTATION, ", \"nose\"]\n", ", \"face\"]\n", "[map] names \"face\" twice"),
            (SEGMENTATION, "skin =", "fur =", "unknown variant `fur`"),
            (SEGMENTATION, "[\"wall\", \"face\", \"nose\", \"dog\"]", "[\"face\"]", "at least two"),
            (
                SEGMENTATION,
                "background = [\"wall\"]\nskin = [\"face\", \"nose\"]",
                "hair = []",
                "names no class",
            ),
            (LANDMARKS, "ibug68", "ibug98", "unknown variant `ibug98`"),
            (LANDMARKS, "dimensions = 2", "dimensions = 4", "a point has 2 or 3"),
            (LANDMARKS, "coordinates = \"unit\"", "", "needs coordinates"),
            (LANDMARKS, "side = 4.0\n", "", "needs side and drop"),
            (LANDMARKS, "side = 4.0", "side = 0.0", "side must lie in 0 … 20"),
            (LANDMARKS, "drop = 0.5", "drop = nan", "drop in −20 … 20"),
            (LANDMARKS, "extra = 1", "classes = []", "classes does not belong"),
        ] {
            let text = base.replace(from, to);
            assert_ne!(text, base, "{from}");
            let said = Sidecar::read(&text).expect_err(to);
            assert!(said.contains(expected), "{to}: {said}");
        }
    }

    #[test]
    fn inputs_are_normalised_in_layout_and_order() {
        let photo = photo(8, 4, [65_535, 0, 0]);
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

    fn segments(sidecar: &Sidecar, shape: &[usize], values: Vec<f32>) -> Result<Segments, String> {
        let view = sidecar.view([40, 20], None).expect("a view");
        let answer = Answer { shape: shape.to_vec(), values };
        match sidecar.said(&view, &[answer])? {
            Said::Segments(segments) => Ok(segments),
            Said::Landmarks { .. } => Err("landmarks".into()),
        }
    }

    #[test]
    fn scores_become_probabilities_of_our_classes() {
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
        assert_eq!(nchw.told, Class::ALL.map(|c| matches!(c, Class::Background | Class::Skin)));
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
    fn a_single_plane_says_not_and_is() {
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
            let said = segments(&sidecar, &shape, bad).expect_err("no probabilities");
            assert!(said.contains("no probabilities"), "{said}");
        }
        let said = segments(&sidecar, &[1, 2, 1, 1], vec![0.9, 0.9]).expect_err("1.8");
        assert!(said.contains("sum to 1.8"), "{said}");
    }

    #[test]
    fn scores_of_another_shape_or_without_a_value_are_refused() {
        let sidecar = Sidecar::read(SEGMENTATION).expect("a sidecar");
        for shape in
            [&[1, 3, 2, 2][..], &[1, 1, 4, 3], &[4, 3, 1], &[2, 4, 1, 2], &[1, 4, 0, 3], &[]]
        {
            let count = shape.iter().product();
            let said = segments(&sidecar, shape, vec![0.0; count]).expect_err("a wrong shape");
            assert!(said.contains("one plane for each of the 4 classes"), "{said}");
        }
        for bad in [f32::NAN, f32::INFINITY] {
            let said =
                segments(&sidecar, &[1, 4, 1, 1], vec![0.0, 0.0, bad, 0.0]).expect_err("NaN");
            assert!(said.contains("not finite"), "{said}");
        }
    }

    fn answers(values: usize, presence: usize) -> [Answer; 2] {
        [vec![0.5; values], vec![3f32.ln(); presence]]
            .map(|values| Answer { shape: vec![1, values.len()], values })
    }

    #[test]
    fn points_lie_in_the_turned_square() {
        let sidecar = Sidecar::read(LANDMARKS).expect("a sidecar");
        let outputs = [Output::Name("points".into()), Output::Place(1)];
        assert_eq!(sidecar.outputs(), outputs.iter().collect::<Vec<_>>());
        assert_eq!(sidecar.view([300, 300], None), None);
        assert_eq!(sidecar.view([300, 300], Some([[9.0, 9.0]; 2])), None);
        // Eyes 20 px apart, the face turned clockwise by a right angle: its chin is at the left.
        let eyes = [[100.0, 90.0], [100.0, 110.0]];
        let view = sidecar.view([300, 300], Some(eyes)).expect("a view");
        let mut answers = answers(137, 1);
        answers[0].values[..4].copy_from_slice(&[0.25, 0.5, 0.5, 1.0]);
        let said = sidecar.said(&view, &answers).expect("landmarks");
        let Said::Landmarks { topology, points, presence } = said else { panic!("{said:?}") };
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
        let said = sidecar.said(&view, &answers(136, 1)).expect_err("one too few");
        assert!(
            said.contains("136 values") && said.contains("68 points of 2 and 1 more"),
            "{said}"
        );
        let said = sidecar.said(&view, &answers(137, 2)).expect_err("two presences");
        assert!(said.contains("presence of shape [1, 2]"), "{said}");
    }
}
