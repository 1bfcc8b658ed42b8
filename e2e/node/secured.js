// A relying party on openid-client whose requests are signed, and may be encrypted or pushed, and whose responses are signed,
// and may be encrypted (RFC 9101, JARM). Facts: issuer, client_id, client_secret, redirect_uri, scope, signing and decryption
// (private JWKs), encrypt, decrypt, push. It says the authorization URL, hears the URL that the browser came back to,
// and says the claims of the ID token.
import { facts, hear, say } from './stranger.js'

const client = await import('openid-client')
const jose = await import('jose')
const { issuer, client_id, client_secret, redirect_uri, scope, signing, decryption, encrypt, decrypt, push } = facts

const imported = async (jwk, alg, usages) => ({
  kid: jwk.kid,
  key: await crypto.subtle.importKey('jwk', { ...jwk, ext: true }, alg, false, usages),
})
const execute = [client.allowInsecureRequests, client.enableNonRepudiationChecks]
const config = await client.discovery(new URL(issuer), client_id, undefined, client.ClientSecretBasic(client_secret), { execute })
client.useJwtResponseMode(config)
if (decrypt) {
  const { key, kid } = await imported(decryption, { name: 'ECDH', namedCurve: 'P-256' }, ['deriveBits'])
  client.enableDecryptingResponses(config, ['A256GCM'], { key, kid, alg: 'ECDH-ES' })
}
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const expectedNonce = client.randomNonce()
let url = await client.buildAuthorizationUrlWithJAR(
  config,
  {
    redirect_uri,
    scope,
    state: expectedState,
    nonce: expectedNonce,
    code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  },
  await imported(signing, { name: 'ECDSA', namedCurve: 'P-256' }, ['sign']),
)
if (encrypt) {
  const keys = await (await fetch(config.serverMetadata().jwks_uri)).json()
  const jwk = keys.keys.find((k) => k.use === 'enc' && k.alg === 'ECDH-ES')
  const sealed = await new jose.CompactEncrypt(new TextEncoder().encode(url.searchParams.get('request')))
    .setProtectedHeader({ alg: 'ECDH-ES', enc: 'A256GCM', kid: jwk.kid, cty: 'oauth-authz-req+jwt' })
    .encrypt(await jose.importJWK(jwk, 'ECDH-ES'))
  url.searchParams.set('request', sealed)
}
if (push) url = await client.buildAuthorizationUrlWithPAR(config, { request: url.searchParams.get('request') })
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
