//! Pores: dark round spots of 0.2–1.0 mm, found once for a pair and read in each photo at the same
//! places.
//!
//! Candidates are maxima over place and scale of the smaller eigenvalue of the scale-normalised
//! Hessian (Lindeberg 1998): large where the dip is dark in every direction, near zero on a line.
//! At each the pair's mean radial profile gives contrast and diameter (at half depth, less what blur and
//! the scattering of light in skin add), and what part of it a visit has, the visit's contrast. How much
//! the diameters of the pores that both visits show have changed is told by the volume of their dips, the
//! sum of what is dark over its area: neither blur nor scattering moves it, and a pore that shrinks as a
//! whole loses it with the square of its diameter.

use super::{Frame, Reason, Sheet, Tiles};
use crate::filter::gaussian::{away_from_edges, diffuse};
use crate::filter::hessian::smaller_eigenvalue;
use crate::luminance::Luminance;
use crate::plane::{Plane, par_collect};
use crate::settings::MetricSettings;

/// Directions in which a pore's rim is sought.
const DIRECTIONS: usize = 12;
/// Samples per px along a radius.
const PER_PX: usize = 4;

/// What one visit shows at a pore.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PoreReading {
    /// Depth of the dip, log units: the visit's part of that of the pair's mean.
    pub contrast: f64,
    /// Volume of the dip, log units times px².
    pub volume_px2: f64,
    /// Equivalent diameter, px: that of the pair's mean, as the volumes have it.
    pub diameter_px: f64,
    /// Longer over shorter axis.
    pub elongation: f64,
    /// Whether it counts in this visit.
    pub present: bool,
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
    /// One per visit.
    pub readings: Vec<PoreReading>,
}

/// Finds pores in all visits together and reads them in each.
pub fn read(
    visits: &[&Luminance],
    frame: &Frame,
    settings: &MetricSettings,
) -> Result<Vec<Pore>, Reason> {
    if !frame.metric_scale {
        return Err(Reason::NoScale);
    }
    // A sharp photo carries periods of 3 px: the limit is told for one, and holds for a blurrier
    // one by what it carries.
    if frame.shortest_period_px * frame.mm_per_px > 3.0 * settings.pore_mm_per_px_max {
        return Err(Reason::BelowResolution);
    }
    let candidates = candidates(visits, frame, settings);
    let smooth: Vec<Plane> =
        visits.iter().map(|l| diffuse(&l.flat, &l.valid, settings.pore_smoothing_px2)).collect();
    let pores = par_collect(candidates.len(), |i| {
        let (x, y, _) = candidates[i];
        read_pore(&smooth, x, y, frame, settings)
    });
    Ok(distinct(pores.into_iter().flatten().collect(), frame, settings))
}

/// (x, y, response) of the maxima over place and scale, strongest first.
fn candidates(
    visits: &[&Luminance],
    frame: &Frame,
    settings: &MetricSettings,
) -> Vec<(f64, f64, f32)> {
    let valid = &visits[0].valid;
    let (w, h) = (valid.width(), valid.height());
    let inner = away_from_edges(valid, settings.pore_margin_mm / frame.mm_per_px);
    let mut best = Plane::filled(w, h, 0.0);
    for visit in visits {
        for &diameter in &settings.pore_scales_mm {
            // A disc of diameter D answers most at σ = D/(2√2) (Lindeberg 1998).
            let sigma = (diameter / frame.mm_per_px / 8f64.sqrt()).max(0.8) as f32;
            let dark = smaller_eigenvalue(&visit.flat, sigma);
            best.par_rows(|y, row| {
                for (x, v) in row.iter_mut().enumerate() {
                    if inner.at(x, y) {
                        *v = v.max(dark.at(x, y));
                    }
                }
            });
        }
    }
    let limit = settings.pore_response as f32;
    let rows = par_collect(h.saturating_sub(2), |i| {
        let y = i + 1;
        let mut found = Vec::new();
        for x in 1..w.saturating_sub(1) {
            let v = best.at(x, y);
            if v < limit {
                continue;
            }
            let (xi, yi) = (x as isize, y as isize);
            let peak = (-1..=1).all(|dy| {
                (-1..=1).all(|dx: isize| {
                    let o = best.clamped(xi + dx, yi + dy);
                    // Of equal neighbours the first in reading order is the peak.
                    if (dy, dx) < (0, 0) { v > o } else { v >= o }
                })
            });
            if peak {
                let centre = |a: f32, b: f32| {
                    let bend = a + b - 2.0 * v;
                    if bend < 0.0 { (0.5 * (a - b) / bend).clamp(-0.5, 0.5) as f64 } else { 0.0 }
                };
                let cx = centre(best.at(x - 1, y), best.at(x + 1, y));
                let cy = centre(best.at(x, y - 1), best.at(x, y + 1));
                found.push((x as f64 + cx, y as f64 + cy, v));
            }
        }
        found
    });
    let mut all: Vec<_> = rows.into_iter().flatten().collect();
    all.sort_by(|a, b| b.2.total_cmp(&a.2).then(a.1.total_cmp(&b.1)).then(a.0.total_cmp(&b.0)));
    all
}

/// Reads a pore in the smoothed visits.
fn read_pore(
    visits: &[Plane],
    x: f64,
    y: f64,
    frame: &Frame,
    settings: &MetricSettings,
) -> Option<Pore> {
    let reach = settings.pore_diameter_mm[1] / frame.mm_per_px * 0.75;
    let samples = (reach * PER_PX as f64).ceil() as usize;
    let profiles: Vec<Vec<Vec<f64>>> = visits
        .iter()
        .map(|plane| {
            (0..DIRECTIONS)
                .map(|k| {
                    let angle = std::f64::consts::TAU * k as f64 / DIRECTIONS as f64;
                    let (dx, dy) = (angle.cos(), angle.sin());
                    (0..=samples)
                        .map(|s| {
                            let r = s as f64 / PER_PX as f64;
                            bilinear(plane, x + r * dx, y + r * dy)
                        })
                        .collect()
                })
                .collect()
        })
        .collect();
    let radial = |p: &[Vec<f64>]| -> Vec<f64> {
        (0..=samples).map(|s| p.iter().map(|d| d[s]).sum::<f64>() / DIRECTIONS as f64).collect()
    };
    // One rim for all visits, from their mean: where the mean profile stops rising.
    let means: Vec<Vec<f64>> = profiles.iter().map(|p| radial(p)).collect();
    let joint: Vec<f64> = (0..=samples)
        .map(|s| means.iter().map(|m| m[s]).sum::<f64>() / means.len() as f64)
        .collect();
    let mut rim = 0;
    for (s, v) in joint.iter().enumerate() {
        if *v > joint[rim] {
            rim = s;
        } else if s > rim + PER_PX {
            break;
        }
    }
    if rim < PER_PX {
        return None;
    }
    // What smoothing adds to the square of a Gaussian dip's width at half depth, and what scattering does.
    let spread = settings.pore_spread_mm / frame.mm_per_px;
    let widened = 8.0 * 2f64.ln() * settings.pore_smoothing_px2 + spread * spread;
    let end = rim as f64 / PER_PX as f64;
    let half = 0.5 * (joint[0] + joint[rim]);
    // The mean profile has a quarter of one direction's noise, which finds a rim too soon.
    let radius = crossing(&joint[..=rim], half).unwrap_or(end);
    let diameter_px = (4.0 * radius * radius - widened).max(0.25 * widened).sqrt();
    let depth = joint[rim] - joint[0];
    // The dip by rings, each by its area.
    let ring = |profile: &[f64], s: usize| (profile[rim] - profile[s]) * s as f64;
    let over = |f: &dyn Fn(usize) -> f64| (0..rim).map(f).sum::<f64>();
    let energy = over(&|s| ring(&joint, s) * (joint[rim] - joint[s]));
    let volume = over(&|s| ring(&joint, s));
    if energy <= 0.0 || volume <= 0.0 {
        return None;
    }
    let px2 = std::f64::consts::TAU / (PER_PX * PER_PX) as f64;
    let (readings, open): (Vec<PoreReading>, Vec<usize>) = profiles
        .iter()
        .zip(&means)
        .map(|(directions, mean)| {
            let part = over(&|s| ring(mean, s) * (joint[rim] - joint[s])) / energy;
            let own = over(&|s| ring(mean, s));
            let half = 0.5 * (mean[0] + mean[rim]);
            let rims: Vec<Option<f64>> =
                directions.iter().map(|d| crossing(&d[..=rim], half)).collect();
            let open = rims.iter().filter(|r| r.is_none()).count();
            let radii: Vec<f64> = rims.into_iter().map(|r| r.unwrap_or(end)).collect();
            let axes: Vec<f64> =
                (0..DIRECTIONS / 2).map(|k| radii[k] + radii[k + DIRECTIONS / 2]).collect();
            let elongation = (0..axes.len())
                .map(|k| axes[k] / axes[(k + axes.len() / 2) % axes.len()].max(1e-6))
                .fold(1.0, f64::max);
            let contrast = depth * part;
            let reading = PoreReading {
                contrast,
                volume_px2: px2 * own,
                diameter_px: diameter_px * (own / volume).max(0.0).sqrt(),
                elongation,
                present: contrast >= settings.pore_present_low,
            };
            (reading, open)
        })
        .unzip();
    let strongest = readings.iter().map(|r| r.contrast).fold(f64::MIN, f64::max);
    let [small, large] = settings.pore_diameter_mm.map(|mm| mm / frame.mm_per_px);
    let sized = (small..=large).contains(&diameter_px);
    let round = readings.iter().any(|r| r.elongation <= settings.pore_elongation_max);
    // Dark in every direction: a valley between plateaus, or a line's end, is open to some side.
    let closed = open.iter().any(|&n| n <= settings.pore_open_directions_max);
    let pore = Pore { x, y, diameter_px, readings };
    (strongest >= settings.pore_present_high && sized && round && closed).then_some(pore)
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

fn bilinear(p: &Plane, x: f64, y: f64) -> f64 {
    let (x0, y0) = (x.floor(), y.floor());
    let (fx, fy) = (x - x0, y - y0);
    let (xi, yi) = (x0 as isize, y0 as isize);
    let at = |dx, dy| p.clamped(xi + dx, yi + dy) as f64;
    (at(0, 0) * (1.0 - fx) + at(1, 0) * fx) * (1.0 - fy)
        + (at(0, 1) * (1.0 - fx) + at(1, 1) * fx) * fy
}

/// Columns: pixels, present, present and visible (≥ 250 µm), present in all visits, over those: diameter
/// and volume in the mean of the visits, volume and elongation here; area of present ones.
const COLUMNS: usize = 9;
/// A visible pore's diameter, mm (Flament 2015).
const VISIBLE_MM: f64 = 0.25;

/// Sums over tiles.
pub fn sheet(pores: &[Pore], visit: usize, tiles: &Tiles, frame: &Frame) -> Sheet {
    let mut sheet = Sheet::new(tiles.count(), COLUMNS);
    tiles.for_each(|tile, _, _| sheet.tile(tile)[0] += 1.0);
    for pore in pores {
        let (x, y) = (pore.x.round().max(0.0) as usize, pore.y.round().max(0.0) as usize);
        let Some(tile) = tiles.of(x, y) else { continue };
        let r = pore.readings[visit];
        let mut row = sheet.tile(tile);
        // What has vanished, or not yet come, has no diameter: the same pores in every visit.
        if pore.readings.iter().all(|r| r.present) {
            row[3] += 1.0;
            row[4] += pore.diameter_px;
            let volumes = pore.readings.iter().map(|r| r.volume_px2).sum::<f64>();
            row[5] += volumes / pore.readings.len() as f64;
            row[6] += r.volume_px2;
            row[7] += r.elongation;
        }
        if r.present {
            row[1] += 1.0;
            row[2] += (r.diameter_px * frame.mm_per_px >= VISIBLE_MM) as u8 as f64;
            row[8] += std::f64::consts::FRAC_PI_4 * r.diameter_px * r.diameter_px;
        }
    }
    sheet
}

fn per_cm2(count: f64, s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    if s[0] <= 0.0 {
        return Err(Reason::LowCoverage);
    }
    Ok(count / (s[0] * frame.mm2()? / 100.0))
}

/// `pore_count`.
pub fn count(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    if s[0] <= 0.0 { Err(Reason::LowCoverage) } else { Ok(s[1]) }
}

/// `pore_density`.
pub fn density(s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    per_cm2(s[1], s, frame)
}

/// `visible_pore_density`: pores of 250 µm and more.
pub fn visible_density(s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    per_cm2(s[2], s, frame)
}

/// `pore_diameter`: mean equivalent diameter of the pores present in all visits compared, in the mean of
/// the visits, times the root of the part of their volume that is here.
pub fn diameter(s: &[f64], frame: &Frame) -> Result<f64, Reason> {
    if s[3] <= 0.0 || s[5] <= 0.0 {
        return Err(Reason::NothingFound);
    }
    if s[6] <= 0.0 {
        return Err(Reason::BelowNoise);
    }
    Ok(s[4] / s[3] * (s[6] / s[5]).sqrt() * frame.length())
}

/// `pore_elongation`: mean ratio of the axes.
pub fn elongation(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    if s[3] <= 0.0 { Err(Reason::NothingFound) } else { Ok(s[7] / s[3]) }
}

/// `pore_area_percent`: area of present pores, of the measured skin.
pub fn area_percent(s: &[f64], _: &Frame) -> Result<f64, Reason> {
    if s[0] <= 0.0 { Err(Reason::LowCoverage) } else { Ok(100.0 * s[8] / s[0]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gaussian dips of known place and width at half depth; a line beside them is no pore.
    #[test]
    fn finds_drawn_pores_and_no_line() {
        let frame = Frame {
            mm_per_px: 0.06,
            metric_scale: true,
            shortest_period_px: 3.0,
            groove: Default::default(),
        };
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
        let l = Luminance::drawn(flat);
        let pores = read(&[&l], &frame, &MetricSettings::default()).unwrap();
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
}
