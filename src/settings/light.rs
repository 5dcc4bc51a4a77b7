//! Settings of the direction of light.

use serde::{Deserialize, Serialize};

/// Constants of the light's direction and of its change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LightSettings {
    /// Weights of log red, green and blue that leave shading.
    pub shading_weights: [f64; 3],
    /// Sigma of the mean that leaves the skin's shading, mm.
    pub form_sigma_mm: f64,
    /// Fewest cells of skin.
    pub cells_min: usize,
    /// Least cosine between skin and light at which a ratio of two photos is accepted.
    pub grazing: f64,
    /// Rounds of the robust fit.
    pub rounds: usize,
}

impl Default for LightSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.light.clone()
    }
}
