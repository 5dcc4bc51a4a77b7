//! Settings of reading photos.

use serde::{Deserialize, Serialize};

/// Limits on the input.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhotoSettings {
    /// Largest photo accepted, megapixels.
    pub max_megapixels: f64,
    /// Most that a channel differs within 4 × 4 px of a flat area, 8-bit codes.
    pub flat_range: f64,
    /// Least share of a flat area that holds one code (`flat_range` about its median).
    pub flat_same: f64,
    /// Least step within 8 px that a flat area ends in, and a black or white one, 8-bit codes.
    pub flat_step: [f64; 2],
    /// Least share of an area's border that lies by such a step.
    pub flat_edge: f64,
    /// Largest code of a black corner or bar at the frame's border, 8-bit codes.
    pub flat_black: f64,
    /// Smallest flat area, share of the frame.
    pub flat_area: f64,
    /// Smallest flat area, number of pixels.
    pub flat_area_min_px: usize,
    /// Rim around a flat area that belongs to it, px.
    pub flat_rim_px: usize,
}

impl Default for PhotoSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.photo.clone()
    }
}
