// A relying party on oauth4webapi, which checks each answer against its specification and forgives nothing. It pushes its
// request (RFC 9126), proves its key throughout (RFC 9449) and uses PKCE. Facts: issuer, client_id, client_secret (none: a
// public client), redirect_uri, scope. It says the authorization URL, hears the URL that the browser came back to, and says
// all that it learned.
import { facts, hear, say } from './stranger.js'

const oauth = await import('oauth4webapi')
const { issuer, client_id, client_secret, redirect_uri, scope } = facts
const insecure = { [oauth.allowInsecureRequests]: true } // the test's server speaks http

const at = new URL(issuer)
const as = await oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at, insecure))
const client = { client_id }
const auth = client_secret ? oauth.ClientSecretBasic(client_secret) : oauth.None()
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
const options = { DPoP, ...insecure }

// nonced makes a request, and once more with the nonce where the server demands one (RFC 9449 §8).
const nonced = async (request, process) => {
  try {
    return await process(await request())
  } catch (err) {
    if (!oauth.isDPoPNonceError(err)) throw err
    return await process(await request())
  }
}

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const nonce = oauth.generateRandomNonce()
const parameters = {
  response_type: 'code',
  redirect_uri,
  scope,
  state,
  nonce,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
}
const { request_uri } = await nonced(
  () => oauth.pushedAuthorizationRequest(as, client, auth, parameters, options),
  (response) => oauth.processPushedAuthorizationResponse(as, client, response),
)
const url = new URL(as.authorization_endpoint)
url.searchParams.set('client_id', client_id)
url.searchParams.set('request_uri', request_uri)
say({ authorization_url: url.href })

const callback = oauth.validateAuthResponse(as, client, new URL((await hear()).url), state)
let answer
const tokens = await nonced(
  () => oauth.authorizationCodeGrantRequest(as, client, auth, callback, redirect_uri, verifier, options),
  (response) => {
    answer = response
    return oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true })
  },
)
await oauth.validateApplicationLevelSignature(as, answer, insecure)
const claims = oauth.getValidatedIdTokenClaims(tokens)
const userinfo = await nonced(
  () => oauth.userInfoRequest(as, client, tokens.access_token, options),
  (response) => oauth.processUserInfoResponse(as, client, claims.sub, response),
)
const refreshed = await nonced(
  () => oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, options),
  (response) => oauth.processRefreshTokenResponse(as, client, response),
)
await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, client, auth, refreshed.refresh_token, insecure),
)
const refused = await nonced(
  () => oauth.refreshTokenGrantRequest(as, client, auth, refreshed.refresh_token, options),
  (response) => oauth.processRefreshTokenResponse(as, client, response),
).then(
  () => 'refreshed',
  (err) => err.error ?? String(err),
)
say({ claims, userinfo, types: [tokens.token_type, refreshed.token_type], refused })
process.exit()
