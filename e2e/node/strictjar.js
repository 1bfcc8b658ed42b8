// A relying party on oauth4webapi that signs its request object and takes a signed response (RFC 9101, JARM). Facts: issuer,
// client_id, client_secret, redirect_uri, signing (private JWK), response_mode. It says the authorization URL, hears the URL
// that the browser came back to, and says the scope it was granted and what came beside the response.
import { facts, hear, say } from './stranger.js'

const oauth = await import('oauth4webapi')
const { issuer, client_id, client_secret, redirect_uri, signing, response_mode } = facts
const insecure = { [oauth.allowInsecureRequests]: true } // the test's server speaks http

const at = new URL(issuer)
const as = await oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at, insecure))
const client = { client_id }
const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const key = await crypto.subtle.importKey('jwk', { ...signing, ext: true }, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
const request = await oauth.issueRequestObject(
  as,
  client,
  {
    response_type: 'code',
    response_mode,
    redirect_uri,
    scope: 'email',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  },
  { key, kid: signing.kid },
)
const url = new URL(as.authorization_endpoint)
url.searchParams.set('client_id', client_id)
url.searchParams.set('request', request)
say({ authorization_url: url.href })

const came = new URL((await hear()).url)
const callback = await oauth.validateJwtAuthResponse(as, client, came, state, insecure)
const tokens = await oauth.processAuthorizationCodeResponse(
  as,
  client,
  await oauth.authorizationCodeGrantRequest(as, client, oauth.ClientSecretBasic(client_secret), callback, redirect_uri, verifier, insecure),
)
say({ scope: tokens.scope, beside: [...came.searchParams.keys()] })
process.exit()
