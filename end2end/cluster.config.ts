import { defineConfig } from '@playwright/test';
import base from './playwright.config';

/** The tests that need a Kubernetes cluster: their own, or the one `CLUSTER_KUBECONFIG` names. */
export default defineConfig(base, {
  testDir: './tests/cluster',
  testIgnore: [],
  // One cluster for all of them, and what is compared must not be slowed by a neighbour.
  fullyParallel: false,
  workers: 1,
  timeout: 180_000,
  reporter: [['list'], ['./cluster/report.ts'], ['./closing-line.ts']],
});
