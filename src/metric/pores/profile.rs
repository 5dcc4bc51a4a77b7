//! Radial profiles of pores.

use crate::filter::warp::bilinear_by;
use crate::metric::Sampling;
use crate::plane::Plane;
use crate::settings::MetricSettings;

/// Directions in which a pore's rim is searched.
pub(super) const DIRECTIONS: usize = 12;
/// Samples per px along a radius.
const PER_PX: usize = 4;
/// Rings of a mean profile.
pub(super) const RINGS: usize = 26;

/// Log luminance around a pore in one visit, outwards from its centre, `PER_PX` samples per px.
pub(super) struct Profiles {
    /// One per direction.
    rays: Vec<Vec<f64>>,
    /// Mean over the directions.
    pub mean: Vec<f64>,
}

impl Profiles {
    /// Samples a plane to a radius of `reach` px.
    pub fn around(plane: &Plane, [x, y]: [f64; 2], reach: f64) -> Self {
        let samples = (reach * PER_PX as f64).ceil() as usize;
        let ray = |k: usize| {
            let (dy, dx) = (std::f64::consts::TAU * k as f64 / DIRECTIONS as f64).sin_cos();
            let at = |s: usize| {
                let r = s as f64 / PER_PX as f64;
                bilinear_by(plane, x + r * dx, y + r * dy, f64::from)
            };
            (0..=samples).map(at).collect()
        };
        let rays: Vec<Vec<f64>> = (0..DIRECTIONS).map(ray).collect();
        let mean = (0..=samples)
            .map(|s| rays.iter().map(|ray| ray[s]).sum::<f64>() / DIRECTIONS as f64)
            .collect();
        Profiles { rays, mean }
    }

    /// Radius at half depth in each direction, px; `None` where the profile does not rise to half within the rim.
    pub fn radii(&self, dark: &DarkProfile) -> Vec<Option<f64>> {
        let half = 0.5 * (self.mean[dark.bottom] + self.mean[dark.rim]);
        self.rays.iter().map(|ray| crossing(&ray[..=dark.rim], half)).collect()
    }

    /// Mean log luminance of rings, radii evenly spaced from 0 to the reach.
    pub fn rings(&self) -> [f64; RINGS] {
        let samples = self.mean.len() - 1;
        std::array::from_fn(|i| {
            let at = i as f64 / (RINGS - 1) as f64 * samples as f64;
            let (below, above) = (self.mean[at.floor() as usize], self.mean[at.ceil() as usize]);
            below + (at - at.floor()) * (above - below)
        })
    }
}

/// A pore's dark profile in the mean of the visits. Its bottom and rim hold for all of them.
pub(super) struct DarkProfile {
    /// Number of the darkest sample.
    bottom: usize,
    /// Number of the sample where the profile stops rising.
    rim: usize,
    /// Square of the diameter at half depth, less what smoothing and scattering add, px²; may be negative.
    pub square_px2: f64,
    /// Diameter, px: the root of that square, with a lower limit.
    pub diameter_px: f64,
    /// Volume, log units × squared samples.
    pub volume: f64,
}

impl DarkProfile {
    /// From the profiles of all visits of a candidate of one of the searched sizes. `None` where nothing rises from a
    /// bottom to a rim.
    pub fn of(
        visits: &[Profiles],
        size: usize,
        sampling: &Sampling,
        settings: &MetricSettings,
    ) -> Option<Self> {
        let samples = visits[0].mean.len() - 1;
        let joint: Vec<f64> = (0..=samples)
            .map(|s| visits.iter().map(|v| v.mean[s]).sum::<f64>() / visits.len() as f64)
            .collect();
        let within =
            |mm: f64| ((mm / sampling.mm_per_px * PER_PX as f64) as usize).clamp(PER_PX, samples);
        // Since one wall is bright, a pore's centre lies up to the sigma of its dark profile off its darkest ring.
        // Beyond the rim the microrelief may rise again, from the radius of the smallest pore on.
        let inner = within(settings.pore_sigmas_mm[size]);
        let [bottom, rim] =
            bottom_and_rim(&joint, inner, within(0.5 * settings.pore_diameter_mm[0]));
        if rim < PER_PX {
            return None;
        }
        // What smoothing adds to the square of a Gaussian's width at half depth, and what scattering does.
        let spread = settings.pore_spread_mm / sampling.mm_per_px;
        let widened = 8.0 * 2f64.ln() * settings.pore_smoothing_px2 + spread * spread;
        // The mean profile has a quarter of one direction's noise, in which half depth is crossed too soon.
        let half = 0.5 * (joint[bottom] + joint[rim]);
        let radius = crossing(&joint[..=rim], half).unwrap_or(radius_px(rim));
        let square_px2 = 4.0 * radius * radius - widened;
        let diameter_px = square_px2.max(0.25 * widened).sqrt();
        let volume = volume(&joint, rim);
        if volume <= 0.0 {
            return None;
        }
        Some(DarkProfile { bottom, rim, square_px2, diameter_px, volume })
    }

    /// Radius of the rim, px.
    pub fn rim_px(&self) -> f64 {
        radius_px(self.rim)
    }

    /// Volume of a visit's profile within the rim, over that in the mean of the visits.
    pub fn relative_volume(&self, visit: &Profiles) -> f64 {
        volume(&visit.mean, self.rim) / self.volume
    }
}

/// Volume of a radial profile within its sample `rim`: darkness against the rim times the ring's area, up to a factor.
pub(super) fn volume(profile: &[f64], rim: usize) -> f64 {
    (0..rim).map(|s| (profile[rim] - profile[s]) * s as f64).sum()
}

/// Radius of a sample, px.
fn radius_px(sample: usize) -> f64 {
    sample as f64 / PER_PX as f64
}

/// The darkest sample of a profile within `inner` of its start, and the brightest beyond it before the profile falls
/// for `fall` samples.
fn bottom_and_rim(profile: &[f64], inner: usize, fall: usize) -> [usize; 2] {
    let bottom = (0..=inner).min_by(|a, b| profile[*a].total_cmp(&profile[*b])).unwrap_or(0);
    let mut rim = bottom;
    for (s, v) in profile.iter().enumerate().skip(bottom) {
        if *v > profile[rim] {
            rim = s;
        } else if s > rim + fall {
            break;
        }
    }
    [bottom, rim]
}

/// Radius (px) at which a profile first rises through `half`; `None` where it never does.
fn crossing(profile: &[f64], half: f64) -> Option<f64> {
    for s in 1..profile.len() {
        if profile[s] >= half && profile[s - 1] < half {
            let f = (half - profile[s - 1]) / (profile[s] - profile[s - 1]);
            return Some((s as f64 - 1.0 + f) / PER_PX as f64);
        }
    }
    None
}
