//! Atrophic scars: depressions of 1.5–5 mm, detected once for a pair and read in each photo at the same places.
//!
//! In this order:
//!
//! 1. `search_area.rs`: skin away from lines, which have a bright and a dark side as scars have.
//! 2. `shading.rs`: log luminance without pigment. Over some millimetres the shading of a bowl is fainter than the
//!    blotches of melanin and blood. These change colour too, and shading does not: the part of the luminance that
//!    the colour around explains is subtracted (least squares over all visits, as melanin and haemoglobin have one
//!    colour each).
//! 3. `detect.rs`: candidates of each photo. A bowl is bright on the side away from the light and dark on the side
//!    towards it; it is detected along the direction of the light ([`super::relief`]) by the matched filter that the
//!    skin around disturbs least ([`crate::filter::matched`]). A dark spot has no such sides. A fold or an edge has,
//!    but its response continues beside it, across the light; such a candidate is rejected.
//! 4. `read.rs`: depth and presence of each scar in each visit. Depth per shading depends on the light: it is computed
//!    for a usual one, and holds within a factor of two. Changes do not depend on it.
//! 5. `sums.rs`: sums over tiles, of which the metrics are made, one file each.

pub(super) mod area_percent;
pub(super) mod depth;
mod detect;
mod read;
mod search_area;
mod shading;
pub(crate) mod sums;

pub use detect::{ScarCandidates, detect};
pub use read::read;
pub use search_area::SearchArea;
pub(super) use sums::sheet;

use crate::plane::Mask;

/// The scars of all visits, and where they were searched.
#[derive(Debug, Clone, PartialEq)]
pub struct Scars {
    /// Depressions, by rows.
    pub found: Vec<Scar>,
    /// Skin under visibly oblique light: frontal light shades no bowl.
    searched: Mask,
    /// Pixels of the window of the region map in one of the mask, each way.
    factor: usize,
}

/// One depression, the same over all visits.
#[derive(Debug, Clone, PartialEq)]
pub struct Scar {
    /// Centre, px of the window of the region map.
    pub x: f64,
    /// Centre.
    pub y: f64,
    /// Radius at half depth, px.
    pub radius_px: f64,
    /// One over the variance of the depth that the background texture causes, px⁻².
    weight: f64,
    /// One per visit.
    pub readings: Vec<ScarReading>,
}

/// What one visit shows of a scar.
#[derive(Debug, Clone, PartialEq)]
pub struct ScarReading {
    /// Optical estimate of the depth, px.
    pub depth_px: f64,
    /// Whether the scar is present in this visit.
    pub present: bool,
}
