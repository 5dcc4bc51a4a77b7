//! The alignment held against its truth: drawn skin, drawn faces, and real faces bent by known
//! fields; the people of `shared/data` against each other.
//!
//! The short form runs always. `cargo test --release --test it -- alignment::known --ignored --nocapture`
//! runs 20 pairs of each of four kinds at two levels, 6 at a third, and, with `SKINDELTA_PAIRS=DIR`, writes
//! photos, truth and our field for `benches/align.py`, which lays the peer's beside them.

use skindelta::align::{self, Alignment, AlignmentStatus};
use skindelta::analyze::Request;
use skindelta::npy;
use skindelta::phantom::truth::displacement;
use skindelta::phantom::{Capture, Kind, SkinSpec, Spec, Treatment};
use skindelta::photo::Photo;
use skindelta::plane::Grid;
use skindelta::region::{Face, Model, Polygon, RegionMap, RegionRequest};
use skindelta::series::{Scale, ScaleSource};
use skindelta::settings::Settings;
use skindelta::units::MmPerPx;
use std::fs;
use std::path::{Path, PathBuf};

use crate::data::data;
use crate::scenes::Sitter;
use crate::shots::{
    CAREFUL, Dice, Form, Level, MAN, Retake, Source, WOMAN, analysis, compared, find_face, jpeg,
    mapped, open, photo, real_face, request, two_forms,
};

/// Spacing of the truth, baseline px.
const GRID_PX: usize = 8;

const HARDER: Level = Level {
    name: "harder",
    turn_deg: 9.0,
    scale: 1.15,
    bend_px: 20.0,
    light_deg: 4.0,
    stops: 0.6,
    shading: 0.35,
    blur_px: 2.0,
    jpeg: [84.0, 96.0],
};
const LIMIT: Level = Level {
    name: "limit",
    turn_deg: 15.0,
    scale: 1.4,
    light_deg: 20.0,
    stops: 1.0,
    jpeg: [80.0, 90.0],
    ..HARDER
};

/// A pair with its truth.
struct Pair {
    name: String,
    before: Photo,
    after: Photo,
    bytes: [Vec<u8>; 2],
    request: RegionRequest,
    mm_per_px: f64,
    /// For the baseline pixel (8j, 8i) its place in the follow-up; NaN where that does not show it.
    truth: Grid<[f32; 2]>,
}

/// The second photo of drawn skin at `level`.
fn nuisances(base: &Capture, level: &Level, dice: &mut Dice, seed: u64) -> Capture {
    Capture {
        light_azimuth_deg: base.light_azimuth_deg + dice.about(level.light_deg),
        light_elevation_deg: base.light_elevation_deg + dice.about(level.light_deg),
        exposure_stops: dice.about(level.stops),
        white_balance: [1.0 + dice.about(0.08), 1.0, 1.0 + dice.about(0.08)],
        gradient: [dice.about(level.shading), dice.about(level.shading)],
        blur_px: base.blur_px.hypot(level.blur_px * dice.roll()),
        noise: dice.between(1.0, 3.0),
        jpeg_quality: Some(dice.between(level.jpeg[0], level.jpeg[1]) as u8),
        scale: (level.scale.ln() * dice.about(1.0)).exp(),
        rotation_deg: dice.about(level.turn_deg),
        shift_px: [dice.about(18.0), dice.about(18.0)],
        bend_px: dice.between(0.3, 1.0) * level.bend_px,
        seed,
        ..base.clone()
    }
}

fn drawn_pair(kind: Kind, level: &Level, seed: u64) -> Pair {
    let spec = Spec { tone: 1 + (seed % 6) as u8, ..Spec::new(kind, seed, 1) };
    let base = spec.capture(0);
    let after = nuisances(&base, level, &mut Dice::new(seed), seed + 7_000_000);
    let sitter = match kind {
        // Room for what turns and shrinks.
        Kind::Closeup => Sitter::patch(SkinSpec {
            seed,
            tone: spec.tone,
            size_mm: [spec.width_px, spec.height_px]
                .map(|n| (1.25 * level.scale * n as f64 + 300.0) / spec.px_per_mm),
            samples_per_mm: 2.0 * spec.px_per_mm,
            ..SkinSpec::default()
        }),
        Kind::Face => Sitter::series(spec.clone()),
    };
    let bytes = [&base, &after].map(|capture| sitter.plain(capture));
    Pair {
        name: format!("{kind:?}-{}-{seed}", level.name),
        before: photo("before.jpg", &bytes[0]),
        after: photo("after.jpg", &bytes[1]),
        truth: displacement(&base, &after),
        bytes,
        request: if kind == Kind::Face { RegionRequest::Face } else { RegionRequest::Whole },
        mm_per_px: 1.0 / spec.px_per_mm,
    }
}

/// A real face and the same face bent, lit, blurred, and stored again.
fn bent_pair(source: &Source, level: &Level, seed: u64) -> Pair {
    let (w, h) = (source.width, source.height);
    let retake = Retake::new(level, seed, w, h);
    let bytes = [jpeg(&source.linear(), 95), retake.shoot(source)];
    let truth = Grid::from_fn(w.div_ceil(GRID_PX), h.div_ceil(GRID_PX), |j, i| {
        let q = retake.warp.follow_up([(GRID_PX * j) as f64, (GRID_PX * i) as f64]);
        let inside = q[0] >= 0.0 && q[1] >= 0.0 && q[0] <= w as f64 - 1.0 && q[1] <= h as f64 - 1.0;
        if inside { q.map(|v| v as f32) } else { [f32::NAN; 2] }
    });
    Pair {
        name: format!("{}-{}-{seed}", source.name, level.name),
        before: photo("before.jpg", &bytes[0]),
        after: photo("after.jpg", &bytes[1]),
        bytes,
        request: RegionRequest::Face,
        mm_per_px: source.mm_per_px,
        truth,
    }
}

/// A photo that others are registered to.
struct Before<'a> {
    photo: &'a Photo,
    regions: RegionMap,
    reference: align::Reference,
    settings: Settings,
}

impl Before<'_> {
    fn new<'a>(photo: &'a Photo, request: &RegionRequest, mm: Option<f64>) -> Before<'a> {
        let settings = Settings::default();
        let regions = mapped(photo, request, Model::built_in());
        let nominal = |face: &Face| settings.region.nominal_face_width_mm / face.width_px;
        let scale = Scale {
            mm_per_px: mm.or_else(|| regions.face.as_ref().map(nominal)).map(MmPerPx),
            source: ScaleSource::Argument,
            relative_uncertainty: 0.0,
            file_px: 1.0,
        };
        let reference = align::Reference::new(photo, &regions, &scale, &settings.align);
        Before { photo, regions, reference, settings }
    }

    /// Registers a photo with the face found in it.
    fn register(&self, after: &Photo, face: Option<Face>) -> Alignment {
        let aligner = align::Aligner {
            baseline: self.photo,
            regions: &self.regions,
            reference: &self.reference,
            settings: &self.settings.align,
        };
        aligner.register(after.clone(), face, &[]).alignment
    }

    /// Registers a photo, its face sought where the baseline has one.
    fn find(&self, after: &Photo) -> Alignment {
        let face = self.regions.face.and_then(|_| face_of(after));
        self.register(after, face)
    }
}

fn face_of(photo: &Photo) -> Option<Face> {
    find_face(photo, Model::built_in()).map(|found| found.face)
}

/// Errors of one pair where skin is measured: true distance and the stated error, px.
struct Judged {
    name: String,
    status: AlignmentStatus,
    reason: Option<String>,
    /// True error of each point of the truth on skin that is not refused.
    errors: Vec<f64>,
    /// Share of the skin that is refused, tile by tile.
    refused: f64,
    /// (stated, root mean square of the true error) of each tile.
    tiles: Vec<[f64; 2]>,
}

fn judge(pair: &Pair) -> Judged {
    let before = Before::new(&pair.before, &pair.request, Some(pair.mm_per_px));
    let (alignment, regions) = (before.find(&pair.after), &before.regions);
    let window = regions.window;
    let mut judged = Judged {
        name: pair.name.clone(),
        status: alignment.status,
        reason: alignment.reason.clone(),
        errors: Vec::new(),
        refused: 1.0,
        tiles: Vec::new(),
    };
    let Some(field) = &alignment.field else {
        write(pair, regions, None);
        return judged;
    };
    let side = field.spacing_px;
    let mut tiles = std::collections::BTreeMap::<(i64, i64), (f64, f64, f64)>::new();
    let (mut seen, mut refused) = (0, 0);
    for i in 0..pair.truth.height() {
        for j in 0..pair.truth.width() {
            let (x, y) = (GRID_PX * j, GRID_PX * i);
            let truth = pair.truth.at(j, i);
            let skin = window.contains(x, y) && regions.skin.at(x - window.x, y - window.y);
            if !skin || !truth[0].is_finite() {
                continue;
            }
            seen += 1;
            let found = field.at(x as f64, y as f64);
            let error = (found[0] - f64::from(truth[0])).hypot(found[1] - f64::from(truth[1]));
            let Some(stated) = alignment.error_px(x as f64, y as f64) else {
                refused += 1;
                continue;
            };
            judged.errors.push(error);
            let key = |v: usize, o: f64| ((v as f64 - o) / side).round() as i64;
            let tile = tiles.entry((key(x, field.origin[0]), key(y, field.origin[1]))).or_default();
            *tile = (tile.0 + stated, tile.1 + error * error, tile.2 + 1.0);
        }
    }
    judged.refused = f64::from(refused) / f64::from(seen.max(1));
    judged.tiles = tiles
        .values()
        .filter(|t| t.2 >= 4.0)
        .map(|(stated, squares, n)| [stated / n, (squares / n).sqrt()])
        .collect();
    write(pair, regions, Some(&alignment));
    judged
}

/// Photos, truth on the skin, and our field, where `SKINDELTA_PAIRS` says.
fn write(pair: &Pair, regions: &RegionMap, alignment: Option<&Alignment>) {
    let Some(folder) = std::env::var_os("SKINDELTA_PAIRS") else { return };
    let folder = Path::new(&folder).join(&pair.name);
    fs::create_dir_all(&folder).expect("a folder for pairs");
    let put = |name: &str, bytes: &[u8]| fs::write(folder.join(name), bytes).expect("room");
    put("before.jpg", &pair.bytes[0]);
    put("after.jpg", &pair.bytes[1]);
    let grid = |at: &(dyn Fn(usize, usize, [f32; 2]) -> [f32; 2] + Sync)| {
        let (w, h) = (pair.truth.width(), pair.truth.height());
        npy::encode(&Grid::from_fn(w, h, |j, i| at(GRID_PX * j, GRID_PX * i, pair.truth.at(j, i))))
    };
    let window = regions.window;
    let skin =
        |x: usize, y: usize| window.contains(x, y) && regions.skin.at(x - window.x, y - window.y);
    let nowhere = [f32::NAN; 2];
    put("truth.npy", &grid(&|x, y, truth| if skin(x, y) { truth } else { nowhere }));
    if let Some(alignment) = alignment
        && let Some(field) = &alignment.field
    {
        let at = |x: usize, y: usize, _| match alignment.error_px(x as f64, y as f64) {
            Some(_) => field.at(x as f64, y as f64).map(|v| v as f32),
            None => nowhere,
        };
        put("ours.npy", &grid(&at));
    }
}

fn quantile(values: &mut [f64], q: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    if values.is_empty() { f64::NAN } else { values[((values.len() - 1) as f64 * q) as usize] }
}

/// What many pairs of one kind at one level show.
struct Table {
    lost: usize,
    median: f64,
    p95: f64,
    refused: f64,
    /// Share of tiles whose true error is at most twice the stated one.
    within_twice: f64,
    /// Root mean square true error over the stated one, in six bins of the stated error.
    ratios: Vec<f64>,
}

fn tabulate(title: &str, judged: &[Judged]) -> Table {
    let lost: Vec<&Judged> =
        judged.iter().filter(|j| j.status == AlignmentStatus::Failed).collect();
    for j in &lost {
        println!("lost: {}: {}", j.name, j.reason.as_deref().unwrap_or("?"));
    }
    let mut errors: Vec<f64> = judged.iter().flat_map(|j| j.errors.iter().copied()).collect();
    let mut tiles: Vec<[f64; 2]> = judged.iter().flat_map(|j| j.tiles.iter().copied()).collect();
    tiles.sort_by(|a, b| a[0].total_cmp(&b[0]));
    let bins: Vec<[f64; 3]> = tiles
        .chunks(tiles.len().div_ceil(6).max(1))
        .map(|bin| {
            let rms =
                |k: usize| (bin.iter().map(|t| t[k] * t[k]).sum::<f64>() / bin.len() as f64).sqrt();
            [rms(0), rms(1), rms(1) / rms(0)]
        })
        .collect();
    let within = tiles.iter().filter(|t| t[1] <= 2.0 * t[0]).count();
    let worst = judged
        .iter()
        .filter(|j| !j.errors.is_empty())
        .map(|j| (quantile(&mut j.errors.clone(), 0.5), &j.name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let found: Vec<f64> =
        judged.iter().filter(|j| j.status != AlignmentStatus::Failed).map(|j| j.refused).collect();
    let table = Table {
        lost: lost.len(),
        median: quantile(&mut errors, 0.5),
        p95: quantile(&mut errors, 0.95),
        refused: found.iter().sum::<f64>() / found.len().max(1) as f64,
        within_twice: within as f64 / tiles.len().max(1) as f64,
        ratios: bins.iter().map(|bin| bin[2]).collect(),
    };
    println!(
        "{title}: {} pairs, {} lost, median {:.3} px, 95 % {:.3} px, tiles refused {:.1} %, \
         within twice the stated error {:.1} %, worst pair {}",
        judged.len(),
        table.lost,
        table.median,
        table.p95,
        100.0 * table.refused,
        100.0 * table.within_twice,
        worst.map_or(String::new(), |(m, name)| format!("{name} (median {m:.3} px)")),
    );
    for [stated, truth, ratio] in &bins {
        println!("    stated {stated:.3} px: true {truth:.3} px, ratio {ratio:.2}");
    }
    table
}

/// Drawn skin, drawn faces, and two real faces, at each level. The limits of a careful pair and of
/// one three times harder are the goals. Under a lamp moved by 20° the stated errors of drawn faces
/// become too small (73 % of the tiles within twice of them), which only the long form looks at.
fn known_fields(form: Form) {
    let only = std::env::var("SKINDELTA_ONLY").unwrap_or_default();
    let faces = [WOMAN, MAN].map(real_face);
    for (level, limits, within_twice, pairs) in [
        (CAREFUL, [0.04, 0.09], 0.9, 20),
        (HARDER, [0.09, 0.22], 0.9, 20),
        (LIMIT, [0.3, 0.6], 0.7, 6),
    ] {
        if !level.name.contains(&only) || (pairs < 20 && !form.long()) {
            continue;
        }
        let of = |name: &str, pair: &dyn Fn(u64) -> Pair| -> Vec<Judged> {
            let judged =
                (902..902 + form.of(1, pairs)).map(|seed| judge(&pair(seed))).collect::<Vec<_>>();
            tabulate(&format!("{} {name}", level.name), &judged);
            judged
        };
        // In the short form close-ups and one real face at one level, the other at the next.
        let careful = level.name == "careful";
        let mut drawn = Vec::new();
        if form.long() || careful {
            drawn.extend(of("close-ups", &|seed| drawn_pair(Kind::Closeup, &level, seed)));
        }
        if form.long() {
            drawn.extend(of("rendered faces", &|seed| drawn_pair(Kind::Face, &level, seed)));
        }
        let mut real = Vec::new();
        let wanted = |source: &&Source| form.long() || (source.name == "woman") == careful;
        for source in faces.iter().flatten().filter(wanted) {
            real.extend(of(source.name, &|seed| bent_pair(source, &level, seed)));
        }
        for (name, judged) in [("drawn skin", drawn), ("real faces", real)] {
            if judged.is_empty() {
                continue;
            }
            let table = tabulate(&format!("{} {name}, all", level.name), &judged);
            assert_eq!(table.lost, 0, "{} {name}", level.name);
            assert!(table.refused < 0.05, "{} {name}: {:.3} refused", level.name, table.refused);
            let [median, p95] = limits;
            assert!(table.median < median && table.p95 < p95, "{} {name}", level.name);
            // Real faces are left out: they are better than stated.
            if form.long() && pairs >= 20 && name == "drawn skin" {
                let good = table.ratios.iter().all(|ratio| (1.0 / 1.5..1.5).contains(ratio));
                assert!(good, "{} {name}: {:?}", level.name, table.ratios);
            }
            assert!(
                table.within_twice > within_twice,
                "{} {name}: stated errors too small",
                level.name
            );
        }
    }
}
two_forms!(known_fields: known_fields_are_found, known_fields_are_found_long);

/// Skin, eyes, nose and mouth as the label pictures' palette shows them.
const CLASSES: [[u8; 3]; 4] = [[255, 255, 0], [0, 0, 255], [0, 255, 255], [0, 255, 0]];

/// Intersection over union of skin, eyes, nose and mouth where both photos show the baseline's
/// window, the follow-up's labels carried over by `alignment`.
fn overlap(labels: [&image::RgbImage; 2], regions: &RegionMap, alignment: &Alignment) -> [f64; 4] {
    let field = alignment.field.as_ref().expect("aligned");
    let window = regions.window;
    let mut counts = [[0usize; 2]; 4];
    for y in window.y..window.y + window.height {
        for x in window.x..window.x + window.width {
            let [u, v] = field.at(x as f64, y as f64).map(|v| v.round());
            let (w, h) = labels[1].dimensions();
            if u < 0.0 || v < 0.0 || u >= f64::from(w) || v >= f64::from(h) {
                continue;
            }
            let a = labels[0].get_pixel(x as u32, y as u32).0;
            let b = labels[1].get_pixel(u as u32, v as u32).0;
            for (count, class) in counts.iter_mut().zip(CLASSES) {
                count[0] += usize::from(a == class && b == class);
                count[1] += usize::from(a == class || b == class);
            }
        }
    }
    counts.map(|[both, either]| both as f64 / either.max(1) as f64)
}

/// Share of the skin that matched, of a refusal for too little of it.
fn matched(alignment: &Alignment) -> f64 {
    let told = alignment.reason.as_deref().and_then(|why| why.split(": ").nth(2));
    let told = told.filter(|why| why.contains(" % of the skin matches"));
    let percent = told.and_then(|why| why.split(' ').next()?.parse::<f64>().ok());
    alignment.matching_nodes.or(percent.map(|p| p / 100.0)).unwrap_or(0.0)
}

/// Eight people who sat twice (two in the short form): each is aligned with herself or himself, and with nobody else.
fn people(form: Form) {
    let Some(folder) = data("pairs/pointing04_2sessions") else { return };
    let file = |person: usize, sitting: usize, what: &str| {
        folder.join(format!("p{person:02}_s{sitting}{what}.png"))
    };
    let labels = |person, sitting| {
        image::open(file(person, sitting, "_label")).expect("a label picture").into_rgb8()
    };
    let sitters = form.of(2, 8) as usize;
    let [first, second] = [1, 2]
        .map(|sitting| (1..=sitters).map(|p| open(&file(p, sitting, ""))).collect::<Vec<_>>());
    let faces: Vec<_> = second.iter().map(face_of).collect();
    let (mut worst_true, mut best_wrong, mut wrong) = (f64::MAX, 0.0f64, 0);
    for (i, photo) in first.iter().enumerate() {
        let before = Before::new(photo, &RegionRequest::Face, None);
        for (j, after) in second.iter().enumerate() {
            if i != j && !form.long() && (i + 1) % sitters != j {
                continue;
            }
            let alignment = before.register(after, before.regions.face.and(faces[j]));
            let likeness = matched(&alignment);
            if i != j {
                assert_eq!(alignment.status, AlignmentStatus::Failed, "{} and {}", i + 1, j + 1);
                best_wrong = best_wrong.max(likeness);
                wrong += 1;
                continue;
            }
            let why = alignment.reason.as_deref().unwrap_or_default();
            println!("person {}: {:?}, {likeness:.2} alike {why}", i + 1, alignment.status);
            if alignment.status == AlignmentStatus::Failed {
                // The net takes out hair and glasses, which the colour model alone does not.
                assert!(Model::built_in().is_none(), "{why}");
                continue;
            }
            worst_true = worst_true.min(likeness);
            let pictures = [1, 2].map(|sitting| labels(i + 1, sitting));
            let iou = overlap([&pictures[0], &pictures[1]], &before.regions, &alignment);
            let mean = iou.iter().sum::<f64>() / 4.0;
            println!("    IoU of skin, eyes, nose, mouth {iou:.2?}, mean {mean:.2}");
            assert!(mean > 0.7, "{mean}");
        }
    }
    assert!(best_wrong < worst_true);
    println!(
        "{wrong} wrong pairs refused; alike: worst true {worst_true:.2}, best wrong {best_wrong:.2}"
    );
}
two_forms!(people: people_are_aligned_with_themselves_only, people_are_aligned_with_themselves_only_long);

/// One man over the years, other light, other cameras, smiling and not: aligned, or refused and told
/// why; never registered to the wrong place.
#[test]
fn years_apart_are_aligned_or_refused() {
    let Some(folder) = data("pairs/obama_4sessions") else { return };
    let photo = |name: &str| open(&folder.join(name));
    let first = photo("a_2008_smile_1314x1752.jpg");
    let before = Before::new(&first, &RegionRequest::Face, None);
    for (name, cause) in [
        ("b_2009_neutral_790x1161.png", "% of the skin matches"),
        ("c_2012_smile_910x1137.jpg", "times as large"),
        ("d_whitehouse_1434x2333.jpg", "times as large"),
    ] {
        let other = photo(name);
        let face = face_of(&other);
        let alignment = before.register(&other, before.regions.face.and(face));
        let why = alignment.reason.as_deref().unwrap_or_default();
        println!("{name}: {:?} {why}", alignment.status);
        let Some(field) = &alignment.field else {
            // The colour model alone may miss the face in the follow-up, and so its size.
            assert!(Model::built_in().is_none() || why.contains(cause), "{why}");
            continue;
        };
        let (a, b) = (before.regions.face.expect("a face"), face.expect("a face"));
        let near = 0.1 * (b.eyes[1][0] - b.eyes[0][0]).hypot(b.eyes[1][1] - b.eyes[0][1]);
        for (p, q) in [(a.eyes[0], b.eyes[0]), (a.eyes[1], b.eyes[1]), (a.mouth, b.mouth)] {
            let found = field.at(p[0], p[1]);
            assert!((found[0] - q[0]).hypot(found[1] - q[1]) < near, "{name}: {found:?}, {q:?}");
        }
    }
}

/// Rendered faces of ten people: nobody is registered to somebody else. The best likeness seen here,
/// 0.27 over all 90 pairs, chose `AlignSettings::matching_nodes_min`.
fn strangers(form: Form) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faces");
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|f| f.extension().is_some_and(|e| e == "jpg"));
    files.sort();
    assert_eq!(files.len(), 10);
    files.truncate(form.of(3, 10) as usize);
    let photos: Vec<Photo> = files.iter().map(|f| open(f)).collect();
    let all: Vec<Before> =
        photos.iter().map(|photo| Before::new(photo, &RegionRequest::Face, None)).collect();
    for (i, a) in all.iter().enumerate() {
        for (j, b) in all.iter().enumerate() {
            if i == j || (!form.long() && (i + 1) % all.len() != j) {
                continue;
            }
            let alignment = a.register(b.photo, a.regions.face.and(b.regions.face));
            assert_eq!(alignment.status, AlignmentStatus::Failed, "{i} and {j}");
            println!("{i} and {j}: {}", alignment.reason.unwrap_or_default());
        }
    }
}
two_forms!(strangers: strangers_are_refused, strangers_are_refused_long);

/// Drawn skin as it is photographed by `shots`, each after its treatment.
fn drawn(shots: &[(Capture, Treatment)]) -> Vec<Photo> {
    let skin = patch(31, 6);
    let shoot = |(capture, treatment): &_| photo("skin.jpg", &skin.shoot(treatment, capture));
    shots.iter().map(shoot).collect()
}

fn patch(seed: u64, wrinkles: usize) -> Sitter {
    let size_mm = [56.0, 46.0];
    Sitter::patch(SkinSpec { seed, size_mm, samples_per_mm: 28.0, wrinkles, ..SkinSpec::default() })
}

/// Wrinkles of a third of their depth, or half of the pores gone: the field stays where it is for
/// untreated skin. Were it to follow, the milder wrinkle would be stretched onto the deep one and the
/// change be hidden.
#[test]
fn a_treatment_does_not_move_the_field() {
    let base = Capture { width_px: 640, height_px: 500, ..Capture::default() };
    let after = Capture { shift_px: [6.0, -4.0], rotation_deg: 1.0, seed: 5, ..base.clone() };
    let none = Treatment::default();
    let photos = drawn(&[
        (base.clone(), none),
        (after.clone(), none),
        (after.clone(), Treatment { wrinkle_depth: 0.33, ..none }),
        (after.clone(), Treatment { pore_count: 0.5, ..none }),
    ]);
    let before = Before::new(&photos[0], &RegionRequest::Whole, Some(1.0 / base.px_per_mm));
    let field = |k: usize| before.find(&photos[k]).field.expect("aligned");
    let untouched = field(1);
    let truth = displacement(&base, &after);
    for (what, treated) in [("milder wrinkles", field(2)), ("fewer pores", field(3))] {
        let mut moved = 0.0f64;
        for i in 0..truth.height() {
            for j in (0..truth.width()).filter(|j| truth.at(*j, i)[0].is_finite()) {
                let (x, y) = ((GRID_PX * j) as f64, (GRID_PX * i) as f64);
                let (a, b) = (untouched.at(x, y), treated.at(x, y));
                moved = moved.max((a[0] - b[0]).hypot(a[1] - b[1]));
            }
        }
        println!("{what} move the field by {moved:.3} px at most");
        assert!(moved < 0.1, "{what}: {moved:.3} px");
    }
}

/// The same skin half a pixel farther: resampling must not read as smoother skin.
fn half_a_pixel(form: Form) {
    let base = Capture {
        width_px: 640,
        height_px: 500,
        jpeg_quality: Some(97),
        noise: 0.0,
        ..Capture::default()
    };
    let shifts =
        form.of(&[[0.0, 0.0], [0.5, 0.5]][..], &[[0.0, 0.0], [0.5, 0.5], [0.5, 0.0], [0.0, 0.5]]);
    let shot =
        |shift_px: &_| (Capture { shift_px: *shift_px, ..base.clone() }, Treatment::default());
    let shots: Vec<_> = shifts.iter().map(shot).collect();
    let report = compared(&drawn(&shots), RegionRequest::Whole, Some(1.0 / base.px_per_mm));
    let texture = report.changes.iter().filter(|c| c.metric.id.starts_with("texture_"));
    assert_eq!(texture.clone().count(), 4 * (shifts.len() - 1));
    for row in texture {
        let change = row.change_percent.expect("measured");
        println!("{:?}: {} {change:+.2} %", shifts[row.visit], row.metric.id);
        assert!(change.abs() < 0.5, "{}: {change:.2} %", row.metric.id);
    }
}
two_forms!(half_a_pixel: half_a_pixel_changes_no_texture, half_a_pixel_changes_no_texture_long);

/// The last photo has nothing in common with the first; the one between them has with both.
#[test]
fn a_visit_is_aligned_through_an_earlier_one() {
    let shots = [[0.0, 0.0], [4.0, 2.0], [7.0, -3.0]].map(|shift_px| Capture {
        width_px: 640,
        height_px: 500,
        shift_px,
        ..Capture::default()
    });
    let skins = [40, 41].map(|seed| patch(seed, SkinSpec::default().wrinkles));
    let skin = |k: usize, capture| photo("skin.jpg", &skins[k].plain(capture));
    let mut between = skin(0, &shots[1]);
    between.linear = between.linear.zip(&skin(1, &shots[1]).linear, |a, b| {
        std::array::from_fn(|k| ((u32::from(a[k]) + u32::from(b[k])) / 2) as u16)
    });
    let photos = [skin(0, &shots[0]), between, skin(1, &shots[2])];
    let before = Before::new(&photos[0], &RegionRequest::Whole, Some(1.0 / 14.0));
    assert_eq!(before.register(&photos[2], None).status, AlignmentStatus::Failed);

    let request = request(RegionRequest::Whole, Some(1.0 / 14.0));
    let analysis = analysis(&photos, &Request { maps: true, ..request });
    let rows: Vec<_> = analysis.report.alignment.iter().filter(|r| r.region.is_none()).collect();
    assert_eq!(rows.iter().map(|r| r.status).collect::<Vec<_>>(), [AlignmentStatus::Aligned; 2]);
    assert!(rows[1].residual_median_px > rows[0].residual_median_px);
    assert!(
        analysis
            .report
            .notices
            .iter()
            .any(|n| n.contains("visit 2") && n.contains("through visit 1"))
    );
    let map = analysis.maps.displacement[1].as_ref().expect("a map");
    let truth = displacement(&shots[0], &shots[2]);
    let mut errors: Vec<f64> = (map.data().iter().zip(truth.data()))
        .filter(|(a, b)| a[0].is_finite() && b[0].is_finite())
        .map(|(a, b)| f64::from(a[0] - b[0]).hypot(f64::from(a[1] - b[1])))
        .collect();
    let median = quantile(&mut errors, 0.5);
    println!("through the visit between them: {median:.3} px off in the median");
    assert!(median < 0.2, "{median:.3} px");
}

/// A stretch mark, ten pixels wide and slanting, is aligned where the skin around it is.
#[test]
fn a_thin_region_has_an_error_of_its_own() {
    let base = Capture { width_px: 640, height_px: 500, ..Capture::default() };
    let after = Capture { shift_px: [3.0, -2.0], seed: 5, ..base.clone() };
    let photos = drawn(&[(base.clone(), Treatment::default()), (after, Treatment::default())]);
    let points = vec![[50.0, 50.0], [60.0, 50.0], [590.0, 450.0], [580.0, 450.0]];
    let mark = Polygon { name: "mark".into(), points };
    let request = RegionRequest::Polygons(vec![mark]);
    let alignment = Before::new(&photos[0], &request, Some(1.0 / base.px_per_mm)).find(&photos[1]);
    assert_eq!(alignment.status, AlignmentStatus::Aligned);
    let mark = &alignment.regions[0];
    assert!(mark.aligned && mark.overlap_percent > 99.0, "{mark:?}");
    let all = alignment.all.expect("aligned").residual_median_px.expect("told");
    let own = mark.residual_median_px.expect("told");
    assert!((0.5..2.0).contains(&(own / all)), "{own} {all}");
}
