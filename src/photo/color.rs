//! Encoded samples → linear light with sRGB primaries (D65).
//!
//! A photo with a profile is first converted to 16-bit sRGB (moxcms, relative colorimetric), so that
//! one table, the sRGB transfer function of IEC 61966-2-1, linearises all photos.

use crate::plane::Grid;
use crate::srgb;
use image::DynamicImage;
use moxcms::{
    ColorProfile, DataColorSpace, Layout, RenderingIntent, Transform16BitExecutor, TransformOptions,
};
use std::sync::{Arc, LazyLock};

/// Linear light of a 16-bit sRGB code, both scaled to 0..=65535; an 8-bit code v is 257 v.
static SRGB_TO_LINEAR: LazyLock<Vec<u16>> = LazyLock::new(|| {
    (0..=u16::MAX)
        .map(|code| (srgb::decode(f64::from(code) / 65535.0) * 65535.0).round() as u16)
        .collect()
});

/// Linear light with sRGB primaries, clamped to the sRGB gamut; grey is repeated over the channels,
/// alpha is dropped. sRGB is assumed where there is no profile and where the profile cannot be used;
/// the second value is a notice about the latter.
pub fn to_linear(pixels: DynamicImage, icc: Option<&[u8]>) -> (Grid<[u16; 3]>, bool) {
    let color = pixels.color();
    let profile = icc.map(|icc| Profile::parse(icc, color.has_color()));
    let unreadable = matches!(profile, Some(None));
    let profile = profile.flatten();
    let profile = profile.as_ref();
    let size = (pixels.width() as usize, pixels.height() as usize);
    let channels = usize::from(color.channel_count());
    let linear = match &pixels {
        DynamicImage::ImageLuma8(p) => convert(p, widen, channels, size, profile),
        DynamicImage::ImageLumaA8(p) => convert(p, widen, channels, size, profile),
        DynamicImage::ImageRgb8(p) => convert(p, widen, channels, size, profile),
        DynamicImage::ImageRgba8(p) => convert(p, widen, channels, size, profile),
        DynamicImage::ImageLuma16(p) => convert(p, u16::from, channels, size, profile),
        DynamicImage::ImageLumaA16(p) => convert(p, u16::from, channels, size, profile),
        DynamicImage::ImageRgb16(p) => convert(p, u16::from, channels, size, profile),
        DynamicImage::ImageRgba16(p) => convert(p, u16::from, channels, size, profile),
        other => convert(&other.to_rgb16(), u16::from, 3, size, profile),
    };
    (linear, unreadable)
}

/// An 8-bit code as the 16-bit code of the same fraction.
fn widen(code: u8) -> u16 {
    u16::from(code) * 257
}

/// Linear light of samples of `channels` each; `code`: a sample as a 16-bit code.
fn convert<T: Copy + Sync>(
    samples: &[T],
    code: impl Fn(T) -> u16 + Sync,
    channels: usize,
    (width, height): (usize, usize),
    profile: Option<&Profile>,
) -> Grid<[u16; 3]> {
    let mut linear = Grid::filled(width, height, [0; 3]);
    let table = SRGB_TO_LINEAR.as_slice();
    linear.par_rows(|y, row| {
        let source = samples[y * width * channels..].chunks_exact(channels);
        for (out, pixel) in row.iter_mut().zip(source) {
            *out = match pixel {
                [r, g, b, ..] => [code(*r), code(*g), code(*b)],
                grey => [code(grey[0]); 3],
            };
        }
        if let Some(profile) = profile {
            profile.to_srgb(row);
        }
        for pixel in row {
            *pixel = pixel.map(|code| table[usize::from(code)]);
        }
    });
    linear
}

/// A colour profile that fits the pixels, ready to convert to 16-bit sRGB.
struct Profile {
    to_srgb: Arc<Transform16BitExecutor>,
    grey: bool,
}

impl Profile {
    /// `None` where the bytes are no profile, or one for another kind of pixels.
    fn parse(icc: &[u8], has_color: bool) -> Option<Profile> {
        let profile = ColorProfile::new_from_slice(icc).ok()?;
        let grey = profile.color_space == DataColorSpace::Gray;
        // A grey picture may have an RGB profile: then its grey is R = G = B.
        if grey && has_color || !grey && profile.color_space != DataColorSpace::Rgb {
            return None;
        }
        let source = if grey { Layout::Gray } else { Layout::Rgb };
        let options = TransformOptions {
            rendering_intent: RenderingIntent::RelativeColorimetric,
            prefer_fixed_point: false,
            ..TransformOptions::default()
        };
        let srgb = ColorProfile::new_srgb();
        let to_srgb = profile.create_transform_16bit(source, &srgb, Layout::Rgb, options).ok()?;
        Some(Profile { to_srgb, grey })
    }

    /// Converts one row of codes in place. The conversion can fail for sizes that differ only; they
    /// never do.
    fn to_srgb(&self, row: &mut [[u16; 3]]) {
        let source: Vec<u16> = if self.grey {
            row.iter().map(|pixel| pixel[0]).collect()
        } else {
            row.as_flattened().to_vec()
        };
        let done = self.to_srgb.transform(&source, row.as_flattened_mut());
        debug_assert!(done.is_ok(), "row of {} pixels", row.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayAlphaImage, GrayImage, ImageBuffer, Luma, RgbImage, RgbaImage};
    use moxcms::{LutDataType, LutStore, LutType, LutWarehouse, Matrix3d, Xyzd};

    /// Linear sRGB of linear Display P3 and linear Adobe RGB: CSS Color 4, section 18.
    const P3_TO_SRGB: [[f64; 3]; 3] = [
        [1.2249401762805598, -0.22494017628055996, 0.0],
        [-0.0420569547096882, 1.042056954709688, 0.0],
        [-0.0196375545903344, -0.0786360455506319, 1.0982736001409663],
    ];
    const ADOBE_TO_SRGB: [[f64; 3]; 3] = [
        [1.3983557439607783, -0.3983557439607783, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, -0.04292898929447326, 1.0429289892944733],
    ];

    fn rgb16(pixel: [u16; 3]) -> DynamicImage {
        DynamicImage::ImageRgb16(ImageBuffer::from_pixel(1, 1, image::Rgb(pixel)))
    }

    fn expected(codes: [u16; 3], eotf: impl Fn(f64) -> f64, matrix: [[f64; 3]; 3]) -> [f64; 3] {
        let linear = codes.map(|code| eotf(f64::from(code) / 65535.0));
        matrix.map(|m| (m[0] * linear[0] + m[1] * linear[1] + m[2] * linear[2]).clamp(0.0, 1.0))
    }

    /// Asserts every channel to within `tolerance` of full scale.
    fn assert_profile(
        profile: &ColorProfile,
        eotf: fn(f64) -> f64,
        matrix: [[f64; 3]; 3],
        tolerance: f64,
    ) {
        let icc = profile.encode().unwrap();
        for codes in [
            [51400, 38550, 30840],
            [65535, 65535, 65535],
            [3000, 2500, 2000],
            [32768, 20000, 45000],
            [65535, 0, 0],
            [0, 65535, 0],
        ] {
            let (linear, unreadable) = to_linear(rgb16(codes), Some(&icc));
            assert!(!unreadable);
            for (got, want) in linear.at(0, 0).iter().zip(expected(codes, eotf, matrix)) {
                let got = f64::from(*got) / 65535.0;
                assert!((got - want).abs() < tolerance, "{codes:?}: {got} instead of {want}");
            }
        }
    }

    #[test]
    fn srgb_codes_become_the_light_of_the_standard() {
        // IEC 61966-2-1, evaluated by hand: code 188 → 0.502886, 10 → 0.003035, 255 → 1.
        let image = RgbImage::from_pixel(1, 1, image::Rgb([188, 10, 255]));
        let (linear, unreadable) = to_linear(DynamicImage::ImageRgb8(image), None);
        assert_eq!(linear.at(0, 0), [32957, 199, 65535]);
        assert!(!unreadable);
    }

    #[test]
    fn sixteen_bits_are_kept_and_rise_with_the_code() {
        let codes: Vec<u16> = (0..=u16::MAX).collect();
        let image = ImageBuffer::<Luma<u16>, _>::from_raw(256, 256, codes).unwrap();
        let (linear, _) = to_linear(DynamicImage::ImageLuma16(image), None);
        for (code, pixel) in linear.data().iter().enumerate() {
            let want = srgb::decode(code as f64 / 65535.0) * 65535.0;
            assert!((f64::from(pixel[0]) - want).abs() <= 0.5);
            assert!(pixel[0] == pixel[1] && pixel[1] == pixel[2]);
        }
        assert!(linear.data().is_sorted());
    }

    #[test]
    fn alpha_is_ignored_and_grey_repeated() {
        let rgba = RgbaImage::from_pixel(1, 1, image::Rgba([188, 10, 255, 0]));
        let (linear, _) = to_linear(DynamicImage::ImageRgba8(rgba), None);
        assert_eq!(linear.at(0, 0), [32957, 199, 65535]);
        let grey = GrayAlphaImage::from_pixel(1, 1, image::LumaA([188, 3]));
        let (linear, _) = to_linear(DynamicImage::ImageLumaA8(grey), None);
        assert_eq!(linear.at(0, 0), [32957; 3]);
    }

    #[test]
    fn wide_gamut_profiles_are_converted() {
        assert_profile(&ColorProfile::new_display_p3(), srgb::decode, P3_TO_SRGB, 2e-4);
        let adobe = ColorProfile::new_adobe_rgb();
        assert_profile(&adobe, |v| v.powf(2.19921875), ADOBE_TO_SRGB, 2e-4);
    }

    #[test]
    fn an_srgb_profile_changes_codes_by_less_than_1e_4() {
        let identity = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
        assert_profile(&ColorProfile::new_srgb(), srgb::decode, identity, 1e-4);
    }

    #[test]
    fn a_table_profile_is_converted() {
        // Display P3 as an A2B table: the curve in the input tables, the matrix in a 2×2×2 grid.
        let p3 = ColorProfile::new_display_p3();
        let curve: Vec<u16> = (0..4096)
            .map(|i| (srgb::decode(f64::from(i) / 4095.0) * 65535.0).round() as u16)
            .collect();
        let matrix = p3.colorant_matrix();
        let mut grid = Vec::new();
        for corner in 0..8 {
            let rgb =
                [f64::from(corner >> 2 & 1), f64::from(corner >> 1 & 1), f64::from(corner & 1)];
            for m in matrix.v {
                let xyz = m[0] * rgb[0] + m[1] * rgb[1] + m[2] * rgb[2];
                grid.push((xyz.max(0.0) * 32768.0).round() as u16);
            }
        }
        let table = LutWarehouse::Lut(LutDataType {
            num_input_channels: 3,
            num_output_channels: 3,
            num_clut_grid_points: 2,
            matrix: Matrix3d::IDENTITY,
            num_input_table_entries: 4096,
            num_output_table_entries: 2,
            input_table: LutStore::Store16(curve.repeat(3)),
            clut_table: LutStore::Store16(grid),
            output_table: LutStore::Store16([0, 65535].repeat(3)),
            lut_type: LutType::Lut16,
        });
        let mut profile = p3;
        profile.lut_a_to_b_perceptual = Some(table.clone());
        profile.lut_a_to_b_colorimetric = Some(table);
        (profile.red_trc, profile.green_trc, profile.blue_trc) = (None, None, None);
        profile.red_colorant = Xyzd::default();
        profile.green_colorant = Xyzd::default();
        profile.blue_colorant = Xyzd::default();
        profile.cicp = None;
        // moxcms bakes tables into a coarser grid, hence the wider tolerance.
        assert_profile(&profile, srgb::decode, P3_TO_SRGB, 3e-3);
    }

    #[test]
    fn grey_profiles_and_grey_pixels_with_an_rgb_profile_are_converted() {
        let grey = || DynamicImage::ImageLuma8(GrayImage::from_pixel(1, 1, Luma([188])));
        let icc = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        let (linear, unreadable) = to_linear(grey(), Some(&icc));
        let want = (188.0f64 / 255.0).powf(2.2) * 65535.0;
        assert!((f64::from(linear.at(0, 0)[1]) - want).abs() < 20.0, "{:?}", linear.at(0, 0));
        assert!(!unreadable);

        let icc = ColorProfile::new_display_p3().encode().unwrap();
        let (linear, unreadable) = to_linear(grey(), Some(&icc));
        assert!(!unreadable);
        assert!(linear.at(0, 0).iter().all(|v| v.abs_diff(32957) < 8), "{:?}", linear.at(0, 0));
    }

    #[test]
    fn a_profile_that_cannot_be_used_gives_a_notice() {
        let good = ColorProfile::new_display_p3().encode().unwrap();
        let grey = ColorProfile::new_gray_with_gamma(2.2).encode().unwrap();
        for icc in [&b"no profile"[..], &[], &good[..100], &grey] {
            let (linear, unreadable) = to_linear(rgb16([188 * 257; 3]), Some(icc));
            assert!(unreadable);
            assert_eq!(linear.at(0, 0), [32957; 3]);
        }
    }
}
