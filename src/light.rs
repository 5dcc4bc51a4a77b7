//! The light on two photos of the same skin: its direction on a face, and the change of the skin's shading.
//!
//! Shading is the low-frequency brightness that the shape of the head or the patch has under the light. Another
//! light direction changes it, and the shading of fine relief with it; a treatment of the texture does not. Both
//! are measured on the cells of [`Tone`]: the light direction in red light, which pigment and blood absorb least,
//! the shading also in a combination of the channels that is blind to pigment and blood. That combination
//! amplifies noise, and a JPEG stores colour at low resolution, hence the coarse cells.

use crate::filter::gaussian::blur_masked;
use crate::filter::stats::median;
use crate::plane::{Mask, Plane, Window};
use crate::region::Face;
use crate::series::Scale;
use crate::settings::LightSettings;
use crate::tone::Tone;
use nalgebra::{Matrix3, Matrix6, Vector3, Vector6};

/// Change of the light from one photo to another.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct LightChange {
    /// Median change of the shading, fraction of the shading; `None` without a scale, or where too little skin is
    /// visible.
    pub shading_change: Option<f64>,
    /// Natural log of the factor of another tone curve (camera, app) on all contrasts, as the shading shows it.
    /// `None` as `shading_change`.
    pub tone_curve_gain: Option<f64>,
    /// Angle between the two light directions, degrees; `None` without a face.
    pub turn_deg: Option<f64>,
}

impl LightChange {
    /// With a tone curve that scales contrast by `relief_gain` (natural log) at most, the gain of the relief: a curve
    /// scales all contrasts alike, a treatment of lines or spots only theirs. Without that gain as it is.
    pub fn limited(self, relief_gain: Option<f64>) -> LightChange {
        let most = relief_gain.map_or(f64::INFINITY, f64::abs);
        let gain = self.tone_curve_gain.map(|gain| gain.abs().min(most).copysign(gain));
        LightChange { tone_curve_gain: gain, ..self }
    }
}

/// The change of light between two photos, on the cells valid in both.
pub fn change(
    [a, b]: [&Tone; 2],
    window: Window,
    face: Option<&Face>,
    scale: &Scale,
    settings: &LightSettings,
) -> LightChange {
    let valid = a.valid.zip(&b.valid, |a, b| a && b);
    let turn = face.and_then(|face| {
        let from = direction(a, window, face, settings)?;
        let cells = FaceCells { valid: &valid, cell_px: a.cell_px, window, face };
        let to = second_direction([a, b], &cells, from, settings)?;
        Some(from.dot(&to).clamp(-1.0, 1.0).acos().to_degrees())
    });
    let shading = shading_change([a, b], &valid, scale, settings);
    LightChange {
        shading_change: shading.map(|v| v[0]),
        tone_curve_gain: shading.map(|v| v[1]),
        turn_deg: turn,
    }
}

/// Weighted sum of the channels' log light in each cell; 0 outside `valid`.
fn log_light(tone: &Tone, valid: &Mask, weights: [f64; 3]) -> Plane {
    let log = |v: f32| f64::from(v.max(f32::MIN_POSITIVE)).ln();
    let of = |rgb: [f32; 3]| -> f64 { rgb.iter().zip(weights).map(|(v, w)| w * log(*v)).sum() };
    tone.rgb.zip(valid, |rgb, valid| if valid { of(rgb) as f32 } else { 0.0 })
}

/// Median change of the shading, fraction of the median shading (medians: a corner that is no skin in one photo
/// has no effect), and the log ratio of the two shadings in red light, second photo over first.
///
/// Both are measured in red light and in a combination of the channels that is blind to pigment, and the smaller of
/// the two is taken: pigment absorbs red light too and would count as shading, and the combination is noisier.
fn shading_change(
    tones: [&Tone; 2],
    valid: &Mask,
    scale: &Scale,
    settings: &LightSettings,
) -> Option<[f64; 2]> {
    let sigma = (settings.shading_sigma_mm / (tones[0].cell_px as f64 * scale.mm_per_px?.0)) as f32;
    let [red, pigment_free] = [RED, settings.shading_weights]
        .map(|weights| shadings(tones.map(|tone| log_light(tone, valid, weights)), valid, sigma));
    let ([red_before, red_after, red_change], pigment_free) = (red?, pigment_free?);
    let shading = (red_before * red_after).min(pigment_free[0] * pigment_free[1]).sqrt();
    let change = red_change.min(pigment_free[2]);
    (shading > 0.0).then(|| [change / shading, (red_after / red_before).ln()])
}

/// Channel weights of red light alone.
const RED: [f64; 3] = [1.0, 0.0, 0.0];

/// Median absolute shading of the first photo, of the second, and of their difference, natural log.
fn shadings([a, b]: [Plane; 2], valid: &Mask, sigma: f32) -> Option<[f64; 3]> {
    let change = b.zip(&a, |b, a| b - a);
    let size = |plane: Plane| {
        let shading = blur_masked(&detrended(&plane, valid)?, valid, sigma);
        let inside = shading.data().iter().zip(valid.data()).filter(|(_, valid)| **valid);
        median(&mut inside.map(|(v, _)| f64::from(v.abs())).collect::<Vec<f64>>())
    };
    Some([size(a)?, size(b)?, size(change)?])
}

/// The plane minus its least-squares polynomial of second degree in the position: illumination gradients and
/// exposure. `None` where too little is valid.
fn detrended(plane: &Plane, valid: &Mask) -> Option<Plane> {
    let (w, h) = (valid.width(), valid.height());
    let monomials = |x: usize, y: usize| {
        let [u, v] = [(x, w), (y, h)].map(|(i, n)| 2.0 * i as f64 / n as f64 - 1.0);
        Vector6::new(1.0, u, v, u * u, u * v, v * v)
    };
    let (mut left, mut right) = (Matrix6::zeros(), Vector6::zeros());
    for (x, y) in (0..h).flat_map(|y| (0..w).map(move |x| (x, y))).filter(|&(x, y)| valid.at(x, y))
    {
        let p = monomials(x, y);
        left += p * p.transpose();
        right += p * f64::from(plane.at(x, y));
    }
    let trend = left.cholesky()?.solve(&right);
    Some(Plane::from_fn(w, h, |x, y| plane.at(x, y) - monomials(x, y).dot(&trend) as f32))
}

/// Light direction on a face: unit vector to the light, x to the right of the picture, y up, z to the camera.
/// Robust least squares of light = normal · direction over the skin (Lambert), with the normals of a mean
/// head. `None` where too little skin is visible.
pub fn direction(
    tone: &Tone,
    window: Window,
    face: &Face,
    settings: &LightSettings,
) -> Option<Vector3<f64>> {
    let cells = FaceCells { valid: &tone.valid, cell_px: tone.cell_px, window, face };
    let points = cells.normals().map(|(normal, x, y)| (normal, f64::from(tone.rgb.at(x, y)[0])));
    fit(points.collect(), settings)
}

/// [`direction`] of the second photo, given that of the first (`from`): pigment cancels in the ratio of the two
/// photos.
fn second_direction(
    [a, b]: [&Tone; 2],
    cells: &FaceCells<'_>,
    from: Vector3<f64>,
    settings: &LightSettings,
) -> Option<Vector3<f64>> {
    let red = |tone: &Tone, x, y| f64::from(tone.rgb.at(x, y)[0]);
    let points = cells.normals().map(|(normal, x, y)| {
        let expected = normal.dot(&from).max(settings.cosine_min);
        (normal, red(b, x, y) / red(a, x, y) * expected)
    });
    fit(points.collect(), settings)
}

/// The cells of a [`Tone`] on a face.
struct FaceCells<'a> {
    valid: &'a Mask,
    cell_px: usize,
    /// Window of the cells, baseline px.
    window: Window,
    face: &'a Face,
}

impl FaceCells<'_> {
    /// Normal, column and row of each valid cell on the face.
    fn normals(&self) -> impl Iterator<Item = (Vector3<f64>, usize, usize)> + '_ {
        let FaceCells { valid, cell_px, window, face } = *self;
        let middle = move |i: usize, first: usize| (first + i * cell_px + cell_px / 2) as f64;
        (0..valid.height())
            .flat_map(move |y| (0..valid.width()).map(move |x| (x, y)))
            .filter(|&(x, y)| valid.at(x, y))
            .filter_map(move |(x, y)| {
                Some((normal(face, [middle(x, window.x), middle(y, window.y)])?, x, y))
            })
    }
}

/// Unit direction s of the least-squares fit light ≈ normal · s; outliers (shadows, highlights) are
/// down-weighted (Geman–McClure).
fn fit(points: Vec<(Vector3<f64>, f64)>, settings: &LightSettings) -> Option<Vector3<f64>> {
    if points.len() < settings.cells_min {
        return None;
    }
    let mut weights = vec![1.0; points.len()];
    let mut found = Vector3::zeros();
    for _ in 0..settings.rounds {
        let (mut left, mut right) = (Matrix3::zeros(), Vector3::zeros());
        for ((normal, light), weight) in points.iter().zip(&weights) {
            left += normal * normal.transpose() * *weight;
            right += normal * (*light * *weight);
        }
        found = left.cholesky()?.solve(&right);
        let residual = |(normal, light): &(Vector3<f64>, f64)| light - normal.dot(&found).max(0.0);
        let mut sizes: Vec<f64> = points.iter().map(|p| residual(p).abs()).collect();
        let scale = 1.5 * median(&mut sizes)? + f64::MIN_POSITIVE;
        for (weight, point) in weights.iter_mut().zip(&points) {
            let faces_light = point.0.dot(&found) > 0.0;
            *weight =
                if faces_light { (1.0 + (residual(point) / scale).powi(2)).powi(-2) } else { 0.0 };
        }
    }
    found.try_normalize(1e-12)
}

/// Spacing of [`NORMALS`]: across in pupil distances, down in distances from the pupils to the mouth.
const STEP: f64 = 0.2;
/// Row of the eyes in [`NORMALS`].
const EYES_ROW: f64 = 5.0;
/// Normals of a mean head (ICT FaceKit, MIT licence) from the middle line to the subject's left, rows
/// from the forehead to the chin: hundredths, x towards that side, y up.
#[rustfmt::skip]
const NORMALS: [[[i8; 2]; 6]; 14] = [
    [[0, 56], [18, 57], [37, 58], [58, 55], [73, 51], [84, 44]],
    [[0, 38], [15, 39], [36, 39], [59, 38], [76, 36], [88, 31]],
    [[0, 29], [13, 31], [36, 31], [58, 30], [77, 25], [90, 17]],
    [[0, 12], [13, 6], [32, 4], [53, 16], [78, 19], [92, 8]],
    [[0, -11], [27, -32], [16, -38], [33, -30], [72, -16], [93, 1]],
    [[0, 34], [42, 12], [17, 5], [35, -16], [65, -22], [90, -2]],
    [[0, 54], [57, 36], [22, 25], [36, 14], [66, 12], [87, -17]],
    [[0, -2], [49, 9], [47, 21], [36, 18], [70, 8], [91, -13]],
    [[0, 2], [36, 4], [47, 2], [45, 3], [75, -9], [94, 2]],
    [[0, 4], [43, 6], [51, 2], [59, -7], [80, -18], [91, -23]],
    [[0, -22], [45, -15], [48, -12], [61, -17], [83, -23], [93, -26]],
    [[0, -30], [42, -18], [55, -13], [68, -28], [86, -37], [91, -35]],
    [[0, -13], [42, -16], [66, -34], [76, -54], [86, -44], [93, -29]],
    [[0, -86], [36, -82], [59, -74], [72, -62], [88, -29], [96, -9]],
];

/// The normal of a mean head at a position of the photo; `None` outside the table.
fn normal(face: &Face, at: [f64; 2]) -> Option<Vector3<f64>> {
    let [right, left] = face.eyes;
    let middle = [0, 1].map(|k| (right[k] + left[k]) / 2.0);
    let across = [0, 1].map(|k| left[k] - right[k]);
    let width = across[0].hypot(across[1]);
    let axis = across.map(|v| v / width);
    let along = |p: [f64; 2]| {
        let d = [0, 1].map(|k| p[k] - middle[k]);
        [d[0] * axis[0] + d[1] * axis[1], d[1] * axis[0] - d[0] * axis[1]]
    };
    let [u, v] = along(at);
    let down = along(face.mouth)[1];
    if !(width > 0.0 && down > 0.0) {
        return None;
    }
    let (column, row) = (u.abs() / width / STEP, v / down / STEP + EYES_ROW);
    let (i, j) = (column as usize, row.max(0.0) as usize);
    if row < 0.0 || i + 1 >= NORMALS[0].len() || j + 1 >= NORMALS.len() {
        return None;
    }
    let (p, q) = (column - i as f64, row - j as f64);
    let component = |k: usize| {
        let at = |j: usize, i: usize| f64::from(NORMALS[j][i][k]) / 100.0;
        (1.0 - q) * ((1.0 - p) * at(j, i) + p * at(j, i + 1))
            + q * ((1.0 - p) * at(j + 1, i) + p * at(j + 1, i + 1))
    };
    let (x, y) = (component(0) * u.signum(), component(1));
    Some(Vector3::new(x, y, (1.0 - x * x - y * y).max(0.0).sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Grid;
    use crate::testing::{self, scale};

    fn face() -> Face {
        testing::face([[60.0, 80.0], [140.0, 80.0]], [100.0, 164.0])
    }

    /// A mean head of uneven pigment under light from one direction.
    fn lit(light_direction: Vector3<f64>) -> Tone {
        let at = |x: usize, y: usize| normal(&face(), [4.0 * x as f64 + 2.0, 4.0 * y as f64 + 2.0]);
        let light = |x: usize, y: usize| at(x, y).map_or(0.0, |n| n.dot(&light_direction).max(0.0));
        Tone {
            cell_px: 4,
            rgb: Grid::from_fn(50, 60, |x, y| {
                let pigment = 0.5 + 0.1 * (0.7 * x as f64).sin() * (0.9 * y as f64).cos();
                [(pigment * light(x, y)) as f32; 3]
            }),
            valid: Mask::from_fn(50, 60, |x, y| light(x, y) > 0.05),
        }
    }

    /// Mottled pigment hides the shading in red light, but not its change.
    #[test]
    fn a_change_of_shading_is_measured_on_mottled_skin() {
        let wave = |x: usize, y: usize, way: f64| {
            let along = x as f64 * way.cos() + y as f64 * way.sin();
            (std::f64::consts::TAU * along / 16.0).cos()
        };
        let (settings, window) = (LightSettings::default(), Window::full(640, 640));
        // Melanin's absorption relative to green: not exactly the one that the pigment-free weights remove.
        let skin = |mottling: f64, shading: [f64; 2]| Tone {
            cell_px: 4,
            rgb: Grid::from_fn(160, 160, |x, y| {
                let shading = 0.01 * (shading[0] * wave(x, y, 0.3) + shading[1] * wave(x, y, 1.9));
                let melanin = mottling * wave(x, y, 1.1);
                [0.532, 1.0, 1.387].map(|absorbed| (shading - absorbed * melanin).exp() as f32)
            }),
            valid: Mask::from_fn(160, 160, |_, _| true),
        };
        let measured = |mottling: f64, shading: [f64; 2]| {
            let pair = [&skin(mottling, [1.0, 1.0]), &skin(mottling, shading)];
            change(pair, window, None, &scale(0.25), &settings).shading_change.unwrap()
        };
        let even = measured(0.0, [1.0, 1.2]);
        let mottled = measured(0.04, [1.0, 1.2]);
        assert!(even > 0.1 && (mottled / even - 1.0).abs() < 0.05, "{even} {mottled}");
        assert!(measured(0.04, [1.0, 1.0]) < 1e-6);
    }

    #[test]
    fn the_light_direction_and_its_turn_are_recovered() {
        let settings = LightSettings::default();
        let window = Window::full(200, 240);
        let light_direction = |x: f64, y: f64| Vector3::new(x, y, 1.0).normalize();
        let scale = scale(0.8);
        let before = lit(light_direction(0.1, 0.2));
        let found = direction(&before, window, &face(), &settings).unwrap();
        assert!(found.dot(&light_direction(0.1, 0.2)).acos().to_degrees() < 3.0, "{found}");
        for (x, y) in [(0.1, 0.2), (0.5, 0.2), (-0.3, 0.0), (0.1, -0.2)] {
            let after = lit(light_direction(x, y));
            let change = change([&before, &after], window, Some(&face()), &scale, &settings);
            let truth =
                light_direction(0.1, 0.2).dot(&light_direction(x, y)).min(1.0).acos().to_degrees();
            let turn = change.turn_deg.unwrap();
            assert!((turn - truth).abs() < 2.0, "{turn} {truth}");
            let shading = change.shading_change.unwrap();
            assert!(if truth < 0.1 { shading < 1e-6 } else { shading > 0.02 }, "{truth} {shading}");
        }
    }

    fn degrees(a: &Vector3<f64>, b: &Vector3<f64>) -> f64 {
        a.dot(b).clamp(-1.0, 1.0).acos().to_degrees()
    }

    /// Normals of an ellipsoid seen from the front, and its light (Lambert) from one direction.
    fn ellipsoid(light_direction: &Vector3<f64>) -> Vec<(Vector3<f64>, f64)> {
        let positions = (-20..=20).flat_map(|y| (-15..=15).map(move |x| (x, y)));
        let point = |(x, y): (i32, i32)| {
            let [u, v] = [f64::from(x) / 16.0, f64::from(y) / 21.0];
            let z = 1.0 - u * u - v * v;
            let normal = Vector3::new(u / 0.8, v / 1.1, z.max(0.0).sqrt() / 0.9).normalize();
            (z > 0.0).then(|| (normal, 0.4 * normal.dot(light_direction).max(0.0)))
        };
        positions.filter_map(point).collect()
    }

    #[test]
    fn the_light_direction_on_an_ellipsoid_is_recovered() {
        let settings = LightSettings::default();
        for (x, y) in [(0.0, 0.0), (0.8, 0.0), (-0.5, 0.3), (0.0, 1.2), (0.3, -0.7)] {
            let light_direction = Vector3::new(x, y, 1.0).normalize();
            let found = fit(ellipsoid(&light_direction), &settings).unwrap();
            println!("{x} {y} {}", degrees(&found, &light_direction));
            assert!(degrees(&found, &light_direction) < 0.5, "{light_direction}: {found}");
            // A cast shadow and a highlight, on a fifth of it.
            let mut disturbed = ellipsoid(&light_direction);
            let n = disturbed.len();
            disturbed[n / 4..][..n / 10].iter_mut().for_each(|(_, light)| *light *= 0.2);
            disturbed[n / 2..][..n / 10].iter_mut().for_each(|(_, light)| *light += 0.5);
            let found = fit(disturbed, &settings).unwrap();
            println!("disturbed {}", degrees(&found, &light_direction));
            assert!(degrees(&found, &light_direction) < 3.0, "{light_direction}: {found}");
        }
    }

    #[test]
    fn a_mean_head_is_symmetric_and_turns_with_the_face() {
        let upright = face();
        let map = testing::similarity(1.3, 25.0, [300.0, -20.0]);
        let at = |[x, y]: [f64; 2]| crate::align::apply(&map, x, y);
        let leaning = testing::face(upright.eyes.map(at), at(upright.mouth));
        for [x, y] in [[100.0, 100.0], [131.0, 120.0], [75.0, 40.0], [165.0, 150.0]] {
            let own = normal(&upright, [x, y]).unwrap();
            let other = normal(&upright, [200.0 - x, y]).unwrap();
            assert!((own - Vector3::new(-other.x, other.y, other.z)).norm() < 1e-9);
            assert!((own.norm() - 1.0).abs() < 1e-9);
            // Normals point away from the middle line.
            assert!((x - 100.0) * own.x >= 0.0);
            assert!((normal(&leaning, at([x, y])).unwrap() - own).norm() < 1e-9);
        }
        assert_eq!(normal(&upright, [100.0, -20.0]), None);
        assert_eq!(normal(&upright, [185.0, 100.0]), None);
    }

    /// A cast shadow and a beard over a fifth of the cells, and another exposure.
    #[test]
    fn shadow_beard_and_exposure_do_not_turn_the_light_direction() {
        let (settings, window) = (LightSettings::default(), Window::full(200, 240));
        let light_direction = Vector3::new(0.3, 0.2, 1.0).normalize();
        let plain = direction(&lit(light_direction), window, &face(), &settings).unwrap();
        let mut disturbed = lit(light_direction);
        let cells = disturbed.rgb.width();
        for (i, rgb) in disturbed.rgb.data_mut().iter_mut().enumerate() {
            let (x, y) = (i % cells, i / cells);
            let dark = if x < 10 { 0.1 } else { 1.0 } * if y > 48 { 0.4 } else { 1.0 };
            *rgb = rgb.map(|v| 1.7 * dark * v);
        }
        let found = direction(&disturbed, window, &face(), &settings).unwrap();
        println!("disturbed {}", degrees(&found, &plain));
        assert!(degrees(&found, &plain) < 4.0, "{found} {plain}");
    }

    /// Grey skin whose log contrast is multiplied by `gain`, under an illumination gradient.
    fn relief(gain: f64, trend: f64) -> Tone {
        let log = testing::Texture::new(1, 0.02).blurred(64.0).plane(100, 100);
        Tone {
            cell_px: 4,
            rgb: Grid::from_fn(100, 100, |x, y| {
                let [u, v] = [x, y].map(|i| i as f64 / 50.0 - 1.0);
                let light = gain * f64::from(log.at(x, y)) + trend * (u + 0.5 * v - u * v + v * v);
                [(0.3 * light.exp()) as f32; 3]
            }),
            valid: Mask::filled(100, 100, true),
        }
    }

    #[test]
    fn a_tone_curve_is_a_gain_and_an_illumination_gradient_no_change() {
        let settings = LightSettings::default();
        let window = Window::full(400, 400);
        let of = |after: &Tone, scale: &Scale| {
            change([&relief(1.0, 0.0), after], window, None, scale, &settings)
        };
        for gain in [0.8f64, 1.0, 1.3] {
            for trend in [0.0, 0.4] {
                let found = of(&relief(gain, trend), &scale(0.25));
                assert!(
                    (found.tone_curve_gain.unwrap() - gain.ln()).abs() < 2e-3,
                    "{gain} {trend}: {found:?}"
                );
                let shading = (gain - 1.0).abs() / gain.sqrt();
                assert!(
                    (found.shading_change.unwrap() - shading).abs() < 2e-3,
                    "{gain} {trend}: {found:?}"
                );
                assert_eq!(found.turn_deg, None);
            }
        }
        assert_eq!(of(&relief(1.3, 0.0), &testing::unscaled()).shading_change, None);
    }

    #[test]
    fn a_tone_curve_scales_relief_too() {
        let found = |gain: f64| LightChange { tone_curve_gain: Some(gain), ..Default::default() };
        let limited = |gain: f64, relief| found(gain).limited(relief).tone_curve_gain;
        assert_eq!(limited(-0.28, Some(-0.02)), Some(-0.02));
        assert_eq!(limited(0.05, Some(-0.08)), Some(0.05));
        assert_eq!(limited(0.05, None), Some(0.05));
    }

    #[test]
    fn too_little_skin_gives_no_light_direction() {
        let settings = LightSettings::default();
        let mut tone = lit(Vector3::new(0.0, 0.0, 1.0));
        let few = settings.cells_min;
        let mut left = 0;
        for valid in tone.valid.data_mut() {
            left += usize::from(*valid);
            *valid &= left <= few / 2;
        }
        assert_eq!(direction(&tone, Window::full(200, 240), &face(), &settings), None);
    }
}
