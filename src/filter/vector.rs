//! The innermost loops of the filters, compiled for the vector instructions of the processor that they run on.
//!
//! Nothing is fused or reordered by that: the same bytes on every processor.

use multiversion::multiversion;

/// Pixels computed together: their sums fit the registers.
const BLOCK: usize = 64;

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

/// Σ (a − b)² over the pixels that are `inside`, and their number.
#[multiversion(targets("x86_64+avx2"))]
pub fn square_difference(a: &[f32], b: &[f32], inside: &[bool]) -> (f64, usize) {
    let (mut sums, mut n) = ([0.0f32; LANES], 0);
    let chunks = a.chunks(LANES).zip(b.chunks(LANES)).zip(inside.chunks(LANES));
    for ((a, b), inside) in chunks {
        for (((sum, a), b), inside) in sums.iter_mut().zip(a).zip(b).zip(inside) {
            let d = a - b;
            *sum += if *inside { d * d } else { 0.0 };
        }
        n += inside.iter().map(|m| usize::from(*m)).sum::<usize>();
    }
    (sums.iter().map(|sum| f64::from(*sum)).sum(), n)
}

/// Adds to `sums` Σ a², Σ b², Σ a·b and Σ (a′·b′ + a″·b″) over the pixels of a row of two planes that are `inside`, ′ the
/// difference to the next pixel and ″ that to the pixel `below`; rows are one px longer than `inside`.
#[multiversion(targets("x86_64+avx2"))]
pub fn add_octave_products(
    sums: &mut [f64; 4],
    here: [&[f32]; 2],
    below: [&[f32]; 2],
    inside: &[bool],
) {
    let n = inside.len();
    let [(a, a_next), (b, b_next)] = here.map(|row| (&row[..n], &row[1..=n]));
    let [a_below, b_below] = below.map(|row| &row[..n]);
    let mut lanes = [[0.0f32; LANES]; 4];
    for start in (0..n).step_by(LANES) {
        for x in start..(start + LANES).min(n) {
            let (u, v) = (a[x], b[x]);
            let across = (a_next[x] - u) * (b_next[x] - v);
            let down = (a_below[x] - u) * (b_below[x] - v);
            let products = [u * u, v * v, u * v, across + down];
            for k in 0..4 {
                lanes[k][x - start] += if inside[x] { products[k] } else { 0.0 };
            }
        }
    }
    for (sum, lanes) in sums.iter_mut().zip(lanes) {
        *sum += f64::from(lanes.iter().sum::<f32>());
    }
}

/// Adds to `sums` the products of a pixel of `planes` (data of rasters `width` px wide) with the pixels around it:
/// offsets −`reach` ..= `reach` to the side, 0 ..= `reach` down, row by row, for each pixel `[x, y]` of `firsts`, which
/// come row by row. In single precision within a row of firsts.
#[multiversion(targets("x86_64+avx2"))]
pub fn add_products(
    sums: &mut [f64],
    planes: &[&[f32]],
    width: usize,
    firsts: &[[usize; 2]],
    reach: usize,
) {
    let side = 2 * reach + 1;
    let mut padded = Vec::with_capacity(width + OFFSETS);
    for firsts in firsts.chunk_by(|a, b| a[1] == b[1]) {
        let y = firsts[0][1];
        for (down, sums) in sums.chunks_exact_mut(side).enumerate() {
            for plane in planes {
                let here = &plane[y * width..(y + 1) * width];
                padded.clear();
                padded.extend_from_slice(&plane[(y + down) * width..(y + down + 1) * width]);
                padded.resize(width + OFFSETS, 0.0);
                for (k, sums) in sums.chunks_mut(OFFSETS).enumerate() {
                    // As many sums as fit the registers.
                    let mut products = [0.0f32; OFFSETS];
                    for [x, _] in firsts {
                        let there = &padded[x - reach + k * OFFSETS..].as_chunks::<OFFSETS>().0[0];
                        for i in 0..OFFSETS {
                            products[i] += here[*x] * there[i];
                        }
                    }
                    sums.iter_mut().zip(products).for_each(|(sum, v)| *sum += f64::from(v));
                }
            }
        }
    }
}

/// Offsets whose products are summed together.
const OFFSETS: usize = 40;

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

/// Interleaved sums.
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
        for n in [1, 63, 64, 65, 200] {
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
            assert!((sum - firsts.map(pair).iter().sum::<f64>()).abs() < 1e-6);
        }
    }
}
