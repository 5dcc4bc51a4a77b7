//! Wrinkles: dark lines, traced once for all visits and read in each visit at the same points.
//!
//! In this order:
//!
//! 1. `detect.rs`: ridge response of each photo to [oriented derivatives](crate::filter::oriented).
//! 2. `trace.rs`: ridge points of the largest response of all photos, [linked](crate::filter::link) to lines. A line
//!    is kept by its saliency, the excess of its response over that of the background texture, summed along it: the
//!    microrelief responds as strongly, but over short lengths only.
//! 3. `section.rs`: the cross-section of log luminance at each point, in each visit.
//! 4. `read.rs`: the cross-sections, smoothed along the line (`neighbours.rs`), give each point's depth and whether
//!    the line is present in a visit.
//! 5. `groove.rs`: width and depth of the groove that a cross-section shows.
//! 6. `sums.rs` adds cross-sections and lengths up over tiles; the metrics, one file each, are made of these sums.
//!    Width and depth of a region come from the mean cross-section of all its lines, in which the microrelief that
//!    crosses them averages out.

pub(super) mod area_percent;
pub(super) mod density;
pub(super) mod depth;
pub(super) mod depth_max;
mod detect;
mod groove;
pub(super) mod length;
mod neighbours;
mod read;
mod section;
mod sums;
mod trace;
pub(super) mod width;

pub use detect::{RidgeResponse, detect};
pub use read::read;
pub(super) use sums::sheet;
pub use sums::vanished_new_kept;

use section::Section;

/// What one visit shows at a point of a centre line.
#[derive(Debug, Clone, PartialEq)]
pub struct LineReading {
    /// Optical estimate of the depth, mm, from the cross-sections of some millimetres of line around.
    pub depth_mm: f64,
    /// Whether the line is present in this visit.
    pub present: bool,
    section: Section,
}

/// One point of a centre line.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePoint {
    /// Column in the window of the region map.
    pub x: usize,
    /// Row.
    pub y: usize,
    /// Length of line that this point stands for, px.
    pub length_px: f64,
    /// One per visit.
    pub readings: Vec<LineReading>,
    /// Whether the line is present in all visits, some millimetres to both sides too, and no skin is hidden beside
    /// it: only such points are read for depth and width.
    measurable: bool,
    /// Mean cross-section of the visits.
    mean_section: Section,
    /// Mean response of the background texture around, over the line's response.
    background: f64,
}
