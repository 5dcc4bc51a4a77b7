//! Photos that lie on their side, upside down or mirrored, with no word of it in their files.

use skindelta::align::AlignmentStatus;
use skindelta::notice::Notice;
use skindelta::photo::Photo;
use skindelta::photo::turn::Turn;
use skindelta::region::{RegionRequest, RegionSource};
use skindelta::report::Report;

use crate::shots::{
    CLOSEUP_MM_PER_PX, MAN, WOMAN, compared, fixture, middle, open, photo, png, real_photo, reduced,
};

/// A photo as its file would be read if it lay turned: no notice says so.
fn laid(photo: &Photo, mirrored: bool, quarters: u8) -> Photo {
    Photo { notices: Vec::new(), ..photo.turned(Turn { mirrored, quarters }) }
}

fn smaller(photo: &Photo, factor: usize) -> Photo {
    Photo { linear: reduced(&photo.linear, factor), ..photo.clone() }
}

/// A follow-up of a close-up is turned back, and then measured as if it had never been turned.
#[test]
fn a_close_up_is_turned_and_mirrored_back() {
    let [before, after] = [0, 1].map(|k| photo(&format!("visit-{k}.jpg"), &png(&middle(k))));
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
    let turned = turns.map(|(mirrored, quarters, _)| laid(&after, mirrored, quarters));
    let photos = [&before, &after].into_iter().chain(&turned);
    let report = compared(photos, RegionRequest::Whole, Some(CLOSEUP_MM_PER_PX));
    let values = |visit: usize| -> Vec<_> {
        let rows = report.changes.iter().filter(|row| row.visit == visit);
        rows.map(|row| (row.metric.id, row.change, row.ci95)).collect()
    };
    for (visit, (.., notice)) in (2..).zip(turns) {
        let wanted = format!("visit-1.jpg: {notice}");
        assert!(report.notices.contains(&wanted), "{wanted}: {:?}", report.notices);
        assert_eq!((report.photos[visit].width_px, report.photos[visit].height_px), (640, 500));
        assert!(values(visit) == values(1), "{notice}");
    }
}

/// Two photos of a face, both turned, are turned upright; a selfie's mirror image is mirrored back.
#[test]
fn faces_are_turned_upright_and_mirrored_back() {
    let [before, after] = ["face_small/before.jpg", "face_small/after.jpg"]
        .map(|name| smaller(&open(&fixture(name)), 2));
    let compare = |pair: [Photo; 2]| compared(&pair, RegionRequest::Face, None);
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
    for file in [WOMAN, MAN] {
        let Some(photo) = real_photo(file) else { return };
        let photo = smaller(&photo, 5);
        let report = compared([&photo, &laid(&photo, true, 0)], RegionRequest::Face, None);
        let notice = format!("{}: the photo is mirrored; it was mirrored back", photo.file);
        assert!(report.notices.contains(&notice), "{:?} {:?}", report.notices, report.alignment[0]);
        assert!(report.alignment[0].status == AlignmentStatus::Aligned);
    }
}

/// Skin without a face shows none in any turn of it, and the report warns.
#[test]
fn close_ups_show_no_face() {
    let pair = [0, 3].map(|k| photo("close-up.png", &png(&middle(k))));
    let report = compared(&pair, RegionRequest::Face, Some(CLOSEUP_MM_PER_PX));
    assert_eq!(report.regions.source, RegionSource::Whole);
    assert_eq!(report.warnings().collect::<Vec<_>>(), [Notice::NoFace.to_string()]);
}
