//! What change leaves behind for a moment: marked cells, rows that have just come, rows that have
//! just gone.

use std::{collections::HashMap, sync::Arc};

use crate::{
    api::{Kind, Millis, Row, Uid},
    query::Line,
};

/// How long a cell stays marked and a row counts as new.
const MARKED_MS: i64 = 1_200;
/// How long a row that went stays, struck through.
const LEAVING_MS: i64 = 1_500;
/// Above this many changes at once (a relist, a slept-through hour) nothing is marked: it would
/// say nothing, and cost.
const MOST: usize = 400;

#[derive(Default)]
pub struct Traces {
    turn: bool,
    marks: HashMap<(Kind, Uid), Mark>,
    leaving: HashMap<(Kind, Uid), (Arc<dyn Line>, Millis)>,
}

struct Mark {
    at: Millis,
    /// A bit a column.
    cells: u32,
    fresh: bool,
    turn: bool,
}

impl Traces {
    /// Notes which cells differ. `old` is `None` for a row that was not there.
    pub fn changed<T: Row>(&mut self, old: Option<&T>, new: &T, at: Millis) {
        let key = (T::KIND, new.meta().uid);
        self.leaving.remove(&key);
        if self.marks.len() >= MOST {
            return;
        }
        let seconds = at.seconds();
        let cells = old.map_or(0, |old| {
            let differs =
                T::COLUMNS.iter().map(|column| (column.cell)(old, seconds) != (column.cell)(new, seconds));
            differs.take(32).enumerate().fold(0, |cells, (i, differs)| cells | u32::from(differs) << i)
        });
        let turn = !self.marks.get(&key).map_or(self.turn, |mark| mark.turn);
        self.turn = turn;
        self.marks.insert(key, Mark { at, cells, fresh: old.is_none(), turn });
    }

    /// Keeps a row that went.
    pub fn went<T: Row>(&mut self, row: Arc<T>, at: Millis) {
        if self.leaving.len() < MOST {
            self.leaving.insert((T::KIND, row.meta().uid), (row, at));
        }
    }

    pub fn leaving(&self, kind: Kind, uid: Uid) -> Option<Arc<dyn Line>> {
        self.leaving.get(&(kind, uid)).map(|(row, _)| row.clone())
    }

    pub fn all_leaving(&self, kind: Kind) -> impl Iterator<Item = Arc<dyn Line>> {
        self.leaving.iter().filter(move |((k, _), _)| *k == kind).map(|(_, (row, _))| row.clone())
    }

    pub fn fresh(&self, kind: Kind, uid: Uid) -> bool {
        self.marks.get(&(kind, uid)).is_some_and(|mark| mark.fresh)
    }

    pub fn mark(&self, kind: Kind, uid: Uid, column: usize) -> &'static str {
        match self.marks.get(&(kind, uid)) {
            Some(mark) if column < 32 && mark.cells & (1 << column) != 0 => {
                if mark.turn {
                    "mark-a"
                } else {
                    "mark-b"
                }
            }
            _ => "",
        }
    }

    /// Drops what has been there long enough, or since a time that has not come, for clocks are put back: the rows to
    /// redraw, and the kinds that lost a row.
    pub fn expire(&mut self, now: Millis) -> (Vec<(Kind, Uid)>, Vec<Kind>) {
        let mut rows = Vec::new();
        let mut kinds = Vec::new();
        self.marks.retain(|key, mark| {
            let stays = (0..MARKED_MS).contains(&(now.0 - mark.at.0));
            if !stays {
                rows.push(*key);
            }
            stays
        });
        self.leaving.retain(|key, (_, at)| {
            let stays = (0..LEAVING_MS).contains(&(now.0 - at.0));
            if !stays {
                rows.push(*key);
                kinds.push(key.0);
            }
            stays
        });
        kinds.sort_unstable();
        kinds.dedup();
        (rows, kinds)
    }
}
