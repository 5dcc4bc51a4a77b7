//! The innermost loops of the filters, compiled for the vector instructions of the processor that they run on.
//!
//! Nothing is fused or reordered by that: the same bytes on every processor.

use multiversion::multiversion;

/// Pixels computed together: their sums fit the registers.
const BLOCK: usize = 32;

/// `out[x] = Σ w·v[x]` over the terms `(w, v)`, in their order; each `v` is as long as `out`.
#[multiversion(targets("x86_64+avx2"))]
pub fn weighted_sum(out: &mut [f32], terms: &[(f32, &[f32])]) {
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    let done = blocks.len() * BLOCK;
    for (i, block) in blocks.iter_mut().enumerate() {
        let mut sum = [0.0f32; BLOCK];
        for (w, v) in terms {
            let v = &v.as_chunks::<BLOCK>().0[i];
            for x in 0..BLOCK {
                sum[x] += w * v[x];
            }
        }
        *block = sum;
    }
    for (x, o) in (done..).zip(rest) {
        *o = terms.iter().fold(0.0, |sum, (w, v)| sum + w * v[x]);
    }
}

/// `out = k₀·a₀ + Σ kⱼ·(aⱼ + bⱼ)` over the lines `(aⱼ, bⱼ)`, which lie `j` px to either side and are as long as `out`.
#[multiversion(targets("x86_64+avx2"))]
pub fn symmetric_sum(out: &mut [f32], k: &[f32], sides: &[[&[f32]; 2]]) {
    folded_sum(out, k, sides, |j, a, b| if j == 0 { a } else { a + b });
}

/// `out = Σ kⱼ·(aⱼ − bⱼ)`, as [`symmetric_sum`].
#[multiversion(targets("x86_64+avx2"))]
pub fn antisymmetric_sum(out: &mut [f32], k: &[f32], sides: &[[&[f32]; 2]]) {
    folded_sum(out, k, sides, |j, a, b| if j == 0 { 0.0 } else { a - b });
}

/// `out = Σ kⱼ·fold(j, aⱼ, bⱼ)`; inlined, so that it has the instructions of its caller.
#[inline(always)]
fn folded_sum(
    out: &mut [f32],
    k: &[f32],
    sides: &[[&[f32]; 2]],
    fold: impl Fn(usize, f32, f32) -> f32,
) {
    let (blocks, rest) = out.as_chunks_mut::<BLOCK>();
    let done = blocks.len() * BLOCK;
    for (i, block) in blocks.iter_mut().enumerate() {
        let mut sum = [0.0f32; BLOCK];
        for (j, (k, sides)) in k.iter().zip(sides).enumerate() {
            let [a, b] = sides.map(|side| &side.as_chunks::<BLOCK>().0[i]);
            for x in 0..BLOCK {
                sum[x] += k * fold(j, a[x], b[x]);
            }
        }
        *block = sum;
    }
    for (x, o) in (done..).zip(rest) {
        let terms = k.iter().zip(sides).enumerate();
        *o = terms.fold(0.0, |sum, (j, (k, [a, b]))| sum + k * fold(j, a[x], b[x]));
    }
}

/// Adds to `sums` the products of a pixel of `planes` (data of rasters `width` px wide) with the pixels around it:
/// offsets −`reach` ..= `reach` to the side, 0 ..= `reach` down, row by row, for each pixel `[x, y]` of `firsts`.
#[multiversion(targets("x86_64+avx2"))]
pub fn add_products(
    sums: &mut [f64],
    planes: &[&[f32]],
    width: usize,
    firsts: &[[usize; 2]],
    reach: usize,
) {
    let side = 2 * reach + 1;
    for [x, y] in firsts {
        for (down, sums) in sums.chunks_exact_mut(side).enumerate() {
            for plane in planes {
                let here = f64::from(plane[y * width + x]);
                let start = (y + down) * width + x - reach;
                let there = &plane[start..start + side];
                sums.iter_mut().zip(there).for_each(|(sum, v)| *sum += here * f64::from(*v));
            }
        }
    }
}

/// Σ aᵢ·bᵢ, as the sum of [`LANES`] interleaved sums.
#[multiversion(targets("x86_64+avx2"))]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let n = a.len().min(b.len());
    let (heads, tail) = a[..n].as_chunks::<LANES>();
    let (others, rest) = b[..n].as_chunks::<LANES>();
    let mut sums = [0.0f64; LANES];
    for (a, b) in heads.iter().zip(others) {
        for i in 0..LANES {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f64>() + tail.iter().zip(rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Sums of [`dot`].
const LANES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Numbers of −1 … 1.
    fn noise(n: usize, stream: i64) -> Vec<f32> {
        (0..n).map(|i| Rng::at(7, i as i64, stream).range(-1.0, 1.0) as f32).collect()
    }

    #[test]
    fn blocks_and_rest_are_the_plain_sums() {
        for n in [1, 31, 32, 33, 100] {
            let lines: Vec<Vec<f32>> = (0..6).map(|stream| noise(n, stream)).collect();
            let k = [0.5f32, -0.3, 0.2];
            let terms: Vec<(f32, &[f32])> =
                k.iter().copied().zip(lines.iter().map(|l| &l[..])).collect();
            let sides =
                [[&lines[0][..], &lines[1]], [&lines[2], &lines[3]], [&lines[4], &lines[5]]];
            let mut out = vec![0.0; n];
            weighted_sum(&mut out, &terms);
            for x in 0..n {
                assert_eq!(out[x], k[0] * lines[0][x] + k[1] * lines[1][x] + k[2] * lines[2][x]);
            }
            let side =
                |j: usize, sign: f32, x: usize| k[j] * (sides[j][0][x] + sign * sides[j][1][x]);
            symmetric_sum(&mut out, &k, &sides);
            for x in 0..n {
                assert_eq!(out[x], k[0] * lines[0][x] + side(1, 1.0, x) + side(2, 1.0, x));
            }
            antisymmetric_sum(&mut out, &k, &sides);
            for x in 0..n {
                assert_eq!(out[x], side(1, -1.0, x) + side(2, -1.0, x));
            }
            let [a, b] =
                [0, 1].map(|i| lines[i].iter().map(|v| f64::from(*v)).collect::<Vec<f64>>());
            let plain: f64 = a.iter().zip(&b).map(|(a, b)| a * b).sum();
            assert!((dot(&a, &b) - plain).abs() < 1e-12);
        }
    }

    #[test]
    fn products_are_those_of_each_pair() {
        let (plane, width, reach) = (noise(20 * 12, 1), 20, 2);
        let firsts = [[5, 3], [9, 4]];
        let mut sums = vec![0.0; 15];
        add_products(&mut sums, &[&plane], width, &firsts, reach);
        let at = |x: usize, y: usize| f64::from(plane[y * width + x]);
        for (i, sum) in sums.iter().enumerate() {
            let (down, across) = (i / 5, i % 5);
            let pair = |[x, y]: [usize; 2]| at(x, y) * at(x + across - reach, y + down);
            assert!((sum - firsts.map(pair).iter().sum::<f64>()).abs() < 1e-12);
        }
    }
}
