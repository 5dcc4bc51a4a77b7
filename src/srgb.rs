//! sRGB: the transfer function (IEC 61966-2-1), and the luminance of its primaries (ITU-R BT.709).

/// Linear light 0 … 1 of an encoded value 0 … 1.
pub fn decode(encoded: f64) -> f64 {
    if encoded <= 0.04045 { encoded / 12.92 } else { ((encoded + 0.055) / 1.055).powf(2.4) }
}

/// Encoded value 0 … 1 of linear light 0 … 1.
pub fn encode(linear: f64) -> f64 {
    if linear <= 0.003_130_8 { 12.92 * linear } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}

/// Luminance of linear light, in its own unit.
pub fn luminance([r, g, b]: [f32; 3]) -> f32 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Natural log of a luminance of 0 … 1; black counts as the smallest 16-bit step.
pub fn log(luminance: f32) -> f32 {
    luminance.max(1.0 / 65535.0).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_curve_has_its_published_points_and_comes_back() {
        assert!((decode(0.5) - 0.214_041).abs() < 1e-6);
        assert!((decode(0.04) - 0.04 / 12.92).abs() < 1e-12);
        for code in 0..=255 {
            let v = f64::from(code) / 255.0;
            assert!((encode(decode(v)) - v).abs() < 1e-6, "{code}");
        }
        assert!((luminance([1.0; 3]) - 1.0).abs() < 1e-6);
    }
}
