//! Settings of making colour comparable.

use serde::{Deserialize, Serialize};

/// Constants of comparable colour.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToneSettings {
    /// Side of a colour cell, mm.
    pub cell_mm: f64,
    /// Cells along the window's longer side where no scale is known.
    pub cells_unscaled: f64,
    /// Light at which a channel counts as clipped, linear light (0–1).
    pub clip_limit: f64,
}

impl Default for ToneSettings {
    fn default() -> Self {
        super::DEFAULTS.settings.tone.clone()
    }
}
