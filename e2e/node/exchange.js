// A relying party on oauth4webapi, and on openid-client beside it, that exchanges tokens (RFC 8693) and presents JWTs as
// grants (RFC 7523 §2.1). Facts: issuer, client_id, client_secret, subject_token, actor_token, resource, assertion. It says
// all that it learned.
import { facts, say } from './stranger.js'

const oauth = await import('oauth4webapi')
const openid = await import('openid-client')
const { issuer, client_id, client_secret, subject_token, actor_token, resource, assertion } = facts
const insecure = { [oauth.allowInsecureRequests]: true } // the test's server speaks http

const at = new URL(issuer)
const as = await oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at, insecure))
const client = { client_id }
const auth = oauth.ClientSecretBasic(client_secret)

const type = (name) => `urn:ietf:params:oauth:token-type:${name}`
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

const ask = async (grant, parameters, options) =>
  oauth.processGenericTokenEndpointResponse(
    as,
    client,
    await oauth.genericTokenEndpointRequest(as, client, auth, grant, parameters, { ...insecure, ...options }),
  )

const delegated = await ask(EXCHANGE, {
  subject_token,
  subject_token_type: type('access_token'),
  actor_token,
  actor_token_type: type('access_token'),
  resource,
  scope: 'a',
})
const again = await ask(EXCHANGE, {
  subject_token: delegated.access_token,
  subject_token_type: type('access_token'),
  actor_token,
  actor_token_type: type('access_token'),
})
const wider = await ask(EXCHANGE, {
  subject_token: delegated.access_token,
  subject_token_type: type('access_token'),
  scope: 'a b',
}).then(
  () => 'issued',
  (err) => err.error ?? String(err),
)
const DPoP = oauth.DPoP(client, await oauth.generateKeyPair('ES256'))
const bound = await ask(EXCHANGE, { subject_token, subject_token_type: type('access_token') }, { DPoP })
const unbound = await ask(EXCHANGE, { subject_token: bound.access_token, subject_token_type: type('access_token') }).then(
  () => 'issued',
  (err) => err.error ?? String(err),
)

const config = await openid.discovery(at, client_id, { client_secret }, openid.ClientSecretBasic(client_secret), {
  execute: [openid.allowInsecureRequests],
})
const asserted = await openid.genericGrantRequest(config, BEARER, { assertion, scope: 'a' })
const replayed = await openid.genericGrantRequest(config, BEARER, { assertion, scope: 'a' }).then(
  () => 'issued',
  (err) => err.error ?? String(err),
)
const self = await openid.genericGrantRequest(config, EXCHANGE, { subject_token, subject_token_type: type('access_token') })
say({ grants: as.grant_types_supported, delegated, again, wider, bound: bound.token_type, unbound, asserted, replayed, self })
process.exit()
