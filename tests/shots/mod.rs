//! Photos for the tests: real faces taken again, with everything known that differs.

use crate::data::data;
use skindelta::analyze::{Request, analyze_series};
use skindelta::filter::gaussian::blur;
use skindelta::phantom::{Capture, Scene, Skin, SkinSpec, Treatment};
use skindelta::photo::Photo;
use skindelta::plane::Grid;
use skindelta::region::RegionRequest;
use skindelta::report::Report;
use skindelta::series::{ScaleSource, Series, Visit};
use skindelta::settings::Settings;
use skindelta::srgb;
use std::path::Path;

/// Uniform numbers from a seed.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Dice {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678_9ABC_DEF1);
        (0..8).for_each(|_| _ = dice.roll());
        dice
    }
    pub fn roll(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
    /// Between −a and a.
    pub fn about(&mut self, a: f64) -> f64 {
        a * (2.0 * self.roll() - 1.0)
    }
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.roll()
    }
}

/// How far two visits differ.
#[derive(Debug, Clone, Copy)]
pub struct Level {
    pub name: &'static str,
    pub turn_deg: f64,
    /// Largest factor of distance, and its inverse.
    pub scale: f64,
    /// Largest displacement of the bend, px.
    pub bend_px: f64,
    /// Largest movement of the lamp, degrees; drawn skin only.
    pub light_deg: f64,
    pub stops: f64,
    /// Uneven light from the middle to an edge.
    pub shading: f64,
    pub blur_px: f64,
    pub jpeg: [f64; 2],
}

pub const CAREFUL: Level = Level {
    name: "careful",
    turn_deg: 3.0,
    scale: 1.05,
    bend_px: 7.0,
    light_deg: 1.5,
    stops: 0.3,
    shading: 0.15,
    blur_px: 0.5,
    jpeg: [88.0, 96.0],
};

/// A photo whose part is photographed.
pub struct Source {
    pub name: &'static str,
    pub whole: Photo,
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
    pub mm_per_px: f64,
    /// Column between its halves; of a face, that of its nose.
    pub midline: usize,
    /// Factor of its light that leaves a brighter photo room.
    pub exposure: f32,
}

impl Source {
    /// Linear light at a position of the part, the border repeated.
    fn pixel(&self, x: isize, y: isize) -> [f32; 3] {
        let at =
            |v: isize, low: usize, n: usize| (v + low as isize).clamp(0, n as isize - 1) as usize;
        let (w, h) = (self.whole.width(), self.whole.height());
        self.whole
            .linear
            .at(at(x, self.left, w), at(y, self.top, h))
            .map(|v| self.exposure * f32::from(v) / 65535.0)
    }

    /// The part as it is, linear light.
    pub fn linear(&self) -> Grid<[f32; 3]> {
        Grid::from_fn(self.width, self.height, |x, y| self.pixel(x as isize, y as isize))
    }
}

/// Two real faces, where the data are there.
pub fn sources() -> Vec<Source> {
    let Some(folder) = data("faces/unsplash") else { return Vec::new() };
    let open = |file: &str| open(&folder.join(file));
    vec![
        Source {
            name: "man",
            whole: open("04_man_wrinkles_3456x5184.jpg"),
            left: 700,
            top: 1000,
            width: 2100,
            height: 3000,
            mm_per_px: 0.088,
            midline: 1030,
            exposure: 1.0,
        },
        Source {
            name: "woman",
            whole: open("02_woman_3974x5000.jpg"),
            left: 1250,
            top: 1000,
            width: 1900,
            height: 2500,
            mm_per_px: 0.096,
            midline: 735,
            exposure: 0.65,
        },
    ]
}

/// Follow-up pixel `q` shows the baseline's `middle + R(q + bend(q) − middle − shift) / scale`.
#[derive(Debug, Clone)]
pub struct Warp {
    pub middle: [f64; 2],
    pub shift: [f64; 2],
    pub turn: f64,
    pub scale: f64,
    /// Wave vector, phase, amplitude.
    pub waves: Vec<([f64; 2], f64, [f64; 2])>,
}

impl Warp {
    fn new(level: &Level, dice: &mut Dice, width: usize, height: usize) -> Warp {
        let side = width.max(height) as f64;
        let amplitude = dice.between(0.3, 1.0) * level.bend_px;
        let waves = [0.4, 0.3, 0.2, 0.1].map(|share| {
            let k = std::f64::consts::TAU / (side * dice.between(0.7, 1.6));
            let [along, push] = [0, 1].map(|_| dice.between(0.0, std::f64::consts::TAU));
            let a = share * amplitude;
            let phase = dice.between(0.0, std::f64::consts::TAU);
            ([k * along.cos(), k * along.sin()], phase, [a * push.cos(), a * push.sin()])
        });
        Warp {
            middle: [width as f64 / 2.0, height as f64 / 2.0],
            shift: [dice.about(0.02 * side), dice.about(0.02 * side)],
            turn: dice.about(level.turn_deg).to_radians(),
            scale: (level.scale.ln() * dice.about(1.0)).exp(),
            waves: waves.to_vec(),
        }
    }

    fn bent(&self, q: [f64; 2]) -> [f64; 2] {
        self.waves.iter().fold(q, |p, (k, phase, a)| {
            let s = (k[0] * q[0] + k[1] * q[1] + phase).sin();
            [p[0] + a[0] * s, p[1] + a[1] * s]
        })
    }

    fn baseline(&self, q: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.turn.sin_cos();
        let b = self.bent(q);
        let [x, y] = [0, 1].map(|k| (b[k] - self.middle[k] - self.shift[k]) / self.scale);
        [self.middle[0] + cos * x + sin * y, self.middle[1] + cos * y - sin * x]
    }

    pub fn follow_up(&self, p: [f64; 2]) -> [f64; 2] {
        let (sin, cos) = self.turn.sin_cos();
        let [x, y] = [0, 1].map(|k| self.scale * (p[k] - self.middle[k]));
        let target = [
            cos * x - sin * y + self.middle[0] + self.shift[0],
            sin * x + cos * y + self.middle[1] + self.shift[1],
        ];
        let mut q = target;
        for _ in 0..60 {
            let b = self.bent(q);
            q = [q[0] + target[0] - b[0], q[1] + target[1] - b[1]];
        }
        q
    }
}

/// How a photo is taken of what another shows.
#[derive(Debug, Clone)]
pub struct Retake {
    pub warp: Warp,
    /// Gaussian sigma, px.
    pub blur_px: f64,
    /// Factor on the light.
    pub gain: f64,
    /// Gains of the channels.
    pub balance: [f64; 3],
    /// Relative change of the light from the middle to the right and to the lower edge.
    pub gradient: [f64; 2],
    /// Factor on the sensor's noise (standard deviation).
    pub noise: f64,
    /// Quality of the JPEG, 4:4:4.
    pub quality: u8,
    /// Seed of the noise.
    pub seed: u64,
}

impl Retake {
    /// Everything changed as `level` allows.
    pub fn new(level: &Level, seed: u64, width: usize, height: usize) -> Retake {
        let mut dice = Dice::new(seed);
        Retake {
            warp: Warp::new(level, &mut dice, width, height),
            blur_px: level.blur_px * dice.roll(),
            gain: dice.about(level.stops).exp2(),
            balance: [1.0 + dice.about(0.08), 1.0, 1.0 + dice.about(0.08)],
            gradient: [dice.about(level.shading), dice.about(level.shading)],
            noise: dice.between(1.0, 3.0),
            quality: dice.between(level.jpeg[0], level.jpeg[1]) as u8,
            seed,
        }
    }

    /// The bytes of the photo.
    pub fn shoot(&self, source: &Source) -> Vec<u8> {
        // Windowed sinc over eight pixels.
        let weights = |t: f64| -> (isize, [f32; 8]) {
            let first = t.floor() as isize - 3;
            let mut k = [0, 1, 2, 3, 4, 5, 6, 7].map(|i| {
                let d = std::f64::consts::PI * (t - (first + i) as f64);
                if d.abs() < 1e-9 { 1.0 } else { 4.0 * d.sin() * (d / 4.0).sin() / (d * d) }
            });
            let sum: f64 = k.iter().sum();
            k.iter_mut().for_each(|v| *v /= sum);
            (first, k.map(|v| v as f32))
        };
        let (w, h) = (source.width, source.height);
        let bent = Grid::from_fn(w, h, |x, y| {
            let p = self.warp.baseline([x as f64, y as f64]);
            let ((x0, wx), (y0, wy)) = (weights(p[0]), weights(p[1]));
            let mut sum = [0.0f32; 3];
            for (j, v) in wy.iter().enumerate() {
                for (i, u) in wx.iter().enumerate() {
                    let c = source.pixel(x0 + i as isize, y0 + j as isize);
                    for k in 0..3 {
                        sum[k] += u * v * c[k];
                    }
                }
            }
            sum
        });
        let planes = [0, 1, 2].map(|k| blur(&bent.map(|v| v[k]), self.blur_px as f32));
        let shot = Grid::from_fn(w, h, |x, y| {
            let [u, v] = [2.0 * x as f64 / w as f64 - 1.0, 2.0 * y as f64 / h as f64 - 1.0];
            let light = self.gain * (1.0 + self.gradient[0] * u + self.gradient[1] * v);
            let mut own = Dice::new(self.seed ^ ((y * w + x) as u64) << 20);
            [0, 1, 2].map(|k| {
                let value = f64::from(planes[k].at(x, y)).max(0.0) * light * self.balance[k];
                let normal = (0..6).map(|_| own.about(1.0)).sum::<f64>() / 2f64.sqrt();
                (value + self.noise * (8e-7 + 3e-5 * value).sqrt() * normal) as f32
            })
        });
        jpeg(&shot, self.quality)
    }
}

/// Linear light to a JPEG without chroma subsampling.
pub fn jpeg(linear: &Grid<[f32; 3]>, quality: u8) -> Vec<u8> {
    skindelta::phantom::camera::jpeg(&rgb8(linear), quality)
}

/// Linear light in codes of sRGB.
pub fn rgb8(linear: &Grid<[f32; 3]>) -> image::RgbImage {
    let coded = linear
        .map(|v| v.map(|v| (255.0 * srgb::encode(f64::from(v).clamp(0.0, 1.0))).round() as u8));
    let (w, h) = (linear.width() as u32, linear.height() as u32);
    let image = image::RgbImage::from_raw(w, h, coded.data().as_flattened().to_vec());
    image.expect("as many pixels")
}

pub fn photo(name: &str, bytes: &[u8]) -> Photo {
    Photo::from_bytes(name.as_ref(), bytes, &Settings::default().photo).expect("a good file")
}

pub fn open(path: &Path) -> Photo {
    Photo::open(path, &Settings::default().photo).expect("a good photo")
}

pub fn series<'a>(photos: impl IntoIterator<Item = &'a Photo>) -> Series {
    let visit = |photo: &Photo| Visit { label: String::new(), date: None, photo: photo.clone() };
    Series { visits: photos.into_iter().map(visit).collect() }
}

/// Skin that can be photographed again.
pub struct Subject {
    pub name: String,
    pub regions: RegionRequest,
    pub skin: Result<Box<Skin>, Box<Source>>,
}

/// Pixels that the drawn picture is larger by, on each side.
pub const MARGIN_PX: usize = 60;

impl Subject {
    pub fn drawn(seed: u64) -> Subject {
        let base = Subject::capture([0.0; 2]);
        let size_mm = [base.width_px, base.height_px].map(|n| (n as f64 + 40.0) / base.px_per_mm);
        let skin = Skin::new(&SkinSpec {
            seed,
            tone: 1 + (seed % 6) as u8,
            size_mm,
            samples_per_mm: 2.0 * base.px_per_mm,
            ..SkinSpec::default()
        });
        Subject {
            name: format!("skin {seed}"),
            regions: RegionRequest::Grid { rows: 2, columns: 2 },
            skin: Ok(Box::new(skin)),
        }
    }

    pub fn capture(lamp_deg: [f64; 2]) -> Capture {
        let base = Capture::default();
        Capture {
            width_px: base.width_px + 2 * MARGIN_PX,
            height_px: base.height_px + 2 * MARGIN_PX,
            light_azimuth_deg: base.light_azimuth_deg + lamp_deg[0],
            light_elevation_deg: base.light_elevation_deg + lamp_deg[1],
            noise: 0.0,
            jpeg_quality: None,
            ..base
        }
    }

    /// The real faces, where the data are there.
    pub fn real() -> Vec<Subject> {
        let subject = |source: Source| Subject {
            name: source.name.into(),
            regions: RegionRequest::Face,
            skin: Err(Box::new(source)),
        };
        sources().into_iter().map(subject).collect()
    }

    /// What the camera is pointed at: drawn skin treated, under a lamp moved by so many degrees; a
    /// real face stays as it is, and its lamp where it is.
    pub fn source(&self, treatment: &Treatment, lamp_deg: [f64; 2]) -> Source {
        match &self.skin {
            Ok(skin) => {
                let capture = Subject::capture(lamp_deg);
                let shot = Scene::of_skin(skin, treatment).shoot(&capture);
                Source {
                    name: "skin",
                    whole: photo("skin.png", &shot.encode()),
                    left: MARGIN_PX,
                    top: MARGIN_PX,
                    width: capture.width_px - 2 * MARGIN_PX,
                    height: capture.height_px - 2 * MARGIN_PX,
                    mm_per_px: 1.0 / capture.px_per_mm,
                    midline: capture.width_px / 2 - MARGIN_PX,
                    exposure: 1.0,
                }
            }
            Err(source) => Source { whole: source.whole.clone(), ..**source },
        }
    }

    pub fn plain(&self) -> Source {
        self.source(&Treatment::default(), [0.0; 2])
    }
}

/// A photo from the same place by the same camera.
pub fn still(source: &Source, seed: u64) -> Retake {
    let middle = [source.width as f64 / 2.0, source.height as f64 / 2.0];
    Retake {
        warp: Warp { middle, shift: [0.0; 2], turn: 0.0, scale: 1.0, waves: Vec::new() },
        blur_px: 0.0,
        gain: 1.0,
        balance: [1.0; 3],
        gradient: [0.0; 2],
        noise: 1.0,
        quality: 95,
        seed,
    }
}

/// The report of a baseline and a follow-up.
pub fn report(
    subject: &Subject,
    source: &Source,
    photos: [Photo; 2],
    settings: &Settings,
) -> Report {
    let mut request = Request::new([""; 2]);
    request.regions = subject.regions.clone();
    request.scale = Some((source.mm_per_px, ScaleSource::Argument));
    request.settings = settings.clone();
    analyze_series(series(&photos), &request).expect("two good photos").report
}
