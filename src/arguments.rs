//! Words of the user, from the command line or a manifest, as values: one meaning in both places.

use crate::error::{Error, Result, Step};
use crate::region::RegionRequest;
use crate::region::polygon::{self, MAX_REGIONS};
use std::path::{Path, PathBuf};

/// Most rows, and most columns, of a grid of regions.
const MAX_GRID_SIDE: usize = 16;
/// Scales that a photo of skin can have, mm per pixel: from a microscope to a distant camera.
const MM_PER_PX: std::ops::RangeInclusive<f64> = 0.001..=10.0;

/// Regions: `face`, `whole`, `grid:RxC`, or a region file, whose path starts at `folder`.
///
/// # Errors
/// A grid of no or too many cells; a region file that cannot be read.
pub fn regions(text: &str, folder: &Path) -> Result<RegionRequest> {
    match text {
        "face" => Ok(RegionRequest::Face),
        "whole" => Ok(RegionRequest::Whole),
        _ => match text.strip_prefix("grid:") {
            Some(cells) => grid(cells),
            None => match polygon::read(&folder.join(text)) {
                Ok(polygons) => Ok(RegionRequest::Polygons(polygons)),
                Err(mut error) => {
                    if error.step == Step::Read {
                        error.why += " (regions are face, whole, grid:RxC or a region file)";
                    }
                    Err(error)
                }
            },
        },
    }
}

/// The region file that a text for [`regions`] names; none for the other kinds.
pub fn region_file(text: &str, folder: &Path) -> Option<PathBuf> {
    let word = matches!(text, "face" | "whole") || text.starts_with("grid:");
    (!word).then(|| folder.join(text))
}

fn grid(cells: &str) -> Result<RegionRequest> {
    let side = |text: &str| text.parse().ok().filter(|n| (1..=MAX_GRID_SIDE).contains(n));
    let sides = cells.split_once('x').and_then(|(r, c)| Some((side(r)?, side(c)?)));
    match sides {
        Some((rows, columns)) if rows * columns <= MAX_REGIONS => {
            Ok(RegionRequest::Grid { rows, columns })
        }
        _ => {
            let why = format!(
                "grid:{cells}: write grid:ROWSxCOLUMNS, each 1 to {MAX_GRID_SIDE}, \
                 at most {MAX_REGIONS} cells"
            );
            Err(Error::new("", Step::Usage, why))
        }
    }
}

/// An ISO 8601 date of the Gregorian calendar, `yyyy-mm-dd`.
///
/// # Errors
/// Anything else, told as a sentence.
pub fn date(text: &str) -> Result<String, String> {
    let number = |part: &str, digits: usize| {
        let right = part.len() == digits && part.bytes().all(|c| c.is_ascii_digit());
        part.parse::<u32>().ok().filter(|_| right)
    };
    let parts: Vec<&str> = text.split('-').collect();
    let parsed = match parts[..] {
        [year, month, day] => (number(year, 4), number(month, 2), number(day, 2)),
        _ => (None, None, None),
    };
    if let (Some(year), Some(month), Some(day)) = parsed {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            2 => 28 + u32::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => 0,
        };
        if (1..=days).contains(&day) {
            return Ok(text.into());
        }
    }
    Err(format!("{text:?} is no date; write it as 2026-03-31 (year-month-day)"))
}

/// A scale in millimetres of skin per pixel.
///
/// # Errors
/// What is no number, or no scale of a photo of skin, told as a sentence.
pub fn mm_per_px(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|scale| MM_PER_PX.contains(scale)).ok_or_else(|| {
        let (low, high) = (MM_PER_PX.start(), MM_PER_PX.end());
        format!("{text:?} is no scale; write the millimetres per pixel, {low} to {high}, as 0.04")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_apart() {
        let read = |text| regions(text, Path::new("no-such-folder"));
        assert_eq!(read("face"), Ok(RegionRequest::Face));
        assert_eq!(read("whole"), Ok(RegionRequest::Whole));
        for (text, file) in [("face", None), ("grid:2x2", None), ("mine.json", Some("a/mine.json"))]
        {
            assert_eq!(region_file(text, Path::new("a")), file.map(PathBuf::from));
        }
        assert_eq!(read("grid:2x16"), Ok(RegionRequest::Grid { rows: 2, columns: 16 }));
        assert_eq!(read("grid:15x16"), Ok(RegionRequest::Grid { rows: 15, columns: 16 }));
        for bad in
            ["grid:", "grid:3", "grid:0x4", "grid:17x1", "grid:16x16", "grid:2x-1", "grid:axb"]
        {
            assert_eq!(read(bad).unwrap_err().step, Step::Usage, "{bad}");
        }
        let error = read("faces").unwrap_err();
        assert_eq!(error.step, Step::Read);
        assert!(error.why.contains("grid:RxC"), "{error}");
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for good in ["2026-03-31", "2024-02-29", "2000-02-29", "0001-12-01"] {
            assert_eq!(date(good).as_deref(), Ok(good));
        }
        for bad in [
            "2026-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-13-01",
            "2026-00-10",
            "2026-01-00",
            "31.03.2026",
            "2026-3-31",
            "2026-03",
            "2026-03-31T10:00",
            "+026-03-31",
            "",
            "today",
        ] {
            assert!(date(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn scales_are_sane() {
        assert_eq!(mm_per_px("0.04"), Ok(0.04));
        for bad in ["0", "-0.04", "NaN", "inf", "11", "0.0001", "0,04", "", "4e-2mm"] {
            assert!(mm_per_px(bad).is_err(), "{bad}");
        }
    }
}
