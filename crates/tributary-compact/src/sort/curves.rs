//! Curves through points of several 64-bit numbers, as keys whose bytes are ordered along the curve.

/// More columns have no bits in a byte of the key.
pub(super) const MAX_COLUMNS: usize = 8;

/// Puts the bits of all numbers of a point in turn, highest first (`ZOrderByteUtils.interleaveBits`).
pub(super) struct Interleaver {
    columns: usize,
    /// A byte's bits, each as far from the next as there are columns.
    spread: [u64; 256],
}

// === impl Interleaver ===

impl Interleaver {
    /// For points of 1 to [`MAX_COLUMNS`] numbers.
    pub(super) fn new(columns: usize) -> Self {
        debug_assert!((1..=MAX_COLUMNS).contains(&columns));
        let spread = |byte: u64| (0..8).map(|bit| (byte >> bit & 1) << (bit as usize * columns)).sum();
        Self { columns, spread: std::array::from_fn(|byte| spread(byte as u64)) }
    }

    /// Bytes of a key.
    pub(super) fn width(&self) -> usize {
        8 * self.columns
    }

    /// Appends the point's key.
    pub(super) fn append(&self, point: &[u64], key: &mut Vec<u8>) {
        for shift in (0..64).step_by(8).rev() {
            let places = (0..self.columns).rev();
            let of_column = |(number, place): (&u64, usize)| self.spread[(number >> shift & 0xff) as usize] << place;
            let chunk: u64 = point.iter().zip(places).map(of_column).fold(0, |chunk, bits| chunk | bits);
            key.extend_from_slice(&chunk.to_be_bytes()[8 - self.columns..]);
        }
    }
}

/// Turns a point's numbers into those whose bits in turn are its place on Hilbert's curve (J. Skilling, Programming the
/// Hilbert curve, AIP 2004).
pub(super) fn hilbert(point: &mut [u64]) {
    let last = point.len() - 1;
    for bit in (1..64).rev() {
        let (at, below) = (1_u64 << bit, (1_u64 << bit) - 1);
        for i in 0..=last {
            if point[i] & at != 0 {
                point[0] ^= below;
            } else {
                let swapped = (point[0] ^ point[i]) & below;
                point[0] ^= swapped;
                point[i] ^= swapped;
            }
        }
    }
    for i in 1..=last {
        point[i] ^= point[i - 1];
    }
    let mut turned = 0;
    for bit in (1..64).rev() {
        if point[last] & (1 << bit) != 0 {
            turned ^= (1 << bit) - 1;
        }
    }
    for number in point {
        *number ^= turned;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(point: &[u64]) -> Vec<u8> {
        let mut key = Vec::new();
        Interleaver::new(point.len()).append(point, &mut key);
        key
    }

    /// Bit by bit.
    fn naive(point: &[u64]) -> Vec<u8> {
        let bits = (0..64).rev().flat_map(|bit| point.iter().map(move |number| (number >> bit & 1) as u8));
        let bits: Vec<u8> = bits.collect();
        bits.chunks(8).map(|bits| bits.iter().fold(0, |byte, bit| byte << 1 | bit)).collect()
    }

    proptest! {
        #[test]
        fn bits_are_put_in_turn(point in prop::collection::vec(any::<u64>(), 1..=MAX_COLUMNS)) {
            prop_assert_eq!(key(&point), naive(&point));
        }
    }

    /// All points of a cube of 2^bits in each dimension, in the order of their keys.
    fn walk(dimensions: usize, bits: u32, corner: u64) -> Vec<Vec<u64>> {
        let side = 1_u64 << bits;
        let mut points: Vec<(Vec<u8>, Vec<u64>)> = (0..side.pow(dimensions as u32))
            .map(|n| (0..dimensions).map(|d| corner + n / side.pow(d as u32) % side).collect::<Vec<_>>())
            .map(|point| {
                let mut turned = point.clone();
                hilbert(&mut turned);
                (key(&turned), point)
            })
            .collect();
        points.sort();
        points.into_iter().map(|(_, point)| point).collect()
    }

    #[test]
    fn neighbours_on_the_curve_are_neighbours_in_space() {
        for (dimensions, bits) in [(2, 4), (3, 3), (4, 2)] {
            for corner in [0, 1 << 63, 0x1234_5678_9abc_def0 & !0xf, !0xf] {
                for pair in walk(dimensions, bits, corner).windows(2) {
                    let steps: u64 = pair[0].iter().zip(&pair[1]).map(|(a, b)| a.abs_diff(*b)).sum();
                    assert_eq!(steps, 1, "{dimensions} dimensions from {corner:x}: {pair:?}");
                }
            }
        }
    }
}
