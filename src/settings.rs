//! Every tunable number: its default, its unit, its source.
//!
//! One struct per stage. The whole is written into result.json, so that a number can be traced.

use serde::Serialize;

/// All settings of an analysis.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Settings {
    /// Reading photos.
    pub photo: PhotoSettings,
    /// Finding the face and its regions.
    pub region: RegionSettings,
}

/// Limits on the input.
#[derive(Debug, Clone, Serialize)]
pub struct PhotoSettings {
    /// Largest photo accepted, in megapixels. House rule (issue 2): 200.
    pub max_megapixels: f64,
}

impl Default for PhotoSettings {
    fn default() -> Self {
        PhotoSettings { max_megapixels: 200.0 }
    }
}

/// Constants of the face finder and the skin mask.
#[derive(Debug, Clone, Serialize)]
pub struct RegionSettings {
    /// Face width at the cheek bones that stands in where no scale is known, mm. design.md: 140.
    pub nominal_face_width_mm: f64,
    /// Longer side of the copy in which faces are looked for, px. 800 holds faces down to a
    /// twentieth of the frame (40 px, the cascade's window).
    pub detector_side_px: usize,
    /// Smallest face looked for in that copy, px: the cascade's window.
    pub min_face_px: usize,
    /// Smallest summed score of a face. Measured: 52 portraits and what is no face.
    pub min_face_score: f64,
}

impl Default for RegionSettings {
    fn default() -> Self {
        RegionSettings {
            nominal_face_width_mm: 140.0,
            detector_side_px: 800,
            min_face_px: 40,
            min_face_score: 6.0,
        }
    }
}
