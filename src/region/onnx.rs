//! Skin from a segmentation model that the user names (`--model FILE.onnx`).

use crate::error::Result;
use crate::photo::Photo;
use crate::plane::{Mask, Window};

/// A segmentation model.
#[derive(Debug)]
pub struct Model {}

impl Model {
    pub(super) fn skin(&self, _photo: &Photo, window: Window) -> Result<Mask> {
        Ok(Mask::filled(window.width, window.height, true))
    }
    pub(super) fn identity(&self) -> (String, String) {
        Default::default()
    }
}
