//! ONNX models, the project's own or one that the user names (`--model FILE.onnx`). No other file uses
//! the inference engine.
//!
//! `FILE.toml` beside the weights describes input and outputs: see `sidecar`, and `models/README.md`
//! for users.

use super::model_output::ModelOutput;
use crate::error::{Error, Result, Step};
use crate::photo::Photo;
use std::ffi::OsStr;
use std::path::Path;

/// A model, loaded and ready to run; all threads and photos of a process share it.
#[derive(Debug)]
pub struct Model {
    #[cfg(feature = "onnx")]
    engine: engine::Engine,
    #[cfg(not(feature = "onnx"))]
    never: std::convert::Infallible,
}

/// Name of a file without its folder.
fn name(path: &Path) -> &OsStr {
    path.file_name().unwrap_or(path.as_os_str())
}

#[cfg(not(feature = "onnx"))]
impl Model {
    /// Loads `path` and the `.toml` beside it.
    ///
    /// # Errors
    /// Always: this build holds no engine for models.
    pub fn load(path: &Path) -> Result<Self> {
        let why = "this build cannot run models; it needs the onnx feature";
        Err(Error::new(name(path), Step::Model, why))
    }

    /// The project's own model: none in this build.
    pub fn built_in() -> Option<&'static Self> {
        None
    }

    pub(super) fn run(&self, _photo: &Photo, _eyes: Option<[[f64; 2]; 2]>) -> Result<ModelOutput> {
        match self.never {}
    }

    pub(super) fn needs_eyes(&self) -> bool {
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
    /// A file that is missing or malformed, an operation that the engine does not support, inputs or
    /// outputs other than those of the sidecar.
    pub fn load(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|cause| {
            Error::caused(name(path), Step::Model, format!("cannot be read: {cause}"), cause)
        })?;
        let beside = path.with_extension("toml");
        let text = std::fs::read_to_string(&beside).map_err(|cause| {
            let why =
                format!("cannot be read: {cause}; it must say what the model beside it takes");
            Error::caused(name(&beside), Step::Model, why, cause)
        })?;
        Model::from_bytes(&name(path).to_string_lossy(), &bytes, &text)
    }

    /// The project's own model (`models/face-regions.onnx`), part of the program and prepared once
    /// per process.
    pub fn built_in() -> Option<&'static Self> {
        static OWN: std::sync::OnceLock<Option<Model>> = std::sync::OnceLock::new();
        let load = || {
            let onnx = include_bytes!("../../models/face-regions.onnx");
            let toml = include_str!("../../models/face-regions.toml");
            // That it can be prepared is tested.
            Model::from_bytes("face-regions.onnx", onnx, toml).ok()
        };
        OWN.get_or_init(load).as_ref()
    }

    /// A model whose file `file` holds `onnx`, with `toml` as its sidecar.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub(super) fn from_bytes(file: &str, onnx: &[u8], toml: &str) -> Result<Self> {
        Ok(Model { engine: engine::Engine::new(file, onnx, toml)? })
    }

    /// Runs the model on a photo; `eyes`: the pupils, the subject's right one first, photo px.
    ///
    /// # Errors
    /// No eyes where [`Model::needs_eyes`]; outputs that are not finite, or no probabilities.
    pub(super) fn run(&self, photo: &Photo, eyes: Option<[[f64; 2]; 2]>) -> Result<ModelOutput> {
        self.engine.run(photo, eyes)
    }

    /// Whether its input is a square around the eyes.
    pub(super) fn needs_eyes(&self) -> bool {
        self.engine.needs_eyes()
    }

    /// File name and SHA-256.
    pub(super) fn identity(&self) -> (String, String) {
        (self.engine.file.clone(), self.engine.sha256.clone())
    }
}

#[cfg(feature = "onnx")]
mod engine {
    use super::*;
    use crate::region::sidecar::{OutputId, RawOutput, Sidecar};
    use sha2::{Digest, Sha256};
    use std::fmt::Display;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::Arc;
    use tract_onnx::prelude::*;
    use tract_onnx::tract_core::internal::{DimLike, bail, format_err};
    use tract_onnx::tract_hir::infer::Factoid;

    /// A net with its file name, hash and sidecar.
    #[derive(Debug)]
    pub(super) struct Engine {
        pub file: String,
        pub sha256: String,
        sidecar: Sidecar,
        net: Net,
    }

    impl Engine {
        pub fn new(file: &str, onnx: &[u8], toml: &str) -> Result<Self> {
            let beside = Path::new(file).with_extension("toml");
            let sidecar = Sidecar::read(toml).map_err(|error| error.about(&beside))?;
            let fail = |why: String| Error::new(file, Step::Model, why);
            let net = Net::new(onnx, sidecar.shape(), &sidecar.outputs())
                .map_err(|error| error.about(file))?;
            let known: Vec<&[usize]> = net.shapes.iter().map_while(|s| s.as_deref()).collect();
            if known.len() == net.shapes.len() {
                sidecar.check_shapes(&known).map_err(fail)?;
            }
            let sha256 = Sha256::digest(onnx).iter().map(|b| format!("{b:02x}")).collect();
            Ok(Engine { file: file.into(), sha256, sidecar, net })
        }

        pub fn needs_eyes(&self) -> bool {
            self.sidecar.needs_eyes()
        }

        pub fn run(&self, photo: &Photo, eyes: Option<[[f64; 2]; 2]>) -> Result<ModelOutput> {
            let fail = |why: String| Error::new(&self.file, Step::Model, why);
            let view = self
                .sidecar
                .view([photo.width(), photo.height()], eyes)
                .ok_or_else(|| fail("needs the eyes of a face, and there is none".into()))?;
            let outputs = self.net.run(self.sidecar.input(photo, &view));
            let outputs = outputs.map_err(|error| error.about(&self.file))?;
            self.sidecar.model_output(&view, &outputs).map_err(fail)
        }
    }

    /// A graph prepared for one shape of its only input; its errors name no file.
    pub(super) struct Net {
        input: [usize; 4],
        /// Shapes of the requested outputs, where they are known before it runs.
        shapes: Vec<Option<Vec<usize>>>,
        plan: Arc<TypedRunnableModel>,
    }

    impl std::fmt::Debug for Net {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("Net").field("input", &self.input).finish_non_exhaustive()
        }
    }

    impl Net {
        /// Reads `onnx` for an input of this shape and for these outputs in this order.
        pub fn new(onnx: &[u8], input: [usize; 4], outputs: &[&OutputId]) -> Result<Self> {
            guarded("prepared", || {
                let mut graph = tract_onnx::onnx().model_for_read(&mut &*onnx)?;
                check_input(&graph, input)?;
                let requested = requested(&graph, outputs)?;
                graph.select_output_outlets(&requested)?;
                let model = graph.with_input_fact(0, f32::fact(input).into())?.into_optimized()?;
                let shapes = (0..outputs.len())
                    .map(|i| Ok(model.output_fact(i)?.shape.as_concrete().map(<[usize]>::to_vec)))
                    .collect::<TractResult<_>>()?;
                Ok(Net { input, shapes, plan: model.into_runnable()? })
            })
        }

        /// Runs the net on the values of an input.
        pub fn run(&self, values: Vec<f32>) -> Result<Vec<RawOutput>> {
            guarded("run", || {
                let input = tract_ndarray::Array4::from_shape_vec(self.input, values)?;
                let input = tvec!(Tensor::from(input).into());
                let outputs = self.plan.run(input)?;
                let read = |output: &TValue| {
                    let view = output.to_plain_array_view::<f32>()?;
                    Ok(RawOutput {
                        shape: view.shape().to_vec(),
                        values: view.iter().copied().collect(),
                    })
                };
                outputs.iter().map(read).collect()
            })
        }
    }

    /// Compares the only input of a graph, where it has a fixed shape, with the sidecar's.
    fn check_input(graph: &InferenceModel, wanted: [usize; 4]) -> TractResult<()> {
        let count = graph.input_outlets()?.len();
        if count != 1 {
            bail!("it takes {count} inputs; only one, the photo, is supported");
        }
        let fact = graph.input_fact(0)?;
        if let Some(kind) = fact.datum_type.concretize()
            && kind != f32::datum_type()
        {
            bail!("it takes numbers of type {kind:?}, and only F32 is supported");
        }
        let dims: Vec<Option<usize>> = fact
            .shape
            .dims()
            .map(|dim| dim.concretize().and_then(|dim| dim.to_usize().ok()))
            .collect();
        let differs = |(dim, wanted): (&Option<usize>, &usize)| dim.is_some_and(|n| n != *wanted);
        let rank = !fact.shape.is_open() && dims.len() != wanted.len();
        if rank || dims.iter().zip(&wanted).any(differs) {
            let text = |dim: &Option<usize>| dim.map_or("?".into(), |n| n.to_string());
            let theirs: Vec<String> = dims.iter().map(text).collect();
            let ours = wanted.map(|n| n.to_string());
            bail!(
                "it takes an input of {}, and the sidecar says {} (layout, width, height)",
                theirs.join("×"),
                ours.join("×")
            );
        }
        Ok(())
    }

    /// The outlets of these outputs.
    fn requested(graph: &InferenceModel, outputs: &[&OutputId]) -> TractResult<Vec<OutletId>> {
        let all = graph.output_outlets()?;
        let label = |outlet: &OutletId| graph.outlet_label(*outlet).unwrap_or_default();
        let find = |output: &&OutputId| {
            let found = match output {
                OutputId::Index(index) => all.get(*index),
                OutputId::Name(name) => all.iter().find(|outlet| label(outlet) == name),
            };
            found.copied().ok_or_else(|| {
                let names: Vec<&str> = all.iter().map(label).collect();
                format_err!("it has no output {output}; it has {}: {}", all.len(), names.join(", "))
            })
        };
        outputs.iter().map(find).collect()
    }

    /// Runs `work` of the engine; its errors and its panics are errors.
    ///
    /// The engine panics on some broken files. The process's panic hook is left as it is, so that
    /// such a panic is also printed on standard error.
    fn guarded<T>(what: &str, work: impl FnOnce() -> TractResult<T>) -> Result<T> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(result) => result.map_err(|cause| {
                let why = format!("cannot be {what}: {}", chain(&cause));
                Error::caused("", Step::Model, why, cause)
            }),
            Err(_) => {
                let why = format!("cannot be {what}: the engine failed on it");
                Err(Error::new("", Step::Model, why))
            }
        }
    }

    /// An error with its causes, on one line.
    fn chain(error: &(impl Display + ?Sized)) -> String {
        format!("{error:#}").replace('\n', " ")
    }
}

#[cfg(test)]
mod tests;
