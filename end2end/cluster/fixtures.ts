import { expect, test as base } from '@playwright/test';
import { Masthead } from '../helper';
import { Cluster } from './client';
import { Moment } from './moment';
import { Tally } from './tally';

export { expect };

/** The cluster to test on that is there already, if one is named. */
export const foreign = process.env.CLUSTER_KUBECONFIG;

/** Clusters are started when first asked for, and shared by the tests of a worker. */
export const test = base.extend<
  { tally: Tally; namespace: string; watch: (kubeconfig: string, ...more: string[]) => Promise<Masthead>; moment: Moment },
  { cluster: Cluster; alone: Cluster }
>({
  tally: async ({}, use, info) => {
    const tally = new Tally();
    await use(tally);
    tally.tell(info);
  },

  /** A whole cluster: ours, or the one that is named. */
  cluster: [
    async ({}, use) => {
      const cluster = foreign ? await Cluster.at(foreign) : await Cluster.start('3');
      await use(cluster);
      await cluster.stop();
    },
    { scope: 'worker', timeout: 1_800_000 },
  ],

  /** An API server and nothing behind it. */
  alone: [
    async ({}, use) => {
      const cluster = await Cluster.start('alone');
      await use(cluster);
      await cluster.stop();
    },
    { scope: 'worker', timeout: 1_800_000 },
  ],

  /** A namespace of the test's own in the whole cluster. */
  namespace: async ({ cluster }, use) => {
    const name = `masthead-test-${Math.random().toString(36).slice(2, 8)}`;
    await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
    await use(name);
    // Nobody else will look whether it went from a cluster that is not ours.
    await cluster.kubectl('delete', 'namespace', name, `--wait=${cluster.foreign}`);
  },

  /** A Masthead that has listed everything a kubeconfig names; ended with the test. */
  watch: async ({}, use) => {
    const started: Masthead[] = [];
    await use(async (kubeconfig, ...more) => {
      const masthead = new Masthead(['--kubeconfig', kubeconfig, ...more]);
      started.push(masthead);
      await masthead.start();
      const listed = async () => (await fetch(`${masthead.url}/readyz`)).status;
      await expect.poll(listed, { message: 'everything is listed', timeout: 30_000 }).toBe(200);
      return masthead;
    });
    await Promise.all(started.map((masthead) => masthead.stop()));
  },

  /** The whole cluster, held at a version at a time. */
  moment: async ({ cluster }, use) => {
    const moment = await Moment.of(cluster);
    await use(moment);
    await moment.stop();
  },
});
