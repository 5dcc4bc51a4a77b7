//! Regions: which pixels of the baseline are measured, and under which name.

pub mod face;

use crate::plane::{Mask, Window};

/// Name of the region that is always added: every skin pixel.
pub const WHOLE: &str = "whole";

/// The named facial regions in the order of result tables; left and right are the subject's own.
pub const FACE_REGIONS: [&str; 13] = [
    "forehead",
    "glabella",
    "lateral_canthal_left",
    "lateral_canthal_right",
    "infraorbital_left",
    "infraorbital_right",
    "nose",
    "cheek_left",
    "cheek_right",
    "nasolabial_left",
    "nasolabial_right",
    "perioral",
    "chin",
];

/// What the user asked for with `--regions`.
#[derive(Debug, Clone, PartialEq)]
pub enum RegionRequest {
    /// The named regions of a face; `whole` where none is found.
    Face,
    /// The whole frame.
    Whole,
    /// Rows × columns of equal cells.
    Grid {
        /// Rows.
        rows: usize,
        /// Columns.
        columns: usize,
    },
    /// Polygons read from a region file, in baseline pixels.
    Polygons(Vec<Polygon>),
}

/// One region of a region file.
#[derive(Debug, Clone, PartialEq)]
pub struct Polygon {
    /// `[a-z0-9_]+`
    pub name: String,
    /// Corners (x, y) in baseline pixels.
    pub points: Vec<[f64; 2]>,
}

/// How the regions of a [`RegionMap`] came about (`regions.source` in result.json).
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RegionSource {
    /// Named regions on a face.
    Face,
    /// The whole frame.
    Whole,
    /// Grid cells.
    Grid,
    /// A region file.
    File,
}

/// One named region: a mask on its own bounding box.
#[derive(Debug, Clone)]
pub struct Region {
    /// Permanent name.
    pub name: String,
    /// Bounding box in baseline pixels.
    pub window: Window,
    /// Pixels of the box that belong to the region, before the skin mask is applied.
    pub inside: Mask,
}

/// The face found on the baseline.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// Pupils, subject's right eye first (left in the picture), baseline px.
    pub eyes: [[f64; 2]; 2],
    /// Middle of the mouth, baseline px.
    pub mouth: [f64; 2],
    /// Width of the face at the cheek bones, px.
    pub width_px: f64,
}

/// Regions of the baseline, made once and carried to every visit by the alignment.
#[derive(Debug, Clone)]
pub struct RegionMap {
    /// How the regions came about.
    pub source: RegionSource,
    /// Bounding box of all that is measured, with a margin for filters, in baseline pixels.
    /// Every plane of the later stages covers just this window.
    pub window: Window,
    /// Skin (no hair, eyes, lips, background …) inside `window`.
    pub skin: Mask,
    /// Named regions in table order; [`WHOLE`] is last and covers the window.
    pub regions: Vec<Region>,
    /// The face, where one was looked for and found.
    pub face: Option<Face>,
    /// File name and SHA-256 of the ONNX model used, if one was.
    pub model: Option<(String, String)>,
    /// What the user must know about the choice of regions.
    pub notices: Vec<String>,
}
