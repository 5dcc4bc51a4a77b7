//! What the camera, its focus and its processing did to one of two photos of the same skin and not to
//! the other, measured where the skin is measured.
//!
//! First the difference in focus ([`focus`]): a Gaussian blur whose variance may vary over the picture,
//! with its standard error. Then, on the two photos brought to the same focus, what is left of a linear
//! filter or tone curve that acts on all skin alike ([`processing`]): sharpening, clarity, smoothing.

use super::Luminance;
use crate::filter::gaussian::{MaskedBlur, noise_gain};
use crate::filter::stats::{deming, median, quantile};
use crate::plane::{Mask, Plane, par_collect};
use crate::settings::TransferSettings;
use nalgebra::{Matrix6, Vector6};

/// A difference in focus over the window: the variance of the Gaussian blur that the second photo has
/// more than the first, as a polynomial of the second degree in the place.
#[derive(Debug, Clone)]
pub struct BlurMap {
    /// Coefficients of 1, u, v, u², uv, v², where u and v run from −1 to 1 over the window, px².
    coefficients: Vector6<f64>,
    /// Their covariance.
    covariance: Matrix6<f64>,
    size: [usize; 2],
    /// Middle of each tile, px, and what it tells beyond the map, with its standard error, px².
    tiles: Vec<([f64; 2], f64, f64)>,
}

impl BlurMap {
    fn powers(&self, [x, y]: [f64; 2]) -> Vector6<f64> {
        powers([x, y], self.size)
    }

    /// Variance by which the second photo is blurrier, px², at a position of the window.
    pub fn at(&self, place: [f64; 2]) -> f64 {
        self.powers(place).dot(&self.coefficients)
    }

    /// Standard error of the mean of [`BlurMap::at`] over the tiles whose middle is `inside`, px². Where these
    /// tiles together depart from the map by more than chance, the excess is added: a region that was
    /// treated, or that lies out of the smooth field of focus.
    pub fn error(&self, inside: impl Fn(f64, f64) -> bool) -> f64 {
        let own: Vec<_> = self.tiles.iter().filter(|(at, ..)| inside(at[0], at[1])).collect();
        let all: Vec<_> = self.tiles.iter().collect();
        let places = if own.is_empty() { &all } else { &own };
        let n = places.len().max(1) as f64;
        let mean = places.iter().map(|t| self.powers(t.0)).sum::<Vector6<f64>>() / n;
        let known = (mean.transpose() * self.covariance * mean)[0].max(0.0);
        let weight: f64 = own.iter().map(|t| t.2.powi(-2)).sum();
        if weight <= 0.0 {
            return known.sqrt();
        }
        let rest = own.iter().map(|t| t.1 * t.2.powi(-2)).sum::<f64>() / weight;
        let excess = (rest * rest - 4.0 / weight).max(0.0);
        (known + excess).sqrt()
    }

    /// The tenth, fiftieth and ninetieth part of the map's values at the tiles, px².
    pub fn spread(&self) -> [f64; 3] {
        let mut values: Vec<f64> = self.tiles.iter().map(|t| self.at(t.0)).collect();
        [0.1, 0.5, 0.9].map(|q| quantile(&mut values, q).unwrap_or(0.0))
    }

    /// The same difference everywhere.
    #[cfg(test)]
    pub fn even(variance: f64, size: [usize; 2]) -> BlurMap {
        let mut coefficients = Vector6::zeros();
        coefficients[0] = variance;
        BlurMap {
            coefficients,
            covariance: Matrix6::zeros(),
            size,
            tiles: vec![([0.0; 2], 0.0, 1.0)],
        }
    }
}

fn powers([x, y]: [f64; 2], size: [usize; 2]) -> Vector6<f64> {
    let [u, v] = [(x, size[0]), (y, size[1])].map(|(t, n)| 2.0 * t / n.max(1) as f64 - 1.0);
    Vector6::new(1.0, u, v, u * u, u * v, v * v)
}

/// How two photos of the same skin differ in focus and noise.
#[derive(Debug, Clone)]
pub struct Focus {
    /// The difference in focus.
    pub blur: BlurMap,
    /// Variance per pixel of the white noise of each, log units.
    pub white: [f64; 2],
}

/// Mean products over a tile in one octave: of the first photo with itself, of the second, of both, and
/// of the gradients of both.
type Sums = [f64; 4];

/// One tile: its middle, px, and its sums by octave.
struct Tile {
    middle: [f64; 2],
    octaves: Vec<Sums>,
}

/// Tells blur from a change of relief and from noise, on photos `a` and `b` of the same skin.
///
/// In each tile a Gaussian blur of variance v lowers the amplitude of an octave by ½·v·q in log, q = the
/// octave's mean squared angular frequency (gradient energy over energy), while a change of relief lowers
/// all octaves alike: the log ratios ln ρ are fitted by c − ½·v·q, c and v free in each tile. A ratio
/// counts by its coherence γ², as var ln ρ = (1 − γ²)/(γ²·n) for n independent samples (Bendat &
/// Piersol): a tile that is all noise has no say. The map of v is a robust fit over the tiles (Tukey's
/// biweight), constant unless the second degree explains more than chance: a treated region, a minority
/// of the tiles, does not move it.
///
/// Noise is in one photo only, so that the products of both have none: ρ by Deming's regression, and the
/// noises from what the finest octaves do not share, in turn, [`ROUNDS`] times.
///
/// `None` where too little skin is seen.
pub fn focus(
    a: &Luminance,
    b: &Luminance,
    valid: &Mask,
    settings: &TransferSettings,
) -> Option<Focus> {
    let sigmas = &settings.sigmas_px[..=FOCUS_OCTAVES];
    let gains: Vec<f64> = sigmas.windows(2).map(|s| noise_gain([s[0], s[1]])).collect();
    let tiles = tiles([&a.flat, &b.flat], valid, sigmas, settings);
    if tiles.len() < settings.tiles_min {
        return None;
    }
    let size = [valid.width(), valid.height()];
    // Each photo's own noise, from its quietest tiles, bounds the ratio: where noise hides fine detail a
    // blur could pass for noise in the sharper photo.
    let [of_a, of_b] = [a, b].map(|l| l.noise.white + settings.own_noise_floor.powi(2));
    let own = of_b / of_a;
    let bounds = [own / NOISE_RATIO_ERROR, own * NOISE_RATIO_ERROR];
    let (mut white, mut ratio) = ([0.0; 2], own);
    let mut map = None;
    for _ in 0..ROUNDS {
        let slopes: Vec<([f64; 2], [f64; 3])> = tiles
            .iter()
            .filter_map(|t| Some((t.middle, slope(t, sigmas, ratio, settings)?)))
            .collect();
        if slopes.len() < settings.tiles_min {
            return None;
        }
        let found = fit(&slopes, size);
        white = noises(&tiles, &found, &slopes, &gains, settings);
        ratio = (white[1] / white[0]).clamp(bounds[0], bounds[1]);
        map = Some(found);
    }
    Some(Focus { blur: map?, white })
}

/// Rounds of telling the ratios from the noise, and the noise from the ratios.
const ROUNDS: usize = 3;
/// Factor within which the ratio of the photos' noise powers is known from each by itself.
const NOISE_RATIO_ERROR: f64 = 1.5;
/// Finest octaves that focus is told from.
const FOCUS_OCTAVES: usize = 6;
/// Finest octaves that noise is told from.
const NOISE_OCTAVES: usize = 2;

/// Error of a ratio's log per share of the energy that the photos do not share: what part of it the
/// ratio of the noises may leave.
const ALONE_ERROR: f64 = 0.3;

/// c, v and the standard error of v in one tile; `None` where too few octaves are above the noise.
fn slope(
    tile: &Tile,
    sigmas: &[f64],
    noises: f64,
    settings: &TransferSettings,
) -> Option<[f64; 3]> {
    let side = settings.tile_px as f64;
    let (mut n, mut w, mut x, mut y, mut xx, mut xy) = (0, 0.0, 0.0, 0.0, 0.0, 0.0);
    for (&[aa, bb, ab, gradient], sigma) in tile.octaves.iter().zip(sigmas) {
        let coherence = if ab > 0.0 { ab * ab / (aa * bb) } else { 0.0 };
        if coherence < settings.coherence_min {
            continue;
        }
        let samples = (side * side / (4.0 * std::f64::consts::PI * sigma * sigma)).max(1.0);
        let biased = ALONE_ERROR * (1.0 - coherence);
        let chance = (1.0 - coherence) / (coherence * samples);
        let variance = settings.ratio_error.powi(2) + biased * biased + chance;
        let (q, ln) = (gradient / ab, deming(aa / ab, bb / ab, noises).ln());
        n += 1;
        w += 1.0 / variance;
        x += q / variance;
        y += ln / variance;
        xx += q * q / variance;
        xy += q * ln / variance;
    }
    let det = w * xx - x * x;
    if n < 3 || det <= 1e-12 * w * xx {
        return None;
    }
    let slope = (w * xy - x * y) / det;
    Some([(y - slope * x) / w, -2.0 * slope, 2.0 * (w / det).sqrt()])
}

/// The robust map of tiles' (c, v, error of v).
fn fit(slopes: &[([f64; 2], [f64; 3])], size: [usize; 2]) -> BlurMap {
    let even = fit_degree(slopes, size, 1);
    if slopes.len() < 36 {
        return even.0;
    }
    let bent = fit_degree(slopes, size, 6);
    // What five more coefficients explain of noise: variance · 5/n, beside which it must stand out.
    let n = slopes.len() as f64;
    let moved = slopes.iter().map(|s| (bent.0.at(s.0) - even.0.at(s.0)).powi(2)).sum::<f64>() / n;
    let chance = bent.1.powi(2) * 5.0 / n;
    if moved > 9.0 * chance && moved > 0.03f64.powi(2) { bent.0 } else { even.0 }
}

/// The fit with the first `degree` powers, and the robust spread of the tiles about it.
fn fit_degree(slopes: &[([f64; 2], [f64; 3])], size: [usize; 2], degree: usize) -> (BlurMap, f64) {
    let mut robust = vec![1.0; slopes.len()];
    let mut spread = 0.0f64;
    let (mut coefficients, mut covariance) = (Vector6::zeros(), Matrix6::zeros());
    for _ in 0..12 {
        let (mut left, mut right) = (Matrix6::zeros(), Vector6::zeros());
        for ((place, [_, v, error]), robust) in slopes.iter().zip(&robust) {
            let mut p = powers(*place, size);
            (degree..6).for_each(|k| p[k] = 0.0);
            let weight = robust / (error * error + spread * spread);
            left += p * p.transpose() * weight;
            right += p * (v * weight);
        }
        (degree..6).for_each(|k| left[(k, k)] = 1.0);
        let Some(cholesky) = left.cholesky() else { break };
        coefficients = cholesky.solve(&right);
        covariance = cholesky.inverse();
        (degree..6).for_each(|k| covariance[(k, k)] = 0.0);
        let rest = |place: [f64; 2], v: f64| v - powers(place, size).dot(&coefficients);
        let mut sizes: Vec<f64> =
            slopes.iter().map(|(place, s)| rest(*place, s[1]).abs()).collect();
        spread = 1.4826 * median(&mut sizes).unwrap_or(0.0);
        for (robust, (place, [_, v, error])) in robust.iter_mut().zip(slopes) {
            let t = rest(*place, *v) / (BIWEIGHT * error.hypot(spread)).max(1e-9);
            *robust = (1.0 - t * t).max(0.0).powi(2);
        }
    }
    // Neighbouring tiles share what moves them: lines and light, not noise alone.
    covariance *= NEIGHBOURS;
    let told = |(place, [_, v, error]): &([f64; 2], [f64; 3])| {
        (
            *place,
            v - powers(*place, size).dot(&coefficients),
            NEIGHBOURS.sqrt() * error.hypot(spread),
        )
    };
    let tiles = slopes.iter().map(told).collect();
    (BlurMap { coefficients, covariance, size, tiles }, spread)
}

/// Reach of Tukey's biweight, standard deviations: 95 % efficient for normal errors.
const BIWEIGHT: f64 = 4.685;
/// Tiles that move together.
const NEIGHBOURS: f64 = 2.0;

/// Variance per pixel of each photo's white noise: what the finest octaves of the two do not share.
fn noises(
    tiles: &[Tile],
    map: &BlurMap,
    slopes: &[([f64; 2], [f64; 3])],
    gains: &[f64],
    settings: &TransferSettings,
) -> [f64; 2] {
    let gain = median(&mut slopes.iter().map(|s| s.1[0]).collect::<Vec<f64>>()).unwrap_or(0.0);
    let mut white = [0.0; 2];
    for (k, noise) in gains.iter().enumerate().take(NOISE_OCTAVES) {
        let mut rests: [Vec<f64>; 2] = Default::default();
        for tile in tiles {
            let [aa, bb, ab, gradient] = tile.octaves[k];
            let q = if ab > 0.0 { gradient / ab } else { 0.0 };
            let rho = (gain - 0.5 * map.at(tile.middle) * q).exp();
            rests[0].push(aa - ab.max(0.0) / rho);
            rests[1].push(bb - ab.max(0.0) * rho);
        }
        for (white, rests) in white.iter_mut().zip(&mut rests) {
            *white += median(rests).unwrap_or(0.0).max(0.0) / noise / NOISE_OCTAVES as f64;
        }
    }
    white.map(|w| w.max(settings.noise_floor.powi(2)))
}

/// What is left between two photos of the same focus that is processing and no treatment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Processing {
    /// Natural log of the gain of fine octaves (sigma up to 2 px) that all skin shares.
    pub fine: f64,
    /// The same of coarser octaves.
    pub coarse: f64,
    /// Natural log of the gain of the strongest fine structures beside the weak ones, in the photo that was less
    /// sharp and has less noise, over the other: denoising takes the weak ones and leaves these.
    pub edges: f64,
}

impl Processing {
    /// Standard deviation that it adds to the natural log of a change of relief.
    pub fn relief_sd(&self) -> f64 {
        self.fine.abs().max(self.coarse.abs()).hypot(self.edges.max(0.0))
    }
}

/// Tells processing (a filter or curve that acts on all skin alike) from treatment, on photos brought to
/// the same focus, in octaves from sigma 1 px up.
///
/// Treatment makes relief shallower and leaves pigment and what lies deeper as it was, here more, there
/// less: of what differs between the photos a common gain explains a part, at most four tenths on
/// rendered skin. A filter or a curve explains nearly all of it. So an octave's gain counts as
/// processing as far as that share exceeds `share[0]`, wholly from `share[1]`; and it is the gain that
/// three quarters of the tiles have at least: what one half of the skin does not show is no processing.
pub fn processing(
    [a, b]: [&Luminance; 2],
    valid: &Mask,
    [blur_difference, blur_error]: [f64; 2],
    settings: &TransferSettings,
) -> Processing {
    let sigmas = &settings.sigmas_px[PROCESSING_FROM..];
    let tiles = tiles([&a.flat, &b.flat], valid, sigmas, settings);
    let mut found = Processing::default();
    if tiles.len() < settings.tiles_min {
        return found;
    }
    for (k, sigma) in sigmas.windows(2).enumerate() {
        let noise = |l: &Luminance| {
            let blurred = [sigma[0], sigma[1]].map(|s| s.hypot(l.noise.blur_px));
            l.noise.white * noise_gain(blurred)
        };
        let gain = common_gain(&tiles, k, [noise(a), noise(b)], settings);
        // What a blur that was matched a little too much or too little leaves is no processing.
        let left = 2.0 * blur_error + BLUR_MODEL_ERROR * blur_difference.abs();
        let mismatch = 0.5 * mean_frequency(&tiles, k) * left;
        let gain = gain.signum() * (gain.abs() - mismatch).max(0.0);
        let part = if sigma[0] < 2.0 { &mut found.fine } else { &mut found.coarse };
        if gain.abs() > part.abs() {
            *part = gain;
        }
    }
    let ratio = b.noise.white / a.noise.white;
    let smoothed = blur_difference.abs() > settings.denoised_px2
        && ratio.powf(blur_difference.signum()) < settings.denoised_noise;
    if smoothed {
        found.edges = edge_gain([&a.flat, &b.flat], valid, blur_difference.signum());
    }
    found
}

/// Mean squared angular frequency of octave `k`, 1/px².
fn mean_frequency(tiles: &[Tile], k: usize) -> f64 {
    let sum = |of: usize| tiles.iter().map(|t| t.octaves[k][of]).sum::<f64>();
    if sum(2) > 0.0 { (sum(3) / sum(2)).max(0.0) } else { 0.0 }
}

/// Part of a blur's variance by which no lens is a Gaussian, and no fit right.
const BLUR_MODEL_ERROR: f64 = 0.1;
/// First sigma of [`processing`]: 1 px.
const PROCESSING_FROM: usize = 2;

/// The gain of octave `k` that is one filter on all skin, natural log.
fn common_gain(tiles: &[Tile], k: usize, noise: [f64; 2], settings: &TransferSettings) -> f64 {
    let n = tiles.len() as f64;
    let mean = |of: usize| tiles.iter().map(|t| t.octaves[k][of]).sum::<f64>() / n;
    let [aa, bb, ab] = [mean(0) - noise[0], mean(1) - noise[1], mean(2)];
    if ab <= 0.0 || aa <= 0.0 || bb <= 0.0 {
        return 0.0;
    }
    let rho = deming(aa / ab, bb / ab, 1.0);
    let differs = aa + bb - 2.0 * ab;
    let rest = (bb - 2.0 * rho * ab + rho * rho * aa) * 2.0 / (1.0 + rho * rho);
    // Below the noise the difference is chance.
    if differs <= 0.25 * (noise[0] + noise[1]) {
        return 0.0;
    }
    let [none, all] = settings.share;
    let share = 1.0 - rest.max(0.0) / differs;
    let weight = ((share - none) / (all - none)).clamp(0.0, 1.0);
    let mut gains: Vec<f64> = tiles
        .iter()
        .filter_map(|t| {
            let [aa, bb, ab, _] = t.octaves[k];
            let [aa, bb] = [aa - noise[0], bb - noise[1]];
            (ab > 0.0 && aa > 0.0 && bb > 0.0).then(|| deming(aa / ab, bb / ab, 1.0).ln())
        })
        .collect();
    let [low, high] = [0.25, 0.75].map(|q| quantile(&mut gains, q).unwrap_or(0.0));
    let shared = if low > 0.0 {
        low
    } else if high < 0.0 {
        high
    } else {
        0.0
    };
    weight * shared
}

/// By how much more the strongest tenth of fine structure (sigma 1.4 to 2 px) grew from the first photo to
/// the second (times `sign`) than the weaker half, natural log, and at most by how much it grew.
fn edge_gain(planes: [&Plane; 2], valid: &Mask, sign: f64) -> f64 {
    let [fine, coarse] = [1.4, 2.0].map(|sigma| MaskedBlur::new(valid, sigma));
    let [a, b] = planes.map(|p| fine.mean(p).zip(&coarse.mean(p), |f, c| f - c));
    let pairs: Vec<[f64; 2]> = (0..valid.data().len())
        .filter(|&i| valid.data()[i])
        .map(|i| [&a, &b].map(|p| f64::from(p.data()[i])))
        .collect();
    let size = |[a, b]: &[f64; 2]| (a + b).abs();
    let mut sizes: Vec<f64> = pairs.iter().step_by(7).map(size).collect();
    let [half, tenth] = [0.5, 0.9].map(|q| quantile(&mut sizes, q).unwrap_or(0.0));
    let gain = |range: std::ops::Range<f64>| {
        let chosen = pairs.iter().filter(|pair| range.contains(&size(pair)));
        let [aa, bb] = chosen.fold([0.0; 2], |[aa, bb], [a, b]| [aa + a * a, bb + b * b]);
        if aa > 0.0 && bb > 0.0 { 0.5 * sign * (bb / aa).ln() } else { 0.0 }
    };
    let strong = gain(tenth..f64::INFINITY);
    strong.min(strong - gain(0.0..half)).max(0.0)
}

/// Tiles that are at least nine tenths skin, with their sums in the octaves between `sigmas`.
fn tiles(
    planes: [&Plane; 2],
    valid: &Mask,
    sigmas: &[f64],
    settings: &TransferSettings,
) -> Vec<Tile> {
    let side = settings.tile_px;
    let (nx, ny) = (valid.width() / side, valid.height() / side);
    let corners: Vec<[usize; 2]> = (0..nx * ny)
        .map(|i| [i % nx * side, i / nx * side])
        .filter(|&[left, top]| {
            let full: usize = (top..top + side)
                .map(|y| valid.row(y)[left..left + side].iter().filter(|v| **v).count())
                .sum();
            full * 10 >= side * side * 9
        })
        .collect();
    let mut all: Vec<Tile> = corners
        .iter()
        .map(|&[x, y]| Tile {
            middle: [x, y].map(|v| v as f64 + 0.5 * (side as f64 - 1.0)),
            octaves: Vec::new(),
        })
        .collect();
    let smooth = |sigma: f64| {
        let blur = MaskedBlur::new(valid, sigma as f32);
        planes.map(|p| blur.mean(p))
    };
    let mut finer = smooth(sigmas[0]);
    for &sigma in &sigmas[1..] {
        let coarser = smooth(sigma);
        let [a, b] = [0, 1].map(|k| finer[k].zip(&coarser[k], |f, c| f - c));
        let sums = par_collect(corners.len(), |i| {
            let own = |p: &Plane| shared(p, p, valid, corners[i], side)[0];
            let [both, gradient] = shared(&a, &b, valid, corners[i], side);
            [own(&a), own(&b), both, gradient]
        });
        all.iter_mut().zip(sums).for_each(|(tile, sums)| tile.octaves.push(sums));
        finer = coarser;
    }
    all
}

/// Mean products of two planes over a tile, and of their gradients by forward differences.
fn shared(a: &Plane, b: &Plane, valid: &Mask, [left, top]: [usize; 2], side: usize) -> [f64; 2] {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::gaussian::{blur, diffuse};
    use crate::settings::LuminanceSettings;

    const SIDE: usize = 480;

    /// Repeatable noise of unit variance, and what scales of sigma 1 to 8 px make of it: skin's octaves.
    fn skin() -> Plane {
        let noise = |stream: u64| {
            Plane::from_fn(SIDE, SIDE, |x, y| {
                let mut z = (stream << 40) ^ ((y * SIDE + x) as u64);
                (0..3).for_each(|_| {
                    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                });
                ((z >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 12f32.sqrt()
            })
        };
        let mut sum = Plane::filled(SIDE, SIDE, 0.0);
        for (k, sigma) in [0.8f32, 1.6, 3.2, 6.4, 12.8].into_iter().enumerate() {
            let scale = blur(&noise(k as u64 + 1), sigma);
            sum = sum.zip(&scale, |a, b| a + 0.05 * sigma * b);
        }
        sum
    }

    fn noisy(plane: &Plane, stream: u64, sd: f32) -> Luminance {
        let mut own = Luminance::drawn(plane.clone());
        let noise = Plane::from_fn(SIDE, SIDE, |x, y| {
            let mut z =
                (stream << 40) ^ ((y * SIDE + x) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (0..4).for_each(|_| {
                z = (z ^ (z >> 31)).wrapping_mul(0x94d0_49bb_1331_11eb);
            });
            ((z >> 40) as f32 / (1u64 << 24) as f32 - 0.5) * 12f32.sqrt() * sd
        });
        own.flat = own.flat.zip(&noise, |a, b| a + b);
        own.noise.white = f64::from(sd * sd);
        own
    }

    fn told(a: &Luminance, b: &Luminance) -> Focus {
        let settings = LuminanceSettings::default().transfer;
        focus(a, b, &Mask::filled(SIDE, SIDE, true), &settings).expect("enough skin")
    }

    #[test]
    fn a_blur_is_told_within_its_error_whatever_the_noise() {
        let (skin, all) = (skin(), Mask::filled(SIDE, SIDE, true));
        for variance in [0.0, 0.25, 0.64] {
            for sd in [0.002, 0.01, 0.03] {
                let a = noisy(&skin, 11, sd);
                let b = noisy(&diffuse(&skin, &all, variance), 12, sd);
                let (there, back) = (told(&a, &b), told(&b, &a));
                let [_, middle, _] = there.blur.spread();
                let error = there.blur.error(|_, _| true);
                let off = (middle - variance).abs();
                assert!(off < 3.0 * error + 0.03, "{variance} {sd}: {middle} ± {error}");
                assert!(error < 0.2, "{variance} {sd}: ± {error}");
                assert!((middle + back.blur.spread()[1]).abs() < 0.05 + error, "{variance} {sd}");
            }
        }
    }

    #[test]
    fn a_treated_part_moves_the_focus_of_no_other() {
        let skin = skin();
        let a = noisy(&skin, 11, 0.01);
        let low = blur(&skin, 10.0);
        let treated = Plane::from_fn(SIDE, SIDE, |x, y| {
            let factor = if x < SIDE * 2 / 5 { 0.65 } else { 1.0 };
            low.at(x, y) + factor * (skin.at(x, y) - low.at(x, y))
        });
        let found = told(&a, &noisy(&treated, 12, 0.01));
        let [low, _, high] = found.blur.spread();
        assert!(low.abs().max(high.abs()) < 0.03, "{low} {high}");
    }

    #[test]
    fn a_focus_that_varies_is_a_map() {
        let (skin, all) = (skin(), Mask::filled(SIDE, SIDE, true));
        let soft = diffuse(&skin, &all, 1.0);
        let shot = Plane::from_fn(SIDE, SIDE, |x, y| {
            let t = x as f32 / SIDE as f32;
            skin.at(x, y) + t * (soft.at(x, y) - skin.at(x, y))
        });
        let found = told(&noisy(&skin, 11, 0.005), &noisy(&shot, 12, 0.005));
        for (x, truth) in [(60.0, 0.125), (240.0, 0.5), (420.0, 0.875)] {
            let v = found.blur.at([x, 240.0]);
            assert!((v - truth).abs() < 0.12, "{x}: {v} {truth}");
        }
    }

    #[test]
    fn a_filter_on_all_skin_is_processing_and_a_treatment_is_none() {
        let (all, settings) =
            (Mask::filled(SIDE, SIDE, true), LuminanceSettings::default().transfer);
        // Relief and pigment of equal strength: a treatment scales one of them.
        let relief = skin();
        let pigment = relief.transposed();
        let sum = |gain: f32| relief.zip(&pigment, |r, p| gain * r + p);
        let before = noisy(&sum(1.0), 11, 0.005);
        let gains = |after: &Plane| {
            let after = noisy(after, 12, 0.005);
            let found = processing([&before, &after], &all, [0.0; 2], &settings);
            [found.fine, found.coarse]
        };
        for treated in [0.5, 0.8, 1.0] {
            let gains = gains(&sum(treated));
            assert!(gains.iter().all(|gain| gain.abs() < 0.01), "{treated}: {gains:?}");
        }
        for gain in [0.8f32, 1.2] {
            let [_, coarse] = gains(&sum(1.0).map(|v| gain * v));
            assert!((coarse / f64::from(gain).ln() - 1.0).abs() < 0.2, "{gain}: {coarse}");
        }
        // Unsharp masking of radius 2 px.
        let sharp = sum(1.0).zip(&blur(&sum(1.0), 2.0), |v, b| v + 0.6 * (v - b));
        assert!(gains(&sharp)[0] > 0.2);
        // Half of the skin treated alike in all it shows.
        let both = sum(1.0);
        let half =
            Plane::from_fn(SIDE, SIDE, |x, y| both.at(x, y) * if x < SIDE / 2 { 0.7 } else { 1.0 });
        assert!(gains(&half).iter().all(|gain| gain.abs() < 0.01));
    }
}
