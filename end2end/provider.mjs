// An OpenID Connect provider for the tests: npm's oidc-provider with people of its own, in a process of its own so that
// it can be ended and started, and its clock set, while Masthead runs. Told what to be by messages of its parent.
import { createServer } from 'node:http';
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import Provider from 'oidc-provider';

const people = {
  carol: { email: 'carol@example.org', email_verified: true, groups: ['ops', 'dev'] },
  dave: { email: 'dave@example.org', email_verified: false, groups: ['dev'] },
};

let skew = 0;
const now = Date.now.bind(Date);
Date.now = () => now() + skew;

let answer;

/** A key of its own each time. */
async function key() {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' };
}

async function be({ issuer, client, inToken }) {
  const provider = new Provider(issuer, {
    clients: [{ grant_types: ['authorization_code'], response_types: ['code'], ...client }],
    jwks: { keys: [await key()] },
    cookies: { keys: ['of the tests'] },
    pkce: { required: () => true },
    scopes: ['openid', 'profile', 'email', 'groups'],
    claims: { openid: ['sub'], profile: ['preferred_username'], email: ['email', 'email_verified'], groups: ['groups'] },
    // By the book, what scopes name is in the userinfo; many providers have it in the token.
    conformIdTokenClaims: !inToken,
    ttl: { IdToken: 300, AccessToken: 300, AuthorizationCode: 60, Interaction: 3600, Session: 3600, Grant: 3600 },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource(ctx, form) {
          ctx.body = `<title>Sign out?</title>${form}<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`;
        },
      },
    },
    findAccount: (_, id) => people[id] && { accountId: id, claims: () => ({ sub: id, preferred_username: id, ...people[id] }) },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    // Nobody is asked whether Masthead may know who they are.
    async loadExistingGrant({ oidc }) {
      const grant = new oidc.provider.Grant({ clientId: oidc.client.clientId, accountId: oidc.session.accountId });
      grant.addOIDCScope('openid profile email groups');
      await grant.save();
      return grant;
    },
    renderError(ctx, out) {
      ctx.type = 'text';
      ctx.body = JSON.stringify(out);
    },
  });
  const own = provider.callback();
  answer = (request, response) => {
    if (request.url.startsWith('/interaction/')) return interaction(provider, request, response);
    // Which browsers ask for, and then call an error that it is not there.
    if (request.url === '/favicon.ico') return response.writeHead(204).end();
    return own(request, response);
  };
}

/** The page where people say who they are, and its answer. */
async function interaction(provider, request, response) {
  if (request.method === 'GET') {
    response.setHeader('content-type', 'text/html');
    return response.end('<title>Who are you?</title><form method="post"><label>Name <input name="name" autofocus></label><button>Sign in</button><button name="refuse" value="1">Refuse</button></form>');
  }
  let body = '';
  for await (const part of request) body += part;
  const form = new URLSearchParams(body);
  const result = form.has('refuse') ? { error: 'access_denied', error_description: 'Not today' } : { login: { accountId: form.get('name') } };
  await provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

let server;

process.on('message', async ({ id, what, ...more }) => {
  if (what === 'listen') {
    await be(more);
    server = createServer((request, response) => answer(request, response));
    await new Promise((done) => server.listen(Number(new URL(more.issuer).port), new URL(more.issuer).hostname, done));
  }
  // Other keys, of which nobody has been told; who is signed in stays so.
  if (what === 'rotate') await be(more);
  if (what === 'skew') skew = more.by;
  process.send({ id });
});
process.on('disconnect', () => process.exit());
