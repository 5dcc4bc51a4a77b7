//! Files → pixels: JPEG, PNG, TIFF and WebP, told by their content, limits before allocation.
//!
//! JPEG goes through zune-jpeg in its strict mode, because the lenient one fills what a damaged
//! file lacks with grey and says nothing; before it [`scan`] finds what the strict one does not. The
//! others go through `image`.

use super::jpeg::Quantisers;
use super::{FlatAreas, Photo, color, scan};
use crate::error::{Error, Result, Step};
use crate::settings::PhotoSettings;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};
use sha2::{Digest, Sha256};
use std::io::Cursor;
use std::path::Path;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Bytes of the widest sample layout that is read: four channels of 16 bits.
const MAX_BYTES_PER_PIXEL: u64 = 8;
/// Room in a file, and in a decoder, for what is not pixels: profiles, previews, metadata.
const METADATA_BYTES: u64 = 64 << 20;

impl Photo {
    /// Reads a photo: decoded, upright, in linear light with sRGB primaries.
    ///
    /// Alpha is ignored, the colour is taken as stored. A colour profile that cannot be used is
    /// told in [`Photo::notices`], and sRGB is assumed.
    ///
    /// # Errors
    /// A file that is missing, unreadable, damaged, cut short, no photo of the four formats, in
    /// CMYK, or larger than `settings` allow.
    pub fn open(path: &Path, settings: &PhotoSettings) -> Result<Photo> {
        Photo::from_bytes(path, &read(path, settings)?, settings)
    }

    /// As [`Photo::open`], from the bytes of a file; `path` only names it.
    ///
    /// # Errors
    /// As [`Photo::open`], but for reading.
    pub fn from_bytes(path: &Path, bytes: &[u8], settings: &PhotoSettings) -> Result<Photo> {
        let decoded = decode(bytes, settings).map_err(|why| Error::new(path, Step::Decode, why))?;
        let (linear, notice) = color::to_linear(decoded.pixels, decoded.icc.as_deref());
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Photo {
            notices: notice.iter().map(|why| format!("{file}: {why}")).collect(),
            file,
            sha256: Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
            quantisers: decoded.quantisers,
            flat: FlatAreas::find(&linear, settings),
            linear,
        })
    }
}

/// Size of a photo in pixels as stored (before orientation), from its header alone.
///
/// # Errors
/// A file that is missing, or not a photo of the four formats.
pub fn stored_size(path: &Path) -> Result<(u32, u32)> {
    let read_error = |why: std::io::Error| Error::new(path, Step::Read, plain(&why));
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let reader = reader.map_err(read_error)?;
    if reader.format().is_none_or(|format| !FORMATS.contains(&format)) {
        return Err(Error::new(path, Step::Decode, UNKNOWN_FORMAT));
    }
    reader.into_dimensions().map_err(|why| Error::new(path, Step::Decode, why))
}

const FORMATS: [ImageFormat; 4] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP];
const UNKNOWN_FORMAT: &str = "not a JPEG, PNG, TIFF or WebP photo; export it as one of these";

/// All bytes of a regular file of sane length.
fn read(path: &Path, settings: &PhotoSettings) -> Result<Vec<u8>> {
    let error = |why: &str| Error::new(path, Step::Read, why);
    let info = std::fs::metadata(path).map_err(|why| error(&plain(&why)))?;
    if info.is_dir() {
        return Err(error("is a folder; name the photos in it"));
    }
    if !info.is_file() {
        return Err(error("is not a regular file"));
    }
    let limit = max_pixels(settings).saturating_mul(MAX_BYTES_PER_PIXEL) + METADATA_BYTES;
    if info.len() > limit {
        return Err(error(&format!(
            "{} bytes are more than {} megapixels can need; raise --max-megapixels",
            info.len(),
            settings.max_megapixels
        )));
    }
    let bytes = std::fs::read(path).map_err(|why| error(&plain(&why)))?;
    if bytes.is_empty() {
        return Err(error("the file is empty; copy it from the camera again"));
    }
    Ok(bytes)
}

/// The cause of an I/O error without the operating system's number.
fn plain(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "no such file".into(),
        std::io::ErrorKind::PermissionDenied => "no permission to read it".into(),
        _ => error.to_string(),
    }
}

fn max_pixels(settings: &PhotoSettings) -> u64 {
    (settings.max_megapixels * 1e6) as u64
}

/// What a file holds that matters here.
struct Decoded {
    /// Upright pixels of 8 or 16 bits.
    pixels: DynamicImage,
    /// Bytes of the embedded colour profile.
    icc: Option<Vec<u8>>,
    /// [`Photo::quantisers`].
    quantisers: Option<Quantisers>,
}

fn decode(bytes: &[u8], settings: &PhotoSettings) -> Result<Decoded, String> {
    let format = image::guess_format(bytes).ok().filter(|format| FORMATS.contains(format));
    let (mut pixels, icc, orientation) = match format {
        Some(ImageFormat::Jpeg) => decode_jpeg(bytes, settings)?,
        Some(format) => decode_other(bytes, format, settings)?,
        None => return Err(UNKNOWN_FORMAT.into()),
    };
    pixels.apply_orientation(orientation);
    let quantisers =
        if format == Some(ImageFormat::Jpeg) { Quantisers::of_file(bytes) } else { None };
    Ok(Decoded { pixels, icc, quantisers })
}

/// Refuses a size before anything of that size is allocated.
fn check_size(width: u64, height: u64, settings: &PhotoSettings) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err(format!("the photo is {width} × {height} pixels: nothing to measure"));
    }
    if width * height > max_pixels(settings) {
        return Err(format!(
            "{width} × {height} pixels are more than the {} megapixels allowed; \
             raise --max-megapixels if the photo is right",
            settings.max_megapixels
        ));
    }
    Ok(())
}

type Parts = (DynamicImage, Option<Vec<u8>>, Orientation);

fn decode_jpeg(bytes: &[u8], settings: &PhotoSettings) -> Result<Parts, String> {
    const SAVE_AGAIN: &str = "copy it from the camera again, or save it again from a viewer";
    let side = usize::from(u16::MAX);
    let options =
        DecoderOptions::default().set_strict_mode(true).set_max_width(side).set_max_height(side);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let damaged = |why| format!("damaged JPEG ({why}); {SAVE_AGAIN}");
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) = decoder.dimensions().ok_or("JPEG without a picture size")?;
    check_size(width as u64, height as u64, settings)?;

    let stored = decoder.input_colorspace();
    let space = match stored {
        Some(ColorSpace::Luma) => ColorSpace::Luma,
        Some(ColorSpace::YCbCr | ColorSpace::RGB) => ColorSpace::RGB,
        Some(ColorSpace::CMYK | ColorSpace::YCCK) => return Err(CMYK.into()),
        _ => return Err("JPEG with an unknown set of colours; save it as an RGB photo".into()),
    };
    scan::check(bytes, (width, height))
        .map_err(|why| format!("{why}; copy it from the camera again"))?;
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(space));
    let samples = decoder.decode().map_err(damaged)?;
    let (width, height) = (width as u32, height as u32);
    let pixels = if space == ColorSpace::Luma {
        image::GrayImage::from_raw(width, height, samples).map(DynamicImage::ImageLuma8)
    } else {
        image::RgbImage::from_raw(width, height, samples).map(DynamicImage::ImageRgb8)
    };
    let pixels = pixels.ok_or_else(|| damaged_size().to_string())?;
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    Ok((pixels, decoder.icc_profile(), orientation.unwrap_or(Orientation::NoTransforms)))
}

const CMYK: &str = "the photo is in CMYK print colours; export it as RGB from the original";

fn damaged_size() -> &'static str {
    "damaged JPEG (fewer pixels than its header says)"
}

fn decode_other(
    bytes: &[u8],
    format: ImageFormat,
    settings: &PhotoSettings,
) -> Result<Parts, String> {
    if format == ImageFormat::Tiff && is_raw_preview(bytes) {
        return Err("a camera raw file; develop it and export a 16-bit TIFF or a JPEG".into());
    }
    let damaged = |why: image::ImageError| format!("{why}; copy or export the photo again");
    let mut limits = Limits::no_limits();
    let max_bytes = max_pixels(settings).saturating_mul(MAX_BYTES_PER_PIXEL);
    limits.max_alloc = Some(max_bytes.saturating_mul(2) + METADATA_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check_size(width.into(), height.into(), settings)?;
    match decoder.original_color_type() {
        ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16 => return Err(CMYK.into()),
        ExtendedColorType::Rgb32F | ExtendedColorType::Rgba32F => {
            return Err("floating-point samples; export the photo with 8 or 16 bits".into());
        }
        _ => {}
    }
    let icc = decoder.icc_profile().map_err(damaged)?;
    let mut orientation = decoder.orientation().map_err(damaged)?;
    // Some writers of WebP keep the prefix that only JPEG wants.
    if let Ok(Some(exif)) = decoder.exif_metadata()
        && let Some(tiff) = exif.strip_prefix(b"Exif\0\0")
    {
        orientation = Orientation::from_exif_chunk(tiff).unwrap_or(orientation);
    }
    let pixels = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    Ok((pixels, icc, orientation))
}

/// Whether a TIFF is a camera raw file, whose first picture is only a small preview: it has the
/// DNG version tag or Canon's mark, or its first directory is marked as a reduced copy (TIFF 6.0,
/// tag 254).
fn is_raw_preview(bytes: &[u8]) -> bool {
    const NEW_SUBFILE_TYPE: u16 = 254;
    const DNG_VERSION: u16 = 50706;
    let little = bytes.starts_with(b"II");
    let u16_at = |at: usize| {
        let raw = <[u8; 2]>::try_from(bytes.get(at..at.checked_add(2)?)?).ok()?;
        Some(if little { u16::from_le_bytes(raw) } else { u16::from_be_bytes(raw) })
    };
    let u32_at = |at: usize| {
        let raw = <[u8; 4]>::try_from(bytes.get(at..at.checked_add(4)?)?).ok()?;
        Some(if little { u32::from_le_bytes(raw) } else { u32::from_be_bytes(raw) })
    };
    let entries = || {
        let directory = u32_at(4)? as usize;
        Some((directory + 2, usize::from(u16_at(directory)?)))
    };
    if bytes.get(8..10) == Some(b"CR") {
        return true;
    }
    let Some((first, count)) = entries() else { return false };
    (0..count).map(|i| first + 12 * i).any(|at| match u16_at(at) {
        Some(NEW_SUBFILE_TYPE) => u32_at(at + 8).is_some_and(|kind| kind & 1 == 1),
        Some(DNG_VERSION) => true,
        _ => false,
    })
}
