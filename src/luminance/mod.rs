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
mod transfer;

pub use noise::{Noise, Rounding};
pub use transfer::{BlurMap, Processing};

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
    /// The blur by which the two differed, before it was matched. `None` where too little skin is seen to
    /// tell.
    pub blur: Option<BlurMap>,
    /// What is left between them that is processing and no treatment.
    pub processing: Processing,
}

impl Pair {
    /// Gaussian blur by which the two differed, median over the skin, baseline px; positive: the follow-up
    /// was blurrier.
    pub fn blur_difference_px(&self) -> Option<f64> {
        let [_, middle, _] = self.blur.as_ref()?.spread();
        Some(middle.signum() * middle.abs().sqrt())
    }

    /// How much that blur varies over the skin (between its tenth and ninetieth part), as the blur that
    /// makes the one of the other, px.
    pub fn blur_range_px(&self) -> Option<f64> {
        let [low, _, high] = self.blur.as_ref()?.spread();
        Some((high - low).max(0.0).sqrt())
    }

    /// Standard deviation that the photos' difference in focus and processing adds to the natural log of a
    /// change of relief of this period, baseline px, in the part of the window that is `inside`.
    pub fn relief_sd(
        &self,
        period_px: f64,
        inside: impl Fn(f64, f64) -> bool,
        settings: &LuminanceSettings,
    ) -> f64 {
        let error = self.blur.as_ref().map_or(settings.transfer.unknown_px2, |b| b.error(inside));
        let frequency = std::f64::consts::TAU / period_px;
        (0.5 * frequency * frequency * error).hypot(self.processing.relief_sd())
    }
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

/// Brings two visits to the same valid skin and the same sharpness: where one is sharper it is blurred.
pub fn comparable(
    baseline: &Luminance,
    follow_up: &Luminance,
    settings: &LuminanceSettings,
) -> Pair {
    let valid = baseline.valid.zip(&follow_up.valid, |a, b| a && b);
    let focus = transfer::focus(baseline, follow_up, &valid, &settings.transfer);
    let limit = settings.blur_match_max_px.powi(2);
    // Nothing is corrected by less than its own error.
    let known = focus.as_ref().filter(|focus| {
        let [low, _, high] = focus.blur.spread();
        low.abs().max(high.abs()) > focus.blur.error(|_, _| true)
    });
    let variance = |x: usize, y: usize| {
        known.map_or(0.0, |focus| focus.blur.at([x as f64, y as f64]).clamp(-limit, limit))
    };
    let spread = known.map_or([0.0; 3], |f| f.blur.spread().map(|v| v.clamp(-limit, limit)));
    // The blurrier of the two sets what both carry.
    let most = spread[0].abs().max(spread[2].abs());
    let period = baseline.shortest_period_px.max(follow_up.shortest_period_px);
    let period = period * (1.0 + most / settings.own_blur_px.powi(2)).sqrt();
    let level = |own: &Luminance, k: usize, sign: f64| -> Luminance {
        let white = focus.as_ref().map_or(own.noise.white, |focus| focus.white[k]);
        let flat = match_focus(&own.flat, &valid, |x, y| (sign * variance(x, y)).max(0.0), limit);
        let blur_px = (sign * spread[1]).max(0.0).sqrt();
        let noise = Noise { white, blur_px, ..own.noise };
        Luminance { flat, valid: valid.clone(), noise, shortest_period_px: period, ..*own }
    };
    let (baseline, follow_up) = (level(baseline, 0, 1.0), level(follow_up, 1, -1.0));
    let pair = [&baseline, &follow_up];
    let blur_error = focus.as_ref().map_or(0.0, |focus| focus.blur.error(|_, _| true));
    let processing =
        transfer::processing(pair, &valid, [spread[1], blur_error], &settings.transfer);
    Pair { baseline, follow_up, blur: focus.map(|focus| focus.blur), processing }
}

/// `flat` under a Gaussian blur whose variance (px², at most `limit`) varies slowly over the picture,
/// interpolated between [`FOCUS_LEVELS`] even ones; 0 outside `valid`.
fn match_focus(
    flat: &Plane,
    valid: &Mask,
    variance: impl Fn(usize, usize) -> f64 + Sync,
    limit: f64,
) -> Plane {
    let wanted = Plane::from_fn(flat.width(), flat.height(), |x, y| {
        if valid.at(x, y) { variance(x, y) as f32 } else { 0.0 }
    });
    let most = wanted.data().iter().fold(0.0f32, |a, &b| a.max(b)).min(limit as f32);
    let mut out = flat.zip(valid, |v, keep| if keep { v } else { 0.0 });
    if f64::from(most) <= BLUR_MIN_PX2 {
        return out;
    }
    let least = wanted.data().iter().zip(valid.data()).filter(|(_, v)| **v);
    let least = least.fold(most, |a, (&b, _)| a.min(b));
    let levels = if most - least < BLUR_MIN_PX2 as f32 { 1 } else { FOCUS_LEVELS };
    let step = (most - least) / (levels as f32 - 1.0).max(1.0);
    let planes: Vec<Plane> =
        (0..levels).map(|i| diffuse(flat, valid, f64::from(least + step * i as f32))).collect();
    out.par_rows(|y, row| {
        for (x, v) in row.iter_mut().enumerate() {
            if valid.at(x, y) {
                let t = if step > 0.0 { (wanted.at(x, y) - least) / step } else { 0.0 };
                let i = (t as usize).min(levels.saturating_sub(2));
                let (a, b) = (planes[i].at(x, y), planes[(i + 1).min(levels - 1)].at(x, y));
                *v = a + (t - i as f32) * (b - a);
            }
        }
    });
    out
}

/// A blur of less variance leaves a picture as it is, px²: 0.1 % of a period of 4 px.
const BLUR_MIN_PX2: f64 = 1e-3;
/// Even blurs that an uneven one is interpolated between.
const FOCUS_LEVELS: usize = 4;
