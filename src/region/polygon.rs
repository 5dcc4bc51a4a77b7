//! Region files: named polygons in baseline pixels, and the pixels they cover.
//!
//! `{"regions": [{"name": "scar_1", "polygon": [[x, y], …]}]}`

use super::{Polygon, WHOLE};
use crate::error::{Error, Result, Step};
use crate::plane::{Mask, Window};
use serde::Deserialize;
use std::path::Path;

/// Regions that one map of 8-bit labels can hold.
pub const MAX_REGIONS: usize = 255;
/// Coordinates beyond this lie outside any photo, px.
const MAX_COORDINATE: f64 = 1e6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionFile {
    regions: Vec<RegionEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RegionEntry {
    name: String,
    polygon: Vec<[f64; 2]>,
}

/// Reads a region file, in its order.
///
/// # Errors
/// A file that cannot be read; JSON that is not of this form, with its line; a name that is not
/// `[a-z0-9_]+`, is taken or reserved; fewer than three corners; no region or more than
/// [`MAX_REGIONS`]; coordinates beyond any photo.
pub fn read(path: &Path) -> Result<Vec<Polygon>> {
    let text =
        std::fs::read_to_string(path).map_err(|cause| Error::wrap(path, Step::Read, cause))?;
    parse(path, &text)
}

/// The polygons in the text of a file; `path` only names it.
fn parse(path: &Path, text: &str) -> Result<Vec<Polygon>> {
    let file =
        serde_json::from_str(text).map_err(|cause| Error::wrap(path, Step::Region, cause))?;
    checked(file).map_err(|why| Error::new(path, Step::Region, why))
}

fn checked(file: RegionFile) -> Result<Vec<Polygon>, String> {
    if file.regions.is_empty() {
        return Err("no region in it".into());
    }
    if file.regions.len() > MAX_REGIONS {
        return Err(format!("{} regions; at most {MAX_REGIONS}", file.regions.len()));
    }
    let mut polygons: Vec<Polygon> = Vec::with_capacity(file.regions.len());
    for RegionEntry { name, polygon: points } in file.regions {
        let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
        if name.is_empty() || !name.bytes().all(allowed) {
            return Err(format!("region name {name:?}: use a-z, 0-9 and _"));
        }
        if name == WHOLE {
            return Err(format!("region name {WHOLE:?} is reserved for all skin; choose another"));
        }
        if polygons.iter().any(|other| other.name == name) {
            return Err(format!("region {name:?} is there twice; give each its own name"));
        }
        if points.len() < 3 {
            return Err(format!("region {name:?} has {} corners; at least 3", points.len()));
        }
        if let Some(bad) = points.as_flattened().iter().find(|v| v.abs() > MAX_COORDINATE) {
            return Err(format!("region {name:?}: coordinate {bad} lies outside any photo"));
        }
        polygons.push(Polygon { name, points });
    }
    Ok(polygons)
}

/// Checks that each polygon covers at least one pixel of the baseline; parts beyond the photo are
/// ignored.
///
/// # Errors
/// A polygon that covers no pixel of the photo; the error names the region file `file`.
pub fn check(polygons: &[Polygon], width: usize, height: usize, file: &Path) -> Result<()> {
    for polygon in polygons {
        let covered = rasterise(polygon, bounds(polygon, width, height));
        if !covered.data().contains(&true) {
            let why = format!(
                "region {:?} covers no pixel of the baseline ({width} × {height} pixels, \
                 counted after its orientation is applied)",
                polygon.name
            );
            return Err(Error::new(file, Step::Region, why));
        }
    }
    Ok(())
}

/// Bounding box of the polygon's pixels in a photo of this size; empty where the polygon lies outside.
pub fn bounds(polygon: &Polygon, width: usize, height: usize) -> Window {
    let span = |axis: usize, size: usize| {
        let low = polygon.points.iter().map(|p| p[axis]).fold(f64::INFINITY, f64::min);
        let high = polygon.points.iter().map(|p| p[axis]).fold(f64::NEG_INFINITY, f64::max);
        let first = low.ceil().clamp(0.0, size as f64) as usize;
        let end = (high.floor() + 1.0).clamp(0.0, size as f64) as usize;
        (first, end.saturating_sub(first))
    };
    let ((x, width), (y, height)) = (span(0, width), span(1, height));
    Window { x, y, width, height }
}

/// The pixels of `window` whose centre lies inside the polygon (even–odd rule). A centre on an
/// edge belongs to the region on the right of a left edge and below a top edge, so that polygons
/// which share an edge share no pixel.
pub fn rasterise(polygon: &Polygon, window: Window) -> Mask {
    let mut mask = Mask::filled(window.width, window.height, false);
    mask.par_rows(|row, inside| {
        let y = (window.y + row) as f64;
        let mut crossings: Vec<f64> = edges(polygon)
            .filter(|(a, b)| (a[1] <= y) != (b[1] <= y))
            .map(|(a, b)| a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1]))
            .collect();
        crossings.sort_by(f64::total_cmp);
        // A line crosses a closed polygon an even number of times.
        for pair in crossings.chunks_exact(2) {
            let column =
                |x: f64| (x.ceil() - window.x as f64).clamp(0.0, window.width as f64) as usize;
            inside[column(pair[0])..column(pair[1])].fill(true);
        }
    });
    mask
}

/// The sides of the closed polygon.
fn edges(polygon: &Polygon) -> impl Iterator<Item = ([f64; 2], [f64; 2])> {
    let points = &polygon.points;
    points.iter().zip(points.iter().cycle().skip(1)).map(|(a, b)| (*a, *b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn polygon(points: &[[f64; 2]]) -> Polygon {
        Polygon { name: "p".into(), points: points.to_vec() }
    }

    /// The even–odd rule by its definition: the parity of the edges that a ray to the right of (x, y)
    /// crosses.
    fn inside(points: &[[f64; 2]], x: f64, y: f64) -> bool {
        let mut odd = false;
        for i in 0..points.len() {
            let (a, b) = (points[i], points[(i + 1) % points.len()]);
            if (a[1] <= y) != (b[1] <= y) && x < a[0] + (y - a[1]) * (b[0] - a[0]) / (b[1] - a[1]) {
                odd = !odd;
            }
        }
        odd
    }

    proptest! {
        #[test]
        fn scan_lines_agree_with_the_definition(
            points in prop::collection::vec([-10.0..40.0f64, -10.0..40.0f64], 3..12),
            whole_numbers: bool,
        ) {
            let points: Vec<[f64; 2]> = if whole_numbers {
                points.iter().map(|p| p.map(f64::round)).collect()
            } else {
                points
            };
            let shape = polygon(&points);
            let mask = rasterise(&shape, Window::full(30, 25));
            let bounds = bounds(&shape, 30, 25);
            let small = rasterise(&shape, bounds);
            for y in 0..25 {
                for x in 0..30 {
                    let want = inside(&points, x as f64, y as f64);
                    prop_assert_eq!(mask.at(x, y), want);
                    let in_bounds = bounds.contains(x, y);
                    prop_assert!(in_bounds || !want);
                    if in_bounds {
                        prop_assert_eq!(small.at(x - bounds.x, y - bounds.y), want);
                    }
                }
            }
        }
    }

    #[test]
    fn pixels_are_covered_by_their_centres() {
        let square = polygon(&[[1.5, 1.5], [4.5, 1.5], [4.5, 3.5], [1.5, 3.5]]);
        let mask = rasterise(&square, Window::full(6, 6));
        assert_eq!(mask.count(), 3 * 2);
        assert_eq!(bounds(&square, 6, 6), Window { x: 2, y: 2, width: 3, height: 2 });
        // Shared edges through pixel centres: each pixel in one polygon.
        let left = polygon(&[[0.0, 0.0], [3.0, 0.0], [3.0, 6.0], [0.0, 6.0]]);
        let right = polygon(&[[3.0, 0.0], [6.0, 0.0], [6.0, 6.0], [3.0, 6.0]]);
        let (left, right) =
            (rasterise(&left, Window::full(6, 6)), rasterise(&right, Window::full(6, 6)));
        assert!(left.data().iter().zip(right.data()).all(|(a, b)| a != b));
        // Even–odd: the overlap of a shape with itself is a hole.
        let twice = [[0.5, 0.5], [5.5, 0.5], [5.5, 5.5], [0.5, 5.5]].repeat(2);
        assert!(rasterise(&polygon(&twice), Window::full(6, 6)).data().iter().all(|v| !v));
    }

    #[test]
    fn a_region_file_is_read_in_its_order() {
        let text = r#"{"regions": [{"name": "scar_2", "polygon": [[0, 0], [9, 0.5], [9, 9]]},
                                   {"name": "a", "polygon": [[-5, 0], [9, 0], [9, 9], [0, 9]]}]}"#;
        let polygons = parse(Path::new("r.json"), text).unwrap();
        assert_eq!(polygons[0].name, "scar_2");
        assert_eq!(polygons[0].points, [[0.0, 0.0], [9.0, 0.5], [9.0, 9.0]]);
        assert_eq!(polygons[1].points.len(), 4);
    }

    #[test]
    fn the_errors_of_region_files_state_the_mistake() {
        let region =
            |name: &str| format!(r#"{{"name": "{name}", "polygon": [[0,0],[9,0],[9,9]]}}"#);
        let file = |regions: &[String]| format!(r#"{{"regions": [{}]}}"#, regions.join(","));
        let many: Vec<String> = (0..256).map(|i| region(&format!("r{i}"))).collect();
        for (text, cause) in [
            ("{\n\"regions\": [\n}".into(), "line 3"),
            ("".into(), "line 1"),
            (r#"{"region": []}"#.into(), "unknown field `region`"),
            (file(&[]), "no region"),
            (file(&many), "256 regions; at most 255"),
            (file(&[region("Scar")]), "a-z, 0-9 and _"),
            (file(&[region("")]), "a-z, 0-9 and _"),
            (file(&[region("whole")]), "reserved"),
            (file(&[region("a"), region("b"), region("a")]), "\"a\" is there twice"),
            (r#"{"regions": [{"name": "a", "polygon": [[0,0],[9,0]]}]}"#.into(), "2 corners"),
            (r#"{"regions": [{"name": "a", "polygon": [[0,0],[9,0],[9]]}]}"#.into(), "line 1"),
            (r#"{"regions": [{"name": "a", "polygon": [[0,0],[9,0],[1e999,0]]}]}"#.into(), "range"),
            (r#"{"regions": [{"name": "a", "polygon": [[0,0],[9,0],[NaN,0]]}]}"#.into(), "line 1"),
            (r#"{"regions": [{"name": "a", "polygon": [[0,0],[9,0],[1e9,0]]}]}"#.into(), "outside"),
        ] {
            let why = parse(Path::new("r.json"), &text).unwrap_err().why;
            assert!(why.contains(cause), "{text}: {why}");
        }
        let largest = parse(Path::new("r.json"), &file(&many[..255])).unwrap();
        assert_eq!(largest.len(), 255);
        let missing = read(Path::new("no/such.json")).unwrap_err();
        assert_eq!((missing.step, missing.file.as_str()), (Step::Read, "no/such.json"));
    }

    #[test]
    fn a_region_outside_the_photo_is_refused() {
        let at = |x: f64, y: f64| [polygon(&[[x, y], [x + 10.0, y], [x + 10.0, y + 10.0]])];
        let file = Path::new("regions.json");
        assert!(check(&at(5.0, 5.0), 20, 20, file).is_ok());
        assert!(check(&at(-5.0, 5.0), 20, 20, file).is_ok());
        for (x, y) in [(20.0, 0.0), (0.0, 20.0), (-20.0, 0.0), (0.0, -20.0)] {
            let error = check(&at(x, y), 20, 20, file).unwrap_err();
            assert!(error.to_string().starts_with("regions.json: region: region \"p\" covers no"));
        }
        let thin = polygon(&[[1.2, 1.2], [1.8, 1.2], [1.8, 9.0]]);
        assert!(check(&[thin], 20, 20, file).is_err());
    }
}
