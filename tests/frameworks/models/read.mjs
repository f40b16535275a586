// Reads inputs with libraries of Node. See libraries.py for what comes in and goes out.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import querystring from 'node:querystring'
import { Readable } from 'node:stream'

const require = createRequire(new URL('../functions/node/package.json', import.meta.url))
const express4 = createRequire(require.resolve('express4'))
const express5 = createRequire(require.resolve('express5'))
const koaBody = createRequire(require.resolve('koa-body'))
const { parseCookie, parse = parseCookie } = require('cookie')

const queries = [express4, express5].map((of) => of('./lib/utils').compileQueryParser('extended'))
const middleware = {
  'qs': [express4, express5].map((of) => of('body-parser').urlencoded({ extended: true })),
  'qs depth 0': [express5('body-parser').urlencoded({ extended: false })],
}

function request(type, body) {
  const headers = { 'content-length': String(body.length) }
  if (type !== null) headers['content-type'] = type
  return Object.assign(Readable.from([body]), { method: 'POST', headers })
}

function parsed(middleware, type, body) {
  const req = request(type, body)
  return new Promise((resolve, reject) => middleware(req, {}, (error) => (error ? reject(error) : resolve(req.body))))
}

async function formData(type, body) {
  // Of a text with a wrong escape, Node keeps the low byte of each character, and the escape.
  if (/%.*[^\x00-\xff]|[^\x00-\xff].*%/s.test(body.toString())) return []
  const headers = type === null ? {} : { 'content-type': type }
  return [...(await new Response(body, { headers }).formData())]
}

const positions = {
  query: {
    'qs': queries.map((parse) => (type, text) => parse(text.toString('latin1'))),
    'plain': [
      (type, text) => [...new URLSearchParams(text.toString('latin1'))],
      (type, text) => querystring.parse(text.toString('latin1'), '&', '=', { maxKeys: 0 }),
    ],
  },
  body: {
    'qs': middleware['qs'].map((each) => (type, text) => parsed(each, type, text)),
    'qs depth 0': middleware['qs depth 0'].map((each) => (type, text) => parsed(each, type, text)),
    'co-body': [(type, text) => koaBody('co-body').form(request(type, text))],
    'plain': [formData],
  },
  cookies: { 'plain': [(type, text) => parse(text.toString('latin1'))] },
}

function leaves(value) {
  if (value === null || typeof value !== 'object') return [String(value)]
  return Object.values(value).flatMap(leaves)
}

function hexadecimal(text) {
  return Buffer.from(text).toString('hex')
}

async function read(reader, type, text) {
  try {
    const found = (await reader(type, text)) ?? {}
    const pairs = Array.isArray(found) ? found : Object.entries(found)
    return pairs.map(([name, value]) => [hexadecimal(name), leaves(value).map(hexadecimal)])
  } catch {
    return null
  }
}

const forms = { 'qs': /urlencoded/, 'qs depth 0': /urlencoded/, 'co-body': /^application\/x-www-form-urlencoded/i, 'plain': /urlencoded/ }

for await (const line of createInterface({ input: process.stdin })) {
  const [position, typeAsText, textAsText] = line.split(' ')
  const type = typeAsText === '-' ? null : Buffer.from(typeAsText, 'hex').toString('latin1')
  const text = Buffer.from(textAsText, 'hex')
  const readings = {}
  for (const [model, readers] of Object.entries(positions[position])) {
    if (position === 'body' && !forms[model].test(type ?? '')) continue
    readings[model] = []
    for (const reader of readers) readings[model].push(await read(reader, type, text))
  }
  console.log(JSON.stringify(readings))
}
