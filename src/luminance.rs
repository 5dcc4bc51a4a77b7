//! Comparable luminance: light, exposure, focus and noise taken out of the difference between
//! two photos of the same skin.
//!
//! Everything works on the natural log of linear luminance, on the baseline's pixels. The
//! illumination is a mask-aware Gaussian mean of `flatten_sigma_mm` and is subtracted, so that
//! exposure and slow light drop out (a factor of light is a constant in log). Follow-ups are
//! resampled once, in linear light, by quintic B-splines. Of two photos the sharper is blurred down to the other.
//! No constant depends on the photos' own contrast.

use crate::align::Field;
use crate::filter::gaussian::{blur, blur_masked};
use crate::filter::stats::{median, quantile};
use crate::filter::warp::Spline;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window, par_collect};
use crate::series::Scale;
use crate::settings::LuminanceSettings;
use crate::srgb;

/// Flattened log luminance of one visit on the window of the region map.
#[derive(Debug, Clone)]
pub struct Luminance {
    /// Natural log of luminance minus the illumination; 0 outside `valid`.
    pub flat: Plane,
    /// Skin that this photo shows, neither clipped nor too dark to measure.
    pub valid: Mask,
    /// Standard deviation of white noise per pixel, log units.
    pub noise: f64,
    /// Shortest spatial period that the photo carries, baseline px.
    pub shortest_period_px: f64,
    /// Apparent Gaussian blur of the skin, baseline px: what would make a spectrum that falls by
    /// the same amount per octave (as skin's does) into the one seen. `None` where noise hides it.
    pub blur_px: Option<f64>,
    /// Median log luminance of the skin: exposure and complexion together.
    pub median_log: f64,
    /// Share of the region map's skin that is clipped or black here, 0–1.
    pub clipped: f64,
}

#[cfg(test)]
impl Luminance {
    /// A drawn plane, all valid, without noise.
    pub fn drawn(flat: Plane) -> Self {
        Luminance {
            valid: Mask::filled(flat.width(), flat.height(), true),
            flat,
            noise: 0.0,
            shortest_period_px: 3.0,
            blur_px: None,
            median_log: -1.0,
            clipped: 0.0,
        }
    }
}

/// Two visits made comparable: same valid skin, same sharpness.
#[derive(Debug, Clone)]
pub struct Pair {
    /// The earlier photo.
    pub baseline: Luminance,
    /// The later photo, on the baseline's pixels.
    pub follow_up: Luminance,
    /// Gaussian blur by which the two differed, baseline px; positive: the follow-up was blurrier.
    pub blur_difference_px: f64,
}

/// Flattening length in px.
fn flatten_sigma_px(scale: &Scale, window: Window, settings: &LuminanceSettings) -> f32 {
    let px = match scale.mm_per_px {
        Some(mm) => settings.flatten_sigma_mm / mm.0,
        None => window.width.max(window.height) as f64 * settings.flatten_sigma_unscaled,
    };
    px as f32
}

/// The luminance of one visit through `field` (the identity for the baseline) on `window`, whose
/// `skin` may be measured.
pub fn luminance(
    photo: &Photo,
    field: &Field,
    (window, skin): (Window, &Mask),
    scale: &Scale,
    settings: &LuminanceSettings,
) -> Luminance {
    let (log, shown) = resample(photo, field, window, settings);
    let valid = Mask::from_fn(window.width, window.height, |x, y| {
        skin.at(x, y) && shown.at(x, y) == Shown::Well
    });
    let light = blur_masked(&log, &valid, flatten_sigma_px(scale, window, settings));
    let flat = Plane::from_fn(window.width, window.height, |x, y| {
        if valid.at(x, y) { log.at(x, y) - light.at(x, y) } else { 0.0 }
    });
    let noise = noise(&flat, &valid, settings);
    // A photo with fewer pixels on the same skin carries coarser periods only.
    let coarser = (1.0 / field.scale()).max(1.0);
    let shortest_period_px = settings.shortest_period_px * coarser;
    let mut sample: Vec<f64> = (0..log.data().len())
        .step_by(97)
        .filter(|&i| valid.data()[i])
        .map(|i| log.data()[i] as f64)
        .collect();
    let median_log = median(&mut sample).unwrap_or(f64::from(u16::MAX).recip().ln());
    let count = |m: &Mask| m.data().iter().filter(|v| **v).count() as f64;
    let badly = Mask::from_fn(window.width, window.height, |x, y| {
        skin.at(x, y) && shown.at(x, y) == Shown::Badly
    });
    let (good, bad) = (count(&valid), count(&badly));
    let clipped = bad / (good + bad).max(1.0);
    let blur_px = apparent_blur(&flat, &valid, noise, settings);
    Luminance { flat, valid, noise, shortest_period_px, blur_px, median_log, clipped }
}

/// The slope of ln(band energy) on the bands' mean squared frequency, median over tiles: a
/// Gaussian blur of σ makes it −σ².
fn apparent_blur(
    flat: &Plane,
    valid: &Mask,
    noise: f64,
    settings: &LuminanceSettings,
) -> Option<f64> {
    let bands = octaves(flat, valid, settings);
    let mut slopes = per_tile(valid, settings, |left, top, side| {
        let mut line = Line::default();
        for band in &bands {
            let (e, g) = energy(&band.plane, valid, left, top, side);
            let signal = e - noise * noise * band.gain;
            if signal > 0.0 {
                line.add(g / e, signal.ln());
            }
        }
        line.slope()
    });
    median(&mut slopes).map(|slope| (-slope).max(0.0).sqrt())
}

/// Whether a photo shows a pixel of the baseline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Shown {
    /// Outside the frame.
    #[default]
    Not,
    /// Clipped or too dark.
    Badly,
    /// Measurable.
    Well,
}

/// Log luminance on the window's pixels, and how the photo shows each.
fn resample(
    photo: &Photo,
    field: &Field,
    window: Window,
    settings: &LuminanceSettings,
) -> (Plane, Grid<Shown>) {
    let (low, high) = (settings.dark_limit, settings.clip_limit);
    let usable = |x: usize, y: usize| {
        let [r, g, b] = photo.linear.at(x, y);
        let good =
            f64::from(r.max(g).max(b)) / 65535.0 < high && photo.luminance_at(x, y) > low as f32;
        if good { Shown::Well } else { Shown::Badly }
    };
    if field.is_identity() {
        let shown =
            Grid::from_fn(window.width, window.height, |x, y| usable(window.x + x, window.y + y));
        return (photo.luminance(window).map(srgb::log), shown);
    }
    let source = field.footprint(window, 0.02, photo.width(), photo.height());
    // A finer photo is brought to the baseline's sampling before it is resampled: what the
    // baseline's pixels cannot hold must not fold back.
    let finer = (field.scale().powi(2) - 1.0).max(0.0).sqrt();
    let spline = Spline::new(&blur(&photo.luminance(source), (0.5 * finer) as f32));
    let mut out = Grid::filled(window.width, window.height, (0.0f32, Shown::Not));
    let margin = settings.border_px;
    let (right, bottom) =
        (photo.width() as f64 - 1.0 - margin, photo.height() as f64 - 1.0 - margin);
    out.par_rows(|y, row| {
        let line = field.row((window.y + y) as f64);
        for (x, v) in row.iter_mut().enumerate() {
            let [px, py] = line.at((window.x + x) as f64);
            if px >= margin && py >= margin && px <= right && py <= bottom {
                let shown = usable(px.round() as usize, py.round() as usize);
                *v = (srgb::log(spline.at(px - source.x as f64, py - source.y as f64)), shown);
            }
        }
    });
    (out.map(|(v, _)| v), out.map(|(_, s)| s))
}

/// White noise per pixel after Immerkær (1996): the mask [1 −2 1; −2 4 −2; 1 −2 1] is blind to
/// planes and slow curves and passes 36 σ² of white noise. The quietest tiles count, since skin
/// only adds.
fn noise(flat: &Plane, valid: &Mask, settings: &LuminanceSettings) -> f64 {
    let side = settings.noise_tile_px;
    let tiles = [flat.width() / side, flat.height() / side];
    let powers = par_collect(tiles[0] * tiles[1], |i| {
        let (left, top) = (i % tiles[0] * side, i / tiles[0] * side);
        let (mut sum, mut n) = (0.0f64, 0usize);
        for y in (top + 1)..(top + side - 1) {
            let (u, c, d) = (flat.row(y - 1), flat.row(y), flat.row(y + 1));
            for x in (left + 1)..(left + side - 1) {
                if (0..9).all(|k| valid.at(x + k % 3 - 1, y + k / 3 - 1)) {
                    let v = u[x - 1] - 2.0 * u[x] + u[x + 1] - 2.0 * c[x - 1] + 4.0 * c[x]
                        - 2.0 * c[x + 1]
                        + d[x - 1]
                        - 2.0 * d[x]
                        + d[x + 1];
                    sum += (v * v) as f64;
                    n += 1;
                }
            }
        }
        (n * 2 > side * side).then(|| sum / (36.0 * n as f64))
    });
    let mut powers: Vec<f64> = powers.into_iter().flatten().collect();
    quantile(&mut powers, settings.noise_quantile).unwrap_or(0.0).sqrt()
}

/// Brings two visits to the same valid skin and the same sharpness.
pub fn comparable(
    baseline: &Luminance,
    follow_up: &Luminance,
    settings: &LuminanceSettings,
) -> Pair {
    let (w, h) = (baseline.flat.width(), baseline.flat.height());
    let valid = Mask::from_fn(w, h, |x, y| baseline.valid.at(x, y) && follow_up.valid.at(x, y));
    let difference = blur_difference(baseline, follow_up, &valid, settings);
    let period = baseline.shortest_period_px.max(follow_up.shortest_period_px);
    // The blurrier of the two sets what both carry.
    let period = period * (1.0 + difference.abs() / settings.own_blur_px.powi(2)).sqrt();
    let sigma = difference.abs().sqrt();
    let level = |own: &Luminance, blurred: bool| -> Luminance {
        let mut flat = own.flat.clone();
        let mut noise = own.noise;
        if blurred && sigma > 0.1 {
            flat = blur_masked(&flat, &valid, sigma as f32);
            // White noise through a Gaussian: 1/(4πσ²) of its power, at most all of it.
            noise *= (1.0 / (4.0 * std::f64::consts::PI * sigma * sigma)).sqrt().min(1.0);
        }
        flat.par_rows(|y, row| {
            for (v, &keep) in row.iter_mut().zip(valid.row(y)) {
                if !keep {
                    *v = 0.0;
                }
            }
        });
        Luminance {
            flat,
            valid: valid.clone(),
            noise,
            shortest_period_px: period,
            blur_px: own.blur_px,
            median_log: own.median_log,
            clipped: own.clipped,
        }
    };
    Pair {
        baseline: level(baseline, difference > 0.0),
        follow_up: level(follow_up, difference < 0.0),
        blur_difference_px: difference.signum() * sigma,
    }
}

/// By how much σ² (px²) the follow-up is blurrier than the baseline.
///
/// A Gaussian blur lowers the log amplitude of a band by ½·Δσ²·q, q = the band's mean squared
/// angular frequency, measured as (gradient energy)/(energy); a change of relief lowers all bands
/// alike. So in each tile the log ratio of band energies is fitted by c − Δσ²·q, and the median
/// over tiles is taken: a treated region, being a minority of tiles, does not move it.
fn blur_difference(
    a: &Luminance,
    b: &Luminance,
    valid: &Mask,
    settings: &LuminanceSettings,
) -> f64 {
    let bands_a = octaves(&a.flat, valid, settings);
    let bands_b = octaves(&b.flat, valid, settings);
    let mut slopes = per_tile(valid, settings, |left, top, side| {
        let mut line = Line::default();
        for (pa, pb) in bands_a.iter().zip(&bands_b) {
            let (ea, ga) = energy(&pa.plane, valid, left, top, side);
            let (eb, gb) = energy(&pb.plane, valid, left, top, side);
            let (na, nb) = (a.noise.powi(2) * pa.gain, b.noise.powi(2) * pb.gain);
            let (sa, sb) = (ea - na, eb - nb);
            // Only bands that rise above the noise of both.
            if sa > settings.blur_signal_min * na && sb > settings.blur_signal_min * nb {
                line.add(0.5 * (ga / ea + gb / eb), (sb / sa).ln());
            }
        }
        line.slope().map(|s| -s)
    });
    if slopes.len() < settings.blur_tiles_min {
        return 0.0;
    }
    let limit = settings.blur_match_max_px.powi(2);
    median(&mut slopes).unwrap_or(0.0).clamp(-limit, limit)
}

/// Runs `f(left, top, side)` on every tile that is at least nine tenths skin.
fn per_tile(
    valid: &Mask,
    settings: &LuminanceSettings,
    f: impl Fn(usize, usize, usize) -> Option<f64> + Sync + Send,
) -> Vec<f64> {
    let side = settings.blur_tile_px;
    let (nx, ny) = (valid.width() / side, valid.height() / side);
    let values = par_collect(nx * ny, |i| {
        let (left, top) = (i % nx * side, i / nx * side);
        let full: usize = (top..top + side)
            .map(|y| valid.row(y)[left..left + side].iter().filter(|v| **v).count())
            .sum();
        if full * 10 < side * side * 9 { None } else { f(left, top, side) }
    });
    values.into_iter().flatten().collect()
}

/// Least-squares line.
#[derive(Default)]
struct Line {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    xy: f64,
}

impl Line {
    fn add(&mut self, x: f64, y: f64) {
        self.n += 1.0;
        self.x += x;
        self.y += y;
        self.xx += x * x;
        self.xy += x * y;
    }
    /// `None` with fewer than three points.
    fn slope(&self) -> Option<f64> {
        let det = self.n * self.xx - self.x * self.x;
        (self.n >= 3.0 && det > 1e-12).then(|| (self.n * self.xy - self.x * self.y) / det)
    }
}

/// One octave band and the share of white noise power it passes.
struct Octave {
    plane: Plane,
    gain: f64,
}

/// Differences of Gaussians half an octave apart, finest first.
fn octaves(flat: &Plane, valid: &Mask, settings: &LuminanceSettings) -> Vec<Octave> {
    let sigmas = &settings.blur_sigmas_px;
    let blurred: Vec<Plane> = sigmas.iter().map(|&s| blur_masked(flat, valid, s as f32)).collect();
    (1..sigmas.len())
        .map(|i| {
            let plane = Plane::from_fn(flat.width(), flat.height(), |x, y| {
                blurred[i - 1].at(x, y) - blurred[i].at(x, y)
            });
            // ∫(g_a − g_b)² for two-dimensional Gaussians.
            let (a, b) = (sigmas[i - 1].powi(2), sigmas[i].powi(2));
            let gain = (0.25 / a + 0.25 / b - 1.0 / (a + b)) / std::f64::consts::PI;
            Octave { plane, gain }
        })
        .collect()
}

/// Mean square of a tile, and of its gradient by forward differences.
fn energy(p: &Plane, valid: &Mask, left: usize, top: usize, side: usize) -> (f64, f64) {
    let (mut e, mut g, mut n) = (0.0f64, 0.0f64, 0usize);
    for y in top..top + side {
        let row = p.row(y);
        let next = p.row((y + 1).min(p.height() - 1));
        for x in left..left + side {
            if !valid.at(x, y) {
                continue;
            }
            let right = row[(x + 1).min(p.width() - 1)];
            e += (row[x] * row[x]) as f64;
            g += ((right - row[x]).powi(2) + (next[x] - row[x]).powi(2)) as f64;
            n += 1;
        }
    }
    (e / n.max(1) as f64, g / n.max(1) as f64)
}
