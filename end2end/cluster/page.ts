import { type Page } from '@playwright/test';
import { type Table } from './table';

/** The tables of a kind as the page shows them, every row: where far rows do not exist it is scrolled through. */
export async function read(page: Page, kind: string): Promise<Table> {
  return page.evaluate(async (kind) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    /** Where something stands for rows that do not exist yet. */
    const spacers = () =>
      [...document.querySelectorAll(`table.rows.${kind} tr.spacer`)].map((spacer) => spacer.getBoundingClientRect()).filter(({ height }) => height >= 1);
    const drawn = () => spacers().every(({ top, bottom }) => bottom < 0 || top > window.innerHeight);
    document.querySelectorAll('details').forEach((details) => (details.open = true));
    const text = (cell: Element) => {
      const copy = cell.cloneNode(true) as Element;
      copy.querySelectorAll('.lead, .arrow').forEach((extra) => extra.remove());
      return (copy.textContent ?? '').replace(/ +$/, '');
    };
    const columns = new Set<string>();
    const rows = new Map<string, string[]>();
    const collect = () => {
      const there = new Set<string>();
      for (const table of document.querySelectorAll(`table.rows.${kind}`)) {
        const headings = [...table.querySelectorAll('thead th')].map(text);
        headings.forEach((heading) => columns.add(heading));
        for (const row of table.querySelectorAll('tbody tr:not(.spacer, .group, .gone)')) {
          const cells = [...row.children].map(text);
          const key = ['NAMESPACE', 'NAME'].map((name) => cells[headings.indexOf(name)] ?? '').join('/');
          // One that is there twice at once is handed on twice.
          rows.set(there.has(key) ? `${key} twice` : key, cells);
          there.add(key);
        }
      }
    };
    /** Those of the kind, without what else is on the page: where they begin and end on the screen. */
    const edges = () => {
      const tables = [...document.querySelectorAll(`table.rows.${kind}`)].map((table) => table.getBoundingClientRect());
      return { top: Math.min(...tables.map(({ top }) => top)), bottom: Math.max(...tables.map(({ bottom }) => bottom)) };
    };
    if (spacers().length > 0) {
      window.scrollBy(0, edges().top);
      for (;;) {
        for (let frames = 0; frames < 1 || (frames < 100 && !drawn()); frames += 1) await frame();
        collect();
        const { scrollHeight } = document.documentElement;
        if (edges().bottom <= window.innerHeight || window.scrollY + window.innerHeight >= scrollHeight - 1) break;
        window.scrollBy(0, window.innerHeight);
      }
    } else collect();
    return { columns: [...columns], rows: [...rows.values()] };
  }, kind);
}
