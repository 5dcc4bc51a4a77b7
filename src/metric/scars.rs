//! Atrophic scars: depressions of 1–6 mm. Not measured in this version: a depression has to be
//! told from a dark spot by its bright and dark side, which needs the light's direction.

use super::{Frame, Reason};

/// `scar_area_percent`, `scar_depth`: says that they are not measured.
pub fn not_yet(_: &[f64], _: &Frame) -> Result<f64, Reason> {
    Err(Reason::NotImplemented)
}
