// A relying party that is told of logout behind its back (OpenID Connect Back-Channel Logout 1.0), on openid-client and
// jose. Its argument is JSON: issuer, redirect_uri, post_logout_redirect_uri, answers (what its receiver answers, one status after the
// other; 0: nothing at all, for as long as it is waited for; after the last: 200). It says where it listens, hears its client_id and client_secret,
// signs in, says the URL that logs out, and then a line for each logout token that came, with what it made of it.
import { facts, hear, say } from './stranger.js'
import { createServer } from 'node:http'

const client = await import('openid-client')
const { createRemoteJWKSet, customFetch, jwtVerify } = await import('jose')
const { issuer, redirect_uri, post_logout_redirect_uri, answers } = facts

const event = 'http://schemas.openid.net/event/backchannel-logout'
let keys, client_id, claims

// judge checks a logout token as Back-Channel Logout §2.6 says.
const judge = async (body) => {
  const { payload, protectedHeader } = await jwtVerify(new URLSearchParams(body).get('logout_token'), keys, {
    issuer,
    audience: client_id,
    typ: 'logout+jwt',
    requiredClaims: ['iat', 'exp', 'jti', 'events'],
    maxTokenAge: '2 minutes',
  })
  const events = Object.entries(payload.events)
  if (events.length !== 1 || events[0][0] !== event || JSON.stringify(events[0][1]) !== '{}') throw new Error('events')
  if ('nonce' in payload) throw new Error('nonce')
  if (payload.exp - payload.iat > 120) throw new Error('exp')
  return { jti: payload.jti, alg: protectedHeader.alg, sub: payload.sub === claims.sub, sid: payload.sid === claims.sid, iat: payload.iat }
}

const server = createServer((request, response) => {
  let body = ''
  request.on('data', (part) => (body += part))
  request.on('end', async () => {
    const status = answers.shift() ?? 200
    const came = { method: request.method, type: request.headers['content-type'], status }
    say(await judge(body).then((token) => ({ ...came, ...token }), (err) => ({ ...came, error: String(err) })))
    if (status) response.writeHead(status, { 'Cache-Control': 'no-store' }).end()
  })
})
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
say({ receiver: `http://127.0.0.1:${server.address().port}/backchannel-logout` })

const registered = await hear()
client_id = registered.client_id
const config = await client.discovery(new URL(issuer), client_id, undefined, client.ClientSecretBasic(registered.client_secret), {
  execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
})
const metadata = config.serverMetadata()
if (!metadata.backchannel_logout_supported || !metadata.backchannel_logout_session_supported) throw new Error('not announced')
// What is fetched now serves also while the server is down.
const jwks = await (await fetch(metadata.jwks_uri)).text()
keys = createRemoteJWKSet(new URL(metadata.jwks_uri), { [customFetch]: async () => new Response(jwks, { status: 200 }) })

const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
say({
  authorization_url: client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope: 'openid',
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  }).href,
})
const tokens = await client.authorizationCodeGrant(config, new URL((await hear()).url), {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
})
claims = tokens.claims()
say({
  sid: claims.sid,
  end_session_url: client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token, post_logout_redirect_uri, state: 'the state' }).href,
})
await hear() // when it has seen enough
process.exit()
