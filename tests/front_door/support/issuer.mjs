// The issuer that runs on the npm package `jose`: its own keys, its own JWKS, one token for each of
// the algorithms that are named on the command line. Prints {"jwks": …, "tokens": {alg: token}}.
import { webcrypto } from 'node:crypto'

globalThis.crypto ??= webcrypto // Debian 12's Node.js 18 does not put it there itself.
const { SignJWT, exportJWK, generateKeyPair, generateSecret } = await import('jose')

const keys = []
const tokens = {}
for (const alg of process.argv.slice(2)) {
  const secret = alg.startsWith('HS')
  const pair = secret ? undefined : await generateKeyPair(alg, { extractable: true })
  const signingKey = secret ? await generateSecret(alg, { extractable: true }) : pair.privateKey
  const published = await exportJWK(secret ? signingKey : pair.publicKey)
  keys.push({ ...published, kid: `jose-${alg}`, alg, use: 'sig' })
  tokens[alg] = await new SignJWT({ name: `${alg} by jose` })
    .setProtectedHeader({ alg, kid: `jose-${alg}`, typ: 'JWT' })
    .setIssuedAt()
    .setExpirationTime('1h')
    .sign(signingKey)
}
console.log(JSON.stringify({ jwks: { keys }, tokens }))
