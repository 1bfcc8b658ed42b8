// A resource server on oauth4webapi that asks about a token and wants the answer as a JWT (RFC 9701), encrypted to its own
// key where alg is given. Facts: issuer, alg, signed. It says its JWK set, hears the client that was registered for it and
// the tokens to ask about, and says what it was told of each.
import { facts, hear, say } from './stranger.js'

const { compactDecrypt, exportJWK, generateKeyPair } = await import('jose')
const oauth = await import('oauth4webapi')
const { issuer, alg, signed } = facts
const insecure = { [oauth.allowInsecureRequests]: true } // the test's server speaks http

const pair = await generateKeyPair(alg, { extractable: true })
say({ jwks: { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k', use: 'enc', alg }] } })

const { client_id, client_secret, tokens } = await hear()
const at = new URL(issuer)
const as = await oauth.processDiscoveryResponse(at, await oauth.discoveryRequest(at, insecure))
const client = { client_id, introspection_signed_response_alg: signed }
let encrypted = 0
const decrypts = {
  [oauth.jweDecrypt]: async (jwe) => {
    encrypted++
    return new TextDecoder().decode((await compactDecrypt(jwe, pair.privateKey)).plaintext)
  },
}
const told = []
for (const token of tokens) {
  const response = await oauth.introspectionRequest(as, client, oauth.ClientSecretBasic(client_secret), token, {
    requestJwtResponse: true,
    ...insecure,
  })
  const type = response.headers.get('content-type')
  const answer = await oauth.processIntrospectionResponse(as, client, response, decrypts)
  await oauth.validateApplicationLevelSignature(as, response, insecure)
  told.push({ type, answer })
}
say({ told, encrypted })
process.exit()
