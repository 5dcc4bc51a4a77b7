//! Photos for the tests: real faces taken again, with everything known that differs.

use crate::data::data;
use crate::scenes::Sitter;
use image::RgbImage;
use skindelta::analyze::{Analysis, Request, analyze_series};
use skindelta::filter::gaussian::blur;
use skindelta::phantom::{Capture, SkinSpec, Treatment};
use skindelta::photo::Photo;
use skindelta::plane::{Grid, Window};
use skindelta::region::{self, FoundFace, Model, RegionMap, RegionRequest};
use skindelta::report::Report;
use skindelta::series::{ScaleSource, Series, Visit};
use skindelta::settings::{RegionSettings, Settings};
use skindelta::srgb;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

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
#[derive(Clone)]
pub struct Source {
    pub name: &'static str,
    pub whole: Arc<Photo>,
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

    /// The same with other pixels.
    pub fn with(&self, linear: Grid<[u16; 3]>) -> Source {
        let whole = Photo { linear, ..(*self.whole).clone() };
        Source { whole: Arc::new(whole), ..self.clone() }
    }

    /// The part alone, of `factor` × `factor` px each made one.
    pub fn reduced(&self, factor: usize) -> Source {
        let (x, y, width, height) = (self.left, self.top, self.width, self.height);
        let part = self.whole.linear.crop(Window { x, y, width, height });
        Source {
            left: 0,
            top: 0,
            width: width / factor,
            height: height / factor,
            mm_per_px: self.mm_per_px * factor as f64,
            midline: self.midline / factor,
            ..self.with(reduced(&part, factor))
        }
    }

    /// The part as it is, linear light.
    pub fn linear(&self) -> Grid<[f32; 3]> {
        Grid::from_fn(self.width, self.height, |x, y| self.pixel(x as isize, y as isize))
    }
}

/// Opens a photo of the data once, however many tests look at it; none where the data are not there.
pub fn real_photo(file: &str) -> Option<Arc<Photo>> {
    static OPENED: Mutex<BTreeMap<PathBuf, Arc<Photo>>> = Mutex::new(BTreeMap::new());
    let (folder, name) = file.rsplit_once('/').expect("a folder");
    let path = data(folder)?.join(name);
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    Some(Arc::clone(opened.entry(path).or_insert_with_key(|path| Arc::new(open(path)))))
}

pub const MAN: &str = "faces/unsplash/04_man_wrinkles_3456x5184.jpg";
pub const WOMAN: &str = "faces/unsplash/02_woman_3974x5000.jpg";

/// A real face; none where the data are not there.
pub fn real_face(file: &str) -> Option<Source> {
    let whole = real_photo(file)?;
    Some(match file {
        MAN => Source {
            name: "man",
            whole,
            left: 700,
            top: 1000,
            width: 2100,
            height: 3000,
            mm_per_px: 0.088,
            midline: 1030,
            exposure: 1.0,
        },
        WOMAN => Source {
            name: "woman",
            whole,
            left: 1250,
            top: 1000,
            width: 1900,
            height: 2500,
            mm_per_px: 0.096,
            midline: 735,
            exposure: 0.65,
        },
        _ => panic!("{file} has not been measured by hand"),
    })
}

/// Means over squares of `factor` px.
pub fn reduced(linear: &Grid<[u16; 3]>, factor: usize) -> Grid<[u16; 3]> {
    Grid::from_fn(linear.width() / factor, linear.height() / factor, |x, y| {
        let mut sums = [0usize; 3];
        for j in 0..factor {
            for i in 0..factor {
                let pixel = linear.at(x * factor + i, y * factor + j);
                (0..3).for_each(|k| sums[k] += usize::from(pixel[k]));
            }
        }
        sums.map(|sum| (sum / (factor * factor)) as u16)
    })
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

/// How much a test looks at: one of each kind, or all that the tables of docs/accuracy.md are made of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form {
    Short,
    Long,
}

impl Form {
    /// What is looked at in this form.
    pub fn of<T>(self, short: T, long: T) -> T {
        match self {
            Form::Short => short,
            Form::Long => long,
        }
    }

    pub fn long(self) -> bool {
        self == Form::Long
    }
}

/// A function of a [`Form`] as two tests: the short one runs always, the long one with `--ignored`.
macro_rules! two_forms {
    ($of:ident: $short:ident, $long:ident) => {
        #[test]
        fn $short() {
            $of($crate::shots::Form::Short);
        }

        #[test]
        #[ignore = "long: minutes to hours; run with --ignored"]
        fn $long() {
            $of($crate::shots::Form::Long);
        }
    };
}
pub(crate) use two_forms;

/// A shipped photo.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name)
}

/// Its pixels.
pub fn picture(name: &str) -> RgbImage {
    image::open(fixture(name)).expect("a fixture").to_rgb8()
}

/// The middle of a shipped close-up, 640 × 500 px: half the skin of all of it.
pub fn middle(visit: usize) -> RgbImage {
    let whole = picture(&format!("closeup/visit-{visit}.jpg"));
    image::imageops::crop_imm(
        &whole,
        (whole.width() - 640) / 2,
        (whole.height() - 500) / 2,
        640,
        500,
    )
    .to_image()
}

/// The file of a picture without loss.
pub fn png(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut bytes, image::ImageFormat::Png).expect("into memory");
    bytes.into_inner()
}

pub fn open(path: &Path) -> Photo {
    Photo::open(path, &Settings::default().photo).expect("a good photo")
}

/// The face of a photo, and the regions of a baseline.
pub fn find_face(photo: &Photo, model: Option<&Model>) -> Option<FoundFace> {
    region::find_face(photo, model, &RegionSettings::default()).expect("the model runs")
}

/// The regions of a baseline, its face searched for where faces are asked for.
pub fn mapped(photo: &Photo, request: &RegionRequest, model: Option<&Model>) -> RegionMap {
    let wanted = *request == RegionRequest::Face;
    let found = if wanted { find_face(photo, model) } else { None };
    let settings = RegionSettings::default();
    region::map(photo, request, found.as_ref(), model, &settings).expect("regions")
}

pub fn series<'a>(photos: impl IntoIterator<Item = &'a Photo>) -> Series {
    let visit = |photo: &Photo| Visit { label: String::new(), date: None, photo: photo.clone() };
    Series { visits: photos.into_iter().map(visit).collect() }
}

/// A request for these regions at this scale, everything else as the command has it by default.
pub fn request(regions: RegionRequest, mm_per_px: Option<f64>) -> Request {
    let mut request = Request::default();
    request.options.regions = regions;
    request.options.scale = mm_per_px.map(|mm| (mm, ScaleSource::Argument));
    request
}

/// Analyses photos in memory, in order of visit.
///
/// A change depends on its two photos only (see `pipeline`), so that one series holds many follow-ups against a
/// baseline that is prepared once.
pub fn analysis<'a>(photos: impl IntoIterator<Item = &'a Photo>, request: &Request) -> Analysis {
    analyze_series(series(photos), request).expect("good photos")
}

/// The report of photos in order of visit.
pub fn compared<'a>(
    photos: impl IntoIterator<Item = &'a Photo>,
    regions: RegionRequest,
    mm_per_px: Option<f64>,
) -> Report {
    analysis(photos, &request(regions, mm_per_px)).report
}

/// Scale of the shipped close-ups, mm per px.
pub const CLOSEUP_MM_PER_PX: f64 = 1.0 / 14.0;

/// The shipped close-ups of four visits, analysed as one region with maps.
pub static CLOSEUPS: LazyLock<Analysis> = LazyLock::new(|| {
    let photos = [0, 1, 2, 3].map(|k| open(&fixture(&format!("closeup/visit-{k}.jpg"))));
    let request = request(RegionRequest::Whole, Some(CLOSEUP_MM_PER_PX));
    analysis(&photos, &Request { maps: true, ..request })
});

/// Skin that can be photographed again.
pub struct Subject {
    pub name: String,
    pub regions: RegionRequest,
    skin: Skin,
}

enum Skin {
    /// Drawn skin, and the size of its photos, px.
    Drawn(Sitter, [usize; 2]),
    Real(Source),
}

/// Pixels that the drawn picture is larger by, on each side.
pub const MARGIN_PX: usize = 60;

impl Subject {
    /// Drawn skin on a frame of four cells; the short form has two of them.
    pub fn drawn(seed: u64, form: Form) -> Subject {
        let usual = Capture::default();
        let size_px = form.of([600, 480], [usual.width_px, usual.height_px]);
        let size_mm = size_px.map(|n| (n as f64 + 2.0 * MARGIN_PX as f64 + 40.0) / usual.px_per_mm);
        let skin = Sitter::patch(SkinSpec {
            seed,
            tone: 1 + (seed % 6) as u8,
            size_mm,
            samples_per_mm: 2.0 * usual.px_per_mm,
            ..SkinSpec::default()
        });
        Subject {
            name: format!("skin {seed}"),
            regions: RegionRequest::Grid { rows: form.of(1, 2), columns: 2 },
            skin: Skin::Drawn(skin, size_px),
        }
    }

    /// A real face; none where the data are not there.
    pub fn real(file: &str) -> Option<Subject> {
        let source = real_face(file)?;
        let name = source.name.into();
        Some(Subject { name, regions: RegionRequest::Face, skin: Skin::Real(source) })
    }

    pub fn is_drawn(&self) -> bool {
        matches!(self.skin, Skin::Drawn(..))
    }

    /// What the camera is pointed at: drawn skin treated, under a lamp moved by so many degrees; a
    /// real face stays as it is, and its lamp where it is.
    pub fn source(&self, treatment: &Treatment, lamp_deg: [f64; 2]) -> Source {
        match &self.skin {
            Skin::Drawn(skin, [width, height]) => {
                let base = Capture::default();
                let capture = Capture {
                    width_px: width + 2 * MARGIN_PX,
                    height_px: height + 2 * MARGIN_PX,
                    light_azimuth_deg: base.light_azimuth_deg + lamp_deg[0],
                    light_elevation_deg: base.light_elevation_deg + lamp_deg[1],
                    noise: 0.0,
                    jpeg_quality: None,
                    ..base
                };
                Source {
                    name: "skin",
                    whole: Arc::new(photo("skin.png", &skin.shoot(treatment, &capture))),
                    left: MARGIN_PX,
                    top: MARGIN_PX,
                    width: *width,
                    height: *height,
                    mm_per_px: 1.0 / capture.px_per_mm,
                    midline: width / 2,
                    exposure: 1.0,
                }
            }
            Skin::Real(source) => source.clone(),
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

/// The report of photos of a subject, in order of visit.
pub fn report(subject: &Subject, source: &Source, photos: &[Photo], settings: &Settings) -> Report {
    let mut request = request(subject.regions.clone(), Some(source.mm_per_px));
    request.options.settings = settings.clone();
    analysis(photos, &request).report
}
