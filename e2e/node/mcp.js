// A client of the Model Context Protocol on oauth4webapi that knows nothing but the address of a server. The server's
// challenge leads it to the resource's metadata (RFC 9728), these to the authorization server's (RFC 8414); there it is
// known by the URL of its metadata document, or registers itself (RFC 7591). It asks for a token for this very resource
// (RFC 8707) and uses it. Facts: server; client_id (the URL of a document; none: it registers), redirect_uri. It says the
// authorization URL, hears the URL that the browser came back to, and says all that it learned.
import { facts, hear, say } from './stranger.js'

const oauth = await import('oauth4webapi')
const { server, client_id, redirect_uri } = facts
const insecure = { [oauth.allowInsecureRequests]: true } // the test's server speaks http

const call = (method, params, token) =>
  fetch(server, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token && { authorization: `Bearer ${token}` }) },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })

const refused = await call('initialize', {})
const challenge = refused.headers.get('www-authenticate') ?? ''
const [, metadata] = /^Bearer .*?\bresource_metadata="([^"]*)"/.exec(challenge)
const [, scope] = /\bscope="([^"]*)"/.exec(challenge)
// The document must be that of the server that was called (§3.3).
const resource = await oauth.processResourceDiscoveryResponse(new URL(server), await fetch(metadata))
const issuer = new URL(resource.authorization_servers[0])
const as = await oauth.processDiscoveryResponse(
  issuer,
  await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
)
if (!as.code_challenge_methods_supported.includes('S256')) throw new Error('no PKCE')

let client = { client_id }
if (!client_id) {
  client = await oauth.processDynamicClientRegistrationResponse(
    await oauth.dynamicClientRegistrationRequest(
      as,
      {
        client_name: 'An agent',
        redirect_uris: [redirect_uri],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        scope: `${scope} offline_access`,
      },
      insecure,
    ),
  )
} else if (!as.client_id_metadata_document_supported) throw new Error('no metadata documents')

const verifier = oauth.generateRandomCodeVerifier()
const state = oauth.generateRandomState()
const url = new URL(as.authorization_endpoint)
for (const [name, value] of Object.entries({
  client_id: client.client_id,
  response_type: 'code',
  redirect_uri,
  scope: `${scope} offline_access`,
  state,
  resource: resource.resource,
  code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
  code_challenge_method: 'S256',
}))
  url.searchParams.set(name, value)
say({ authorization_url: url.href })

const callback = oauth.validateAuthResponse(as, client, new URL((await hear()).url), state)
const options = { additionalParameters: { resource: resource.resource }, ...insecure }
const tokens = await oauth.processAuthorizationCodeResponse(
  as,
  client,
  await oauth.authorizationCodeGrantRequest(as, client, oauth.None(), callback, redirect_uri, verifier, options),
)
const refreshed = await oauth.processRefreshTokenResponse(
  as,
  client,
  await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token, options),
)
const tools = await (await call('tools/list', {}, tokens.access_token)).json()
const greeting = await (await call('tools/call', { name: 'greet' }, refreshed.access_token)).json()
say({
  refused: refused.status,
  client_id: client.client_id,
  resource: resource.resource,
  access_token: tokens.access_token,
  tools: tools.result.tools.map((t) => t.name),
  greeting: greeting.result.content[0].text,
})
process.exit()
