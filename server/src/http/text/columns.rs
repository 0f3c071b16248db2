//! Lines of cells, lined up as kubectl's tabwriter does it (github.com/liggitt/tabwriter: Go's
//! `text/tabwriter` with widths that are remembered from one flush to the next).
//!
//! A tab, or a vertical tab, ends a cell, also where it stands within a cell's text. The text after a
//! line's last tab belongs to no column. A column is a run of lines that have a cell at that place.

/// What has been written and what is out.
#[derive(Debug)]
pub struct Columns {
    min_width: usize,
    padding: usize,
    remembers: bool,
    lines: Vec<Vec<Cell>>,
    remembered: Vec<usize>,
    out: String,
}

#[derive(Debug)]
struct Cell {
    text: String,
    /// In characters.
    width: usize,
}

impl Columns {
    /// As `kubectl get` has them (cli-runtime `pkg/printers/tabwriter.go`).
    pub fn of_tables() -> Columns {
        Columns {
            min_width: 6,
            padding: 3,
            remembers: true,
            lines: Vec::new(),
            remembered: Vec::new(),
            out: String::new(),
        }
    }

    /// As `kubectl rollout history` has them, with Go's own writer (kubectl
    /// `pkg/polymorphichelpers/history.go`, `tabbedString`).
    pub fn of_history() -> Columns {
        Columns { min_width: 0, padding: 2, remembers: false, ..Columns::of_tables() }
    }

    /// Takes one line.
    pub fn write(&mut self, line: &str) {
        let cells = line.split(['\t', '\u{b}']);
        let cells = cells.map(|text| Cell { text: text.to_owned(), width: text.chars().count() });
        self.lines.push(cells.collect());
        // a line of one cell has no column, so it cannot change what comes after it
        if self.lines.last().is_some_and(|cells| cells.len() == 1) {
            self.flush();
        }
    }

    /// Writes out the lines so far; their widths are remembered.
    pub fn flush(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        self.format(&lines, &mut Vec::new());
    }

    /// Everything.
    pub fn finish(mut self) -> String {
        self.flush();
        self.out
    }

    /// Formats lines whose first columns are as wide as `widths` says.
    fn format(&mut self, lines: &[Vec<Cell>], widths: &mut Vec<usize>) {
        let column = widths.len();
        let has_column = |line: &Vec<Cell>| column + 1 < line.len();
        let mut rest = lines;
        while let Some(start) = rest.iter().position(has_column) {
            let (before, block) = rest.split_at(start);
            self.print(before, widths);
            let end = block.iter().position(|line| !has_column(line)).unwrap_or(block.len());
            let (block, after) = block.split_at(end);
            let widest = block.iter().map(|line| line[column].width + self.padding).max().unwrap_or_default();
            widths.push(self.remember(widths, widest.max(self.min_width)));
            self.format(block, widths);
            widths.pop();
            rest = after;
        }
        self.print(rest, widths);
    }

    /// The wider of `width` and what this column had before.
    fn remember(&mut self, widths: &[usize], width: usize) -> usize {
        let column = widths.len();
        if !self.remembers {
            return width;
        }
        if self.remembered.len() < column {
            self.remembered.extend(&widths[self.remembered.len()..]);
        }
        match self.remembered.get_mut(column) {
            None => self.remembered.push(width),
            Some(before) => *before = width.max(*before),
        }
        self.remembered[column]
    }

    fn print(&mut self, lines: &[Vec<Cell>], widths: &[usize]) {
        for line in lines {
            for (at, cell) in line.iter().enumerate() {
                self.out.push_str(&cell.text);
                let width = widths.get(at).copied().unwrap_or_default();
                self.out.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width)));
            }
            self.out.push('\n');
        }
    }
}
