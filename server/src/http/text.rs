//! Text: what `kubectl get` prints, byte for byte, its quirks included.
//!
//! A cell takes three steps: kubectl cuts and escapes it and pads the header (cli-runtime
//! `pkg/printers/tableprinter.go`, `printTable`, 1.37), then [`columns`] lines it up.

pub mod columns;
pub mod template;

use std::{borrow::Cow, fmt::Write as _};

use app::api::{Column, Row, Timestamp};

use columns::Columns;

/// kubectl asks for this many objects at a time and prints each answer for itself
/// (kubectl `pkg/cmd/get/get.go`, `--chunk-size`).
const PAGE: usize = 500;

/// Lines go out in batches of this many; later batches cannot widen the columns of earlier ones
/// (`flushInterval`).
const BATCH: usize = 100;

/// The table of `kubectl get KIND`, for `rows` by namespace, then name; with `-o wide` if `wide`, with
/// `-A` if `with_namespace` (which kinds without namespaces ignore). Nothing at all without rows.
pub fn table<T: Row>(rows: &[&T], wide: bool, with_namespace: bool, now: Timestamp) -> String {
    table_of(rows, wide, with_namespace, |column, row| (column.cell)(row, now).into_owned())
}

/// The same, of cells that say more than their rows do.
pub fn table_of<T: Row>(
    rows: &[&T],
    wide: bool,
    with_namespace: bool,
    cell: impl Fn(&Column<T>, &T) -> String,
) -> String {
    let with_namespace = with_namespace && T::KIND.namespaced();
    let columns: Vec<&Column<T>> = T::COLUMNS.iter().filter(|column| wide || !column.wide).collect();
    let mut headings: Vec<&str> = columns.iter().map(|column| column.heading).collect();
    if with_namespace {
        headings.insert(0, "NAMESPACE");
    }
    let cells_of = |row: &&T| -> Vec<String> {
        let namespace = with_namespace.then(|| row.meta().namespace.to_string());
        let of_kind = columns.iter().map(|column| cell(column, row));
        namespace.into_iter().chain(of_kind).collect()
    };

    let mut out = Columns::of_tables();
    for (number, page) in rows.chunks(PAGE).enumerate() {
        let cells: Vec<Vec<String>> = page.iter().map(cells_of).collect();
        print_page((number == 0).then_some(&headings), &cells, &mut out);
    }
    out.finish()
}

/// The first line of a page is padded to the widest cells of the page, so that its first batch already
/// has their widths. These are in bytes, and of the cells before they are cut.
fn print_page(headings: Option<&Vec<&str>>, cells: &[Vec<String>], out: &mut Columns) {
    let columns = cells.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns.saturating_sub(1))
        .map(|at| cells.iter().map(|row| row[at].len()).max().unwrap_or_default())
        .collect();
    let pad = |at: usize, text: &str| {
        " ".repeat(widths.get(at).map_or(0, |width| width.saturating_sub(text.len())))
    };

    if let Some(headings) = headings {
        let padded =
            headings.iter().enumerate().map(|(at, heading)| format!("{heading}{}", pad(at, heading)));
        out.write(&padded.collect::<Vec<_>>().join("\t"));
    }
    for (number, row) in cells.iter().enumerate() {
        let is_first = headings.is_none() && number == 0;
        let padded = row.iter().enumerate().map(|(at, cell)| {
            let padding = if is_first { pad(at, cell) } else { String::new() };
            format!("{}{padding}", escaped(cell))
        });
        out.write(&padded.collect::<Vec<_>>().join("\t"));
        if (number + 1) % BATCH == 0 {
            out.flush();
        }
    }
}

/// Cut at the first line break, and without the character that begins a terminal's escape sequences
/// (`appendCellValue`; `terminal.go`, `WriteEscaped`).
fn escaped(cell: &str) -> Cow<'_, str> {
    let (head, dots) = match cell.find(['\n', '\r', '\u{c}']) {
        Some(at) => (&cell[..at], "..."),
        None if !cell.contains('\u{1b}') => return Cow::Borrowed(cell),
        None => (cell, ""),
    };
    Cow::Owned(head.replace('\u{1b}', "^[") + dots)
}

/// `kubectl get KIND -o name`.
pub fn names<T: Row>(rows: &[&T]) -> String {
    let kind = T::KIND.qualified();
    rows.iter().fold(String::new(), |mut text, row| {
        let _ = writeln!(text, "{kind}/{}", row.meta().name);
        text
    })
}

/// What kubectl says instead of an empty table: of one namespace, or of the whole cluster.
pub fn nothing_found(namespace: Option<&str>) -> String {
    match namespace {
        Some(namespace) => format!("No resources found in {namespace} namespace."),
        None => "No resources found".to_owned(),
    }
}
