// Uses other people's keys with the npm package `jose`. Reads a list of
// {alg, privatePem?, privateJwk, jwks, token} from standard input; for each it verifies the token with
// the JWKS and signs one with the private key in each form. Prints [{claims, tokens: [...]}].
import { webcrypto } from 'node:crypto'
import { readFileSync } from 'node:fs'

globalThis.crypto ??= webcrypto
const { SignJWT, createLocalJWKSet, importJWK, importPKCS8, importSPKI, jwtVerify } = await import('jose')

const results = []
for (const { alg, privatePem, publicPem, privateJwk, jwks, token } of JSON.parse(readFileSync(0, 'utf8'))) {
  const secret = alg.startsWith('HS') // Sets of secrets are not supported.
  const published = secret ? await importJWK(jwks.keys[0], alg) : createLocalJWKSet(jwks)
  const verified = await jwtVerify(token, published, { algorithms: [alg] })
  if (publicPem) await jwtVerify(token, await importSPKI(publicPem, alg))
  const keys = [await importJWK(privateJwk, alg)]
  if (privatePem) keys.push(await importPKCS8(privatePem, alg))
  const tokens = []
  for (const key of keys) {
    const header = { alg, typ: 'JWT', ...(privateJwk.kid && { kid: privateJwk.kid }) }
    tokens.push(await new SignJWT({ by: 'jose' }).setProtectedHeader(header).setExpirationTime('1h').sign(key))
  }
  results.push({ claims: verified.payload, tokens })
}
console.log(JSON.stringify(results))
