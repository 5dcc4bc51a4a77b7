//! Sums over a tile as structs: each group declares one, and its numbers in order are a row of the [`super::Sheet`],
//! whose weighted sums are all that the bootstrap needs.

/// Numbers that are added up over tiles.
pub(crate) trait Sums: Clone {
    /// Number of sums.
    const COLUMNS: usize;
    /// Sums over nothing.
    const ZERO: Self;

    /// Calls `f` for every number, in the order of the row.
    fn for_each(&mut self, f: &mut impl FnMut(&mut f64));

    /// The sums that a row holds.
    fn from_row(row: &[f64]) -> Self {
        let (mut sums, mut columns) = (Self::ZERO, row.iter());
        sums.for_each(&mut |sum| columns.next().into_iter().for_each(|column| *sum = *column));
        sums
    }
}

impl Sums for f64 {
    const COLUMNS: usize = 1;
    const ZERO: f64 = 0.0;

    fn for_each(&mut self, f: &mut impl FnMut(&mut f64)) {
        f(self);
    }
}

impl<T: Sums, const N: usize> Sums for [T; N] {
    const COLUMNS: usize = N * T::COLUMNS;
    const ZERO: Self = [T::ZERO; N];

    fn for_each(&mut self, f: &mut impl FnMut(&mut f64)) {
        for sums in self {
            sums.for_each(f);
        }
    }
}

/// Declares a struct of [`Sums`], whose fields are sums themselves.
macro_rules! sums {
    ($(#[$about:meta])* $visibility:vis struct $name:ident {
        $($(#[$field_about:meta])* $field:ident: $of:ty,)+
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        $visibility struct $name {
            $($(#[$field_about])* pub $field: $of,)+
        }

        impl $crate::metric::sums::Sums for $name {
            const COLUMNS: usize = 0 $(+ <$of as $crate::metric::sums::Sums>::COLUMNS)+;
            const ZERO: Self =
                $name { $($field: <$of as $crate::metric::sums::Sums>::ZERO,)+ };

            fn for_each(&mut self, f: &mut impl FnMut(&mut f64)) {
                $($crate::metric::sums::Sums::for_each(&mut self.$field, f);)+
            }
        }
    };
}
pub(crate) use sums;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::Sheet;

    sums! {
        struct Pair {
            first: f64,
            others: [f64; 2],
        }
    }
    sums! {
        struct Nested {
            pairs: [Pair; 2],
            last: f64,
        }
    }

    #[test]
    fn a_row_holds_the_sums_in_their_order() {
        let row = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0];
        let sums = Nested::from_row(&row);
        assert_eq!(Nested::COLUMNS, row.len());
        assert_eq!((sums.pairs[0].first, sums.pairs[1].others, sums.last), (1.0, [5.0, 6.0], 7.0));
        let sheet = Sheet::of(vec![sums.clone(), Nested::ZERO, sums]);
        assert_eq!(sheet.total(&[1.0, 1.0, 2.0]), row.map(|v| 3.0 * v));
    }
}
