import { defineConfig } from '@playwright/test';
import base from './playwright.config';

/** The tests that need a Kubernetes cluster: their own, or the one `CLUSTER_KUBECONFIG` names. */
export default defineConfig(base, {
  testDir: './tests/cluster',
  testIgnore: [],
  fullyParallel: false,
  timeout: 180_000,
  // A worker's cluster is shared by its tests. The tutorial waits for probes most of the time, so it has a
  // worker, and a cluster, of its own beside the others.
  workers: Number(process.env.WORKERS || 2),
  projects: [
    { name: 'tutorial', testMatch: 'tutorial.spec.ts' },
    { name: 'compared', testIgnore: 'tutorial.spec.ts', workers: 1 },
  ],
  reporter: [['list'], ['./cluster/report.ts'], ['./closing-line.ts']],
});
