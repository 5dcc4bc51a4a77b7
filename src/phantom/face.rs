//! A simple frontal face covered with the skin of [`super::skin`]: realistic enough for a face detector, with wrinkles
//! and pores where faces have them.
//!
//! Coordinates are mm in the image plane, (0, 0) in the middle of the frame.

use super::camera::{Capture, Scene};
use super::skin::{Lattice, STEP_MM, Skin, SkinSpec, Treatment, Wrinkle, smoothstep};
use super::truth::{FaceTruth, Spec};
use super::{Rng, SmoothNoise};
use crate::plane::{Grid, Plane};
use std::f64::consts::TAU;

/// Pupils lie at (±`EYE[0]`, `EYE[1]`).
const EYE: [f64; 2] = [31.5, -12.0];
/// Middle of the mouth.
const MOUTH: [f64; 2] = [0.0, 56.0];
/// Half the width at the cheek bones.
const HALF_WIDTH: f64 = 70.0;
/// Radius of the iris with its dark ring (11.8 mm across).
const IRIS: f64 = 5.9;

/// Positions of the parts of the face in the baseline.
pub(super) fn truth(baseline: &Capture) -> FaceTruth {
    let px = |x: f64, y: f64| baseline.to_px([x, y]);
    let [left, right] = [px(-HALF_WIDTH, EYE[1]), px(HALF_WIDTH, EYE[1])];
    FaceTruth {
        eyes_px: [px(-EYE[0], EYE[1]), px(EYE[0], EYE[1])],
        mouth_px: px(MOUTH[0], MOUTH[1]),
        width_px: (right[0] - left[0]).hypot(right[1] - left[1]),
    }
}

/// The skin of a face: a patch with the shape of a head, and wrinkles where faces have them.
pub(super) fn skin(spec: &Spec) -> Skin {
    let margin = |n: usize| 1.06 * n as f64 / spec.px_per_mm + 90.0 / spec.px_per_mm;
    let mut skin = Skin::new(&SkinSpec {
        seed: spec.seed,
        tone: spec.tone,
        size_mm: [margin(spec.width_px), margin(spec.height_px)],
        samples_per_mm: (2.0 * spec.px_per_mm).max(10.0),
        wrinkles: 0,
        spots: 0,
        freckle_density: 0.5,
        pore_density: 40.0,
        ..SkinSpec::default()
    });
    skin.wrinkles = wrinkles(spec.seed);
    // Nose and inner cheeks have the most and the widest pores.
    let mut rng = Rng::new(spec.seed, 201);
    let near_nose = |[x, y]: [f64; 2]| bump(x, y - 22.0, 40.0, 30.0);
    skin.pores.retain(|p| rng.uniform() < near_nose(p.at_mm) && is_skin(p.at_mm));
    for pore in &mut skin.pores {
        let near_nose = near_nose(pore.at_mm);
        pore.diameter_mm *= 0.75 + 0.75 * near_nose;
        pore.depth *= 0.6 + 0.9 * near_nose;
    }
    let grid = skin.grid;
    skin.shape = Plane::from_fn(grid.width, grid.height, |x, y| head_height(grid.mm(x, y)) as f32);
    let relief = &skin.relief;
    skin.relief = Plane::from_fn(grid.width, grid.height, |x, y| {
        relief.at(x, y) * if is_skin(grid.mm(x, y)) { 1.3 } else { 0.25 }
    });
    skin
}

/// The scene: that skin, with eyes, lips, brows and hair painted on it.
pub(super) fn scene(skin: &Skin, treatment: &Treatment) -> Scene {
    let mut albedo = skin.albedo(treatment);
    paint(&mut albedo, &skin.grid, skin.spec.seed);
    Scene::new(skin.grid.per_mm, skin.height(treatment), albedo)
}

/// exp(−(x/a)² − (y/b)²).
fn bump(x: f64, y: f64, a: f64, b: f64) -> f64 {
    (-(x / a).powi(2) - (y / b).powi(2)).exp()
}

/// Relative distance from the middle of the face: 1 on the outline (jaw and scalp).
fn outline(x: f64, y: f64) -> f64 {
    let half = HALF_WIDTH + 2.0 - 17.0 * smoothstep((y - 15.0) / 85.0);
    ((x / half).abs().powf(2.3) + ((y + 8.0) / 112.0).abs().powf(2.3)).powf(1.0 / 2.3)
}

fn in_ear(x: f64, y: f64) -> bool {
    ((x.abs() - 72.0) / 8.0).hypot((y - 3.0) / 27.0) < 1.0
}

fn in_neck(x: f64, y: f64) -> bool {
    y > 50.0 && x.abs() < 52.0 + 0.02 * (y - 95.0).max(0.0).powi(2)
}

fn in_hair(x: f64, y: f64) -> bool {
    let line = -76.0 + 62.0 * smoothstep((x.abs() - 40.0) / 33.0);
    (x / 82.0).hypot((y + 16.0) / 111.0) < 1.0 && y < line
}

/// Signed height of a point above the lower and below the upper lid, mm: positive in the eye.
fn in_eye(x: f64, y: f64) -> f64 {
    let u = (x.abs() - EYE[0]) / 15.5;
    let v = y - EYE[1] + 1.2 * u;
    let open = (1.0 - u * u).max(0.0);
    if u.abs() >= 1.0 { -9.0 } else { (v + 5.6 * open.powf(0.7)).min(4.6 * open - v) }
}

/// Height above the mouth line in units of the lip there: inside the lips within ±1.
fn in_lips(x: f64, y: f64) -> f64 {
    let u = x / 25.5;
    if u.abs() >= 1.0 {
        return 2.0;
    }
    let v = y - mouth_line(x);
    let open = (1.0 - u * u).sqrt();
    let bow = 7.5 - 1.8 * bump(x, 0.0, 3.5, 1.0) + 1.0 * bump(x.abs() - 7.0, 0.0, 5.0, 1.0);
    if v < 0.0 { v / (bow * open.powf(1.4)).max(0.1) } else { v / (9.5 * open).max(0.1) }
}

fn mouth_line(x: f64) -> f64 {
    MOUTH[1] + 0.8 * bump(x, 0.0, 6.0, 1.0) - 0.002 * x * x
}

/// Whether a position, in mm from the middle of the frame, is bare skin.
pub fn is_skin([x, y]: [f64; 2]) -> bool {
    let face = outline(x, y) < 0.99 && !in_hair(x, y);
    face && in_eye(x, y) < -0.9 && in_lips(x, y).abs() > 1.05 && !in_brow(x, y)
}

fn in_brow(x: f64, y: f64) -> bool {
    let u = (x.abs() - 13.0) / 40.0;
    (0.0..1.0).contains(&u) && (y - brow_line(u)).abs() < 5.5 - 3.5 * u
}

/// Middle of the brow, u from the nose to the temple.
fn brow_line(u: f64) -> f64 {
    EYE[1] - 18.0 - 6.0 * (2.4 * u).sin() + 3.0 * u * u
}

/// Height of the head, mm.
fn head_height([x, y]: [f64; 2]) -> f64 {
    let r = outline(x, y);
    let side = x.abs();
    let mut z = if r < 1.0 { 62.0 * (1.0 - r.powf(2.6)).powf(0.6) } else { -4.0 };
    let down = smoothstep((y + 18.0) / 40.0) * (1.0 - smoothstep((y - 28.0) / 11.0));
    z += 13.0 * down * bump(x, 0.0, 8.0 + 4.0 * smoothstep((y - 5.0) / 30.0), 1.0);
    z += 6.0 * bump(x, y - 25.0, 11.0, 9.0) + 5.0 * bump(side - 14.0, y - 30.0, 5.5, 6.5);
    z += 4.0 * bump(side - 28.0, y + 30.0, 24.0, 8.0)
        - 7.0 * bump(side - EYE[0], y - EYE[1], 20.0, 13.0);
    z += 4.5 * bump(side - EYE[0], y - EYE[1], 13.0, 8.5)
        - 3.0 * bump(side - 15.0, y + 12.0, 6.0, 9.0);
    z += 4.0 * bump(side - 41.0, y - 22.0, 21.0, 20.0) + 5.0 * bump(x, y - 92.0, 18.0, 12.0);
    z += 3.5 * bump(x, y - 52.0, 22.0, 7.0) + 3.5 * bump(x, y - 62.0, 18.0, 5.0);
    z -= 2.5 * bump(x, y - 73.0, 20.0, 5.0) + 1.2 * bump(x, y - 43.0, 3.0, 7.0);
    z -= 1.6 * bump(0.0, y - mouth_line(x), 1.0, 1.3) * (1.0 - smoothstep((side - 18.0) / 8.0));
    if in_neck(x, y) {
        z = z.max(14.0 * (1.0 - (x / 70.0).powi(2)) - 14.0);
    }
    if in_ear(x, y) {
        z = z.max(-3.0 + 3.0 * bump(side - 74.0, y, 4.0, 18.0));
    }
    z
}

/// Points every [`STEP_MM`] along the quadratic Bézier curve of three points, with small random undulations.
fn bow(a: [f64; 2], b: [f64; 2], c: [f64; 2], mut rng: Rng) -> Vec<[f64; 2]> {
    let (p1, p2) = (rng.range(0.0, TAU), rng.range(0.0, TAU));
    let at = |t: f64| {
        let (u, v, w) = ((1.0 - t) * (1.0 - t), 2.0 * t * (1.0 - t), t * t);
        let uneven = 0.5 * (7.0 * t + p1).sin() + 0.25 * (19.0 * t + p2).sin();
        let [x, y] = [0, 1].map(|k| u * a[k] + v * b[k] + w * c[k]);
        let (dx, dy) = (c[0] - a[0], c[1] - a[1]);
        let n = dx.hypot(dy).max(1e-9);
        [x - uneven * dy / n, y + uneven * dx / n]
    };
    let mut points = vec![at(0.0)];
    let fine = 4000;
    for i in 1..=fine {
        let p = at(i as f64 / fine as f64);
        let last = points[points.len() - 1];
        if (p[0] - last[0]).hypot(p[1] - last[1]) >= STEP_MM {
            points.push(p);
        }
    }
    points
}

/// Forehead lines, frown lines, crow's feet, lines below the eyes, nasolabial folds.
fn wrinkles(seed: u64) -> Vec<Wrinkle> {
    let mut rng = Rng::new(seed, 200);
    let mut all = Vec::new();
    let mut add = |[a, b, c]: [[f64; 2]; 3], depth: f64, width: f64| {
        let points = bow(a, b, c, rng.fork());
        all.push(Wrinkle::along(points, depth * rng.range(0.85, 1.15), width, rng.fork()));
    };
    for (k, y) in [-64.0, -56.0, -48.5, -42.0].into_iter().enumerate() {
        let (l, r) = (-38.0 + 3.0 * k as f64, 36.0 - 4.0 * (k % 2) as f64);
        add([[l, y + 3.0], [2.0, y - 5.0], [r, y + 2.0]], 0.70 - 0.08 * k as f64, 1.5);
    }
    add([[-5.5, -40.0], [-5.0, -33.0], [-6.5, -25.0]], 0.30, 1.0);
    add([[5.0, -38.0], [6.0, -32.0], [6.0, -24.0]], 0.24, 0.9);
    for side in [-1.0, 1.0] {
        let s = |x: f64, y: f64| [side * x, y];
        for (k, y) in [-25.0, -16.0, -7.0, 1.0].into_iter().enumerate() {
            let end = s(64.0 - 0.5 * k as f64, y * 1.15 - 1.0);
            add([s(50.5, -12.0 + 0.45 * (y + 12.0)), s(57.0, y - 0.5), end], 0.45, 1.1);
        }
        add([s(21.0, 1.0), s(31.0, 7.0), s(43.0, 3.5)], 0.22, 1.0);
        add([s(19.0, 5.0), s(28.0, 12.0), s(38.0, 11.0)], 0.16, 0.9);
        add([s(20.0, 29.0), s(29.0, 40.0), s(33.0, 62.0)], 1.0, 2.6);
    }
    all
}

/// Blends `colour` over the albedo with an opacity of 0 … 1.
fn cover(pixel: &mut [f32; 3], colour: [f32; 3], opacity: f64) {
    let o = opacity.clamp(0.0, 1.0) as f32;
    *pixel = [0, 1, 2].map(|k| pixel[k] + o * (colour[k] - pixel[k]));
}

fn scaled(colour: [f32; 3], factor: f32) -> [f32; 3] {
    colour.map(|v| v * factor)
}

/// Paints everything that is not bare skin.
fn paint(albedo: &mut Grid<[f32; 3]>, grid: &Lattice, seed: u64) {
    let mottle = SmoothNoise::new(seed, 210, 0.6).plane(grid);
    albedo.par_rows(|j, row| {
        for (i, pixel) in row.iter_mut().enumerate() {
            let [x, y] = grid.mm(i, j);
            let skin = *pixel;
            paint_surroundings(pixel, skin, [x, y]);
            paint_flush(pixel, [x, y]);
            paint_mouth(pixel, skin, [x, y], mottle.at(i, j));
            paint_folds(pixel, skin, [x, y]);
            eye(pixel, x, y, mottle.at(i, j));
        }
    });
    let mut rng = Rng::new(seed, 211);
    brow_hairs(albedo, grid, &mut rng);
    lashes(albedo, grid, &mut rng);
    scalp_hairs(albedo, grid, &mut rng);
}

/// Background, neck, ears and clothes outside the outline of the face, and the hair of the head.
fn paint_surroundings(pixel: &mut [f32; 3], skin: [f32; 3], [x, y]: [f64; 2]) {
    let outside = smoothstep((outline(x, y) - 1.0) * 90.0 + 0.5);
    if outside > 0.0 {
        let mut behind = [0.30, 0.33, 0.36].map(|v: f32| v * (1.0 + 0.0006 * y as f32));
        if in_neck(x, y) {
            behind = scaled(skin, 0.45 + 0.25 * smoothstep((y - 95.0) / 30.0) as f32);
        }
        if in_ear(x, y) {
            behind = scaled(skin, 0.7);
        }
        if y > 118.0 + 0.004 * (55.0 - x.abs()).max(0.0).powi(2) {
            behind = [0.05, 0.07, 0.11];
        }
        cover(pixel, behind, outside);
    }
    // The hair is thin where it begins.
    let depth = (-2..=2).filter(|k| in_hair(x, y + 2.2 * *k as f64 + 2.2)).count();
    cover(pixel, [0.022, 0.015, 0.011], 0.18 * depth as f64);
}

/// Redder cheeks and nose, darker lids.
fn paint_flush(pixel: &mut [f32; 3], [x, y]: [f64; 2]) {
    let side = x.abs();
    let flush =
        0.16 * bump(side - 38.0, y - 25.0, 20.0, 16.0) + 0.2 * bump(x, y - 28.0, 14.0, 12.0);
    let lid = 0.28 * bump(side - EYE[0], y - EYE[1], 17.0, 9.0);
    let tint = [0.1, 0.9, 0.62].map(|h: f64| (-(h * flush + (0.5 + 0.3 * h) * lid)).exp());
    *pixel = [0, 1, 2].map(|k| pixel[k] * tint[k] as f32);
}

/// Lips and the line between them.
fn paint_mouth(pixel: &mut [f32; 3], skin: [f32; 3], [x, y]: [f64; 2], mottle: f32) {
    let lips = in_lips(x, y).abs();
    let grain = 1.0 + 0.06 * mottle;
    let lip = [0.84, 0.50, 0.52].map(|f| f * grain);
    let lip = [0, 1, 2].map(|k| skin[k] * lip[k]);
    cover(pixel, lip, smoothstep((1.04 - lips) * 7.0));
    let seam = 1.0 - (y - mouth_line(x)).abs() / 1.1;
    cover(
        pixel,
        [0.05, 0.02, 0.02],
        0.9 * smoothstep(seam * 1.5) * smoothstep((25.5 - x.abs()) / 4.0),
    );
}

/// Nostrils, and the creases above the upper lids.
fn paint_folds(pixel: &mut [f32; 3], skin: [f32; 3], [x, y]: [f64; 2]) {
    let side = x.abs();
    let nostril = 1.0 - ((side - 7.6) / 4.6).hypot((y - 36.5 + 0.25 * (side - 7.6)) / 2.3);
    cover(pixel, [0.02, 0.008, 0.006], smoothstep(nostril * 3.0 + 0.3));
    let crease = 1.0 - (y - EYE[1] + 9.5 - 0.012 * (side - EYE[0]).powi(2)).abs() / 0.7;
    cover(
        pixel,
        scaled(skin, 0.5),
        0.7 * smoothstep(crease) * smoothstep((14.0 - (side - EYE[0]).abs()) / 5.0),
    );
}

fn brow_hairs(albedo: &mut Grid<[f32; 3]>, grid: &Lattice, rng: &mut Rng) {
    for _ in 0..1500 {
        let (u, side) = (rng.uniform(), if rng.uniform() < 0.5 { -1.0 } else { 1.0 });
        let spread = (4.6 - 2.9 * u) * rng.range(-1.0, 1.0);
        let angle = rng.range(-0.2, 0.2) - 1.15 + 1.35 * u + 0.12 * spread;
        let from = [side * (13.0 + 40.0 * u), brow_line(u) + spread + 1.0];
        let direction = [side * angle.cos(), angle.sin()];
        Hair { from, direction, length_mm: 6.5, width_mm: 0.35 }.paint(albedo, grid, rng);
    }
}

fn lashes(albedo: &mut Grid<[f32; 3]>, grid: &Lattice, rng: &mut Rng) {
    for _ in 0..150 {
        let (u, side) = (rng.range(-0.95, 0.95), if rng.uniform() < 0.5 { -1.0 } else { 1.0 });
        let lid = EYE[1] - 1.2 * u - 5.6 * (1.0 - u * u).powf(0.7);
        let from = [side * (EYE[0] + 15.5 * u), lid];
        let direction = [side * (0.75 * u + 0.1), -0.55];
        Hair { from, direction, length_mm: 4.2, width_mm: 0.3 }.paint(albedo, grid, rng);
    }
}

fn scalp_hairs(albedo: &mut Grid<[f32; 3]>, grid: &Lattice, rng: &mut Rng) {
    for _ in 0..16000 {
        let from = [rng.range(-83.0, 83.0), rng.range(-128.0, 0.0)];
        if in_hair(from[0], from[1]) {
            let direction =
                [from[0] / 60.0 + rng.range(-0.12, 0.12), (from[0].abs() - 50.0) / 45.0];
            Hair { from, direction, length_mm: 11.0, width_mm: 0.4 }.paint(albedo, grid, rng);
        }
    }
}

/// One eye: sclera, iris, pupil, catch light, shadow and line of the upper lid.
fn eye(pixel: &mut [f32; 3], x: f64, y: f64, mottle: f32) {
    let open = in_eye(x, y);
    let inside = smoothstep(open * 2.0 + 0.5);
    let [dx, dy] = [x.abs() - EYE[0], y - EYE[1]];
    let r = dx.hypot(dy);
    let mut colour = [0.62, 0.56, 0.53].map(|v: f32| v * (1.0 - 0.0012 * (dx * dx) as f32));
    let stripes = 0.85 + 0.3 * (dy.atan2(dx) * 23.0).sin() as f32 * mottle;
    let iris = [0.085, 0.05, 0.028].map(|v: f32| v * stripes.clamp(0.5, 1.6));
    cover(&mut colour, iris, smoothstep((IRIS - r) * 2.5 + 0.5));
    cover(&mut colour, [0.02, 0.012, 0.01], 0.8 * smoothstep(1.0 - (r - IRIS + 0.8).abs() / 0.8));
    cover(&mut colour, [0.004; 3], smoothstep((2.1 - r) * 3.0 + 0.5));
    colour = colour.map(|v| v * (0.45 + 0.55 * smoothstep((dy + 6.5) / 5.0)) as f32);
    // The reflection of the light lies on the same side in both eyes.
    cover(&mut colour, [2.2; 3], smoothstep((0.9 - (x.signum() * dx + 1.6).hypot(dy + 2.0)) * 3.0));
    cover(pixel, colour, inside);
    let upper = dy < 0.0;
    let line = 1.0 - open.abs() / if upper { 1.3 } else { 0.7 };
    cover(
        pixel,
        [0.03, 0.018, 0.014],
        if dx.abs() < 16.0 { smoothstep(line) * if upper { 0.95 } else { 0.5 } } else { 0.0 },
    );
}

/// One hair: from a point along a direction, bending a little.
struct Hair {
    from: [f64; 2],
    direction: [f64; 2],
    /// Mean length, mm.
    length_mm: f64,
    /// Width at the root, mm.
    width_mm: f64,
}

impl Hair {
    /// Paints the hair over the albedo, in a random shade, length and bend.
    fn paint(&self, albedo: &mut Grid<[f32; 3]>, grid: &Lattice, rng: &mut Rng) {
        let shade = rng.range(0.4, 1.9) as f32;
        let colour = [0.034, 0.022, 0.015].map(|v: f32| v * shade);
        let length = self.length_mm * rng.range(0.6, 1.2);
        let bend = rng.range(-0.5, 0.5) / length;
        let mut angle = self.direction[1].atan2(self.direction[0]);
        let mut at = self.from;
        let step = 0.6 / grid.per_mm;
        for i in 0..(length / step) as usize {
            let thin = 1.0 - (i as f64 * step / length).powi(2);
            let half = 0.5 * self.width_mm * thin;
            let centre = [
                at[0] * grid.per_mm + (grid.width - 1) as f64 / 2.0,
                at[1] * grid.per_mm + (grid.height - 1) as f64 / 2.0,
            ];
            let reach = (half * grid.per_mm).ceil() as i64 + 1;
            for j in -reach..=reach {
                for k in -reach..=reach {
                    let (gx, gy) = (centre[0].round() as i64 + k, centre[1].round() as i64 + j);
                    if gx < 0 || gy < 0 || gx >= grid.width as i64 || gy >= grid.height as i64 {
                        continue;
                    }
                    let r = (gx as f64 - centre[0]).hypot(gy as f64 - centre[1]) / grid.per_mm;
                    let (x, y) = (gx as usize, gy as usize);
                    let mut pixel = albedo.at(x, y);
                    cover(&mut pixel, colour, 0.6 * (half - r) * grid.per_mm + 0.3);
                    albedo.set(x, y, pixel);
                }
            }
            at = [at[0] + step * angle.cos(), at[1] + step * angle.sin()];
            angle += bend * step;
        }
    }
}
