// A relying party on openid-client that asks for authorization details (RFC 9396), pushed or in the address. Facts: issuer,
// client_id, client_secret, redirect_uri, scope, authorization_details, push. It says the authorization URL, hears the URL
// that the browser came back to, and says the details of the token response and of introspection.
import { facts, hear, say } from './stranger.js'

const client = await import('openid-client')
const { issuer, client_id, client_secret, redirect_uri, scope, authorization_details, push } = facts

const config = await client.discovery(new URL(issuer), client_id, undefined, client.ClientSecretBasic(client_secret), {
  execute: [client.allowInsecureRequests],
})
const pkceCodeVerifier = client.randomPKCECodeVerifier()
const expectedState = client.randomState()
const parameters = {
  redirect_uri,
  scope,
  state: expectedState,
  authorization_details: JSON.stringify(authorization_details),
  code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
}
const url = push
  ? await client.buildAuthorizationUrlWithPAR(config, parameters)
  : client.buildAuthorizationUrl(config, parameters)
say({ authorization_url: url.href })

const callback = new URL((await hear()).url)
const tokens = await client.authorizationCodeGrant(config, callback, { pkceCodeVerifier, expectedState })
const introspected = await client.tokenIntrospection(config, tokens.access_token)
say({
  supported: config.serverMetadata().authorization_details_types_supported,
  granted: tokens.authorization_details,
  introspected: introspected.authorization_details,
})
process.exit()
