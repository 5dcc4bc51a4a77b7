//! Linking ridge points to lines (Steger 1998).

use super::oriented::Oriented;
use crate::plane::{Grid, Mask};

/// Cosine of the largest angle between a line and the direction to the next of the eight neighbours: 45°.
const NEIGHBOUR: f32 = 0.7;

/// A point of a line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Linked {
    /// Column.
    pub x: usize,
    /// Row.
    pub y: usize,
    /// Length of line that the point represents, px: half the distance along the line to each neighbour, half a
    /// pixel at an end.
    pub length: f64,
}

/// Lines of ridge points, the strongest first. Each line is followed from its strongest point in both directions:
/// the next point is the nearest one ahead on `ridges` within `gap` px (by distance over the cosine of the angle to
/// the line), with no turn of more than `turn` (radians). The line ends where there is none, or where that point
/// belongs to an earlier line. So a branch is a line of its own, and a gap shorter than `gap` is bridged. Cost:
/// (2·`gap` + 1)² reads a point, and a sort.
pub fn link(ridges: &Mask, lines: &Grid<Oriented>, gap: f32, turn: f32) -> Vec<Vec<Linked>> {
    let tracer = Tracer { ridges, lines, gap, cosine_min: turn.cos() };
    let width = ridges.width();
    let mut free = ridges.clone();
    let response = |i: &usize| lines.data()[*i].response;
    let mut starts: Vec<usize> = (0..ridges.data().len()).filter(|&i| ridges.data()[i]).collect();
    starts.sort_by(|a, b| response(b).total_cmp(&response(a)).then(a.cmp(b)));
    let mut found = Vec::new();
    for start in starts {
        let start = [start % width, start / width];
        if !free.at(start[0], start[1]) {
            continue;
        }
        free.set(start[0], start[1], false);
        let mut follow = |mut heading: [f32; 2]| {
            let (mut here, mut points) = (start, Vec::new());
            while let Some((at, along)) = tracer.next(here, heading) {
                if !free.at(at[0], at[1]) {
                    break;
                }
                free.set(at[0], at[1], false);
                points.push(at);
                (here, heading) = (at, along);
            }
            points
        };
        let along = lines.at(start[0], start[1]).along;
        let mut points = follow(along.map(|v| -v));
        points.reverse();
        points.push(start);
        points.extend(follow(along));
        found.push(measured(&points, lines));
    }
    found
}

/// The points with their lengths. A step is projected on the line: the raster's own steps, of 1 and √2 px,
/// would make a slanted line up to 8 % too long.
fn measured(points: &[[usize; 2]], lines: &Grid<Oriented>) -> Vec<Linked> {
    let step = |two: &[[usize; 2]]| {
        let [a, b] = [two[0], two[1]].map(|[x, y]| (lines.at(x, y).along.map(f64::from), [x, y]));
        let sign = if a.0[0] * b.0[0] + a.0[1] * b.0[1] < 0.0 { -1.0 } else { 1.0 };
        let [tx, ty] = [0, 1].map(|k| a.0[k] + sign * b.0[k]);
        let [dx, dy] = [0, 1].map(|k| b.1[k] as f64 - a.1[k] as f64);
        (dx * tx + dy * ty).abs() / tx.hypot(ty)
    };
    let steps: Vec<f64> = points.windows(2).map(step).collect();
    let half = |i: Option<usize>| i.and_then(|i| steps.get(i)).map_or(0.5, |step| 0.5 * step);
    let with = |(i, &[x, y]): (usize, &[usize; 2])| Linked {
        x,
        y,
        length: half(i.checked_sub(1)) + half(Some(i)),
    };
    points.iter().enumerate().map(with).collect()
}

/// Points of ridges, and the limits within which they are linked.
struct Tracer<'a> {
    ridges: &'a Mask,
    lines: &'a Grid<Oriented>,
    /// Largest distance of two points, px.
    gap: f32,
    /// Cosine of the largest turn between two points.
    cosine_min: f32,
}

impl Tracer<'_> {
    /// The nearest ridge point ahead, and the direction of the line there.
    fn next(&self, here: [usize; 2], heading: [f32; 2]) -> Option<([usize; 2], [f32; 2])> {
        let Tracer { ridges, lines, gap, cosine_min } = *self;
        let r = gap.ceil() as usize;
        let range = |v: usize, n: usize| v.saturating_sub(r)..(v + r + 1).min(n);
        let mut best: Option<(f32, [usize; 2], [f32; 2])> = None;
        for y in range(here[1], ridges.height()) {
            for x in range(here[0], ridges.width()) {
                if !ridges.at(x, y) || [x, y] == here {
                    continue;
                }
                let [dx, dy] = [x as f32 - here[0] as f32, y as f32 - here[1] as f32];
                let far = dx.hypot(dy);
                let ahead = (dx * heading[0] + dy * heading[1]) / far;
                let [tx, ty] = lines.at(x, y).along;
                let turn = tx * heading[0] + ty * heading[1];
                let ahead_least = if far < 2.0 { NEIGHBOUR.min(cosine_min) } else { cosine_min };
                if far > gap || ahead < ahead_least || turn.abs() < cosine_min {
                    continue;
                }
                if best.is_none_or(|(least, ..)| far / ahead < least) {
                    best = Some((far / ahead, [x, y], [tx, ty].map(|v| v * turn.signum())));
                }
            }
        }
        best.map(|(_, at, along)| (at, along))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines in the direction from their first point to their second, each weaker than the one before.
    fn lines_of(lines: &[&[[usize; 2]]]) -> (Mask, Grid<Oriented>) {
        let mut ridges = Mask::filled(40, 30, false);
        let mut along = Grid::filled(40, 30, Oriented::default());
        for (k, points) in lines.iter().enumerate() {
            let [a, b] = [points[0], points[1]].map(|p| p.map(|v| v as f32));
            let [dx, dy] = [b[0] - a[0], b[1] - a[1]];
            let far = dx.hypot(dy);
            for &[x, y] in *points {
                ridges.set(x, y, true);
                let response = 1.0 / (1.0 + k as f32);
                along.set(x, y, Oriented { response, along: [dx / far, dy / far] });
            }
        }
        (ridges, along)
    }

    fn lengths(found: &[Vec<Linked>]) -> Vec<f64> {
        found.iter().map(|line| line.iter().map(|p| p.length).sum()).collect()
    }

    /// 30°.
    const TURN: f32 = std::f32::consts::FRAC_PI_6;

    #[test]
    fn a_gap_is_bridged_when_it_is_short_enough() {
        let row: Vec<[usize; 2]> =
            (5..30).filter(|x| !(14..17).contains(x)).map(|x| [x, 9]).collect();
        let (ridges, along) = lines_of(&[&row]);
        assert_eq!(lengths(&link(&ridges, &along, 4.0, TURN)), [25.0]);
        assert_eq!(lengths(&link(&ridges, &along, 3.0, TURN)), [9.0, 13.0]);
    }

    #[test]
    fn a_branch_is_a_line_of_its_own_and_breaks_none() {
        let row: Vec<[usize; 2]> = (5..30).map(|x| [x, 9]).collect();
        let column: Vec<[usize; 2]> = (10..25).map(|y| [17, y]).collect();
        let (ridges, along) = lines_of(&[&row, &column]);
        assert_eq!(lengths(&link(&ridges, &along, 3.0, TURN)), [25.0, 15.0]);
    }

    #[test]
    fn a_line_ends_where_it_meets_a_stronger_one() {
        let row: Vec<[usize; 2]> = (5..30).map(|x| [x, 9]).collect();
        // Approaches the row with a slope of one in three, and would continue along it.
        let slope: Vec<[usize; 2]> = (0..12).map(|x| [x + 3, 5 + x / 3]).collect();
        let (mut ridges, mut along) = lines_of(&[&row]);
        for &[x, y] in &slope {
            ridges.set(x, y, true);
            along.set(x, y, Oriented { response: 0.5, along: [0.949, 0.316] });
        }
        let found = lengths(&link(&ridges, &along, 3.0, TURN));
        assert_eq!(found[0], 25.0);
        assert!(found.len() == 2 && found[1] < 13.0, "{found:?}");
    }

    #[test]
    fn a_slanted_line_is_as_long_as_it_is() {
        for slope in [0.0f64, 0.2, 0.5, 0.8, 1.0] {
            let row: Vec<[usize; 2]> =
                (5..25).map(|x| [x, 5 + (slope * (x - 5) as f64).round() as usize]).collect();
            let (ridges, mut along) = lines_of(&[&row]);
            let far = 1f64.hypot(slope);
            for &[x, y] in &row {
                let unit = [1.0 / far, slope / far].map(|v| v as f32);
                along.set(x, y, Oriented { response: 1.0, along: unit });
            }
            let found = lengths(&link(&ridges, &along, 3.0, TURN));
            assert_eq!(found.len(), 1);
            assert!((found[0] - (19.0 * far + 1.0)).abs() < 0.5, "{slope}: {found:?}");
        }
    }
}
