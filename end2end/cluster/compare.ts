import { expect, type Page } from '@playwright/test';
import { type Cluster } from './client';
import { kinds } from './kinds';
import { read } from './page';
import { differences, lineDifferences, pageDifferences, parse, type Found, type Table } from './table';
import { type Tally } from './tally';

/** How long something may differ: what it takes from the API server to the page, and more. */
const patience = 2_000;
/** Beyond so many rows a text is no table any more; see `parse`. */
const most = 500;

/**
 * Fails if something differs: with the first of many differences, and how many there are. Nothing is expected where
 * there are none, since Playwright goes through all earlier expectations at each, of which there are thousands.
 */
export function expectNone(found: string[], what?: string) {
  if (found.length > 0) expect(found.length > 10 ? [...found.slice(0, 10), `… ${found.length} in all`] : found, what).toEqual([]);
}

/** Holds Masthead against kubectl, both looking at the cluster through the same kubeconfig. */
export class Comparison {
  constructor(
    readonly cluster: Cluster,
    private readonly kubeconfig: string,
    readonly url: string,
    readonly tally: Tally,
    /** Who asks Masthead, where that wants to know. */
    private readonly token?: string,
  ) {}

  kubectl(...args: string[]) {
    return this.cluster.say(`--kubeconfig=${this.kubeconfig}`, ...args);
  }

  /** A path of Masthead's API: its text, and its status. */
  async masthead(path: string) {
    const answer = await fetch(this.url + path, { headers: this.token ? { authorization: `Bearer ${this.token}` } : {} });
    return { text: await answer.text(), status: answer.status, note: answer.headers.get('masthead-note') ?? '' };
  }

  private get(kind: string, namespace?: string, ...more: string[]) {
    const where = !kinds[kind].namespaced ? [] : namespace ? ['-n', namespace] : ['-A'];
    return this.kubectl('get', kind, ...where, '-o', 'wide', ...more);
  }

  /** Every cell of a kind through the API: of one namespace, or of all. Returns what kubectl printed, where `parse` can read it. */
  async api(kind: string, namespace?: string): Promise<Table | undefined> {
    const { found, printed } = await this.tryApi(kind, namespace);
    expectNone(found, `what differs from kubectl get ${kind}`);
    return printed;
  }

  /** The same, as what differs in words. */
  async tryApi(kind: string, within?: string): Promise<{ found: string[]; printed?: Table }> {
    const namespace = kinds[kind].only ?? within;
    const query = namespace && kinds[kind].namespaced ? `&namespace=${namespace}` : '';
    let printed: Table | undefined;
    const found = await this.settle(kind, 'api', async () => {
      const theirs = await this.get(kind, namespace);
      const ours = await this.masthead(`/api/v1/${kind}?output=wide${query}`);
      const rows = theirs.out.split('\n').length - 1;
      printed = rows - 1 <= most ? parse(theirs.out) : undefined;
      const cells = rows * parse(theirs.out.slice(0, theirs.out.indexOf('\n'))).columns.length;
      if (theirs.out === '') {
        const same = ours.text === '' && ours.note === theirs.err.trimEnd();
        return { cells: 1, found: same ? [] : [`${kind}: ${ours.text}${ours.note}, kubectl has ${theirs.err}`] };
      }
      if (theirs.out === ours.text) return { cells, found: [] };
      if (printed) {
        const atOnce = differences(kind, printed, parse(ours.text));
        // Later once more, if need be, so that ages may lie between the two.
        return atOnce.found.length === 0 ? atOnce : differences(kind, printed, parse(ours.text), await this.whole(kind, namespace));
      }
      const before = await this.whole(kind, namespace);
      const again = await this.masthead(`/api/v1/${kind}?output=wide${query}`);
      return lineDifferences(kind, before, again.text, await this.whole(kind, namespace));
    });
    return { found, printed };
  }

  /** In one piece, so that however long it is it can be read as a table. */
  private async whole(kind: string, namespace?: string): Promise<Table> {
    return parse((await this.get(kind, namespace, '--chunk-size=0')).out);
  }

  /** Every cell of a kind on a page that is open and shows it; kubectl need not be asked for what it has just `printed`. */
  async page(page: Page, kind: string, namespace?: string, printed?: Table) {
    const found = await this.tryPage(page, kind, namespace, printed);
    expectNone(found, `what differs on the page from kubectl get ${kind}`);
  }

  /** The same, as what differs in words. */
  async tryPage(page: Page, kind: string, namespace?: string, printed?: Table): Promise<string[]> {
    // The page's clock ticks each second and long tables take seconds to scroll through, so that ages lie
    // between what kubectl printed at the look before and what it prints after.
    let before: Table | undefined;
    return this.settle(kind, 'page', async () => {
      const theirs = (!before && printed) || (await this.whole(kind, namespace));
      // Of so many ages some change each second: they are read again once the page's clock has ticked as well.
      if (before && theirs.rows.length > 60) await page.evaluate(() => new Promise((ticked) => setTimeout(ticked, 1_000)));
      const ours = await read(page, kind);
      const atOnce = pageDifferences(kind, theirs, ours);
      if (atOnce.found.length === 0) return atOnce;
      const between = pageDifferences(kind, before ?? theirs, ours, await this.whole(kind, namespace));
      before = theirs;
      return between;
    });
  }

  /** Compares until nothing differs. What differs for as long as we wait, differs. */
  async settle(subject: string, where: 'api' | 'page', compare: () => Promise<Found>): Promise<string[]> {
    const end = Date.now() + patience;
    // However long one look takes, there is a second.
    for (let looks = 1; ; looks += 1) {
      const { cells, found } = await compare();
      if (found.length === 0) {
        this.tally.equal(subject, where, cells);
        return [];
      }
      if (looks > 1 && Date.now() > end) {
        this.tally.differ(subject, found.length);
        return found;
      }
      await new Promise((later) => setTimeout(later, 20));
    }
  }
}
