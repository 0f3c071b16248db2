import { defineConfig } from '@playwright/test';
import base from './playwright.config';

/** The tests that need a Kubernetes cluster: their own, or the one `CLUSTER_KUBECONFIG` names. */
export default defineConfig(base, {
  testDir: './tests/cluster',
  testIgnore: [],
  // One cluster, and what is compared must not be moved by a neighbour.
  fullyParallel: false,
  workers: 1,
  timeout: 180_000,
});
