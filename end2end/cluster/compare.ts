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

/** The first of many differences, and how many there are. */
const told = (found: string[]) => (found.length > 10 ? [...found.slice(0, 10), `… ${found.length} in all`] : found);

/** Holds Masthead against kubectl, both looking at the cluster through the same kubeconfig. */
export class Comparison {
  constructor(
    readonly cluster: Cluster,
    private readonly kubeconfig: string,
    readonly url: string,
    readonly tally: Tally,
  ) {}

  kubectl(...args: string[]) {
    return this.cluster.say(`--kubeconfig=${this.kubeconfig}`, ...args);
  }

  /** A path of Masthead's API: its text, and its status. */
  async masthead(path: string) {
    const answer = await fetch(this.url + path);
    return { text: await answer.text(), status: answer.status, note: answer.headers.get('masthead-note') ?? '' };
  }

  private get(kind: string, namespace?: string, ...more: string[]) {
    const where = !kinds[kind].namespaced ? [] : namespace ? ['-n', namespace] : ['-A'];
    return this.kubectl('get', kind, ...where, '-o', 'wide', ...more);
  }

  /** Every cell of a kind through the API: of one namespace, or of all. */
  async api(kind: string, namespace?: string) {
    const found = await this.tryApi(kind, namespace);
    expect(told(found), `what differs from kubectl get ${kind}`).toEqual([]);
  }

  /** The same, as what differs in words. */
  async tryApi(kind: string, namespace?: string): Promise<string[]> {
    const query = namespace && kinds[kind].namespaced ? `&namespace=${namespace}` : '';
    return this.settle(kind, 'api', async () => {
      const theirs = await this.get(kind, namespace);
      const ours = await this.masthead(`/api/v1/${kind}?output=wide${query}`);
      const rows = theirs.out.split('\n').length - 1;
      const cells = rows * parse(theirs.out.slice(0, theirs.out.indexOf('\n'))).columns.length;
      if (theirs.out === '') {
        const same = ours.text === '' && ours.note === theirs.err.trimEnd();
        return { cells: 1, found: same ? [] : [`${kind}: ${ours.text}${ours.note}, kubectl has ${theirs.err}`] };
      }
      if (theirs.out === ours.text) return { cells, found: [] };
      // In one piece, so that it can be read as a table; and later, so that ages may lie between the two.
      const whole = await this.get(kind, namespace, '--chunk-size=0');
      if (rows - 1 <= most) return differences(kind, parse(theirs.out), parse(ours.text), parse(whole.out));
      const again = await this.masthead(`/api/v1/${kind}?output=wide${query}`);
      return lineDifferences(kind, parse(whole.out), again.text, parse((await this.get(kind, namespace, '--chunk-size=0')).out));
    });
  }

  /** Every cell of a kind on a page that is open and shows it. */
  async page(page: Page, kind: string, namespace?: string) {
    const found = await this.tryPage(page, kind, namespace);
    expect(told(found), `what differs on the page from kubectl get ${kind}`).toEqual([]);
  }

  /** The same, as what differs in words. */
  async tryPage(page: Page, kind: string, namespace?: string): Promise<string[]> {
    const table = async () => parse((await this.get(kind, namespace, '--chunk-size=0')).out);
    // The page's clock ticks each second and long tables take seconds to scroll through, so that ages lie
    // between what kubectl printed at the look before and what it prints after.
    let before: Table | undefined;
    return this.settle(kind, 'page', async () => {
      const theirs = await table();
      // Of so many ages some change each second: they are read once the page's clock has ticked as well.
      if (!before && theirs.rows.length > 60) await page.evaluate(() => new Promise((ticked) => setTimeout(ticked, 1_000)));
      const ours = await read(page, kind);
      const atOnce = pageDifferences(kind, theirs, ours);
      if (atOnce.found.length === 0) return atOnce;
      const between = pageDifferences(kind, before ?? theirs, ours, await table());
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
