//! The scale of a face from its irises: the visible iris of adults is 11.7 ± 0.5 mm across.
//!
//! The limbus is the circle across which the photo brightens most on both sides of the iris (the
//! integro-differential operator of Daugman 1993, doi:10.1109/34.244676), on the arcs that lids
//! leave free; a circle is then fitted robustly to the edges on its rays.

use super::face::{Face, distance};
use super::view::View;
use crate::filter::warp::bilinear;
use crate::photo::Photo;
use crate::plane::{Plane, par_collect};
use crate::settings::RegionSettings;

/// Radius of the iris on the raster that is searched, px.
const RADIUS_PX: f64 = 24.0;
/// Half the side of that raster, in radii.
const REACH: f64 = 2.6;
/// Directions of the rays on one side, degrees below the horizontal: the upper lid hides more.
const RAYS_DEG: [f64; 9] = [-24.0, -16.0, -8.0, 0.0, 8.0, 16.0, 24.0, 32.0, 40.0];

/// An iris in the photo.
#[derive(Debug, Clone, Copy)]
struct Iris {
    centre: [f64; 2],
    /// Horizontal diameter, photo px.
    diameter_px: f64,
}

/// Millimetres per pixel in the plane of the eyes, and its relative standard deviation.
///
/// The inverse-variance weighted mean of the scales from the irises and from the distance of the
/// pupils; from the distance alone where the irises cannot be measured but a model has found both
/// eyes open. `None` for a head turned beyond `scale_yaw_max_deg`, for closed eyes, and where the
/// eyes are known from the face detector only.
pub(super) fn mm_per_px(
    photo: &Photo,
    face: &Face,
    settings: &RegionSettings,
) -> Option<(f64, f64)> {
    let yaw = face.pose.map_or(0.0, |pose| pose.yaw_deg);
    if yaw.abs() > settings.scale_yaw_max_deg {
        return None;
    }
    let irises = irises(photo, face, settings);
    let eyes = irises.map_or(face.eyes, |both| both.map(|iris| iris.centre));
    let distance = distance(eyes) / yaw.to_radians().cos();
    let pupils = (settings.pupil_distance_mm / distance, settings.pupil_distance_uncertainty);
    match irises {
        Some([right, left]) => {
            let mean = 0.5 * (right.diameter_px + left.diameter_px);
            let differ = 0.5 * (right.diameter_px - left.diameter_px) / mean;
            let fit = settings.iris_fit_uncertainty;
            let spread = (settings.iris_uncertainty.powi(2) + differ * differ + fit * fit).sqrt();
            let iris = (settings.iris_mm / mean, spread);
            let weight = |(_, spread): (f64, f64)| 1.0 / (spread * spread);
            let (a, b) = (weight(iris), weight(pupils));
            Some(((a * iris.0 + b * pupils.0) / (a + b), (a + b).powf(-0.5)))
        }
        None => {
            let open = face.expression.is_some_and(|e| e.eye_opening > settings.eye_opening_min);
            open.then_some(pupils)
        }
    }
}

/// Both irises, if they can be measured, are equally large, and have a plausible size for the
/// distance of the pupils.
fn irises(photo: &Photo, face: &Face, settings: &RegionSettings) -> Option<[Iris; 2]> {
    let distance = face.pupil_distance_px();
    let expected = 0.5 * distance * settings.iris_mm / settings.pupil_distance_mm;
    if 2.0 * expected < settings.iris_min_px {
        return None;
    }
    let found = face.eyes.map(|eye| iris(photo, eye, expected, face.roll(), settings));
    let [Some(a), Some(b)] = found else { return None };
    let mean = 0.5 * (a.diameter_px + b.diameter_px);
    let equal = (a.diameter_px - b.diameter_px).abs() <= settings.iris_difference_max * mean;
    let ratio = mean / distance / (settings.iris_mm / settings.pupil_distance_mm);
    // Three standard deviations of the ratio of an iris to the distance of the pupils.
    let reach = 3.0 * settings.iris_uncertainty.hypot(settings.pupil_distance_uncertainty);
    (equal && (ratio - 1.0).abs() <= reach).then_some([a, b])
}

/// The iris near `eye`, of a radius near `expected` (photo px).
fn iris(
    photo: &Photo,
    eye: [f64; 2],
    expected: f64,
    roll: f64,
    settings: &RegionSettings,
) -> Option<Iris> {
    let step = expected / RADIUS_PX;
    let side = (2.0 * REACH * RADIUS_PX) as usize;
    let view = View { centre: eye, step: [step; 2], roll, width: side, height: side };
    // Red: in it irises of any colour are darker than the sclera.
    let red = view.sample(&photo.linear).map(|[r, _, _]| r);
    let log = red.map(|r| (r + settings.dark_floor as f32).ln());
    let start = coarse(&log, 0.5 * (side as f64 - 1.0));
    // A blurred edge keeps its position in linear light; in log light it moves to the dark side.
    let circle = refined(&red, start)?;
    (rise(&log, circle) >= settings.iris_contrast).then(|| Iris {
        centre: view.to_photo([circle[0], circle[1]]),
        diameter_px: 2.0 * circle[2] * step,
    })
}

/// Unit vectors of the rays on both sides: to the right in the picture first.
fn rays() -> [Vec<[f64; 2]>; 2] {
    [1.0, -1.0].map(|side| {
        RAYS_DEG.iter().map(|a| [side * a.to_radians().cos(), a.to_radians().sin()]).collect()
    })
}

/// Rise of brightness across a circle, on the weaker of its two sides, natural log.
fn rise(log: &Plane, [cx, cy, r]: [f64; 3]) -> f64 {
    let half = 0.15 * r;
    let side = |rays: &Vec<[f64; 2]>| {
        let sum: f64 = rays
            .iter()
            .map(|[dx, dy]| {
                let at = |r: f64| f64::from(bilinear(log, cx + r * dx, cy + r * dy));
                (at(r + half) - at(r - half)).clamp(-1.0, 1.0)
            })
            .sum();
        sum / rays.len() as f64
    };
    let [right, left] = rays().map(|rays| side(&rays));
    right.min(left)
}

/// The best circle of a search over centres and radii, (x, y, radius) in raster px.
fn coarse(log: &Plane, middle: f64) -> [f64; 3] {
    let step = 0.08 * RADIUS_PX;
    let rows = par_collect(17, |j| {
        let y = middle + step * (j as f64 - 8.0);
        let mut best = (f64::MIN, [middle, middle, RADIUS_PX]);
        for i in -8..=8 {
            for k in 0..13 {
                let circle =
                    [middle + step * f64::from(i), y, RADIUS_PX * (0.76 + 0.04 * f64::from(k))];
                let score = rise(log, circle);
                if score > best.0 {
                    best = (score, circle);
                }
            }
        }
        best
    });
    rows.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)).map_or([middle; 3], |(_, circle)| circle)
}

/// The circle through the steepest positions of the rays near `start`; outliers are excluded.
fn refined(red: &Plane, start: [f64; 3]) -> Option<[f64; 3]> {
    const STEP: f64 = 0.25;
    const HALF: f64 = 1.5;
    let [cx, cy, r] = start;
    let reach = (0.22 * r / STEP) as i32;
    let mut edges: Vec<[f64; 2]> = Vec::new();
    for [dx, dy] in rays().into_iter().flatten() {
        let slope = |t: f64| {
            let at = |r: f64| f64::from(bilinear(red, cx + r * dx, cy + r * dy));
            at(r + t + HALF) - at(r + t - HALF)
        };
        let slopes: Vec<f64> = (-reach..=reach).map(|k| slope(STEP * f64::from(k))).collect();
        let best = (1..slopes.len() - 1).max_by(|&a, &b| slopes[a].total_cmp(&slopes[b]))?;
        let (a, b, c) = (slopes[best - 1], slopes[best], slopes[best + 1]);
        let bend = a - 2.0 * b + c;
        if b > 0.0 && bend < 0.0 {
            let t = r + STEP * (best as f64 - f64::from(reach) + 0.5 * (a - c) / bend);
            edges.push([cx + t * dx, cy + t * dy]);
        }
    }
    let mut circle = start;
    for _ in 0..6 {
        let off = |[x, y]: [f64; 2]| (x - circle[0]).hypot(y - circle[1]) - circle[2];
        let mut errors: Vec<f64> = edges.iter().map(|&e| off(e).abs()).collect();
        errors.sort_by(f64::total_cmp);
        let limit = 2.5 * errors.get(errors.len() / 2)?.max(0.2);
        let near: Vec<[f64; 2]> =
            edges.iter().copied().filter(|&e| off(e).abs() <= limit).collect();
        let both =
            [1.0, -1.0].map(|s| near.iter().filter(|e| s * (e[0] - circle[0]) > 0.0).count());
        if both.iter().any(|&n| n < 4) {
            return None;
        }
        circle = gauss_newton_step(circle, &near)?;
    }
    let moved = (circle[0] - cx).hypot(circle[1] - cy);
    (moved < 0.3 * r && (0.7..1.35).contains(&(circle[2] / r))).then_some(circle)
}

/// One Gauss–Newton step of the fit of a circle to points.
fn gauss_newton_step([cx, cy, r]: [f64; 3], points: &[[f64; 2]]) -> Option<[f64; 3]> {
    let mut normal = nalgebra::Matrix3::zeros();
    let mut right = nalgebra::Vector3::zeros();
    for [x, y] in points {
        let (dx, dy) = (x - cx, y - cy);
        let d = dx.hypot(dy);
        let row = nalgebra::Vector3::new(dx / d, dy / d, 1.0);
        normal += row * row.transpose();
        right += row * (d - r);
    }
    let [dx, dy, dr] = (normal.try_inverse()? * right).into();
    Some([cx + dx, cy + dy, r + dr])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plane::Grid;

    /// Two eyes whose irises are `diameter` px across, half hidden by the upper lids.
    fn eyes(diameter: f64, distance: f64) -> (Photo, Face) {
        let centres = [[200.3, 150.7], [200.3 + distance, 150.7]];
        let linear = Grid::from_fn(260 + distance as usize + 150, 300, |x, y| {
            let (x, y) = (x as f64, y as f64);
            let near = centres.map(|c| (x - c[0]).hypot(y - c[1]));
            let at = if near[0] < near[1] { 0 } else { 1 };
            let (dx, dy) = ((x - centres[at][0]) / diameter, (y - centres[at][1]) / diameter);
            let open = dx * dx + (dy * if dy < 0.0 { 3.4 } else { 2.3 }).powi(2) < 1.1;
            let inside = (0.5 * diameter - near[at] + 0.5).clamp(0.0, 1.0);
            let value = if open { 0.5 * (1.0 - inside) + 0.05 * inside } else { 0.3 };
            [(65535.0 * value) as u16; 3]
        });
        let photo = Photo::drawn(linear);
        let detected = centres.map(|c| [c[0] + 2.0, c[1] - 2.0]);
        (photo, Face::of(detected, [200.3 + 0.5 * distance, 150.7 + distance]))
    }

    #[test]
    fn iris_diameters_are_accurate_to_1_5_percent() {
        for (diameter, distance) in [(41.3, 222.0), (60.0, 330.0), (17.0, 90.0)] {
            let (photo, face) = eyes(diameter, distance);
            let settings = RegionSettings::default();
            let [a, b] = irises(&photo, &face, &settings).expect("two irises");
            for iris in [a, b] {
                let off = iris.diameter_px / diameter - 1.0;
                assert!(off.abs() < 0.015, "{} for {diameter}", iris.diameter_px);
            }
            let (mm, spread) = mm_per_px(&photo, &face, &settings).expect("a scale");
            assert!(spread < 0.05, "{spread}");
            let (lo, hi) = (settings.iris_mm / diameter, settings.pupil_distance_mm / distance);
            assert!(mm > lo.min(hi) * 0.98 && mm < lo.max(hi) * 1.02, "{mm}: {lo} {hi}");
        }
    }

    #[test]
    fn no_eyes_and_too_few_pixels_give_no_scale() {
        let settings = RegionSettings::default();
        let (mut photo, face) = eyes(41.3, 222.0);
        photo.linear = photo.linear.map(|_| [20_000; 3]);
        assert_eq!(mm_per_px(&photo, &face, &settings), None);
        let (photo, face) = eyes(9.0, 48.0);
        assert_eq!(mm_per_px(&photo, &face, &settings), None);
        // Irises too small for this distance of the pupils.
        let (photo, face) = eyes(30.0, 330.0);
        assert_eq!(mm_per_px(&photo, &face, &settings), None);
    }
}
