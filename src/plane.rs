//! The only image buffer, and the only module that splits rows over threads.
//!
//! Pixel (0, 0) is the centre of the top-left pixel; x runs right, y down; rows are contiguous.

use rayon::prelude::*;

/// A row-major raster of `T`.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid<T> {
    width: usize,
    height: usize,
    data: Vec<T>,
}

/// A raster of f32: luminance, a filter response, one colour channel.
pub type Plane = Grid<f32>;
/// A binary raster.
pub type Mask = Grid<bool>;

impl<T: Copy + Send + Sync> Grid<T> {
    /// A raster with every pixel set to `value`.
    pub fn filled(width: usize, height: usize, value: T) -> Self {
        Grid { width, height, data: vec![value; width * height] }
    }

    /// Takes over `data`, row-major.
    ///
    /// # Panics
    /// When `data.len() != width * height`.
    pub fn from_vec(width: usize, height: usize, data: Vec<T>) -> Self {
        assert_eq!(data.len(), width * height, "raster of {width}×{height} needs as many values");
        Grid { width, height, data }
    }

    /// Computes each pixel from its coordinates, rows in parallel.
    pub fn from_fn(width: usize, height: usize, f: impl Fn(usize, usize) -> T + Sync) -> Self
    where
        T: Default,
    {
        let mut grid = Grid::filled(width, height, T::default());
        grid.par_rows(|y, row| {
            for (x, v) in row.iter_mut().enumerate() {
                *v = f(x, y);
            }
        });
        grid
    }

    /// Width in pixels.
    pub fn width(&self) -> usize {
        self.width
    }
    /// Height in pixels.
    pub fn height(&self) -> usize {
        self.height
    }
    /// All pixels, row after row.
    pub fn data(&self) -> &[T] {
        &self.data
    }
    /// All pixels, writable.
    pub fn data_mut(&mut self) -> &mut [T] {
        &mut self.data
    }
    /// The pixels of row `y`.
    pub fn row(&self, y: usize) -> &[T] {
        &self.data[y * self.width..(y + 1) * self.width]
    }
    /// The value at column `x`, row `y`.
    pub fn at(&self, x: usize, y: usize) -> T {
        self.data[y * self.width + x]
    }
    /// Writes the value at column `x`, row `y`.
    pub fn set(&mut self, x: usize, y: usize, value: T) {
        self.data[y * self.width + x] = value;
    }
    /// The value at (x, y), coordinates outside clamped to the border.
    pub fn clamped(&self, x: isize, y: isize) -> T {
        let x = x.clamp(0, self.width as isize - 1) as usize;
        let y = y.clamp(0, self.height as isize - 1) as usize;
        self.data[y * self.width + x]
    }

    /// Runs `f(y, row)` on every row, in parallel; rows are independent, so that the result does not depend on
    /// the number of threads.
    pub fn par_rows(&mut self, f: impl Fn(usize, &mut [T]) + Sync) {
        let width = self.width.max(1);
        self.data.par_chunks_mut(width).enumerate().for_each(|(y, row)| f(y, row));
    }

    /// Runs `f(y, rows)` on strips of `height` rows (the last may have fewer), `y` being the first, in parallel: for
    /// work in which neighbouring rows share intermediate results.
    pub fn par_strips(&mut self, height: usize, f: impl Fn(usize, &mut [T]) + Sync) {
        let strip = (self.width * height).max(1);
        self.data.par_chunks_mut(strip).enumerate().for_each(|(i, rows)| f(i * height, rows));
    }

    /// A new raster, each pixel mapped by `f`, in parallel.
    pub fn map<U: Copy + Send + Sync + Default>(&self, f: impl Fn(T) -> U + Sync) -> Grid<U> {
        let mut out = Grid::filled(self.width, self.height, U::default());
        out.par_rows(|y, row| {
            for (o, &v) in row.iter_mut().zip(self.row(y)) {
                *o = f(v);
            }
        });
        out
    }

    /// A new raster, each pixel computed by `f` from those of this raster and of `other`, in parallel.
    ///
    /// # Panics
    /// When the sizes differ.
    pub fn zip<U: Copy + Send + Sync, V: Copy + Send + Sync + Default>(
        &self,
        other: &Grid<U>,
        f: impl Fn(T, U) -> V + Sync,
    ) -> Grid<V> {
        assert_eq!((self.width, self.height), (other.width, other.height), "rasters of one size");
        let mut out = Grid::filled(self.width, self.height, V::default());
        out.par_rows(|y, row| {
            for ((o, &a), &b) in row.iter_mut().zip(self.row(y)).zip(other.row(y)) {
                *o = f(a, b);
            }
        });
        out
    }

    /// The transpose.
    pub fn transposed(&self) -> Grid<T> {
        // A few columns at a time, so that each row is read once for all of them.
        const BLOCK: usize = 32;
        let Some(&any) = self.data.first() else {
            return Grid { width: self.height, height: self.width, data: Vec::new() };
        };
        let strips = par_collect(self.width.div_ceil(BLOCK), |s| {
            let columns = s * BLOCK..((s + 1) * BLOCK).min(self.width);
            let mut strip = vec![any; columns.len() * self.height];
            for y in 0..self.height {
                for (i, &v) in self.row(y)[columns.clone()].iter().enumerate() {
                    strip[i * self.height + y] = v;
                }
            }
            strip
        });
        Grid::from_vec(self.height, self.width, strips.concat())
    }

    /// A copy of the part inside `window`, which must lie within this raster.
    pub fn crop(&self, window: Window) -> Grid<T> {
        let mut data = Vec::with_capacity(window.width * window.height);
        for y in window.y..window.y + window.height {
            data.extend_from_slice(&self.row(y)[window.x..window.x + window.width]);
        }
        Grid::from_vec(window.width, window.height, data)
    }
}

/// Runs `f(i)` for `0..n` in parallel and returns the results in order, for sums that must not depend on the
/// number of threads.
pub fn par_collect<R: Send>(n: usize, f: impl Fn(usize) -> R + Sync + Send) -> Vec<R> {
    (0..n).into_par_iter().map(f).collect()
}

/// Runs two independent pieces of work at the same time.
pub fn par_join<A: Send, B: Send>(
    a: impl FnOnce() -> A + Send,
    b: impl FnOnce() -> B + Send,
) -> (A, B) {
    rayon::join(a, b)
}

/// A rectangle of pixels: left, top, size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Window {
    /// Column of the leftmost pixel.
    pub x: usize,
    /// Row of the topmost pixel.
    pub y: usize,
    /// Columns.
    pub width: usize,
    /// Rows.
    pub height: usize,
}

impl Window {
    /// The whole of a raster of this size.
    pub fn full(width: usize, height: usize) -> Self {
        Window { x: 0, y: 0, width, height }
    }

    /// This rectangle grown by `margin` on each side, cut at the border of `width`×`height`.
    pub fn grown(self, margin: usize, width: usize, height: usize) -> Self {
        let x = self.x.saturating_sub(margin);
        let y = self.y.saturating_sub(margin);
        let right = (self.x + self.width + margin).min(width);
        let bottom = (self.y + self.height + margin).min(height);
        Window { x, y, width: right.saturating_sub(x), height: bottom.saturating_sub(y) }
    }

    /// The part of this rectangle inside `frame`, relative to the corner of `frame`.
    pub fn within(self, frame: Window) -> Self {
        let (x0, y0) = (self.x.max(frame.x), self.y.max(frame.y));
        let x1 = (self.x + self.width).min(frame.x + frame.width);
        let y1 = (self.y + self.height).min(frame.y + frame.height);
        Window {
            x: x0.saturating_sub(frame.x),
            y: y0.saturating_sub(frame.y),
            width: x1.saturating_sub(x0),
            height: y1.saturating_sub(y0),
        }
    }

    /// Whether the pixel (x, y) lies inside.
    pub fn contains(self, x: usize, y: usize) -> bool {
        x >= self.x && y >= self.y && x < self.x + self.width && y < self.y + self.height
    }
}

impl Mask {
    /// Number of set pixels.
    pub fn count(&self) -> usize {
        self.data().iter().filter(|set| **set).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_become_columns() {
        let grid = Grid::from_fn(70, 3, |x, y| 10 * x + y);
        let turned = grid.transposed();
        assert_eq!((turned.width(), turned.height()), (3, 70));
        assert_eq!((turned.at(2, 65), turned.at(0, 69)), (652, 690));
        assert_eq!(turned.transposed(), grid);
        assert_eq!(Mask::filled(0, 4, true).transposed().width(), 4);
    }
}
