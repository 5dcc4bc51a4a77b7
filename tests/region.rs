//! Regions and skin against hand-made labels of real faces.
//!
//! The photos are not in the repository: `SKINDELTA_DATA` names their folder (default
//! `../shared/data`), and what needs them says so and returns where they are absent.

use skindelta::photo::Photo;
use skindelta::plane::{Grid, Window};
use skindelta::region::{Model, RegionMap, RegionRequest, RegionSource, WHOLE, map};
use skindelta::settings::RegionSettings;
use std::path::{Path, PathBuf};

/// The classes of the label pictures, as their palette shows them.
const CLASSES: [[u8; 3]; 6] =
    [[255, 0, 0], [255, 255, 0], [127, 0, 0], [0, 0, 255], [0, 255, 255], [0, 255, 0]];
const SKIN: u8 = 1;
const EYES: u8 = 3;
const NOSE: u8 = 4;
const MOUTH: u8 = 5;

fn data() -> Option<PathBuf> {
    let root = std::env::var_os("SKINDELTA_DATA").map(PathBuf::from);
    let root = root.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"));
    if root.is_dir() {
        return Some(root);
    }
    println!("skipped: no photos (name their folder in SKINDELTA_DATA)");
    None
}

/// A photo, by the sRGB curve (IEC 61966-2-1).
fn photo(path: &Path) -> Photo {
    let picture = image::open(path).expect("a readable photo").to_rgb8();
    let curve = |v: u8| {
        let v = f64::from(v) / 255.0;
        let linear = if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
        (linear * 65535.0).round() as u16
    };
    let (width, height) = picture.dimensions();
    let linear = picture.pixels().map(|p| p.0.map(curve)).collect();
    Photo {
        file: path.file_name().expect("a file").to_string_lossy().into_owned(),
        sha256: String::new(),
        notices: Vec::new(),
        linear: Grid::from_vec(width as usize, height as usize, linear),
    }
}

fn labels(path: &Path) -> Grid<u8> {
    let picture = image::open(path).expect("a readable label").to_rgb8();
    let (width, height) = picture.dimensions();
    let class = |p: &image::Rgb<u8>| {
        CLASSES.iter().position(|c| *c == p.0).expect("a colour of the palette") as u8
    };
    Grid::from_vec(width as usize, height as usize, picture.pixels().map(class).collect())
}

/// Labelled portraits: photo and label, sorted by name.
fn portraits(root: &Path) -> Vec<(PathBuf, PathBuf)> {
    let mut found = Vec::new();
    for folder in ["pairs/pointing04_2sessions", "seg_gt/fasseg_v2"] {
        for entry in std::fs::read_dir(root.join(folder)).expect("the labelled faces").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(stem) = name.strip_suffix("_label.png") {
                found.push((entry.path().with_file_name(format!("{stem}.png")), entry.path()));
            }
        }
    }
    found.sort();
    found
}

/// Centres of both eyes (left in the picture first) and of the mouth.
fn centres(labels: &Grid<u8>) -> [[f64; 2]; 3] {
    let centre = |class: u8, from: usize, to: usize| {
        let (mut n, mut sx, mut sy) = (0.0f64, 0.0, 0.0);
        for y in 0..labels.height() {
            for x in from..to {
                if labels.at(x, y) == class {
                    n += 1.0;
                    sx += x as f64;
                    sy += y as f64;
                }
            }
        }
        [sx / n, sy / n]
    };
    // Both eyes together are centred between them.
    let middle = centre(EYES, 0, labels.width())[0] as usize;
    [
        centre(EYES, 0, middle),
        centre(EYES, middle, labels.width()),
        centre(MOUTH, 0, labels.width()),
    ]
}

/// A face against its labels.
struct Score {
    name: String,
    /// Eyes and mouth: distance from the truth, percent of the face width.
    error_percent: [f64; 3],
    /// Measured skin inside named regions that is labelled skin or nose.
    purity: f64,
    /// The same of all that the skin mask holds.
    skin_purity: f64,
    /// Labelled skin and nose between brows and chin that is measured in a named region.
    coverage: f64,
    /// The same that the skin mask holds.
    skin_coverage: f64,
}

fn score(name: String, map: &RegionMap, labels: &Grid<u8>) -> Option<Score> {
    let face = map.face?;
    let truth = centres(labels);
    let distance = |a: [f64; 2], b: [f64; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let eyes = distance(truth[0], truth[1]);
    let found = [face.eyes[0], face.eyes[1], face.mouth];
    let error_percent = [0, 1, 2].map(|k| 100.0 * distance(found[k], truth[k]) / (2.22 * eyes));

    let origin = [0.5 * (truth[0][0] + truth[1][0]), 0.5 * (truth[0][1] + truth[1][1])];
    let across = [truth[1][0] - truth[0][0], truth[1][1] - truth[0][1]];
    let down = [truth[2][0] - origin[0], truth[2][1] - origin[1]];
    let area = across[0] * down[1] - across[1] * down[0];
    let (mut all, mut pure, mut whole, mut whole_pure) = (0.0, 0.0, 0.0, 0.0);
    let (mut wanted, mut covered, mut held) = (0.0, 0.0, 0.0);
    for y in 0..labels.height() {
        for x in 0..labels.width() {
            let skin = map.window.contains(x, y) && map.skin.at(x - map.window.x, y - map.window.y);
            let named = map.regions.iter().any(|r| {
                r.name != WHOLE
                    && r.window.contains(x, y)
                    && r.inside.at(x - r.window.x, y - r.window.y)
            });
            let truly = matches!(labels.at(x, y), SKIN | NOSE);
            let (dx, dy) = (x as f64 - origin[0], y as f64 - origin[1]);
            let u = (dx * down[1] - dy * down[0]) / area;
            let v = (dy * across[0] - dx * across[1]) / area;
            let one = |yes: bool| if yes { 1.0 } else { 0.0 };
            all += one(skin && named);
            pure += one(skin && named && truly);
            whole += one(skin);
            whole_pure += one(skin && truly);
            let central = truly && u.abs() < 1.05 && (-0.25..1.6).contains(&v);
            wanted += one(central);
            covered += one(central && skin && named);
            held += one(central && skin);
        }
    }
    Some(Score {
        name,
        error_percent,
        purity: pure / f64::max(all, 1.0),
        skin_purity: whole_pure / f64::max(whole, 1.0),
        coverage: covered / wanted,
        skin_coverage: held / wanted,
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Whether settings may be chosen on this face: the lower half of each set's numbers. The upper half
/// was watched while the colour model of skin settled, so that it is no independent test of that
/// one; what a model says was judged on the lower half alone.
fn tuned_on(score: &Score) -> bool {
    let digits = score.name.chars().skip_while(|c| !c.is_ascii_digit());
    let number: String = digits.take_while(char::is_ascii_digit).collect();
    let last = if score.name.starts_with('p') { 4 } else { 10 };
    number.parse::<u32>().expect("a number in the name") <= last
}

/// Every labelled face with one way of finding regions; prints them, and the means of both halves.
/// Returns the half that no setting was chosen on.
fn labelled_faces(root: &Path, way: &str, model: Option<&Model>) -> Vec<Score> {
    let portraits = portraits(root);
    assert_eq!(portraits.len(), 36);
    println!("{way:16} {:>16} {:>17} {:>17}", "eyes, mouth %", "purity (skin)", "coverage (skin)");
    let mut scores = Vec::new();
    for (path, label) in &portraits {
        let photo = photo(path);
        let map = map(&photo, &RegionRequest::Face, model, &RegionSettings::default());
        let map = map.expect("regions");
        assert_eq!(map.source, RegionSource::Face, "{}", photo.file);
        let s = score(photo.file.clone(), &map, &labels(label)).expect("a face");
        let [r, l, m] = s.error_percent;
        println!(
            "{:14} {r:5.1} {l:5.1} {m:5.1}   {:.3}  ({:.3})   {:.3}  ({:.3})  {}",
            s.name,
            s.purity,
            s.skin_purity,
            s.coverage,
            s.skin_coverage,
            map.notices.join("; ")
        );
        scores.push(s);
    }
    let (tuned, held): (Vec<Score>, Vec<Score>) = scores.into_iter().partition(tuned_on);
    for (name, half) in [("chosen on", &tuned), ("held out", &held)] {
        println!(
            "{way}, {name}: eyes {:.1} %, mouth {:.1} %, purity {:.3} ({:.3}), coverage {:.3} ({:.3})",
            median(half.iter().flat_map(|s| [s.error_percent[0], s.error_percent[1]])),
            median(half.iter().map(|s| s.error_percent[2])),
            mean(half, |s| s.purity),
            mean(half, |s| s.skin_purity),
            mean(half, |s| s.coverage),
            mean(half, |s| s.skin_coverage),
        );
    }
    held
}

fn mean(scores: &[Score], value: fn(&Score) -> f64) -> f64 {
    scores.iter().map(value).sum::<f64>() / scores.len() as f64
}

#[test]
fn labelled_faces_without_a_model() {
    let Some(root) = data() else { return };
    let held = labelled_faces(&root, "no model", None);
    // Floors a little below what this half reached when they were set.
    let eyes = median(held.iter().flat_map(|s| [s.error_percent[0], s.error_percent[1]]));
    let mouth = median(held.iter().map(|s| s.error_percent[2]));
    assert!(eyes < 2.5, "eyes off by {eyes:.1} % of the face");
    assert!(mouth < 3.5, "mouth off by {mouth:.1} % of the face");
    assert!(mean(&held, |s| s.purity) >= 0.98);
    assert!(mean(&held, |s| s.coverage) >= 0.62);
    assert!(held.iter().all(|s| s.purity >= 0.92 && s.coverage >= 0.30));
}

/// What is no face must not be taken for one: parts of the photos beside their faces.
#[test]
fn no_face_in_cloth_walls_and_skin() {
    let Some(root) = data() else { return };
    // Left, top, width, height in shares of the frame: turban, shirt, cheek, suit, hair and wall.
    let crops: [(&str, [f64; 4]); 6] = [
        ("faces/unsplash/04_man_wrinkles_3456x5184.jpg", [0.1, 0.02, 0.8, 0.15]),
        ("faces/unsplash/04_man_wrinkles_3456x5184.jpg", [0.1, 0.68, 0.8, 0.3]),
        ("faces/unsplash/04_man_wrinkles_3456x5184.jpg", [0.36, 0.43, 0.1, 0.08]),
        ("pairs/obama_4sessions/d_whitehouse_1434x2333.jpg", [0.2, 0.35, 0.7, 0.5]),
        ("pairs/obama_4sessions/d_whitehouse_1434x2333.jpg", [0.0, 0.0, 0.4, 0.3]),
        ("faces/unsplash/02_woman_3974x5000.jpg", [0.2, 0.0, 0.6, 0.3]),
    ];
    for (name, [x, y, w, h]) in crops {
        let mut photo = photo(&root.join(name));
        let px = |share: f64, length: usize| (share * length as f64) as usize;
        let (width, height) = (photo.width(), photo.height());
        let window = Window {
            x: px(x, width),
            y: px(y, height),
            width: px(w, width),
            height: px(h, height),
        };
        photo.linear = photo.linear.crop(window);
        let map = map(&photo, &RegionRequest::Face, None, &RegionSettings::default());
        let map = map.expect("regions");
        assert_eq!(map.source, RegionSource::Whole, "{name} {window:?}");
        assert_eq!(map.notices.len(), 1);
    }
}

/// All other faces are found, large, small and dark, and the man's forehead lines stay skin.
#[test]
fn faces_of_all_sizes() {
    let Some(root) = data() else { return };
    // Centre between the eyes, read off by hand, px.
    let faces = [
        ("faces/astronaut_nasa_512.png", [218.0, 107.0], 66.0),
        ("faces/unsplash/02_woman_3974x5000.jpg", [1980.0, 2490.0], 1454.0),
        ("faces/unsplash/04_man_wrinkles_3456x5184.jpg", [1745.0, 1950.0], 1596.0),
        ("pairs/obama_4sessions/a_2008_smile_1314x1752.jpg", [675.0, 685.0], 680.0),
        ("pairs/obama_4sessions/b_2009_neutral_790x1161.png", [386.0, 430.0], 458.0),
    ];
    for (name, eyes, width) in faces {
        let photo = photo(&root.join(name));
        let started = std::time::Instant::now();
        let map = map(&photo, &RegionRequest::Face, None, &RegionSettings::default());
        println!("{name}: {:?}", started.elapsed());
        let map = map.expect("regions");
        let face = map.face.unwrap_or_else(|| panic!("no face in {name}"));
        let middle = [0, 1].map(|k| 0.5 * (face.eyes[0][k] + face.eyes[1][k]));
        let off = (middle[0] - eyes[0]).hypot(middle[1] - eyes[1]) / width;
        assert!(off < 0.04, "{name}: eyes off by {:.1} % of the face", 100.0 * off);
        assert!((0.85..1.15).contains(&(face.width_px / width)), "{name}: {}", face.width_px);
        if name.contains("wrinkles") {
            let forehead = &map.regions[0];
            let (mut all, mut skin) = (0.0, 0.0);
            for y in 0..forehead.window.height {
                for x in 0..forehead.window.width {
                    let (px, py) = (forehead.window.x + x, forehead.window.y + y);
                    // The middle of the forehead, below the turban and above the brows.
                    if (1400..2000).contains(&px) && (1350..1520).contains(&py) {
                        all += 1.0;
                        let at = (px - map.window.x, py - map.window.y);
                        skin += if map.skin.at(at.0, at.1) { 1.0 } else { 0.0 };
                    }
                }
            }
            assert!(skin / all > 0.99, "forehead lines cut out: {:.3} left", skin / all);
        }
    }
}

/// The map is the same for one thread as for many.
#[test]
fn threads_do_not_matter() {
    let Some(root) = data() else { return };
    let photo = photo(&root.join("pairs/obama_4sessions/b_2009_neutral_790x1161.png"));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
        let map = pool.install(|| {
            map(&photo, &RegionRequest::Face, None, &RegionSettings::default()).expect("regions")
        });
        (map.face, map.window, map.skin)
    };
    assert!(run(1) == run(3));
}

#[cfg(feature = "onnx")]
mod model {
    use super::*;

    /// A copy of a model with a shipped sidecar, in a folder of its own.
    fn beside(root: &Path, name: &str, sidecar: &str) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(name);
        std::fs::copy(root.join("onnx").join(name), &path).expect("the model");
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/sidecars").join(sidecar);
        std::fs::copy(shipped, path.with_extension("toml")).expect("the sidecar");
        (folder, path)
    }

    #[test]
    fn labelled_faces_with_the_projects_model() {
        let Some(root) = data() else { return };
        let model = Model::built_in().expect("the model of the project");
        let held = labelled_faces(&root, "face-regions", Some(model));
        assert!(mean(&held, |s| s.purity) >= 0.97);
        assert!(mean(&held, |s| s.coverage) >= 0.60);
    }

    #[test]
    fn labelled_faces_with_landmarks() {
        let Some(root) = data() else { return };
        let (_folder, path) = beside(&root, "zaru_face_landmark.onnx", "face-landmark-468.toml");
        let model = Model::load(&path).expect("a model");
        let held = labelled_faces(&root, "468 landmarks", Some(&model));
        assert!(mean(&held, |s| s.purity) >= 0.97);
    }

    #[test]
    fn a_person_model_keeps_the_face_and_drops_the_wall() {
        let Some(root) = data() else { return };
        let (_folder, path) = beside(&root, "portraitseg_SINet.onnx", "portrait-sinet.toml");
        let model = Model::load(&path).expect("a model");
        let photo = photo(&root.join("pairs/obama_4sessions/b_2009_neutral_790x1161.png"));
        let run = |request: &RegionRequest, model: Option<&Model>| {
            map(&photo, request, model, &RegionSettings::default()).expect("regions")
        };
        let count = |map: &RegionMap| map.skin.data().iter().filter(|&&v| v).count() as f64;

        // A person model calls the whole face person: it takes next to nothing away.
        let (plain, checked) =
            (run(&RegionRequest::Face, None), run(&RegionRequest::Face, Some(&model)));
        assert!(count(&checked) > 0.95 * count(&plain));
        assert!(checked.skin.data().iter().zip(plain.skin.data()).all(|(&c, &p)| p || !c));
        let (name, sha256) = checked.model.expect("a model");
        assert_eq!(name, "portraitseg_SINet.onnx");
        assert_eq!(sha256.len(), 64);

        // In the whole frame the wall at the top goes and the forehead stays.
        let whole = run(&RegionRequest::Whole, Some(&model));
        assert!(!whole.skin.at(40, 40) && !whole.skin.at(750, 40));
        assert!(whole.skin.at(386, 350) && whole.skin.at(386, 700));
    }
}
