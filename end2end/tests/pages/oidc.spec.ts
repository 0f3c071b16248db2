import { writeFile } from 'node:fs/promises';
import type { Browser, Page } from '@playwright/test';
import { axe, expect, test as base } from '../../helper';
import { Provider } from '../../provider';

const test = base.extend<{ provider: Provider; secret: string; allow: string[] }>({
  provider: async ({}, use) => {
    const provider = await Provider.somewhere();
    await use(provider);
    await provider.stop();
  },
  secret: async ({ provider }, use, info) => {
    const file = info.outputPath('secret');
    await writeFile(file, `${provider.client.client_secret}\n`, { mode: 0o600 });
    await use(file);
  },
  allow: [['--oidc-allow-group', 'ops'], { option: true }],
  mastheadArgs: async ({ provider, secret, allow }, use) => {
    const { client_id } = provider.client;
    await use(['--demo', '--auth', 'oidc', '--oidc-issuer', provider.issuer, '--oidc-client-id', client_id, '--oidc-client-secret-file', secret, ...allow]);
  },
});

// The provider is another server; a refusal is an answer that the console calls an error.
test.use({ expectedErrors: [/a request left the server: http:\/\/localhost:|Failed to load resource: .* (400|401|403|502|503)/] });

/** Goes to the provider and says there who one is. */
async function signIn(page: Page, name: string) {
  await page.getByRole('link', { name: /Sign in with localhost/ }).click();
  await page.getByLabel('Name').fill(name);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** Signs in at the provider with the browser's cookies; the way back to Masthead, which has not been taken. */
async function wayBack({ request }: Page, url: string, name: string): Promise<URL> {
  let answer = await request.get(`${url}/sign-in/oidc`, { maxRedirects: 0 });
  for (;;) {
    const next = new URL(answer.headers().location, answer.url());
    if (next.pathname === '/sign-in/oidc') return next;
    const asked = next.pathname.startsWith('/interaction/');
    answer = asked ? await request.post(next.href, { form: { name }, maxRedirects: 0 }) : await request.get(next.href, { maxRedirects: 0 });
  }
}

/** Another browser. */
async function stranger(browser: Browser, baseURL: string): Promise<Page> {
  return (await browser.newContext({ baseURL })).newPage();
}

const alert = (page: Page) => page.getByRole('alert');

test('somebody of an allowed group signs in and is where they wanted to be', async ({ page, masthead, provider, context }) => {
  await provider.start(masthead.url);
  await page.goto('/pods?namespace=default');
  await expect(page).toHaveURL(/\/sign-in\?next=/);
  await axe(page);
  await signIn(page, 'carol');
  await expect(page).toHaveURL(`${masthead.url}/pods?namespace=default`);
  await expect(page.locator('.freshness summary')).toContainText('live');
  await expect(page.locator('header')).toContainText('carol@example.org');
  const cookies = await context.cookies(masthead.url);
  expect(cookies.filter(({ name }) => name === '__Host-masthead')).toMatchObject([{ httpOnly: true, secure: true, sameSite: 'Strict' }]);
  expect(cookies.map(({ name }) => name), 'nothing is left of the sign-in').not.toContain('__Host-masthead-oidc');
  expect((await page.request.get('/api/v1/pods')).status()).toBe(200);
});

test('signing out ends the session here, and is offered at the provider', async ({ page, masthead, provider }) => {
  await provider.start(masthead.url);
  await page.goto('/');
  await signIn(page, 'carol');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await page.goto('/sessions');
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(page).toHaveURL(/^http:\/\/localhost:\d+\/session\/end/);
  expect((await page.request.get('/api/v1/pods')).status()).toBe(401);
  await page.getByRole('button', { name: /Yes/ }).click();
  await expect(page).toHaveURL(`${masthead.url}/sign-in`);
  // The provider asks again who it is.
  await page.getByRole('link', { name: /Sign in with localhost/ }).click();
  await expect(page.getByLabel('Name')).toBeVisible();
});

test('somebody of no allowed group is told who they are and what it takes', async ({ page, masthead, provider }) => {
  await provider.start(masthead.url, { inToken: true });
  await page.goto('/');
  await signIn(page, 'dave');
  await expect(alert(page)).toContainText('localhost says that you are dave (dave@example.org), in the group dev');
  await expect(alert(page)).toContainText('it takes membership of the group ops');
  await axe(page);
  expect((await page.request.get('/api/v1/pods')).status()).toBe(401);
});

test.describe('by mail address', () => {
  test.use({ allow: ['--oidc-allow-mail', '*@example.org'] });
  test('a verified one is good, one that is not is not', async ({ page, masthead, provider, browser }) => {
    await provider.start(masthead.url);
    await page.goto('/');
    await signIn(page, 'dave');
    await expect(alert(page)).toContainText('your mail address would do, if it were verified there');
    const other = await stranger(browser, masthead.url);
    await other.goto('/nodes');
    await signIn(other, 'carol');
    await expect(other).toHaveURL(`${masthead.url}/nodes`);
    await other.context().close();
  });
});

test('a refusal at the provider is said in its words', async ({ page, masthead, provider }) => {
  await provider.start(masthead.url);
  await page.goto('/');
  await page.getByRole('link', { name: /Sign in with localhost/ }).click();
  await page.getByRole('button', { name: 'Refuse' }).click();
  await expect(alert(page)).toContainText('localhost did not let you in: Not today');
});

test('a sign-in is finished once, in the browser it was begun in', async ({ page, masthead, provider, browser }) => {
  await provider.start(masthead.url);
  const back = await wayBack(page, masthead.url, 'carol');

  const other = await stranger(browser, masthead.url);
  await other.goto(back.href);
  await expect(alert(other)).toContainText('was not begun in this browser');
  // Not even if that browser has begun one of its own.
  await wayBack(other, masthead.url, 'carol');
  await other.goto(back.href);
  await expect(alert(other)).toContainText('was not begun in this browser');
  expect((await other.request.get('/api/v1/pods')).status()).toBe(401);
  await other.context().close();

  await page.goto(back.href);
  await expect(page.locator('.freshness summary')).toContainText('live');
  await page.goto(back.href);
  await expect(alert(page)).toContainText('was finished already');
});

test('a code that was used already opens nothing, nor one of another sign-in', async ({ page, masthead, provider, browser }) => {
  await provider.start(masthead.url);
  const used = await wayBack(page, masthead.url, 'carol');
  await page.goto(used.href);
  await expect(page.locator('.freshness summary')).toContainText('live');
  const unused = await wayBack(page, masthead.url, 'carol');
  const other = await stranger(browser, masthead.url);
  for (const { searchParams } of [used, unused]) {
    const back = await wayBack(other, masthead.url, 'dave');
    back.searchParams.set('code', searchParams.get('code')!);
    await other.goto(back.href);
    await expect(alert(other)).toContainText('the code it gave was used already, or is too old');
    expect((await other.request.get('/api/v1/pods')).status()).toBe(401);
  }
  await other.context().close();
});

test('a token with the nonce of another sign-in opens nothing', async ({ page, masthead, provider }) => {
  await provider.start(masthead.url);
  const begun = await page.request.get('/sign-in/oidc', { maxRedirects: 0 });
  const away = new URL(begun.headers().location);
  away.searchParams.set('nonce', 'of-another-sign-in');
  await page.goto(away.href);
  await page.getByLabel('Name').fill('carol');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(alert(page)).toContainText('the token is of another sign-in');
  expect((await page.request.get('/api/v1/pods')).status()).toBe(401);
});

test('keys may be others since', async ({ page, masthead, provider, browser }) => {
  await provider.start(masthead.url);
  await page.goto('/');
  await signIn(page, 'carol');
  await expect(page.locator('.freshness summary')).toContainText('live');
  await provider.rotate(masthead.url);
  const other = await stranger(browser, masthead.url);
  await other.goto('/');
  await signIn(other, 'carol');
  await expect(other.locator('.freshness summary')).toContainText('live');
  await other.context().close();
});

// A token is good for 300 s from when it is made, by the provider's clock.
for (const { skew, good } of [
  { skew: 45, good: true },
  { skew: 100, good: false },
  { skew: -345, good: true },
  { skew: -400, good: false },
]) {
  test(`a clock that is ${skew} s apart is ${good ? 'near enough' : 'too far'}`, async ({ page, masthead, provider }) => {
    await provider.start(masthead.url);
    await provider.skew(skew);
    await page.goto('/');
    await signIn(page, 'carol');
    if (good) await expect(page.locator('.freshness summary')).toContainText('live');
    else await expect(alert(page)).toContainText("its clock and Masthead's may be apart");
  });
}

test('a provider that is not there yet is said, and used when it comes', async ({ page, masthead, provider }) => {
  await page.goto('/');
  await expect(alert(page)).toContainText('localhost cannot be asked who you are: it cannot be reached');
  await axe(page);
  await provider.start(masthead.url);
  await expect(async () => {
    await page.goto('/');
    await expect(alert(page)).toHaveCount(0, { timeout: 500 });
  }).toPass({ timeout: 60_000 });
  await signIn(page, 'carol');
  await expect(page.locator('.freshness summary')).toContainText('live');
});
