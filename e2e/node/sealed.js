// A relying party on openid-client that has what it is told signed and encrypted to its own key. Facts: issuer,
// redirect_uri, scope, alg (of the key), signed (the alg of signatures). It says its JWK set, hears the client that was
// registered for it, says the authorization URL, hears the URL that the browser came back to, and says all that it learned.
import { facts, hear, say } from './stranger.js'

const { exportJWK, generateKeyPair } = await import('jose')
const client = await import('openid-client')
const { issuer, redirect_uri, scope, alg, signed } = facts

const pair = await generateKeyPair(alg, { extractable: true })
say({ jwks: { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k', use: 'enc', alg }] } })

const { client_id, client_secret } = await hear()
const metadata = { client_secret, id_token_signed_response_alg: signed, userinfo_signed_response_alg: signed }
const config = await client.discovery(new URL(issuer), client_id, metadata, undefined, {
  execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
})
client.enableDecryptingResponses(config, undefined, { key: pair.privateKey, alg, kid: 'k' })

const verifier = client.randomPKCECodeVerifier()
const state = client.randomState()
const nonce = client.randomNonce()
const url = client.buildAuthorizationUrl(config, {
  redirect_uri,
  scope,
  state,
  nonce,
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
})
say({ authorization_url: url.href })

const tokens = await client.authorizationCodeGrant(config, new URL((await hear()).url), {
  pkceCodeVerifier: verifier,
  expectedState: state,
  expectedNonce: nonce,
  idTokenExpected: true,
})
const claims = tokens.claims()
const userinfo = await client.fetchUserInfo(config, tokens.access_token, claims.sub)
say({ claims, userinfo, segments: tokens.id_token.split('.').length, id_token: tokens.id_token, access_token: tokens.access_token })
process.exit()
