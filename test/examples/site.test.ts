// The demo's static files: what is in the folder is served and nothing else, whatever a request's path says; the wire is never
// answered by a file; what has a hash in its name is kept, everything else asked for again.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openSite, type Site } from '../../examples/workouts/src/site/files.ts'

function site(): Site {
  const outer = mkdtempSync(join(tmpdir(), 'holdfast-site-'))
  onTestFinished(() => rmSync(outer, { recursive: true }))
  const folder = join(outer, 'site')
  mkdirSync(join(folder, 'assets'), { recursive: true })
  mkdirSync(join(folder, 'sync'))
  writeFileSync(join(outer, 'secret.html'), 'secret')
  writeFileSync(join(folder, 'index.html'), '<p>shell')
  writeFileSync(join(folder, 'worker.js'), 'worker')
  writeFileSync(join(folder, '.stamp'), 'stamp')
  writeFileSync(join(folder, 'notes.txt'), 'of no known type')
  writeFileSync(join(folder, 'icon.png'), Buffer.from([0x89, 0x50, 0xff, 0x00]))
  writeFileSync(join(folder, 'assets', 'index-abc.js'), 'script')
  writeFileSync(join(folder, 'sync', 'push.html'), 'no')
  writeFileSync(join(folder, 'health.html'), 'a page that is called so')
  return openSite(folder)
}

const get = (opened: Site, path: string, headers: { readonly [name: string]: string } = {}, method = 'GET') =>
  opened({ method, path, header: (name) => headers[name], text: async () => '' })
const body = (opened: Site, path: string): string | undefined => {
  const answer = get(opened, path)
  return answer && Buffer.from(answer.body).toString()
}

describe('the site', () => {
  it('serves its files with their types, bytes as they are', () => {
    const opened = site()
    expect(get(opened, '/assets/index-abc.js')?.headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
    })
    expect(get(opened, '/worker.js')?.headers['cache-control']).toBe('no-cache')
    expect([...(get(opened, '/icon.png')?.body ?? [])]).toEqual([0x89, 0x50, 0xff, 0x00])
  })

  it('gives the shell for every place inside the app, with a policy that lets nothing else in', () => {
    const opened = site()
    for (const path of ['/', '/two', '/workout/0a1b', '/workout/a%2Eb', '/nowhere/at/all'])
      expect(body(opened, path)).toBe('<p>shell')
    expect(get(opened, '/')?.headers['content-security-policy']).toContain("default-src 'self'")
  })

  it('leaves wire and health to the authority, and every method but reading', () => {
    const opened = site()
    for (const path of ['/sync', '/sync/push', '/sync/push.html', '/health']) expect(get(opened, path)).toBeUndefined()
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect(get(opened, '/', {}, method)).toBeUndefined()
    expect(get(opened, '/', {}, 'HEAD')?.status).toBe(200)
  })

  it('gives nothing from outside its folder, and nothing that it hides', () => {
    const opened = site()
    for (const path of [
      '/../secret.html',
      '/assets/../../secret.html',
      '/%2e%2e/secret.html',
      '/..%2fsecret.html',
      '//etc/passwd.html',
      '/.stamp',
      '/notes.txt',
      '/missing.js',
      '',
      '*',
    ])
      expect([path, body(opened, path)]).toEqual([path, undefined])
  })

  it('answers shortly when the browser has it already', () => {
    const opened = site()
    const first = get(opened, '/')
    const again = get(opened, '/', { 'if-none-match': first?.headers['etag'] ?? '' })
    expect(again).toMatchObject({ status: 304, headers: { etag: first?.headers['etag'] } })
    expect(again?.body).toHaveLength(0)
    expect(get(opened, '/', { 'if-none-match': '"other"' })?.status).toBe(200)
  })
})
