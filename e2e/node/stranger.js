// What each program here begins with: its facts from its one argument, which is JSON, and its talk with the test that
// started it, line by line in JSON.
import { webcrypto } from 'node:crypto'
import { createInterface } from 'node:readline'

// Node 18 has Web Crypto, but not as a global. Import the libraries under test after this, by await import.
globalThis.crypto ??= webcrypto
globalThis.CryptoKey ??= webcrypto.CryptoKey

export const facts = JSON.parse(process.argv[2])

export const say = (answer) => console.log(JSON.stringify(answer))

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

// hear returns what the test says next.
export const hear = async () => JSON.parse((await lines.next()).value)
