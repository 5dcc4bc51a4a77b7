//! Photos that lie on their side, upside down or mirrored, with no word of it in their files.

use skindelta::align::AlignmentStatus;
use skindelta::analyze::{Request, analyze_series};
use skindelta::photo::Photo;
use skindelta::photo::turn::Turn;
use skindelta::plane::Grid;
use skindelta::region::{NO_FACE, RegionRequest, RegionSource};
use skindelta::report::Report;
use skindelta::series::{ScaleSource, Series, Visit};
use skindelta::settings::PhotoSettings;
use std::path::{Path, PathBuf};

#[path = "../src/region/data.rs"]
mod data;
use data::data;

fn fixture(name: &str) -> Photo {
    open(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name))
}

fn open(path: &Path) -> Photo {
    Photo::open(path, &PhotoSettings::default()).expect("a photo")
}

/// A photo as its file would be read if it lay turned: no notice says so.
fn laid(photo: &Photo, mirrored: bool, quarters: u8) -> Photo {
    Photo { notices: Vec::new(), ..photo.turned(Turn { mirrored, quarters }) }
}

fn compared(photos: [Photo; 2], regions: RegionRequest, mm_per_px: Option<f64>) -> Report {
    let visit = |photo| Visit { label: String::new(), date: None, photo };
    let request = Request {
        regions,
        scale: mm_per_px.map(|mm| (mm, ScaleSource::Argument)),
        ..Request::new(Vec::<PathBuf>::new())
    };
    let series = Series { visits: photos.into_iter().map(visit).collect() };
    analyze_series(series, &request).expect("a report").report
}

/// A follow-up of a close-up is turned back, and then measured as if it had never been turned.
#[test]
fn a_close_up_is_turned_and_mirrored_back() {
    let [before, after] = ["closeup/visit-0.jpg", "closeup/visit-1.jpg"].map(fixture);
    let compare = |after| compared([before.clone(), after], RegionRequest::Whole, Some(1.0 / 14.0));
    let values = |report: &Report| -> Vec<_> {
        report.changes.iter().map(|row| (row.metric, row.change, row.ci95)).collect()
    };
    let upright = compare(after.clone());
    let turns = [
        (false, 1, "the photo lies on its side; it was turned by 90° counter-clockwise"),
        (true, 0, "the photo is mirrored; it was mirrored back"),
        (
            true,
            3,
            "the photo is mirrored and lies on its side; it was mirrored back and turned by 90° \
             counter-clockwise",
        ),
    ];
    for (mirrored, quarters, notice) in turns {
        let report = compare(laid(&after, mirrored, quarters));
        let wanted = format!("visit-1.jpg: {notice}");
        assert!(report.notices.contains(&wanted), "{wanted}: {:?}", report.notices);
        assert_eq!((report.photos[1].width_px, report.photos[1].height_px), (900, 700));
        assert!(values(&report) == values(&upright), "{notice}");
    }
}

/// Two photos of a face, both turned, are turned upright; a selfie's mirror image is mirrored back.
#[test]
fn faces_are_turned_upright_and_mirrored_back() {
    let [before, after] = ["face/before.jpg", "face/after.jpg"].map(fixture);
    let compare = |pair| compared(pair, RegionRequest::Face, None);
    let report = compare([laid(&before, false, 1), laid(&after, false, 2)]);
    assert_eq!(report.regions.source, RegionSource::Face);
    assert!(report.alignment[0].status != AlignmentStatus::Failed, "{:?}", report.alignment[0]);
    for notice in [
        "before.jpg: the photo lies on its side; it was turned by 90° counter-clockwise",
        "after.jpg: the photo is upside down; it was turned by 180°",
    ] {
        assert!(report.notices.iter().any(|n| n == notice), "{:?}", report.notices);
    }
    let mirrored = compare([before.clone(), laid(&after, true, 0)]);
    let notice = "after.jpg: the photo is mirrored; it was mirrored back";
    assert!(mirrored.notices.iter().any(|n| n == notice), "{:?}", mirrored.notices);
    let residual = |report: &Report| report.alignment[0].residual_median_px.expect("aligned");
    let upright = compare([before, after]);
    assert!(residual(&mirrored) < 1.2 * residual(&upright) + 0.02);
}

/// Real faces are no more like their mirror image than like a stranger.
#[test]
fn a_real_face_is_not_taken_for_its_mirror_image() {
    let Some(folder) = data("faces/unsplash") else { return };
    for name in ["02_woman_3974x5000.jpg", "04_man_wrinkles_3456x5184.jpg"] {
        let mut photo = open(&folder.join(name));
        let linear = &photo.linear;
        photo.linear = Grid::from_fn(linear.width() / 5, linear.height() / 5, |x, y| {
            [0, 1, 2].map(|k| {
                let part = (0..25).map(|i| u32::from(linear.at(5 * x + i % 5, 5 * y + i / 5)[k]));
                (part.sum::<u32>() / 25) as u16
            })
        });
        let report = compared([photo.clone(), laid(&photo, true, 0)], RegionRequest::Face, None);
        let notice = format!("{name}: the photo is mirrored; it was mirrored back");
        assert!(report.notices.contains(&notice), "{:?} {:?}", report.notices, report.alignment[0]);
        assert!(report.alignment[0].status == AlignmentStatus::Aligned);
    }
}

/// Skin without a face shows none in any turn of it, and the report warns.
#[test]
fn close_ups_show_no_face() {
    let pair = ["closeup/visit-0.jpg", "closeup/visit-3.jpg"].map(fixture);
    let report = compared(pair, RegionRequest::Face, Some(1.0 / 14.0));
    assert_eq!(report.regions.source, RegionSource::Whole);
    assert_eq!(report.warnings().collect::<Vec<_>>(), [NO_FACE]);
}
