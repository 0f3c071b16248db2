/** One printed table, as its cells. */
export type Table = { columns: string[]; rows: string[][] };

/** Reads what kubectl prints: columns stand where their headings begin, three spaces apart. */
export function parse(text: string): Table {
  const [head, ...lines] = text.split('\n').filter((line) => line !== '');
  if (head === undefined) return { columns: [], rows: [] };
  const starts = [...head.matchAll(/\S+(?: \S+)*/g)].map((match) => ({ at: match.index, text: match[0] }));
  const rows = lines.map((line) => starts.map(({ at }, i) => line.slice(at, starts[i + 1]?.at).trimEnd()));
  return { columns: starts.map(({ text }) => text), rows };
}

const unit = { y: 365 * 86400, d: 86400, h: 3600, m: 60, s: 1 } as const;
const duration = String.raw`(?:\d+[ydhms])+`;

/** `3m20s` in seconds. */
function seconds(text: string): number {
  return [...text.matchAll(/(\d+)([ydhms])/g)].reduce((sum, [, n, u]) => sum + Number(n) * unit[u as keyof typeof unit], 0);
}

/**
 * Whether a cell equals kubectl's, which was asked right before and right after. A cell with a time
 * in it lies between the two; one second is the most that clocks read apart may add.
 */
export function same(before: string, ours: string, after: string): boolean {
  if (ours === before || ours === after) return true;
  const shape = (cell: string) => cell.replace(new RegExp(duration, 'g'), '#');
  const times = (cell: string) => (cell.match(new RegExp(duration, 'g')) ?? []).map(seconds);
  if (shape(ours) !== shape(before) || shape(ours) !== shape(after)) return false;
  // Only what is an age whole, or "(5m ago)", may move; digits in a name may not.
  if (!new RegExp(`^(?:${duration}|\\d+ \\(${duration} ago\\))$`).test(ours)) return false;
  const [low, high] = [times(before), times(after)];
  return times(ours).every((time, i) => low[i] - 1 <= time && time <= high[i] + 1);
}

/** How many cells were looked at, and what differs, in words. */
export type Found = { cells: number; found: string[] };

/** Our table against kubectl's: the same columns, the same rows in the same order, the same cells. */
export function differences(kind: string, before: Table, ours: Table, after: Table): Found {
  if (ours.columns.join('|') !== before.columns.join('|')) {
    return { cells: 0, found: [`${kind}: columns ${ours.columns.join('|')}, kubectl has ${before.columns.join('|')}`] };
  }
  const { cells, found } = compareCells(kind, before, ours, after, (_, at) => ours.rows[at]);
  if (ours.rows.length !== before.rows.length) {
    found.push(`${kind}: ${ours.rows.length} rows, kubectl has ${before.rows.length}`);
  }
  return { cells: cells + before.columns.length, found };
}

/** The page's table against kubectl's: the same rows, and in the columns that both have the same cells. */
export function pageDifferences(kind: string, before: Table, ours: Table, after: Table): Found {
  const rows = new Map(ours.rows.map((row) => [key(ours, row), row]));
  const theirs = new Set(before.rows.map((row) => key(before, row)));
  const { cells, found } = compareCells(kind, before, ours, after, (row) => rows.get(key(before, row)));
  found.push(...[...rows.keys()].filter((name) => !theirs.has(name)).map((name) => `${kind} ${name}: kubectl has none`));
  const missing = ['NAME', 'AGE'].filter((column) => !ours.columns.includes(column));
  if (missing.length > 0) found.push(`${kind}: no column ${missing.join(', ')}`);
  return { cells, found };
}

const key = (table: Table, row: string[]) =>
  ['NAMESPACE', 'NAME'].map((name) => row[table.columns.indexOf(name)] ?? '').join('/');

/** Every cell of the columns that both have; `find` gives our row for one of kubectl's. */
function compareCells(
  kind: string,
  before: Table,
  ours: Table,
  after: Table,
  find: (row: string[], at: number) => string[] | undefined,
): Found {
  const found: string[] = [];
  let cells = 0;
  before.rows.forEach((row, at) => {
    const own = find(row, at);
    if (!own) {
      found.push(`${kind} ${key(before, row)}: not in ours`);
      return;
    }
    before.columns.forEach((column, i) => {
      const j = ours.columns.indexOf(column);
      if (j < 0) return;
      cells += 1;
      if (!same(row[i], own[j], after.rows[at]?.[i] ?? '')) {
        found.push(`${kind} ${key(before, row)}: ${column} is ${JSON.stringify(own[j])}, kubectl has ${JSON.stringify(row[i])}`);
      }
    });
  });
  return { cells, found };
}
