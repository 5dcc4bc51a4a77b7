//! Differences that cameras, phones and editors make between two photos of unchanged skin: optics, exposure, processing
//! and compression ([`Nuisance::shoot`]).

use crate::filter::box_mean::box_mean;
use crate::filter::gaussian::{blur, diffuse};
use crate::filter::warp::Spline;
use crate::phantom::camera::{NOISE, jpeg, jpeg_sampled};
use crate::plane::{Grid, Mask, Plane};
use crate::rng::Rng;
use crate::srgb;
use image::RgbImage;
use image::imageops::{FilterType, resize};
use jpeg_encoder::SamplingFactor;
use std::f64::consts::TAU;

/// Weights of luma (ITU-R BT.601).
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];
/// Longest side that a chat app sends, px, and largest factor on the sides of smaller photos.
const CHAT: (u32, f64) = (1600, 0.8);
/// Margin of a scene around the photo, px on each side.
pub const MARGIN_PX: usize = 40;

/// One thing that may differ between two photos of the same skin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Nuisance {
    /// Another seed of the noise only, and the small move that all have.
    Again,
    /// A Gaussian blur, sigma in px.
    Gaussian(f64),
    /// Out of focus: a disc of this radius, px.
    Disc(f64),
    /// Motion blur along a line of this length, px.
    Motion(f64),
    /// Sharp at the left edge; the sigma of a Gaussian blur grows to this value at the right edge, px.
    DepthOfField(f64),
    /// Unsharp masking: sigma in px, amount.
    Sharpened(f64, f64),
    /// Local contrast: the residual of a Gaussian blur of 3 % of the width, times 1 + amount.
    Clarity(f64),
    /// Mixed with its own Gaussian blur: sigma in px, share of the blur.
    Smoothed(f64, f64),
    /// Bilateral filter of sigma 2 px and this sigma in value, codes.
    Bilateral(f64),
    /// Non-local means of this strength, codes (Buades 2005).
    NonLocal(f64),
    /// JPEG of this quality with 4:2:0 chroma.
    Jpeg(u8),
    /// Reduced in size, JPEG 80 with 4:2:0 chroma.
    ChatApp,
    /// Codes (0–1) to this power.
    Gamma(f64),
    /// Smoothstep mixed into the codes by this share.
    SCurve(f64),
    /// Contrast-limited adaptive histogram equalisation, 8 × 8 tiles (Zuiderveld 1994).
    LocalTones(f64),
    /// Exposure in stops, factor on the noise of the sensor.
    Exposure(f64, f64),
    /// Distance smaller by this share, camera tilted.
    Nearer(f64),
    /// Share of the light that the corners lose.
    Vignette(f64),
}

/// All nuisances of the experiment, with their names.
pub const NUISANCES: [(&str, Nuisance); 28] = [
    ("again", Nuisance::Again),
    ("blur 0.3 px", Nuisance::Gaussian(0.3)),
    ("blur 0.5 px", Nuisance::Gaussian(0.5)),
    ("blur 0.8 px", Nuisance::Gaussian(0.8)),
    ("defocus 1.2 px", Nuisance::Disc(1.2)),
    ("motion 1.5 px", Nuisance::Motion(1.5)),
    ("depth of field", Nuisance::DepthOfField(1.2)),
    ("sharpened 0.3", Nuisance::Sharpened(1.0, 0.3)),
    ("sharpened 0.6", Nuisance::Sharpened(1.0, 0.6)),
    ("sharpened 1", Nuisance::Sharpened(1.0, 1.0)),
    ("clarity +", Nuisance::Clarity(0.3)),
    ("clarity -", Nuisance::Clarity(-0.3)),
    ("smoothing", Nuisance::Smoothed(8.0, 0.4)),
    ("bilateral", Nuisance::Bilateral(6.0)),
    ("bilateral, strong", Nuisance::Bilateral(12.0)),
    ("non-local means", Nuisance::NonLocal(3.0)),
    ("non-local means, strong", Nuisance::NonLocal(6.0)),
    ("JPEG 85", Nuisance::Jpeg(85)),
    ("JPEG 75", Nuisance::Jpeg(75)),
    ("JPEG 60", Nuisance::Jpeg(60)),
    ("chat app", Nuisance::ChatApp),
    ("gamma 1.05", Nuisance::Gamma(1.05)),
    ("gamma 1.1", Nuisance::Gamma(1.1)),
    ("S-curve", Nuisance::SCurve(0.2)),
    ("local tone mapping", Nuisance::LocalTones(1.5)),
    ("-1 EV, noise x 3", Nuisance::Exposure(-1.0, 3.0)),
    ("nearer by a third", Nuisance::Nearer(1.0 / 3.0)),
    ("vignette", Nuisance::Vignette(0.4)),
];

impl Nuisance {
    /// The file of a photo of `scene` (linear light, with a margin of [`MARGIN_PX`]). The small rotation, shift and
    /// bend and the noise follow from `seed`.
    ///
    /// # Panics
    /// The scene is no larger than its margins.
    pub fn shoot(self, scene: &[Plane; 3], seed: u64) -> Vec<u8> {
        let optical = self.optics(&self.framed(scene, seed));
        let exposed = self.exposed(optical, seed);
        let coded = self.processed(exposed);
        let image = to_image(&coded);
        match self {
            Nuisance::Jpeg(quality) => jpeg_sampled(&image, quality, SamplingFactor::R_4_2_0),
            Nuisance::ChatApp => {
                let (longest, kept) = CHAT;
                let size = [image.width(), image.height()].map(f64::from);
                let factor = (f64::from(longest) / size[0].max(size[1])).min(kept);
                let [w, h] = size.map(|n| (n * factor).round() as u32);
                let smaller = resize(&image, w, h, FilterType::CatmullRom);
                jpeg_sampled(&smaller, 80, SamplingFactor::R_4_2_0)
            }
            _ => jpeg(&image, 94),
        }
    }

    /// The processing alone, on a picture.
    pub fn edit(self, picture: &RgbImage) -> RgbImage {
        let (w, h) = (picture.width() as usize, picture.height() as usize);
        let code = |k: usize| {
            Plane::from_fn(w, h, |x, y| f32::from(picture.get_pixel(x as u32, y as u32).0[k]))
        };
        to_image(&self.processed([0, 1, 2].map(code)))
    }

    /// The scene as it is framed: rotated, shifted, scaled and bent a little.
    fn framed(self, scene: &[Plane; 3], seed: u64) -> [Plane; 3] {
        let mut rng = Rng::new(seed, 300);
        let margin = MARGIN_PX as f64;
        let [w, h] = [scene[0].width(), scene[0].height()].map(|n| n - 2 * MARGIN_PX);
        let middle = [w, h].map(|n| 0.5 * (n as f64 - 1.0));
        let rotation = rng.range(-0.8f64, 0.8).to_radians();
        let shift = [rng.range(-6.0, 6.0), rng.range(-6.0, 6.0)];
        let scale = rng.range(0.99, 1.01);
        let wave = [0, 1].map(|_| {
            let k = TAU / (w.max(h) as f64 * rng.range(0.7, 1.6));
            let [along, phase] = [rng.range(0.0, TAU), rng.range(0.0, TAU)];
            ([k * along.cos(), k * along.sin()], phase, rng.range(0.5, 2.0))
        });
        let (sin, cos) = rotation.sin_cos();
        let place = |x: usize, y: usize| {
            let p = [x as f64, y as f64];
            let bent = [0, 1].map(|k| {
                let ([u, v], phase, amplitude) = wave[k];
                p[k] + amplitude * (u * p[0] + v * p[1] + phase).sin() - middle[k] - shift[k]
            });
            let zoom = scale * self.zoom(bent, middle);
            let [x, y] = [cos * bent[0] + sin * bent[1], cos * bent[1] - sin * bent[0]];
            [margin + middle[0] + x / zoom, margin + middle[1] + y / zoom]
        };
        [0, 1, 2].map(|k| {
            let spline = Spline::new(&scene[k]);
            Plane::from_fn(w, h, |x, y| {
                let [x, y] = place(x, y);
                spline.at(x, y).max(0.0)
            })
        })
    }

    /// Magnification at a position from the middle, px: nearer by a share, the left edge nearer than the right one by a
    /// tenth.
    fn zoom(self, [x, _]: [f64; 2], middle: [f64; 2]) -> f64 {
        match self {
            Nuisance::Nearer(share) => (1.0 - 0.05 * x / middle[0]) / (1.0 - share),
            _ => 1.0,
        }
    }

    /// The image on the sensor: blurred.
    pub fn optics(self, planes: &[Plane; 3]) -> [Plane; 3] {
        let each = |f: &dyn Fn(&Plane) -> Plane| [0, 1, 2].map(|k| f(&planes[k]));
        match self {
            Nuisance::Gaussian(sigma) => each(&|p| gaussian(p, sigma)),
            Nuisance::Disc(radius) => {
                each(&|p| scattered(p, 4, |x, y| f64::from(u8::from(x.hypot(y) <= radius))))
            }
            Nuisance::Motion(length) => each(&|p| {
                let (sin, cos) = 0.6f64.sin_cos();
                scattered(p, 4, |x, y| {
                    let (along, across) = (cos * x + sin * y, cos * y - sin * x);
                    f64::from(u8::from(2.0 * along.abs() <= length && across.abs() <= 0.15))
                })
            }),
            Nuisance::DepthOfField(sigma) => each(&|p| {
                const STEPS: usize = 8;
                let levels: Vec<Plane> = (0..=STEPS)
                    .map(|k| gaussian(p, sigma * (k as f64 / STEPS as f64).sqrt()))
                    .collect();
                Plane::from_fn(p.width(), p.height(), |x, y| {
                    // The sigma grows with the distance from the plane of focus.
                    let t = (x as f64 / p.width() as f64).powi(2) * STEPS as f64;
                    let (k, part) = ((t as usize).min(STEPS - 1), t.fract() as f32);
                    let [near, far] = [levels[k].at(x, y), levels[k + 1].at(x, y)];
                    near + part * (far - near)
                })
            }),
            _ => planes.clone(),
        }
    }

    /// Exposure, vignette and noise; codes of sRGB, 0–255.
    fn exposed(self, planes: [Plane; 3], seed: u64) -> [Plane; 3] {
        let (gain, noisier) = match self {
            Nuisance::Exposure(stops, noisier) => (stops.exp2(), noisier),
            _ => (1.0, 1.0),
        };
        let dark = if let Nuisance::Vignette(share) = self { share } else { 0.0 };
        let [w, h] = [planes[0].width(), planes[0].height()].map(|n| n as f64);
        [0, 1, 2].map(|k| {
            let mut coded = planes[k].clone();
            coded.par_rows(|y, row| {
                let mut rng = Rng::new(seed, 400 + 3 * y as u64 + k as u64);
                for (x, v) in row.iter_mut().enumerate() {
                    let [u, t] = [2.0 * x as f64 / w - 1.0, 2.0 * y as f64 / h - 1.0];
                    let light = f64::from(*v) * gain * (1.0 - dark * 0.5 * (u * u + t * t));
                    let sd = noisier * (f64::from(NOISE.0) * light + f64::from(NOISE.1)).sqrt();
                    let seen = (light + sd * rng.normal()).clamp(0.0, 1.0);
                    *v = (255.0 * srgb::encode(seen)) as f32;
                }
            });
            coded
        })
    }

    /// The processing of a phone or an editor, on codes.
    fn processed(self, codes: [Plane; 3]) -> [Plane; 3] {
        let curve = |f: &(dyn Fn(f32) -> f32 + Sync)| {
            [0, 1, 2].map(|k| codes[k].map(|v| 255.0 * f((v / 255.0).clamp(0.0, 1.0))))
        };
        match self {
            Nuisance::Sharpened(sigma, amount) => with_luma(&codes, |luma| {
                luma.zip(&blur(luma, sigma as f32), |v, b| v + amount as f32 * (v - b))
            }),
            Nuisance::Clarity(amount) => with_luma(&codes, |luma| {
                let sigma = 0.03 * luma.width() as f32;
                luma.zip(&blur(luma, sigma), |v, b| v + amount as f32 * (v - b))
            }),
            Nuisance::Smoothed(sigma, share) => with_luma(&codes, |luma| {
                luma.zip(&blur(luma, sigma as f32), |v, b| v + share as f32 * (b - v))
            }),
            Nuisance::Bilateral(range) => with_luma(&codes, |luma| bilateral(luma, range as f32)),
            Nuisance::NonLocal(strength) => with_luma(&codes, |l| non_local(l, strength as f32)),
            Nuisance::Gamma(power) => curve(&|v| v.powf(power as f32)),
            Nuisance::SCurve(share) => curve(&|v| v + share as f32 * (v * v * (3.0 - 2.0 * v) - v)),
            Nuisance::LocalTones(limit) => with_luma(&codes, |luma| equalised(luma, limit)),
            _ => codes,
        }
    }
}

/// Linear light of an 8-bit sRGB picture.
pub fn linear(image: &RgbImage) -> [Plane; 3] {
    let (w, h) = (image.width() as usize, image.height() as usize);
    [0, 1, 2].map(|k| {
        Plane::from_fn(w, h, |x, y| {
            srgb::decode(f64::from(image.get_pixel(x as u32, y as u32).0[k]) / 255.0) as f32
        })
    })
}

fn to_image(codes: &[Plane; 3]) -> RgbImage {
    let (w, h) = (codes[0].width(), codes[0].height());
    let pixels: Grid<[u8; 3]> = Grid::from_fn(w, h, |x, y| {
        [0, 1, 2].map(|k| codes[k].at(x, y).round().clamp(0.0, 255.0) as u8)
    });
    let image = RgbImage::from_raw(w as u32, h as u32, pixels.data().as_flattened().to_vec());
    image.expect("as many pixels")
}

/// A Gaussian of exactly `sigma` px, however narrow.
fn gaussian(plane: &Plane, sigma: f64) -> Plane {
    diffuse(plane, &Mask::filled(plane.width(), plane.height(), true), sigma * sigma)
}

/// Convolution with a point spread function of at most `reach` px, integrated over each pixel; border repeated.
fn scattered(plane: &Plane, reach: isize, spread: impl Fn(f64, f64) -> f64) -> Plane {
    const PARTS: isize = 20;
    let part = |i: isize| (i as f64 + 0.5) / PARTS as f64 - 0.5;
    let mut taps = Vec::new();
    for j in -reach..=reach {
        for i in -reach..=reach {
            let mut sum = 0.0;
            for v in 0..PARTS {
                sum +=
                    (0..PARTS).map(|u| spread(i as f64 + part(u), j as f64 + part(v))).sum::<f64>();
            }
            if sum > 0.0 {
                taps.push((i, j, sum));
            }
        }
    }
    let total: f64 = taps.iter().map(|t| t.2).sum();
    Plane::from_fn(plane.width(), plane.height(), |x, y| {
        taps.iter()
            .map(|(i, j, w)| (w / total) as f32 * plane.clamped(x as isize + i, y as isize + j))
            .sum()
    })
}

/// Codes whose luma is replaced by `change(luma)`; chroma is kept.
fn with_luma(codes: &[Plane; 3], change: impl Fn(&Plane) -> Plane) -> [Plane; 3] {
    let (w, h) = (codes[0].width(), codes[0].height());
    let luma = Plane::from_fn(w, h, |x, y| (0..3).map(|k| LUMA[k] * codes[k].at(x, y)).sum());
    let moved = change(&luma).zip(&luma, |after, before| after - before);
    [0, 1, 2].map(|k| codes[k].zip(&moved, |v, d| v + d))
}

/// Bilateral filter of sigma 2 px in space and `range` in value (Tomasi & Manduchi 1998).
fn bilateral(plane: &Plane, range: f32) -> Plane {
    const REACH: isize = 4;
    Plane::from_fn(plane.width(), plane.height(), |x, y| {
        let here = plane.at(x, y);
        let (mut sum, mut weights) = (0.0f32, 0.0f32);
        for j in -REACH..=REACH {
            for i in -REACH..=REACH {
                let v = plane.clamped(x as isize + i, y as isize + j);
                let d = (v - here) / range;
                let w = (-0.125 * (i * i + j * j) as f32 - 0.5 * d * d).exp();
                sum += w * v;
                weights += w;
            }
        }
        sum / weights
    })
}

/// Non-local means with patches of 5 × 5 px (triangular window) within ±5 px; weight exp(−mean squared difference /
/// strength²).
fn non_local(plane: &Plane, strength: f32) -> Plane {
    const REACH: isize = 5;
    let (w, h) = (plane.width(), plane.height());
    let (mut sum, mut weights) = (Plane::filled(w, h, 0.0), Plane::filled(w, h, 0.0));
    for j in -REACH..=REACH {
        for i in -REACH..=REACH {
            let there = Plane::from_fn(w, h, |x, y| plane.clamped(x as isize + i, y as isize + j));
            let difference = box_mean(&there.zip(plane, |a, b| (a - b) * (a - b)), 1);
            let weight = difference.map(|d| (-d / (strength * strength)).exp());
            sum = sum.zip(&weight.zip(&there, |w, v| w * v), |a, b| a + b);
            weights = weights.zip(&weight, |a, b| a + b);
        }
    }
    sum.zip(&weights, |s, w| s / w)
}

/// Contrast-limited adaptive histogram equalisation on 8 × 8 tiles; a bin holds at most `limit` times the mean.
fn equalised(plane: &Plane, limit: f64) -> Plane {
    const TILES: usize = 8;
    let (w, h) = (plane.width(), plane.height());
    let (tw, th) = (w.div_ceil(TILES), h.div_ceil(TILES));
    let code = |v: f32| v.round().clamp(0.0, 255.0) as usize;
    let curves: Vec<[f32; 256]> = (0..TILES * TILES)
        .map(|tile| {
            let (x0, y0) = (tile % TILES * tw, tile / TILES * th);
            let mut counts = [0.0f64; 256];
            for y in y0..(y0 + th).min(h) {
                plane.row(y)[x0.min(w)..(x0 + tw).min(w)]
                    .iter()
                    .for_each(|v| counts[code(*v)] += 1.0);
            }
            let all: f64 = counts.iter().sum::<f64>().max(1.0);
            let most = limit * all / 256.0;
            let over: f64 = counts.iter().map(|n| (n - most).max(0.0)).sum();
            let mut sum = 0.0;
            counts.map(|n| {
                sum += n.min(most) + over / 256.0;
                (255.0 * sum / all) as f32
            })
        })
        .collect();
    Plane::from_fn(w, h, |x, y| {
        let at = |v: usize, side: usize| {
            let t = ((v as f32 + 0.5) / side as f32 - 0.5).clamp(0.0, (TILES - 1) as f32);
            (t as usize, (t as usize + 1).min(TILES - 1), t.fract())
        };
        let ((i0, i1, u), (j0, j1, v)) = (at(x, tw), at(y, th));
        let c = code(plane.at(x, y));
        let value = |i: usize, j: usize| curves[j * TILES + i][c];
        let top = value(i0, j0) + u * (value(i1, j0) - value(i0, j0));
        let low = value(i0, j1) + u * (value(i1, j1) - value(i0, j1));
        top + v * (low - top)
    })
}
