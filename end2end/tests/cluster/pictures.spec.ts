import { type BrowserContext, type Page } from '@playwright/test';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ApiObject } from '../../cluster/client';
import { expect, foreign, test } from '../../cluster/fixtures';
import { type Scene, scenes, Stage } from '../../cluster/scenes';

const report = resolve(__dirname, '../../report/pictures');
/** Scenes that are played at a time. */
const hands = 4;

test('pictures: who sees only the page can say what happens and why', async ({ cluster, namespace, watch, tally, context }) => {
  test.skip(!!foreign, 'wants an image that fails when it is told to, which our own registry has');
  test.skip(!cluster.node, 'needs a real node, with containers: root, runc and the CNI plugins');
  test.setTimeout(600_000);
  await rm(report, { recursive: true, force: true });
  await mkdir(report, { recursive: true });
  const masthead = await watch(cluster.kubeconfig);
  const told = new Map<string, string[]>();
  let compared = 0;
  const play = async (scene: Scene) => {
    const stage = new Stage(cluster, namespace, scene);
    await stage.create();
    const shown = new Shown(context, masthead.url, `${namespace}/${stage.kind}/${scene.name}`, scene.name);
    await shown.open(/^(succeeded|complete)$/m);
    await scene.act(stage, (moment, says) => shown.look(moment, says));
    compared += await stations(stage, masthead.url);
    await shown.close();
    told.set(scene.name, shown.told);
  };
  const waiting = [...scenes];
  await Promise.all(
    Array.from({ length: hands }, async () => {
      for (let scene = waiting.shift(); scene; scene = waiting.shift()) await play(scene);
    }),
  );
  await writeFile(join(report, 'report.md'), scenes.flatMap(({ name }) => [`## ${name}\n`, ...(told.get(name) ?? [])]).join('\n'));
  expect(compared, 'stations that were compared').toBeGreaterThan(100);
  tally.equal('stations of pods', 'api', compared);
});

/** A scene's page: waited for, pictured, and written down as it reads. */
class Shown {
  readonly told: string[] = [];
  /** What the page's program complained of. */
  private readonly troubles: string[] = [];
  private page?: Page;

  constructor(
    private readonly context: BrowserContext,
    private readonly masthead: string,
    private readonly of: string,
    private readonly name: string,
  ) {}

  async open(until: RegExp) {
    this.page = await this.context.newPage();
    this.page.on('pageerror', (error) => this.troubles.push(`uncaught: ${error.stack}`));
    this.page.on('console', (message) => ['error', 'warning'].includes(message.type()) && this.troubles.push(message.text()));
    this.page.on('crash', () => this.troubles.push('the page crashed'));
    await this.page.setViewportSize({ width: 1366, height: 1000 });
    await this.page.goto(`${this.masthead}/rollouts/${this.of}`);
    await expect(this.page.locator('main h1 ~ *, main .status').first()).toBeVisible();
    await this.says('at first', [until]);
  }

  private async says(moment: string, says: (string | RegExp)[]): Promise<string> {
    let read = '';
    try {
      await expect(async () => {
        read = await this.page!.locator('main').innerText({ timeout: 30_000 });
        for (const part of says) expect(read, `${this.name}, ${moment}`).toMatch(part);
      }).toPass({ timeout: 120_000, intervals: [100] });
    } catch (error) {
      throw new Error(`${await this.otherwise().catch(String)}\n${error}`);
    }
    return read;
  }

  /** What the cluster's side of it was when the page did not say what it should. */
  private async otherwise(): Promise<string> {
    const answer = await fetch(`${this.masthead}/api/v1/rollouts/${this.of}`, { signal: AbortSignal.timeout(5_000) });
    const { course, sentence, causes } = (await answer.json()) as { course: string; sentence: string; causes: object };
    const bar = this.page!.locator('header.bar').innerText({ timeout: 5_000 }).catch(String);
    const seen = JSON.stringify({ bar: await bar, troubles: this.troubles });
    return `${this.name}: the API says ${course}, ${sentence}, ${JSON.stringify(causes)}; the page has ${seen}`;
  }

  async look(moment: string, says: (string | RegExp)[]) {
    const read = await this.says(moment, says);
    const picture = `${this.name}-${moment.replaceAll(' ', '-')}.png`;
    await this.page!.screenshot({ path: join(report, picture), fullPage: true });
    this.told.push(`### ${moment}\n`, '```', read.replaceAll(/\n+/g, '\n'), '```\n', `![${moment}](${picture})\n`);
  }

  async close() {
    await this.page?.close();
  }
}

type Reached = { station: string; at: number; by: string };
type Tile = { name: string; reached: Reached[] };

/** The stations of a workload's pods are those of their conditions, containers and events, to the second. How many were. */
async function stations(stage: Stage, masthead: string): Promise<number> {
  const { cluster, namespace, kind, scene } = stage;
  let compared = 0;
  // Between two looks something may have moved on.
  await expect(async () => {
    compared = 0;
    const before = await stage.pods();
    const { items: events } = await cluster.request<{ items: ApiObject[] }>('GET', `/api/v1/namespaces/${namespace}/events`);
    const answer = await fetch(`${masthead}/api/v1/rollouts/${namespace}/${kind}/${scene.name}`);
    const { lanes } = (await answer.json()) as { lanes: { tiles: Tile[] }[] };
    const after = await stage.pods();
    expect(after.map(version)).toEqual(before.map(version));
    const tiles = lanes.flatMap((lane) => lane.tiles);
    for (const pod of before) {
      // A StatefulSet's pods come again by the same name.
      const tile = tiles.filter(({ name }) => name === pod.metadata.name).at(-1);
      expect(tile, `${pod.metadata.name} is drawn`).toBeDefined();
      for (const [station, at] of Object.entries(wanted(pod, events))) {
        const reached = tile!.reached.find((reached) => reached.station === station);
        expect(Math.abs((reached?.at ?? 0) - at), `${pod.metadata.name}, ${station}`).toBeLessThanOrEqual(1_000);
        compared += 1;
      }
    }
  }).toPass({ timeout: 20_000 });
  return compared;
}

const version = ({ metadata }: ApiObject) => `${metadata.name}@${metadata.resourceVersion}`;

/** When a pod was where, by what the API server has of it. */
function wanted(pod: ApiObject, events: ApiObject[]): Record<string, number> {
  const { conditions = [], containerStatuses = [] } = pod.status as {
    conditions?: { type: string; status: string; lastTransitionTime: string }[];
    containerStatuses?: { state?: { running?: { startedAt: string } } }[];
  };
  const since = (type: string) => conditions.find((condition) => condition.type === type && condition.status === 'True')?.lastTransitionTime;
  const event = (wanted: string) =>
    events.find(({ reason, involvedObject }) => reason === wanted && (involvedObject as { uid: string }).uid === pod.metadata.uid)?.firstTimestamp;
  const running = containerStatuses.map(({ state }) => state?.running?.startedAt);
  const times = {
    scheduled: since('PodScheduled'),
    pulling: event('Pulling'),
    created: event('Created'),
    started: running.length > 0 && running.every(Boolean) ? running.sort().at(-1) : undefined,
    // Once its time is cut to nothing, it does not say any more when that began.
    terminating: pod.metadata.deletionGracePeriodSeconds ? new Date(Date.parse(String(pod.metadata.deletionTimestamp)) - 1000 * Number(pod.metadata.deletionGracePeriodSeconds)).toISOString() : undefined,
    ready: pod.metadata.deletionTimestamp ? undefined : since('Ready'),
  };
  return Object.fromEntries(Object.entries(times).flatMap(([station, at]) => (at ? [[station, Date.parse(String(at))]] : [])));
}
