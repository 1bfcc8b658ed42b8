// A client on openid-client that registers itself and authenticates by assertions. Its one argument is JSON: issuer,
// token (that lets it register), alg (of its key; HS256 for a shared secret). It prints a line of JSON with all it learned.
import { webcrypto } from 'node:crypto'

// Node 18 has Web Crypto, but not as a global.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey
const client = await import('openid-client')

const { issuer, token, alg } = JSON.parse(process.argv[2])
const params = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  ES384: { name: 'ECDSA', namedCurve: 'P-384' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
  PS256: { name: 'RSA-PSS', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
}[alg]
const metadata = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [], token_endpoint_auth_signing_alg: alg }
let authentication
if (params) {
  const pair = await crypto.subtle.generateKey(params, true, ['sign', 'verify'])
  metadata.token_endpoint_auth_method = 'private_key_jwt'
  metadata.jwks = { keys: [{ ...(await crypto.subtle.exportKey('jwk', pair.publicKey)), kid: 'mine', use: 'sig', alg, key_ops: undefined, ext: undefined }] }
  authentication = client.PrivateKeyJwt({ key: pair.privateKey, kid: 'mine' })
} else {
  metadata.token_endpoint_auth_method = 'client_secret_jwt'
}
const registered = await client.dynamicClientRegistration(new URL(issuer), metadata, undefined, {
  initialAccessToken: token,
  execute: [client.allowInsecureRequests],
})
const { client_id, client_secret } = registered.clientMetadata()
authentication ??= client.ClientSecretJwt(client_secret)
const config = await client.discovery(new URL(issuer), client_id, { ...metadata, client_secret }, authentication, {
  execute: [client.allowInsecureRequests],
})
const server = config.serverMetadata()
const tokens = await client.clientCredentialsGrant(config)
const introspected = await client.tokenIntrospection(config, tokens.access_token)
await client.tokenRevocation(config, tokens.access_token)
const revoked = await client.tokenIntrospection(config, tokens.access_token)
console.log(
  JSON.stringify({
    client_id,
    secret: client_secret !== undefined,
    methods: server.token_endpoint_auth_methods_supported,
    algs: server.token_endpoint_auth_signing_alg_values_supported,
    introspected,
    revoked,
  }),
)
process.exit()
