//! Wrinkles: dark lines, found once for a pair and read in each photo at the same places.
//!
//! Candidates are ridges of the scale-normalised Hessian (Lindeberg 1994; Ng 2014) at fixed scales
//! in mm, averaged along the line, with thresholds in log contrast that are the same for all
//! photos. Their centre lines are thinned to one pixel. At every centre-line pixel the
//! cross-section, averaged along the line, gives contrast and width at half depth; only its even
//! part counts, since a sidelong light adds an odd one. Depth is an optical estimate from contrast
//! and width (groove model, shared/science.md): checked on phantoms, not on profilometry.

use super::{Frame, Reason, Sheet, Tiles};
use crate::filter::gaussian::{away_from_edges, blur_masked};
use crate::filter::hessian::hessian;
use crate::filter::label::{hysteresis, label};
use crate::filter::thin::thin;
use crate::luminance::Luminance;
use crate::plane::{Grid, Mask, Plane, par_collect};
use crate::settings::MetricSettings;

/// What one visit shows at a centre-line pixel.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LineReading {
    /// Depth of the dip, log units.
    pub contrast: f64,
    /// Full width at half depth, px.
    pub width_px: f64,
    /// Optical estimate of the depth, px.
    pub depth_px: f64,
    /// Whether the line counts in this visit.
    pub present: bool,
}

/// One pixel of a centre line.
#[derive(Debug, Clone, PartialEq)]
pub struct LinePoint {
    /// Column in the window of the region map.
    pub x: usize,
    /// Row.
    pub y: usize,
    /// Length of line that this pixel stands for, px.
    pub length_px: f64,
    /// One per visit.
    pub readings: Vec<LineReading>,
}

/// Finds lines in all visits together and reads them in each.
pub fn read(
    visits: &[&Luminance],
    frame: &Frame,
    settings: &MetricSettings,
) -> Result<Vec<LinePoint>, Reason> {
    let px = |mm: f64| mm / frame.mm_per_px;
    if frame.shortest_period_px > px(settings.line_period_max_mm) {
        return Err(Reason::BelowResolution);
    }
    let ridges = ridges(visits, frame, settings);
    let (w, h) = (ridges.width(), ridges.height());
    let along = ridges.map(|r| r.strength);
    let crest = |x: usize, y: usize| {
        let v = along.at(x, y);
        let [tx, ty] = ridges.at(x, y).direction;
        let side = |s: f32| bilinear(&along, x as f32 - s * ty, y as f32 + s * tx);
        v >= side(1.0) && v >= side(-1.0)
    };
    // Crests broken by the mesh of skin are linked over small gaps, then thinned again.
    let link = px(settings.line_link_mm).max(1.0) as f32;
    let above = |limit: f64| {
        let crests = Plane::from_fn(w, h, |x, y| {
            if along.at(x, y) >= limit as f32 && crest(x, y) { 1.0 } else { 0.0 }
        });
        dilate(&crests, link)
    };
    let lines = hysteresis(&above(settings.line_low), &above(settings.line_high));
    let centre = long_enough(&thin(&lines), &ridges, px(settings.line_min_mm));
    Ok(read_profiles(visits, &ridges, &centre, frame, settings))
}

/// Pixels within `radius` px of a set one (a square's corners cut to an octagon).
fn dilate(set: &Plane, radius: f32) -> Mask {
    let r = radius.round().max(1.0) as isize;
    let reach = |dx: isize, dy: isize| dx.abs() + dy.abs() <= r + r / 2;
    let mut out = Mask::filled(set.width(), set.height(), false);
    out.par_rows(|y, row| {
        for dy in -r..=r {
            let sy = y as isize + dy;
            if sy < 0 || sy >= set.height() as isize {
                continue;
            }
            for (x, _) in set.row(sy as usize).iter().enumerate().filter(|(_, v)| **v > 0.0) {
                for dx in (-r..=r).filter(|&dx| reach(dx, dy)) {
                    if let Some(v) = x.checked_add_signed(dx).and_then(|x| row.get_mut(x)) {
                        *v = true;
                    }
                }
            }
        }
    });
    out
}

/// Strongest ridge over visits, and in the end over scales, at one pixel.
#[derive(Debug, Clone, Copy, Default)]
struct Ridge {
    strength: f32,
    direction: [f32; 2],
}

/// The ridge response at each scale, averaged along the line's own direction (a line keeps it, the
/// mesh of skin does not), less what the mesh around gives; and the strongest of the scales.
fn ridges(visits: &[&Luminance], frame: &Frame, settings: &MetricSettings) -> Grid<Ridge> {
    let valid = &visits[0].valid;
    let (w, h) = (valid.width(), valid.height());
    let px = |mm: f64| mm / frame.mm_per_px;
    let inner = away_from_edges(valid, px(settings.line_margin_mm));
    let floor = settings.line_low as f32 * 0.5;
    let step = (px(settings.line_support_mm) / (2 * SUPPORT_SAMPLES) as f64) as f32;
    let mut best = Grid::filled(w, h, Ridge::default());
    for &sigma_mm in &settings.line_sigmas_mm {
        let sigma = px(sigma_mm).max(settings.line_sigma_min_px) as f32;
        let mut own = Grid::filled(w, h, Ridge::default());
        for visit in visits {
            let hessian = hessian(&visit.flat, sigma);
            own.par_rows(|y, row| {
                for (x, r) in row.iter_mut().enumerate().filter(|(x, _)| inner.at(*x, y)) {
                    let hessian = hessian.at(x, y);
                    let strength = hessian.across() - hessian.along().abs();
                    if strength > r.strength {
                        *r = Ridge { strength, direction: hessian.direction() };
                    }
                }
            });
        }
        // What the mesh of skin gives around here.
        let around =
            blur_masked(&own.map(|r| r.strength), valid, px(settings.line_surround_mm) as f32);
        best.par_rows(|y, row| {
            for (x, b) in row.iter_mut().enumerate() {
                let r = own.at(x, y);
                if r.strength < floor {
                    continue;
                }
                let [tx, ty] = r.direction;
                let mut sum = 0.0f32;
                for k in -SUPPORT_SAMPLES..=SUPPORT_SAMPLES {
                    let s = k as f32 * step;
                    let q = own.clamped(
                        (x as f32 + s * tx).round() as isize,
                        (y as f32 + s * ty).round() as isize,
                    );
                    let turn = tx * q.direction[0] + ty * q.direction[1];
                    sum += q.strength * turn * turn;
                }
                let strength = sum / (2 * SUPPORT_SAMPLES + 1) as f32
                    - settings.line_excess as f32 * around.at(x, y);
                if strength > b.strength {
                    *b = Ridge { strength, direction: r.direction };
                }
            }
        });
    }
    best
}

/// Samples to each side over which a ridge is averaged along its line.
const SUPPORT_SAMPLES: isize = 6;

/// Length that one pixel of a one-pixel-wide line stands for: digital lines take one step along
/// their longer axis per pixel.
fn pixel_length(direction: [f32; 2]) -> f64 {
    1.0 / (direction[0].abs().max(direction[1].abs()).max(0.5) as f64)
}

/// Drops components shorter than `min_px`.
fn long_enough(lines: &Mask, ridges: &Grid<Ridge>, min_px: f64) -> Mask {
    let (labels, n) = label(lines);
    let mut lengths = vec![0.0f64; n + 1];
    for (&l, r) in labels.data().iter().zip(ridges.data()) {
        if l > 0 {
            lengths[l as usize] += pixel_length(r.direction);
        }
    }
    labels.map(|l| l > 0 && lengths[l as usize] >= min_px)
}

fn read_profiles(
    visits: &[&Luminance],
    ridges: &Grid<Ridge>,
    centre: &Mask,
    frame: &Frame,
    settings: &MetricSettings,
) -> Vec<LinePoint> {
    let w = centre.width();
    let places: Vec<usize> = (0..w * centre.height()).filter(|&i| centre.data()[i]).collect();
    par_collect(places.len(), |i| {
        let (x, y) = (places[i] % w, places[i] / w);
        let direction = ridges.at(x, y).direction;
        let readings = read_point(visits, x, y, direction, frame, settings)?;
        Some(LinePoint { x, y, length_px: pixel_length(direction), readings })
    })
    .into_iter()
    .flatten()
    .collect()
}

/// Samples per px across a line.
const PER_PX: usize = 2;
/// Least variance of the noise that a photo is weighed by, log units.
const NOISE_MIN: f64 = 1e-6;

fn read_point(
    visits: &[&Luminance],
    x: usize,
    y: usize,
    [tx, ty]: [f32; 2],
    frame: &Frame,
    settings: &MetricSettings,
) -> Option<Vec<LineReading>> {
    let px = |mm: f64| mm / frame.mm_per_px;
    let reach = (px(settings.line_profile_mm) * PER_PX as f64).ceil() as isize;
    let search = (px(settings.line_recentre_mm) * PER_PX as f64).round() as isize;
    let span = reach + search;
    let half = px(settings.line_average_mm) as f32 / 2.0;
    // Cross-sections of every visit, averaged over parallels along the line, a pixel apart.
    let parallels = half.round().max(2.0) as isize;
    let sections: Vec<Vec<f64>> = visits
        .iter()
        .map(|l| {
            (-span..=span)
                .map(|s| {
                    let d = s as f32 / PER_PX as f32;
                    (-parallels..=parallels)
                        .map(|k| {
                            let a = half * k as f32 / parallels as f32;
                            let (qx, qy) = (x as f32 + a * tx - d * ty, y as f32 + a * ty + d * tx);
                            bilinear(&l.flat, qx, qy) as f64
                        })
                        .sum::<f64>()
                        / (2 * parallels + 1) as f64
                })
                .collect()
        })
        .collect();
    // One centre and one pair of shoulders for all visits, from their mean, in which each has as much
    // noise as any other: else the noisier would be the deeper.
    let weights: Vec<f64> = visits.iter().map(|l| 1.0 / l.noise.white.max(NOISE_MIN)).collect();
    let all: f64 = weights.iter().sum();
    let mean: Vec<f64> = (0..sections[0].len())
        .map(|i| sections.iter().zip(&weights).map(|(s, w)| s[i] * w).sum::<f64>() / all)
        .collect();
    let bottom = (-search..=search)
        .min_by(|&a, &b| mean[(span + a) as usize].total_cmp(&mean[(span + b) as usize]))?;
    let even = |section: &[f64]| -> Vec<f64> {
        (0..=reach)
            .map(|t| {
                0.5 * (section[(span + bottom + t).min(2 * span) as usize]
                    + section[(span + bottom - t).max(0) as usize])
            })
            .collect()
    };
    let shoulder = shoulder(&even(&mean), (px(settings.line_shoulder_mm) * PER_PX as f64) as usize);
    if shoulder < 2 {
        return None;
    }
    let width_of = |profile: &[f64]| width_at_half(&profile[..=shoulder]) / PER_PX as f64;
    let profiles: Vec<Vec<f64>> = sections.iter().map(|s| even(s)).collect();
    let contrasts: Vec<f64> = profiles.iter().map(|p| p[shoulder] - p[0]).collect();
    let strongest = contrasts.iter().copied().fold(f64::MIN, f64::max);
    if strongest < settings.line_present_high {
        return None;
    }
    let joint_width = width_of(&even(&mean));
    let reading = |(profile, &contrast): (&Vec<f64>, &f64)| {
        let present = contrast >= settings.line_present_low;
        // Where the dip has vanished its own width would be chance.
        let width_px = if present { width_of(profile) } else { joint_width };
        let depth_px = groove_depth(contrast, width_px, settings.skin_albedo);
        LineReading { contrast, width_px, depth_px, present }
    };
    Some(profiles.iter().zip(&contrasts).map(reading).collect())
}

/// Where a profile that rises from its bottom stops rising for `flat` samples.
fn shoulder(profile: &[f64], flat: usize) -> usize {
    let mut top = 0;
    for (t, v) in profile.iter().enumerate() {
        if *v > profile[top] {
            top = t;
        } else if t > top + flat.max(1) {
            break;
        }
    }
    top
}

/// Twice the distance (samples) at which the profile has risen half way to its end; the whole
/// profile where it never does.
fn width_at_half(profile: &[f64]) -> f64 {
    let last = profile.len() - 1;
    let half = 0.5 * (profile[0] + profile[last]);
    for t in 1..=last {
        if profile[t] >= half && profile[t - 1] < half {
            let f = (half - profile[t - 1]) / (profile[t] - profile[t - 1]);
            return 2.0 * (t as f64 - 1.0 + f);
        }
    }
    2.0 * last as f64
}

/// Depth of a long groove whose bottom is darker by `contrast` (log units), full width at half
/// depth `width`: under diffuse light the bottom sees F = a/√(a²+d²) of the sky, and light
/// bouncing inside at albedo ρ lifts that to r = F/(1 − ρ(1 − F)).
fn groove_depth(contrast: f64, width: f64, albedo: f64) -> f64 {
    let r = (-contrast.max(0.0)).exp();
    let f = r * (1.0 - albedo) / (1.0 - albedo * r);
    0.5 * width * (1.0 / (f * f) - 1.0).max(0.0).sqrt()
}

fn bilinear(p: &Plane, x: f32, y: f32) -> f32 {
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (x - x0, y - y0);
    let (xi, yi) = (x0 as isize, y0 as isize);
    let top = p.clamped(xi, yi) * (1.0 - fx) + p.clamped(xi + 1, yi) * fx;
    let low = p.clamped(xi, yi + 1) * (1.0 - fx) + p.clamped(xi + 1, yi + 1) * fx;
    top * (1.0 - fy) + low * fy
}

/// Depth histogram: this many bins, each this factor deeper than the last, from this depth in px.
const BINS: usize = 96;
const BIN_FACTOR: f64 = 1.08;
const FIRST_BIN_PX: f64 = 0.05;
/// Columns before the histogram: pixels, length present, length of all places, length × depth over
/// all places, length and length × width where present in all visits, length × width where present.
const FIRST: usize = 7;

/// Sums over tiles.
pub fn sheet(points: &[LinePoint], visit: usize, tiles: &Tiles) -> Sheet {
    let mut sheet = Sheet::new(tiles.count(), FIRST + BINS);
    tiles.for_each(|tile, _, _| sheet.tile(tile)[0] += 1.0);
    for point in points {
        let Some(tile) = tiles.of(point.x, point.y) else { continue };
        let r = point.readings[visit];
        let mut row = sheet.tile(tile);
        let length = point.length_px;
        row[2] += length;
        row[3] += length * r.depth_px;
        if point.readings.iter().all(|r| r.present) {
            row[4] += length;
            row[5] += length * r.width_px;
        }
        if r.present {
            row[1] += length;
            row[6] += length * r.width_px;
            let bin = (r.depth_px.max(FIRST_BIN_PX) / FIRST_BIN_PX).ln() / BIN_FACTOR.ln();
            row[FIRST + (bin as usize).min(BINS - 1)] += length;
        }
    }
    sheet
}

/// `wrinkle_length`: length of the lines that are present.
pub fn length(s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    if s[0] <= 0.0 {
        return Err(Reason::LowCoverage);
    }
    Ok(s[1] * frame.length())
}

/// `wrinkle_density`: that length per cm² of measured skin.
pub fn density(s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    let area_cm2 = s[0] * frame.mm2()? / 100.0;
    Ok(length(s, frame)? / area_cm2)
}

fn mean_length(sum: f64, length: f64, frame: &Frame) -> Result<f64, Reason> {
    if length <= 0.0 {
        return Err(Reason::NothingFound);
    }
    Ok(sum / length * frame.length())
}

/// `wrinkle_width`: length-weighted mean full width at half depth, where the line is present in
/// all visits compared (what has vanished has no width).
pub fn width(s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    mean_length(s[5], s[4], frame)
}

/// `wrinkle_depth`: length-weighted mean depth, an optical estimate, over all places where any
/// visit shows a line.
pub fn depth(s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    mean_length(s[3], s[2], frame)
}

/// `wrinkle_depth_max`: the depth that 5 % of the present length exceeds (a single deepest pixel
/// would be chance).
pub fn depth_max(s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    let bins = &s[FIRST..];
    let total: f64 = bins.iter().sum();
    if total <= 0.0 {
        return Err(Reason::NothingFound);
    }
    let mut above = 0.0;
    for (k, &length) in bins.iter().enumerate().rev() {
        if above + length >= 0.05 * total {
            let f = 1.0 - (0.05 * total - above) / length;
            return Ok(FIRST_BIN_PX * BIN_FACTOR.powf(k as f64 + f) * frame.length());
        }
        above += length;
    }
    Err(Reason::NothingFound)
}

/// `wrinkle_area_percent`: length × width of present lines, of the measured skin.
pub fn area_percent(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    if s[0] <= 0.0 {
        return Err(Reason::LowCoverage);
    }
    Ok(100.0 * s[6] / s[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groove_model_inverts_its_own_forward_formula() {
        let (a, d, rho) = (4.0f64, 3.0f64, 0.5f64);
        let f = a / (a * a + d * d).sqrt();
        let r = f / (1.0 - rho * (1.0 - f));
        assert!((groove_depth(-r.ln(), 2.0 * a, rho) - d).abs() < 1e-9);
    }

    /// A drawn Gaussian valley: length, width and contrast come back.
    #[test]
    fn reads_a_drawn_line() {
        let settings = MetricSettings::default();
        let frame = Frame { mm_per_px: 0.08, metric_scale: true, shortest_period_px: 3.0 };
        let (s, a) = (3.0f32, 0.15f32);
        let flat = Plane::from_fn(400, 300, |x, y| {
            let (dx, dy) = (x as f32 - 200.0, y as f32 - 150.0);
            let (t, d) = (0.8 * dx + 0.6 * dy, -0.6 * dx + 0.8 * dy);
            if t.abs() < 100.0 { -a * (-0.5 * (d / s).powi(2)).exp() } else { 0.0 }
        });
        let l = Luminance::drawn(flat);
        let points = read(&[&l], &frame, &settings).unwrap();
        let length: f64 = points.iter().map(|p| p.length_px).sum();
        assert!((length / 200.0 - 1.0).abs() < 0.06, "length {length}");
        let middle: Vec<_> = points.iter().filter(|p| p.x.abs_diff(200) < 60).collect();
        let mean = |f: &dyn Fn(&LineReading) -> f64| {
            middle.iter().map(|p| f(&p.readings[0])).sum::<f64>() / middle.len() as f64
        };
        let fwhm = 2.0 * (2.0f64 * 2f64.ln()).sqrt() * s as f64;
        assert!((mean(&|r| r.contrast) / a as f64 - 1.0).abs() < 0.05);
        assert!((mean(&|r| r.width_px) / fwhm - 1.0).abs() < 0.06);
    }
}
