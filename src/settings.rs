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
}

impl Default for RegionSettings {
    fn default() -> Self {
        RegionSettings { nominal_face_width_mm: 140.0 }
    }
}

/// What a batch expects of its series. Not part of [`Settings`]: it moves no number.
#[derive(Debug, Clone)]
pub struct BatchSettings {
    /// Memory that each photo of a series holds while the series is measured, bytes per pixel.
    /// Linear light of 3 × 16 bits, and the encoded file.
    pub bytes_per_photo_pixel: u64,
    /// Memory of the working planes, bytes per pixel of the largest photo of a series. About 20
    /// planes of 32 bits. House rule, until measured.
    pub bytes_per_working_pixel: u64,
}

impl Default for BatchSettings {
    fn default() -> Self {
        BatchSettings { bytes_per_photo_pixel: 8, bytes_per_working_pixel: 80 }
    }
}
