//! Pores: dark round spots of 0.2–1.0 mm, found once for a pair and read in each photo at the same
//! places.
//!
//! A pore under a lamp is more than a dark spot: the wall away from the lamp is lit, the wall towards it
//! in shade, nearly as strong as the dip itself. Where the lamp stands is told by the texture: slopes that
//! look away from it are the steepest changes from dark to bright ([`super::relief`]). A template of such a
//! dip is sought with the filter that the mesh of skin around disturbs least
//! ([`crate::filter::matched`]), in cells whose light and mesh are each their own. The mesh answers too: an
//! amplitude counts from a multiple of what it makes.
//!
//! At each place the pair's mean radial profile gives the diameter (at half depth, less what blur and
//! the scattering of light in skin add). How much the diameters of the pores that both visits show have
//! changed is told by the volume of their dips, the sum of what is dark over its area: neither blur nor
//! scattering moves it, a ring's mean holds nothing of the lit and the shaded wall, and a pore that shrinks
//! as a whole loses it with the square of its diameter. Strong pores tell it: of weak ones that shrank, those
//! are left which chance made large.

pub(super) mod area_percent;
pub(super) mod count;
pub(super) mod density;
pub(super) mod diameter;
pub(super) mod elongation;
mod sums;
pub(super) mod visible_density;

pub(super) use sums::sheet;

use super::relief::{FineRelief, Slopes};
use super::search::{self, Candidate, Cell, Filter, Search, differences};
use super::{Frame, Reason};
use crate::filter::gaussian::diffuse;
use crate::filter::matched::{Autocovariance, Whitener};
use crate::filter::warp::bilinear_by;
use crate::luminance::Luminance;
use crate::plane::{Plane, Window, par_collect};
use crate::settings::MetricSettings;

/// Directions in which a pore's rim is sought.
const DIRECTIONS: usize = 12;
/// Samples per px along a radius.
const PER_PX: usize = 4;
/// Rings of a mean profile.
const RINGS: usize = 26;

/// What one visit shows at a pore.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PoreReading {
    /// Mean log light of rings around the centre, evenly from 0 to the reach.
    pub rings: [f64; RINGS],
    /// Equivalent diameter, px: that of the pair's mean, as the dips' volumes have it.
    pub diameter_px: f64,
    /// Longer over shorter axis.
    pub elongation: f64,
    /// Whether it counts in this visit.
    pub present: bool,
    /// Whether this visit alone would have found it, by a margin.
    pub sure: bool,
}

/// One pore, the same over all visits.
#[derive(Debug, Clone, PartialEq)]
pub struct Pore {
    /// Centre, px of the window of the region map.
    pub x: f64,
    /// Centre.
    pub y: f64,
    /// Equivalent diameter in the pair's mean, px.
    pub diameter_px: f64,
    /// What part of its dip chance made, in all visits alike.
    chance: f64,
    /// Whether it tells how diameters have changed: not where it would hardly be there if it shrank to half.
    tells: bool,
    /// One per visit.
    pub readings: Vec<PoreReading>,
}

/// Searches one photo for pores.
///
/// # Errors
/// `NoScale`; `BelowResolution` where the pixels are too coarse, or the photo too blurred; `LowCoverage` where
/// there is too little skin to know its background texture by.
pub fn detect(
    relief: &FineRelief,
    slopes: &Slopes<'_>,
    frame: &Frame,
    settings: &MetricSettings,
) -> Result<Detected, Reason> {
    measurable(frame, settings)?;
    log::trace!(target: "skindelta", "search pores");
    let cells = cells(relief, slopes, frame, settings)?;
    let candidates = search(relief, &cells).candidates(settings.pore_apart_px);
    Ok(Detected { cells, candidates })
}

/// What one photo was searched with, and what may be pores in it.
#[derive(Debug, Clone)]
pub struct Detected {
    cells: Vec<Cell>,
    candidates: Vec<Candidate>,
}

fn measurable(frame: &Frame, settings: &MetricSettings) -> Result<(), Reason> {
    if !frame.metric_scale {
        return Err(Reason::NoScale);
    }
    // The limit is stated for a sharp photo, which carries periods of 3 px; a blurrier one is judged by the
    // periods that it carries.
    if frame.shortest_period_px * frame.mm_per_px > 3.0 * settings.pore_mm_per_px_max {
        return Err(Reason::BelowResolution);
    }
    Ok(())
}

fn search<'a>(relief: &'a FineRelief, cells: &'a [Cell]) -> Search<'a> {
    Search { factor: relief.factor, planes: &relief.planes, inner: &relief.inner, cells }
}

/// Reads the candidates of all photos in each of them.
///
/// # Errors
/// As [`detect`], for any of the photos or all together.
pub fn read(
    visits: &[&Luminance],
    relief: &FineRelief,
    detected: &[&Result<Detected, Reason>],
    frame: &Frame,
    settings: &MetricSettings,
) -> Result<Vec<Pore>, Reason> {
    measurable(frame, settings)?;
    let detected = detected.iter().map(|d| d.as_ref().map_err(|reason| *reason));
    let detected = detected.collect::<Result<Vec<_>, Reason>>()?;
    let joint;
    let cells = match detected[..] {
        [own] => &own.cells,
        _ => {
            let slopes = Slopes::of(relief, frame.mm_per_px, settings);
            joint = cells(relief, &slopes, frame, settings)?;
            &joint
        }
    };
    let search = search(relief, cells);
    let candidates: Vec<&[Candidate]> = detected.iter().map(|d| &d.candidates[..]).collect();
    let candidates = search.counted(&candidates);
    let smooth: Vec<Plane> =
        visits.iter().map(|l| diffuse(&l.flat, &l.valid, settings.pore_smoothing_px2)).collect();
    let pores = par_collect(candidates.len(), |i| {
        read_pore(&smooth, &search, &candidates[i], frame, settings)
    });
    Ok(distinct(pores.into_iter().flatten().collect(), frame, settings))
}

/// Filters for pores of each size, in cells whose light and background texture are each their own.
///
/// # Errors
/// `LowCoverage` where there is too little skin to know its background texture by.
fn cells(
    relief: &FineRelief,
    slopes: &Slopes<'_>,
    frame: &Frame,
    settings: &MetricSettings,
) -> Result<Vec<Cell>, Reason> {
    let px = |mm: f64| mm / (frame.mm_per_px * relief.factor as f64);
    let (w, h) = (relief.valid.width(), relief.valid.height());
    let radius = px(settings.pore_reach_mm).round() as usize;
    let stride = (px(settings.pore_sample_mm) as usize).max(1);
    let differences = differences(&relief.planes);
    let covariances = |around| {
        let of = |planes: &[Plane]| {
            let planes: Vec<&Plane> = planes.iter().collect();
            Autocovariance::of(&planes, &relief.valid, around, 2 * radius, stride)
        };
        Some([of(&relief.planes)?, of(&differences)?])
    };
    let [gain, most] = settings.pore_lit;
    // Where nothing varies there is nothing to be found.
    let filters = |[texture, difference]: &[Autocovariance; 2], around: Window| {
        let whitener = Whitener::new(texture, radius, settings.pore_ridge)?;
        let lit = slopes.light_direction(around)?.map(|v| gain * v);
        let size = lit[0].hypot(lit[1]);
        let lit = lit.map(|v| v * (most / size.max(most)));
        let filter = |mm: &f64| {
            let sigma = px(*mm);
            let matched = whitener.filter(|x, y| dip(x, y, sigma, lit))?;
            let limit = settings.pore_contrast.max(settings.pore_noises * matched.noise);
            let apart = matched.spread(difference);
            Some(Filter { noise: matched.noise, limit, apart, matched })
        };
        settings.pore_sigmas_mm.iter().map(filter).collect::<Option<Vec<_>>>()
    };
    let everywhere = Window::full(w, h);
    let whole = covariances(everywhere).ok_or(Reason::LowCoverage)?;
    let windows = search::cells([w, h], px(settings.pore_cell_mm));
    Ok(par_collect(windows.len(), |i| {
        let (window, around) = windows[i];
        // A cell with little skin takes what is known of the rest.
        let own = covariances(around).and_then(|own| filters(&own, around));
        let filters = own.or_else(|| filters(&whole, everywhere)).unwrap_or_default();
        Cell { window, filters }
    }))
}

/// What a pore does to log light, of depth 1: a round dip, and its walls under a lamp in whose direction
/// `lit` points, as long as the walls are bright against the dip.
fn dip(x: f64, y: f64, sigma: f64, lit: [f64; 2]) -> f64 {
    let shape = (-0.5 * (x * x + y * y) / (sigma * sigma)).exp();
    let wall = 0.5f64.exp() * (lit[0] * x + lit[1] * y) / sigma;
    shape * (wall - 1.0)
}

/// Reads a pore in the smoothed visits.
fn read_pore(
    visits: &[Plane],
    search: &Search<'_>,
    place: &Candidate,
    frame: &Frame,
    settings: &MetricSettings,
) -> Option<Pore> {
    let [x, y] = search.place(place);
    let reach = settings.pore_diameter_mm[1] / frame.mm_per_px * 0.75;
    let samples = (reach * PER_PX as f64).ceil() as usize;
    let profiles: Vec<Vec<Vec<f64>>> =
        visits.iter().map(|plane| rays(plane, [x, y], samples)).collect();
    let radial = |p: &[Vec<f64>]| -> Vec<f64> {
        (0..=samples).map(|s| p.iter().map(|d| d[s]).sum::<f64>() / DIRECTIONS as f64).collect()
    };
    // One rim for all visits, from their mean: where the mean profile stops rising.
    let means: Vec<Vec<f64>> = profiles.iter().map(|p| radial(p)).collect();
    let joint: Vec<f64> = (0..=samples)
        .map(|s| means.iter().map(|m| m[s]).sum::<f64>() / means.len() as f64)
        .collect();
    // A pore's middle lies up to the sigma of its dip off its darkest ring: its walls are lit. Beyond the rim the
    // mesh may rise again, from the radius of the smallest pore on.
    let within = |mm: f64| ((mm / frame.mm_per_px * PER_PX as f64) as usize).clamp(PER_PX, samples);
    let inner = within(settings.pore_sigmas_mm[place.size]);
    let [bottom, rim] = bottom_and_rim(&joint, inner, within(0.5 * settings.pore_diameter_mm[0]));
    if rim < PER_PX {
        return None;
    }
    // What smoothing adds to the square of a Gaussian dip's width at half depth, and what scattering does.
    let spread = settings.pore_spread_mm / frame.mm_per_px;
    let widened = 8.0 * 2f64.ln() * settings.pore_smoothing_px2 + spread * spread;
    let end = rim as f64 / PER_PX as f64;
    let half = 0.5 * (joint[bottom] + joint[rim]);
    // The mean profile has a quarter of one direction's noise, which finds a rim too soon.
    let radius = crossing(&joint[..=rim], half).unwrap_or(end);
    let square = 4.0 * radius * radius - widened;
    let diameter_px = square.max(0.25 * widened).sqrt();
    // The dip by rings, each by its area.
    let ring = |profile: &[f64], s: usize| (profile[rim] - profile[s]) * s as f64;
    let over = |f: &dyn Fn(usize) -> f64| (0..rim).map(f).sum::<f64>();
    let volume = over(&|s| ring(&joint, s));
    if volume <= 0.0 {
        return None;
    }
    let amplitudes = search.amplitudes(place);
    let filter = search.filter(place);
    let bias = filter.selection_bias(&amplitudes);
    let strongest = amplitudes.iter().copied().fold(f64::MIN, f64::max);
    let least = filter.least(&amplitudes, settings.pore_hysteresis, settings.pore_differences);
    let (readings, open): (Vec<PoreReading>, Vec<usize>) = profiles
        .iter()
        .zip(&means)
        .zip(amplitudes)
        .map(|((directions, mean), amplitude)| {
            let own = over(&|s| ring(mean, s));
            let half = 0.5 * (mean[bottom] + mean[rim]);
            let rims: Vec<Option<f64>> =
                directions.iter().map(|d| crossing(&d[..=rim], half)).collect();
            let open = rims.iter().filter(|r| r.is_none()).count();
            let radii: Vec<f64> = rims.into_iter().map(|r| r.unwrap_or(end)).collect();
            let axes: Vec<f64> =
                (0..DIRECTIONS / 2).map(|k| radii[k] + radii[k + DIRECTIONS / 2]).collect();
            let elongation = (0..axes.len())
                .map(|k| axes[k] / axes[(k + axes.len() / 2) % axes.len()].max(1e-6))
                .fold(1.0, f64::max);
            let rings = std::array::from_fn(|i| {
                let at = i as f64 / (RINGS - 1) as f64 * samples as f64;
                let (below, above) = (mean[at.floor() as usize], mean[at.ceil() as usize]);
                below + (at - at.floor()) * (above - below)
            });
            let reading = PoreReading {
                rings,
                diameter_px: diameter_px * (own / volume).max(0.0).sqrt(),
                elongation,
                present: amplitude >= least,
                sure: amplitude >= settings.pore_sure * filter.limit,
            };
            (reading, open)
        })
        .unzip();
    let [small, large] = settings.pore_diameter_mm;
    let least = (small - settings.pore_diameter_error_mm) / frame.mm_per_px;
    let sized = square >= least * least && diameter_px * frame.mm_per_px <= large;
    let round = readings.iter().any(|r| r.elongation <= settings.pore_elongation_max);
    // Dark in every direction: a valley between plateaus, or a line's end, is open to some side.
    let closed = open.iter().any(|&n| n <= settings.pore_open_directions_max);
    let tells = visits.len() == 1 || strongest >= settings.pore_strong * filter.limit;
    let pore = Pore { x, y, diameter_px, chance: bias / strongest, tells, readings };
    (sized && round && closed).then_some(pore)
}

/// Log light from a place outwards in all directions, `PER_PX` samples a pixel.
fn rays(plane: &Plane, [x, y]: [f64; 2], samples: usize) -> Vec<Vec<f64>> {
    let ray = |k: usize| {
        let (dy, dx) = (std::f64::consts::TAU * k as f64 / DIRECTIONS as f64).sin_cos();
        let at = |s: usize| {
            let r = s as f64 / PER_PX as f64;
            bilinear_by(plane, x + r * dx, y + r * dy, f64::from)
        };
        (0..=samples).map(at).collect()
    };
    (0..DIRECTIONS).map(ray).collect()
}

/// The darkest sample of a profile within `inner` of its start, and the brightest beyond it before it falls for
/// `fall`.
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

/// Keeps the stronger of two pores whose centres lie within the larger one's radius. Pores come
/// strongest first.
fn distinct(pores: Vec<Pore>, frame: &Frame, settings: &MetricSettings) -> Vec<Pore> {
    let cell = (settings.pore_diameter_mm[1] / frame.mm_per_px).max(1.0);
    let key = |p: &Pore| ((p.x / cell) as i64, (p.y / cell) as i64);
    let mut kept: Vec<Pore> = Vec::new();
    let mut cells: std::collections::BTreeMap<(i64, i64), Vec<usize>> = Default::default();
    for pore in pores {
        let (cx, cy) = key(&pore);
        let clash = (-1..=1).any(|dy| {
            (-1..=1).any(|dx| {
                cells.get(&(cx + dx, cy + dy)).is_some_and(|list| {
                    list.iter().any(|&k| {
                        let other: &Pore = &kept[k];
                        (other.x - pore.x).hypot(other.y - pore.y)
                            < 0.5 * other.diameter_px.max(pore.diameter_px)
                    })
                })
            })
        });
        if !clash {
            cells.entry((cx, cy)).or_default().push(kept.len());
            kept.push(pore);
        }
    }
    kept.sort_by(|a, b| a.y.total_cmp(&b.y).then(a.x.total_cmp(&b.x)));
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(mm_per_px: f64) -> Frame {
        Frame { mm_per_px, metric_scale: true, shortest_period_px: 3.0, groove: Default::default() }
    }

    /// The pores of a drawn photo.
    fn found(flat: Plane, mm_per_px: f64) -> Vec<Pore> {
        let (l, frame, settings) =
            (Luminance::synthetic(flat), frame(mm_per_px), MetricSettings::default());
        let relief = FineRelief::of(&[&l], &frame, &settings);
        let slopes = Slopes::of(&relief, frame.mm_per_px, &settings);
        let found = detect(&relief, &slopes, &frame, &settings);
        read(&[&l], &relief, &[&found], &frame, &settings).unwrap()
    }

    /// Gaussian dips of known place and width at half depth; a line beside them is no pore.
    #[test]
    fn finds_drawn_pores_and_no_line() {
        let centres = [(40.3f32, 50.0f32), (90.0, 61.4), (60.7, 110.2)];
        let sigma = 2.4f32;
        let flat = Plane::from_fn(160, 150, |x, y| {
            let dip = |cx: f32, cy: f32| {
                let r2 = (x as f32 - cx).powi(2) + (y as f32 - cy).powi(2);
                -0.25 * (-0.5 * r2 / (sigma * sigma)).exp()
            };
            let line = -0.25 * (-0.5 * ((x as f32 - 130.0) / 2.0).powi(2)).exp();
            centres.iter().map(|&(cx, cy)| dip(cx, cy)).sum::<f32>() + line
        });
        let pores = found(flat, 0.06);
        assert_eq!(pores.len(), 3, "{pores:?}");
        let fwhm = 2.0 * (2.0 * 2f64.ln()).sqrt() * sigma as f64;
        for (p, (cx, cy)) in pores.iter().zip([centres[0], centres[1], centres[2]]) {
            assert!((p.x - cx as f64).hypot(p.y - cy as f64) < 0.3);
            let spread = MetricSettings::default().pore_spread_mm / 0.06;
            let expected = (fwhm * fwhm - spread * spread).sqrt();
            assert!((p.readings[0].diameter_px / expected - 1.0).abs() < 0.05);
            assert!(p.readings[0].elongation < 1.06);
        }
    }

    /// The darkest ring of a large pore lies farther off its middle than a small pore reaches.
    #[test]
    fn finds_a_large_pore_with_a_bright_middle() {
        let flat = Plane::from_fn(220, 200, |x, y| {
            let r2 = (x as f32 - 110.0).powi(2) + (y as f32 - 100.0).powi(2);
            -0.5 * (-(r2 / 121.0).powi(3)).exp() + 0.08 * (-0.5 * r2 / 16.0).exp()
        });
        let pores = found(flat, 0.03);
        assert_eq!(pores.len(), 1, "{pores:?}");
    }

    /// Pixels so small that the middle of a pore, brighter than the ring around it, spans some of them.
    #[test]
    fn finds_a_pore_whose_darkest_ring_is_off_its_middle() {
        let flat = Plane::from_fn(220, 200, |x, y| {
            let r2 = (x as f32 - 110.0).powi(2) + (y as f32 - 100.0).powi(2);
            -0.3 * (-0.5 * r2 / 36.0).exp() + 0.12 * (-0.5 * r2 / 4.0).exp()
        });
        let pores = found(flat, 0.03);
        assert_eq!(pores.len(), 1, "{pores:?}");
    }
}
