//! Skin from a segmentation model that the user names (`--model FILE.onnx`).
//!
//! A file of weights does not say what it wants, so `FILE.toml` beside it does:
//! ```toml
//! width = 512            # input, px
//! height = 512
//! layout = "nchw"        # or "nhwc"
//! order = "rgb"          # or "bgr"
//! scale = 0.00392156862  # input = (v − mean) / std · scale, v = 0 … 255 in sRGB
//! mean = [0.0, 0.0, 0.0] # in that order
//! std = [1.0, 1.0, 1.0]
//! classes = ["background", "skin", "hair"]
//! skin = ["skin"]        # those that are skin
//! ```
//! The first output must hold one plane of scores (logits or probabilities) per class; a pixel is
//! skin when one of the skin classes has the highest score of all.

use crate::error::Result;
use crate::photo::Photo;
use crate::plane::{Mask, Window};
use std::path::Path;

/// A segmentation model, loaded and ready to run.
#[derive(Debug)]
pub struct Model {
    #[cfg(feature = "onnx")]
    engine: engine::Engine,
    #[cfg(not(feature = "onnx"))]
    never: std::convert::Infallible,
}

#[cfg(not(feature = "onnx"))]
impl Model {
    /// Loads `path` and the `.toml` beside it.
    ///
    /// # Errors
    /// Always: this build holds no engine for models.
    pub fn load(path: &Path) -> Result<Self> {
        use crate::error::{Error, Step};
        let name = path.file_name().unwrap_or(path.as_os_str());
        let why = "built without the onnx feature: cargo build --release --features onnx";
        Err(Error::new(name, Step::Model, why))
    }

    pub(super) fn skin(&self, _photo: &Photo, _window: Window) -> Result<Mask> {
        match self.never {}
    }

    pub(super) fn identity(&self) -> (String, String) {
        match self.never {}
    }
}

#[cfg(feature = "onnx")]
impl Model {
    /// Loads `path` and the `.toml` beside it.
    ///
    /// # Errors
    /// A file that is missing or malformed, an operation that the engine does not know.
    pub fn load(path: &Path) -> Result<Self> {
        Ok(Model { engine: engine::Engine::load(path)? })
    }

    /// Where the model sees skin, inside `window` of the photo.
    ///
    /// # Errors
    /// An output of the wrong shape, or one that is not finite.
    pub(super) fn skin(&self, photo: &Photo, window: Window) -> Result<Mask> {
        self.engine.skin(photo, window)
    }

    /// File name and SHA-256.
    pub(super) fn identity(&self) -> (String, String) {
        (self.engine.file.clone(), self.engine.sha256.clone())
    }
}

#[cfg(feature = "onnx")]
mod engine {
    use super::*;
    use crate::error::{Error, Step};
    use crate::filter::warp::bilinear;
    use crate::plane::Plane;
    use crate::region::view::{Rect, resample};
    use crate::srgb;
    use sha2::{Digest, Sha256};
    use std::fmt::Display;
    use std::sync::Arc;
    use tract_onnx::prelude::*;

    #[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Layout {
        Nchw,
        Nhwc,
    }

    #[derive(Debug, Clone, Copy, PartialEq, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Order {
        Rgb,
        Bgr,
    }

    /// What the model wants and gives.
    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sidecar {
        width: usize,
        height: usize,
        layout: Layout,
        order: Order,
        scale: f64,
        mean: [f64; 3],
        std: [f64; 3],
        classes: Vec<String>,
        skin: Vec<String>,
    }

    pub(super) struct Engine {
        pub file: String,
        pub sha256: String,
        sidecar: Sidecar,
        /// For each class, whether it is skin.
        is_skin: Vec<bool>,
        plan: Arc<TypedRunnableModel>,
    }

    impl std::fmt::Debug for Engine {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Engine").field("file", &self.file).finish_non_exhaustive()
        }
    }

    /// Largest side of an input, px.
    const LARGEST_SIDE: usize = 4096;

    impl Engine {
        pub fn load(path: &Path) -> Result<Self> {
            let name = |p: &Path| p.file_name().unwrap_or(p.as_os_str()).to_owned();
            let fail = |why: String| Error::new(name(path), Step::Model, why);
            let bytes = std::fs::read(path).map_err(|e| fail(format!("cannot be read: {e}")))?;
            let beside = path.with_extension("toml");
            let side = |why: String| Error::new(name(&beside), Step::Model, why);
            let text = std::fs::read_to_string(&beside).map_err(|e| {
                side(format!("cannot be read: {e}; it must say what the model beside it takes"))
            })?;
            let sidecar: Sidecar = toml::from_str(&text).map_err(|e| side(e.to_string()))?;
            let is_skin: Vec<bool> =
                sidecar.classes.iter().map(|class| sidecar.skin.contains(class)).collect();
            let stranger = sidecar.skin.iter().find(|class| !sidecar.classes.contains(class));
            let sides = 1..=LARGEST_SIDE;
            let [m, s] = [sidecar.mean, sidecar.std];
            let numbers = [m[0], m[1], m[2], s[0], s[1], s[2], sidecar.scale];
            let wrong = if let Some(class) = stranger {
                Some(format!("skin names \"{class}\", which is none of the classes"))
            } else if !is_skin.contains(&true) || !is_skin.contains(&false) {
                Some("at least one class must be skin and at least one must not".into())
            } else if !sides.contains(&sidecar.width) || !sides.contains(&sidecar.height) {
                Some(format!("width and height must lie in 1 … {LARGEST_SIDE}"))
            } else if !numbers.iter().all(|v| v.is_finite()) || s.contains(&0.0) {
                Some("mean, std and scale must be finite, and std not 0".into())
            } else {
                None
            };
            if let Some(why) = wrong {
                return Err(side(why));
            }
            let (w, h) = (sidecar.width, sidecar.height);
            let shape = match sidecar.layout {
                Layout::Nchw => [1, 3, h, w],
                Layout::Nhwc => [1, h, w, 3],
            };
            let plan = || -> TractResult<Arc<TypedRunnableModel>> {
                tract_onnx::onnx()
                    .model_for_read(&mut bytes.as_slice())?
                    .with_input_fact(0, f32::fact(shape).into())?
                    .into_optimized()?
                    .into_runnable()
            };
            let plan = plan().map_err(|e| fail(format!("cannot be prepared: {}", chain(&e))))?;
            let sha256 = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
            let file = name(path).to_string_lossy().into_owned();
            Ok(Engine { file, sha256, sidecar, is_skin, plan })
        }

        pub fn skin(&self, photo: &Photo, window: Window) -> Result<Mask> {
            let fail = |why: String| Error::new(&self.file, Step::Model, why);
            let Sidecar { width: w, height: h, layout, .. } = self.sidecar;
            let output = self
                .plan
                .run(tvec!(self.input(photo).into()))
                .map_err(|e| fail(format!("cannot run: {}", chain(&e))))?;
            let Some(output) = output.first() else {
                return Err(fail("gives no output".into()));
            };
            let scores = output
                .to_plain_array_view::<f32>()
                .map_err(|e| fail(format!("gives no f32 scores: {}", chain(&e))))?;
            let n = self.is_skin.len();
            let (classes, rows, columns) = match (scores.shape(), layout) {
                (&[1, c, y, x], Layout::Nchw) | (&[1, y, x, c], Layout::Nhwc) => (c, y, x),
                (&[c, y, x], Layout::Nchw) | (&[y, x, c], Layout::Nhwc) => (c, y, x),
                _ => (0, 0, 0),
            };
            if classes != n || rows == 0 || columns == 0 {
                let why = format!(
                    "gives scores of shape {:?} for an input of {w}×{h} px: one plane for each of \
                     the {n} classes is needed",
                    scores.shape()
                );
                return Err(fail(why));
            }
            if scores.iter().any(|v| !v.is_finite()) {
                return Err(fail("gives scores that are not finite".into()));
            }
            let flat: Vec<f32> = scores.iter().copied().collect();
            let at = |class: usize, y: usize, x: usize| match layout {
                Layout::Nchw => flat[(class * rows + y) * columns + x],
                Layout::Nhwc => flat[(y * columns + x) * n + class],
            };
            // Best skin class against the best other: ≥ 0 where skin wins.
            let lead = Plane::from_fn(columns, rows, |x, y| {
                let best = |skin: bool| {
                    let of = (0..n).filter(|&k| self.is_skin[k] == skin);
                    of.map(|k| at(k, y, x)).fold(f32::NEG_INFINITY, f32::max)
                };
                (best(true) - best(false)).clamp(-1e6, 1e6)
            });
            let (kx, ky) =
                (columns as f64 / photo.width() as f64, rows as f64 / photo.height() as f64);
            Ok(Mask::from_fn(window.width, window.height, |x, y| {
                let (px, py) = ((window.x + x) as f64, (window.y + y) as f64);
                bilinear(&lead, (px + 0.5) * kx - 0.5, (py + 0.5) * ky - 0.5) > 0.0
            }))
        }

        /// The whole photo at the model's size, in sRGB, normalised as the sidecar says.
        fn input(&self, photo: &Photo) -> Tensor {
            let s = &self.sidecar;
            let frame = Rect {
                x: -0.5,
                y: -0.5,
                width: photo.width() as f64,
                height: photo.height() as f64,
            };
            let small = resample(&photo.linear, frame, s.width, s.height);
            let value = |y: usize, x: usize, c: usize| {
                let channel = if s.order == Order::Bgr { 2 - c } else { c };
                let v = 255.0 * srgb::encode(f64::from(small.at(x, y)[channel]));
                ((v - s.mean[c]) / s.std[c] * s.scale) as f32
            };
            let array = match s.layout {
                Layout::Nchw => tract_ndarray::Array4::from_shape_fn(
                    (1, 3, s.height, s.width),
                    |(_, c, y, x)| value(y, x, c),
                ),
                Layout::Nhwc => tract_ndarray::Array4::from_shape_fn(
                    (1, s.height, s.width, 3),
                    |(_, y, x, c)| value(y, x, c),
                ),
            };
            array.into()
        }
    }

    /// An error with its causes on one line.
    fn chain(error: &(impl Display + ?Sized)) -> String {
        format!("{error:#}").replace('\n', " ")
    }
}

#[cfg(all(test, not(feature = "onnx")))]
mod tests {
    use super::*;

    #[test]
    fn a_build_without_the_engine_says_how_to_get_it() {
        let error = Model::load(Path::new("folder/net.onnx")).expect_err("no engine").to_string();
        assert_eq!(
            error,
            "net.onnx: model: built without the onnx feature: cargo build --release --features onnx"
        );
    }
}
