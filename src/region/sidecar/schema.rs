//! The text of a sidecar, as serde reads it. Its keys are explained in `models/README.md`.

use crate::region::model_output::{Class, Topology};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ModelKind {
    Segmentation,
    Landmarks,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Layout {
    Nchw,
    Nhwc,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Order {
    Rgb,
    Bgr,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ViewKind {
    Photo,
    Face,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Activation {
    Logits,
    Probabilities,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Coordinates {
    Px,
    Unit,
}

/// An output of a model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(in crate::region) enum OutputId {
    /// Its index among the outputs, from 0.
    Index(usize),
    /// Its name.
    Name(String),
}

impl Default for OutputId {
    fn default() -> Self {
        OutputId::Index(0)
    }
}

impl fmt::Display for OutputId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OutputId::Index(index) => write!(f, "{index}"),
            OutputId::Name(name) => write!(f, "{name:?}"),
        }
    }
}

/// The keys of the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SidecarFile {
    pub kind: ModelKind,
    pub width: usize,
    pub height: usize,
    pub layout: Layout,
    pub order: Order,
    pub scale: f64,
    pub mean: [f64; 3],
    pub std: [f64; 3],
    pub view: ViewKind,
    pub side: Option<f64>,
    pub drop: Option<f64>,
    #[serde(default)]
    pub output: OutputId,
    pub activation: Option<Activation>,
    pub classes: Option<Vec<String>>,
    pub map: Option<BTreeMap<Class, Vec<String>>>,
    pub topology: Option<Topology>,
    pub coordinates: Option<Coordinates>,
    pub dimensions: Option<usize>,
    pub extra: Option<usize>,
    pub presence: Option<OutputId>,
}
