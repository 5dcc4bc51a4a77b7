//! Files → pixels: JPEG, PNG, TIFF and WebP, recognised by their content; sizes are limited before
//! allocation.
//!
//! JPEG is decoded by zune-jpeg in strict mode, because the lenient one fills missing data with grey
//! and reports no error; [`scan`] detects missing data that the strict mode does not. `image` decodes
//! the others.

use super::jpeg::Quantisers;
use super::{FlatAreas, Photo, Reduction, color, scan};
use crate::error::{Error, Result, Step};
use crate::notice::Notice;
use crate::settings::PhotoSettings;
use image::metadata::Orientation;
use image::{DynamicImage, ExtendedColorType, ImageDecoder, ImageFormat, ImageReader, Limits};
use sha2::{Digest, Sha256};
use std::io::Cursor;
use std::path::Path;
use zune_jpeg::JpegDecoder;
use zune_jpeg::errors::DecodeErrors;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Bytes of the largest supported pixel: four channels of 16 bits.
const MAX_BYTES_PER_PIXEL: u64 = 8;
/// Bytes allowed in a file, and in a decoder, for other data than pixels: profiles, previews, metadata.
const METADATA_BYTES: u64 = 64 << 20;

impl Photo {
    /// Reads a photo: decoded, upright, in linear light with sRGB primaries.
    ///
    /// Alpha is ignored, the colour is used as stored. A colour profile that cannot be used adds a
    /// notice to [`Photo::notices`], and sRGB is assumed.
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
        log::trace!(target: "skindelta", "decode {}", path.display());
        let decoded = decode(path, bytes, settings)?;
        let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(photo(file, bytes, decoded, settings))
    }

    /// A photo from pixels in memory: sRGB, 8 bits, red, green and blue of each pixel, row after row, upright.
    ///
    /// ```
    /// let photo = skindelta::photo::Photo::from_rgb8("grey.raw", 2, 1, &[128, 128, 128, 64, 64, 64])?;
    /// assert_eq!((photo.width(), photo.height()), (2, 1));
    /// # Ok::<(), skindelta::Error>(())
    /// ```
    ///
    /// # Errors
    /// Other than 3 × `width` × `height` samples, or none.
    pub fn from_rgb8(name: &str, width: u32, height: u32, samples: &[u8]) -> Result<Photo> {
        let image = image::RgbImage::from_raw(width, height, samples.to_vec());
        from_memory(name, [width, height], samples, image.map(DynamicImage::ImageRgb8))
    }

    /// As [`Photo::from_rgb8`], of 16 bits.
    ///
    /// # Errors
    /// As [`Photo::from_rgb8`].
    pub fn from_rgb16(name: &str, width: u32, height: u32, samples: &[u16]) -> Result<Photo> {
        let image = image::ImageBuffer::from_raw(width, height, samples.to_vec());
        let bytes: Vec<u8> = samples.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        from_memory(name, [width, height], &bytes, image.map(DynamicImage::ImageRgb16))
    }
}

/// The photo of an image with these samples; an error where their number does not fit the size.
fn from_memory(
    name: &str,
    [width, height]: [u32; 2],
    bytes: &[u8],
    image: Option<DynamicImage>,
) -> Result<Photo> {
    let size = |image: &DynamicImage| {
        u64::from(width) * u64::from(height) * u64::from(image.color().bytes_per_pixel())
    };
    let fits = |image: &DynamicImage| !bytes.is_empty() && bytes.len() as u64 == size(image);
    let Some(pixels) = image.filter(fits) else {
        let why = format!("{width} × {height} px need three samples each, and at least one pixel");
        return Err(Error::new(name, Step::Decode, why));
    };
    let decoded = Decoded { pixels, icc: None, quantisers: None };
    Ok(photo(name.to_string(), bytes, decoded, &PhotoSettings::default()))
}

/// A photo of decoded pixels; `bytes`: those that are hashed.
fn photo(file: String, bytes: &[u8], decoded: Decoded, settings: &PhotoSettings) -> Photo {
    let (linear, unreadable) = color::to_linear(decoded.pixels, decoded.icc.as_deref());
    Photo {
        notices: unreadable
            .then(|| Notice::UnreadableProfile { file: file.clone() })
            .into_iter()
            .collect(),
        file,
        sha256: Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
        quantisers: decoded.quantisers,
        flat: FlatAreas::find(&linear, settings),
        reduction: Reduction::none(linear.width(), linear.height()),
        linear,
    }
}

/// Size of a photo in pixels as stored (before orientation), from its header alone.
///
/// # Errors
/// A file that is missing, or not a photo of the four formats.
pub fn stored_size(path: &Path) -> Result<(u32, u32)> {
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let reader = reader.map_err(|cause| unreadable(path, cause))?;
    if reader.format().is_none_or(|format| !FORMATS.contains(&format)) {
        return Err(Error::new(path, Step::Decode, UNKNOWN_FORMAT));
    }
    reader.into_dimensions().map_err(|cause| Error::wrap(path, Step::Decode, cause))
}

const FORMATS: [ImageFormat; 4] =
    [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP];
const UNKNOWN_FORMAT: &str = "not a JPEG, PNG, TIFF or WebP photo; export it as one of these";

/// All bytes of a regular file within the limit of length.
fn read(path: &Path, settings: &PhotoSettings) -> Result<Vec<u8>> {
    let error = |why: &str| Error::new(path, Step::Read, why);
    let info = std::fs::metadata(path).map_err(|cause| unreadable(path, cause))?;
    if info.is_dir() {
        return Err(error("is a folder; name the photos in it"));
    }
    if !info.is_file() {
        return Err(error("is not a regular file"));
    }
    let limit = max_pixels(settings).saturating_mul(MAX_BYTES_PER_PIXEL) + METADATA_BYTES;
    if info.len() > limit {
        return Err(error(&format!(
            "{} bytes are more than {} megapixels can need; raise the limit of megapixels if the photo is right",
            info.len(),
            settings.max_megapixels
        )));
    }
    let bytes = std::fs::read(path).map_err(|cause| unreadable(path, cause))?;
    if bytes.is_empty() {
        return Err(error("the file is empty; copy it from the camera again"));
    }
    Ok(bytes)
}

/// The error of a file that cannot be read; for common causes without the operating system's number.
fn unreadable(path: &Path, cause: std::io::Error) -> Error {
    let why = match cause.kind() {
        std::io::ErrorKind::NotFound => "no such file".into(),
        std::io::ErrorKind::PermissionDenied => "no permission to read it".into(),
        _ => cause.to_string(),
    };
    Error::caused(path, Step::Read, why, cause)
}

fn max_pixels(settings: &PhotoSettings) -> u64 {
    (settings.max_megapixels * 1e6) as u64
}

/// A decoded file.
struct Decoded {
    /// Upright pixels of 8 or 16 bits.
    pixels: DynamicImage,
    /// Bytes of the embedded colour profile.
    icc: Option<Vec<u8>>,
    /// [`Photo::quantisers`].
    quantisers: Option<Quantisers>,
}

/// The pixels in the bytes of a file; `path` only names it.
fn decode(path: &Path, bytes: &[u8], settings: &PhotoSettings) -> Result<Decoded> {
    let format = image::guess_format(bytes).ok().filter(|format| FORMATS.contains(format));
    let Stored { mut pixels, icc, orientation } = match format {
        Some(ImageFormat::Jpeg) => decode_jpeg(path, bytes, settings)?,
        Some(format) => decode_other(path, bytes, format, settings)?,
        None => return Err(Error::new(path, Step::Decode, UNKNOWN_FORMAT)),
    };
    pixels.apply_orientation(orientation);
    let quantisers =
        if format == Some(ImageFormat::Jpeg) { Quantisers::of_file(bytes) } else { None };
    Ok(Decoded { pixels, icc, quantisers })
}

/// Checks a size before memory of that size is allocated.
///
/// # Errors
/// No pixels, or more than `max_megapixels`.
fn check_size(path: &Path, width: u64, height: u64, settings: &PhotoSettings) -> Result<()> {
    if width == 0 || height == 0 {
        let why = format!("the photo is {width} × {height} pixels: nothing to measure");
        return Err(Error::new(path, Step::Decode, why));
    }
    if width * height > max_pixels(settings) {
        let why = format!(
            "{width} × {height} pixels are more than the {} megapixels allowed; \
             raise the limit of megapixels if the photo is right",
            settings.max_megapixels
        );
        return Err(Error::new(path, Step::Decode, why));
    }
    Ok(())
}

/// A decoded file before its orientation is applied.
struct Stored {
    pixels: DynamicImage,
    /// Bytes of the embedded colour profile.
    icc: Option<Vec<u8>>,
    orientation: Orientation,
}

fn decode_jpeg(path: &Path, bytes: &[u8], settings: &PhotoSettings) -> Result<Stored> {
    const SAVE_AGAIN: &str = "copy it from the camera again, or save it again from a viewer";
    let side = usize::from(u16::MAX);
    let options =
        DecoderOptions::default().set_strict_mode(true).set_max_width(side).set_max_height(side);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let wrong = |why: &str| Error::new(path, Step::Decode, why);
    let damaged = |cause: DecodeErrors| {
        let why = format!("damaged JPEG ({cause}); {SAVE_AGAIN}");
        Error::caused(path, Step::Decode, why, cause)
    };
    decoder.decode_headers().map_err(damaged)?;
    let (width, height) =
        decoder.dimensions().ok_or_else(|| wrong("JPEG without a picture size"))?;
    check_size(path, width as u64, height as u64, settings)?;

    let stored = decoder.input_colorspace();
    let space = match stored {
        Some(ColorSpace::Luma) => ColorSpace::Luma,
        Some(ColorSpace::YCbCr | ColorSpace::RGB) => ColorSpace::RGB,
        Some(ColorSpace::CMYK | ColorSpace::YCCK) => return Err(wrong(CMYK)),
        _ => return Err(wrong("JPEG with an unknown set of colours; save it as an RGB photo")),
    };
    scan::check(bytes, (width, height))
        .map_err(|why| wrong(&format!("{why}; copy it from the camera again")))?;
    decoder.set_options(decoder.options().jpeg_set_out_colorspace(space));
    let samples = decoder.decode().map_err(damaged)?;
    let (width, height) = (width as u32, height as u32);
    let pixels = if space == ColorSpace::Luma {
        image::GrayImage::from_raw(width, height, samples).map(DynamicImage::ImageLuma8)
    } else {
        image::RgbImage::from_raw(width, height, samples).map(DynamicImage::ImageRgb8)
    };
    let pixels = pixels.ok_or_else(|| wrong(FEWER_PIXELS))?;
    let orientation = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let orientation = orientation.unwrap_or(Orientation::NoTransforms);
    Ok(Stored { pixels, icc: decoder.icc_profile(), orientation })
}

const CMYK: &str = "the photo is in CMYK print colours; export it as RGB from the original";

const FEWER_PIXELS: &str = "damaged JPEG (fewer pixels than its header says)";

fn decode_other(
    path: &Path,
    bytes: &[u8],
    format: ImageFormat,
    settings: &PhotoSettings,
) -> Result<Stored> {
    let wrong = |why: &str| Error::new(path, Step::Decode, why);
    if format == ImageFormat::Tiff && is_raw_preview(bytes) {
        return Err(wrong("a camera raw file; develop it and export a 16-bit TIFF or a JPEG"));
    }
    let damaged = |cause: image::ImageError| {
        let why = format!("{cause}; copy or export the photo again");
        Error::caused(path, Step::Decode, why, cause)
    };
    let mut limits = Limits::no_limits();
    let max_bytes = max_pixels(settings).saturating_mul(MAX_BYTES_PER_PIXEL);
    limits.max_alloc = Some(max_bytes.saturating_mul(2) + METADATA_BYTES);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check_size(path, width.into(), height.into(), settings)?;
    match decoder.original_color_type() {
        ExtendedColorType::Cmyk8 | ExtendedColorType::Cmyk16 => return Err(wrong(CMYK)),
        ExtendedColorType::Rgb32F | ExtendedColorType::Rgba32F => {
            return Err(wrong("floating-point samples; export the photo with 8 or 16 bits"));
        }
        _ => {}
    }
    let icc = decoder.icc_profile().map_err(damaged)?;
    let mut orientation = decoder.orientation().map_err(damaged)?;
    // Some writers of WebP keep the prefix that belongs to JPEG only.
    if let Ok(Some(exif)) = decoder.exif_metadata()
        && let Some(tiff) = exif.strip_prefix(b"Exif\0\0")
    {
        orientation = Orientation::from_exif_chunk(tiff).unwrap_or(orientation);
    }
    let pixels = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    Ok(Stored { pixels, icc, orientation })
}

/// Whether a TIFF is a camera raw file, whose first picture is a small preview: it has the DNG version
/// tag or Canon's mark, or its first directory is marked as a reduced copy (TIFF 6.0, tag 254).
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
