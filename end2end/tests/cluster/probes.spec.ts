import { type BrowserContext, type Page } from '@playwright/test';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { holds, ruleOf, rules, type Claim } from '../../cluster/claims';
import { type ApiObject } from '../../cluster/client';
import { expect, foreign, test } from '../../cluster/fixtures';
import { deeds, probes, type Probe } from '../../cluster/kubelet';
import { deployments, groups, pods } from '../../cluster/probed';
import { restarts, wrong, type Row } from '../../cluster/rows';
import { parse } from '../../cluster/table';
import { type Tally } from '../../cluster/tally';
import { Trace, written } from '../../cluster/trace';
import { containers, type Container } from '../../cluster/truth';

const report = resolve(__dirname, '../../report/probes');
const fixtures = resolve(__dirname, '../../../server/tests/fixtures/probes');
/** So long it is looked at, and so much of that is kept of a trace. */
const [lasts, kept] = [105_000, 92_000];
const often = 500;

test('probes: nothing is said of them that the kubelet did not do', async ({ cluster, namespace, watch, tally, context }) => {
  test.skip(!!foreign, 'wants an image that fails when it is told to, which our own registry has');
  test.skip(!cluster.node, 'needs a real node, with containers: root, runc and the CNI plugins');
  test.setTimeout(300_000);
  await rm(report, { recursive: true, force: true });
  await mkdir(report, { recursive: true });
  const masthead = await watch(cluster.kubeconfig);
  const trace = await Trace.of(cluster, `/api/v1/namespaces/${namespace}/pods`, `/api/v1/namespaces/${namespace}/events`);
  const looks = new Looks(namespace);
  const shown = await Shown.at(context, `${masthead.url}/probes?namespace=${namespace}`);
  const began = Date.now();
  await cluster.apply(...[...pods(cluster.image('latest')), ...deployments].map((object) => within(namespace, object)));

  const rest = { stop: false };
  const looking = [again(rest, () => looks.api('api', masthead.url)), again(rest, async () => looks.add(await shown.claims()))];
  const until = (second: number) => new Promise((later) => setTimeout(later, Math.max(0, began + second * 1_000 - Date.now())));
  const pictures = await Pictures.of(context, masthead.url);
  const all = `/probes?namespace=${namespace}`;
  const one = (pod: string) => `/pods/${namespace}/${pod}`;
  try {
    await until(20);
    await pictures.take(all, 'early');
    const hungry = await cluster.request('GET', `/api/v1/namespaces/${namespace}/pods/hungry`);
    await eat((hungry.status as { podIP: string }).podIP);
    await until(26);
    await pictures.take(one('never'), 'pod-never');
    await until(40);
    await cluster.kubectl('delete', 'pod', 'deleted', '--wait=false', '-n', namespace);
    for (const pod of ['deleted', 'sick', 'sidecar', 'no-such-port', 'neighbours', 'unready', 'untold']) await pictures.take(one(pod), `pod-${pod}`);
    await until(55);
    // One that comes late has heard less, and must not say more.
    const late = await watch(cluster.kubeconfig);
    looking.push(again(rest, () => looks.api('late', late.url)));
    await until(75);
    await pictures.take(all, 'later');
    for (const pod of ['sick', 'crashing', 'hungry']) await pictures.take(one(pod), `pod-${pod}-later`);
    await until(lasts / 1_000);
  } finally {
    rest.stop = true;
    await Promise.all(looking);
  }
  await pictures.take(all, 'at-last');
  trace.stop();

  const kubelet = await deeds(cluster.kubeletLog, namespace);
  if (process.env.RECORD) {
    await mkdir(fixtures, { recursive: true });
    for (const [group, of] of Object.entries(groups)) await writeFile(join(fixtures, `${group}.json`), written(trace.lines, kubelet, [began, began + kept], of));
  }
  const truth = containers(trace.lines, kubelet);
  const { faults, said } = looks.judged(truth, tally);
  await writeFile(join(report, 'faults.txt'), faults.join('\n'));
  expect(faults.slice(0, 40), `${faults.length} claims that the kubelet's log does not bear out`).toEqual([]);
  // Who watched from the first on knows all there is to know.
  for (const row of looks.last('api')) expect(row.restarts, `restarts of ${row.meta.name}`).toEqual(restarts(truth.get(row.meta.name)!, row.status?.restarts ?? 0));
  // Nothing is proven by what was never said.
  const wanted = [...new Set(rules.map(({ claim }) => claim)), 'restarts over liveness', 'restarts over startup', 'an end over a probe', 'an end for want of memory'];
  expect(wanted.filter((claim) => (said.get(claim) ?? 0) < 10), 'what was hardly ever said').toEqual([]);
});

const within = (namespace: string, object: object) => {
  const { metadata, ...rest } = object as ApiObject;
  return { ...rest, metadata: { ...metadata, namespace } };
};

/** Does it again and again. */
async function again(rest: { stop: boolean }, look: () => Promise<unknown>) {
  while (!rest.stop) {
    const asked = Date.now();
    await look();
    await new Promise((later) => setTimeout(later, often - (Date.now() - asked)));
  }
}

/** Has a service take more memory than it may: it keeps what is sent of headers that do not end. */
async function eat(address: string) {
  const sockets = Array.from({ length: 120 }, () => {
    const socket = connect(5000, address);
    socket.on('error', () => undefined);
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nX: ');
    socket.write('x'.repeat(900_000));
    return socket;
  });
  await new Promise((later) => setTimeout(later, 3_000));
  sockets.forEach((socket) => socket.destroy());
}

/** What was said, and when that was asked for. */
class Looks {
  readonly claims: Claim[] = [];
  readonly rows: { where: string; at: number; row: Row }[] = [];

  constructor(private readonly namespace: string) {}

  add(claims: Claim[]) {
    this.claims.push(...claims);
  }

  async api(where: 'api' | 'late', url: string) {
    const asked = Date.now();
    const get = async (output: string) => (await fetch(`${url}/api/v1/containers?namespace=${this.namespace}&output=${output}`)).text();
    const [table, rows] = await Promise.all([get('table'), get('json')]);
    const answered = Date.now();
    for (const row of (JSON.parse(rows) as { items: Row[] }).items) this.rows.push({ where, at: answered, row });
    const { columns, rows: lines } = parse(table);
    const column = (line: string[], name: string) => line[columns.indexOf(name)];
    this.add(lines.flatMap((line) => probes.map((probe) => ({ where, container: column(line, 'NAME'), probe, words: column(line, probe.toUpperCase()), asked, answered }))));
  }

  /** What of it was not so, and how often each thing was said and was. */
  judged(truth: Map<string, Container>, tally: Tally): { faults: string[]; said: Map<string, number> } {
    const faults: string[] = [];
    const said = new Map<string, number>();
    const count = (what: string) => said.set(what, (said.get(what) ?? 0) + 1);
    for (const claim of this.claims) {
      const container = truth.get(claim.container);
      const what = ruleOf(claim)?.rule.claim ?? 'words that are not known';
      if (container && holds(claim, container)) {
        tally.equal(`probes: ${what}`, claim.where === 'page' ? 'page' : 'api', 1);
        count(what);
      } else {
        tally.differ(`probes: ${what}`, 1);
        faults.push(`${new Date(claim.asked).toISOString().slice(11, 22)} ${claim.where} ${claim.container} ${claim.probe}: ${claim.words}`);
      }
    }
    for (const { row } of this.rows) {
      const found = wrong(row, truth.get(row.meta.name)!, (what) => {
        tally.equal(`containers: ${what}`, 'api', 1);
        count(what);
      });
      faults.push(...found);
      found.forEach((fault) => tally.differ(`containers: ${fault.split(': ')[1]}`, 1));
    }
    return { faults, said };
  }

  /** The rows of the last look. */
  last(where: string): Row[] {
    const own = this.rows.filter((look) => look.where === where);
    return own.filter(({ at }) => at === own.at(-1)!.at).map(({ row }) => row);
  }
}

/** What the pages look like, to be looked at. */
class Pictures {
  private constructor(
    private readonly page: Page,
    private readonly url: string,
  ) {}

  static async of(context: BrowserContext, url: string): Promise<Pictures> {
    const page = await context.newPage();
    await page.setViewportSize({ width: 1366, height: 1000 });
    return new Pictures(page, url);
  }

  async take(path: string, name: string) {
    await this.page.goto(this.url + path);
    await expect(this.page.locator('.freshness summary')).toContainText('live');
    await this.page.screenshot({ path: join(report, `${name}.png`), fullPage: true });
  }
}

/** The page of all probes. */
class Shown {
  private constructor(private readonly page: Page) {}

  static async at(context: BrowserContext, url: string): Promise<Shown> {
    const page = await context.newPage();
    await page.setViewportSize({ width: 1366, height: 1000 });
    await page.goto(url);
    await expect(page.locator('.freshness summary')).toContainText('live');
    return new Shown(page);
  }

  /** What it says of each probe now. */
  async claims(): Promise<Claim[]> {
    const asked = Date.now();
    const said = await this.page.locator('.probe-card').evaluateAll((cards) =>
      cards.flatMap((card) => {
        const text = (of?: Element | null) => of?.textContent?.trim() ?? '';
        const heads = [...card.querySelectorAll('thead th')].map(text);
        return [...card.querySelectorAll('tbody tr')].flatMap((row) =>
          [...row.children].flatMap((cell, i) =>
            cell.matches('.doing') ? [{ container: `${text(row.querySelector('th'))}/${text(card.querySelector('h3 .mono'))}`, probe: heads[i], words: text(cell) }] : [],
          ),
        );
      }),
    );
    return said.map((claim) => ({ ...claim, probe: claim.probe as Probe, where: 'page', asked, answered: Date.now() }));
  }
}
