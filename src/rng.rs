//! Repeatable random numbers: SplitMix64 (Steele, Lea & Flood 2014, "Fast splittable pseudorandom
//! number generators", OOPSLA '14), as a hash of counters and as a stream.
//!
//! The same seed gives the same numbers on every machine, whatever the order of the threads.

/// Step of the stream: 2⁶⁴ over the golden ratio.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
/// Factor of the second counter: the second prime of xxHash64.
const SECOND: u64 = 0xc2b2_ae3d_27d4_eb4f;
/// Bits by which the second counter's key is rotated, where no other `turn` is asked for.
pub const TURN: u32 = 29;

/// SplitMix64's finaliser: every bit of the result depends on every bit of `z`.
fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A random number that depends on a seed and two counters only. Numbers of another `turn`, bits,
/// are independent.
pub fn hash(seed: u64, i: i64, j: i64, turn: u32) -> u64 {
    let second = (j as u64).wrapping_mul(SECOND).rotate_left(turn);
    mix(seed ^ (i as u64).wrapping_mul(GOLDEN) ^ second)
}

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// Stream number `stream` of a seed.
    pub fn new(seed: u64, stream: u64) -> Self {
        Rng::at(seed, stream as i64, 0x5eed)
    }

    /// Stream of a place, or of any two counters, of a seed.
    pub fn at(seed: u64, i: i64, j: i64) -> Self {
        Rng(hash(seed, i, j, TURN))
    }

    /// 64 random bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A new stream: drawing from it does not move this one.
    pub fn fork(&mut self) -> Rng {
        Rng(self.bits())
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in [lo, hi).
    pub fn range(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.uniform()
    }

    /// Uniform among 0 … n − 1 (Lemire 2019, without rejection: biased by less than n/2⁶⁴); 0 for
    /// n = 0.
    pub fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.bits()) * n as u128) >> 64) as usize
    }

    /// Standard normal (Box & Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The published first numbers of SplitMix64 with the state 1234567.
    #[test]
    fn the_stream_is_splitmix64() {
        let mut rng = Rng(1_234_567);
        assert_eq!(
            [(); 5].map(|()| rng.bits()),
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    /// Results, fixtures and accuracy tables depend on these numbers.
    #[test]
    fn hashes_stay_what_they_were() {
        assert_eq!(hash(0, 1, 1, 31), 0x08f3_da69_a010_187e);
        assert_eq!(hash(7, -1, 3, TURN), 0xe874_92d9_c52a_b0ae);
        assert_eq!(hash(42, 5, 0x5eed, TURN), 0x9d2e_ece8_eec0_d155);
    }

    #[test]
    fn draws_are_uniform_and_normal() {
        let mut rng = Rng::new(1, 2);
        let mut counts = [0usize; 10];
        (0..100_000).for_each(|_| counts[rng.below(10)] += 1);
        // Five standard deviations of a binomial count are 474.
        assert!(counts.iter().all(|n| n.abs_diff(10_000) < 474), "{counts:?}");
        let draws: Vec<f64> = (0..100_000).map(|_| rng.normal()).collect();
        let mean = draws.iter().sum::<f64>() / 1e5;
        let variance = draws.iter().map(|v| v * v).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.016 && (variance - 1.0).abs() < 0.023, "{mean} {variance}");
        assert_eq!(rng.below(0), 0);
    }
}
