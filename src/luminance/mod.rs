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
mod foreign;
mod noise;
mod transfer;

pub use noise::{Noise, NoiseMap, Rounding};
use transfer::Focus;
pub use transfer::{BlurMap, Processing};

use crate::align::{Field, Placement};
use crate::filter::gaussian::{MaskedBlur, blur, blur_masked, diffuse};
use crate::filter::morphology::dilate;
use crate::filter::stats::median;
use crate::filter::warp::Spline;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window};
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
    /// Mean log of the illumination in each cell of `transfer.tile_px`; the skin's median where it has no skin.
    pub level: Grid<f32>,
    /// Where light falls off, noise grows: by this factor, 1 at least.
    pub noisier: NoiseMap,
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
            level: Grid::filled(1, 1, -1.0),
            noisier: NoiseMap::even(),
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
    /// Share of the skin that straight edges of what just one photo shows (text, a bandage) run
    /// through, 0–1; they are left out.
    pub foreign: f64,
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

/// The luminance of one visit on the window of the region map.
///
/// Highlights hide the skin below them. They are what is brighter than its surroundings by
/// `highlight_log` in the mean over `highlight_sigma_mm` (3 px without a scale); they are left out with
/// a rim as wide, and the illumination is taken again without them.
pub fn luminance(
    photo: &Photo,
    placement: &Placement<'_>,
    settings: &LuminanceSettings,
) -> Luminance {
    let Placement { field, regions, skin, scale } = *placement;
    log::trace!(target: "skindelta", "resample {}", photo.file);
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
        noise: Noise { white, white_error: 0.0, blur_px: 0.0, file },
        level: level(&log, &flat, &valid, median_log, settings.transfer.tile_px),
        noisier: NoiseMap::even(),
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

/// Mean log of the illumination over the `valid` pixels of each cell of `side` px; `usual` where there are none.
fn level(log: &Plane, flat: &Plane, valid: &Mask, usual: f64, side: usize) -> Grid<f32> {
    let (w, h) = (log.width(), log.height());
    Grid::from_fn(w.div_ceil(side), h.div_ceil(side), |i, j| {
        let (mut sum, mut n) = (0.0f64, 0usize);
        for y in j * side..((j + 1) * side).min(h) {
            for x in (i * side..((i + 1) * side).min(w)).filter(|&x| valid.at(x, y)) {
                sum += f64::from(log.at(x, y) - flat.at(x, y));
                n += 1;
            }
        }
        if n > 0 { (sum / n as f64) as f32 } else { usual as f32 }
    })
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
    let foreign = foreign::foreign(baseline, follow_up, &valid, settings);
    let valid = valid.zip(&foreign.mask, |valid, foreign| valid && !foreign);
    let photos = [baseline, follow_up];
    let softened = transfer::softened(photos, &valid);
    let focus = transfer::focus(photos, &valid, &settings.transfer);
    let [baseline, follow_up] = matched(photos, &valid, focus.as_ref(), settings);
    let limit = settings.blur_match_max_px.powi(2);
    let difference = focus.as_ref().map_or(0.0, |focus| focus.spread(limit)[1]);
    let pair = [&baseline, &follow_up];
    let blur_error = focus.as_ref().map_or(0.0, |focus| focus.blur.error(|_, _| true));
    let processing = Processing {
        softened,
        ..transfer::processing(pair, &valid, [difference, blur_error], &settings.transfer)
    };
    Pair {
        baseline,
        follow_up,
        blur: focus.map(|focus| focus.blur),
        processing,
        foreign: foreign.share,
    }
}

/// Both photos on the same valid skin, where one is sharper blurred to the other.
fn matched(
    photos: [&Luminance; 2],
    valid: &Mask,
    focus: Option<&Focus>,
    settings: &LuminanceSettings,
) -> [Luminance; 2] {
    let limit = settings.blur_match_max_px.powi(2);
    let known = focus.filter(|focus| focus.is_known());
    let variance = |x: usize, y: usize| {
        known.map_or(0.0, |focus| focus.blur.at([x as f64, y as f64]).clamp(-limit, limit))
    };
    let spread = focus.map_or([0.0; 3], |focus| focus.spread(limit));
    // The blurrier of the two sets what both carry.
    let most = spread[0].abs().max(spread[2].abs());
    let [of_a, of_b] = photos.map(|l| l.shortest_period_px);
    let period = of_a.max(of_b) * (1.0 + most / settings.own_blur_px.powi(2)).sqrt();
    [0, 1].map(|k| {
        let (own, sign) = (photos[k], [1.0, -1.0][k]);
        let white = focus.map_or(own.noise.white, |focus| focus.white[k]);
        let white_error = focus.map_or(0.0, |focus| focus.white_error[k]);
        let blur_px = (sign * spread[1]).max(0.0).sqrt();
        Luminance {
            flat: match_focus(&own.flat, valid, |x, y| (sign * variance(x, y)).max(0.0), limit),
            valid: valid.clone(),
            noise: Noise { white, white_error, blur_px, ..own.noise },
            level: own.level.clone(),
            noisier: focus.map_or_else(NoiseMap::even, |f| f.noisier.clone()),
            shortest_period_px: period,
            ..*own
        }
    })
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
    // A lens blurs light, not its logarithm: where contrast is strong the two differ by per cents.
    let light = out.map(f32::exp);
    let planes: Vec<Plane> = (0..levels)
        .map(|i| diffuse(&light, valid, f64::from(least + step * i as f32)).map(f32::ln))
        .collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::filter::stats::mean_square;
    use crate::settings::PhotoSettings;
    use crate::srgb;
    use crate::testing::{self, Texture, noisy, rigid, scale, similarity, whole};

    const SIDE: usize = 240;
    /// 4 mm are 20 px.
    const MM_PER_PX: f64 = 0.2;

    fn all() -> Mask {
        Mask::filled(SIDE, SIDE, true)
    }

    /// The luminance of a photo through `field`, where `skin` may be measured.
    fn read(photo: &Photo, field: &Field, skin: &Mask) -> Luminance {
        let regions = whole(Window::full(SIDE, SIDE));
        let placement = Placement { field, regions: &regions, skin, scale: &scale(MM_PER_PX) };
        luminance(photo, &placement, &LuminanceSettings::default())
    }

    fn plain(photo: &Photo) -> Luminance {
        read(photo, &Field::identity(), &all())
    }

    fn texture(seed: u64) -> Plane {
        Texture::new(seed, 0.08).plane(SIDE, SIDE)
    }

    /// Linear light 0 … 65535 of a texture in skin's colours, of so much light.
    fn skin(light: f64) -> Grid<[u16; 3]> {
        texture(1)
            .map(|v| [1.0, 0.7, 0.6].map(|tone| (light * tone * f64::from(v).exp()).round() as u16))
    }

    /// A photo of this linear light, as from a file of 16-bit sRGB.
    fn encoded(linear: &Grid<[u16; 3]>) -> Photo {
        let code = |v: u16| (65535.0 * srgb::encode(f64::from(v) / 65535.0)).round() as u16;
        let samples: Vec<u16> = linear.data().iter().flatten().map(|v| code(*v)).collect();
        let [width, height] = [linear.width(), linear.height()].map(|v| v as u32);
        Photo::from_rgb16("skin.raw", width, height, &samples).expect("a photo")
    }

    /// Root mean square of a plane at least `margin` px inside.
    fn inside(plane: &Plane, margin: usize) -> f64 {
        let side = plane.width() - 2 * margin;
        let part = plane.crop(Window { x: margin, y: margin, width: side, height: side });
        mean_square(&part, &Mask::filled(side, side, true)).sqrt()
    }

    fn difference(a: &Plane, b: &Plane) -> Plane {
        a.zip(b, |a, b| a - b)
    }

    fn largest(plane: &Plane) -> f32 {
        plane.data().iter().fold(0.0, |a, b| a.max(b.abs()))
    }

    #[test]
    fn exposure_and_white_balance_drop_out() {
        let linear = skin(3500.0);
        let before = encoded(&linear);
        assert_eq!(before.linear, linear);
        let own = plain(&before);
        for gains in [[2, 2, 2], [2, 1, 1], [1, 1, 3]] {
            let gained = linear.map(|rgb| [0, 1, 2].map(|k| gains[k] * rgb[k]));
            let after = encoded(&gained);
            assert_eq!(after.linear, gained);
            let after = plain(&after);
            println!("{gains:?} {:e}", largest(&difference(&own.flat, &after.flat)));
            // Single precision has steps of 2.4e-7 at a log light of −3.
            assert!(largest(&difference(&own.flat, &after.flat)) < 3e-6);
            assert_eq!(own.valid, after.valid);
            let weights = LuminanceSettings::default().channel_weights;
            let gain: f64 = (0..3).map(|k| f64::from(weights[k]) * f64::from(gains[k]).ln()).sum();
            assert!((after.median_log - own.median_log - gain).abs() < 1e-5);
        }
    }

    #[test]
    fn a_gradient_of_light_is_taken_out_and_texture_is_left() {
        let texture = Texture::new(2, 0.08);
        let shaded = Plane::from_fn(SIDE, SIDE, |x, y| {
            let [u, v] = [x, y].map(|i| i as f64 / SIDE as f64 - 0.5);
            (texture.at(x as f64, y as f64) + 0.6 * u - 0.4 * v) as f32
        });
        let [even, shaded] =
            [texture.plane(SIDE, SIDE), shaded].map(|log| plain(&testing::photo(&log, 0.2)));
        let left = inside(&difference(&even.flat, &shaded.flat), 64);
        println!("{left:e}");
        assert!(left < 1e-4, "{left}");
        // A mean of sigma 20 px leaves 1 − exp(−200 q²) of each wave.
        let truth = texture.filtered(|q| 1.0 - (-200.0 * q * q).exp()).plane(SIDE, SIDE);
        let off = inside(&difference(&even.flat, &truth), 64);
        println!("{off:e}");
        assert!(off < 1e-3, "{off}");
    }

    #[test]
    fn clipped_and_black_pixels_are_not_valid_and_are_counted() {
        let mut linear = skin(16_000.0);
        let clipped = (65535.0 * LuminanceSettings::default().clip_limit) as u16;
        for x in 50..60 {
            // One channel is enough; just below the limit is not.
            linear.set(x, 80, [clipped + 1, 9_000, 9_000]);
            linear.set(x, 90, [100, 100, 100]);
            linear.set(x, 100, [clipped - 1, 9_000, 9_000]);
        }
        let skin = Mask::from_fn(SIDE, SIDE, |x, _| x < 200);
        let found = read(&Photo::drawn(linear), &Field::identity(), &skin);
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            let bad = (50..60).contains(&x) && (y == 80 || y == 90);
            assert_eq!(found.valid.at(x, y), x < 200 && !bad, "({x}, {y})");
            assert!(found.valid.at(x, y) || found.flat.at(x, y) == 0.0);
        }
        assert!((found.clipped - 20.0 / (200.0 * SIDE as f64)).abs() < 1e-12);
        assert_eq!(found.shiny, 0.0);
    }

    #[test]
    fn a_highlight_is_left_out_with_a_rim_and_dims_nothing_around() {
        let log = texture(3);
        let from = |x: usize, y: usize| (x as f64 - 120.0).hypot(y as f64 - 120.0);
        let lit = Plane::from_fn(SIDE, SIDE, |x, y| {
            let glint = (x, y) == (60, 60);
            log.at(x, y) + if from(x, y) < 8.0 || glint { 1.2 } else { 0.0 }
        });
        let [matt, shiny] = [&log, &lit].map(|log| plain(&testing::photo(log, 0.15)));
        assert_eq!(matt.shiny, 0.0);
        assert!(matt.valid.data().iter().all(|valid| *valid));
        let mut left_out = 0;
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            let valid = shiny.valid.at(x, y);
            assert!(!valid || from(x, y) >= 8.0, "({x}, {y})");
            assert!(valid || from(x, y) < 13.0, "({x}, {y})");
            left_out += usize::from(!valid);
            let around = (13.0..40.0).contains(&from(x, y));
            let off = (shiny.flat.at(x, y) - matt.flat.at(x, y)).abs();
            assert!(!around || off < 0.02, "({x}, {y}): {off}");
        }
        assert!((shiny.shiny - left_out as f64 / (SIDE * SIDE) as f64).abs() < 1e-12);
    }

    #[test]
    fn a_painted_box_is_neither_skin_nor_clipped() {
        let painted = |x: usize, y: usize| (80..140).contains(&x) && (90..150).contains(&y);
        let mut linear = skin(12_000.0);
        for (x, y) in (90..150).flat_map(|y| (80..140).map(move |x| (x, y))) {
            linear.set(x, y, [65_535; 3]);
        }
        let mut photo = Photo::drawn(linear);
        photo.flat = crate::photo::FlatAreas::find(&photo.linear, &PhotoSettings::default());
        let found = plain(&photo);
        let inside = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
        assert!(inside.filter(|&(x, y)| painted(x, y)).all(|(x, y)| !found.valid.at(x, y)));
        assert_eq!(found.clipped, 0.0);
        assert!(found.valid.at(30, 120));
    }

    /// Finest waves are left out: a spline keeps 97 % of a period of 3 px at half a pixel.
    #[test]
    fn a_photo_that_moved_is_read_at_the_baselines_pixels() {
        let texture = Texture::new(4, 0.08).blurred(0.64);
        let baseline = plain(&testing::photo(&texture.plane(SIDE, SIDE), 0.2));
        for map in [similarity(1.0, 0.0, [0.5, 0.5]), similarity(1.2, 4.0, [-12.0, -30.3])] {
            let after = texture.moved(&map).plane(SIDE, SIDE);
            let found = read(&testing::photo(&after, 0.35), &rigid(map), &all());
            let seen = |x: usize, y: usize| {
                let [u, v] = crate::align::apply(&map, x as f64, y as f64);
                [u, v].iter().all(|t| (3.0..=SIDE as f64 - 4.0).contains(t))
            };
            let (mut n, mut worst) = (0, 0.0f32);
            for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
                assert_eq!(found.valid.at(x, y), seen(x, y), "({x}, {y})");
                let far = [x, y].iter().all(|v| (80..140).contains(v));
                if far {
                    worst = worst.max((found.flat.at(x, y) - baseline.flat.at(x, y)).abs());
                    n += 1;
                }
            }
            println!("{map:?}: {worst} {n}");
            assert!(n == 3600 && worst < 0.01, "{map:?}: {worst}");
        }
    }

    #[test]
    fn a_coarser_photo_carries_longer_periods_only() {
        let photo = testing::photo(&texture(5), 0.2);
        let period = |scale: f64| {
            read(&photo, &rigid(similarity(scale, 0.0, [0.0; 2])), &all()).shortest_period_px
        };
        assert!((period(0.5) - 6.0).abs() < 1e-9);
        assert!((period(2.0) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn level_median_and_noise_are_those_of_the_photo() {
        let step = |x: usize| if x < SIDE / 2 { 0.3f64 } else { 0.1 };
        let log = noisy(&Plane::from_fn(SIDE, SIDE, |x, _| step(x).ln() as f32), 11, 0.02);
        let skin = Mask::from_fn(SIDE, SIDE, |_, y| y < 192);
        let found = read(&testing::photo(&log, 1.0), &Field::identity(), &skin);
        let white = found.noise.white.sqrt();
        println!("{white} {:?}", found.level);
        assert!((white / 0.02 - 1.0).abs() < 0.1, "{white}");
        assert_eq!((found.level.width(), found.level.height()), (5, 5));
        for (i, light) in [(0, 0.3f64), (4, 0.1)] {
            assert!((f64::from(found.level.at(i, 1)) - light.ln()).abs() < 0.05);
            // Below there is no skin.
            assert_eq!(found.level.at(i, 4), found.median_log as f32);
        }
        assert!((0.1f64.ln()..0.3f64.ln()).contains(&found.median_log));
    }

    fn pair(before: &Luminance, after: &Luminance) -> Pair {
        comparable(before, after, &LuminanceSettings::default())
    }

    #[test]
    fn the_same_photo_twice_is_left_as_it_is() {
        let own = plain(&testing::photo(&noisy(&texture(6), 11, 0.004), 0.2));
        let pair = pair(&own, &own);
        assert_eq!(pair.blur_difference_px(), Some(0.0));
        assert_eq!(pair.blur_range_px(), Some(0.0));
        assert_eq!(
            (pair.baseline.flat.clone(), &pair.follow_up.flat),
            (own.flat.clone(), &own.flat)
        );
        assert_eq!((&pair.baseline.valid, &pair.follow_up.valid), (&own.valid, &own.valid));
        assert_eq!(pair.processing, Processing::default());
        assert_eq!(
            (pair.foreign, pair.follow_up.shortest_period_px),
            (0.0, own.shortest_period_px)
        );
    }

    #[test]
    #[ignore = "first form: its tolerance is not yet derived"]
    fn the_sharper_photo_is_blurred_to_the_other() {
        let texture = Texture::new(7, 0.08).blurred(1.0);
        let shot = |texture: &Texture, stream: u64| {
            let mut own = Luminance::drawn(noisy(&texture.plane(SIDE, SIDE), stream, 0.002));
            own.noise.white = 4e-6;
            own
        };
        let sharp = shot(&texture, 11);
        for sigma in [0.6, 1.0] {
            let soft = shot(&texture.blurred(sigma * sigma), 12);
            for (pair, sign) in [(pair(&sharp, &soft), 1.0), (pair(&soft, &sharp), -1.0)] {
                let found = pair.blur_difference_px().expect("enough skin");
                println!("{sigma} {found} {:?}", pair.processing);
                assert!((sign * found / sigma - 1.0).abs() < 0.05, "{sigma}: {found}");
                let [was, left] = [
                    difference(&sharp.flat, &soft.flat),
                    difference(&pair.baseline.flat, &pair.follow_up.flat),
                ]
                .map(|plane| inside(&plane, 12));
                println!("{was} {left}");
                assert!(left < 0.2 * was, "{sigma}: {was} {left}");
                let [blurred, kept] = if sign > 0.0 {
                    [&pair.baseline, &pair.follow_up]
                } else {
                    [&pair.follow_up, &pair.baseline]
                };
                assert_eq!(kept.flat, soft.flat);
                assert!((blurred.noise.blur_px / sigma - 1.0).abs() < 0.05);
                assert_eq!(kept.noise.blur_px, 0.0);
                // √(1 + σ²/1.3²) times as long.
                let period = 3.0 * (1.0 + (sigma / 1.3).powi(2)).sqrt();
                assert!((blurred.shortest_period_px / period - 1.0).abs() < 0.05);
                assert!(pair.processing.fine.abs() < 0.02 && pair.processing.coarse.abs() < 0.02);
            }
        }
    }

    #[test]
    fn a_pair_shares_its_skin_and_leaves_a_stamp_out() {
        let plane = texture(8);
        let [before, mut after] =
            [11, 12].map(|stream| Luminance::drawn(noisy(&plane, stream, 0.004)));
        let mut before = before;
        before.valid = Mask::from_fn(SIDE, SIDE, |x, _| x < 230);
        after.valid = Mask::from_fn(SIDE, SIDE, |_, y| y >= 7);
        let shared = before.valid.zip(&after.valid, |a, b| a && b);
        assert_eq!(pair(&before, &after).baseline.valid, shared);
        let stamp = |x: usize, y: usize| (90..150).contains(&x) && (100..120).contains(&y);
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            after.flat.set(x, y, after.flat.at(x, y) + if stamp(x, y) { 0.4 } else { 0.0 });
        }
        let pair = pair(&before, &after);
        assert!(pair.foreign > 0.0);
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            let edge = stamp(x, y) && !(stamp(x, y - 3) && stamp(x, y + 3));
            assert!(!edge || !pair.baseline.valid.at(x, y), "({x}, {y})");
        }
        assert_eq!(pair.baseline.valid, pair.follow_up.valid);
    }

    /// ½·(2π/P)² times the error of the blur's variance.
    #[test]
    fn an_unknown_focus_blurs_fine_relief_more() {
        let mut own = Luminance::drawn(texture(9));
        own.valid = Mask::from_fn(SIDE, SIDE, |x, y| x < 100 && y < 100);
        let pair = pair(&own, &own);
        assert!(pair.blur.is_none() && pair.blur_difference_px().is_none());
        let settings = LuminanceSettings::default();
        let sd = |period: f64| pair.relief_sd(period, |_, _| true, &settings);
        let truth = |period: f64| {
            0.5 * (std::f64::consts::TAU / period).powi(2) * settings.transfer.unknown_px2
        };
        assert!((sd(6.0) - truth(6.0)).abs() < 1e-12 && (sd(20.0) - truth(20.0)).abs() < 1e-12);
    }

    #[test]
    #[ignore = "first form: its tolerance is not yet derived"]
    fn a_blur_that_varies_is_put_on_as_it_varies() {
        let texture = Texture::new(10, 0.04).blurred(1.0);
        let sharp = texture.plane(SIDE, SIDE);
        let variance = |x: usize| x as f64 / SIDE as f64;
        let found = match_focus(&sharp, &all(), |x, _| variance(x), 4.0);
        for x in [30, 120, 210] {
            let soft = texture.blurred(variance(x)).plane(SIDE, SIDE);
            let off = |plane: &Plane| {
                (40..200)
                    .map(|y| f64::from(plane.at(x, y) - soft.at(x, y)).powi(2))
                    .sum::<f64>()
                    .sqrt()
            };
            println!("{x} {} {}", off(&found), off(&sharp));
            assert!(off(&found) < 0.1 * off(&sharp), "{x}: {} {}", off(&found), off(&sharp));
        }
        let hole = Mask::from_fn(SIDE, SIDE, |x, _| x != 7);
        let none = match_focus(&sharp, &hole, |_, _| 0.5 * BLUR_MIN_PX2, 4.0);
        assert_eq!((none.at(8, 3), none.at(7, 3)), (sharp.at(8, 3), 0.0));
        // No more than the limit.
        let [most, limit] = [9.0, 1.0].map(|v| match_focus(&sharp, &all(), |_, _| v, 1.0));
        assert!(largest(&difference(&most, &limit)) < 1e-6);
    }
}
