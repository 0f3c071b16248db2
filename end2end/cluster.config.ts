import { defineConfig } from '@playwright/test';
import base from './playwright.config';

/** The tests that need a Kubernetes cluster: their own, or the one `CLUSTER_KUBECONFIG` names. */
export default defineConfig(base, {
  testDir: './tests/cluster',
  testIgnore: [],
  fullyParallel: false,
  timeout: 180_000,
  // A page that moves is drawn all the time, and pictures of each of thousands of looks take longer than the looks.
  // What differs is told in words, with a screenshot.
  use: { contextOptions: { reducedMotion: 'reduce' }, trace: { mode: 'retain-on-failure', screenshots: false, snapshots: false } },
  // Twenty processes and real containers have bad moments that are not ours. The closing lines say what passed
  // only then, and why it had failed: it is looked into like any other fault.
  retries: 1,
  // A worker's cluster is shared by its tests; what is compared is not slowed by a neighbour, but for the tutorial, which
  // mostly waits for probes. WORKERS=1 plays that first and alone.
  workers: Number(process.env.WORKERS || 2),
  projects: [
    { name: 'tutorial', testMatch: 'tutorial.spec.ts' },
    { name: 'compared', testIgnore: 'tutorial.spec.ts', workers: 1 },
  ],
  reporter: [['list'], ['./cluster/report.ts'], ['./closing-line.ts']],
});
