//! Comparable luminance: light, exposure, focus and noise taken out of the difference between
//! two photos of the same skin.
//!
//! Everything works on the natural log of linear luminance, on the baseline's pixels. The
//! illumination is a mask-aware Gaussian mean of `flatten_sigma_mm` and is subtracted, so that
//! exposure and slow light drop out (a factor of light is a constant in log). Follow-ups are
//! resampled once, in log light, by quintic B-splines. Of two photos the sharper is blurred down to
//! the other.
//! No constant depends on the photos' own contrast.

mod focus;
mod noise;

pub use noise::{Noise, Rounding};

use crate::align::Field;
use crate::filter::gaussian::{MaskedBlur, blur, blur_masked, diffuse};
use crate::filter::morphology::dilate;
use crate::filter::stats::median;
use crate::filter::warp::Spline;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window};
use crate::region::RegionMap;
use crate::series::Scale;
use crate::settings::LuminanceSettings;

/// Flattened log luminance of one visit on the window of the region map.
#[derive(Debug, Clone)]
pub struct Luminance {
    /// Natural log of luminance minus the illumination; 0 outside `valid`.
    pub flat: Plane,
    /// Skin that this photo shows, neither clipped nor too dark to measure.
    pub valid: Mask,
    /// What sensor and file add.
    pub noise: Noise,
    /// Shortest spatial period that the photo carries, baseline px.
    pub shortest_period_px: f64,
    /// Apparent Gaussian blur of the skin, baseline px: what makes a spectrum that is alike in all
    /// octaves, as skin's is, into the one seen. `None` where noise hides it.
    pub blur_px: Option<f64>,
    /// Share of fine detail in the skin against that in the eyes with lashes and brows, which no
    /// treatment touches: 1.2 and more by nature. `None` where no face was found, or noise hides it.
    pub fine_beside_eyes: Option<f64>,
    /// Median log luminance of the skin, what is clipped included: exposure and complexion together.
    pub median_log: f64,
    /// Share of the region map's skin that is clipped or black here, 0–1.
    pub clipped: f64,
    /// Share of the region map's skin that a highlight covers here, 0–1.
    pub shiny: f64,
}

#[cfg(test)]
impl Luminance {
    /// A drawn plane, all valid, without noise.
    pub fn drawn(flat: Plane) -> Self {
        Luminance {
            valid: Mask::filled(flat.width(), flat.height(), true),
            flat,
            noise: Noise::default(),
            shortest_period_px: 3.0,
            blur_px: None,
            fine_beside_eyes: None,
            median_log: -1.0,
            clipped: 0.0,
            shiny: 0.0,
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
    /// Gaussian blur by which the two differed, baseline px; positive: the follow-up was blurrier. `None`
    /// where too little skin is seen to tell.
    pub blur_difference_px: Option<f64>,
}

/// Flattening length in px.
fn flatten_sigma_px(scale: &Scale, window: Window, settings: &LuminanceSettings) -> f32 {
    let px = match scale.mm_per_px {
        Some(mm) => settings.flatten_sigma_mm / mm.0,
        None => window.width.max(window.height) as f64 * settings.flatten_sigma_unscaled,
    };
    px as f32
}

/// The luminance of one visit through `field` (the identity for the baseline) on the map's window,
/// whose `skin` may be measured.
///
/// Highlights hide the skin below them. They are what is brighter than its surroundings by
/// `highlight_log` in the mean over `highlight_sigma_mm` (3 px without a scale); they are left out with
/// a rim as wide, and the illumination is taken again without them.
pub fn luminance(
    photo: &Photo,
    field: &Field,
    (regions, skin): (&RegionMap, &Mask),
    scale: &Scale,
    settings: &LuminanceSettings,
) -> Luminance {
    let window = regions.window;
    let (log, shown) = resample(photo, field, window, settings);
    let mask =
        |of: &(dyn Fn(usize, usize) -> bool + Sync)| Mask::from_fn(window.width, window.height, of);
    let count = |m: &Mask| m.data().iter().filter(|v| **v).count() as f64;
    let well = mask(&|x, y| skin.at(x, y) && shown.at(x, y) == Shown::Well);
    let badly = mask(&|x, y| skin.at(x, y) && shown.at(x, y) == Shown::Badly);
    let (good, bad) = (count(&well), count(&badly));
    let sigma = flatten_sigma_px(scale, window, settings);
    let flatten = |valid: &Mask| MaskedBlur::new(valid, sigma).rest(&log);
    let (mut flat, mut valid) = (flatten(&well), well);
    let highlight = scale.mm_per_px.map_or(3.0, |mm| settings.highlight_sigma_mm / mm.0);
    let shine = blur_masked(&flat, &valid, highlight as f32);
    let shine = shine.map(|v| f64::from(v) >= settings.highlight_log);
    if shine.data().contains(&true) {
        let shine = dilate(&shine, highlight.ceil() as usize);
        valid = valid.zip(&shine, |well, shine| well && !shine);
        flat = flatten(&valid);
    }
    let white = noise::white(&flat, &valid, settings);
    // A photo with fewer pixels on the same skin carries coarser periods only.
    let coarser = (1.0 / field.scale()).max(1.0);
    let mut sample: Vec<f64> = (0..log.data().len())
        .step_by(97)
        .filter(|&i| skin.data()[i] && shown.data()[i] != Shown::Not)
        .map(|i| log.data()[i] as f64)
        .collect();
    let median_log = median(&mut sample).unwrap_or(f64::from(u16::MAX).recip().ln());
    let sharpness = focus::sharpness(&flat, &valid, white, settings);
    let blur = sharpness.blur_px.unwrap_or(settings.own_blur_px);
    let file = photo.quantisers.map(|q| Rounding::new(q, median_log, field.scale(), blur));
    let fine_eyes = regions.face.as_ref().and_then(|face| {
        let shown = shown.map(|s| s == Shown::Well);
        focus::of_eyes(&log, &shown, window, face, settings).fine
    });
    Luminance {
        noise: Noise { white, blur_px: 0.0, file },
        shortest_period_px: settings.shortest_period_px * coarser,
        blur_px: sharpness.blur_px,
        fine_beside_eyes: sharpness.fine.zip(fine_eyes).map(|(skin, eyes)| skin / eyes),
        median_log,
        clipped: bad / (good + bad).max(1.0),
        shiny: (good - count(&valid)) / (good + bad).max(1.0),
        flat,
        valid,
    }
}

/// Whether a photo shows a pixel of the baseline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Shown {
    /// Outside the frame, or a bar or box in it.
    #[default]
    Not,
    /// Clipped or too dark.
    Badly,
    /// Measurable.
    Well,
}

/// The weighted mean log of the channels: a gain of a channel (exposure, white balance) is a
/// constant in it, as is a factor of the light.
fn log_light(photo: &Photo, window: Window, [r, g, b]: [f32; 3]) -> Plane {
    Plane::from_fn(window.width, window.height, |x, y| {
        let channels = photo.linear.at(window.x + x, window.y + y);
        let log = channels.map(|v| (f32::from(v.max(DARKEST)) / 65535.0).ln());
        r * log[0] + g * log[1] + b * log[2]
    })
}

/// What stands in for less light in one channel, 1/65535: sRGB 2 of 255.
const DARKEST: u16 = 40;

/// Log light on the window's pixels, and how the photo shows each.
fn resample(
    photo: &Photo,
    field: &Field,
    window: Window,
    settings: &LuminanceSettings,
) -> (Plane, Grid<Shown>) {
    let (low, high) = (settings.dark_limit, settings.clip_limit);
    let usable = |x: usize, y: usize| {
        if photo.flat.contains(x, y) {
            return Shown::Not;
        }
        let [r, g, b] = photo.linear.at(x, y);
        let good =
            f64::from(r.max(g).max(b)) / 65535.0 < high && photo.luminance_at(x, y) > low as f32;
        if good { Shown::Well } else { Shown::Badly }
    };
    if field.is_identity() {
        let shown =
            Grid::from_fn(window.width, window.height, |x, y| usable(window.x + x, window.y + y));
        return (log_light(photo, window, settings.channel_weights), shown);
    }
    let source = field.footprint(window, 0.02, photo.width(), photo.height());
    // A finer photo is brought to the baseline's sampling before it is resampled: what the
    // baseline's pixels cannot hold must not fold back.
    let finer = (field.scale().powi(2) - 1.0).max(0.0).sqrt();
    let spline = Spline::new(&blur(
        &log_light(photo, source, settings.channel_weights),
        (0.5 * finer) as f32,
    ));
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
                *v = (spline.at(px - source.x as f64, py - source.y as f64), shown);
            }
        }
    });
    (out.map(|(v, _)| v), out.map(|(_, s)| s))
}

/// Brings two visits to the same valid skin and the same sharpness.
pub fn comparable(
    baseline: &Luminance,
    follow_up: &Luminance,
    settings: &LuminanceSettings,
) -> Pair {
    let valid = baseline.valid.zip(&follow_up.valid, |a, b| a && b);
    let difference = focus::difference(baseline, follow_up, &valid, settings);
    let found = difference.unwrap_or_default();
    let limit = settings.blur_match_max_px.powi(2);
    let px2 = found.blur_px2.clamp(-limit, limit);
    let sigma = px2.abs().sqrt();
    let period = baseline.shortest_period_px.max(follow_up.shortest_period_px);
    // The blurrier of the two sets what both carry.
    let period = period * (1.0 + px2.abs() / settings.own_blur_px.powi(2)).sqrt();
    let level = |own: &Luminance, white: f64, blurred: bool| -> Luminance {
        let mut flat = own.flat.clone();
        let white = if difference.is_some() { white } else { own.noise.white };
        let mut noise = Noise { white, ..own.noise };
        if blurred && px2.abs() > BLUR_MIN_PX2 {
            flat = diffuse(&flat, &valid, px2.abs());
            noise.blur_px = sigma;
        }
        flat.par_rows(|y, row| {
            for (v, &keep) in row.iter_mut().zip(valid.row(y)) {
                if !keep {
                    *v = 0.0;
                }
            }
        });
        Luminance { flat, valid: valid.clone(), noise, shortest_period_px: period, ..*own }
    };
    Pair {
        baseline: level(baseline, found.white[0], px2 > 0.0),
        follow_up: level(follow_up, found.white[1], px2 < 0.0),
        blur_difference_px: difference.map(|_| px2.signum() * sigma),
    }
}

/// A blur of less variance leaves a picture as it is, px²: 0.1 % of a period of 4 px.
const BLUR_MIN_PX2: f64 = 1e-3;
