import { test as base } from '@playwright/test';
import { Masthead } from '../helper';
import { Cluster } from './client';
import { Tally } from './tally';

export { expect } from '@playwright/test';

/** The cluster to test on that is there already, if one is named. */
export const foreign = process.env.CLUSTER_KUBECONFIG;

/** Clusters are started when first asked for, and shared by the tests of a worker. */
export const test = base.extend<{ tally: Tally }, { cluster: Cluster; alone: Cluster; namespace: string }>({
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

  /** A namespace of our own in the whole cluster. */
  namespace: [
    async ({ cluster }, use) => {
      const name = `masthead-test-${Math.random().toString(36).slice(2, 8)}`;
      await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
      await use(name);
      await cluster.kubectl('delete', 'namespace', name, '--wait=false');
    },
    { scope: 'worker' },
  ],
});

/** A Masthead that looks at what a kubeconfig names; ended by the caller. */
export async function watching(kubeconfig: string): Promise<Masthead> {
  const masthead = new Masthead(['--kubeconfig', kubeconfig]);
  await masthead.start();
  return masthead;
}
