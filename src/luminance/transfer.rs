//! What the camera, its focus and its processing did to one of two photos of the same skin and not to
//! the other, measured where the skin is measured.
//!
//! First the difference in focus ([`focus`]): a Gaussian blur whose variance may vary over the picture,
//! with its standard error. Then, on the two photos brought to the same focus, what is left of a linear
//! filter or tone curve that acts on all skin alike ([`processing`]): sharpening, clarity, smoothing.

use super::{Luminance, NoiseMap};
use crate::filter::gaussian::{MaskedBlur, noise_gain};
use crate::filter::stats::{deming, median, quantile};
use crate::plane::{Grid, Mask, Plane, par_collect};
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
    /// By how much more that may be: what the photos do not share beyond it.
    pub white_error: [f64; 2],
    /// Factor of that in each cell.
    pub noisier: NoiseMap,
}

impl Focus {
    /// Whether the difference is larger than its own error: nothing is corrected by less.
    pub fn is_known(&self) -> bool {
        let [low, _, high] = self.blur.spread();
        low.abs().max(high.abs()) > self.blur.error(|_, _| true)
    }

    /// [`BlurMap::spread`] of what is corrected, at most `limit` px².
    pub fn spread(&self, limit: f64) -> [f64; 3] {
        if self.is_known() { self.blur.spread().map(|v| v.clamp(-limit, limit)) } else { [0.0; 3] }
    }
}

/// Mean products over a tile in one octave: of the first photo with itself, of the second, of both, and
/// of the gradients of both.
type Sums = [f64; 4];

/// One tile: its middle, px, and its sums by octave.
struct Tile {
    middle: [f64; 2],
    octaves: Vec<Sums>,
}

impl Tile {
    fn cell(&self, cell_px: usize) -> [usize; 2] {
        self.middle.map(|v| v as usize / cell_px)
    }
    /// Energy in octave `k` that each photo does not share with the other, where the second has the first's
    /// amplitude times exp(`gain` − ½·`blur`·q).
    fn unshared(&self, k: usize, gain: f64, blur: f64) -> [f64; 2] {
        let [aa, bb, ab, gradient] = self.octaves[k];
        let q = if ab > 0.0 { gradient / ab } else { 0.0 };
        let rho = (gain - 0.5 * blur * q).exp();
        [aa - ab.max(0.0) / rho, bb - ab.max(0.0) * rho]
    }
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
pub fn focus([a, b]: [&Luminance; 2], valid: &Mask, settings: &TransferSettings) -> Option<Focus> {
    let sigmas = &settings.sigmas_px[..=FOCUS_OCTAVES];
    let gains: Vec<f64> = sigmas.windows(2).map(|s| noise_gain([s[0], s[1]])).collect();
    let tiles = tiles([&a.flat, &b.flat], valid, sigmas, settings);
    if tiles.len() < settings.tiles_min {
        return None;
    }
    let size = [valid.width(), valid.height()];
    // Each photo's own noise, from its quietest tiles, bounds the ratio: where noise hides fine detail a
    // blur could pass for noise in the sharper photo.
    let own = [a, b].map(|l| l.noise.white);
    let [of_a, of_b] = own.map(|white| white + settings.own_noise_floor.powi(2));
    let usual = of_b / of_a;
    let bounds = [usual / NOISE_RATIO_ERROR, usual * NOISE_RATIO_ERROR];
    let floor = settings.noise_floor.powi(2);
    let light = Darkness::of(&tiles, [a, b], settings.tile_px);
    let (mut white, mut ratio) = ([0.0; 2], usual);
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
        let bright = tiles.iter().filter(|tile| light.missing_in(tile) < DARK);
        white = noises(bright, &found, &slopes, &gains).map(|w| w.max(floor));
        ratio = (white[1] / white[0]).clamp(bounds[0], bounds[1]);
        map = Some(found);
    }
    let blur = map?;
    // What a photo's quietest tiles show is noise and skin: more is noise of other tiles, or detail that the
    // other photo has lost.
    let unshared = white;
    let white = [0, 1].map(|k| unshared[k].min(own[k]).max(floor));
    let white_error = [0, 1].map(|k| unshared[k] - white[k]);
    let fits = |tile: &Tile| slope(tile, sigmas, ratio, settings);
    let noisier = noisier(&tiles, fits, &light, white, &gains);
    Some(Focus { blur, white, white_error, noisier })
}

/// How dark the skin is in each of two photos, beside its bright part.
struct Darkness<'a> {
    levels: [&'a Grid<f32>; 2],
    /// Level of each photo's bright tiles, in the median.
    bright: [f64; 2],
    cell_px: usize,
}

impl Darkness<'_> {
    fn of<'a>(tiles: &[Tile], photos: [&'a Luminance; 2], cell_px: usize) -> Darkness<'a> {
        let bright = photos.map(|l| {
            let level = |t: &Tile| level(&l.level, t.cell(cell_px));
            let mut levels: Vec<f64> = tiles.iter().map(level).collect();
            let brightest = quantile(&mut levels, 0.9).unwrap_or(0.0);
            levels.retain(|level| brightest - level < DARK);
            median(&mut levels).unwrap_or(0.0)
        });
        Darkness { levels: photos.map(|l| &l.level), bright, cell_px }
    }
    /// Natural log of the light that is missing in a cell, in the photo that misses less.
    fn missing(&self, cell: [usize; 2]) -> f64 {
        let [a, b] = [0, 1].map(|v| self.bright[v] - level(self.levels[v], cell));
        a.min(b).max(0.0)
    }
    /// The same in a tile.
    fn missing_in(&self, tile: &Tile) -> f64 {
        self.missing(tile.cell(self.cell_px))
    }
}

fn level(levels: &Grid<f32>, [i, j]: [usize; 2]) -> f64 {
    f64::from(levels.clamped(i as isize, j as isize))
}

/// How much more noise there is in each cell than [`Focus::white`], which is no more than the quietest, bright
/// skin has: the light missing there, to the power of 1 (photons) or 2 (the sensor's reading) or between: the one
/// that what the finer octaves of dark tiles do not share beside their own fit has, in the median. Where few tiles
/// are dark they have as much noise as the rest.
fn noisier(
    tiles: &[Tile],
    fit: impl Fn(&Tile) -> Option<[f64; 3]>,
    light: &Darkness<'_>,
    white: [f64; 2],
    gains: &[f64],
) -> NoiseMap {
    let power = |tile: &Tile| {
        let missing = light.missing_in(tile);
        // Where noise hides all, no gain is detected.
        let [gain, blur, _] = fit(tile).unwrap_or_default();
        let alone = |k: usize| {
            let rests = tile.unshared(k, gain, blur);
            0.5 * (0..2).map(|v| rests[v] / gains[k] / white[v]).sum::<f64>()
        };
        // A file's rounding takes noise from the finest octaves first: the noisiest counts.
        let most = (0..DARK_OCTAVES).map(alone).fold(1.0, f64::max);
        (missing > DARK).then(|| most.ln() / missing)
    };
    let mut powers: Vec<f64> = tiles.iter().filter_map(power).collect();
    let power =
        if powers.len() < DARK_TILES_MIN { 0.0 } else { median(&mut powers).unwrap_or(0.0) };
    let factors = Grid::from_fn(light.levels[0].width(), light.levels[0].height(), |i, j| {
        (power.min(2.0) * light.missing([i, j])).exp() as f32
    });
    NoiseMap { factors, cell_px: light.cell_px }
}

/// Natural log of the missing light from which on a tile is dark: to a quarter, two stops.
const DARK: f64 = 1.386;
/// Finest octaves that noise is read from in dark tiles.
const DARK_OCTAVES: usize = 3;
/// Fewest dark tiles that tell how noise grows.
const DARK_TILES_MIN: usize = 6;

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

/// Variance per pixel of each photo's white noise: what the finest octaves of the two do not share over the
/// `tiles`.
fn noises<'a>(
    tiles: impl Iterator<Item = &'a Tile> + Clone,
    map: &BlurMap,
    slopes: &[([f64; 2], [f64; 3])],
    gains: &[f64],
) -> [f64; 2] {
    let gain = median(&mut slopes.iter().map(|s| s.1[0]).collect::<Vec<f64>>()).unwrap_or(0.0);
    let mut white = [0.0; 2];
    for (k, noise) in gains.iter().enumerate().take(NOISE_OCTAVES) {
        let mut rests: [Vec<f64>; 2] = Default::default();
        for tile in tiles.clone() {
            let [of_a, of_b] = tile.unshared(k, gain, map.at(tile.middle));
            rests[0].push(of_a);
            rests[1].push(of_b);
        }
        for (white, rests) in white.iter_mut().zip(&mut rests) {
            *white += median(rests).unwrap_or(0.0).max(0.0) / noise / NOISE_OCTAVES as f64;
        }
    }
    white
}

/// What is left between two photos of the same focus that is processing and no treatment.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Processing {
    /// Natural log of the gain of fine octaves (sigma up to 2 px) that all skin shares.
    pub fine: f64,
    /// The same of coarser octaves.
    pub coarse: f64,
    /// By how much more weak detail was softened than strong detail ([`softened`]): denoising does.
    pub softened: f64,
}

impl Processing {
    /// Standard deviation that it adds to the natural log of a change of relief.
    pub fn relief_sd(&self) -> f64 {
        self.fine.abs().max(self.coarse.abs()).hypot((self.softened - NOISE_SOFTENS).max(0.0))
    }
}

/// Tells processing (a filter or curve that acts on all skin alike) from treatment, on photos brought to
/// the same focus, in octaves from sigma 1 px up.
///
/// Treatment makes relief shallower and leaves pigment and what lies deeper as it was, here more, there
/// less: of what differs between the photos a common gain explains a part, at most four tenths on
/// rendered skin of which one thing was treated, seven tenths where all relief was. A filter or a curve
/// explains nearly all of it. What the photos do not share in their finest octaves either, noise and rounding, is
/// taken from both sides first. So an octave's gain counts as
/// processing as far as that share exceeds `share[0]`, wholly from `share[1]`, and as far as what it does not
/// explain, of the octave's energy, is less than `unexplained[0]`; and it is the gain that three quarters of the
/// tiles have at least: what one half of the skin does not show is no processing.
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
        let alone = [a, b].map(|l| {
            let kept = noise_gain([sigma[0], sigma[1]].map(|s| s.hypot(l.noise.blur_px)));
            Alone { noise: l.noise.white * kept, beyond: l.noise.white_error * kept }
        });
        let gain = common_gain(&tiles, k, &alone, settings);
        // What a blur that was matched a little too much or too little leaves is no processing.
        let left = 2.0 * blur_error + BLUR_MODEL_ERROR * blur_difference.abs();
        let mismatch = 0.5 * mean_frequency(&tiles, k) * left;
        let gain = gain.signum() * (gain.abs() - mismatch).max(0.0);
        let part = if sigma[0] < 2.0 { &mut found.fine } else { &mut found.coarse };
        if gain.abs() > part.abs() {
            *part = gain;
        }
    }
    found
}

/// What a difference in noise alone makes of [`softened`], at most.
const NOISE_SOFTENS: f64 = 0.06;

/// Mean squared angular frequency of octave `k`, 1/px².
fn mean_frequency(tiles: &[Tile], k: usize) -> f64 {
    let sum = |of: usize| tiles.iter().map(|t| t.octaves[k][of]).sum::<f64>();
    if sum(2) > 0.0 { (sum(3) / sum(2)).max(0.0) } else { 0.0 }
}

/// Part of a blur's variance by which no lens is a Gaussian, and no fit right.
const BLUR_MODEL_ERROR: f64 = 0.1;
/// First sigma of [`processing`]: 1 px.
const PROCESSING_FROM: usize = 2;

/// Energy of an octave that one photo has by itself.
struct Alone {
    /// Its white noise.
    noise: f64,
    /// What else the other photo does not share.
    beyond: f64,
}

/// The gain of octave `k` that is one filter on all skin, natural log.
fn common_gain(tiles: &[Tile], k: usize, alone: &[Alone; 2], settings: &TransferSettings) -> f64 {
    let n = tiles.len() as f64;
    let mean = |of: usize| tiles.iter().map(|t| t.octaves[k][of]).sum::<f64>() / n;
    let [of_a, of_b] = alone;
    let [aa, bb, ab] = [mean(0) - of_a.noise, mean(1) - of_b.noise, mean(2)];
    if ab <= 0.0 || aa <= 0.0 || bb <= 0.0 {
        return 0.0;
    }
    let rho = deming(aa / ab, bb / ab, 1.0);
    // What neither a filter nor a treatment explains is beside the question which of the two it was.
    let differs = aa + bb - 2.0 * ab - of_a.beyond - of_b.beyond;
    // Below what the photos do not share the difference is chance.
    if differs <= 0.25 * alone.iter().map(|of| of.noise + of.beyond).sum::<f64>() {
        return 0.0;
    }
    let [own_aa, own_bb] = [aa - of_a.beyond, bb - of_b.beyond];
    let rest = (own_bb - 2.0 * rho * ab + rho * rho * own_aa) * 2.0 / (1.0 + rho * rho);
    let between = |v: f64, [none, all]: [f64; 2]| ((v - none) / (all - none)).clamp(0.0, 1.0);
    let rest = rest.max(0.0);
    let weight = between(1.0 - rest / differs, settings.share)
        * between(rest / (aa * bb).sqrt(), settings.unexplained);
    let mut gains: Vec<f64> = tiles
        .iter()
        .filter_map(|t| {
            let [aa, bb, ab, _] = t.octaves[k];
            let [aa, bb] = [aa - of_a.noise, bb - of_b.noise];
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

/// By how much more weak detail was softened than strong detail between two photos whose focus was not
/// matched, natural log: positive where one of them was denoised.
///
/// A lens takes fine octaves from weak and strong detail alike, a treatment takes all octaves of a structure
/// alike; denoising takes the finest octave of weak detail and leaves that of strong detail. Log ratios of
/// two octaves over pixels of the least and of the greatest activity (mean square of the octave over
/// sigma 4 px): their fall from the finer to the coarser octave in the weak quarter, beyond twice that in the
/// strong tenth. Noise that one photo has more of looks alike, up to 0.06.
pub fn softened([a, b]: [&Luminance; 2], valid: &Mask) -> f64 {
    let [fine, coarse] = SOFTENED_OCTAVES.map(|octave| by_activity([a, b], valid, octave));
    let (Some(fine), Some(coarse)) = (fine, coarse) else { return 0.0 };
    let [weak, strong] = [0, 1].map(|k| (fine[k] - coarse[k]).abs());
    (weak - 2.0 * strong).max(0.0)
}

/// Sigmas of the finer and the coarser octave, px.
const SOFTENED_OCTAVES: [[f32; 2]; 2] = [[1.4, 2.0], [2.8, 4.0]];
/// Sigma over which activity is a mean, px.
const ACTIVITY_PX: f32 = 4.0;
/// Least coherence of detail that tells a ratio of its amplitudes.
const TOLD_COHERENCE: f64 = 0.4;

/// Log ratios of an octave's amplitude in `b` to that in `a`, over the quarter of the pixels with the least
/// activity and the tenth with the most; none where the photos share too little of it.
fn by_activity(photos: [&Luminance; 2], valid: &Mask, sigmas: [f32; 2]) -> Option<[f64; 2]> {
    let [fine, coarse] = sigmas.map(|sigma| MaskedBlur::new(valid, sigma));
    let octaves = photos.map(|l| fine.mean(&l.flat).zip(&coarse.mean(&l.flat), |f, c| f - c));
    let mean_square = octaves[0].zip(&octaves[1], |a, b| 0.25 * (a + b) * (a + b));
    let activity = MaskedBlur::new(valid, ACTIVITY_PX).mean(&mean_square);
    let seen = || (0..valid.data().len()).filter(|&i| valid.data()[i]);
    let mut sizes: Vec<f64> = seen().step_by(7).map(|i| f64::from(activity.data()[i])).collect();
    let [quarter, tenth] = [0.25, 0.9].map(|q| quantile(&mut sizes, q).unwrap_or(0.0));
    let gain = noise_gain(sigmas.map(f64::from));
    let noise = photos.map(|l| l.noise.white * gain);
    let ratio = |range: std::ops::RangeInclusive<f64>| {
        let chosen = seen().filter(|&i| range.contains(&f64::from(activity.data()[i])));
        let (sums, n) = chosen.fold(([0.0; 3], 0.0), |([aa, bb, ab], n), i| {
            let [a, b] = [0, 1].map(|k| f64::from(octaves[k].data()[i]));
            ([aa + a * a, bb + b * b, ab + a * b], n + 1.0)
        });
        let [aa, bb, ab] = sums.map(|sum| sum / f64::max(n, 1.0));
        let told = ab > 0.0 && ab * ab > TOLD_COHERENCE * aa * bb;
        let own = [aa - noise[0], bb - noise[1]];
        (told && own[0] > 0.0 && own[1] > 0.0).then(|| deming(own[0] / ab, own[1] / ab, 1.0).ln())
    };
    Some([ratio(0.0..=quarter)?, ratio(tenth..=f64::INFINITY)?])
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
    use crate::testing::{self, Texture, noise};

    const SIDE: usize = 480;

    /// What scales of sigma 0.8 to 13 px make of noise: skin's octaves.
    fn skin() -> Plane {
        let mut sum = Plane::filled(SIDE, SIDE, 0.0);
        for (stream, sigma) in (1..).zip([0.8f32, 1.6, 3.2, 6.4, 12.8]) {
            let scale = blur(&noise(SIDE, SIDE, stream), sigma);
            sum = sum.zip(&scale, |a, b| a + 0.05 * sigma * b);
        }
        sum
    }

    fn noisy(plane: &Plane, stream: u64, sd: f32) -> Luminance {
        let mut own = Luminance::drawn(testing::noisy(plane, stream, sd));
        own.noise.white = f64::from(sd * sd);
        own
    }

    fn told(a: &Luminance, b: &Luminance) -> Focus {
        let settings = LuminanceSettings::default().transfer;
        focus([a, b], &Mask::filled(SIDE, SIDE, true), &settings).expect("enough skin")
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

    #[test]
    fn weak_detail_that_was_softened_is_denoising_and_neither_blur_nor_treatment_is() {
        let all = Mask::filled(SIDE, SIDE, true);
        // Weak on the left, strong on the right.
        let skin = skin();
        let weak = |x: usize| if x < SIDE / 2 { 0.2 } else { 1.0 };
        let before = Plane::from_fn(SIDE, SIDE, |x, y| weak(x) * skin.at(x, y));
        let told = |after: &Plane| {
            let [a, b] = [(&before, 11), (after, 12)].map(|(p, stream)| noisy(p, stream, 0.001));
            let [there, back] = [[&a, &b], [&b, &a]].map(|pair| softened(pair, &all));
            assert!((there - back).abs() < 1e-9, "{there} {back}");
            there
        };
        let soft = diffuse(&before, &all, 0.6);
        let left =
            |soft: &Plane| {
                Plane::from_fn(SIDE, SIDE, |x, y| {
                    if x < SIDE / 2 { soft.at(x, y) } else { before.at(x, y) }
                })
            };
        assert!(told(&left(&soft)) > 0.1, "{}", told(&left(&soft)));
        for (what, after) in [
            ("nothing", before.clone()),
            ("blur", soft),
            ("all treated", before.map(|v| 0.6 * v)),
            ("weak detail treated", left(&before.map(|v| 0.6 * v))),
        ] {
            assert!(told(&after) < 0.03, "{what}: {}", told(&after));
        }
    }

    /// Side of a plane of 5 × 5 tiles, px.
    const SMALL: usize = 256;

    /// The photos of a texture before and after, under noise of a standard deviation.
    fn shots([before, after]: [&Texture; 2], sd: f32) -> [Luminance; 2] {
        [(before, 11), (after, 12)]
            .map(|(texture, stream)| noisy(&texture.plane(SMALL, SMALL), stream, sd))
    }

    fn in_focus([a, b]: [&Luminance; 2]) -> Focus {
        let settings = LuminanceSettings::default().transfer;
        focus([a, b], &Mask::filled(SMALL, SMALL, true), &settings).expect("enough skin")
    }

    #[test]
    #[ignore = "a blur of .25 px² reads .28 ± .01: to be judged"]
    fn a_gaussian_blur_is_told_within_a_twentieth_and_changes_sign_with_the_order() {
        let texture = Texture::new(1, 0.08).blurred(1.0);
        for variance in [0.25, 0.64, 1.5] {
            let [a, b] = shots([&texture, &texture.blurred(variance)], 0.002);
            let [there, back] = [[&a, &b], [&b, &a]].map(in_focus);
            let [_, middle, _] = there.blur.spread();
            let error = there.blur.error(|_, _| true);
            println!("{variance}: {middle} ± {error}");
            assert!((middle / variance - 1.0).abs() < 0.05, "{variance}: {middle} ± {error}");
            assert!((middle - variance).abs() < 3.0 * error, "{variance}: {middle} ± {error}");
            assert!(there.is_known() && back.is_known());
            assert!((back.blur.spread()[1] + middle).abs() < 0.02 * variance);
        }
    }

    /// Ten by ten tiles of 48 px with the blur that `of` their place, −1 … 1, has, known to 0.05 px².
    fn slopes(of: impl Fn(f64, f64) -> f64) -> Vec<([f64; 2], [f64; 3])> {
        let tile = |i: usize| {
            let place = [i % 10, i / 10].map(|v| 48.0 * v as f64 + 23.5);
            let [u, v] = place.map(|v| v / 240.0 - 1.0);
            (place, [0.0, of(u, v), 0.05])
        };
        (0..100).map(tile).collect()
    }

    #[test]
    fn a_bent_field_of_focus_is_fitted_and_a_treated_corner_moves_it_little() {
        let truth = |u: f64, v: f64| 0.5 + 0.3 * u - 0.2 * u * v + 0.1 * v * v;
        let corner = |u: f64, v: f64| u > 0.5 && v > 0.5;
        let map = fit(&slopes(truth), [480, 480]);
        let treated =
            fit(&slopes(|u, v| truth(u, v) - if corner(u, v) { 0.6 } else { 0.0 }), [480, 480]);
        for (place, [_, v, _]) in slopes(truth) {
            assert!((map.at(place) - v).abs() < 1e-6);
            assert!((treated.at(place) - v).abs() < 0.01, "{place:?}: {} {v}", treated.at(place));
        }
        let in_corner = |x: f64, y: f64| corner(x / 240.0 - 1.0, y / 240.0 - 1.0);
        let [inside, outside] = [treated.error(in_corner), treated.error(|x, y| !in_corner(x, y))];
        println!("{inside} {outside} {}", map.error(in_corner));
        assert!((inside - 0.6).abs() < 0.1 && outside < 0.1, "{inside} {outside}");
        assert!(map.error(in_corner) < 0.05);
    }

    /// How far the map of an even focus is moved outside a part of it whose tiles tell `amount` more, px².
    fn moved_by(part: impl Fn(f64, f64) -> bool, amount: f64) -> f64 {
        let map = fit(&slopes(|u, v| if part(u, v) { amount } else { 0.0 }), [480, 480]);
        slopes(|u, v| f64::from(u8::from(part(u, v))))
            .into_iter()
            .filter(|(_, [_, inside, _])| *inside == 0.0)
            .map(|(place, _)| map.at(place).abs())
            .fold(0.0, f64::max)
    }

    #[test]
    fn a_small_treated_part_moves_no_even_focus() {
        for amount in [0.6, -1.0] {
            assert!(moved_by(|u, v| u > 0.4 && v > 0.4, amount) < 1e-6);
            assert!(moved_by(|u, v| u.abs() < 0.4 && v.abs() < 0.4, amount) < 1e-6);
        }
    }

    #[test]
    #[ignore = "defect: the map of second degree follows a treated corner of 16 % by half of its amount"]
    fn a_treated_sixth_moves_no_even_focus() {
        for amount in [0.15, 0.3, 0.6] {
            let off = moved_by(|u, v| u > 0.2 && v > 0.2, amount);
            assert!(off < 0.05, "{amount}: {off}");
        }
    }

    /// Errors of tiles that chance moves are those of their mean, times what neighbours share.
    #[test]
    fn chance_bends_no_field_and_its_error_is_that_of_a_mean() {
        let sign = |u: f64, v: f64| {
            if ((u * 5.0 + 0.5).floor() + (v * 5.0 + 0.5).floor()) % 2.0 == 0.0 {
                1.0
            } else {
                -1.0
            }
        };
        let map = fit(&slopes(|u, v| 0.4 + 0.05 * sign(u, v)), [480, 480]);
        let values = map.spread();
        assert!(values.iter().all(|v| (v - 0.4).abs() < 1e-6), "{values:?}");
        // Tiles depart by 0.05 (1.4826 times that as a robust spread) and are known to 0.05, a hundred of them.
        let truth = 0.05 * 1f64.hypot(1.4826) / 10.0 * NEIGHBOURS.sqrt();
        let error = map.error(|_, _| true);
        println!("{error} {truth}");
        assert!((error / truth - 1.0).abs() < 0.1, "{error} {truth}");
    }

    /// Sharpening by `amount` with an unsharp mask of sigma 2 px is a filter whose gain is known.
    #[test]
    fn the_gain_of_an_unsharp_mask_is_told() {
        let settings = LuminanceSettings::default().transfer;
        let texture = Texture::new(2, 0.08);
        for amount in [0.3, 0.6, -0.3] {
            let masked = texture.filtered(|q| 1.0 + amount * (1.0 - (-0.5 * 4.0 * q * q).exp()));
            let [a, b] = shots([&texture, &masked], 0.001);
            let found =
                processing([&a, &b], &Mask::filled(SMALL, SMALL, true), [0.0; 2], &settings);
            // Log gain of the octaves with a sigma below and from 2 px on, that of the largest.
            let octave = |sigmas: &[f64]| {
                let [s, t] = [sigmas[0], sigmas[1]].map(|v| 0.5 * v * v);
                let power =
                    |of: &Texture| of.filtered(|q| (-s * q * q).exp() - (-t * q * q).exp()).power();
                0.5 * (power(&masked) / power(&texture)).ln()
            };
            let largest = |part: &[f64]| {
                part.windows(2)
                    .map(octave)
                    .fold(0.0, |a: f64, b| if b.abs() > a.abs() { b } else { a })
            };
            let [fine, coarse] =
                [largest(&settings.sigmas_px[2..5]), largest(&settings.sigmas_px[4..])];
            println!("{amount}: {found:?} {fine} {coarse}");
            assert!((found.fine / fine - 1.0).abs() < 0.15, "{amount}: {found:?} {fine}");
            // A gain that differs within an octave counts less.
            let share = found.coarse / coarse;
            assert!((0.3..1.1).contains(&share), "{amount}: {found:?} {coarse}");
        }
    }

    #[test]
    fn the_largest_gain_and_denoising_beyond_chance_blur_a_change_of_relief() {
        let found = Processing { fine: -0.3, coarse: 0.1, softened: NOISE_SOFTENS + 0.4 };
        assert!((found.relief_sd() - 0.5).abs() < 1e-12);
        assert_eq!(
            Processing { softened: 0.5 * NOISE_SOFTENS, ..Processing::default() }.relief_sd(),
            0.0
        );
    }

    /// An eighth of the light on two fifths of the skin, and as many times the variance of the noise.
    #[test]
    fn noise_grows_where_light_falls_off() {
        let texture = Texture::new(3, 0.08).plane(SMALL, SMALL);
        let dark = |x: usize| x >= 3 * 48;
        let missing = 8f64.ln();
        let shot = |stream: u64| {
            let noise = noise(SMALL, SMALL, stream);
            let sd = |x: usize| if dark(x) { 0.01 * 8f32.sqrt() } else { 0.01 };
            let mut shot = Luminance::drawn(Plane::from_fn(SMALL, SMALL, |x, y| {
                texture.at(x, y) + sd(x) * noise.at(x, y)
            }));
            shot.level =
                Grid::from_fn(6, 6, |i, _| if dark(48 * i) { -1.0 - missing as f32 } else { -1.0 });
            shot.noise.white = 1e-4;
            shot
        };
        let [a, b] = [11, 12].map(shot);
        let found = in_focus([&a, &b]);
        println!("{} {:?}", found.noisier.at(200, 100), found.white);
        assert_eq!(found.noisier.at(20, 100), 1.0);
        assert!(
            (found.noisier.at(200, 100) / 8.0 - 1.0).abs() < 0.25,
            "{}",
            found.noisier.at(200, 100)
        );
        assert!(
            found.white.iter().all(|white| (white / 1e-4 - 1.0).abs() < 0.2),
            "{:?}",
            found.white
        );
    }

    #[test]
    fn too_little_skin_tells_no_focus() {
        let texture = Texture::new(4, 0.08);
        let [a, b] = shots([&texture, &texture], 0.002);
        let settings = LuminanceSettings::default().transfer;
        // Eleven tiles, and twelve.
        let rows =
            |n: usize| Mask::from_fn(SMALL, SMALL, |x, y| y / 48 * 5 + x / 48 < n && x < 240);
        assert!(focus([&a, &b], &rows(11), &settings).is_none());
        assert!(focus([&a, &b], &rows(12), &settings).is_some());
    }
}
