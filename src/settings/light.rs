//! Settings of the direction of light.

use serde::{Deserialize, Serialize};

/// Constants of the light direction and of the change of shading.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightSettings {
    /// Weights of log red, green and blue that cancel pigment and blood and keep shading.
    pub shading_weights: [f64; 3],
    /// Sigma of the low-pass that keeps the shading, mm.
    pub shading_sigma_mm: f64,
    /// Skin beside lines that is left out, mm.
    pub line_margin_mm: f64,
    /// Smallest share of the skin that must be left; else nothing is left out.
    pub untreated_share_min: f64,
    /// Fewest cells of skin.
    pub cells_min: usize,
    /// Smallest cosine between normal and light direction for the expected light of a cell; smaller ones are
    /// raised to it.
    pub cosine_min: f64,
    /// Rounds of the robust fit.
    pub rounds: usize,
}

impl Default for LightSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.light.clone()
    }
}
