//! Pores: dark round spots of 0.2–1.0 mm, detected once for a pair and read in each photo at the same places.
//!
//! In this order:
//!
//! 1. `detect.rs`: candidates of each photo. Under oblique light a pore is more than a dark spot: the wall away from
//!    the light is bright and the wall towards it dark, nearly as strong as the dark profile itself. The light's direction
//!    is estimated from the slopes of the texture ([`super::relief`]); the matched filter for a pore shaded so is the
//!    one that the microrelief disturbs least ([`crate::filter::matched`]). Light and microrelief are estimated cell
//!    by cell. The microrelief responds too: an amplitude is detected from a multiple of that response on.
//! 2. `read.rs`: candidates of both photos that reach the detection limit of the pair, read in each. The mean radial
//!    profile of the visits (`profile.rs`) gives the diameter: at half depth, less what blur and scattering in skin
//!    add.
//! 3. `sums.rs`: sums over tiles, of which the metrics are made, one file each. The change of the diameters of pores
//!    present in both visits follows from the volume of their mean dark profile, the sum of each ring's darkness times
//!    its area: neither blur nor scattering changes it, bright and dark walls cancel in the mean of a ring, and a pore
//!    that shrinks as a whole loses volume with the square of its diameter. Only strong pores are used for it: weak
//!    pores that shrink stay detected only where noise raises them, which would hide that they shrank.

pub(super) mod area_percent;
pub(super) mod count;
pub(super) mod density;
mod detect;
pub(super) mod diameter;
pub(super) mod elongation;
mod profile;
mod read;
mod sums;
pub(super) mod visible_density;

pub use detect::{PoreCandidates, detect};
pub use read::read;
pub(super) use sums::sheet;

use profile::RINGS;

/// What one visit shows at a pore.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PoreReading {
    /// Mean log luminance of rings around the centre, radii evenly spaced from 0 to the reach.
    pub rings: [f64; RINGS],
    /// Equivalent diameter, px: that in the mean of the visits, times the root of this visit's share of the volume.
    pub diameter_px: f64,
    /// Longer over shorter axis.
    pub elongation: f64,
    /// Whether the pore is present in this visit.
    pub present: bool,
    /// Whether this visit alone would have detected it, by a margin: counted in capture and recapture.
    pub captured: bool,
}

/// One pore, the same over all visits.
#[derive(Debug, Clone, PartialEq)]
pub struct Pore {
    /// Centre, px of the window of the region map.
    pub x: f64,
    /// Centre.
    pub y: f64,
    /// Equivalent diameter in the mean of the visits, px.
    pub diameter_px: f64,
    /// Selection bias of the amplitude, share of the largest amplitude; the same in all visits.
    selection_bias: f64,
    /// Whether the pore is used for the change of diameters: only where it would still be detected at half its
    /// diameter.
    used_for_diameter: bool,
    /// One per visit.
    pub readings: Vec<PoreReading>,
}
