import { defineConfig } from '@playwright/test';

/** Debian's browser: Playwright's own cannot be downloaded everywhere. `CHROMIUM` names another. */
const chromium = process.env.CHROMIUM || '/usr/bin/chromium';

export default defineConfig({
  testDir: './tests',
  testIgnore: '**/cluster/**', // see cluster.config.ts
  outputDir: './test-results',
  // Each test has a server of its own, so they may share the machine.
  fullyParallel: true,
  workers: Number(process.env.WORKERS || 2),
  // A test that passes the second time has found something.
  retries: 0,
  forbidOnly: !!process.env.CI,
  // For a slow machine: what has a limit that matters says so itself.
  timeout: 90_000,
  expect: { timeout: 20_000 },
  reporter: [['list'], ['./closing-line.ts']],
  use: {
    browserName: 'chromium',
    locale: 'en-GB',
    timezoneId: 'UTC',
    viewport: { width: 1280, height: 800 },
    screenshot: 'only-on-failure',
    trace: 'retain-on-failure',
    launchOptions: {
      executablePath: chromium,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        // Names that nobody can own (RFC 6761): what proxies and attackers are called here.
        '--host-resolver-rules=MAP *.example 127.0.0.1',
      ],
    },
  },
});
