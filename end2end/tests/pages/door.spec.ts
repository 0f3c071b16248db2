import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { axe, expect, test as base, theme } from '../../helper';

const token = 'a-token-that-nobody-guesses';

/** With `--auth token`, and the file that has it. */
const test = base.extend<{ tokenFile: string }>({
  tokenFile: async ({}, use) => {
    const directory = mkdtempSync(join(tmpdir(), 'masthead-'));
    const file = join(directory, 'token');
    writeFileSync(file, `${token}\n`, { mode: 0o600 });
    await use(file);
    rmSync(directory, { recursive: true });
  },
  mastheadArgs: async ({ tokenFile }, use) => use(['--demo', '--auth', 'token', '--auth-token-file', tokenFile]),
});

// A page that is refused says so in the console as well.
test.use({
  expectedErrors: [/status of 401|WebSocket connection to .* failed|ERR_CONNECTION_REFUSED|left the server: http:\/\/chat\.example\//],
});

test('one signs in with the keyboard alone, and is where one wanted to be', async ({ page }) => {
  test.slow(); // five audits
  await page.goto('/pods?namespace=default&sort=age');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await expect(page).toHaveTitle('Sign in · Masthead');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Sign in');
  await axe(page);
  await theme(page, 'dark');
  await axe(page);
  await expect(page.getByLabel('Token')).toBeFocused();
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/pods\?namespace=default&sort=age$/);
  await expect(page.locator('.freshness summary')).toContainText('live');
  const you = page.getByRole('link', { name: 'Signed in as token holder' });
  await expect(you).toBeVisible();
  await axe(page);
  await you.press('Enter');
  await expect(page).toHaveURL(/\/sessions$/);
  await expect(page.getByRole('row').nth(1)).toContainText(/Chrome \d+ on Linux.*this one.*127\.0\.0\.1/);
  await axe(page);
});

test('a wrong token is said in words, to screen readers too, and the right one still leads on', async ({ page }) => {
  await page.goto('/nodes');
  const field = page.getByLabel('Token');
  await field.fill('a-token-that-is-wrong');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toHaveText('That is not the token. Nothing else is wrong: try it again.');
  await expect(field).toHaveAttribute('aria-invalid', 'true');
  await expect(field).toHaveAccessibleDescription(/That is not the token/);
  await expect(field).toHaveValue('');
  await expect(field).toBeFocused();
  await axe(page);
  await page.keyboard.type(token);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/nodes$/);
});

test('it works without script', async ({ browser, masthead }) => {
  const context = await browser.newContext({ javaScriptEnabled: false, baseURL: masthead.url });
  const page = await context.newPage();
  await page.goto('/pods');
  await page.getByLabel('Token').fill(token);
  await page.getByLabel('Token').press('Enter');
  await expect(page).toHaveURL(/\/pods$/);
  await page.getByRole('link', { name: 'Signed in as' }).click();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(page.getByRole('alert')).toHaveText('You are signed out.');
  await page.goto('/pods');
  await expect(page).toHaveURL(/\/sign-in/);
  await context.close();
});

test('signing out in one tab ends the other, which leads to signing in and back', async ({ page, context }) => {
  await page.goto('/pods');
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await page.getByRole('link', { name: 'Nodes' }).click();
  await expect(page).toHaveURL(/\/nodes$/);

  const other = await context.newPage();
  await other.goto('/sessions');
  await other.getByRole('button', { name: 'Sign out' }).click();
  await expect(other).toHaveURL(/\/sign-in\?said=out$/);

  await expect(page).toHaveURL(/\/sign-in\?said=ended&next=%2Fnodes$/);
  await expect(page.getByRole('alert')).toHaveText('Your access has ended. Sign in to go on.');
  await page.goBack(); // no way back to what one may not see any more
  await expect(page).toHaveURL(/\/sign-in/);
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await expect(page.locator('.freshness summary')).toContainText('live');
});

test('another token while the page cannot hear of it: on its return it leads to signing in', async ({ page, masthead, tokenFile }) => {
  await page.goto('/pods');
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await masthead.stop();
  await expect(page.locator('.freshness summary')).toContainText('Masthead does not answer');
  writeFileSync(tokenFile, 'quite-another-token-of-some-length\n');
  await masthead.start();
  await expect(page).toHaveURL(/\/sign-in\?said=ended&next=%2Fpods$/, { timeout: 30_000 });
  await page.getByLabel('Token').fill('quite-another-token-of-some-length');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/pods$/);
  await expect(page.locator('.freshness summary')).toContainText('live');
});

test('a link from another site leads a signed-in visitor straight there', async ({ page, masthead }) => {
  await page.goto('/');
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await page.route('http://chat.example/', (route) =>
    route.fulfill({ contentType: 'text/html', body: `<a href="${masthead.url}/nodes">the nodes</a>` }));
  await page.goto('http://chat.example/').catch(() => {});
  await page.getByRole('link', { name: 'the nodes' }).click();
  await expect(page).toHaveURL(/\/nodes$/);
  await expect(page.locator('.freshness summary')).toContainText('live');
});
