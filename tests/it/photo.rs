//! Reading photos: every format, every orientation, and every way in which a file can be broken.

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageEncoder, ImageFormat, Rgb, RgbImage};
use skindelta::notice::Notice;
use skindelta::photo::Photo;
use skindelta::photo::decode::stored_size;
use skindelta::rng::Rng;
use skindelta::settings::PhotoSettings;
use skindelta::{Error, Step};
use std::io::Cursor;
use std::path::{Path, PathBuf};

/// A folder for the test's files, removed at its end.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Folder(tempfile::tempdir().unwrap())
    }
    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
    fn open(&self, name: &str, bytes: &[u8]) -> Result<Photo, Error> {
        Photo::open(&self.file(name, bytes), &PhotoSettings::default())
    }
}

/// A smooth picture with some texture, so that every coder has something to do.
fn picture(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([(x * 9) as u8, (y * 7) as u8, ((x * y) % 251) as u8])
    })
}

fn encoded(image: &DynamicImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), format).unwrap();
    bytes
}

fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 95).encode_image(image).unwrap();
    bytes
}

/// A TIFF directory with just the orientation, as EXIF holds it.
fn exif(orientation: u8) -> Vec<u8> {
    let mut tiff = b"MM\0\x2a\0\0\0\x08".to_vec();
    tiff.extend([0, 1, 0x01, 0x12, 0, 3, 0, 0, 0, 1, 0, orientation, 0, 0, 0, 0, 0, 0]);
    tiff
}

/// A JPEG with an EXIF segment right after its start marker.
fn jpeg_with_exif(image: &RgbImage, orientation: u8) -> Vec<u8> {
    let plain = jpeg(image);
    let mut segment = b"Exif\0\0".to_vec();
    segment.extend(exif(orientation));
    let mut bytes = plain[..2].to_vec();
    bytes.extend([0xFF, 0xE1]);
    bytes.extend((segment.len() as u16 + 2).to_be_bytes());
    bytes.extend(segment);
    bytes.extend(&plain[2..]);
    bytes
}

/// An uncompressed 8-bit grey TIFF, little endian, with the given extra tags (SHORT values).
fn tiff(width: u16, height: u16, samples: &[u8], extra: &[(u16, u16)]) -> Vec<u8> {
    let mut tags = vec![
        (256, width),
        (257, height),
        (258, 8),
        (259, 1),
        (262, 1),
        (273, 0),
        (277, 1),
        (278, height),
        (279, samples.len() as u16),
    ];
    tags.extend(extra);
    tags.sort_unstable();
    let start = 8 + 2 + 12 * tags.len() + 4;
    let mut bytes = b"II\x2a\0\x08\0\0\0".to_vec();
    bytes.extend((tags.len() as u16).to_le_bytes());
    for (tag, value) in tags {
        let value = if tag == 273 { start as u16 } else { value };
        bytes.extend(tag.to_le_bytes());
        bytes.extend([3, 0, 1, 0, 0, 0]);
        bytes.extend(value.to_le_bytes());
        bytes.extend([0, 0]);
    }
    bytes.extend([0; 4]);
    bytes.extend(samples);
    bytes
}

/// Where the pixel shown at (x, y) is stored, by the definition of the EXIF tag: which stored
/// side the shown top row and left column are.
fn stored_at(orientation: u8, x: usize, y: usize, width: usize, height: usize) -> (usize, usize) {
    match orientation {
        1 => (x, y),
        2 => (width - 1 - x, y),
        3 => (width - 1 - x, height - 1 - y),
        4 => (x, height - 1 - y),
        5 => (y, x),
        6 => (y, height - 1 - x),
        7 => (width - 1 - y, height - 1 - x),
        8 => (width - 1 - y, x),
        _ => unreachable!(),
    }
}

#[test]
fn all_orientations_are_applied() {
    let folder = Folder::new();
    let (width, height) = (3, 2);
    let samples = [10, 50, 90, 130, 170, 210];
    let plain = folder.open("plain.tif", &tiff(3, 2, &samples, &[])).unwrap();
    assert_eq!((plain.width(), plain.height()), (width, height));
    for orientation in 1..=8 {
        let bytes = tiff(3, 2, &samples, &[(274, orientation.into())]);
        let turned = folder.open("turned.tif", &bytes).unwrap();
        let upright = if orientation < 5 { (width, height) } else { (height, width) };
        assert_eq!((turned.width(), turned.height()), upright);
        for y in 0..turned.height() {
            for x in 0..turned.width() {
                let (sx, sy) = stored_at(orientation, x, y, width, height);
                assert_eq!(turned.linear.at(x, y), plain.linear.at(sx, sy), "{orientation}");
            }
        }
    }
}

#[test]
fn orientation_is_read_from_jpeg_png_and_webp() {
    let folder = Folder::new();
    let image = picture(24, 16);
    let plain = folder.open("plain.jpg", &jpeg(&image)).unwrap();
    for orientation in 1..=8 {
        let bytes = jpeg_with_exif(&image, orientation);
        let turned = folder.open("turned.jpg", &bytes).unwrap();
        for y in 0..turned.height() {
            for x in 0..turned.width() {
                let (sx, sy) = stored_at(orientation, x, y, 24, 16);
                assert_eq!(turned.linear.at(x, y), plain.linear.at(sx, sy), "{orientation}");
            }
        }
    }
    let mut png = Vec::new();
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_exif_metadata(exif(6)).unwrap();
    encoder.write_image(&image, 24, 16, image::ExtendedColorType::Rgb8).unwrap();
    assert_eq!(folder.open("turned.png", &png).unwrap().width(), 16);
    for prefix in [&b""[..], b"Exif\0\0"] {
        let mut webp = Vec::new();
        let mut encoder = image::codecs::webp::WebPEncoder::new_lossless(&mut webp);
        encoder.set_exif_metadata([prefix, &exif(6)].concat()).unwrap();
        encoder.write_image(&image, 24, 16, image::ExtendedColorType::Rgb8).unwrap();
        assert_eq!(folder.open("turned.webp", &webp).unwrap().width(), 16);
    }
}

#[test]
fn lossless_formats_agree_and_the_extension_does_not_matter() {
    let folder = Folder::new();
    let image = DynamicImage::ImageRgb8(picture(37, 23));
    let png = folder.open("a.jpg", &encoded(&image, ImageFormat::Png)).unwrap();
    let tiff = folder.open("b", &encoded(&image, ImageFormat::Tiff)).unwrap();
    let webp = folder.open("c.txt", &encoded(&image, ImageFormat::WebP)).unwrap();
    assert_eq!(png.linear, tiff.linear);
    assert_eq!(png.linear, webp.linear);
    assert_eq!(png.file, "a.jpg");
    assert!(png.notices.is_empty());
    let wide = DynamicImage::ImageRgb16(image.to_rgb16());
    for format in [ImageFormat::Png, ImageFormat::Tiff] {
        assert_eq!(folder.open("d", &encoded(&wide, format)).unwrap().linear, png.linear);
    }
    for grey in [image.to_luma8().into(), image.to_luma_alpha8().into()] {
        let read = folder.open("e", &encoded(&grey, ImageFormat::Png)).unwrap();
        assert!(read.linear.data().iter().all(|p| p[0] == p[1] && p[1] == p[2]));
    }
}

/// The quality that a JPEG was saved with is read from its tables.
#[test]
fn the_quality_of_a_jpeg_is_told() {
    let image = picture(40, 30);
    let told = |bytes: &[u8]| {
        let photo = Photo::from_bytes("a".as_ref(), bytes, &PhotoSettings::default());
        photo.expect("a good photo").quantisers.map(|q| q.quality())
    };
    for quality in [30u8, 50, 75, 80, 92, 97] {
        let mut bytes = Vec::new();
        let encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
        image.write_with_encoder(encoder).expect("room");
        let found = told(&bytes).expect("a JPEG");
        assert!((found - f64::from(quality)).abs() <= 1.0, "{quality}: {found}");
    }
    assert_eq!(told(&encoded(&DynamicImage::ImageRgb8(image), ImageFormat::Png)), None);
}

#[test]
fn the_hash_is_that_of_the_bytes() {
    let folder = Folder::new();
    let bytes = tiff(1, 1, &[128], &[]);
    let photo = folder.open("grey.tif", &bytes).unwrap();
    assert_eq!(photo.sha256.len(), 64);
    assert!(photo.sha256.bytes().all(|c| c.is_ascii_hexdigit()));
    assert_eq!(photo.sha256, folder.open("again.tif", &bytes).unwrap().sha256);
    assert_ne!(photo.sha256, folder.open("other.tif", &tiff(1, 1, &[129], &[])).unwrap().sha256);
}

#[test]
fn a_broken_profile_is_a_notice() {
    let folder = Folder::new();
    let mut png = Vec::new();
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_icc_profile(b"this is no profile".to_vec()).unwrap();
    encoder.write_image(&[188; 3], 1, 1, image::ExtendedColorType::Rgb8).unwrap();
    let photo = folder.open("a.png", &png).unwrap();
    assert_eq!(photo.notices, [Notice::UnreadableProfile { file: "a.png".into() }]);
    assert_eq!(photo.linear.at(0, 0), [32957; 3]);
}

#[test]
fn what_is_no_photo_is_refused_with_the_step_and_the_cause() {
    let folder = Folder::new();
    let check = |path: &std::path::Path, step: Step, cause: &str| {
        let error = Photo::open(path, &PhotoSettings::default()).err().unwrap();
        assert_eq!(error.step, step, "{error}");
        assert!(error.why.contains(cause), "{error}");
        assert!(error.to_string().starts_with(&format!("{}: {}: ", path.display(), step.name())));
    };
    check(&folder.0.path().join("missing.jpg"), Step::Read, "no such file");
    check(folder.0.path(), Step::Read, "folder");
    check(&folder.file("empty.jpg", b""), Step::Read, "empty");
    check(&folder.file("text.jpg", b"not a photo at all"), Step::Decode, "not a JPEG");
    check(&folder.file("gif.jpg", b"GIF89a\x01\0\x01\0\0\0\0"), Step::Decode, "not a JPEG");
    check(&folder.file("start.jpg", &[0xFF, 0xD8, 0xFF]), Step::Decode, "JPEG");
    let raw = tiff(1, 1, &[1], &[(254, 1)]);
    check(&folder.file("raw.nef", &raw), Step::Decode, "camera raw");
    check(&folder.file("raw.dng", &tiff(1, 1, &[1], &[(50706, 1)])), Step::Decode, "camera raw");
    check(&folder.file("cmyk.jpg", &cmyk_header()), Step::Decode, "CMYK");
}

/// A JPEG frame of four components: enough of a file to be told as CMYK.
fn cmyk_header() -> Vec<u8> {
    let mut bytes = vec![0xFF, 0xD8, 0xFF, 0xDB, 0, 67, 0];
    bytes.extend([1; 64]);
    bytes.extend([0xFF, 0xC0, 0, 20, 8, 0, 8, 0, 8, 4]);
    bytes.extend([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0, 4, 0x11, 0]);
    bytes.extend([0xFF, 0xDA, 0, 14, 4, 1, 0, 2, 0, 3, 0, 4, 0, 0, 63, 0, 0xFF, 0xD9]);
    bytes
}

#[test]
fn too_many_megapixels_are_refused_before_they_are_decoded() {
    let folder = Folder::new();
    let small = PhotoSettings { max_megapixels: 0.001, ..PhotoSettings::default() };
    let image = DynamicImage::ImageRgb8(picture(40, 40));
    let formats = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP];
    for format in formats {
        let path = folder.file("photo", &encoded(&image, format));
        let error = Photo::open(&path, &small).err().unwrap();
        assert_eq!(error.step, Step::Decode);
        assert!(error.why.contains("40 × 40") && error.why.contains("raise the limit"), "{error}");
        assert_eq!(stored_size(&path).unwrap(), (40, 40));
    }
    // Headers that promise 40 000 × 40 000 pixels and hold none.
    let mut png = encoded(&image, ImageFormat::Png);
    png[16..20].copy_from_slice(&40_000u32.to_be_bytes());
    png[20..24].copy_from_slice(&40_000u32.to_be_bytes());
    let crc = crc32(&png[12..29]).to_be_bytes();
    png[29..33].copy_from_slice(&crc);
    for bytes in [png, tiff(40_000, 40_000, &[0; 8], &[])] {
        let error = folder.open("bomb", &bytes).err().unwrap();
        assert!(error.why.contains("raise the limit"), "{error}");
    }
    let error = folder.open("flat.tif", &tiff(0, 5, &[], &[])).err().unwrap();
    assert_eq!(error.step, Step::Decode);
}

/// The checksum of PNG chunks (ISO 3309), bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 }
        })
    })
}

/// Tiny files of all four formats, with profile and EXIF where the encoder writes them.
fn samples() -> Vec<(&'static str, Vec<u8>)> {
    let image = DynamicImage::ImageRgb8(picture(20, 17));
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let mut png = Vec::new();
    let mut encoder = PngEncoder::new(&mut png);
    encoder.set_icc_profile(profile.clone()).unwrap();
    encoder.set_exif_metadata(exif(6)).unwrap();
    encoder.write_image(image.as_bytes(), 20, 17, image::ExtendedColorType::Rgb8).unwrap();
    let mut with_profile = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut with_profile, 90);
    encoder.set_icc_profile(profile).unwrap();
    encoder.encode_image(&image).unwrap();
    vec![
        ("jpeg", jpeg_with_exif(&picture(20, 17), 8)),
        ("jpeg with profile", with_profile),
        ("png", png),
        ("png 16", encoded(&image.to_rgb16().into(), ImageFormat::Png)),
        ("tiff", encoded(&image, ImageFormat::Tiff)),
        ("webp", encoded(&image, ImageFormat::WebP)),
    ]
}

#[test]
fn a_photo_cut_anywhere_is_an_error_and_never_half_a_picture() {
    let folder = Folder::new();
    for (name, bytes) in samples() {
        let whole = folder.open("whole", &bytes).unwrap();
        for length in 0..bytes.len() {
            // Only what holds no pixels may be missing, such as the end chunk of a PNG.
            if let Ok(cut) = folder.open("cut", &bytes[..length]) {
                assert!(cut.linear == whole.linear, "{name} cut to {length} of {}", bytes.len());
            }
        }
        for share in [25, 50, 75, 90] {
            let cut = &bytes[..bytes.len() * share / 100];
            assert!(folder.open("cut", cut).is_err(), "{name} cut to {share} %");
        }
    }
}

#[test]
fn a_jpeg_with_garbage_inside_is_an_error_and_not_a_grey_patch() {
    let folder = Folder::new();
    let bytes = jpeg(&picture(320, 240));
    for share in [30, 50, 70] {
        let mut bad = bytes.clone();
        let at = bytes.len() * share / 100;
        // A run of ones, which no Huffman code of JPEG may be.
        bad[at..at + 64].copy_from_slice(&[0xFF, 0].repeat(32));
        let error = folder.open("bad.jpg", &bad).err().unwrap();
        assert!(error.why.contains("damaged JPEG"), "{error}");
    }
}

/// Where a JPEG's marker stands first, after its start.
fn marker(bytes: &[u8], marker: u8) -> usize {
    bytes.windows(2).position(|pair| pair == [0xFF, marker]).expect("the marker")
}

/// JPEGs of all codings that cameras and viewers write, 75 × 50 px.
fn coded() -> Vec<(String, Vec<u8>)> {
    use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
    let image = picture(75, 50);
    let grey = DynamicImage::ImageRgb8(image.clone()).to_luma8();
    let sampled = [SamplingFactor::R_4_4_4, SamplingFactor::R_4_2_2, SamplingFactor::R_4_2_0];
    let mut files = Vec::new();
    for case in 0..24 {
        let progressive = case % 2 == 1;
        // Not both: this encoder's optimized tables lack the codes of blocks after a restart.
        let [optimized, restart] = [case / 2 % 3 == 1, case / 2 % 3 == 2];
        let mut bytes = Vec::new();
        let mut encoder = Encoder::new(&mut bytes, 90);
        encoder.set_progressive(progressive);
        encoder.set_optimized_huffman_tables(optimized);
        encoder.set_restart_interval(if restart { 3 } else { 0 });
        let factor = sampled.get(case / 6);
        if let Some(factor) = factor {
            encoder.set_sampling_factor(*factor);
            encoder.encode(&image, 75, 50, ColorType::Rgb).unwrap();
        } else {
            encoder.encode(&grey, 75, 50, ColorType::Luma).unwrap();
        }
        let name = format!(
            "{factor:?}, progressive {progressive}, optimized {optimized}, restart {restart}"
        );
        files.push((name, bytes));
    }
    // The same picture by libjpeg-turbo (Pillow 13: quality 85, progressive, 4:2:0, a restart marker
    // after every 4 blocks), whose progressive files refine their coefficients bit by bit.
    files.push(("refined".into(), include_bytes!("../jpeg/refined.jpg").to_vec()));
    files
}

#[test]
fn a_jpeg_whose_data_end_early_is_an_error() {
    let read = |bytes: &[u8]| {
        Photo::from_bytes("x.jpg".as_ref(), bytes, &PhotoSettings::default())
            .map_err(|error| error.to_string())
    };
    for (name, bytes) in coded() {
        let whole = read(&bytes).unwrap();
        assert_eq!((whole.width(), whole.height()), (75, 50), "{name}");
        // An end marker closes what is left of the file.
        let data = marker(&bytes, 0xDA) + 16;
        for end in (data..bytes.len() - 3).step_by(7).chain([bytes.len() / 2]) {
            let cut = [&bytes[..end], &[0xFF, 0xD9]].concat();
            let error = read(&cut).expect_err(&format!("{name}: {end} of {}", bytes.len()));
            assert!(error.starts_with("x.jpg: decode: "), "{name}: {error}");
            assert!(error.contains("copy it from the camera again"), "{name}: {error}");
        }
        // The header promises more rows than there are.
        let frame = bytes.windows(2).position(|m| m == [0xFF, 0xC0] || m == [0xFF, 0xC2]).unwrap();
        let mut tall = bytes.clone();
        tall[frame + 5..frame + 7].copy_from_slice(&500u16.to_be_bytes());
        let error = read(&tall).expect_err(&name);
        assert!(error.contains("the picture data end early: "), "{name}: {error}");
        assert!(error.contains(" of 500 rows"), "{name}: {error}");
    }
}

#[test]
fn the_rows_that_are_there_are_counted() {
    let folder = Folder::new();
    let bytes = jpeg(&picture(320, 240));
    let mut tall = bytes.clone();
    let frame = marker(&bytes, 0xC0);
    tall[frame + 5..frame + 7].copy_from_slice(&1200u16.to_be_bytes());
    let error = folder.open("x.jpg", &tall).err().unwrap();
    assert_eq!(
        error.why,
        "the picture data end early: 240 of 1200 rows are there; copy it from the camera again"
    );
}

#[test]
fn a_jpeg_that_lacks_a_scan_or_an_interval_is_an_error() {
    let folder = Folder::new();
    for (name, bytes) in coded() {
        let scans: Vec<usize> =
            (0..bytes.len() - 1).filter(|&i| bytes[i..i + 2] == [0xFF, 0xDA]).collect();
        if scans.len() > 1 {
            let cut = [&bytes[..scans[scans.len() - 1]], &[0xFF, 0xD9]].concat();
            let error = folder.open("x.jpg", &cut).expect_err(&name);
            assert!(error.why.contains("some scans are missing"), "{name}: {error}");
        }
        let restarts: Vec<usize> = (0..bytes.len() - 1)
            .filter(|&i| bytes[i] == 0xFF && bytes[i + 1] & 0xF8 == 0xD0)
            .collect();
        if let [first, second, ..] = restarts[..] {
            let gap = [&bytes[..first], &bytes[second..]].concat();
            let error = folder.open("x.jpg", &gap).expect_err(&name);
            assert!(error.why.contains("the picture data end early: "), "{name}: {error}");
        }
    }
}

#[test]
fn what_cameras_add_to_a_jpeg_does_not_matter() {
    let folder = Folder::new();
    for (name, bytes) in coded() {
        let whole = folder.open("whole.jpg", &bytes).unwrap();
        // A second picture behind the first one, as in MPF and in motion photos.
        let followed = [&bytes[..], b"\0\0ftypmp42", &bytes[..bytes.len() / 2]].concat();
        // Fill bytes before the end marker, and data bytes that no block needs.
        let end = bytes.len() - 2;
        let filled = [&bytes[..end], &[0xFF; 5], &bytes[end..]].concat();
        let padded = [&bytes[..end], &[0, 0xFF, 0, 7], &bytes[end..]].concat();
        // A preview in the metadata, with an end marker of its own.
        let preview = jpeg(&picture(16, 16));
        let mut segment = vec![0xFF, 0xE5];
        segment.extend((preview.len() as u16 + 2).to_be_bytes());
        let previewed = [&bytes[..2], &segment, &preview, &bytes[2..]].concat();
        for bytes in [followed, filled, padded, previewed] {
            let read = folder.open("x.jpg", &bytes).unwrap_or_else(|why| panic!("{name}: {why}"));
            assert!(read.linear == whole.linear, "{name}");
        }
    }
}

#[test]
fn arithmetic_coding_is_refused() {
    let mut bytes = jpeg(&picture(20, 20));
    let frame = marker(&bytes, 0xC0);
    bytes[frame + 1] = 0xC9;
    let error = Folder::new().open("x.jpg", &bytes).err().unwrap();
    assert!(error.why.starts_with("damaged JPEG"), "{error}");
}

proptest::proptest! {
    /// Whatever a file holds: an error or a photo, and no panic.
    #[test]
    fn no_jpeg_makes_it_panic(
        which in 0usize..25,
        changes in proptest::collection::vec((0.0f64..1.0, proptest::num::u8::ANY), 0..6),
        in_headers in proptest::bool::ANY,
        kept in 0.0f64..1.3,
    ) {
        let (_, mut bytes) = coded().swap_remove(which);
        let end = if in_headers { bytes.len().min(700) } else { bytes.len() };
        for (share, byte) in changes {
            bytes[(share * end as f64) as usize] = byte;
        }
        bytes.truncate((kept * bytes.len() as f64) as usize);
        bytes.extend([0xFF, 0xD9]);
        let settings = PhotoSettings { max_megapixels: 1.0, ..PhotoSettings::default() };
        if let Ok(photo) = Photo::from_bytes("x.jpg".as_ref(), &bytes, &settings) {
            proptest::prop_assert!(photo.width() * photo.height() <= 1_000_000);
        }
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let folder = Folder::new();
    let settings = PhotoSettings { max_megapixels: 1.0, ..PhotoSettings::default() };
    let mut rng = Rng::new(0, 0);
    let mut random = |n: usize| rng.below(n);
    for (_, bytes) in samples() {
        for round in 0..200 {
            let mut bad = bytes.clone();
            for _ in 0..=random(8) {
                // Half of the damage goes to the headers, where the structure is.
                let end = if round % 2 == 0 { bad.len().min(256) } else { bad.len() };
                let at = random(end);
                bad[at] = random(256) as u8;
            }
            if round % 3 == 0 {
                bad.truncate(1 + random(bad.len()));
            }
            let path = folder.file("bad", &bad);
            if let Ok(photo) = Photo::open(&path, &settings) {
                assert!(photo.width() * photo.height() <= 1_000_000);
            }
            let _ = stored_size(&path);
        }
    }
}

/// Pixels from memory are the photo that their file would be, of 8 bits and of 16.
#[test]
fn pixels_in_memory_are_a_photo() {
    let image = RgbImage::from_fn(40, 30, |x, y| Rgb([x as u8 * 5, y as u8 * 7, 90]));
    let mut png = Cursor::new(Vec::new());
    image.write_to(&mut png, ImageFormat::Png).unwrap();
    let settings = PhotoSettings::default();
    let file = Photo::from_bytes(Path::new("a.png"), png.get_ref(), &settings).unwrap();
    let memory = Photo::from_rgb8("a.raw", 40, 30, image.as_raw()).unwrap();
    assert_eq!(memory.linear, file.linear);
    let wide: Vec<u16> = image.as_raw().iter().map(|v| u16::from(*v) * 257).collect();
    assert_eq!(Photo::from_rgb16("a.raw", 40, 30, &wide).unwrap().linear, file.linear);
    for samples in [&[][..], &[0; 5][..], &[0; 7][..]] {
        let error = Photo::from_rgb8("a.raw", 2, 1, samples).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a.raw: decode: 2 × 1 px need three samples each, and at least one pixel"
        );
    }
    assert!(Photo::from_rgb8("a.raw", 0, 0, &[]).is_err());
}
