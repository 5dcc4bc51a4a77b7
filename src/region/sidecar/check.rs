//! Validation: the keys that each kind of model needs, their ranges, and the shapes of its outputs.

use super::schema::{Layout, ModelKind, SidecarFile, ViewKind};
use super::{Crop, OutputKind, Sidecar};
use crate::error::{Error, Result, Step};

/// Largest side of an input, px: the models of the field take 128 to 512.
const LARGEST_SIDE: usize = 1024;
/// Largest side of a square crop, and its largest drop below the eyes, in pupil distances: a face is
/// about 4 high.
const LARGEST_CROP: f64 = 20.0;

impl Sidecar {
    /// Reads the text of a sidecar.
    ///
    /// # Errors
    /// A file that is malformed or contradicts itself; the error names no file.
    pub fn read(text: &str) -> Result<Self> {
        let file: SidecarFile = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                1 + text.as_bytes().iter().take(span.start).filter(|&&b| b == b'\n').count()
            });
            let why = format!("line {line}: {}", error.message());
            Error::caused("", Step::Model, why, error)
        })?;
        Sidecar::checked(file).map_err(|why| Error::new("", Step::Model, why))
    }

    fn checked(file: SidecarFile) -> Result<Self, String> {
        let sides = 1..=LARGEST_SIDE;
        if !sides.contains(&file.width) || !sides.contains(&file.height) {
            return Err(format!("width and height must lie in 1 … {LARGEST_SIDE}"));
        }
        let numbers = [[file.scale; 3], file.mean, file.std].concat();
        if !numbers.iter().all(|v| v.is_finite()) || file.std.contains(&0.0) {
            return Err("mean, std and scale must be finite, and std not 0".into());
        }
        Ok(Sidecar {
            width: file.width,
            height: file.height,
            layout: file.layout,
            order: file.order,
            scale: file.scale,
            mean: file.mean,
            std: file.std,
            crop: crop(&file)?,
            output_kind: match file.kind {
                ModelKind::Segmentation => planes(&file)?,
                ModelKind::Landmarks => points(&file)?,
            },
            output: file.output,
        })
    }

    /// Checks the shapes of the outputs against the sidecar.
    ///
    /// # Errors
    /// Other shapes; the message states the expected ones.
    pub fn check_shapes(&self, shapes: &[&[usize]]) -> Result<(), String> {
        let [first, presence @ ..] = shapes else {
            return Err("gives no output".into());
        };
        match &self.output_kind {
            OutputKind::Planes { ours, .. } => self.raster(first, ours.len()).map(|_| ()),
            OutputKind::Points { topology, dimensions, extra, .. } => {
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
    pub(super) fn raster(&self, shape: &[usize], classes: usize) -> Result<[usize; 3], String> {
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
}

/// The part of a photo that is the model's input.
fn crop(file: &SidecarFile) -> Result<Crop, String> {
    match (file.view, file.side, file.drop) {
        (ViewKind::Photo, None, None) => Ok(Crop::Photo),
        (ViewKind::Photo, _, _) => Err("side and drop belong to view = \"face\"".into()),
        (ViewKind::Face, Some(side), Some(drop)) => {
            if side > 0.0 && side <= LARGEST_CROP && drop.abs() <= LARGEST_CROP {
                Ok(Crop::Face { side, drop })
            } else {
                let why = format!(
                    "side must lie in 0 … {LARGEST_CROP} and drop in −{LARGEST_CROP} … \
                     {LARGEST_CROP} distances of the pupils"
                );
                Err(why)
            }
        }
        (ViewKind::Face, _, _) => Err("view = \"face\" needs side and drop".into()),
    }
}

/// A key that this kind of model requires.
fn needed<T>(value: Option<T>, key: &str, kind: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("kind = \"{kind}\" needs {key}"))
}

/// Refuses keys that belong to the other kind of model.
fn unexpected_keys(keys: &[(&str, bool)], kind: &str) -> Result<(), String> {
    match keys.iter().find(|(_, given)| *given) {
        Some((key, _)) => Err(format!("{key} does not belong to kind = \"{kind}\"")),
        None => Ok(()),
    }
}

/// The keys of a segmentation.
fn planes(file: &SidecarFile) -> Result<OutputKind, String> {
    let kind = "segmentation";
    unexpected_keys(
        &[
            ("topology", file.topology.is_some()),
            ("coordinates", file.coordinates.is_some()),
            ("dimensions", file.dimensions.is_some()),
            ("extra", file.extra.is_some()),
            ("presence", file.presence.is_some()),
        ],
        kind,
    )?;
    let activation = needed(file.activation, "activation", kind)?;
    let classes = needed(file.classes.as_ref(), "classes", kind)?;
    let map = needed(file.map.as_ref(), "[map]", kind)?;
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
        return Err("[map] names no class: the model would have no output".into());
    }
    Ok(OutputKind::Planes { activation, ours })
}

/// The keys of landmarks.
fn points(file: &SidecarFile) -> Result<OutputKind, String> {
    let kind = "landmarks";
    unexpected_keys(
        &[
            ("activation", file.activation.is_some()),
            ("classes", file.classes.is_some()),
            ("[map]", file.map.is_some()),
        ],
        kind,
    )?;
    let dimensions = needed(file.dimensions, "dimensions", kind)?;
    if !(2..=3).contains(&dimensions) {
        return Err(format!("dimensions is {dimensions}; a point has 2 or 3"));
    }
    Ok(OutputKind::Points {
        topology: needed(file.topology, "topology", kind)?,
        coordinates: needed(file.coordinates, "coordinates", kind)?,
        dimensions,
        extra: file.extra.unwrap_or(0),
        presence: file.presence.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::samples::{LANDMARKS, SEGMENTATION};
    use super::*;

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
    fn keys_that_do_not_fit_are_refused() {
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
            let why = Sidecar::read(&text).expect_err(to).why;
            assert!(why.contains(expected), "{to}: {why}");
        }
    }
}
