//! Settings of reading photos.

use serde::{Deserialize, Serialize};

/// Limits on the input, and constants of the detection of painted areas.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhotoSettings {
    /// Largest photo accepted, megapixels.
    pub max_megapixels: f64,
    /// Scale to which finer photos are reduced, mm of skin per px.
    pub finest_mm_per_px: f64,
    /// Least factor by which a photo is reduced.
    pub reduction_min: f64,
    /// Largest range of a channel within 4 × 4 px of a flat area, 8-bit codes.
    pub flat_range: f64,
    /// Minimum share of a flat area that has one code (within `flat_range` about its median).
    pub flat_code_share: f64,
    /// Minimum step within 8 px at the border of a flat area, and of a black or white one, 8-bit codes.
    pub flat_step: [f64; 2],
    /// Minimum share of an area's border with such a step.
    pub flat_edge_share: f64,
    /// Largest code of a black corner or bar at the frame's border, 8-bit codes.
    pub flat_black: f64,
    /// Smallest flat area, share of the frame.
    pub flat_area: f64,
    /// Smallest flat area, number of pixels.
    pub flat_area_min_px: usize,
    /// Width of the rim around a flat area that counts with it, px.
    pub flat_rim_px: usize,
}

impl Default for PhotoSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.photo.clone()
    }
}
