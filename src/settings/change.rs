//! Settings of the comparison.

use serde::{Deserialize, Serialize};

/// Constants of the comparison.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSettings {
    /// Number of bootstrap replicates.
    pub replicates: usize,
    /// Side of a tile, mm.
    pub tile_mm: f64,
    /// Tiles a large region is cut into at most.
    pub tiles_max: usize,
    /// Tiles a small region is cut into at least, where its pixels allow.
    pub tiles_wanted: usize,
    /// Fewest tiles for an interval.
    pub tiles_min: usize,
    /// Fewest tiles with strong pores, or scars, for an interval of their change.
    pub telling_tiles_min: usize,
    /// Smallest side of a tile, px.
    pub tile_min_px: usize,
    /// False discovery rate over the rows of a visit.
    pub false_discovery_rate: f64,
    /// Change of shading that careful photos show, share of the shading.
    pub light_floor: f64,
    /// Standard deviation of ln(f/b) per change of shading: texture and pores, wrinkles, anisotropy.
    pub light_gain: [f64; 3],
    /// Change of the shading's contrast up to which it is chance, natural log.
    pub contrast_floor: f64,
    /// Standard deviation of a relief's ln(f/b) per change of contrast beyond that.
    pub contrast_gain: f64,
    /// Most that it adds, standard deviation of ln(f/b).
    pub contrast_max: f64,
}

impl Default for ChangeSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.change.clone()
    }
}
