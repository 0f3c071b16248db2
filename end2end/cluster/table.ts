/** One printed table, as its cells. */
export type Table = { columns: string[]; rows: string[][] };

/**
 * Reads what kubectl prints: columns stand where their headings begin, three spaces apart, counted in
 * characters. Up to 500 rows: kubectl lines up each further page of its answer anew.
 */
export function parse(text: string): Table {
  const [head, ...lines] = text.split('\n').filter((line) => line !== '');
  if (head === undefined) return { columns: [], rows: [] };
  const starts = [...head.matchAll(/\S+(?: \S+)*/g)].map((match) => ({ at: match.index, text: match[0] }));
  const rows = lines.map((line) => {
    const characters = Array.from(line);
    return starts.map(({ at }, i) => characters.slice(at, starts[i + 1]?.at).join('').replace(/ +$/, ''));
  });
  return { columns: starts.map(({ text }) => text), rows };
}

/** Whole seconds as kubectl writes them, up to ten minutes (`HumanDuration`). */
function written(seconds: number): string {
  const rest = seconds % 60;
  if (seconds < 120) return `${seconds}s`;
  return `${Math.floor(seconds / 60)}m${rest === 0 || seconds >= 600 ? '' : `${rest}s`}`;
}

/** An age that says its seconds, as them: `119s`, `2m`, `9m59s`; not `10m`, which is a whole minute. */
function seconds(text: string): number | undefined {
  const [, m, s] = /^(?:(\d)m)?(?:(\d+)s)?$/.exec(text) ?? [];
  return m === undefined && s === undefined ? undefined : Number(m ?? 0) * 60 + Number(s ?? 0);
}

const aged = /^(?:\d+ \()?((?:\d+[ydhms]){1,2})(?: ago\))?$/;
const ages = ['AGE', 'LAST SEEN', 'FIRST SEEN', 'RESTARTS'];

/**
 * Whether a cell equals kubectl's, which was asked before and, where reading ours took a while, `after`. An age
 * in seconds may be one less or one more than what lies between the two; a coarser one is one of the two.
 */
export function same(column: string, theirs: string, ours: string, after = theirs): boolean {
  if (theirs === ours || after === ours) return true;
  if (!ages.includes(column)) return false;
  const [a, b, c] = [theirs, ours, after].map((cell) => aged.exec(cell));
  if (!a || !b || !c) return false;
  const around = (cell: string, [, age]: RegExpExecArray) => cell.replace(age, '');
  if (around(theirs, a) !== around(ours, b) || around(theirs, a) !== around(after, c)) return false;
  const [low, high] = [seconds(a[1]), seconds(c[1])];
  if (low === undefined) return false;
  for (let age = low - 1; age <= (high ?? 600) + 1; age += 1) {
    if (written(age) === b[1]) return true;
  }
  return false;
}

/** How many cells were looked at, and what differs, in words. */
export type Found = { cells: number; found: string[] };

/** Our table against kubectl's: the same columns, the same rows in the same order, the same cells. */
export function differences(kind: string, theirs: Table, ours: Table, after = theirs): Found {
  if (ours.columns.join('|') !== theirs.columns.join('|')) {
    return { cells: 0, found: [`${kind}: columns ${ours.columns.join('|')}, kubectl has ${theirs.columns.join('|')}`] };
  }
  const { cells, found } = compareCells(kind, theirs, ours, (_, at) => ours.rows[at], after);
  if (ours.rows.length !== theirs.rows.length) {
    found.push(`${kind}: ${ours.rows.length} rows, kubectl has ${theirs.rows.length}`);
  }
  return { cells: cells + theirs.columns.length, found };
}

/** Our text against kubectl's table where it is too long for `parse`: every line has its cells, in their order. */
export function lineDifferences(kind: string, theirs: Table, text: string, after: Table): Found {
  const [head = '', ...lines] = text.split('\n').filter((line) => line !== '');
  const found: string[] = [];
  if (head.split(/ {2,}/).join('|') !== theirs.columns.join('|')) found.push(`${kind}: columns ${head}, kubectl has ${theirs.columns.join('|')}`);
  theirs.rows.forEach((row, at) => {
    let rest = lines[at] ?? '';
    const differs = row.findIndex((cell, i) => {
      const own = ages.includes(theirs.columns[i]) ? (/^\S+(?: \(\S+ ago\))?/.exec(rest)?.[0] ?? '') : rest.slice(0, cell.length);
      rest = rest.slice(own.length).replace(/^ +/, '');
      return !same(theirs.columns[i], cell, own, after.rows[at]?.[i]);
    });
    if (differs >= 0 || rest !== '') found.push(`${kind} ${key(theirs, row)}: ${JSON.stringify(lines[at])}, kubectl has ${JSON.stringify(row)}`);
  });
  if (lines.length !== theirs.rows.length) found.push(`${kind}: ${lines.length} rows, kubectl has ${theirs.rows.length}`);
  return { cells: (theirs.rows.length + 1) * theirs.columns.length, found };
}

/**
 * The page's table against kubectl's: the same rows, in the columns that both have the same cells. The page has
 * whole texts where kubectl cuts at a line break, and shows characters that a terminal would swallow or obey.
 */
export function pageDifferences(kind: string, all: Table, page: Table, later = all): Found {
  const cut = (cell: string) => cell.replace(/(?:\n|\\u\{[cd]\})[^]*/, '...').replace(/ +$/, '');
  const withCells = (table: Table, cell: (text: string) => string) => ({ ...table, rows: table.rows.map((row) => row.map(cell)) });
  const ours = withCells(page, cut);
  const theirs = withCells(all, visible);
  const after = withCells(later, visible);
  const tabbed = takeTabbed(kind, theirs, ours, after);
  const rows = new Map(ours.rows.map((row) => [key(ours, row), row]));
  const known = new Set(theirs.rows.map((row) => key(theirs, row)));
  const { cells, found } = compareCells(kind, theirs, ours, (row) => rows.get(key(theirs, row)), after);
  found.push(...[...rows.keys()].filter((name) => !known.has(name)).map((name) => `${kind} ${name}: kubectl has none`));
  // Where everything is in one namespace the page need not say which.
  if (rows.size !== ours.rows.length) found.push(`${kind}: ${ours.rows.length - rows.size} rows are on the page twice`);
  const missing = theirs.columns.filter((column) => column !== 'NAMESPACE' && !ours.columns.includes(column));
  if (missing.length > 0 && theirs.rows.length > 0) found.push(`${kind}: the page has no column ${missing.join(', ')}`);
  return { cells: cells + tabbed.cells, found: [...found, ...tabbed.found] };
}

/**
 * A tab in a cell ends it for kubectl, so that what follows stands under other headings. Takes such rows out of
 * both tables, compared word by word.
 */
function takeTabbed(kind: string, theirs: Table, ours: Table, after: Table): Found {
  const words = (row: string[]) => row.join(' ').split(/(?:\s|\\u\{b\})+/).filter((word) => word !== '');
  const found: string[] = [];
  let cells = 0;
  for (const row of ours.rows.filter((row) => row.some((cell) => /\t|\\u\{b\}/.test(cell)))) {
    const own = words(row.slice(0, Math.max(...theirs.columns.map((column) => ours.columns.indexOf(column))) + 1));
    const name = row[ours.columns.indexOf('NAME')];
    const of = (table: Table) => table.rows.find((row) => words(row).includes(name));
    const [their, later] = [of(theirs), words(of(after) ?? [])];
    const equal = their !== undefined && words(their).length === own.length && words(their).every((word, i) => same('AGE', word, own[i], later[i]));
    if (equal) cells += theirs.columns.length;
    else found.push(`${kind} ${name}: ${JSON.stringify(own)}, kubectl has ${JSON.stringify(their)}`);
    ours.rows = ours.rows.filter((other) => other !== row);
    theirs.rows = theirs.rows.filter((other) => other !== their);
  }
  return { cells, found };
}

/** As the page writes control characters and those that turn text around. */
function visible(text: string): string {
  const escaped = (character: string) => `\\u{${character.codePointAt(0)!.toString(16)}}`;
  return text.replace(/\^\[/g, '\u001b').replace(/[\u0000-\u0008\u000b\u000e-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, escaped);
}

const key = (table: Table, row: string[]) =>
  ['NAMESPACE', 'NAME'].map((name) => row[table.columns.indexOf(name)] ?? '').join('/');

/** Every cell of the columns that both have; `find` gives our row for one of kubectl's. */
function compareCells(
  kind: string,
  theirs: Table,
  ours: Table,
  find: (row: string[], at: number) => string[] | undefined,
  after = theirs,
): Found {
  const found: string[] = [];
  let cells = 0;
  const later = new Map(after.rows.map((row) => [key(after, row), row]));
  theirs.rows.forEach((row, at) => {
    const own = find(row, at);
    if (!own) {
      found.push(`${kind} ${key(theirs, row)}: not in ours`);
      return;
    }
    theirs.columns.forEach((column, i) => {
      const j = ours.columns.indexOf(column);
      if (j < 0) return;
      cells += 1;
      if (!same(column, row[i], own[j], later.get(key(theirs, row))?.[i])) {
        found.push(`${kind} ${key(theirs, row)}: ${column} is ${JSON.stringify(own[j])}, kubectl has ${JSON.stringify(row[i])}`);
      }
    });
  });
  return { cells, found };
}
