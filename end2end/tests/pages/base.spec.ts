import type { Page } from '@playwright/test';
import { expect, test, type Masthead } from '../../helper';
import { views } from '../../views';

const base = '/team/masthead';
// Quick enough that pods come and go while somebody looks.
test.use({ mastheadArgs: ['--demo', '--base-path', base, '--demo-speed', '20'] });
test.setTimeout(90_000);

const chip = '.freshness summary';

/** Where the page is, below the base; the rest of its address. */
const below = (page: Page) => {
  const { pathname, search } = new URL(page.url());
  expect(`${pathname}/`).toMatch(new RegExp(`^${base}/`));
  return pathname.slice(base.length) + search;
};

/** Everything the browser asks for, sockets too. The fixture's own watch is on requests alone. */
const asked = (page: Page, masthead: Masthead) => {
  const addresses: string[] = [];
  page.on('request', (request) => addresses.push(request.url()));
  page.on('websocket', (socket) => addresses.push(socket.url().replace(/^ws/, 'http')));
  return () => {
    expect(addresses.length).toBeGreaterThan(0);
    const outside = addresses.filter((address) => !`${address.split('?')[0]}/`.startsWith(`${masthead.url}/`));
    expect(outside, 'addresses outside of the base').toEqual([]);
    return addresses;
  };
};

test('it says where it is, and nothing is anywhere else', async ({ page, masthead }) => {
  expect(new URL(masthead.url).pathname).toBe(base);
  const outside = await page.request.get(new URL('/pods', masthead.url).href);
  expect(outside.status()).toBe(404);
  expect(await outside.text()).toContain(`Masthead is at ${base}/`);
});

for (const { path, heading, shows } of views) {
  test(`${path} comes alive below the base`, async ({ page, masthead }) => {
    const nothingOutside = asked(page, masthead);
    await page.goto(masthead.url + path);
    await expect(page.getByRole('heading', { level: 1 })).toContainText(heading);
    await expect(page.locator(chip)).toContainText('live');
    await expect(page.locator('main')).toContainText(shows);
    const links = await page.locator('a[href]').evaluateAll((all) => all.map((a) => a.getAttribute('href')!));
    const outside = links.filter((href) => !/^(#|https:\/\/kubernetes\.io\/)/.test(href) && !href.startsWith(`${base}/`));
    expect(outside).toEqual([]);
    expect(nothingOutside().some((address) => address.startsWith(`${masthead.url}/live?`))).toBe(true);
  });
}

test('one visit: links, live changes, filters, keys, palette, the back button and a reload', async ({ page, masthead }) => {
  const nothingOutside = asked(page, masthead);
  let loads = 0;
  page.on('load', () => (loads += 1));
  await page.goto(`${masthead.url}/`);
  await expect(page.locator(chip)).toContainText('live');

  await page.getByRole('navigation').getByRole('link', { name: 'Pods' }).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Pods');
  expect(below(page)).toBe('/pods');
  const rows = page.locator('table.rows tbody tr:not(.gone) a.name');
  const pods = async () => {
    const shown = await rows.evaluateAll((all) => all.map((a) => a.getAttribute('href') ?? ''));
    return shown.filter((href) => href.startsWith(`${base}/pods/`));
  };
  const before = await pods();
  expect(before.length).toBeGreaterThan(20);
  await expect(async () => {
    const now = await pods();
    expect(now.some((pod) => !before.includes(pod)), 'a pod has come').toBe(true);
    expect(before.some((pod) => !now.includes(pod)), 'a pod has gone').toBe(true);
  }).toPass({ timeout: 60_000 });

  await rows.filter({ hasText: 'example-pod-randomforest' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('example-pod-randomforest');
  expect(below(page)).toBe('/pods/default/example-pod-randomforest');

  await page.keyboard.press('g');
  await page.keyboard.press('n');
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Nodes');
  expect(below(page)).toBe('/nodes');

  await page.keyboard.press('Control+k');
  const palette = page.getByRole('dialog', { name: 'Jump to' });
  await expect(palette.getByRole('combobox')).toBeFocused();
  await page.keyboard.type('fraud-scorer');
  await expect(palette.getByRole('option').first()).toContainText('fraud-scorer');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/fraud-scorer/);
  below(page);

  await page.keyboard.press('t');
  await expect(page).toHaveURL(/theme=/);
  const { pathname } = new URL(page.url());
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Nodes');
  await page.goBack();
  await expect(page.getByRole('heading', { level: 1 })).toContainText('example-pod-randomforest');
  await page.goForward();
  await page.goForward();
  await expect(page).toHaveURL(new RegExp(pathname));
  await expect(page.locator(chip)).toContainText('live');
  expect(loads, 'no link loaded a page').toBe(1);

  await page.reload();
  await expect(page.locator(chip)).toContainText('live');
  await expect(page).toHaveURL(new RegExp(`${pathname}.*theme=`));
  await page.locator('a.brand').click();
  expect(below(page)).toMatch(/^\/\?theme=/);
  nothingOutside();
});

test.describe('nowhere', () => {
  test.use({ expectedErrors: [/the server responded with a status of 404/] });

  test('leads back to the overview below the base', async ({ page, masthead }) => {
    const nothingOutside = asked(page, masthead);
    const answer = await page.goto(`${masthead.url}/nowhere`);
    expect(answer?.status()).toBe(404);
    await page.getByRole('link', { name: 'To the overview' }).click();
    await expect(page.getByRole('heading', { level: 1 })).toContainText('Overview');
    expect(below(page)).toBe('/');
    nothingOutside();
  });
});

test.describe('without its program', () => {
  test.use({ javaScriptEnabled: false });

  test('links and forms stay below the base', async ({ page, masthead }) => {
    await expect(async () => {
      expect((await page.request.get(`${masthead.url}/readyz`)).ok()).toBe(true);
    }).toPass();
    const nothingOutside = asked(page, masthead);
    await page.goto(masthead.url);
    await page.getByRole('navigation').getByRole('link', { name: 'Pods' }).first().click();
    await page.locator('#search').fill('randomforest');
    await page.locator('#search').press('Enter');
    expect(below(page)).toMatch(/^\/pods\?.*q=randomforest/);
    await expect(page.locator('main')).toContainText('example-pod-randomforest');
    nothingOutside();
  });
});
