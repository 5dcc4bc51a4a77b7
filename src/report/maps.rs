//! `maps/`: displacement, wrinkles, pores, scars, regions and what of them was measured, in baseline pixels, for other programs.

use super::{Maps, PoreRow, ScarRow, csv};
use crate::error::{Error, Result, Step};
use crate::npy;
use crate::plane::{Grid, Mask};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// Names (`maps/…`) and contents of the files; a map that is not there has no file.
///
/// # Errors
/// A raster that PNG cannot hold (a side of 0 px).
pub fn files(maps: &Maps) -> Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for (i, map) in maps.displacement.iter().enumerate() {
        if let Some(map) = map {
            files.push((format!("maps/visit-{}-displacement.npy", i + 1), npy::encode(map)));
        }
    }
    for (visit, mask) in maps.wrinkles.iter().enumerate() {
        if let Some(mask) = mask {
            let name = format!("maps/visit-{visit}-wrinkles.png");
            let bytes = png(&name, &white(mask))?;
            files.push((name, bytes));
        }
    }
    for (visit, pores) in maps.pores.iter().enumerate() {
        if let Some(pores) = pores {
            let name = format!("maps/visit-{visit}-pores.csv");
            files.push((name, pore_table(pores).into_bytes()));
        }
    }
    for (visit, scars) in maps.scars.iter().enumerate() {
        if let Some(scars) = scars {
            let name = format!("maps/visit-{visit}-scars.csv");
            files.push((name, scar_table(scars).into_bytes()));
        }
    }
    for (visit, labels) in maps.measured.iter().enumerate() {
        if let Some(labels) = labels {
            let name = format!("maps/visit-{visit}-measured.png");
            let bytes = png(&name, labels)?;
            files.push((name, bytes));
        }
    }
    if let Some(labels) = &maps.regions {
        let bytes = png("maps/regions.png", labels)?;
        files.push(("maps/regions.png".into(), bytes));
        let names = serde_json::json!({ "names": maps.region_names });
        files.push(("maps/regions.json".into(), format!("{names}\n").into_bytes()));
    }
    Ok(files)
}

/// Whether a file of this name in `maps/` is one that [`files`] makes.
pub(super) fn is_map(name: &str) -> bool {
    const KINDS: [&str; 5] =
        ["-displacement.npy", "-wrinkles.png", "-pores.csv", "-scars.csv", "-measured.png"];
    let visit = || {
        let rest = name.strip_prefix("visit-")?;
        KINDS.iter().find_map(|kind| rest.strip_suffix(kind))
    };
    matches!(name, "regions.png" | "regions.json")
        || visit().is_some_and(|k| !k.is_empty() && k.bytes().all(|b| b.is_ascii_digit()))
}

/// 255 where the mask is set, 0 elsewhere.
fn white(mask: &Mask) -> Grid<u8> {
    mask.map(|set| if set { 255 } else { 0 })
}

/// 8-bit grey PNG.
fn png(name: &str, grey: &Grid<u8>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let (w, h) = (grey.width() as u32, grey.height() as u32);
    PngEncoder::new(&mut bytes)
        .write_image(grey.data(), w, h, ExtendedColorType::L8)
        .map_err(|e| Error::wrap(name, Step::Write, e))?;
    Ok(bytes)
}

/// One row per pore.
fn pore_table(pores: &[PoreRow]) -> String {
    let head = ["pore_id", "x_px", "y_px", "diameter_mm", "region"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(pores.iter().map(|p| {
        let [x, y, d] = [p.x_px, p.y_px, p.diameter_mm].map(|v| csv::cell(Some(v)));
        vec![p.pore_id.to_string(), x, y, d, csv::text(&p.region)]
    }));
    csv::table(&rows)
}

/// One row per scar.
fn scar_table(scars: &[ScarRow]) -> String {
    let head = ["x_px", "y_px", "diameter_mm", "depth_mm", "region"];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(scars.iter().map(|s| {
        let [x, y, diameter, depth] =
            [s.x_px, s.y_px, s.diameter_mm, s.depth_mm].map(|v| csv::cell(Some(v)));
        vec![x, y, diameter, depth, csv::text(&s.region)]
    }));
    csv::table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_names_are_maps() {
        for name in [
            "regions.png",
            "visit-0-pores.csv",
            "visit-1-scars.csv",
            "visit-2-measured.png",
            "visit-12-displacement.npy",
        ] {
            assert!(is_map(name), "{name}");
        }
        for name in ["visit--pores.csv", "visit-1-notes.txt", "visit-x-pores.csv", "my.png"] {
            assert!(!is_map(name), "{name}");
        }
    }

    #[test]
    fn masks_are_written_as_0_and_255() {
        let mask = Mask::from_vec(2, 1, vec![true, false]);
        let bytes = png("wrinkles", &white(&mask)).unwrap();
        let back = image::load_from_memory(&bytes).unwrap();
        assert_eq!(back.color(), image::ColorType::L8);
        assert_eq!(back.into_luma8().into_raw(), [255, 0]);
    }
}
