//! The columns of a drawing over time: in which one a point stands, and the line below with both ends and 0.

/// Columns of one width, all in microseconds.
pub struct Grid {
    /// The middle of some column.
    anchor: i64,
    step: i64,
    /// The first point that is drawn, and the last one.
    ends: (i64, i64),
    /// The points are offsets, and not measured ones.
    is_exact: bool,
    /// Each offset has a column of its own: the last one too, however near to the one before it is.
    is_sparse: bool,
}

/// More columns do not fit into a line.
const MOST_COLUMNS: i64 = 121;

impl Grid {
    /// Columns from the first point to the last one; `wished` is the first offset, from which the others lie a step each.
    pub fn new(ends: (i64, i64), wished: i64, step: i64, is_exact: bool) -> Grid {
        let span = ends.1.saturating_sub(ends.0);
        let step = step.max(1);
        if span / step < MOST_COLUMNS {
            return Grid { anchor: wished, step, ends, is_exact, is_sparse: is_exact };
        }
        // In whole milliseconds, so that a column is called by its middle without a fraction.
        let wider = (span / (MOST_COLUMNS - 1) / 1_000).saturating_add(1).saturating_mul(1_000);
        Grid { anchor: 0, step: wider, ends, is_exact, is_sparse: false }
    }

    /// In which column a point stands; the first point's is 0.
    pub fn column(&self, micros: i64) -> usize {
        usize::try_from(self.number(micros) - self.number(self.ends.0)).unwrap_or(0)
    }

    pub fn columns(&self) -> usize {
        self.column(self.ends.1) + 1
    }

    /// How wide a column is, in milliseconds.
    pub fn width(&self) -> i64 {
        self.step / 1_000
    }

    /// The line below a picture: where it begins, where 0 is, where it ends. Offsets are called by what they are, columns
    /// of measured points by their middle.
    pub fn axis(&self) -> String {
        let middle = |micros: i64| self.anchor.saturating_add(self.number(micros).saturating_mul(self.step));
        let (from, to) = self.ends;
        let called = |micros: i64| if self.is_exact { micros } else { middle(micros) };
        let (left, right) = (format!("{:+} ms", called(from) / 1_000), format!("{:+} ms", called(to) / 1_000));
        if self.columns() == 1 {
            return left;
        }
        let mut line = left.clone();
        let end = self.columns().max(left.len() + 1 + right.len()) - right.len();
        let zero = (from <= 0 && middle(0) == 0).then(|| self.column(0));
        if let Some(zero) = zero.filter(|zero| *zero > left.len() && zero + 1 < end) {
            line.push_str(&" ".repeat(zero - line.len()));
            line.push('0');
        }
        line.push_str(&" ".repeat(end.saturating_sub(line.len())));
        line + &right
    }

    /// Columns are counted from the anchor.
    fn number(&self, micros: i64) -> i64 {
        let behind = micros.saturating_sub(self.anchor);
        if self.is_sparse {
            behind.div_euclid(self.step) + i64::from(behind.rem_euclid(self.step) > 0)
        } else {
            behind.saturating_add(self.step / 2).div_euclid(self.step)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_shows_its_ends_and_zero_where_there_is_room() {
        let grid = Grid::new((-150_000, 150_000), -150_000, 10_000, true);
        assert_eq!((grid.columns(), grid.column(0)), (31, 15));
        assert_eq!(grid.axis(), "-150 ms        0        +150 ms");
        let grid = Grid::new((0, 5_000), 0, 2_500, true);
        assert_eq!((grid.columns(), grid.axis()), (3, "+0 ms +5 ms".to_owned()));
    }

    #[test]
    fn a_measured_end_is_called_by_the_column_that_it_stands_in() {
        for (from, to, axis) in [(-1_900, 3_600, "-2 ms +4 ms"), (-1_400, 3_400, "-1 ms +3 ms"), (-400, 400, "+0 ms")] {
            let grid = Grid::new((from, to), -5_000, 1_000, false);
            assert_eq!(grid.axis(), axis);
        }
        let grid = Grid::new((-1_900, 20_000), -5_000, 1_000, false);
        assert_eq!((grid.column(-1_900), grid.column(-600), grid.column(0)), (0, 1, 2));
        let grid = Grid::new((-51_900, 52_400), -50_000, 5_000, false);
        assert_eq!(grid.axis(), "-50 ms    0    +50 ms");
    }

    #[test]
    fn the_last_offset_has_its_own_column_however_near_it_is() {
        let grid = Grid::new((-2_000, 1_000_000), -2_000, 500_000, true);
        let columns = [-2_000, 498_000, 998_000, 1_000_000].map(|at| grid.column(at));
        assert_eq!((columns, grid.axis()), ([0, 1, 2, 3], "-2 ms +1000 ms".to_owned()));
    }

    #[test]
    fn where_columns_would_not_fit_into_a_line_they_are_wider() {
        let grid = Grid::new((-1_000_000, 1_000_000), -1_000_000, 1_000, true);
        assert_eq!((grid.columns(), grid.width()), (119, 17));
        let axis = grid.axis();
        assert!(axis.starts_with("-1000 ms") && axis.ends_with("+1000 ms") && axis.contains(" 0 "), "{axis}");
    }
}
