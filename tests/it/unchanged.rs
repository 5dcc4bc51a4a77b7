//! Photos of skin that nothing was done to, processed or framed otherwise than the tool was built with: no
//! verdict. Each case once was reported as a change.
//!
//! `cargo test --release --test it -- unchanged --nocapture` prints what is said of each.

use image::RgbImage;
use image::imageops::{FilterType, resize};
use skindelta::change::{ChangeRow, Verdict};
use skindelta::filter::gaussian::blur;
use skindelta::metric::Group;
use skindelta::phantom::{Capture, SkinSpec, camera};
use skindelta::photo::Photo;
use skindelta::plane::{Grid, Plane, Window};
use skindelta::quality::{Check, QualityCheck, Status};
use skindelta::region::{Polygon, RegionRequest};
use skindelta::report::Report;
use skindelta::validate::nuisance::{Nuisance, linear};

use crate::scenes::Sitter;
use crate::shots::{
    self, CLOSEUP_MM_PER_PX, Dice, Form, MAN, Retake, WOMAN, compared, fixture, photo, picture,
    real_face, real_photo, still, two_forms,
};

fn bytes_of(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).expect("a fixture")
}

/// Prints what is said, gives the checks that failed, and asserts that nothing is said to have improved or worsened, and no colour to have
/// changed. (Neutral numbers of texture, for research, may differ: the grey-level matrix counts noise.)
fn says_no_change(case: &str, report: &Report, visit: usize, regions: &[&str]) -> Vec<Check> {
    let rows = || {
        let of = move |row: &&ChangeRow| {
            row.visit == visit && (regions.is_empty() || regions.contains(&row.region.as_str()))
        };
        report.changes.iter().filter(of)
    };
    let told = |row: &&ChangeRow| {
        let colour = row.metric.group == Group::Tone;
        let changed = row.verdict == Verdict::Changed && colour;
        changed || matches!(row.verdict, Verdict::Improved | Verdict::Worsened)
    };
    let wrong: Vec<String> = rows()
        .filter(told)
        .map(|r| format!("{} {} {:?} {:?}", r.region, r.metric.id, r.verdict, r.change_percent))
        .collect();
    let refused = rows().filter(|row| row.verdict == Verdict::NotComparable).count();
    let fired: Vec<String> = report
        .quality
        .iter()
        .filter(|check| check.visit == visit && check.status != Status::Pass)
        .map(|check| {
            format!("{} {:?} {:.2}", check.check, check.status, check.value.unwrap_or(f64::NAN))
        })
        .collect();
    let coarse: Vec<String> = rows()
        .filter(|row| row.metric.id == "texture_coarse")
        .filter_map(|row| Some(format!("{} {:+.1} %", row.region, row.change_percent?)))
        .collect();
    println!(
        "{case}: refused {refused} of {}; {}; coarse texture: {}",
        rows().count(),
        fired.join(", "),
        coarse.join(", ")
    );
    assert!(wrong.is_empty(), "{case}: {wrong:#?}");
    let failed = |check: &&QualityCheck| check.visit == visit && check.status == Status::Fail;
    report.quality.iter().filter(failed).map(|check| check.check).collect()
}

fn each_channel(picture: &RgbImage, f: impl Fn(&Plane) -> Plane) -> RgbImage {
    let (w, h) = (picture.width() as usize, picture.height() as usize);
    let planes = [0, 1, 2].map(|k| {
        f(&Plane::from_fn(w, h, |x, y| f32::from(picture.get_pixel(x as u32, y as u32).0[k])))
    });
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let at = |k: usize| planes[k].at(x as usize, y as usize).round().clamp(0.0, 255.0) as u8;
        image::Rgb([0, 1, 2].map(at))
    })
}

/// Detail beyond a blur of `sigma` px times 1 + `amount`.
fn detail(sigma: f32, amount: f32) -> impl Fn(&Plane) -> Plane {
    move |p| p.zip(&blur(p, sigma), |v, b| v + amount * (v - b))
}

/// The shipped face against itself, processed.
fn processed(form: Form) {
    let before = bytes_of("face_small/before.jpg");
    let picture = picture("face_small/before.jpg");
    let (w, h) = (picture.width(), picture.height());
    let smaller = || resize(&picture, w * 4 / 5, h * 4 / 5, FilterType::CatmullRom);
    let chat = |picture: &RgbImage| camera::jpeg(picture, 75);
    let cases: Vec<(&str, Vec<u8>)> = vec![
        (
            "unsharp mask 2 px, 60 %",
            camera::jpeg(&Nuisance::Sharpened(2.0, 0.6).edit(&picture), 95),
        ),
        ("a chat app", chat(&smaller())),
        ("saved again, JPEG 60", camera::jpeg(&picture, 60)),
        ("clarity +", camera::jpeg(&Nuisance::Clarity(0.3).edit(&picture), 95)),
        ("a smoothing slider", camera::jpeg(&each_channel(&picture, detail(8.0, -0.4)), 95)),
        ("clarity -", camera::jpeg(&Nuisance::Clarity(-0.3).edit(&picture), 95)),
    ];
    let cases: Vec<_> = cases.into_iter().step_by(form.of(2, 1)).collect();
    let after = |(_, bytes): &(_, Vec<u8>)| photo("after.jpg", bytes);
    let photos: Vec<Photo> =
        [photo("before.jpg", &before)].into_iter().chain(cases.iter().map(after)).collect();
    let report = compared(&photos, RegionRequest::Face, Some(0.2));
    for (k, (case, _)) in cases.iter().enumerate() {
        let failed = says_no_change(case, &report, k + 1, &[]);
        if case.starts_with("clarity") || case.starts_with("a smoothing") {
            assert!(failed.contains(&Check::ToneMapping), "{case}: {failed:?}");
        }
    }
}
two_forms!(processed: a_processed_face_is_no_other_skin, a_processed_face_is_no_other_skin_long);

/// A close-up out of focus by much is refused, however much.
fn blurred(form: Form) {
    let picture = picture("closeup/visit-1.jpg");
    let sigmas = form.of(&[2.0, 3.0][..], &[1.0, 2.0, 3.0, 4.0]);
    let after = |sigma: &f32| {
        let after = camera::jpeg(&each_channel(&picture, |p| blur(p, *sigma)), 95);
        photo("after.jpg", &after)
    };
    let before = photo("before.jpg", &bytes_of("closeup/visit-1.jpg"));
    let photos: Vec<Photo> = [before].into_iter().chain(sigmas.iter().map(after)).collect();
    let grid = RegionRequest::Grid { rows: 2, columns: 2 };
    let report = compared(&photos, grid, Some(CLOSEUP_MM_PER_PX));
    for (k, sigma) in sigmas.iter().enumerate() {
        let failed = says_no_change(&format!("blur of {sigma} px"), &report, k + 1, &[]);
        assert!(*sigma < 2.5 || !failed.is_empty(), "blur of {sigma} px");
    }
}
two_forms!(blurred: a_blurred_close_up_is_no_smoother_skin, a_blurred_close_up_is_no_smoother_skin_long);

/// A watermark across one photo of two.
#[test]
fn a_watermark_is_no_skin() {
    let before = picture("face_small/before.jpg");
    let mut after = before.clone();
    // White bars of letters' width, aslant, a third of them opaque.
    for (x, y, pixel) in after.enumerate_pixels_mut() {
        let (along, across) = ((x + y) % 90, (x + 3 * y) % 400);
        if along < 9 && across < 160 {
            pixel.0 = pixel.0.map(|v| v + ((255 - v) as f32 * 0.3) as u8);
        }
    }
    let [before, after] =
        [before, after].map(|picture| photo("face.jpg", &camera::jpeg(&picture, 95)));
    let report = compared([&before, &after], RegionRequest::Face, Some(0.2));
    assert!(says_no_change("watermark", &report, 1, &[]).contains(&Check::Edited));
}

/// Means of the pixels that each of a smaller picture covers.
fn by_area(plane: &Plane, factor: f64) -> Plane {
    let [w, h] = [plane.width(), plane.height()].map(|n| (n as f64 * factor) as usize);
    let parts = |i: usize, n: usize| {
        let (low, high) = (i as f64 / factor, (i + 1) as f64 / factor);
        let covered = move |k: usize| (high.min(k as f64 + 1.0) - low.max(k as f64)) as f32;
        (low as usize..(high.ceil() as usize).min(n))
            .map(move |k| (k, covered(k)))
            .collect::<Vec<_>>()
    };
    let columns: Vec<_> = (0..w).map(|x| parts(x, plane.width())).collect();
    Plane::from_fn(w, h, |x, y| {
        let (mut sum, mut all) = (0.0, 0.0);
        for (j, v) in parts(y, plane.height()) {
            for &(i, u) in &columns[x] {
                sum += u * v * plane.at(i, j);
                all += u * v;
            }
        }
        sum / all
    })
}

/// The man's face, linear light, 2150 × 2400 px; none without the data.
fn man() -> Option<[Plane; 3]> {
    let whole = real_photo(MAN)?;
    Some([0, 1, 2].map(|k| {
        Plane::from_fn(2150, 2400, |x, y| {
            f32::from(whole.linear.at(700 + x, 1050 + y)[k]) / 65535.0
        })
    }))
}

/// The same taken by a portrait lens: sharp in an ellipse on his face.
fn portrait(planes: &[Plane; 3]) -> [Plane; 3] {
    let (w, h) = (planes[0].width(), planes[0].height());
    let inside = Plane::from_fn(w, h, |x, y| {
        let u = (x as f64 - 0.42 * w as f64) / (0.30 * w as f64);
        let v = (y as f64 - 0.50 * h as f64) / (0.36 * h as f64);
        f32::from(u8::from(u.hypot(v) <= 1.0))
    });
    let mask = blur(&inside, 40.0);
    planes.each_ref().map(|p| {
        let soft = blur(p, 12.0);
        Plane::from_fn(w, h, |x, y| soft.at(x, y) + mask.at(x, y) * (p.at(x, y) - soft.at(x, y)))
    })
}

/// Factor by which he is made smaller.
const SMALLER: f64 = 0.6;
const MAN_MM_PER_PX: f64 = 0.1462;
/// His cheek and forehead with some skin around, of the smaller picture: the frame of the short form.
const CHEEK_AND_FOREHEAD: Window = Window { x: 150, y: 120, width: 820, height: 820 };

/// Made smaller, in the short form cut.
fn framed(planes: &[Plane; 3], form: Form) -> [Plane; 3] {
    planes.each_ref().map(|p| {
        let small = by_area(p, SMALLER);
        form.of(small.crop(CHEEK_AND_FOREHEAD), small)
    })
}

/// Where cheek and forehead lie on such a frame: left, right, top, bottom.
fn man_places(form: Form) -> [(&'static str, [f64; 4]); 2] {
    let [x, y] = form.of([CHEEK_AND_FOREHEAD.x as f64, CHEEK_AND_FOREHEAD.y as f64], [0.0; 2]);
    [("cheek", [360.0, 740.0, 1070.0, 1470.0]), ("forehead", [630.0, 1500.0, 300.0, 610.0])].map(
        |(name, [left, right, top, bottom])| {
            let across = [left, right].map(|v: f64| SMALLER * v - x);
            let down = [top, bottom].map(|v: f64| SMALLER * v - y);
            (name, [across[0], across[1], down[0], down[1]])
        },
    )
}

fn man_polygons(form: Form) -> RegionRequest {
    let polygons = man_places(form).map(|(name, [left, right, top, bottom])| Polygon {
        name: name.into(),
        points: vec![[left, top], [right, top], [right, bottom], [left, bottom]],
    });
    RegionRequest::Polygons(polygons.to_vec())
}

/// A photo of linear light with noise of .002.
fn shot(planes: &[Plane; 3], seed: u64, quality: u8) -> Photo {
    let (w, h) = (planes[0].width(), planes[0].height());
    let seen = Grid::from_fn(w, h, |x, y| {
        let mut own = Dice::new((seed << 40) ^ ((y * w + x) as u64));
        [0, 1, 2].map(|k| {
            let normal = (0..6).map(|_| own.about(1.0)).sum::<f64>() / 2f64.sqrt();
            planes[k].at(x, y) + 0.002 * normal as f32
        })
    });
    photo("man.jpg", &shots::jpeg(&seen, quality))
}

/// A lens that blurs the background in both photos, light that falls to a sixteenth across the frame; a phone's
/// denoising. The long form has the regions of his face.
fn portraits(form: Form) {
    let Some(man) = man() else { return };
    let lens = portrait(&man);
    let width = lens[0].width() as f64;
    let dark = lens.each_ref().map(|p| {
        Plane::from_fn(p.width(), p.height(), |x, y| {
            p.at(x, y) * (1.0f64 / 16.0).powf(x as f64 / width) as f32
        })
    });
    let [lens, dark, man] = [&lens, &dark, &man].map(|planes| framed(planes, form));
    for (case, planes) in [("portrait lens", &lens), ("light to 1/16", &dark)] {
        let photos = [(1, 95), (2, 94)].map(|(seed, quality)| shot(planes, seed, quality));
        let report = compared(&photos, man_polygons(form), Some(MAN_MM_PER_PX));
        says_no_change(case, &report, 1, &[]);
        for region in ["cheek", "forehead"] {
            let mut rows = report.changes.iter();
            let row = rows.find(|r| r.metric.id == "texture_coarse" && r.region == region);
            let change = row.and_then(|row| row.change_percent).expect("a measured texture");
            assert!(change.abs() < 3.0, "{case} {region}: {change}");
        }
    }
    let regions = form.of(man_polygons(form), RegionRequest::Face);
    let soft = dark.each_ref().map(|p| blur(p, 0.8));
    let photos = [shot(&dark, 1, 95), shot(&soft, 2, 94)];
    let report = compared(&photos, regions.clone(), Some(MAN_MM_PER_PX));
    says_no_change("light to 1/16, blur .8 px", &report, 1, &[]);
    let photos = [(Nuisance::Again, 11), (Nuisance::NonLocal(6.0), 12)]
        .map(|(nuisance, seed)| photo("man.jpg", &nuisance.shoot(&man, seed)));
    let report = compared(&photos, regions, Some(MAN_MM_PER_PX));
    says_no_change("denoised by a phone", &report, 1, &[]);
}
two_forms!(portraits: a_portrait_lens_and_uneven_light_in_both_photos_change_nothing,
    a_portrait_lens_and_uneven_light_in_both_photos_change_nothing_long);

/// One cheek's fine detail made weaker: it reads within 3 points or is refused, and no other region moves.
fn treated_cheek(form: Form) {
    let Some(man) = man() else { return };
    let man = framed(&man, form);
    let [(_, [left, right, top, bottom]), _] = man_places(form);
    let treated = |factor: f64| {
        man.each_ref().map(|p| {
            let log = p.map(|v| v.max(1e-4).ln());
            let slow = blur(&log, 30.0);
            Plane::from_fn(p.width(), p.height(), |x, y| {
                let outside = |v: f64, low: f64, high: f64| (low - v).max(v - high).max(0.0);
                let (x_off, y_off) =
                    (outside(x as f64, left, right), outside(y as f64, top, bottom));
                let part = (1.0 - x_off.hypot(y_off) / 40.0).max(0.0);
                let gain = 1.0 + part * (factor - 1.0);
                (slow.at(x, y) + gain as f32 * (log.at(x, y) - slow.at(x, y))).exp()
            })
        })
    };
    let before = shot(&man, 1, 95);
    for factor in form.of(&[0.8][..], &[0.65, 0.8]) {
        let after = treated(*factor);
        let blurred = after.each_ref().map(|p| blur(p, 0.5));
        let deep = Nuisance::DepthOfField(1.2).optics(&after);
        let cases = [
            ("alone", &after, 94),
            ("blur .5", &blurred, 94),
            ("JPEG 85", &after, 85),
            ("depth of field", &deep, 94),
        ];
        let after = |case: &(_, &[Plane; 3], u8)| shot(case.1, 2, case.2);
        let photos: Vec<Photo> =
            [before.clone()].into_iter().chain(cases.iter().map(after)).collect();
        let report = compared(&photos, man_polygons(form), Some(MAN_MM_PER_PX));
        for (k, (case, ..)) in cases.iter().enumerate() {
            says_no_change(&format!("cheek x {factor}, {case}"), &report, k + 1, &["forehead"]);
            let mut rows = report.changes.iter().filter(|r| r.visit == k + 1);
            let row = rows.find(|r| r.metric.id == "texture_coarse" && r.region == "cheek");
            let told = row.and_then(|row| row.change_percent);
            println!("cheek x {factor}, {case}: {told:?}");
            let truth = 100.0 * (factor - 1.0);
            assert!(told.is_none_or(|told| (told - truth).abs() <= 3.0), "{case}: {told:?}");
            assert!(told.is_some() || *case != "alone", "{case}: refused");
        }
    }
}
two_forms!(treated_cheek: one_treated_cheek_moves_no_other_region,
    one_treated_cheek_moves_no_other_region_long);

/// Dark skin lit from one side, 8 px/mm, out of focus by little.
#[test]
fn a_little_blur_on_dark_skin_is_no_change() {
    let skin = Sitter::patch(SkinSpec {
        seed: 911,
        tone: 6,
        size_mm: [110.0, 85.0],
        samples_per_mm: 16.0,
        ..Default::default()
    });
    let png = skin.plain(&Capture {
        px_per_mm: 8.0,
        width_px: 840,
        height_px: 640,
        light_azimuth_deg: 170.0,
        light_elevation_deg: 30.0,
        noise: 0.0,
        jpeg_quality: None,
        ..Capture::default()
    });
    let scene = linear(&image::load_from_memory(&png).expect("a PNG").into_rgb8());
    let half = |name: &str, left: f64| Polygon {
        name: name.into(),
        points: vec![[left, 100.0], [left + 300.0, 100.0], [left + 300.0, 450.0], [left, 450.0]],
    };
    let regions = RegionRequest::Polygons(vec![half("left", 60.0), half("right", 400.0)]);
    let nuisances = [Nuisance::Again, Nuisance::Gaussian(0.5), Nuisance::Gaussian(0.8)];
    let photos: Vec<Photo> = (21..)
        .zip(&nuisances)
        .map(|(seed, nuisance)| photo("dark.jpg", &nuisance.shoot(&scene, seed)))
        .collect();
    let report = compared(&photos, regions, Some(1.0 / 8.0));
    for (visit, nuisance) in nuisances.iter().enumerate().skip(1) {
        says_no_change(&format!("dark skin, {nuisance:?}"), &report, visit, &[]);
    }
}

/// A face that reddened all over, held against its other skin, is not said to be as it was. Colour needs no
/// detail: the short form has a third of the pixels on a mm.
fn reddened(form: Form) {
    for file in form.of(&[MAN][..], &[MAN, WOMAN]) {
        let Some(source) = real_face(file) else { return };
        let source = form.of(source.reduced(3), source);
        let redder = form.of(&[3.0][..], &[1.5, 3.0, 6.0]);
        let after = |redder: &f64| {
            // Redder by so many a*: 1 a* is some 1.4 % of green and blue.
            let share = 1.0 - 0.014 * redder;
            Retake { balance: [1.0, share, share], ..still(&source, 2) }
        };
        let shots = [still(&source, 1)].into_iter().chain(redder.iter().map(after));
        let photos: Vec<Photo> =
            shots.map(|shot| photo("face.jpg", &shot.shoot(&source))).collect();
        let report = compared(&photos, RegionRequest::Face, Some(source.mm_per_px));
        for (k, redder) in redder.iter().enumerate() {
            let tone: Vec<_> = report
                .changes
                .iter()
                .filter(|row| row.visit == k + 1)
                .filter(|row| ["lightness", "redness", "yellowness"].contains(&row.metric.id))
                .collect();
            let silent = |v| matches!(v, Verdict::Unchanged | Verdict::Inconclusive);
            let unchanged = tone.iter().filter(|row| silent(row.verdict)).count();
            let all = tone.len();
            println!("{} redder by {redder} a*: {unchanged} of {all} rows unchanged", source.name);
            assert!(all > 20 && unchanged == 0, "{unchanged} of {all}");
        }
    }
}
two_forms!(reddened: a_face_that_reddened_all_over_is_not_called_unchanged,
    a_face_that_reddened_all_over_is_not_called_unchanged_long);
