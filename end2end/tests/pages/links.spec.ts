import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from '@playwright/test';
import { axe, expect, test as base } from '../../helper';

const token = 'a-token-that-nobody-guesses';

/** With people who sign in, and a file for what they share. */
const test = base.extend<{ folder: string }>({
  folder: async ({}, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'masthead-links-'));
    writeFileSync(join(folder, 'token'), token, { mode: 0o600 });
    await use(folder);
    rmSync(folder, { recursive: true });
  },
  mastheadArgs: async ({ folder }, use) =>
    use(['--demo', '--auth', 'token', '--auth-token-file', join(folder, 'token'), '--state', join(folder, 'state.json')]),
});

/** Somebody else's browser, which knows nothing. */
async function stranger(browser: Browser, options: object = {}): Promise<Page> {
  return (await browser.newContext(options)).newPage();
}

async function signIn(page: Page, next: string) {
  await page.goto(next);
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(new RegExp(`${next}$`));
}

/** Fills in the form and hands the link out; its address, as it is shown this once. */
async function share(page: Page, wanted: { selector?: string; show: string[]; hide?: string[]; viewers?: number }) {
  await signIn(page, '/links');
  await page.locator('#name').fill('for the auditors');
  await page.locator('#namespaces').fill('default');
  await page.getByLabel('Label selector').fill(wanted.selector ?? '');
  for (const box of await page.locator('input[name=show]').all()) await box.uncheck();
  for (const kind of wanted.show) await page.locator(`input[name=show][value=${kind}]`).check();
  for (const what of wanted.hide ?? []) await page.locator(`input[name=hide][value=${what}]`).check();
  await page.getByLabel('Viewers at a time').fill(String(wanted.viewers ?? 20));
  await page.getByRole('button', { name: 'Preview' }).click();
  await expect(page.getByText('Nobody has been given it yet.')).toBeVisible();
  const draft = page.url();
  await axe(page);
  await page.getByRole('button', { name: 'Make the link' }).click();
  const address = await page.getByLabel('Address').inputValue();
  await axe(page);
  return { address, draft, id: /#([0-9a-f]+)\./.exec(address)![1]! };
}

const banner = (page: Page) => page.getByRole('note').filter({ hasText: '“for the auditors”, shared by token holder' });

test('a link shows its part, says who shared it, and ends under the eyes of those who look', async ({ page, browser, site }) => {
  test.slow();
  const { address, id } = await share(page, { show: ['pods', 'deployments'], hide: ['node-names', 'images'] });
  expect(address).toMatch(/\/link#[0-9a-f]{16}\.[0-9a-f]{48}$/);
  const secret = address.split('.').pop()!;

  const viewer = await stranger(browser);
  const asked: string[] = [];
  viewer.on('request', (request) => asked.push(`${request.url()} ${request.headers().referer ?? ''}`));
  await viewer.goto(address);
  await expect(banner(viewer)).toBeVisible();
  expect(viewer.url()).toBe(`${site}/link/${id}/`);
  expect(asked.filter((line) => line.includes(secret))).toEqual([]);
  await axe(viewer);

  // only the views that there is something in
  const views = viewer.getByRole('navigation', { name: 'Views' });
  await expect(views.getByRole('link', { name: 'Nodes' })).toHaveCount(0);
  await views.getByRole('link', { name: 'Pods' }).click();
  await expect(viewer.locator('.freshness summary')).toContainText('live');
  await expect(viewer.getByRole('row').nth(2)).toBeVisible();
  const shown = await viewer.locator('body').innerText();
  expect(shown).toContain('default');
  await viewer.goto(`${site}/link/${id}/pods?wide=1`);
  await expect(viewer.getByRole('row').nth(2)).toBeVisible();
  expect(await viewer.content()).not.toMatch(/worker-\d|control-plane|randomforest-service:|:v\d/);
  await viewer.goto(`${site}/link/${id}/nodes`);
  await expect(viewer.getByText('They are not part of what was shared.')).toBeVisible();

  // nothing leads out of it
  await viewer.goto(`${site}/pods`);
  await expect(viewer).toHaveURL(/\/sign-in\?next=/);
  await viewer.goto(`${site}/link/${id}/pods`);
  await expect(viewer.locator('.freshness summary')).toContainText('live');

  // ended by somebody else
  await page.goto(`${site}/links/${id}`);
  await page.getByRole('button', { name: 'End it for everybody' }).click();
  await expect(viewer.getByText('This link has ended, or never was one.')).toBeVisible({ timeout: 15_000 });
});

test('a link outlives a restart, and its viewers stay', async ({ page, browser, masthead }) => {
  const { address } = await share(page, { show: ['pods'] });
  const viewer = await stranger(browser);
  await viewer.goto(address);
  await expect(banner(viewer)).toBeVisible();
  await masthead.restart();
  await viewer.reload();
  await expect(banner(viewer)).toBeVisible();
});

test('a link is looked at first, on a phone as well, and by no more than may', async ({ page, browser }) => {
  test.slow();
  const { address, draft } = await share(page, { show: ['pods'], viewers: 1 });
  await page.goto(draft);
  const [preview] = await Promise.all([
    page.context().waitForEvent('page'),
    page.getByRole('link', { name: 'See what they will see' }).click(),
  ]);
  await expect(preview.getByText('Preview: this is what those will see')).toBeVisible();

  const phone = await stranger(browser, { viewport: { width: 390, height: 844 } });
  await phone.goto(address);
  await expect(banner(phone)).toBeVisible();
  expect(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);

  const second = await stranger(browser);
  await second.goto(address);
  await expect(second.getByText('As many people as this link allows are looking at it just now.')).toBeVisible();
  await axe(second);
});

test('what is no link says so', async ({ browser, site }) => {
  const page = await stranger(browser);
  await page.goto(`${site}/link`);
  await expect(page.getByText('the part after # is missing')).toBeVisible();
  const other = await stranger(browser);
  await other.goto(`${site}/link#0123456789abcdef.${'0'.repeat(48)}`);
  await expect(other.getByText('This link has ended, or never was one.')).toBeVisible();
});

test('a wall shows a code until somebody lets it in, and again once it is ended', async ({ page, browser, site }) => {
  test.slow();
  await signIn(page, '/links');
  await axe(page);
  const wall = await stranger(browser, { viewport: { width: 1920, height: 1080 } });
  await wall.goto(`${site}/wall`);
  const code = wall.locator('#code');
  await expect(code).toHaveText(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/);
  await axe(wall);
  await page.getByLabel('Code on the wall').fill((await code.textContent())!.toLowerCase());
  await page.locator('#wall-name').fill('the hall');
  await page.locator('#wall-namespaces').fill('default');
  await page.getByRole('button', { name: 'Let it in' }).click();
  await expect(page.getByRole('row', { name: /the hall/ })).toContainText('in default');
  // without a key being touched there
  await expect(code).toHaveCount(0, { timeout: 15_000 });
  await expect(wall.locator('body')).toContainText('demo');
  await page.getByRole('button', { name: 'End the hall' }).click();
  await expect(code).toHaveText(/^[A-Z0-9]{4}-[A-Z0-9]{4}$/, { timeout: 30_000 });
});
