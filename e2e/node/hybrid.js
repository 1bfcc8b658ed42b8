// A relying party on openid-client that asks for a code and an ID token at once, or for an ID token alone (OIDC Core §3.2,
// §3.3). Facts: issuer, client_id, client_secret, redirect_uri, scope, implicit. It says the authorization URL, hears the URL
// that the browser came back to, and says the claims of the ID token.
import { facts, hear, say } from './stranger.js'

const client = await import('openid-client')
const { issuer, client_id, client_secret, redirect_uri, scope, implicit } = facts

const config = await client.discovery(new URL(issuer), client_id, undefined, client.ClientSecretBasic(client_secret), {
  execute: [
    client.allowInsecureRequests,
    client.enableNonRepudiationChecks,
    implicit ? client.useIdTokenResponseType : client.useCodeIdTokenResponseType,
  ],
})
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri,
  scope,
  state: expectedState,
  nonce: expectedNonce,
  ...(implicit
    ? {}
    : { code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier), code_challenge_method: 'S256' }),
})
say({ authorization_url: url.href })

const callback = new URL((await hear()).url)
if (implicit) {
  say(await client.implicitAuthentication(config, callback, expectedNonce, { expectedState }))
} else {
  const tokens = await client.authorizationCodeGrant(config, callback, { pkceCodeVerifier, expectedState, expectedNonce })
  say(tokens.claims())
}
process.exit()
