// A relying party on openid-client that does one step at a time, as it is told. Its one argument is JSON: issuer,
// client_id, client_secret, redirect_uri, scope, and resource_server with id and secret, which introspects in the client's
// place. Each line of its input is a JSON object with a step and its arguments; each line of its output answers a step
// with what it yields, or with the error code that it was refused by. polling says beforehand that it still waits.
import { webcrypto } from 'node:crypto'
import { createInterface } from 'node:readline'

// Node 18 has Web Crypto, but not as a global.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey
const client = await import('openid-client')

const say = (answer) => console.log(JSON.stringify(answer))
const { issuer, client_id, client_secret, redirect_uri, scope, resource_server } = JSON.parse(process.argv[2])

const discover = (id, secret) =>
  client.discovery(new URL(issuer), id, undefined, client.ClientSecretBasic(secret), {
    execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks],
  })
const config = await discover(client_id, client_secret)
const resource = resource_server ? await discover(resource_server.id, resource_server.secret) : config

let checks, acknowledged, tokens, subject
const keep = (issued) => {
  const rotated = tokens?.refresh_token !== issued.refresh_token
  const { access_token, refresh_token, id_token } = (tokens = issued)
  const claims = issued.claims()
  subject = claims?.sub ?? subject
  return { claims, rotated, access_token, refresh_token, id_token }
}

// Whatever is answered to a poll passes here.
config[client.customFetch] = async (...request) => {
  const response = await fetch(...request)
  if (acknowledged && response.status === 400) {
    const { error } = await response.clone().json()
    if (error === 'authorization_pending') say({ pending: true })
  }
  return response
}

const steps = {
  metadata: () => config.serverMetadata(),

  authorize: async ({ pushed, ...parameters }) => {
    checks = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState(),
      expectedNonce: client.randomNonce(),
      idTokenExpected: true,
    }
    const build = pushed ? client.buildAuthorizationUrlWithPAR : client.buildAuthorizationUrl
    const url = await build(config, {
      redirect_uri,
      scope,
      state: checks.expectedState,
      nonce: checks.expectedNonce,
      code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      ...parameters,
    })
    return { url: url.href }
  },
  redeem: async ({ url }) => keep(await client.authorizationCodeGrant(config, new URL(url), checks)),

  backchannel: (parameters) => client.initiateBackchannelAuthentication(config, { scope, ...parameters }),
  poll: async (acknowledgement) => {
    acknowledged = acknowledgement
    try {
      return keep(await client.pollBackchannelAuthenticationGrant(config, acknowledged))
    } finally {
      acknowledged = undefined
    }
  },

  device: (parameters) => client.initiateDeviceAuthorization(config, { scope, ...parameters }),
  pollDevice: async (authorization) => {
    acknowledged = authorization
    try {
      return keep(await client.pollDeviceAuthorizationGrant(config, acknowledged))
    } finally {
      acknowledged = undefined
    }
  },

  userinfo: () => client.fetchUserInfo(config, tokens.access_token, subject),
  refresh: async () => keep(await client.refreshTokenGrant(config, tokens.refresh_token)),
  introspect: () => client.tokenIntrospection(resource, tokens.access_token),
  revoke: () => client.tokenRevocation(config, tokens.refresh_token, { token_type_hint: 'refresh_token' }),
}

for await (const line of createInterface({ input: process.stdin })) {
  const { step, ...parameters } = JSON.parse(line)
  try {
    say((await steps[step](parameters)) ?? {})
  } catch (err) {
    say({ error: err.error ?? err.code ?? String(err) })
  }
}
