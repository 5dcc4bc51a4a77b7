//! CIELAB, and the colour difference CIEDE2000.

/// CIELAB under D50, 2° observer, from linear light with sRGB primaries (Bradford-adapted matrix,
/// CIE 15:2018).
pub fn lab(rgb: [f64; 3]) -> [f64; 3] {
    let [r, g, b] = rgb;
    let x = (0.436_074_7 * r + 0.385_064_9 * g + 0.143_080_4 * b) / 0.964_22;
    let y = 0.222_504_5 * r + 0.716_878_6 * g + 0.060_616_9 * b;
    let z = (0.013_932_2 * r + 0.097_104_5 * g + 0.714_173_3 * b) / 0.825_21;
    let f = |t: f64| {
        if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 }
    };
    [116.0 * f(y) - 16.0, 500.0 * (f(x) - f(y)), 200.0 * (f(y) - f(z))]
}

/// Colour difference CIEDE2000 (Sharma, Wu & Dalal 2005), all weights 1.
pub fn delta_e00(p: [f64; 3], q: [f64; 3]) -> f64 {
    let chroma = |v: [f64; 3]| v[1].hypot(v[2]);
    let mean = 0.5 * (chroma(p) + chroma(q));
    let seven = |c: f64| (c.powi(7) / (c.powi(7) + 25f64.powi(7))).sqrt();
    let g = 0.5 * (1.0 - seven(mean));
    let (ap, aq) = ((1.0 + g) * p[1], (1.0 + g) * q[1]);
    let (cp, cq) = (ap.hypot(p[2]), aq.hypot(q[2]));
    let hue = |a: f64, b: f64| {
        if a == 0.0 && b == 0.0 { 0.0 } else { b.atan2(a).to_degrees().rem_euclid(360.0) }
    };
    let (hp, hq) = (hue(ap, p[2]), hue(aq, q[2]));
    let dl = q[0] - p[0];
    let dc = cq - cp;
    let grey = cp * cq == 0.0;
    // For opposite hues rounding would decide the direction of the turn: within 1e-9 they count as 180°.
    let mut dh = hq - hp;
    if grey {
        dh = 0.0;
    } else if dh > 180.0 + 1e-9 {
        dh -= 360.0;
    } else if dh < -180.0 - 1e-9 {
        dh += 360.0;
    }
    let dh = 2.0 * (cp * cq).sqrt() * (dh.to_radians() / 2.0).sin();
    let l = 0.5 * (p[0] + q[0]);
    let c = 0.5 * (cp + cq);
    let h = if grey {
        hp + hq
    } else if (hp - hq).abs() <= 180.0 + 1e-9 {
        0.5 * (hp + hq)
    } else if hp + hq < 360.0 {
        0.5 * (hp + hq + 360.0)
    } else {
        0.5 * (hp + hq - 360.0)
    };
    let cosd = |d: f64| d.to_radians().cos();
    let t = 1.0 - 0.17 * cosd(h - 30.0) + 0.24 * cosd(2.0 * h) + 0.32 * cosd(3.0 * h + 6.0)
        - 0.20 * cosd(4.0 * h - 63.0);
    let turn = 30.0 * (-((h - 275.0) / 25.0).powi(2)).exp();
    let rc = 2.0 * seven(c);
    let sl = 1.0 + 0.015 * (l - 50.0).powi(2) / (20.0 + (l - 50.0).powi(2)).sqrt();
    let sc = 1.0 + 0.045 * c;
    let sh = 1.0 + 0.015 * c * t;
    let rt = -(2.0 * turn).to_radians().sin() * rc;
    let (l, c, h) = (dl / sl, dc / sc, dh / sh);
    (l * l + c * c + h * h + rt * c * h).max(0.0).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_and_mid_grey_in_lab() {
        let white = lab([1.0, 1.0, 1.0]);
        assert!((white[0] - 100.0).abs() < 1e-3 && white[1].abs() < 0.02 && white[2].abs() < 0.02);
        let grey = lab([0.184_186_5; 3]);
        assert!((grey[0] - 50.0).abs() < 1e-3);
    }

    /// All 34 pairs of Sharma, Wu & Dalal (2005), to their four printed digits.
    #[test]
    fn ciede2000_reference_pairs() {
        let table = include_str!("../tests/reference/ciede2000_sharma.csv");
        let mut n = 0;
        for line in table.lines().skip(1) {
            let v: Vec<f64> = line.split(',').map(|t| t.parse().unwrap()).collect();
            let (p, q) = ([v[0], v[1], v[2]], [v[3], v[4], v[5]]);
            for d in [delta_e00(p, q), delta_e00(q, p)] {
                assert!((d - v[6]).abs() <= 1.0e-4, "{p:?} {q:?}: {d} {}", v[6]);
            }
            n += 1;
        }
        assert_eq!(n, 34);
    }
}
