// A relying party on openid-client that proves its key (RFC 9449). Its one argument is JSON: issuer, client_id, client_secret
// (none: a public client), redirect_uri, scope. It prints the authorization URL as a line of JSON, reads the URL that the
// browser came back to from a line of its input, and prints a line of JSON with all it learned.
import { facts, hear, say } from './stranger.js'

const client = await import('openid-client')
const { issuer, client_id, client_secret, redirect_uri, scope } = facts

const auth = client_secret ? client.ClientSecretBasic(client_secret) : client.None()
const config = await client.discovery(new URL(issuer), client_id, undefined, auth, {
  execute: [client.allowInsecureRequests],
})
const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
const jkt = await DPoP.calculateThumbprint()
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
say({
  authorization_url: client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope,
    state: expectedState,
    dpop_jkt: jkt,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  }).href,
})

const callback = new URL((await hear()).url)
const checks = { pkceCodeVerifier, expectedState, idTokenExpected: true }
const tokens = await client.authorizationCodeGrant(config, callback, checks, undefined, { DPoP })
const sub = tokens.claims().sub
const userinfo = await client.fetchUserInfo(config, tokens.access_token, sub, { DPoP })
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP })
const again = await client.fetchUserInfo(config, refreshed.access_token, sub, { DPoP })
const other = client.getDPoPHandle(config, await client.randomDPoPKeyPair())
const stolen = await client.fetchUserInfo(config, refreshed.access_token, sub, { DPoP: other }).then(
  () => 'served',
  (err) => err.cause?.[0]?.parameters?.error ?? err.error ?? String(err),
)
say({ jkt, types: [tokens.token_type, refreshed.token_type], subs: [sub, userinfo.sub, again.sub], stolen })
process.exit()
