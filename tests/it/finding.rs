//! How often a face is found: real faces framed, turned, darkened, made noisy, small and large.
//!
//! The photos are not in the repository: `SKINDELTA_DATA` names their folder (default
//! `../shared/data`), and what needs them says so and returns where they are absent.
//! `cargo test --release --test it -- finding --ignored --nocapture` takes all 43 faces in every way; the short form
//! takes nine, and each in every third way.

use skindelta::filter::warp::bilinear_by;
use skindelta::phantom::{Kind, Spec};
use skindelta::photo::{FlatAreas, Photo, Reduction};
use skindelta::plane::{Grid, Window, par_collect};
use skindelta::region::{self, Face, Model};
use skindelta::rng::Rng;
use skindelta::settings::RegionSettings;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crate::data::data;
use crate::scenes::Sitter;
use crate::shots::{Form, find_face, open, photo, reduced, two_forms};

/// Side of the face's box over the distance of its pupils, and where its top lies above them, in
/// sides: the box of the cascade.
const BOX: [f64; 2] = [2.45, 0.346];
/// Faces wider than this are reduced before they are taken again, px of the box.
const LARGEST_BOX_PX: f64 = 400.0;
/// Farthest that an eye may lie from its place, in distances of the pupils.
const EYE_TOLERANCE: f64 = 0.15;

/// How a face is taken again.
#[derive(Debug, Clone, Copy)]
struct Take {
    name: &'static str,
    /// Side of the frame in sides of the face's box; cut at the photo's border.
    framing: f64,
    /// Turn of the picture, degrees clockwise.
    turn_deg: f64,
    mirrored: bool,
    /// Px per px of the original.
    scale: f64,
    /// Light lost, stops.
    stops: f64,
    /// Standard deviation of noise, codes of 0 … 255 in sRGB.
    noise: f64,
    /// Share of the faces that must be found with both eyes at their places.
    least: f64,
}

const PLAIN: Take = Take {
    name: "box × 1.8",
    framing: 1.8,
    turn_deg: 0.0,
    mirrored: false,
    scale: 1.0,
    stops: 0.0,
    noise: 0.0,
    least: 0.97,
};

const TAKES: [Take; 16] = [
    Take { name: "box × 2.5", framing: 2.5, ..PLAIN },
    PLAIN,
    Take { name: "box × 1.4", framing: 1.4, ..PLAIN },
    Take { name: "box × 1.15", framing: 1.15, least: 0.94, ..PLAIN },
    Take { name: "mirrored", mirrored: true, ..PLAIN },
    Take { name: "3 stops darker", stops: 3.0, least: 0.94, ..PLAIN },
    Take { name: "noisy", noise: 16.0, least: 0.94, ..PLAIN },
    Take { name: "half as large", scale: 0.5, least: 0.94, ..PLAIN },
    Take { name: "twice as large", scale: 2.0, ..PLAIN },
    Take { name: "turned by 10°", turn_deg: 10.0, ..PLAIN },
    Take { name: "turned by −20°", turn_deg: -20.0, least: 0.94, ..PLAIN },
    Take { name: "turned by 20°", turn_deg: 20.0, least: 0.94, ..PLAIN },
    Take { name: "turned by 35°", turn_deg: 35.0, least: 0.9, ..PLAIN },
    Take { name: "turned by 90°", turn_deg: 90.0, least: 0.94, ..PLAIN },
    Take { name: "turned by 180°", turn_deg: 180.0, least: 0.94, ..PLAIN },
    Take { name: "turned by 270°", turn_deg: 270.0, least: 0.94, ..PLAIN },
];

/// A face that is found in its own photo.
struct Known {
    photo: Photo,
    face: Face,
}

impl Known {
    /// Opens a photo, reduces it where its face is large, and finds that face.
    fn open(path: &Path) -> Known {
        let mut photo = open(path);
        let mut face = find(&photo).unwrap_or_else(|| panic!("no face in {}", path.display()));
        let factor = (BOX[0] * pupil_distance(&face) / LARGEST_BOX_PX).ceil() as usize;
        if factor > 1 {
            photo.linear = reduced(&photo.linear, factor);
            face = find(&photo).unwrap_or_else(|| panic!("no face in {}", path.display()));
        }
        Known { photo, face }
    }

    /// Takes the face again: the picture, and where its eyes are in it, left in the original first.
    fn take(&self, take: &Take, seed: u64) -> (Photo, [[f64; 2]; 2]) {
        let [right, left] = self.face.eyes;
        let side = BOX[0] * pupil_distance(&self.face);
        let middle = [0.5 * (right[0] + left[0]), 0.5 * (right[1] + left[1])];
        let centre = [middle[0], middle[1] + (0.5 - BOX[1]) * side];
        let cut = |k: usize, length: usize| {
            let half = 0.5 * take.framing * side;
            let (from, to) = (centre[k] - half, centre[k] + half);
            let (from, to) = (from.max(0.0), to.min(length as f64 - 1.0));
            (0.5 * (from + to), to - from)
        };
        let (cx, width) = cut(0, self.photo.width());
        let (cy, height) = cut(1, self.photo.height());
        let swapped = take.turn_deg == 90.0 || take.turn_deg == 270.0;
        let (width, height) = if swapped { (height, width) } else { (width, height) };
        let px = |length: f64| (length * take.scale).round() as usize;
        let (w, h) = (px(width), px(height));
        let (s, c) = take.turn_deg.to_radians().sin_cos();
        let flip = if take.mirrored { -1.0 } else { 1.0 };
        let (ox, oy) = (0.5 * (w as f64 - 1.0), 0.5 * (h as f64 - 1.0));
        let source = |x: f64, y: f64| {
            let (u, v) = (flip * (x - ox) / take.scale, (y - oy) / take.scale);
            [cx + u * c + v * s, cy - u * s + v * c]
        };
        let light = 0.5f64.powf(take.stops);
        let linear = Grid::from_fn(w, h, |x, y| {
            let place = source(x as f64, y as f64);
            let value = bilinear_by(&self.photo.linear, place[0], place[1], |rgb| {
                rgb.map(|v| f64::from(v) / 65535.0)
            });
            let mut rng = Rng::at(seed, x as i64, y as i64);
            [0, 1, 2].map(|i| stored(light * value[i], take.noise * rng.normal()))
        });
        let eyes = [right, left].map(|[x, y]| {
            let (dx, dy) = (x - cx, y - cy);
            let (u, v) = (dx * c - dy * s, dx * s + dy * c);
            [ox + flip * u * take.scale, oy + v * take.scale]
        });
        let file = self.photo.file.clone();
        let photo = Photo {
            file,
            sha256: String::new(),
            reduction: Reduction::none(linear.width(), linear.height()),
            linear,
            quantisers: None,
            flat: FlatAreas::default(),
            notices: Vec::new(),
        };
        (photo, eyes)
    }
}

fn find(photo: &Photo) -> Option<Face> {
    find_face(photo, Model::built_in()).map(|found| found.face)
}

fn pupil_distance(face: &Face) -> f64 {
    let [a, b] = face.eyes;
    (b[0] - a[0]).hypot(b[1] - a[1])
}

/// Linear light as it is read back from a file of 8 bits in sRGB, with `noise` in codes.
fn stored(light: f64, noise: f64) -> u16 {
    let code = (255.0 * skindelta::srgb::encode(light) + noise).round().clamp(0.0, 255.0) / 255.0;
    (65535.0 * skindelta::srgb::decode(code)).round() as u16
}

/// The nine faces of the short form; none where the data are not there.
static NINE: LazyLock<Vec<Known>> = LazyLock::new(|| faces(Form::Short));

/// The faces: all, or nine of them.
fn faces(form: Form) -> Vec<Known> {
    let Some(root) = data("") else { return Vec::new() };
    let photos = |folder: &str, step: usize| {
        let mut found: Vec<PathBuf> = fs::read_dir(root.join(folder))
            .expect("the faces")
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_file() && !path.to_string_lossy().contains("_label"))
            .filter(|path| path.extension().is_some_and(|e| e == "png" || e == "jpg"))
            .collect();
        found.sort();
        found.into_iter().step_by(step).collect::<Vec<_>>()
    };
    let step = |n: usize| form.of(n, 1);
    let files = [
        photos("faces/unsplash", 1),
        photos("faces", 1),
        photos("pairs/obama_4sessions", step(2)),
        photos("pairs/pointing04_2sessions", step(8)),
        photos("seg_gt/fasseg_v2", step(10)),
    ]
    .concat();
    files.iter().map(|path| Known::open(path)).collect()
}

fn rates(form: Form) {
    let all: Vec<Known>;
    let known = match form {
        Form::Short => &*NINE,
        Form::Long => {
            all = faces(form);
            &all
        }
    };
    // Of the short form's faces each take has every fifth.
    let of_take = |t: usize| known.iter().skip(t % form.of(5, 1)).step_by(form.of(5, 1));
    let cases: Vec<(&Take, &Known)> = (0..)
        .zip(&TAKES)
        .flat_map(|(t, take)| of_take(t).map(move |known| (take, known)))
        .collect();
    let outcomes = par_collect(cases.len(), |k| {
        let (take, known) = cases[k];
        let (photo, eyes) = known.take(take, k as u64);
        let unit = take.scale * pupil_distance(&known.face);
        let started = std::time::Instant::now();
        let found = find(&photo);
        let seconds = started.elapsed().as_secs_f64();
        let off = found.map(|face| {
            let mut wanted = eyes;
            if take.mirrored {
                wanted.reverse();
            }
            let off = |i: usize| {
                (face.eyes[i][0] - wanted[i][0]).hypot(face.eyes[i][1] - wanted[i][1]) / unit
            };
            off(0).max(off(1))
        });
        (off, seconds)
    });
    println!("{:16} {:>9} {:>9} {:>9}", "", "found", "misplaced", "s a photo");
    let mut short = Vec::new();
    let mut outcomes = cases.iter().zip(outcomes).peekable();
    for take in &TAKES {
        let of_take =
            std::iter::from_fn(|| outcomes.next_if(|((other, _), _)| other.name == take.name));
        let (mut offs, mut seconds, mut missed) = (Vec::new(), Vec::new(), Vec::new());
        for ((_, known), (off, took)) in of_take {
            offs.extend(off);
            seconds.push(took);
            if off.is_none_or(|off| off > EYE_TOLERANCE) {
                let off = off.map_or(String::new(), |off| format!(" ({off:.2})"));
                missed.push(format!("{}{off}", known.photo.file));
            }
        }
        let (all, found) = (seconds.len(), seconds.len() - missed.len());
        println!(
            "{:16} {found:4}/{all:<4} {:9} {:9.2}  {}",
            take.name,
            offs.len() - found,
            seconds.iter().sum::<f64>() / all as f64,
            missed.join(", ")
        );
        if (found as f64) < take.least * all as f64 {
            short.push(take.name);
        }
    }
    assert!(short.is_empty(), "too few faces found: {}", short.join(", "));
}
two_forms!(rates: faces_are_found, faces_are_found_long);

/// Squares of a photo that hold nothing of its face: cloth, hair, walls.
fn beside(known: &Known, count: usize, seed: u64) -> Vec<Photo> {
    let uniform = |k: usize| Rng::at(seed, k as i64, 0).uniform();
    let unit = pupil_distance(&known.face);
    let [right, left] = known.face.eyes;
    let middle = [0.5 * (right[0] + left[0]), 0.5 * (right[1] + left[1]) + 0.4 * unit];
    let size = [known.photo.width(), known.photo.height()];
    let square = |k: usize| {
        let side = (0.15 + 0.4 * uniform(3 * k)) * size[0].min(size[1]) as f64;
        let [x, y] = [0, 1].map(|i| uniform(3 * k + 1 + i) * (size[i] as f64 - side));
        let apart = |from: f64, i: usize| {
            from > middle[i] + 1.6 * unit || from + side < middle[i] - 1.6 * unit
        };
        (side >= 60.0 && (apart(x, 0) || apart(y, 1))).then(|| {
            let [x, y, side] = [x, y, side].map(|v| v as usize);
            let window = Window { x, y, width: side, height: side };
            Photo { linear: known.photo.linear.crop(window), ..known.photo.clone() }
        })
    };
    (0..40 * count).filter_map(square).take(count).collect()
}

/// A close-up of rendered skin.
fn close_up(seed: u64) -> Photo {
    let tone = 1 + (seed % 6) as u8;
    let spec =
        Spec { tone, width_px: 700, height_px: 500, ..Spec::new(Kind::Closeup, 500 + seed, 1) };
    let capture = spec.capture(0);
    photo("close-up.jpg", &Sitter::series(spec).plain(&capture))
}

/// Neither the usual nor the thorough search sees a face where there is none.
fn no_face(form: Form) {
    let mut photos: Vec<Photo> = (0..form.of(2, 24)).map(close_up).collect();
    let squares = |(seed, known): (u64, &Known)| beside(known, form.of(1, 8), seed);
    match form {
        Form::Short => photos.extend((0..).zip(NINE.iter().step_by(3)).flat_map(squares)),
        Form::Long => photos.extend((0..).zip(&faces(form)).flat_map(squares)),
    }
    let settings = RegionSettings::default();
    let searches = [settings.clone(), settings.thorough()];
    let found = par_collect(photos.len(), |k| {
        searches.each_ref().map(|search| {
            let face = region::find_face(&photos[k], Model::built_in(), search);
            face.expect("the project's own model").is_some()
        })
    });
    for (k, found) in found.iter().enumerate().filter(|(_, found)| **found != [false; 2]) {
        let photo = &photos[k];
        println!("{} ({} px): usual, thorough {found:?}", photo.file, photo.width());
    }
    let false_faces = [0, 1].map(|i| found.iter().filter(|found| found[i]).count());
    println!("{} pictures without a face, false faces: {false_faces:?}", photos.len());
    assert_eq!(false_faces, [0, 0]);
}
two_forms!(no_face: no_face_where_there_is_none, no_face_where_there_is_none_long);
