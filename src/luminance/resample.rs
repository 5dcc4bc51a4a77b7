//! One photo on the baseline's pixels: resampled, masked where it cannot be measured, and flattened.

use super::{Luminance, Noise, NoiseMap, Rounding, noise, sharpness};
use crate::align::{Field, Placement};
use crate::filter::gaussian::{MaskedBlur, blur, blur_masked};
use crate::filter::morphology::dilate;
use crate::filter::stats::median;
use crate::filter::warp::Spline;
use crate::photo::Photo;
use crate::plane::{Grid, Mask, Plane, Window};
use crate::series::Scale;
use crate::settings::LuminanceSettings;

/// Sigma of the illumination low-pass, px.
fn flatten_sigma_px(scale: &Scale, window: Window, settings: &LuminanceSettings) -> f32 {
    let px = match scale.mm_per_px {
        Some(mm) => settings.flatten_sigma_mm / mm.0,
        None => window.width.max(window.height) as f64 * settings.flatten_sigma_unscaled,
    };
    px as f32
}

/// The luminance of one visit on the window of the region map.
///
/// Highlights hide the skin below them. A pixel is a highlight where the mean over `highlight_sigma_mm` (3 px
/// without a scale) is brighter than the illumination by `highlight_log`. Highlights are masked out with a rim of
/// that sigma, and the illumination is estimated again without them.
pub fn luminance(
    photo: &Photo,
    placement: &Placement<'_>,
    settings: &LuminanceSettings,
) -> Luminance {
    let Placement { field, regions, skin, scale } = *placement;
    log::trace!(target: "skindelta", "resample {}", photo.file);
    let window = regions.window;
    let (log, visibility) = resample(photo, field, window, settings);
    let mask =
        |of: &(dyn Fn(usize, usize) -> bool + Sync)| Mask::from_fn(window.width, window.height, of);
    let count = |m: &Mask| m.count() as f64;
    let with = |state: Visibility| mask(&|x, y| skin.at(x, y) && visibility.at(x, y) == state);
    let (measurable, unmeasurable) = (with(Visibility::Measurable), with(Visibility::Unmeasurable));
    let (good, bad) = (count(&measurable), count(&unmeasurable));
    let sigma = flatten_sigma_px(scale, window, settings);
    let flatten = |valid: &Mask| MaskedBlur::new(valid, sigma).residual(&log);
    let (mut flat, mut valid) = (flatten(&measurable), measurable);
    let highlight_px = scale.mm_per_px.map_or(3.0, |mm| settings.highlight_sigma_mm / mm.0);
    let local_mean = blur_masked(&flat, &valid, highlight_px as f32);
    let highlights = local_mean.map(|v| f64::from(v) >= settings.highlight_log);
    if highlights.data().contains(&true) {
        let highlights = dilate(&highlights, highlight_px.ceil() as usize);
        valid = valid.zip(&highlights, |valid, highlight| valid && !highlight);
        flat = flatten(&valid);
    }
    let white = noise::white(&flat, &valid, settings);
    // A photo with fewer pixels on the same skin resolves coarser periods only.
    let coarser = (1.0 / field.scale()).max(1.0);
    let mut sample: Vec<f64> = (0..log.data().len())
        .step_by(97)
        .filter(|&i| skin.data()[i] && visibility.data()[i] != Visibility::Hidden)
        .map(|i| log.data()[i] as f64)
        .collect();
    let median_log = median(&mut sample).unwrap_or(f64::from(u16::MAX).recip().ln());
    let sharpness = sharpness::sharpness(&flat, &valid, white, settings);
    let blur = sharpness.blur_px.unwrap_or(settings.own_blur_px);
    let file_scale = field.scale() * photo.reduction.factor;
    let file = photo.quantisers.map(|q| Rounding::new(q, median_log, file_scale, blur));
    let fine_eyes = regions.face.as_ref().and_then(|face| {
        let measurable = visibility.map(|v| v == Visibility::Measurable);
        sharpness::of_eyes(&log, &measurable, window, face, settings).fine
    });
    Luminance {
        noise: Noise { white, white_error: 0.0, blur_px: 0.0, file },
        illumination: illumination(&log, &flat, &valid, median_log, settings.transfer.tile_px),
        noise_map: NoiseMap::uniform(),
        shortest_period_px: settings.shortest_period_px * coarser,
        blur_px: sharpness.blur_px,
        fine_detail_ratio: sharpness.fine.zip(fine_eyes).map(|(skin, eyes)| skin / eyes),
        median_log,
        clipped: bad / (good + bad).max(1.0),
        highlights: (good - count(&valid)) / (good + bad).max(1.0),
        flat,
        valid,
    }
}

/// Mean log illumination over the `valid` pixels of each cell of `side` px; `median_log` where there are none.
fn illumination(
    log: &Plane,
    flat: &Plane,
    valid: &Mask,
    median_log: f64,
    side: usize,
) -> Grid<f32> {
    let (w, h) = (log.width(), log.height());
    Grid::from_fn(w.div_ceil(side), h.div_ceil(side), |i, j| {
        let (mut sum, mut n) = (0.0f64, 0usize);
        for y in j * side..((j + 1) * side).min(h) {
            for x in (i * side..((i + 1) * side).min(w)).filter(|&x| valid.at(x, y)) {
                sum += f64::from(log.at(x, y) - flat.at(x, y));
                n += 1;
            }
        }
        if n > 0 { (sum / n as f64) as f32 } else { median_log as f32 }
    })
}

/// How a photo shows a pixel of the baseline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Visibility {
    /// Outside the frame, or in a painted bar or box.
    #[default]
    Hidden,
    /// Clipped or too dark.
    Unmeasurable,
    /// Neither clipped nor too dark.
    Measurable,
}

/// Weighted mean log of the channels: the gain of a channel (exposure, white balance) and a factor of the
/// light add a constant to it.
fn log_light(photo: &Photo, window: Window, [r, g, b]: [f32; 3]) -> Plane {
    Plane::from_fn(window.width, window.height, |x, y| {
        let channels = photo.linear.at(window.x + x, window.y + y);
        let log = channels.map(|v| (f32::from(v.max(DARKEST)) / 65535.0).ln());
        r * log[0] + g * log[1] + b * log[2]
    })
}

/// Floor of one channel before the logarithm, of 65535: sRGB 2 of 255.
const DARKEST: u16 = 40;

/// Log light on the window's pixels, and the visibility of each.
fn resample(
    photo: &Photo,
    field: &Field,
    window: Window,
    settings: &LuminanceSettings,
) -> (Plane, Grid<Visibility>) {
    let (low, high) = (settings.dark_limit, settings.clip_limit);
    let visibility = |x: usize, y: usize| {
        if photo.flat.contains(x, y) {
            return Visibility::Hidden;
        }
        let [r, g, b] = photo.linear.at(x, y);
        let good =
            f64::from(r.max(g).max(b)) / 65535.0 < high && photo.luminance_at(x, y) > low as f32;
        if good { Visibility::Measurable } else { Visibility::Unmeasurable }
    };
    if field.is_identity() {
        let states = Grid::from_fn(window.width, window.height, |x, y| {
            visibility(window.x + x, window.y + y)
        });
        return (log_light(photo, window, settings.channel_weights), states);
    }
    let source = field.footprint(window, 0.02, photo.width(), photo.height());
    // Anti-aliasing: a finer photo is blurred to the baseline's sampling before it is resampled.
    let finer = (field.scale().powi(2) - 1.0).max(0.0).sqrt();
    let spline = Spline::new(&blur(
        &log_light(photo, source, settings.channel_weights),
        (0.5 * finer) as f32,
    ));
    let mut out = Grid::filled(window.width, window.height, (0.0f32, Visibility::Hidden));
    let margin = settings.border_px;
    let (right, bottom) =
        (photo.width() as f64 - 1.0 - margin, photo.height() as f64 - 1.0 - margin);
    out.par_rows(|y, row| {
        let line = field.row((window.y + y) as f64);
        let origin = [source.x, source.y].map(|v| v as f64);
        let mut positions: Vec<[f64; 2]> =
            (0..row.len()).map(|x| line.at((window.x + x) as f64)).collect();
        for ([x, y], v) in positions.iter().zip(&mut *row) {
            if *x >= margin && *y >= margin && *x <= right && *y <= bottom {
                v.1 = visibility(x.round() as usize, y.round() as usize);
            }
        }
        for position in &mut positions {
            *position = [0, 1].map(|k| position[k] - origin[k]);
        }
        let mut values = vec![0.0; row.len()];
        spline.row(&positions, &mut values);
        for (v, value) in row.iter_mut().zip(values) {
            v.0 = if v.1 == Visibility::Hidden { 0.0 } else { value };
        }
    });
    (out.map(|(v, _)| v), out.map(|(_, state)| state))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::luminance::samples::{
        SIDE, all, difference, largest, measured, resampled, rms_inside, texture,
    };
    use crate::settings::PhotoSettings;
    use crate::srgb;
    use crate::testing::{self, Texture, noisy, rigid, similarity};

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

    #[test]
    fn exposure_and_white_balance_drop_out() {
        let linear = skin(3500.0);
        let before = encoded(&linear);
        assert_eq!(before.linear, linear);
        let own = resampled(&before);
        for gains in [[2, 2, 2], [2, 1, 1], [1, 1, 3]] {
            let gained = linear.map(|rgb| [0, 1, 2].map(|k| gains[k] * rgb[k]));
            let after = encoded(&gained);
            assert_eq!(after.linear, gained);
            let after = resampled(&after);
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
    fn an_illumination_gradient_is_removed_and_texture_is_kept() {
        let texture = Texture::new(2, 0.08);
        let shaded = Plane::from_fn(SIDE, SIDE, |x, y| {
            let [u, v] = [x, y].map(|i| i as f64 / SIDE as f64 - 0.5);
            (texture.at(x as f64, y as f64) + 0.6 * u - 0.4 * v) as f32
        });
        let [even, shaded] =
            [texture.plane(SIDE, SIDE), shaded].map(|log| resampled(&testing::photo(&log, 0.2)));
        let left = rms_inside(&difference(&even.flat, &shaded.flat), 64);
        println!("{left:e}");
        assert!(left < 1e-4, "{left}");
        // A mean of sigma 20 px leaves 1 − exp(−200 q²) of each wave.
        let truth = texture.filtered(|q| 1.0 - (-200.0 * q * q).exp()).plane(SIDE, SIDE);
        let off = rms_inside(&difference(&even.flat, &truth), 64);
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
        let found = measured(&Photo::drawn(linear), &Field::identity(), &skin);
        for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
            let bad = (50..60).contains(&x) && (y == 80 || y == 90);
            assert_eq!(found.valid.at(x, y), x < 200 && !bad, "({x}, {y})");
            assert!(found.valid.at(x, y) || found.flat.at(x, y) == 0.0);
        }
        assert!((found.clipped - 20.0 / (200.0 * SIDE as f64)).abs() < 1e-12);
        assert_eq!(found.highlights, 0.0);
    }

    #[test]
    fn a_highlight_is_masked_with_a_rim_and_leaves_its_surroundings_as_they_are() {
        let log = texture(3);
        let from = |x: usize, y: usize| (x as f64 - 120.0).hypot(y as f64 - 120.0);
        let lit = Plane::from_fn(SIDE, SIDE, |x, y| {
            let glint = (x, y) == (60, 60);
            log.at(x, y) + if from(x, y) < 8.0 || glint { 1.2 } else { 0.0 }
        });
        let [matt, shiny] = [&log, &lit].map(|log| resampled(&testing::photo(log, 0.15)));
        assert_eq!(matt.highlights, 0.0);
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
        assert!((shiny.highlights - left_out as f64 / (SIDE * SIDE) as f64).abs() < 1e-12);
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
        let found = resampled(&photo);
        let inside = (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y)));
        assert!(inside.filter(|&(x, y)| painted(x, y)).all(|(x, y)| !found.valid.at(x, y)));
        assert_eq!(found.clipped, 0.0);
        assert!(found.valid.at(30, 120));
    }

    /// The finest waves are filtered out first: a spline keeps 97 % of a period of 3 px at half a pixel.
    #[test]
    fn a_photo_that_moved_is_resampled_on_the_baselines_pixels() {
        let texture = Texture::new(4, 0.08).blurred(0.64);
        let baseline = resampled(&testing::photo(&texture.plane(SIDE, SIDE), 0.2));
        for map in [similarity(1.0, 0.0, [0.5, 0.5]), similarity(1.2, 4.0, [-12.0, -30.3])] {
            let after = texture.moved(&map).plane(SIDE, SIDE);
            let found = measured(&testing::photo(&after, 0.35), &rigid(map), &all());
            let in_frame = |x: usize, y: usize| {
                let [u, v] = crate::align::apply(&map, x as f64, y as f64);
                [u, v].iter().all(|t| (3.0..=SIDE as f64 - 4.0).contains(t))
            };
            let (mut n, mut worst) = (0, 0.0f32);
            for (x, y) in (0..SIDE).flat_map(|y| (0..SIDE).map(move |x| (x, y))) {
                assert_eq!(found.valid.at(x, y), in_frame(x, y), "({x}, {y})");
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
    fn a_coarser_photo_resolves_longer_periods_only() {
        let photo = testing::photo(&texture(5), 0.2);
        let period = |scale: f64| {
            measured(&photo, &rigid(similarity(scale, 0.0, [0.0; 2])), &all()).shortest_period_px
        };
        assert!((period(0.5) - 6.0).abs() < 1e-9);
        assert!((period(2.0) - 3.0).abs() < 1e-9);
    }

    #[test]
    fn illumination_median_and_noise_are_those_of_the_photo() {
        let step = |x: usize| if x < SIDE / 2 { 0.3f64 } else { 0.1 };
        let log = noisy(&Plane::from_fn(SIDE, SIDE, |x, _| step(x).ln() as f32), 11, 0.02);
        let skin = Mask::from_fn(SIDE, SIDE, |_, y| y < 192);
        let found = measured(&testing::photo(&log, 1.0), &Field::identity(), &skin);
        let white = found.noise.white.sqrt();
        println!("{white} {:?}", found.illumination);
        assert!((white / 0.02 - 1.0).abs() < 0.1, "{white}");
        assert_eq!((found.illumination.width(), found.illumination.height()), (5, 5));
        for (i, light) in [(0, 0.3f64), (4, 0.1)] {
            assert!((f64::from(found.illumination.at(i, 1)) - light.ln()).abs() < 0.05);
            // Below there is no skin.
            assert_eq!(found.illumination.at(i, 4), found.median_log as f32);
        }
        assert!((0.1f64.ln()..0.3f64.ln()).contains(&found.median_log));
    }
}
