//! Skin from a segmentation model that the user names (`--model FILE.onnx`).

use crate::error::Result;
use crate::photo::Photo;
use crate::plane::{Mask, Window};

/// A segmentation model.
#[derive(Debug)]
pub struct Model {}

impl Model {
    /// Reads FILE.onnx and FILE.toml.
    pub fn load(path: &std::path::Path) -> Result<Model> {
        Err(crate::Error::new(path, crate::Step::Model, "built without the onnx feature"))
    }
    pub(super) fn skin(&self, _photo: &Photo, window: Window) -> Result<Mask> {
        Ok(Mask::filled(window.width, window.height, true))
    }
    pub(super) fn identity(&self) -> (String, String) {
        Default::default()
    }
}
