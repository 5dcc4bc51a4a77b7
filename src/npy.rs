//! NumPy's file format, for fields of displacement.

use crate::plane::Grid;

/// The file (format 1.0): little-endian float32, C order, shape (height, width, 2).
pub fn encode(map: &Grid<[f32; 2]>) -> Vec<u8> {
    let (h, w) = (map.height(), map.width());
    let mut header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({h}, {w}, 2), }}");
    // Magic, version and length take 10 bytes; data starts at a multiple of 64.
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(map.data().iter().flatten().flat_map(|v| v.to_le_bytes()));
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_is_the_one_that_numpy_writes() {
        let map = Grid::from_vec(2, 1, vec![[1.0, -2.5], [f32::NAN, 0.0]]);
        let bytes = encode(&map);
        // What numpy.save wrote for the same array, up to the data.
        let head = "\u{93}NUMPY\u{1}\u{0}v\u{0}{'descr': '<f4', 'fortran_order': False, \
                    'shape': (1, 2, 2), }";
        let head: Vec<u8> = head.chars().map(|c| c as u8).collect();
        assert_eq!(&bytes[..head.len()], head);
        assert_eq!(bytes.len(), 128 + 16);
        assert_eq!(bytes[127], b'\n');
        assert_eq!(bytes[128..136], [0, 0, 0x80, 0x3f, 0, 0, 0x20, 0xc0]);
    }
}
