import { type Page } from '@playwright/test';
import { expect, test } from '../../helper';

const chip = '.freshness summary';
/** What the style sheet says over the page: opacity and words. */
const said = (page: Page) =>
  page.locator('body').evaluate((body) => {
    const { content, opacity } = getComputedStyle(body, '::before');
    return content === 'none' ? '' : `${opacity} ${content}`;
  });

// As a browser does with all that is on its way when it is told that the network has changed.
for (const [what, files] of [
  ['program', /\.wasm$/],
  ['module that loads it', /\/masthead[^/]*\.js(\?|$)/],
]) {
  test.describe(`a ${what} that did not come`, () => {
    test.use({ expectedErrors: [/did not come|ERR_ADDRESS_UNREACHABLE|Failed to fetch/i] });

    test('is asked for until it comes, and until then the page says that it stands still', async ({ page }) => {
      let asked = 0;
      let broken = true;
      await page.route(files, (route) => {
        asked += 1;
        return broken ? route.abort('addressunreachable') : route.continue();
      });
      await page.goto('/pods');
      let loads = 1;
      page.on('load', () => (loads += 1));
      await expect(page.locator(chip)).toHaveText(/^as of \d\d:\d\d:\d\d UTC/);
      await expect.poll(() => said(page), { timeout: 15_000 }).toMatch(/^1 .*This page stands still/);
      await expect(page.locator(chip)).toHaveText(/^as of/);
      expect(asked, 'more than once').toBeGreaterThan(1);
      broken = false;
      await expect(page.locator(chip)).toContainText('live', { timeout: 40_000 });
      expect(await said(page)).toBe('');
      expect(loads, 'without being loaded anew').toBe(1);
    });
  });
}

test.describe('a program of a build that is no more', () => {
  test.use({ expectedErrors: [/did not come|404|ERR_FAILED|Failed to fetch/i] });

  test('is not waited for: the page of the new build is loaded, once it answers', async ({ page }) => {
    let old = true;
    let answers = false;
    await page.route(/\/pods$/, async (route) => {
      if (!old) return route.continue();
      if (answers) {
        old = false;
        return route.continue();
      }
      const answer = await route.fetch();
      await route.fulfill({ response: answer, body: (await answer.text()).replaceAll(/boot[^"']*\.js/g, 'boot-of-old.js') });
    });
    // The module of the old build does run: it was on its way before that build went.
    await page.route('**/boot-of-old.js', async (route) => {
      const boot = (await (await page.request.get('/pods')).text()).match(/[^"']*\/boot[^"']*\.js/)![0];
      const answer = await page.request.get(boot);
      const body = (await answer.text()).replaceAll(/masthead([^'"`]*)\.js/g, 'masthead-of-old.js');
      await route.fulfill({ contentType: 'text/javascript', body });
    });
    let gone = 0;
    await page.route('**/masthead-of-old.js*', (route) => {
      gone += 1;
      return route.fulfill({ status: 404, body: 'no such file' });
    });
    let loads = 0;
    page.on('load', () => (loads += 1));
    await page.goto('/pods');
    await expect.poll(() => gone, { timeout: 20_000 }).toBeGreaterThan(2);
    expect(loads, 'not loaded while there is nothing new').toBe(1);
    answers = true;
    await expect.poll(() => loads, { timeout: 40_000 }).toBe(2);
    await expect(page.locator(chip)).toContainText('live');
  });
});

for (const reducedMotion of ['no-preference', 'reduce'] as const) {
  test.describe(`without scripts, motion: ${reducedMotion}`, () => {
    test.use({ javaScriptEnabled: false, contextOptions: { reducedMotion } });

    test('a page says that it stands still', async ({ page }) => {
      await page.goto('/pods');
      expect(await said(page)).toMatch(/^0 /);
      await expect.poll(() => said(page), { timeout: 15_000 }).toMatch(/^1 .*This page stands still/);
    });
  });
}
