//! What is no photo of skin is not measured: bars, boxes, corners, walls, stamps, watermarks.

use crate::scenes::Sitter;
use crate::shots::{
    CLOSEUP_MM_PER_PX, Form, compared, mapped, middle, photo, picture, png, two_forms,
};
use image::{DynamicImage, Rgb, RgbImage};
use skindelta::change::Verdict;
use skindelta::phantom::{Capture, SkinSpec, camera};
use skindelta::photo::Photo;
use skindelta::region::{Polygon, RegionRequest};
use skindelta::report::Report;
use skindelta::rng::Rng;

/// A file as an editor saves it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum File {
    Png,
    Jpeg,
}

const FILES: [File; 2] = [File::Png, File::Jpeg];

fn saved(picture: &RgbImage, file: File) -> Photo {
    let bytes = match file {
        File::Jpeg => camera::jpeg(picture, 92),
        File::Png => png(picture),
    };
    photo("photo", &bytes)
}

/// The middle of a close-up against pictures, each saved both ways, in cells as large as a quarter of the close-up.
fn closeup(before: &RgbImage, afters: &[RgbImage]) -> Report {
    let saved_twice = afters.iter().flat_map(|after| FILES.map(|file| saved(after, file)));
    let photos: Vec<Photo> = [saved(before, File::Jpeg)].into_iter().chain(saved_twice).collect();
    compared(&photos, RegionRequest::Grid { rows: 1, columns: 2 }, Some(CLOSEUP_MM_PER_PX))
}

/// Rows with a verdict that says something changed, and the largest of them in percent.
fn verdicts(report: &Report) -> Vec<String> {
    let told = report
        .changes
        .iter()
        .filter(|c| matches!(c.verdict, Verdict::Improved | Verdict::Worsened | Verdict::Changed));
    told.map(|c| {
        format!("{} {} {} {:?} {:?}", c.visit, c.region, c.metric.id, c.verdict, c.change_percent)
    })
    .collect()
}

fn worsened(report: &Report) -> Vec<String> {
    verdicts(report).into_iter().filter(|v| v.contains("Worsened")).collect()
}

fn fill(picture: &mut RgbImage, [left, top, right, bottom]: [u32; 4], colour: [u8; 3]) {
    for y in top..bottom.min(picture.height()) {
        for x in left..right.min(picture.width()) {
            picture.put_pixel(x, y, Rgb(colour));
        }
    }
}

/// The picture turned by `degrees` about its middle, black where it shows nothing.
fn straightened(picture: &RgbImage, degrees: f64) -> RgbImage {
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (w, h) = (f64::from(picture.width()), f64::from(picture.height()));
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (u, v) = (f64::from(x) - w / 2.0, f64::from(y) - h / 2.0);
        let (x, y) = (cos * u - sin * v + w / 2.0, sin * u + cos * v + h / 2.0);
        if x < 0.0 || y < 0.0 || x >= w - 1.0 || y >= h - 1.0 {
            return Rgb([0; 3]);
        }
        let (i, j) = (x.floor(), y.floor());
        let (a, b) = (x - i, y - j);
        let at = |dx: u32, dy: u32| picture.get_pixel(i as u32 + dx, j as u32 + dy).0;
        let corners = [at(0, 0), at(1, 0), at(0, 1), at(1, 1)];
        let weights = [(1.0 - a) * (1.0 - b), a * (1.0 - b), (1.0 - a) * b, a * b];
        Rgb([0, 1, 2].map(|k| {
            let sum: f64 = corners.iter().zip(weights).map(|(c, w)| f64::from(c[k]) * w).sum();
            sum.round() as u8
        }))
    })
}

/// Black corners made 12 metrics of the close-up "worsened"; visit 1 is a little better in truth.
#[test]
fn corners_of_a_straightened_photo_change_nothing() {
    let report = closeup(&middle(0), &[straightened(&middle(1), 2.0)]);
    assert_eq!(worsened(&report), [""; 0]);
}

/// Of two photos with a grey lower half nothing is told there, and nothing false above.
#[test]
fn half_a_photo_painted_grey_is_not_measured() {
    let [before, after] = [0, 1].map(|visit| {
        let mut picture = middle(visit);
        let (w, h) = picture.dimensions();
        fill(&mut picture, [0, h / 2, w, h], [128; 3]);
        picture
    });
    for file in FILES {
        let photos = [saved(&before, file), saved(&after, file)];
        let rows = RegionRequest::Grid { rows: 2, columns: 1 };
        let report = compared(&photos, rows, Some(CLOSEUP_MM_PER_PX));
        assert_eq!(worsened(&report), [""; 0], "{file:?}");
        for row in report.changes.iter().filter(|c| c.region.starts_with("r2")) {
            assert_eq!(row.verdict, Verdict::NotComparable, "{file:?}: {row:?}");
        }
        for row in report.measurements.iter().filter(|m| m.region.starts_with("r2")) {
            assert!(row.value.is_none(), "{file:?}: {row:?}");
        }
    }
}

/// Bars in the follow-up, white and black, beside the photo and over it.
#[test]
fn bars_and_frames_change_nothing() {
    let after = middle(1);
    let (w, h) = after.dimensions();
    let mut framed = RgbImage::from_pixel(w + 240, h + 160, Rgb([255; 3]));
    image::imageops::replace(&mut framed, &after, 120, 80);
    let mut barred = after.clone();
    fill(&mut barred, [0, 0, w, 70], [0; 3]);
    fill(&mut barred, [0, h - 70, w, h], [0; 3]);
    let report = closeup(&middle(0), &[framed, barred]);
    assert_eq!(worsened(&report), [""; 0]);
    for visit in 1..=4 {
        let told = verdicts(&report).into_iter().any(|v| v.starts_with(&format!("{visit} ")));
        assert!(told, "visit {visit}: the skin beside is measured");
    }
}

#[test]
fn a_bar_over_the_eyes_changes_nothing() {
    let before = picture("face_small/before.jpg");
    let (w, h) = before.dimensions();
    let barred = [[0.30, 0.42], [0.38, 0.46]].map(|[top, bottom]| {
        let mut after = before.clone();
        let row = |share: f64| (share * f64::from(h)) as u32;
        fill(&mut after, [w / 6, row(top), w * 5 / 6, row(bottom)], [0; 3]);
        saved(&after, File::Jpeg)
    });
    let [upper, lower] = &barred;
    let photos = [&saved(&before, File::Png), upper, lower];
    assert_eq!(verdicts(&compared(photos, RegionRequest::Face, None)), [""; 0]);
}

/// Skin in front of a wall that is another one at each visit: its focus, noise and likeness are none
/// of the skin's.
#[test]
fn a_wall_around_polygons_does_not_count() {
    let on_a_wall = |face: &RgbImage, seed: u64| {
        let (w, h) = face.dimensions();
        let mut picture = RgbImage::from_fn(w + 800, h + 600, |x, y| {
            let cell =
                |k: u32| Rng::at(100 * seed + u64::from(k), i64::from(x / k), i64::from(y / k));
            let grain = [5, 13].map(|k| cell(k).below(32));
            Rgb([100 + (grain[0] + grain[1]) as u8; 3])
        });
        image::imageops::replace(&mut picture, face, 400, 300);
        picture
    };
    let before = on_a_wall(&picture("face_small/before.jpg"), 1);
    let after = on_a_wall(&picture("face_small/after.jpg"), 2);
    let square = |name: &str, [x, y, w, h]: [f64; 4]| Polygon {
        name: name.into(),
        points: vec![[x, y], [x + w, y], [x + w, y + h], [x, y + h]],
    };
    let list = vec![
        square("forehead", [780.0, 530.0, 240.0, 110.0]),
        square("right", [670.0, 940.0, 140.0, 150.0]),
        square("left", [990.0, 940.0, 140.0, 150.0]),
    ];
    let photos = [saved(&before, File::Jpeg), saved(&after, File::Jpeg)];
    let report = compared(&photos, RegionRequest::Polygons(list), Some(0.2));
    let row = report.changes.iter().find(|c| c.region == "left" && c.metric.id == "texture_coarse");
    assert!(row.expect("a row").change_percent.is_some_and(|c| c < -3.0), "{row:?}");
    assert_eq!(worsened(&report), [""; 0]);
}

/// A frame full of skin loses nothing, whatever its tone, light, marks and noise, all of which follow from the
/// remainder of the seed by six.
fn close_up(form: Form) {
    for seed in 0..form.of(6, 12u64) {
        let tone = 1 + (seed % 6) as u8;
        let spec = SkinSpec {
            seed: 70 + seed,
            tone,
            spots: 12,
            freckle_density: 6.0,
            scars: 4,
            wrinkle_depth_mm: [0.2, 1.0],
            ..SkinSpec::default()
        };
        let capture = Capture {
            width_px: 500,
            height_px: 400,
            noise: if seed % 2 == 0 { 0.0 } else { 3.0 },
            jpeg_quality: (seed % 3 > 0).then_some(80),
            gradient: [0.5, -0.3],
            white_balance: [1.0, 1.0, 1.0 + 0.1 * (seed % 3) as f64],
            exposure_stops: -1.0 + 0.25 * (seed % 6) as f64,
            seed,
            ..Capture::default()
        };
        let small = SkinSpec { size_mm: [46.0, 38.0], ..spec };
        let bytes = Sitter::patch(small).plain(&capture);
        let photo = photo("skin", &bytes);
        assert!(photo.flat.is_empty(), "seed {seed}");
        let map = mapped(&photo, &RegionRequest::Whole, None);
        assert!(map.skin.data().iter().all(|v| *v), "seed {seed}, tone {tone}");
    }
}

two_forms!(close_up: a_close_up_of_skin_loses_nothing, a_close_up_of_skin_loses_nothing_long);

#[test]
fn a_black_and_white_follow_up_is_refused() {
    let after = DynamicImage::ImageRgb8(middle(1)).to_luma8();
    let after = DynamicImage::ImageLuma8(after).to_rgb8();
    let report = closeup(&middle(0), &[after]);
    assert!(report.changes.iter().all(|c| c.verdict == Verdict::NotComparable));
}
