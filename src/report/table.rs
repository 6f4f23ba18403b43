//! Columns that line up: words to the left, figures to the right.

/// A table under construction; the first row is its head.
#[derive(Debug, Default)]
pub struct Table(Vec<Vec<String>>);

impl Table {
    /// A table with this head.
    pub fn new<T: Into<String>>(head: impl IntoIterator<Item = T>) -> Table {
        Table(vec![head.into_iter().map(Into::into).collect()])
    }

    /// Adds a row; it has as many cells as the head.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.push(cells.into_iter().collect());
    }

    /// Whether it has no rows below its head.
    pub fn is_empty(&self) -> bool {
        self.0.len() < 2
    }

    /// The lines of a table of figures, without their ends: the first column to the left, the others to the right. A
    /// first column narrower than `least` is widened to it, so that tables below each other line up.
    pub fn lines(&self, least: usize) -> Vec<String> {
        self.aligned(least, |column| column > 0)
    }

    /// The lines of a table of words, without their ends: every column to the left.
    pub fn words(&self) -> Vec<String> {
        self.aligned(0, |_| false)
    }

    /// The lines of a table of figures, the first column and these to the left.
    pub fn figures_and_words(&self, words: &[usize]) -> Vec<String> {
        self.aligned(0, |column| column > 0 && !words.contains(&column))
    }

    fn aligned(&self, least: usize, is_right: impl Fn(usize) -> bool) -> Vec<String> {
        let columns = self.0.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let widest = self.0.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
            widest.unwrap_or(0).max(if column == 0 { least } else { 0 })
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let line = |row: &Vec<String>| {
            let cells = row.iter().zip(&widths).enumerate();
            let cells = cells.map(
                |(column, (cell, &width))| {
                    if is_right(column) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
                },
            );
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        self.0.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(["flow", "done"]);
        assert!(table.is_empty());
        table.row(["a".to_owned(), "1,000".to_owned()]);
        table.row(["längér".to_owned(), "1".to_owned()]);
        assert_eq!(table.lines(0), ["flow     done", "a       1,000", "längér      1"]);
        assert_eq!(table.lines(8)[2], "längér        1");
        assert_eq!(table.figures_and_words(&[1]), table.words());
        assert_eq!(table.words(), ["flow    done", "a       1,000", "längér  1"]);
    }
}
