//! From a patch of skin to a photo: irradiance of a height field, light transport in the skin, then the camera.
//!
//! Irradiance is the numerical sum of one directional light (with cast shadows), of a uniform sky above the horizon
//! in twelve directions, and of two interreflections between the walls of grooves. Then the light scatters inside the
//! skin, most widely in red. The pixels of a photo are sampled once from the fine grid.

use super::Rng;
use super::skin::{Skin, Treatment};
use crate::plane::{Grid, Plane};
use image::RgbImage;
use jpeg_encoder::SamplingFactor;
use serde::Serialize;
use std::f64::consts::TAU;

/// Share of the directional light in the irradiance of flat skin facing it; the sky adds the rest.
const DIRECT: f32 = 0.5;
/// Directions in which the horizon is computed.
const DIRECTIONS: usize = 12;
/// Distances at which it is sampled, samples of the grid.
const RADII: [f64; 12] = [1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 13.0, 17.0, 22.0, 29.0, 40.0];
/// Scattering length in skin, mm (Gaussian sigma): red, green, blue.
const SCATTER_MM: [f32; 3] = [0.30, 0.12, 0.08];
/// Share of the light that scatters by a quarter of that length only.
const SCATTER_NEAR: f32 = 0.5;
/// Range of the interreflections between the walls of a groove, mm (Gaussian sigma).
const BOUNCE_MM: f32 = 0.35;
/// Strength of the specular reflection, and the exponent of its lobe.
const GLOSS: (f32, f32) = (0.12, 28.0);
/// Variance of the shot noise per unit of linear signal, and of the read noise, at `noise` 1.
pub(crate) const NOISE: (f32, f32) = (3.0e-5, 8.0e-7);

/// Parameters of one photo. `Default` is a sharp photo taken perpendicularly; see [`Capture::careful`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Capture {
    /// Pixels per mm of skin at `scale` 1.
    pub px_per_mm: f64,
    /// Width in pixels.
    pub width_px: usize,
    /// Height in pixels.
    pub height_px: usize,
    /// Azimuth of the light: 0 right, 90 up in the photo, degrees.
    pub light_azimuth_deg: f64,
    /// Elevation of the light above the plane of the skin, degrees.
    pub light_elevation_deg: f64,
    /// Exposure, stops.
    pub exposure_stops: f64,
    /// Gains of the channels.
    pub white_balance: [f64; 3],
    /// Illumination gradient: relative change from the middle to the right and to the lower edge.
    pub gradient: [f64; 2],
    /// Sigma of the camera's blur, px.
    pub blur_px: f64,
    /// Factor on the sensor's noise (standard deviation).
    pub noise: f64,
    /// JPEG quality (4:4:4); PNG when absent.
    pub jpeg_quality: Option<u8>,
    /// Factor on `px_per_mm`, as from another distance.
    pub scale: f64,
    /// Clockwise rotation of the skin in the photo, degrees.
    pub rotation_deg: f64,
    /// Shift of the skin in the photo, px.
    pub shift_px: [f64; 2],
    /// Largest displacement of the smooth deformation, px: pose, expression, lens.
    pub bend_px: f64,
    /// Seed of the noise and of the deformation.
    pub seed: u64,
}

impl Default for Capture {
    fn default() -> Self {
        Capture {
            px_per_mm: 14.0,
            width_px: 900,
            height_px: 700,
            light_azimuth_deg: 118.0,
            light_elevation_deg: 52.0,
            exposure_stops: 0.0,
            white_balance: [1.0; 3],
            gradient: [0.0; 2],
            blur_px: 0.6,
            noise: 1.0,
            jpeg_quality: Some(92),
            scale: 1.0,
            rotation_deg: 0.0,
            shift_px: [0.0; 2],
            bend_px: 0.0,
            seed: 0,
        }
    }
}

impl Capture {
    /// The default photo with the differences between two careful visits: exposure ±0.3 stop, white balance ±8 %,
    /// illumination gradient ±15 %, light direction ±1.5°, additional blur up to 0.6 px, noise up to three times, JPEG
    /// 80–96, distance ±5 %, rotation ±3°, shift ±2 % of the width, deformation up to 7 px.
    pub fn careful(seed: u64) -> Capture {
        let mut rng = Rng::new(seed, 100);
        let base = Capture::default();
        Capture {
            light_azimuth_deg: base.light_azimuth_deg + rng.range(-1.5, 1.5),
            light_elevation_deg: base.light_elevation_deg + rng.range(-1.5, 1.5),
            exposure_stops: rng.range(-0.3, 0.3),
            white_balance: [rng.range(0.92, 1.08), 1.0, rng.range(0.92, 1.08)],
            gradient: [rng.range(-0.15, 0.15), rng.range(-0.15, 0.15)],
            blur_px: (base.blur_px.powi(2) + rng.range(0.0, 0.6f64).powi(2)).sqrt(),
            noise: rng.range(1.0, 3.0),
            jpeg_quality: Some(rng.range(80.0, 97.0) as u8),
            scale: rng.range(0.95, 1.05),
            rotation_deg: rng.range(-3.0, 3.0),
            shift_px: [rng.range(-18.0, 18.0), rng.range(-18.0, 18.0)],
            bend_px: rng.range(2.0, 7.0),
            seed,
            ..base
        }
    }

    /// Unit vector to the light: x right, y down, z to the camera.
    pub fn light(&self) -> [f64; 3] {
        let (azimuth, elevation) =
            (self.light_azimuth_deg.to_radians(), self.light_elevation_deg.to_radians());
        [elevation.cos() * azimuth.cos(), -elevation.cos() * azimuth.sin(), elevation.sin()]
    }

    /// The position on the skin, mm, of a pixel position. Exact.
    pub fn to_mm(&self, px: [f64; 2]) -> [f64; 2] {
        self.unbent_to_mm(Bend::new(self).apply(px))
    }

    /// The pixel position of a position on the skin, mm (to 1e-9 px).
    pub fn to_px(&self, mm: [f64; 2]) -> [f64; 2] {
        Mapper::new(self).px(mm)
    }

    fn middle_px(&self) -> [f64; 2] {
        [
            (self.width_px as f64 - 1.0) / 2.0 + self.shift_px[0],
            (self.height_px as f64 - 1.0) / 2.0 + self.shift_px[1],
        ]
    }

    fn unbent_to_mm(&self, q: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.rotation_deg.to_radians().sin_cos();
        let middle = self.middle_px();
        let [x, y] = [q[0] - middle[0], q[1] - middle[1]];
        let s = 1.0 / (self.scale * self.px_per_mm);
        [s * (cos * x + sin * y), s * (cos * y - sin * x)]
    }
}

/// Smooth deformation: pixel `p` shows what pixel `p + bend(p)` would show without it.
struct Bend {
    waves: Vec<Wave>,
}

/// Wave vector (rad/px), phase, amplitude (px).
struct Wave {
    k: [f64; 2],
    phase: f64,
    amplitude: [f64; 2],
}

impl Bend {
    fn new(capture: &Capture) -> Bend {
        let mut rng = Rng::new(capture.seed, 101);
        let side = capture.width_px.max(capture.height_px) as f64;
        let shares = [0.4, 0.3, 0.2, 0.1];
        let wave = |share: &f64| {
            let k = TAU / (side * rng.range(0.7, 1.6));
            let (along, push) = (rng.range(0.0, TAU), rng.range(0.0, TAU));
            let a = share * capture.bend_px;
            Wave {
                k: [k * along.cos(), k * along.sin()],
                phase: rng.range(0.0, TAU),
                amplitude: [a * push.cos(), a * push.sin()],
            }
        };
        let waves = if capture.bend_px == 0.0 { vec![] } else { shares.iter().map(wave).collect() };
        Bend { waves }
    }

    fn apply(&self, p: [f64; 2]) -> [f64; 2] {
        let mut q = p;
        for wave in &self.waves {
            let s = (wave.k[0] * p[0] + wave.k[1] * p[1] + wave.phase).sin();
            q[0] += wave.amplitude[0] * s;
            q[1] += wave.amplitude[1] * s;
        }
        q
    }
}

/// Map between positions on the skin and pixels, with the deformation computed once.
pub(super) struct Mapper<'a> {
    capture: &'a Capture,
    bend: Bend,
}

impl<'a> Mapper<'a> {
    pub(super) fn new(capture: &'a Capture) -> Self {
        Mapper { capture, bend: Bend::new(capture) }
    }

    /// [`Capture::to_mm`].
    pub(super) fn mm(&self, px: [f64; 2]) -> [f64; 2] {
        self.capture.unbent_to_mm(self.bend.apply(px))
    }

    /// [`Capture::to_px`], by fixed-point iteration: it converges because the gradient of the deformation is far
    /// below 1.
    pub(super) fn px(&self, mm: [f64; 2]) -> [f64; 2] {
        let c = self.capture;
        let (sin, cos) = c.rotation_deg.to_radians().sin_cos();
        let (s, middle) = (c.scale * c.px_per_mm, c.middle_px());
        let q = [
            s * (cos * mm[0] - sin * mm[1]) + middle[0],
            s * (sin * mm[0] + cos * mm[1]) + middle[1],
        ];
        let mut p = q;
        for _ in 0..40 {
            let bent = self.bend.apply(p);
            let step = [q[0] - bent[0], q[1] - bent[1]];
            p = [p[0] + step[0], p[1] + step[1]];
            if step[0].abs().max(step[1].abs()) < 1e-10 {
                break;
            }
        }
        p
    }

    /// Whether a pixel position lies on the photo.
    pub(super) fn shows(&self, p: [f64; 2]) -> bool {
        let inside = |v: f64, n: usize| v >= 0.0 && v <= (n - 1) as f64;
        inside(p[0], self.capture.width_px) && inside(p[1], self.capture.height_px)
    }
}

/// One photo with its truth.
#[derive(Debug, Clone)]
pub struct Shot {
    /// The 8-bit sRGB image before compression.
    pub image: RgbImage,
    /// The capture, with the exact map between skin and pixels.
    pub capture: Capture,
}

impl Shot {
    /// The bytes of the file: JPEG (4:4:4) or PNG.
    pub fn encode(&self) -> Vec<u8> {
        match self.capture.jpeg_quality {
            Some(quality) => jpeg(&self.image, quality),
            None => {
                let mut bytes = std::io::Cursor::new(Vec::new());
                let written = self.image.write_to(&mut bytes, image::ImageFormat::Png);
                written.expect("encoding RGB8 into memory cannot fail");
                bytes.into_inner()
            }
        }
    }
}

/// A JPEG without chroma subsampling. Not by the encoder of `image`: it rounds every coefficient towards zero first,
/// which costs some 1.5 % of the skin's contrast, depending on the quality.
pub fn jpeg(image: &RgbImage, quality: u8) -> Vec<u8> {
    jpeg_sampled(image, quality, SamplingFactor::R_4_4_4)
}

/// A JPEG with this chroma subsampling.
pub fn jpeg_sampled(image: &RgbImage, quality: u8, sampling: SamplingFactor) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, quality);
    encoder.set_sampling_factor(sampling);
    let side = |n: u32| u16::try_from(n).expect("a photo of at most 65535 px");
    let (w, h) = (side(image.width()), side(image.height()));
    let written = encoder.encode(image.as_raw(), w, h, jpeg_encoder::ColorType::Rgb);
    written.expect("encoding RGB8 into memory cannot fail");
    bytes
}

/// What is photographed: a height field with albedo on a fine grid, and its irradiance by the sky.
#[derive(Debug, Clone)]
pub struct Scene {
    per_mm: f64,
    height: Plane,
    albedo: Grid<[f32; 3]>,
    sky: Plane,
}

impl Scene {
    /// A flat patch of skin after a treatment.
    pub fn of_skin(skin: &Skin, treatment: &Treatment) -> Scene {
        Scene::new(skin.grid.per_mm, skin.height(treatment), skin.albedo(treatment))
    }

    /// A scene of heights in mm and linear albedo, `per_mm` samples per mm.
    pub fn new(per_mm: f64, height: Plane, albedo: Grid<[f32; 3]>) -> Scene {
        // Occlusion by near heights is computed on the fine grid; that by far ones (a nose, a brow) on a coarse grid,
        // divided by the near occlusion of that grid.
        let mut sky = sky(&height, per_mm as f32, &RADII);
        let k = 12;
        let coarse = shrunk(&height, k);
        let [all, near] = [&RADII[..], &RADII[..3]]
            .map(|radii| self::sky(&coarse, per_mm as f32 / k as f32, radii));
        let far = Plane::from_fn(coarse.width(), coarse.height(), |x, y| {
            (all.at(x, y) / near.at(x, y).max(0.05)).min(1.0)
        });
        let far = enlarged(&far, k, &height);
        sky.par_rows(|y, row| row.iter_mut().zip(far.row(y)).for_each(|(v, f)| *v *= f));
        Scene { per_mm, height, albedo, sky }
    }

    /// Takes a photo.
    pub fn shoot(&self, capture: &Capture) -> Shot {
        let radiance = self.radiance(capture.light());
        Shot { image: develop(&self.expose(&radiance, capture), capture), capture: capture.clone() }
    }

    /// Radiance towards the camera, linear RGB; a flat white surface in full light has 1.
    fn radiance(&self, light: [f64; 3]) -> Grid<[f32; 3]> {
        let (w, h, per_mm) = (self.height.width(), self.height.height(), self.per_mm as f32);
        let l = light.map(|v| v as f32);
        let shadow = self.shadow(l);
        let half = {
            let z = l[2] + 1.0;
            let n = (l[0] * l[0] + l[1] * l[1] + z * z).sqrt();
            [l[0] / n, l[1] / n, z / n]
        };
        let fresnel = GLOSS.0 * (0.6 + 0.4 * (1.0 - l[2]));
        // Diffuse irradiance and specular reflection.
        let lit: Grid<[f32; 2]> = Grid::from_fn(w, h, |x, y| {
            let n = normal(&self.height, x, y, per_mm);
            let direct = (n[0] * l[0] + n[1] * l[1] + n[2] * l[2]).max(0.0) * shadow.at(x, y);
            let nh = (n[0] * half[0] + n[1] * half[1] + n[2] * half[2]).max(0.0);
            let sky = self.sky.at(x, y);
            let diffuse = DIRECT * direct + (1.0 - DIRECT) * sky;
            let gloss = DIRECT * shadow.at(x, y) * nh.powf(GLOSS.1) + 0.25 * (1.0 - DIRECT) * sky;
            [diffuse, fresnel * gloss]
        });
        let diffuse = lit.map(|v| v[0]);
        let walls = |x: usize, y: usize| 1.0 - self.sky.at(x, y).min(1.0);
        let once = blurred(&diffuse, BOUNCE_MM * per_mm);
        let twice = Plane::from_fn(w, h, |x, y| walls(x, y) * once.at(x, y));
        let twice = blurred(&twice, BOUNCE_MM * per_mm);
        let channels = [0, 1, 2].map(|c| {
            // Half of the absorption where light enters, half where it leaves.
            let entering = Plane::from_fn(w, h, |x, y| {
                let rho = self.albedo.at(x, y)[c];
                let bounced = rho * once.at(x, y) + rho * rho * twice.at(x, y);
                rho.sqrt() * (diffuse.at(x, y) + walls(x, y) * bounced)
            });
            let wide = blurred(&entering, SCATTER_MM[c] * per_mm);
            let near = blurred(&entering, 0.25 * SCATTER_MM[c] * per_mm);
            Plane::from_fn(w, h, |x, y| {
                let mixed = SCATTER_NEAR * near.at(x, y) + (1.0 - SCATTER_NEAR) * wide.at(x, y);
                mixed * self.albedo.at(x, y)[c].sqrt() + lit.at(x, y)[1]
            })
        });
        Grid::from_fn(w, h, |x, y| [0, 1, 2].map(|c| channels[c].at(x, y)))
    }

    /// Share of the directional light that reaches each sample.
    fn shadow(&self, l: [f32; 3]) -> Plane {
        let flat = (l[0] * l[0] + l[1] * l[1]).sqrt().max(1e-6);
        let tangent = l[2] / flat;
        let horizon = horizon(
            &self.height,
            [(l[0] / flat) as f64, (l[1] / flat) as f64],
            self.per_mm as f32,
            &RADII,
        );
        // The light is not a point: the edge of the shadow is a few degrees wide.
        horizon.map(|t| (0.5 + (tangent - t) / (0.3 * tangent + 0.1)).clamp(0.0, 1.0))
    }

    /// Samples the radiance for each pixel, with illumination gradient, exposure and white balance of the photo.
    fn expose(&self, radiance: &Grid<[f32; 3]>, c: &Capture) -> [Plane; 3] {
        let mapper = Mapper::new(c);
        let (w, h) = (radiance.width(), radiance.height());
        let middle = [(w as f64 - 1.0) / 2.0, (h as f64 - 1.0) / 2.0];
        let gain = c.white_balance.map(|g| (g * c.exposure_stops.exp2()) as f32);
        let n = 3;
        let pixels = Grid::from_fn(c.width_px, c.height_px, |x, y| {
            let at = |dx: f64, dy: f64| {
                let mm = mapper.mm([x as f64 + dx, y as f64 + dy]);
                [0, 1].map(|k| mm[k] * self.per_mm + middle[k])
            };
            // Within one pixel the map is linear.
            let o = at(0.0, 0.0);
            let (ex, ey) = (at(1.0, 0.0), at(0.0, 1.0));
            let mut sum = [0.0f32; 3];
            for j in 0..n {
                for i in 0..n {
                    let u = (i as f64 + 0.5) / n as f64 - 0.5;
                    let v = (j as f64 + 0.5) / n as f64 - 0.5;
                    let s = [0, 1].map(|k| o[k] + u * (ex[k] - o[k]) + v * (ey[k] - o[k]));
                    let sample = bilinear(radiance, s);
                    sum = [0, 1, 2].map(|k| sum[k] + sample[k]);
                }
            }
            let [gx, gy] = [
                2.0 * x as f64 / c.width_px as f64 - 1.0,
                2.0 * y as f64 / c.height_px as f64 - 1.0,
            ];
            let light = (1.0 + c.gradient[0] * gx + c.gradient[1] * gy).max(0.05) as f32;
            [0, 1, 2].map(|k| sum[k] * gain[k] * light / (n * n) as f32)
        });
        [0, 1, 2].map(|k| blurred(&pixels.map(|p| p[k]), c.blur_px as f32))
    }
}

/// Noise, sRGB encoding, 8 bit.
fn develop(linear: &[Plane; 3], c: &Capture) -> RgbImage {
    let (w, h) = (c.width_px, c.height_px);
    let pixels = Grid::from_fn(w, h, |x, y| {
        let mut rng = Rng::at(c.seed ^ 0x0a01_5e00, x as i64, y as i64);
        [0, 1, 2].map(|k| {
            let signal = linear[k].at(x, y).max(0.0);
            let sigma = c.noise as f32 * (NOISE.0 * signal + NOISE.1).sqrt();
            let v = (signal + sigma * rng.normal() as f32).clamp(0.0, 1.0);
            let encoded =
                if v <= 0.003_130_8 { 12.92 * v } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
            (encoded * 255.0).round() as u8
        })
    });
    let mut image = RgbImage::new(w as u32, h as u32);
    for (to, from) in image.pixels_mut().zip(pixels.data()) {
        to.0 = *from;
    }
    image
}

/// Surface normal by central differences.
fn normal(height: &Plane, x: usize, y: usize, per_mm: f32) -> [f32; 3] {
    let (x, y) = (x as isize, y as isize);
    let gx = (height.clamped(x + 1, y) - height.clamped(x - 1, y)) * 0.5 * per_mm;
    let gy = (height.clamped(x, y + 1) - height.clamped(x, y - 1)) * 0.5 * per_mm;
    let n = 1.0 / (1.0 + gx * gx + gy * gy).sqrt();
    [-gx * n, -gy * n, n]
}

/// Tangent of the elevation of the horizon in one direction, at least 0. Rows are clamped at the border; columns
/// beyond it do not count.
fn horizon(height: &Plane, direction: [f64; 2], per_mm: f32, radii: &[f64]) -> Plane {
    let (w, h) = (height.width() as isize, height.height() as isize);
    let mut tangent = Plane::filled(height.width(), height.height(), 0.0);
    let offsets = radii.iter().map(|r| {
        let [dx, dy] = direction.map(|d| (d * r).round());
        (dx as isize, dy as isize, per_mm / (dx.hypot(dy).max(1.0)) as f32)
    });
    // On a small plane the farthest samples lie outside of every column.
    let offsets: Vec<_> = offsets.filter(|(dx, ..)| dx.abs() < w).collect();
    tangent.par_rows(|y, row| {
        let here = height.row(y);
        for &(dx, dy, per) in &offsets {
            let there = height.row((y as isize + dy).clamp(0, h - 1) as usize);
            let first = (-dx).clamp(0, w);
            let last = (w - dx).clamp(first, w);
            let (a, b) = (first as usize, last as usize);
            let far = &there[(first + dx) as usize..(last + dx) as usize];
            for ((t, z), s) in row[a..b].iter_mut().zip(&here[a..b]).zip(far) {
                *t = t.max((s - z) * per);
            }
        }
    });
    tangent
}

/// Irradiance by a uniform sky, 1 on a flat surface without occlusion: the cosine-weighted integral over the sky
/// above the horizon, direction by direction.
fn sky(height: &Plane, per_mm: f32, radii: &[f64]) -> Plane {
    let mut sum = Plane::filled(height.width(), height.height(), 0.0);
    for d in 0..DIRECTIONS {
        let angle = TAU * (d as f64 + 0.25) / DIRECTIONS as f64;
        let (sin, cos) = angle.sin_cos();
        let tangent = horizon(height, [cos, sin], per_mm, radii);
        sum.par_rows(|y, row| {
            for (x, v) in row.iter_mut().enumerate() {
                let n = normal(height, x, y, per_mm);
                let t = tangent.at(x, y);
                let along = n[0] * cos as f32 + n[1] * sin as f32;
                let share = 1.0 / (1.0 + t * t);
                let tilted = (std::f32::consts::FRAC_PI_2 - arctan(t) - t * share) / 2.0;
                *v += (along * tilted + n[2] * share / 2.0).max(0.0);
            }
        });
    }
    sum.map(|v| v * 2.0 / DIRECTIONS as f32)
}

/// arctan of t ≥ 0 to 2e-4 rad (Abramowitz & Stegun 4.4.49, short form).
fn arctan(t: f32) -> f32 {
    let u = if t > 1.0 { 1.0 / t } else { t };
    let q = u * u;
    let a =
        u * (0.999_866 + q * (-0.330_299_5 + q * (0.180_141 + q * (-0.085_133 + q * 0.020_835_1))));
    if t > 1.0 { std::f32::consts::FRAC_PI_2 - a } else { a }
}

/// Value between four samples, clamped at the border.
fn bilinear(grid: &Grid<[f32; 3]>, at: [f64; 2]) -> [f32; 3] {
    let x = at[0].clamp(0.0, (grid.width() - 1) as f64);
    let y = at[1].clamp(0.0, (grid.height() - 1) as f64);
    let (x0, y0) = (x as usize, y as usize);
    let (x1, y1) = ((x0 + 1).min(grid.width() - 1), (y0 + 1).min(grid.height() - 1));
    let (u, v) = ((x - x0 as f64) as f32, (y - y0 as f64) as f32);
    let [a, b, c, d] = [grid.at(x0, y0), grid.at(x1, y0), grid.at(x0, y1), grid.at(x1, y1)];
    [0, 1, 2].map(|k| {
        let (top, low) = (a[k] + u * (b[k] - a[k]), c[k] + u * (d[k] - c[k]));
        top + v * (low - top)
    })
}

/// Gaussian blur (truncated at 3 sigma), border clamped; wide ones on a shrunk copy.
fn blurred(plane: &Plane, sigma: f32) -> Plane {
    if sigma < 0.2 {
        return plane.clone();
    }
    let k = (sigma / 2.5) as usize;
    if k > 1 {
        let small = shrunk(plane, k);
        return enlarged(&blurred(&small, sigma / k as f32), k, plane);
    }
    let radius = (3.0 * sigma).ceil() as isize;
    let taps: Vec<f32> =
        (-radius..=radius).map(|i| (-0.5 * (i as f32 / sigma).powi(2)).exp()).collect();
    let total: f32 = taps.iter().sum();
    let (w, h) = (plane.width(), plane.height());
    let mut down = Plane::filled(w, h, 0.0);
    down.par_rows(|y, row| {
        for (i, tap) in taps.iter().enumerate() {
            let from = (y as isize + i as isize - radius).clamp(0, h as isize - 1) as usize;
            for (v, s) in row.iter_mut().zip(plane.row(from)) {
                *v += tap / total * s;
            }
        }
    });
    let mut across = Plane::filled(w, h, 0.0);
    across.par_rows(|y, row| {
        let line: Vec<f32> =
            (-radius..w as isize + radius).map(|x| down.clamped(x, y as isize)).collect();
        for (i, tap) in taps.iter().enumerate() {
            for (v, s) in row.iter_mut().zip(&line[i..]) {
                *v += tap / total * s;
            }
        }
    });
    across
}

/// Means of blocks of k × k samples.
fn shrunk(plane: &Plane, k: usize) -> Plane {
    let (w, h) = (plane.width().div_ceil(k), plane.height().div_ceil(k));
    Plane::from_fn(w, h, |x, y| {
        let rows = y * k..((y + 1) * k).min(plane.height());
        let columns = x * k..((x + 1) * k).min(plane.width());
        let count = (rows.len() * columns.len()) as f32;
        rows.map(|r| plane.row(r)[columns.clone()].iter().sum::<f32>()).sum::<f32>() / count
    })
}

/// The inverse of [`shrunk`], bilinear, at the size of `like`.
fn enlarged(small: &Plane, k: usize, like: &Plane) -> Plane {
    let at = |i: usize, n: usize| {
        let c = ((i as f32 + 0.5) / k as f32 - 0.5).clamp(0.0, (n - 1) as f32);
        (c as usize, (c as usize + 1).min(n - 1), c.fract())
    };
    let mut plane = Plane::filled(like.width(), like.height(), 0.0);
    plane.par_rows(|y, row| {
        let (y0, y1, v) = at(y, small.height());
        let (top, low) = (small.row(y0), small.row(y1));
        for (x, out) in row.iter_mut().enumerate() {
            let (x0, x1, u) = at(x, small.width());
            let (a, b) = (top[x0] + u * (top[x1] - top[x0]), low[x0] + u * (low[x1] - low[x0]));
            *out = a + v * (b - a);
        }
    });
    plane
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::{SkinSpec, render_closeup, skin::Wrinkle};

    fn small() -> Capture {
        Capture { width_px: 240, height_px: 180, px_per_mm: 10.0, ..Capture::default() }
    }

    fn patch() -> SkinSpec {
        SkinSpec { size_mm: [28.0, 22.0], samples_per_mm: 20.0, ..SkinSpec::default() }
    }

    fn linear(shot: &Shot) -> f64 {
        let decode = |v: u8| {
            let v = v as f64 / 255.0;
            if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        let sum: f64 = shot.image.as_raw().iter().map(|v| decode(*v)).sum();
        sum / shot.image.as_raw().len() as f64
    }

    #[test]
    fn positions_map_to_the_skin_and_back() {
        for seed in 0..20 {
            let capture = Capture { bend_px: 7.0, ..Capture::careful(seed) };
            for p in [[0.0, 0.0], [899.0, 0.0], [450.3, 320.7], [0.0, 699.0]] {
                let back = capture.to_px(capture.to_mm(p));
                assert!((back[0] - p[0]).hypot(back[1] - p[1]) < 1e-8, "{seed}: {p:?} {back:?}");
            }
        }
    }

    #[test]
    fn a_dot_lies_where_the_map_predicts() {
        let (n, per_mm) = (560, 20.0);
        let dots = [[-6.0, -4.0], [0.0, 0.0], [7.0, 3.0], [-5.0, 5.0]];
        let albedo = Grid::from_fn(n, 440, |x, y| {
            let mm = [(x as f64 - 279.5) / per_mm, (y as f64 - 219.5) / per_mm];
            let near = |d: &[f64; 2]| (mm[0] - d[0]).hypot(mm[1] - d[1]);
            let r = dots.iter().map(near).fold(f64::MAX, f64::min);
            [0.5 - 0.4 * (-(r / 0.4).powi(2)).exp() as f32; 3]
        });
        let scene = Scene::new(per_mm, Plane::filled(n, 440, 0.0), albedo);
        let capture = Capture {
            width_px: 240,
            height_px: 180,
            px_per_mm: 10.0,
            noise: 0.0,
            gradient: [0.0; 2],
            bend_px: 5.0,
            ..Capture::careful(9)
        };
        let shot = scene.shoot(&capture);
        let brightest = shot.image.pixels().map(|p| p.0[1]).max().unwrap() as f64;
        for dot in dots {
            let p = capture.to_px(dot);
            let (mut sum, mut at) = (0.0, [0.0; 2]);
            for y in p[1] as u32 - 12..p[1] as u32 + 14 {
                for x in p[0] as u32 - 12..p[0] as u32 + 14 {
                    let dark = (brightest - shot.image.get_pixel(x, y).0[1] as f64 - 2.0).max(0.0);
                    sum += dark;
                    at = [at[0] + dark * x as f64, at[1] + dark * y as f64];
                }
            }
            let off = (at[0] / sum - p[0]).hypot(at[1] / sum - p[1]);
            assert!(off < 0.05, "dot {dot:?} is {off} px off");
        }
    }

    #[test]
    fn threads_do_not_change_the_file() {
        let bytes = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let capture = Capture { seed: 4, ..small() };
            pool.install(|| render_closeup(&patch(), &Treatment::default(), &capture).encode())
        };
        let one = bytes(1);
        assert_eq!(one, bytes(2));
        assert_eq!(one[..2], [0xff, 0xd8]);
    }

    #[test]
    fn a_patch_of_a_few_mm_can_be_rendered() {
        let spec = SkinSpec { size_mm: [6.0, 5.0], ..patch() };
        let capture = Capture { width_px: 40, height_px: 30, ..small() };
        let image = render_closeup(&spec, &Treatment::default(), &capture).image;
        assert_eq!(image.dimensions(), (40, 30));
        assert!(image.pixels().any(|p| p != image.get_pixel(0, 0)), "skin has a texture");
    }

    #[test]
    fn half_the_exposure_is_half_the_light() {
        let scene = Scene::of_skin(&Skin::new(&patch()), &Treatment::default());
        let full = linear(&scene.shoot(&small()));
        let half = linear(&scene.shoot(&Capture { exposure_stops: -1.0, ..small() }));
        assert!((half / full - 0.5).abs() < 0.002, "{half} of {full}");
    }

    #[test]
    fn the_sky_on_the_bottom_of_a_trench_is_that_between_its_walls() {
        // Infinite trench, half-width a, depth d: a / sqrt(a² + d²) of the sky's irradiance.
        for (a, d) in [(12.0f32, 12.0f32), (12.0, 6.0), (27.0, 20.0)] {
            let trench =
                Plane::from_fn(
                    160,
                    120,
                    |x, _| {
                        if (x as f32 - 80.0).abs() < a { -d / 10.0 } else { 0.0 }
                    },
                );
            let found = sky(&trench, 10.0, &RADII).at(80, 60);
            let expected = a / a.hypot(d);
            assert!((found / expected - 1.0).abs() < 0.08, "{a} {d}: {found} not {expected}");
            assert!((sky(&trench, 10.0, &RADII).at(2, 60) - 1.0).abs() < 1e-3);
        }
    }

    #[test]
    fn a_deeper_wrinkle_is_darker() {
        let mut skin = Skin::new(&SkinSpec { fine_relief: 0.0, pore_density: 1.0, ..patch() });
        let line = (0..=160).map(|i| [0.1 * i as f64 - 8.0, 0.0]).collect();
        skin.wrinkles = vec![Wrinkle::along(line, 0.8, 0.9, Rng::new(1, 0))];
        let capture = Capture { light_elevation_deg: 90.0, noise: 0.0, ..small() };
        let green = |wrinkle_depth| {
            let treatment = Treatment { wrinkle_depth, ..Treatment::default() };
            let shot = Scene::of_skin(&skin, &treatment).shoot(&capture);
            shot.image.get_pixel(120, 90).0[1]
        };
        let (none, half, full) = (green(0.0), green(0.5), green(1.0));
        assert!(none > half + 1 && half > full + 3, "{none} {half} {full}");
    }
}
