//! The test photos shipped with the sources.

use super::skin::Treatment;
use super::truth::{self, Kind, Spec, create, save, series_outputs, write_named};
use crate::error::{Error, Result, Step};
use crate::output::{self, Form, Output, Sign};
use std::path::{Path, PathBuf};

/// The series of `fixtures/face`: a pair whose treatment shows.
fn face() -> Spec {
    let treated = Treatment {
        wrinkle_depth: 0.65,
        wrinkle_width: 0.95,
        wrinkle_length: 0.90,
        pore_diameter: 0.85,
        pore_count: 0.80,
        fine_relief: 0.75,
        ..Treatment::default()
    };
    let treatments = vec![Treatment::default(), treated];
    Spec { treatments, ..Spec::new(Kind::Face, 30_004, 2) }.with_px_per_mm(13.0)
}

/// The series of `fixtures/face_small`: a pair with treated wrinkles and pores.
fn small_face() -> Spec {
    let treated = Treatment {
        wrinkle_depth: 0.75,
        wrinkle_width: 0.95,
        wrinkle_length: 0.92,
        pore_diameter: 0.9,
        pore_count: 0.85,
        fine_relief: 0.88,
        ..Treatment::default()
    };
    Spec { treatments: vec![Treatment::default(), treated], ..Spec::new(Kind::Face, 7, 2) }
}

/// Names of the photos of both faces.
fn face_names() -> [String; 2] {
    ["before.jpg".into(), "after.jpg".into()]
}

/// The series of `fixtures/closeup`.
fn closeup() -> Spec {
    Spec::new(Kind::Closeup, 11, 4)
}

/// The files that [`write_fixtures`] makes in `dir`.
fn fixture_outputs(dir: &Path) -> Vec<Output> {
    let readme = dir.join("README.md");
    let faces = FACES.map(|(name, _)| series_outputs(&dir.join(name), &face_names()));
    let mut outputs = faces.concat();
    outputs.extend(truth::outputs(&dir.join("closeup"), &closeup()));
    let others = BROKEN.map(|name| Path::new("broken").join(name));
    let others = others.into_iter().chain(["regions.json", "manifest.csv"].map(PathBuf::from));
    outputs.extend(others.map(|name| Output {
        path: dir.join(name),
        sign: Sign::Beside(readme.clone(), README_FORM),
    }));
    outputs.push(Output { path: readme, sign: Sign::Form(README_FORM) });
    outputs
}

type MakeSpec = fn() -> Spec;

/// The faces: name of the folder, series.
const FACES: [(&str, MakeSpec); 2] = [("face", face), ("face_small", small_face)];

/// Writes the fixtures of the repository: two treated faces, a series of close-ups, files that must be rejected, a
/// region file and a manifest. Earlier ones are replaced. Cost: two minutes for the larger face, which a
/// caller may leave out.
///
/// # Errors
/// A file of these names that is not an earlier fixture ([`output::check`]); a file that cannot be written.
pub fn write_fixtures(dir: &Path, with_large_face: bool) -> Result<()> {
    output::check(&fixture_outputs(dir), &[])?;
    for (name, spec) in FACES {
        if with_large_face || name != "face" {
            write_named(&dir.join(name), &spec(), &face_names())?;
        }
    }
    let closeup = closeup();
    truth::write(&dir.join("closeup"), &closeup)?;
    write_broken(&dir.join("broken"), &dir.join("closeup/visit-0.jpg"))?;
    save(dir, "regions.json", REGIONS.as_bytes())?;
    save(dir, "README.md", README.as_bytes())?;
    let mut manifest = String::from("subject,visit,path,view,date,label,mm_per_px,regions\n");
    manifest += "face_1,0,face_small/before.jpg,front,2026-01-12,before,,face\n";
    manifest += "face_1,1,face_small/after.jpg,front,2026-04-20,after,,face\n";
    for k in 0..closeup.treatments.len() {
        let mm_per_px =
            if k == 0 { format!("{:.6}", 1.0 / closeup.px_per_mm) } else { String::new() };
        manifest += &format!(
            "skin_1,{k},closeup/visit-{k}.jpg,cheek,2026-0{}-05,session {k},{mm_per_px},grid:2x2\n",
            k + 1
        );
    }
    save(dir, "manifest.csv", manifest.as_bytes())
}

const REGIONS: &str = r#"{"regions": [
  {"name": "upper_left", "polygon": [[60, 60], [420, 50], [440, 330], [250, 380], [70, 320]]},
  {"name": "lower_right", "polygon": [[480, 370], [840, 350], [850, 640], [500, 650]]}
]}
"#;

/// Form by which an earlier README of the fixtures is recognised.
const README_FORM: Form = Form("# Test photos", "Made by `phantom::write_fixtures`");
const README: &str = "# Test photos with known truth

Made by `phantom::write_fixtures` from seeds; nobody is in them. A test makes them anew and
compares. See `src/phantom/` for how the skin is grown, lit and photographed.

- `face/` a frontal face before and after at 13 px/mm: wrinkles 35 % shallower, 10 % shorter, 5 % narrower; pores
  20 % fewer, 15 % narrower; fine relief 25 % flatter; pigment as it was, no scars
- `face_small/` another one at 5 px/mm: wrinkles 25 % shallower, 8 % shorter, 5 % narrower; pores 15 % fewer, 10 %
  narrower; fine relief 12 % flatter
- `closeup/` one patch of skin at four visits, each a little better, 14 px/mm
- `truth.json` in each: what the skin is made of, how each photo was taken; positions are in
  baseline pixels. `visit-K-displacement.npy`: where the skin of the baseline pixel (8j, 8i) lies in
  visit K
- `broken/` files that must be rejected with an error
- `regions.json` two polygons on the close-up; `manifest.csv` a batch of the small face and the close-ups

Follow-ups differ from the baseline as careful visits do: exposure, white balance, an
illumination gradient, the light by 1.5 degrees, focus, noise, JPEG quality (4:4:4), distance,
rotation, shift and a smooth bend.
";

/// Names of the files of [`write_broken`].
const BROKEN: [&str; 5] =
    ["empty.jpg", "truncated.jpg", "not-an-image.jpg", "zero.png", "huge.png"];

/// Files that hold no readable photo.
fn write_broken(dir: &Path, photo: &Path) -> Result<()> {
    create(dir)?;
    let jpeg = std::fs::read(photo).map_err(|e| Error::wrap(photo, Step::Read, e))?;
    let contents = [
        Vec::new(),
        jpeg[..jpeg.len().min(20_000)].into(),
        b"This is a text, not a photo.\n".into(),
        png_of_size(0, 0),
        png_of_size(60_000, 60_000),
    ];
    BROKEN.iter().zip(contents).try_for_each(|(name, bytes)| save(dir, name, &bytes))
}

/// A well-formed PNG that declares a size and holds no pixels.
fn png_of_size(width: u32, height: u32) -> Vec<u8> {
    let mut header = Vec::from(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]); // 8 bit, RGB
    let empty_zlib = [0x78, 0x9c, 3, 0, 0, 0, 0, 1];
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, data) in [(b"IHDR", &header[..]), (b"IDAT", &empty_zlib), (b"IEND", &[])] {
        bytes.extend((data.len() as u32).to_be_bytes());
        let body = [&name[..], data].concat();
        bytes.extend(&body);
        bytes.extend(crc32(&body).to_be_bytes());
    }
    bytes
}

/// CRC-32 as PNG uses it (ISO 3309).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, b| {
        (0..8).fold(crc ^ *b as u32, |c, _| (c >> 1) ^ (0xedb8_8320 & (c & 1).wrapping_neg()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_png() {
        assert_eq!(crc32(b"IEND"), 0xae42_6082);
    }
}
