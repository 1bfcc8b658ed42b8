// A relying party on openid-client that pushes its authorization request (RFC 9126). Its one argument is JSON: issuer,
// client_id, client_secret, redirect_uri, scope. It prints the authorization URL as a line of JSON, reads the URL that the
// browser came back to from a line of its input, and prints the claims of the ID token as a line of JSON.
import { facts, hear, say } from './stranger.js'

const client = await import('openid-client')
const { issuer, client_id, client_secret, redirect_uri, scope } = facts

const config = await client.discovery(new URL(issuer), client_id, undefined, client.ClientSecretBasic(client_secret), {
  execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
})
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
const url = await client.buildAuthorizationUrlWithPAR(config, {
  redirect_uri,
  scope,
  state: expectedState,
  nonce: expectedNonce,
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
})
say({ authorization_url: url.href })

const callback = new URL((await hear()).url)
const tokens = await client.authorizationCodeGrant(config, callback, {
  pkceCodeVerifier,
  expectedState,
  expectedNonce,
  idTokenExpected: true,
})
say({ claims: tokens.claims() })
process.exit()
