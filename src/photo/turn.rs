//! Turning and mirroring a photo whose file has no, or a wrong, orientation.

use super::Photo;
use crate::notice::Notice;
use crate::plane::Grid;

/// The transform of a photo to the orientation of another one: first mirrored, then turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Turn {
    /// Left and right are exchanged.
    pub mirrored: bool,
    /// Quarter turns clockwise, 0 … 3.
    pub quarters: u8,
}

impl Turn {
    /// The quarter turns that bring a direction of `roll` radians, clockwise from the rows of a
    /// photo, to within 45° of them.
    pub fn to_upright(roll: f64) -> Turn {
        let quarters = (-roll / std::f64::consts::FRAC_PI_2).round() as i64;
        Turn { mirrored: false, quarters: quarters.rem_euclid(4) as u8 }
    }

    /// Whether nothing is mirrored or turned.
    pub fn is_identity(self) -> bool {
        self == Turn::default()
    }

    /// Position after the turn of a position, px, in a photo of `size` (width, height; px).
    pub fn position(self, [x, y]: [f64; 2], size: [usize; 2]) -> [f64; 2] {
        let [right, bottom] = size.map(|n| n as f64 - 1.0);
        let x = if self.mirrored { right - x } else { x };
        match self.quarters % 4 {
            0 => [x, y],
            1 => [bottom - y, x],
            2 => [right - x, bottom - y],
            _ => [y, right - x],
        }
    }

    /// A raster turned. Cost: one copy.
    pub fn apply<T: Copy + Send + Sync + Default>(self, grid: &Grid<T>) -> Grid<T> {
        let (w, h) = (grid.width(), grid.height());
        let (width, height) = if self.quarters % 2 == 1 { (h, w) } else { (w, h) };
        Grid::from_fn(width, height, |x, y| {
            let (x, y) = match self.quarters % 4 {
                0 => (x, y),
                1 => (y, h - 1 - x),
                2 => (w - 1 - x, h - 1 - y),
                _ => (w - 1 - y, x),
            };
            grid.at(if self.mirrored { w - 1 - x } else { x }, y)
        })
    }
}

impl Photo {
    /// The photo turned, with a notice that says so; its coordinates are those of the turned photo.
    /// Cost: one copy of the pixels.
    pub fn turned(&self, turn: Turn) -> Photo {
        let Turn { mirrored, quarters } = turn;
        let notice = Notice::Turned { file: self.file.clone(), mirrored, quarters };
        Photo {
            file: self.file.clone(),
            sha256: self.sha256.clone(),
            linear: turn.apply(&self.linear),
            reduction: self.reduction.turned(turn),
            quantisers: self.quantisers,
            flat: self.flat.turned(turn),
            notices: self.notices.iter().cloned().chain([notice]).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TURNS: [(bool, u8); 8] = [
        (false, 0),
        (false, 1),
        (false, 2),
        (false, 3),
        (true, 0),
        (true, 1),
        (true, 2),
        (true, 3),
    ];

    #[test]
    fn position_agrees_with_apply() {
        let photo = Photo::drawn(Grid::from_fn(7, 4, |x, y| [x as u16, y as u16, 0]));
        for (mirrored, quarters) in TURNS {
            let turn = Turn { mirrored, quarters };
            let turned = photo.turned(turn);
            for (x, y) in [(0, 0), (6, 1), (2, 3)] {
                let position = turn.position([x as f64, y as f64], [7, 4]);
                let [u, v] = position.map(|v| v as usize);
                assert_eq!(turned.linear.at(u, v), [x as u16, y as u16, 0], "{turn:?}");
            }
        }
    }

    #[test]
    fn a_direction_is_turned_upright() {
        for (roll_deg, quarters) in
            [(0.0, 0), (44.0, 0), (-44.0, 0), (90.0, 3), (-90.0, 1), (180.0, 2), (-179.0, 2)]
        {
            let turn = Turn::to_upright(f64::to_radians(roll_deg));
            assert_eq!(turn, Turn { mirrored: false, quarters }, "{roll_deg}");
        }
    }

    #[test]
    fn the_notice_states_the_turn() {
        let photo = Photo::drawn(Grid::filled(2, 1, [0; 3]));
        let notice =
            |mirrored, quarters| photo.turned(Turn { mirrored, quarters }).notices[0].to_string();
        assert_eq!(
            notice(false, 1),
            "drawn.png: the photo lies on its side; it was turned by 90° clockwise"
        );
        assert_eq!(notice(true, 0), "drawn.png: the photo is mirrored; it was mirrored back");
    }
}
