import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { fileName, isBelow, isLocal, isPlaylist, siteOf, withoutFragment } from '../src/addresses'
import { fetchBytes, hadNoBytes, mayFetch, OutOfReach } from '../src/scanning/reach'
import { scanOf } from './fakes'

const PUBLIC = 'https://media.example/a.mp4'
const ROUTER = 'http://192.168.1.1/a.mp4'

test.each<[string, string, string, boolean, boolean]>([
  ['what the browser has loaded', PUBLIC, 'https://site.example/', true, true],
  ['what it has not', PUBLIC, 'https://site.example/', false, false],
  ["the page's own origin", 'http://localhost:8000/a.mp4', 'http://localhost:8000/', false, true],
  ['another port of its host', 'http://localhost:9000/a.mp4', 'http://localhost:8000/', false, false],
  [
    'a name below its own, which may point anywhere',
    'https://router.site.example/',
    'https://site.example/',
    false,
    false,
  ],
  ['a device at home, for the web', ROUTER, 'https://site.example/', false, false],
  ['the same, said to be loaded', ROUTER, 'https://site.example/', true, false],
  ['the same, for a page at home', ROUTER, 'http://192.168.1.20/', true, true],
  ['this computer, for the web', 'http://127.0.0.1:631/', 'https://site.example/', true, false],
  ['this computer, for this computer', 'http://127.0.0.1:9000/a.mp4', 'http://localhost:8000/', true, true],
  [
    'a playlist, which is only text',
    'https://media.example/a.M3U8?x=1',
    'https://media.example/',
    true,
    false,
  ],
  ['another scheme', 'ftp://media.example/a.mp4', 'https://media.example/', true, false],
  ['nonsense', 'http://', 'https://media.example/', true, false],
])('may fetch %s', (_, url, page, loaded, allowed) => {
  expect(mayFetch(url, page, loaded)).toBe(allowed)
})

test.each([
  ['http://localhost/', true],
  ['http://video.localhost/', true],
  ['http://nas/', true],
  ['http://nas.local/', true],
  ['http://127.1/', true],
  ['http://0x7f.1/', true],
  ['http://2130706433/', true],
  ['http://10.1.2.3/', true],
  ['http://172.16.0.1/', true],
  ['http://172.32.0.1/', false],
  ['http://100.64.0.1/', true],
  ['http://100.128.0.1/', false],
  ['http://169.254.169.254/', true],
  ['http://[::1]/', true],
  ['http://[::ffff:192.168.1.1]/', true],
  ['http://[fd00::1]/', true],
  ['http://[fe80::1]/', true],
  ['http://[2606:4700::1]/', false],
  ['https://example.org/', false],
  ['https://10.example.org/', false],
  ['https://local.example.org/', false],
])('%s is local: %s', (url, local) => {
  expect(isLocal(url)).toBe(local)
})

test.each([
  ['https://site.example/a', 'https://site.example/b', true],
  ['https://cdn.site.example/a', 'https://site.example/', true],
  ['https://site.example/a', 'https://user.site.example/', false],
  ['https://evilsite.example/a', 'https://site.example/', false],
  ['http://site.example/a', 'https://site.example/', false],
  ['https://site.example/a', 'about:srcdoc', false],
])('%s is below %s: %s', (url, page, below) => {
  expect(isBelow(url, page)).toBe(below)
})

describe('the fetch', () => {
  const asked: RequestInit[] = []
  const answering = (response: Response | Error) => ({
    fetcher: (async (_: unknown, init?: RequestInit) => {
      asked.push(init ?? {})
      if (response instanceof Error) throw response
      return response
    }) as typeof fetch,
    mayAccess: async () => true,
  })

  test.each([
    ['https://site.example/', 'omit'],
    ['https://media.example/watch', 'include'],
  ])('for %s: cookies %s', async (page, credentials) => {
    await fetchBytes(PUBLIC, page, answering(new Response('abc')))
    expect(asked.at(-1)).toMatchObject({ credentials, cache: 'force-cache' })
  })

  test.each([
    [{ 'content-length': '3' }, 3],
    [{}, null],
    [{ 'content-length': '3', 'content-encoding': 'gzip' }, null],
    [{ 'content-length': 'many' }, null],
  ])('knows the size from %o: %s', async (headers, size) => {
    const bytes = await fetchBytes(PUBLIC, PUBLIC, answering(new Response('abc', { headers })))
    expect(bytes).toMatchObject({ size, name: 'a.mp4' })
  })

  test.each([
    [new Response('', { status: 403 }), { why: 'status', detail: '403' }],
    [new Response('', { status: 404 }), { why: 'status', detail: '404' }],
    [new TypeError('Failed to fetch'), { why: 'network', detail: 'Failed to fetch' }],
  ])('says why it failed', async (response, reason) => {
    const failed = fetchBytes(PUBLIC, PUBLIC, answering(response))
    await expect(failed).rejects.toBeInstanceOf(OutOfReach)
    await expect(failed).rejects.toMatchObject(reason)
  })

  test('names a permission that the browser withholds', async () => {
    const browser = { ...answering(new TypeError('Failed to fetch')), mayAccess: async () => false }
    await expect(fetchBytes(PUBLIC, PUBLIC, browser)).rejects.toMatchObject({ why: 'no_permission' })
  })
})

test.each([
  ['unreadable', null, null, true],
  ['unreadable', null, 'refused_address', true],
  ['unreadable', null, 'http_status', true],
  ['unreadable', null, 'protected', false],
  ['unreadable', null, 'too_large', false],
  ['unreadable', 24, null, false],
  ['no_signs', null, null, false],
] as const)(
  'label %s, %s bytes, problem %s: the browser may try is %s',
  (label, size_bytes, problem, none) => {
    const scan = scanOf({ source: { kind: 'url', size_bytes, problem }, verdict: { label } })
    expect(hadNoBytes(scan)).toBe(none)
  },
)

test.each([
  ['https://a.example/v/clip%20one.mp4?x=1#t=2', 'clip one.mp4'],
  ['https://a.example/v/100%.mp4', '100%.mp4'],
  ['https://a.example/', null],
  ['blob:https://a.example/1', null],
  ['nonsense', null],
])('the file name of %s is %s', (url, name) => {
  expect(fileName(url)).toBe(name)
})

test.each([
  ['https://a.example/x', 'a.example'],
  ['http://localhost:8000/', 'localhost'],
  ['chrome://extensions', null],
  ['file:///home/me/a.mp4', null],
  ['', null],
])('the site of %s is %s', (url, site) => {
  expect(siteOf(url)).toBe(site)
})

test('a fragment makes no other video, a playlist is known by its path', () => {
  expect(withoutFragment('https://a.example/v.mp4#t=10')).toBe('https://a.example/v.mp4')
  expect(isPlaylist('https://a.example/v.mp4?next=x.m3u8')).toBe(false)
  expect(isPlaylist('https://a.example/v.mpd')).toBe(true)
})

describe('a server that hangs', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  /** Answers never, but gives in to an abort, as fetch does. */
  const never = (async (_: unknown, init?: RequestInit) =>
    new Promise<Response>((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(new Error('aborted')))
    })) as unknown as typeof fetch

  test('before its answer is given up', async () => {
    const failed = fetchBytes(PUBLIC, PUBLIC, { fetcher: never, mayAccess: async () => true })
    const seen = expect(failed).rejects.toMatchObject({ why: 'network' })
    await vi.advanceTimersByTimeAsync(20_000)
    await seen
  })

  test('half-way is given up, but a slow reader is waited for', async () => {
    const fetcher = (async (_: unknown, init?: RequestInit) =>
      new Response(
        new ReadableStream<Uint8Array>({
          start: (controller) => {
            controller.enqueue(new Uint8Array(3))
            init?.signal?.addEventListener('abort', () => controller.error(new Error('aborted')))
          },
        }),
      )) as unknown as typeof fetch
    const bytes = await fetchBytes(PUBLIC, PUBLIC, { fetcher, mayAccess: async () => true })
    await vi.advanceTimersByTimeAsync(60_000)
    const chunks = bytes.chunks(3)[Symbol.asyncIterator]()
    expect(await chunks.next()).toMatchObject({ done: false })
    const seen = expect(chunks.next()).rejects.toMatchObject({ why: 'network' })
    await vi.advanceTimersByTimeAsync(20_000)
    await seen
  })
})
