// The built pages as answers to requests: read into memory once, so that no path of a request ever meets the disk. Files with a
// hash in their name may be kept for ever, all others are asked for again. An address without a file of its own is a place inside
// the app and gets its shell. What is not the site's (the wire, health, anything but GET) is left to the authority.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { HttpRequest } from 'holdfast/server'

/** A whole answer. The body is bytes: icons are no text. */
export interface FileAnswer {
  readonly status: 200 | 304
  readonly headers: { readonly [name: string]: string }
  readonly body: Uint8Array
}

/** Answers a request for a file of the site; undefined for what is not the site's. */
export type Site = (request: HttpRequest) => FileAnswer | undefined

interface File {
  readonly headers: { readonly [name: string]: string }
  readonly etag: string
  readonly body: Uint8Array
}

const types: { readonly [ending: string]: string | undefined } = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
}

/** Everything comes from here: no script of others, no frame around it, no form that leaves. */
const policy = [
  "default-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "object-src 'none'",
].join('; ')

const nothing = new Uint8Array(0)

/** Reads the site in a folder. Files that begin with a dot stay at home. */
export function openSite(folder: string): Site {
  const files = new Map<string, File>()
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const type = types[extname(entry.name)]
    if (!entry.isFile() || entry.name.startsWith('.') || type === undefined) continue
    const path = join(entry.parentPath, entry.name)
    const address = path.slice(folder.length).replaceAll('\\', '/').replace(/^\/?/, '/')
    files.set(address, readFile(path, address, type))
  }
  const shell = files.get('/index.html')

  return ({ method, path, header }) => {
    if ((method !== 'GET' && method !== 'HEAD') || isAuthoritys(path)) return undefined
    const file = files.get(path) ?? (isPlace(path) ? shell : undefined)
    if (file === undefined) return undefined
    return header('if-none-match') === file.etag
      ? { status: 304, headers: file.headers, body: nothing }
      : { status: 200, headers: file.headers, body: file.body }
  }
}

/** Addresses that the authority answers, whatever lies in the folder. */
function isAuthoritys(path: string): boolean {
  return path === '/health' || path === '/sync' || path.startsWith('/sync/')
}

/** An address without an ending: a place inside the app, or a slip of the pen. The shell tells. */
function isPlace(path: string): boolean {
  return path.startsWith('/') && !path.slice(path.lastIndexOf('/')).includes('.')
}

function readFile(path: string, address: string, type: string): File {
  const body = readFileSync(path)
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
  const isHashed = address.startsWith('/assets/')
  return {
    etag,
    body,
    headers: {
      'content-type': type,
      'cache-control': isHashed ? 'public, max-age=31536000, immutable' : 'no-cache',
      etag,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      ...(type.startsWith('text/html') ? { 'content-security-policy': policy } : {}),
    },
  }
}
