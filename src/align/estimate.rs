//! The rough map from which the dense stage starts: from the eyes and mouths of two faces; on any skin from
//! SIFT features (Lowe 2004), ratio test, RANSAC (Fischler & Bolles 1981) over similarities, then a
//! least-squares affine map on the inliers.

use super::apply;
use crate::filter::gaussian::blur;
use crate::filter::resize::shrink;
use crate::photo::Photo;
use crate::photo::turn::Turn;
use crate::plane::{Mask, Plane, Window, par_collect};
use crate::region::{Face, RegionMap};
use crate::rng::Rng;
use crate::settings::AlignSettings;
use crate::srgb;
use kornia_imgproc::features::{
    DESCR_LEN, FirstOctave, SiftConfig, SiftFeatures, SiftWorkspace, sift_detect_and_compute,
};
use nalgebra::{Matrix3, Vector3};

/// One matched point: baseline px, follow-up px.
type Match = ([f64; 2], [f64; 2]);

/// The least-squares similarity from the eyes and the mouth of face `a` to those of face `b`.
pub fn of_faces(a: &Face, b: &Face) -> [f64; 6] {
    let points = |face: &Face| [face.eyes[0], face.eyes[1], face.mouth];
    let (p, q) = (points(a), points(b));
    let mean = |v: &[[f64; 2]; 3]| [0, 1].map(|k| (v[0][k] + v[1][k] + v[2][k]) / 3.0);
    let (m, n) = (mean(&p), mean(&q));
    let (mut along, mut across, mut norm) = (0.0, 0.0, 0.0);
    for (p, q) in p.iter().zip(&q) {
        let ([x, y], [u, v]) = ([p[0] - m[0], p[1] - m[1]], [q[0] - n[0], q[1] - n[1]]);
        along += x * u + y * v;
        across += x * v - y * u;
        norm += x * x + y * y;
    }
    let (c, s) = (along / norm, across / norm);
    [c, -s, n[0] - c * m[0] + s * m[1], s, c, n[1] - s * m[0] - c * m[1]]
}

/// The affine map from baseline px to follow-up px, or why there is none. `baseline` is the linear
/// luminance of the regions' window.
pub fn of_features(
    baseline: &Plane,
    follow_up: &Photo,
    regions: &RegionMap,
    settings: &AlignSettings,
) -> Result<[f64; 6], String> {
    let full = Window::full(follow_up.width(), follow_up.height());
    let pairs = match_features(baseline, &follow_up.luminance(full), regions, settings);
    let inliers = ransac(&pairs, tolerance_px(regions, settings), settings);
    if inliers.len() < settings.inliers_min {
        return Err(format!(
            "{} matched points, {} needed: is it the same skin, in focus and in the same view?",
            inliers.len(),
            settings.inliers_min
        ));
    }
    fit_affine(&inliers).ok_or_else(|| "the matched points lie on one line".to_string())
}

/// The mirroring and turn that bring a follow-up into the baseline's orientation, from matched features;
/// `None` where too few match, or where no turn is needed.
///
/// Features are rotation-invariant, so that only two matchings are needed: of the follow-up and of its mirror
/// image, at reduced size.
pub fn turn(
    baseline: &Plane,
    follow_up: &Photo,
    regions: &RegionMap,
    settings: &AlignSettings,
) -> Option<Turn> {
    let any_rotation = AlignSettings { rotation_max_deg: 180.0, ..settings.clone() };
    let light = follow_up.luminance(Window::full(follow_up.width(), follow_up.height()));
    let found = [false, true].map(|mirrored| {
        let light = Turn { mirrored, quarters: 0 }.apply(&light);
        let pairs = match_features(baseline, &light, regions, settings);
        let inliers = ransac(&pairs, tolerance_px(regions, settings), &any_rotation);
        let map = fit_affine(&inliers)?;
        let quarters = Turn::to_upright(map[3].atan2(map[0])).quarters;
        Some((inliers.len(), Turn { mirrored, quarters }))
    });
    let best = found.into_iter().flatten().max_by_key(|(count, _)| *count);
    let enough = best.filter(|(count, turn)| *count >= settings.inliers_min && !turn.is_identity());
    enough.map(|(_, turn)| turn)
}

/// Distance within which a match agrees with the map, px.
fn tolerance_px(regions: &RegionMap, settings: &AlignSettings) -> f64 {
    settings.inlier_tolerance * regions.window.width.max(regions.window.height) as f64
}

/// Features of the skin matched with those of a follow-up of luminance `other`.
fn match_features(
    baseline: &Plane,
    other: &Plane,
    regions: &RegionMap,
    settings: &AlignSettings,
) -> Vec<Match> {
    let window = regions.window;
    let long = window.width.max(window.height);
    let factor = long.div_ceil(settings.feature_size_px).max(1);
    let frame_long = other.width().max(other.height());
    let frame_factor = factor.max(frame_long.div_ceil(settings.feature_frame_px));
    let full = Window::full(other.width(), other.height());
    let base = features(baseline, factor, settings);
    let other = features(other, frame_factor, settings);
    let skin = support(&regions.skin);
    let matches = mutual_matches(&base.descriptors, &other.descriptors, settings.match_ratio);
    let position = |x: f32, y: f32, factor: usize, window: Window| {
        let f = factor as f64;
        [window.x as f64 + f * (x as f64 + 0.5) - 0.5, window.y as f64 + f * (y as f64 + 0.5) - 0.5]
    };
    matches
        .iter()
        .map(|&(i, j)| {
            let (a, b) = (&base.keypoints[i], &other.keypoints[j]);
            (position(a.x, a.y, factor, window), position(b.x, b.y, frame_factor, full))
        })
        .filter(|(a, _)| {
            let (x, y) = (a[0] - window.x as f64, a[1] - window.y as f64);
            skin.at(
                (x.max(0.0) as usize).min(window.width - 1),
                (y.max(0.0) as usize).min(window.height - 1),
            )
        })
        .collect()
}

/// Pairs of descriptors that are each other's nearest, the nearest being nearer than `ratio` times
/// the second (Lowe 2004). Brute force: n·m·128 multiplications.
fn mutual_matches(a: &[f32], b: &[f32], ratio: f64) -> Vec<(usize, usize)> {
    let limit = (ratio * ratio) as f32;
    let nearest = |from: &[f32], to: &[f32]| -> Vec<Option<(usize, bool)>> {
        par_collect(from.len() / DESCR_LEN, |i| {
            let own = &from[i * DESCR_LEN..(i + 1) * DESCR_LEN];
            let (mut best, mut second, mut which) = (f32::MAX, f32::MAX, None);
            for (j, other) in to.chunks_exact(DESCR_LEN).enumerate() {
                let d = squared_distance(own, other);
                if d < best {
                    (second, best, which) = (best, d, Some(j));
                } else if d < second {
                    second = d;
                }
            }
            which.map(|j| (j, best < limit * second))
        })
    };
    let (there, back) = (nearest(a, b), nearest(b, a));
    there
        .iter()
        .enumerate()
        .filter_map(|(i, m)| m.filter(|m| m.1).map(|m| (i, m.0)))
        .filter(|&(i, j)| back[j].is_some_and(|m| m.0 == i))
        .collect()
}

/// Squared distance of two descriptors, in eight running sums, so that the compiler can use vector registers.
fn squared_distance(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (x, y) in a.chunks_exact(8).zip(b.chunks_exact(8)) {
        for k in 0..8 {
            sums[k] += (x[k] - y[k]) * (x[k] - y[k]);
        }
    }
    sums.iter().sum()
}

/// Where features are used: skin, and what is surrounded by skin (eyes, lips, nostrils).
fn support(skin: &Mask) -> Mask {
    let sigma = 0.03 * skin.width().max(skin.height()) as f32;
    blur(&skin.map(|s| if s { 1.0 } else { 0.0 }), sigma).map(|v| v > 0.25)
}

/// SIFT features of a luminance, reduced by `factor`, with the illumination removed.
fn features(light: &Plane, factor: usize, settings: &AlignSettings) -> SiftFeatures {
    let log = shrink(light, factor).map(srgb::log);
    let sigma = log.width().max(log.height()) as f32 / 25.0;
    let smooth = blur(&log, sigma);
    // A fixed gain: log contrast ±1 fills the grey range for which SIFT's thresholds are made.
    let grey: Vec<f32> = log
        .data()
        .iter()
        .zip(smooth.data())
        .map(|(l, s)| (128.0 + 127.0 * (l - s)).clamp(0.0, 255.0))
        .collect();
    let config = SiftConfig {
        n_features: settings.features_max,
        contrast_threshold: settings.feature_contrast,
        ..SiftConfig::default()
    };
    let small = log.width().max(log.height()) < settings.feature_size_px * 3 / 4;
    let first = if small { FirstOctave::Double } else { FirstOctave::Native };
    sift_detect_and_compute(
        &mut SiftWorkspace::new(),
        &grey,
        log.width(),
        log.height(),
        &config,
        first,
        usize::MAX,
        false,
    )
    .unwrap_or_default()
}

/// The largest set of matches that one similarity explains within `tolerance` px, refined by an
/// affine fit. Deterministic: the hypotheses come from one fixed random stream.
fn ransac(pairs: &[Match], tolerance: f64, settings: &AlignSettings) -> Vec<Match> {
    if pairs.len() < 3 {
        return Vec::new();
    }
    let tolerance = tolerance * tolerance;
    let mut rng = Rng::new(0, 0);
    let mut best: (usize, [f64; 6]) = (0, [0.0; 6]);
    for _ in 0..settings.ransac_hypotheses {
        let (i, j) = (rng.below(pairs.len()), rng.below(pairs.len()));
        let Some(hypothesis) = similarity(&pairs[i], &pairs[j], settings) else { continue };
        let count = pairs.iter().filter(|p| squared_error(&hypothesis, p) < tolerance).count();
        if count > best.0 {
            best = (count, hypothesis);
        }
    }
    let mut map = best.1;
    for _ in 0..3 {
        let inliers: Vec<Match> =
            pairs.iter().filter(|p| squared_error(&map, p) < tolerance).copied().collect();
        if inliers.len() < 6 {
            return inliers;
        }
        match fit_affine(&inliers) {
            Some(fit) => map = fit,
            None => break,
        }
    }
    let mut inliers: Vec<Match> =
        pairs.iter().filter(|p| squared_error(&map, p) < tolerance).copied().collect();
    // A position counts once, whatever the number of orientations that SIFT gave it.
    inliers.dedup_by(|a, b| (a.0[0] - b.0[0]).hypot(a.0[1] - b.0[1]) < 1.0);
    inliers
}

fn squared_error(map: &[f64; 6], pair: &Match) -> f64 {
    let p = apply(map, pair.0[0], pair.0[1]);
    (p[0] - pair.1[0]).powi(2) + (p[1] - pair.1[1]).powi(2)
}

/// The similarity through two matches; `None` outside the accepted range of scale and rotation.
fn similarity(p: &Match, q: &Match, settings: &AlignSettings) -> Option<[f64; 6]> {
    let (dx, dy) = (q.0[0] - p.0[0], q.0[1] - p.0[1]);
    let (ex, ey) = (q.1[0] - p.1[0], q.1[1] - p.1[1]);
    let norm = dx * dx + dy * dy;
    if norm < 100.0 {
        return None;
    }
    let (a, b) = ((ex * dx + ey * dy) / norm, (ey * dx - ex * dy) / norm);
    let scale = a.hypot(b);
    let turn = b.atan2(a).to_degrees().abs();
    let [low, high] = settings.scale_range;
    (scale >= low && scale <= high && turn <= settings.rotation_max_deg).then(|| {
        let (x, y) = (p.0[0], p.0[1]);
        [a, -b, p.1[0] - a * x + b * y, b, a, p.1[1] - b * x - a * y]
    })
}

fn fit_affine(pairs: &[Match]) -> Option<[f64; 6]> {
    let mut m = Matrix3::<f64>::zeros();
    let (mut bx, mut by) = (Vector3::<f64>::zeros(), Vector3::<f64>::zeros());
    for (a, b) in pairs {
        let v = Vector3::new(a[0], a[1], 1.0);
        m += v * v.transpose();
        bx += v * b[0];
        by += v * b[1];
    }
    let inverse = m.try_inverse()?;
    let (x, y) = (inverse * bx, inverse * by);
    let map = [x[0], x[1], x[2], y[0], y[1], y[2]];
    map.iter().all(|v| v.is_finite()).then_some(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{self, Texture, farthest, similarity as about_origin};

    const SIDE: usize = 240;

    fn face(map: &[f64; 6]) -> Face {
        let mapped = |[x, y]: [f64; 2]| apply(map, x, y);
        testing::face([[60.0, 80.0], [140.0, 82.0]].map(mapped), mapped([101.0, 164.0]))
    }

    #[test]
    fn a_face_that_turned_and_moved_gives_its_similarity() {
        let still = about_origin(1.0, 0.0, [0.0; 2]);
        for map in
            [still, about_origin(1.25, 17.0, [31.0, -12.0]), about_origin(0.6, -40.0, [5.0; 2])]
        {
            let found = of_faces(&face(&still), &face(&map));
            assert!(farthest(&found, &map, 200.0) < 1e-9, "{found:?} {map:?}");
        }
    }

    /// Residuals of a least-squares similarity have no shift, no scale and no rotation.
    #[test]
    fn a_mouth_that_opened_leaves_residuals_without_a_similarity() {
        let before = face(&about_origin(1.0, 0.0, [0.0; 2]));
        let mut after = before;
        after.mouth[1] += 6.0;
        let map = of_faces(&before, &after);
        let points = |face: &Face| [face.eyes[0], face.eyes[1], face.mouth];
        let mut moments = [0.0; 4];
        for (p, q) in points(&before).into_iter().zip(points(&after)) {
            let at = apply(&map, p[0], p[1]);
            let [u, v] = [at[0] - q[0], at[1] - q[1]];
            let parts = [u, v, u * p[0] + v * p[1], v * p[0] - u * p[1]];
            moments = std::array::from_fn(|k| moments[k] + parts[k]);
        }
        assert!(moments.iter().all(|moment| moment.abs() < 1e-9), "{moments:?}");
        assert!(squared_error(&map, &(before.mouth, after.mouth)) > 1.0);
    }

    /// The light of a skin, and a photo of it after `map`.
    fn pair(map: &[f64; 6]) -> (Plane, Photo) {
        let texture = Texture::new(1, 0.12);
        let after = testing::photo(&texture.moved(map).plane(SIDE, SIDE), 0.2);
        (texture.plane(SIDE, SIDE).map(f32::exp), after)
    }

    fn regions() -> RegionMap {
        testing::whole(Window::full(SIDE, SIDE))
    }

    #[test]
    fn features_find_a_similarity_of_the_skin() {
        for map in [about_origin(1.15, 12.0, [20.0, -30.0]), about_origin(0.8, -25.0, [10.0, 70.0])]
        {
            let (light, photo) = pair(&map);
            let found = of_features(&light, &photo, &regions(), &AlignSettings::default());
            let found = found.expect("a map");
            println!("{}", farthest(&found, &map, SIDE as f64));
            assert!(farthest(&found, &map, SIDE as f64) < 1.0, "{found:?} {map:?}");
        }
    }

    #[test]
    fn features_of_another_skin_give_none() {
        let (light, _) = pair(&about_origin(1.0, 0.0, [0.0; 2]));
        let other = testing::photo(&Texture::new(2, 0.12).plane(SIDE, SIDE), 0.2);
        let why = of_features(&light, &other, &regions(), &AlignSettings::default());
        let why = why.expect_err("no map");
        assert!(why.contains("matched points, 16 needed"), "{why}");
    }

    #[test]
    fn a_mirrored_or_turned_photo_is_detected() {
        let (light, photo) = pair(&about_origin(1.0, 3.0, [4.0, -6.0]));
        let settings = AlignSettings::default();
        assert_eq!(turn(&light, &photo, &regions(), &settings), None);
        for lies in [
            Turn { mirrored: false, quarters: 1 },
            Turn { mirrored: true, quarters: 0 },
            Turn { mirrored: true, quarters: 3 },
        ] {
            let back = turn(&light, &photo.turned(lies), &regions(), &settings).expect("a turn");
            assert_eq!(back.apply(&lies.apply(&photo.linear)), photo.linear, "{lies:?} {back:?}");
        }
    }

    /// A pseudo-random number of 0 … 1.
    fn random(i: usize) -> f64 {
        (43_758.545 * (12.9898 * i as f64 + 0.7).sin()).rem_euclid(1.0)
    }

    /// Positions in a window of 200 px: of each three, one matched as by `map` and two at random.
    fn pairs(map: &[f64; 6]) -> Vec<Match> {
        (0..120)
            .map(|i| {
                let at = |k: usize| 200.0 * random(4 * i + k);
                let from = [at(0), at(1)];
                (from, if i % 3 == 0 { apply(map, from[0], from[1]) } else { [at(2), at(3)] })
            })
            .collect()
    }

    #[test]
    fn consistent_matches_are_separated_from_random_ones() {
        let (map, settings) = (about_origin(0.9, 20.0, [12.0, 3.0]), AlignSettings::default());
        let pairs = pairs(&map);
        let inliers = ransac(&pairs, 2.0, &settings);
        let agreeing = pairs.iter().filter(|pair| squared_error(&map, pair) < 4.0).count();
        assert!(
            agreeing >= 40 && inliers.len() >= 40 && inliers.len() <= agreeing,
            "{}",
            inliers.len()
        );
        let found = fit_affine(&inliers).expect("a map");
        assert!(farthest(&found, &map, 200.0) < 0.5, "{found:?}");
        assert!(ransac(&pairs[..2], 2.0, &settings).is_empty());
    }

    #[test]
    fn a_scale_or_rotation_out_of_range_is_rejected() {
        let settings = AlignSettings::default();
        let pair_of = |map: &[f64; 6], x: f64, y: f64| ([x, y], apply(map, x, y));
        let of = |map: &[f64; 6], reach: f64| {
            similarity(&pair_of(map, 10.0, 20.0), &pair_of(map, 10.0 + reach, 25.0), &settings)
        };
        let fair = about_origin(1.9, -44.0, [3.0, 4.0]);
        assert!(farthest(&of(&fair, 50.0).expect("fair"), &fair, 200.0) < 1e-9);
        for map in [
            about_origin(2.1, 0.0, [0.0; 2]),
            about_origin(0.45, 0.0, [0.0; 2]),
            about_origin(1.0, 46.0, [0.0; 2]),
        ] {
            assert_eq!(of(&map, 50.0), None, "{map:?}");
        }
        // Two positions nearer than 10 px give no reliable direction.
        assert_eq!(of(&fair, 8.0), None);
    }

    #[test]
    fn an_affine_map_is_fitted_and_a_line_is_none() {
        let map = [1.1, 0.2, -3.0, -0.1, 0.9, 7.0];
        let positions = [[3.0, 4.0], [90.0, 11.0], [40.0, 77.0], [13.0, 58.0]];
        let pairs: Vec<Match> = positions.iter().map(|p| (*p, apply(&map, p[0], p[1]))).collect();
        assert!(farthest(&fit_affine(&pairs).expect("a map"), &map, 100.0) < 1e-9);
        let line: Vec<Match> =
            (0..6).map(|i| [f64::from(i), 2.0 * f64::from(i)]).map(|p| (p, p)).collect();
        assert_eq!(fit_affine(&line), None);
    }

    #[test]
    fn a_position_with_several_matches_counts_once() {
        let positions =
            [[3.0, 4.0], [90.0, 11.0], [40.0, 77.0], [13.0, 58.0], [60.0, 31.0], [80.0, 90.0]];
        let twice: Vec<Match> = positions.iter().flat_map(|p| [(*p, *p); 2]).collect();
        assert_eq!(ransac(&twice, 1.0, &AlignSettings::default()).len(), 6);
    }

    #[test]
    fn descriptors_match_where_each_is_the_others_nearest_by_far() {
        let descriptor = |of: &[(usize, f32)]| {
            let mut values = [0.0f32; DESCR_LEN];
            of.iter().for_each(|(at, v)| values[*at] = *v);
            values
        };
        let a = [descriptor(&[(0, 1.0)]), descriptor(&[(1, 1.0)]), descriptor(&[(2, 1.0)])];
        let b = [
            descriptor(&[(1, 0.95)]),
            // Two similar ones: neither is the nearest by far.
            descriptor(&[(2, 1.0), (3, 0.3)]),
            descriptor(&[(2, 1.0), (4, 0.31)]),
            descriptor(&[(0, 0.9), (5, 0.1)]),
        ];
        let found = mutual_matches(&a.concat(), &b.concat(), 0.8);
        assert_eq!(found, [(0, 3), (1, 0)]);
    }

    #[test]
    fn features_count_on_skin_and_on_what_it_surrounds() {
        let skin = Mask::from_fn(200, 200, |x, y| {
            let eye = (x as f64 - 100.0).hypot(y as f64 - 100.0) < 5.0;
            (40..160).contains(&x) && (40..160).contains(&y) && !eye
        });
        let support = support(&skin);
        assert!(support.at(100, 100) && support.at(60, 60));
        assert!(!support.at(10, 100) && !support.at(100, 190) && !support.at(199, 0));
    }
}
