import { type Page } from '@playwright/test';
import { type Table } from './table';

/** The tables of a kind as the page shows them, every row: it is scrolled through, since far rows do not exist. */
export async function read(page: Page, kind: string): Promise<Table> {
  return page.evaluate(async (kind) => {
    const frame = () => new Promise((done) => requestAnimationFrame(done));
    // What stands for rows that do not exist yet is not on the screen.
    const drawn = () =>
      [...document.querySelectorAll(`table.rows.${kind} tr.spacer`)].every((spacer) => {
        const { top, bottom, height } = spacer.getBoundingClientRect();
        return height < 1 || bottom < 0 || top > window.innerHeight;
      });
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
    window.scrollTo(0, 0);
    for (;;) {
      for (let frames = 0; frames < 2 || (frames < 100 && !drawn()); frames += 1) await frame();
      collect();
      const { scrollHeight } = document.documentElement;
      if (window.scrollY + window.innerHeight >= scrollHeight - 1) break;
      window.scrollBy(0, window.innerHeight);
    }
    return { columns: [...columns], rows: [...rows.values()] };
  }, kind);
}
