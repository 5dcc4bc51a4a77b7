//! Sharpness: the apparent blur of one photo, and by how much two photos of the same skin differ.

use super::Luminance;
use crate::filter::gaussian::{blur_masked, noise_gain};
use crate::filter::stats::{deming, mean_square, median};
use crate::plane::{Mask, Plane, Window, par_collect};
use crate::region::Face;
use crate::settings::LuminanceSettings;

/// How sharp one photo is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sharpness {
    /// Apparent Gaussian blur, px: what makes a spectrum that is alike in all octaves, as skin's is,
    /// into the one seen. `None` where noise hides it.
    pub blur_px: Option<f64>,
    /// Amplitude of fine octaves (σ 1–1.4 px) over that of coarse ones (σ 2.8–4 px). `None` where noise
    /// hides it.
    pub fine: Option<f64>,
}

/// The sharpness of what is `valid`, under white noise of a variance per pixel.
///
/// A power spectrum that is alike in all octaves, blurred by a Gaussian of variance v, leaves an octave
/// of sigmas σ and τ the energy ∝ ln((σ²/2 + τ²/2 + v)²/((σ² + v)(τ² + v))) (Frullani's integral). v is
/// what makes the ratio of the finest octave that noise does not hide to the coarsest the one seen.
pub fn sharpness(
    flat: &Plane,
    valid: &Mask,
    white: f64,
    settings: &LuminanceSettings,
) -> Sharpness {
    let bands = octaves(flat, valid, settings);
    let signal = |octave: usize| {
        let Octave { plane, gain } = &bands[octave];
        let noise = white.max(settings.noise_floor.powi(2)) * gain;
        Some(mean_square(plane, valid) - noise).filter(|signal| *signal > noise)
    };
    let expected = |octave: usize, v: f64| {
        let [a, b] = [0, 1].map(|k| settings.blur_sigmas_px[octave + k].powi(2));
        ((a / 2.0 + b / 2.0 + v).powi(2) / ((a + v) * (b + v))).ln()
    };
    let Some(coarse) = signal(COARSE) else { return Sharpness::default() };
    let finest = (FINE..COARSE).find_map(|octave| Some((octave, signal(octave)?)));
    let blur_px = finest.map(|(octave, fine)| {
        // The ratio falls with the blur.
        let [mut low, mut high] = [0.0, BLUR_MAX_PX.powi(2)];
        for _ in 0..40 {
            let v = 0.5 * (low + high);
            let too_much = expected(octave, v) / expected(COARSE, v) < fine / coarse;
            *(if too_much { &mut high } else { &mut low }) = v;
        }
        f64::sqrt(0.5 * (low + high))
    });
    Sharpness { blur_px, fine: signal(FINE).map(|fine| (fine / coarse).sqrt()) }
}

/// The fine and the coarse octave of [`Sharpness::fine`]; finer ones hold the sensor's own filters.
const FINE: usize = 2;
const COARSE: usize = 5;
/// Largest apparent blur that is told, px.
const BLUR_MAX_PX: f64 = 10.0;

/// [`sharpness`] of both eyes with their lashes and brows, where `shown`.
pub fn of_eyes(
    log: &Plane,
    shown: &Mask,
    window: Window,
    face: &Face,
    settings: &LuminanceSettings,
) -> Sharpness {
    let [right, left] = face.eyes;
    let apart = (left[0] - right[0]).hypot(left[1] - right[1]);
    let middle = [0, 1].map(|k| (right[k] + left[k]) / 2.0);
    // Half the size of the part, in distances of the pupils: brows to lower lashes.
    let half = [0.75, 0.3].map(|part| part * apart);
    let origin = [window.x, window.y].map(|v| v as f64);
    let size = [log.width(), log.height()].map(|v| v as f64);
    let end = |k: usize, side: f64| {
        (middle[k] + side * half[k] - origin[k]).clamp(0.0, size[k]).round() as usize
    };
    let [x0, y0, x1, y1] = [end(0, -1.0), end(1, -1.0), end(0, 1.0), end(1, 1.0)];
    let eyes = Plane::from_fn(x1 - x0, y1 - y0, |x, y| log.at(x0 + x, y0 + y));
    let shown = Mask::from_fn(x1 - x0, y1 - y0, |x, y| shown.at(x0 + x, y0 + y));
    sharpness(&eyes, &shown, 0.0, settings)
}

/// How two photos of the same skin differ in sharpness and noise.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Difference {
    /// σ² of the Gaussian blur that the second has more than the first, px².
    pub blur_px2: f64,
    /// Variance per pixel of the white noise of each, log units.
    pub white: [f64; 2],
}

/// What a tile shows of one octave: mean squares of the first photo and of the second, of what they
/// share, and of the gradients of what they share.
type Sums = [f64; 4];

/// Tells blur from a change of relief and from noise, on photos `a` and `b` of the same skin.
///
/// A Gaussian blur lowers a band's amplitude by ½·Δσ²·q in log, q = the band's mean squared angular
/// frequency, measured as (gradient energy)/(energy); a change of relief lowers all bands alike. So
/// the log ratios of the bands' amplitudes are fitted by c − ½·Δσ²·q.
///
/// Noise, and what compression adds, is in one photo only, so that the product of the two has none.
/// A band's ratio ρ comes from its energies aa, bb and its shared energy ab by Deming's regression:
/// ρ² − ρ·(bb − r·aa)/ab − r = 0, where r is the ratio of the two noises; and r from the finest
/// octaves, where noise is strongest: aa − ab/ρ and bb − ab·ρ. Both in turn, [`ROUNDS`] times. Ratios
/// are medians over tiles: a treated region, being a minority of them, does not move them.
///
/// `None` where too little skin is seen for a fit.
pub fn difference(
    a: &Luminance,
    b: &Luminance,
    valid: &Mask,
    settings: &LuminanceSettings,
) -> Option<Difference> {
    let [of_a, of_b] = [a, b].map(|l| octaves(&l.flat, valid, settings));
    let tiles: Vec<Vec<Sums>> = per_tile(valid, settings, |tile| {
        let each = of_a.iter().zip(&of_b).map(|(a, b)| {
            let [ab, gradients] = shared(&a.plane, &b.plane, valid, tile);
            let own = |p: &Plane| shared(p, p, valid, tile)[0];
            [own(&a.plane), own(&b.plane), ab, gradients]
        });
        each.collect()
    });
    if tiles.len() < settings.blur_tiles_min {
        return None;
    }
    let over_tiles = |octave: usize, of: &dyn Fn(Sums) -> f64| {
        let alike = tiles.iter().map(|t| t[octave]).filter(|s| s[2] > 0.0);
        median(&mut alike.map(of).collect::<Vec<f64>>())
    };
    // Per octave: aa/ab, bb/ab, q.
    let bands: Vec<Option<[f64; 3]>> = (0..of_a.len())
        .map(|k| {
            Some([
                over_tiles(k, &|s| s[0] / s[2])?,
                over_tiles(k, &|s| s[1] / s[2])?,
                over_tiles(k, &|s| s[3] / s[2])?,
            ])
        })
        .collect();
    let mut found = Difference::default();
    let mut noises = 1.0;
    for _ in 0..ROUNDS {
        let line = Line::through(bands.iter().flatten().map(|&[aa, bb, q]| {
            let alone = (1.0 - 1.0 / (aa * bb)).max(0.0);
            let weight = 1.0 / (settings.blur_ratio_error.powi(2) + (alone * ALONE_ERROR).powi(2));
            [q, deming(aa, bb, noises).ln(), weight]
        }))?;
        found.blur_px2 = -2.0 * line.slope;
        let mut white = [0.0; 2];
        for k in 0..NOISE_OCTAVES {
            let Some([_, _, q]) = bands[k] else { continue };
            let rho = (line.start + line.slope * q).exp();
            let of = |sums: &dyn Fn(Sums) -> f64| {
                over_tiles(k, sums).unwrap_or(0.0).max(0.0) / of_a[k].gain / NOISE_OCTAVES as f64
            };
            white[0] += of(&|[aa, _, ab, _]| aa - ab / rho);
            white[1] += of(&|[_, bb, ab, _]| bb - ab * rho);
        }
        found.white = white.map(|w| w.max(settings.noise_floor.powi(2)));
        noises = found.white[1] / found.white[0];
    }
    Some(found)
}

/// Rounds of telling the ratios from the noise, and the noise from the ratios.
const ROUNDS: usize = 4;
/// Finest octaves that noise is told from.
const NOISE_OCTAVES: usize = 2;
/// Error of a ratio's log per share of the energy that the photos do not share: what part of it the
/// ratio of the noises may leave.
const ALONE_ERROR: f64 = 0.3;

/// Left, top and side of a tile.
type Tile = (usize, usize, usize);

/// Runs `f` on every tile that is at least nine tenths skin.
fn per_tile<T: Send>(
    valid: &Mask,
    settings: &LuminanceSettings,
    f: impl Fn(Tile) -> T + Sync + Send,
) -> Vec<T> {
    let side = settings.blur_tile_px;
    let (nx, ny) = (valid.width() / side, valid.height() / side);
    let values = par_collect(nx * ny, |i| {
        let (left, top) = (i % nx * side, i / nx * side);
        let full: usize = (top..top + side)
            .map(|y| valid.row(y)[left..left + side].iter().filter(|v| **v).count())
            .sum();
        (full * 10 >= side * side * 9).then(|| f((left, top, side)))
    });
    values.into_iter().flatten().collect()
}

/// A least-squares line.
struct Line {
    start: f64,
    slope: f64,
}

impl Line {
    /// Through points (x, y, weight); `None` with fewer than three.
    fn through(points: impl Iterator<Item = [f64; 3]>) -> Option<Line> {
        let (mut n, mut w, mut x, mut y, mut xx, mut xy) = (0, 0.0, 0.0, 0.0, 0.0, 0.0);
        for [px, py, weight] in points {
            n += 1;
            w += weight;
            x += weight * px;
            y += weight * py;
            xx += weight * px * px;
            xy += weight * px * py;
        }
        let det = w * xx - x * x;
        if n < 3 || det <= 1e-12 * w * xx {
            return None;
        }
        let slope = (w * xy - x * y) / det;
        Some(Line { start: (y - slope * x) / w, slope })
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
            let plane = blurred[i - 1].zip(&blurred[i], |fine, coarse| fine - coarse);
            Octave { plane, gain: noise_gain([sigmas[i - 1], sigmas[i]]) }
        })
        .collect()
}

/// Mean products of two planes over a tile, and of their gradients by forward differences.
fn shared(a: &Plane, b: &Plane, valid: &Mask, (left, top, side): Tile) -> [f64; 2] {
    let (mut e, mut g, mut n) = (0.0f64, 0.0f64, 0usize);
    for y in top..top + side {
        let below = (y + 1).min(a.height() - 1);
        let rows = [a, b].map(|p| (p.row(y), p.row(below)));
        for x in left..left + side {
            if !valid.at(x, y) {
                continue;
            }
            let right = (x + 1).min(a.width() - 1);
            let [u, v] = rows.map(|(row, next)| (row[x], row[right] - row[x], next[x] - row[x]));
            e += f64::from(u.0 * v.0);
            g += f64::from(u.1 * v.1 + u.2 * v.2);
            n += 1;
        }
    }
    [e, g].map(|v| v / n.max(1) as f64)
}
