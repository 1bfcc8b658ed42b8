// A relying party on openid-client. Its one argument is JSON: issuer, client_id, client_secret, redirect_uri, scope,
// algorithm (oidc or oauth2, which metadata document to read). It prints the authorization URL as a line of JSON, reads
// the URL that the browser came back to from a line of its input, and prints a line of JSON with all it learned.
import { facts, hear, say } from './stranger.js'

const client = await import('openid-client')
const { issuer, client_id, client_secret, redirect_uri, scope, algorithm = 'oidc' } = facts

const config = await client.discovery(new URL(issuer), client_id, undefined, client.ClientSecretBasic(client_secret), {
  algorithm,
  execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
})
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
say({
  authorization_url: client.buildAuthorizationUrl(config, {
    redirect_uri,
    scope,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  }).href,
})

const callback = new URL((await hear()).url)
const tokens = await client.authorizationCodeGrant(config, callback, {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
})
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
const introspected = await client.tokenIntrospection(config, refreshed.access_token)
await client.tokenRevocation(config, refreshed.refresh_token, { token_type_hint: 'refresh_token' })
const revoked = await client.tokenIntrospection(config, refreshed.access_token)
const refused = await client.refreshTokenGrant(config, refreshed.refresh_token).then(
  () => 'refreshed',
  (err) => err.error ?? String(err),
)
say({
  claims,
  userinfo,
  rotated: refreshed.refresh_token !== tokens.refresh_token,
  introspected,
  revoked,
  refused,
})
process.exit()
