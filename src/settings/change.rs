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
    /// Most tiles of a large region.
    pub tiles_max: usize,
    /// Fewest tiles of a small region, where its pixels allow.
    pub tiles_target: usize,
    /// Fewest tiles for an interval.
    pub tiles_min: usize,
    /// Fewest tiles with detected pores, or scars, for an interval of their change.
    pub object_tiles_min: usize,
    /// Smallest side of a tile, px.
    pub tile_min_px: usize,
    /// False discovery rate over the rows of a visit.
    pub false_discovery_rate: f64,
    /// Changes within this margin to both sides of none are equivalent to none, %.
    pub equivalence_margin_percent: f64,
    /// Change of shading between careful photos, fraction of the shading.
    pub shading_floor: f64,
    /// Standard deviation of ln(f/b) per unit of further change: texture and pores, wrinkles, anisotropy.
    pub shading_sd: [f64; 3],
    /// Gain of the tone curve between careful photos, natural log.
    pub tone_curve_floor: f64,
    /// Standard deviation of a relief metric's ln(f/b) per natural log of further gain.
    pub tone_curve_sd: f64,
    /// Largest standard deviation of ln(f/b) that the tone curve adds.
    pub tone_curve_sd_max: f64,
}

impl Default for ChangeSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.change.clone()
    }
}
