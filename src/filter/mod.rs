//! Pure functions on planes and masks: the parallel core.
//!
//! None of them normalises by the image's own maximum, percentile or variance, so that the results of two
//! photos are comparable.

pub mod box_mean;
mod cover;
pub mod gaussian;
pub mod label;
pub mod link;
pub mod matched;
pub mod morphology;
pub mod oriented;
pub mod resize;
pub mod stats;
pub mod thin;
pub(crate) mod vector;
pub mod warp;
