// A client that authenticates by certificate and uses tokens bound to it (RFC 8705). Its one argument is JSON: library
// (openid-client or oauth4webapi), issuer, client_id, files cert, key and ca in PEM, and a code with its redirect_uri,
// code_verifier, state and nonce. It prints a line of JSON with all it learned.
import { readFileSync } from 'node:fs'
import https from 'node:https'
import { webcrypto } from 'node:crypto'

// Node 18 has Web Crypto, but not as a global.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

const { library, issuer, client_id, cert, key, ca, code, redirect_uri, code_verifier, state, nonce } = JSON.parse(process.argv[2])
const trusted = readFileSync(ca)
const shown = new https.Agent({ ca: trusted, cert: readFileSync(cert), key: readFileSync(key) })
const bare = new https.Agent({ ca: trusted })

// fetching makes a fetch over connections of agent.
const fetching = (agent) => (url, options) =>
  new Promise((resolve, reject) => {
    const headers = Object.fromEntries(new Headers(options.headers))
    const body = options.body === undefined || options.body === null ? undefined : String(options.body)
    const req = https.request(url, { method: options.method, headers, agent }, (res) => {
      const chunks = []
      res.on('data', (c) => chunks.push(c))
      res.on('end', () => resolve(new Response(chunks.length ? Buffer.concat(chunks) : null, { status: res.statusCode, headers: res.headers })))
    })
    req.on('error', reject)
    req.end(body)
  })

const claims = (jwt) => JSON.parse(Buffer.from(jwt.split('.')[1], 'base64url'))
const told = (err) => err.cause?.[0]?.parameters?.error ?? err.error ?? String(err)

const drive = {
  'openid-client': async () => {
    const client = await import('openid-client')
    const metadata = { use_mtls_endpoint_aliases: true, tls_client_certificate_bound_access_tokens: true }
    const config = await client.discovery(new URL(issuer), client_id, metadata, client.TlsClientAuth(), { [client.customFetch]: fetching(shown) })
    config[client.customFetch] = fetching(shown)
    const callback = new URL(redirect_uri)
    callback.search = new URLSearchParams({ code, state, iss: issuer })
    const tokens = await client.authorizationCodeGrant(config, callback, { pkceCodeVerifier: code_verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true })
    const { sub } = tokens.claims()
    const info = await client.fetchUserInfo(config, tokens.access_token, sub)
    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token)
    config[client.customFetch] = fetching(bare)
    const stolen = await client.fetchUserInfo(config, refreshed.access_token, sub).then(() => 'served', told)
    return { tokens, refreshed, sub: info.sub, stolen }
  },
  oauth4webapi: async () => {
    const oauth = await import('oauth4webapi')
    const by = (agent) => ({ [oauth.customFetch]: fetching(agent) })
    const at = new URL(issuer)
    const as = await oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at, by(shown)))
    const client = { client_id, use_mtls_endpoint_aliases: true }
    const callback = new URL(redirect_uri)
    callback.search = new URLSearchParams({ code, state, iss: issuer })
    const params = oauth.validateAuthResponse(as, client, callback, state)
    const auth = oauth.TlsClientAuth()
    const response = await oauth.authorizationCodeGrantRequest(as, client, auth, params, redirect_uri, code_verifier, by(shown))
    const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true })
    const { sub } = oauth.getValidatedIdTokenClaims(tokens)
    const info = await oauth.processUserInfoResponse(as, client, sub, await oauth.userInfoRequest(as, client, tokens.access_token, by(shown)))
    const again = await oauth.refreshTokenGrantRequest(as, client, auth, tokens.refresh_token, by(shown))
    const refreshed = await oauth.processRefreshTokenResponse(as, client, again)
    const stolen = await oauth
      .userInfoRequest(as, client, refreshed.access_token, by(bare))
      .then((res) => oauth.processUserInfoResponse(as, client, sub, res))
      .then(() => 'served', told)
    return { tokens, refreshed, sub: info.sub, stolen }
  },
}[library]

const { tokens, refreshed, sub, stolen } = await drive()
console.log(
  JSON.stringify({
    type: tokens.token_type,
    x5t: claims(tokens.access_token).cnf?.['x5t#S256'],
    refreshed: claims(refreshed.access_token).cnf?.['x5t#S256'],
    sub,
    stolen,
  }),
)
process.exit()
