import { describe, expect, test } from 'vitest'
import { addressOf, loadedOf, type PlayedVideo, sourceOf } from '../src/page/source'

const video = (change: Partial<PlayedVideo> & { sources?: string[] } = {}): PlayedVideo => ({
  srcObject: null,
  mediaKeys: null,
  currentSrc: '',
  src: '',
  querySelectorAll: () => (change.sources ?? []).map((src) => ({ src })),
  ...change,
})

const MP4 = 'https://media.example/a.mp4'
const BLOB = 'blob:https://site.example/1'

describe('the source of a video', () => {
  test.each<[string, PlayedVideo, unknown]>([
    ['nothing', video(), null],
    ['an address', video({ src: MP4, currentSrc: MP4 }), { kind: 'url', url: MP4 }],
    ['an address not loaded yet', video({ src: MP4 }), { kind: 'url', url: MP4 }],
    ['the first of its source elements', video({ sources: [MP4, 'https://b/'] }), { kind: 'url', url: MP4 }],
    [
      'the source that the browser chose',
      video({ sources: ['https://b/'], currentSrc: MP4 }),
      { kind: 'url', url: MP4 },
    ],
    ['a blob', video({ src: BLOB, currentSrc: BLOB }), { kind: 'page_bytes', id: BLOB }],
    [
      'a data address',
      video({ currentSrc: 'data:video/mp4;base64,AAAA' }),
      { kind: 'page_bytes', id: 'data:p1' },
    ],
    ['a stream', video({ srcObject: {}, currentSrc: MP4 }), { kind: 'live', id: 'live:p1' }],
    ['a protected video', video({ mediaKeys: {}, currentSrc: BLOB }), { kind: 'none', why: 'protected' }],
    ['a file', video({ currentSrc: 'file:///home/me/a.mp4' }), { kind: 'none', why: 'local_file' }],
    ['an unknown scheme', video({ currentSrc: 'chrome-extension://x/a.mp4' }), null],
    ['nonsense', video({ currentSrc: 'nonsense' }), null],
  ])('is %s', (_, played, source) => {
    expect(sourceOf(played, false, 'p1')).toEqual(source)
  })

  test('is protected once encrypted data were met, before the page sets keys', () => {
    expect(sourceOf(video({ currentSrc: BLOB }), true, 'p1')).toEqual({ kind: 'none', why: 'protected' })
  })

  test('prefers what plays over what stands there', () => {
    expect(addressOf(video({ src: 'https://old/', currentSrc: MP4 }))).toBe(MP4)
  })
})

test.each([
  [{ readyState: 0, networkState: 0, error: null }, 'no'],
  [{ readyState: 0, networkState: 1, error: null }, 'no'],
  [{ readyState: 1, networkState: 1, error: null }, 'yes'],
  [{ readyState: 4, networkState: 2, error: null }, 'yes'],
  [{ readyState: 0, networkState: 3, error: null }, 'failed'],
  [{ readyState: 0, networkState: 3, error: {} }, 'failed'],
])('%o is loaded: %s', (state, loaded) => {
  expect(loadedOf(state)).toBe(loaded)
})
