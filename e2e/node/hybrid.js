// A relying party on openid-client that asks for a code and an ID token at once, or for an ID token alone (OIDC Core §3.2,
// §3.3). Its one argument is JSON: issuer, client_id, client_secret, redirect_uri, scope, implicit. It prints the
// authorization URL as a line of JSON, reads the URL that the browser came back to from a line of its input, and prints the
// claims of the ID token as a line of JSON.
import { webcrypto } from 'node:crypto'
import { createInterface } from 'node:readline'

// Node 18 has Web Crypto, but not as a global.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey
const client = await import('openid-client')

const say = (answer) => console.log(JSON.stringify(answer))
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const { issuer, client_id, client_secret, redirect_uri, scope, implicit } = JSON.parse(process.argv[2])

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

const callback = new URL((await lines.next()).value)
if (implicit) {
  say(await client.implicitAuthentication(config, callback, expectedNonce, { expectedState }))
} else {
  const tokens = await client.authorizationCodeGrant(config, callback, { pkceCodeVerifier, expectedState, expectedNonce })
  say(tokens.claims())
}
process.exit()
