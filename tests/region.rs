//! Regions and skin against hand-made labels of real faces.
//!
//! The photos are not in the repository: `SKINDELTA_DATA` names their folder (default
//! `../shared/data`), and what needs them says so and returns where they are absent.

use skindelta::photo::Photo;
use skindelta::plane::Grid;
use skindelta::region::{RegionMap, RegionRequest, RegionSource, WHOLE, map};
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

/// Whether the settings were tuned with this face in view: the lower half of each set's numbers.
fn tuned_on(score: &Score) -> bool {
    let digits = score.name.chars().skip_while(|c| !c.is_ascii_digit());
    let number: String = digits.take_while(char::is_ascii_digit).collect();
    let last = if score.name.starts_with('p') { 4 } else { 10 };
    number.parse::<u32>().expect("a number in the name") <= last
}

#[test]
fn labelled_faces() {
    let Some(root) = data() else { return };
    let portraits = portraits(&root);
    assert_eq!(portraits.len(), 36);
    println!("{:14} {:>18} {:>17} {:>17}", "", "eyes, mouth %", "purity (skin)", "coverage (skin)");
    let mut scores = Vec::new();
    for (path, label) in &portraits {
        let photo = photo(path);
        let map = map(&photo, &RegionRequest::Face, None, &RegionSettings::default());
        let map = map.expect("regions");
        assert_eq!(map.source, RegionSource::Face, "{}", photo.file);
        let s = score(photo.file.clone(), &map, &labels(label)).expect("a face");
        let [r, l, m] = s.error_percent;
        println!(
            "{:14} {r:5.1} {l:5.1} {m:5.1}   {:.3}  ({:.3})   {:.3}  ({:.3})",
            s.name, s.purity, s.skin_purity, s.coverage, s.skin_coverage
        );
        scores.push(s);
    }
    let (tuned, held_out): (Vec<&Score>, Vec<&Score>) = scores.iter().partition(|s| tuned_on(s));
    let mean = |half: &[&Score], value: fn(&Score) -> f64| {
        half.iter().map(|s| value(s)).sum::<f64>() / half.len() as f64
    };
    for (name, half) in [("tuned on", &tuned), ("held out", &held_out)] {
        println!(
            "{name}: eyes {:.1} %, mouth {:.1} %, purity {:.3} ({:.3}), coverage {:.3} ({:.3})",
            median(half.iter().flat_map(|s| [s.error_percent[0], s.error_percent[1]])),
            median(half.iter().map(|s| s.error_percent[2])),
            mean(half, |s| s.purity),
            mean(half, |s| s.skin_purity),
            mean(half, |s| s.coverage),
            mean(half, |s| s.skin_coverage),
        );
    }
}
