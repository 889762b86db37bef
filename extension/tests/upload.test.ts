import { describe, expect, test } from 'vitest'
import type { Answer, Question } from '../src/native/link'
import { type ByteSource, TooLarge, UPLOAD_CAP_BYTES, type Uplink, upload } from '../src/native/upload'
import { settled } from './fakes'

const LIMITS = { message_bytes: 1048576, chunk_bytes: 3, window: 2, upload_bytes: 300, scans: 64 }
const ABOUT = { url: 'http://localhost/a.mp4', pageUrl: 'http://localhost/', fresh: false, automatic: true }

/** A host whose chunk answers wait until they are released. */
class FakeHost {
  readonly asked: Question[] = []
  readonly held: (() => void)[] = []
  hold = false
  refuseChunk: number | null = null
  private received = 0

  readonly link: Uplink = {
    limits: LIMITS,
    ask: async <A extends Answer>(question: Question): Promise<A> => {
      this.asked.push(question)
      if (question.type === 'upload_chunk') {
        if (this.hold) await new Promise<void>((resolve) => this.held.push(resolve))
        if (question.seq === this.refuseChunk) throw new Error('no room')
        this.received += Buffer.from(question.data, 'base64').length
        const ack = {
          type: 'upload_ack',
          request: 'r',
          upload_id: 'u',
          next_seq: question.seq + 1,
          received: this.received,
        }
        return ack as unknown as A
      }
      return { type: 'accepted', request: 'r', scan_id: 'scan1' } as unknown as A
    },
  }

  types(): string[] {
    return this.asked.map(({ type }) => type)
  }
}

const source = (chunks: string[], size: number | null = null): ByteSource => ({
  size,
  name: 'a.mp4',
  chunks: async function* () {
    yield* chunks
  },
})

const CHUNK = Buffer.from('abc').toString('base64')

describe('an upload', () => {
  test('announces, sends in order, ends, and gives the scan', async () => {
    const host = new FakeHost()
    const fractions: (number | null)[] = []
    const id = await upload(host.link, 'u1', source([CHUNK, CHUNK, 'YQ=='], 7), ABOUT, (at) =>
      fractions.push(at),
    )
    expect(id).toBe('scan1')
    expect(host.asked).toEqual([
      {
        type: 'upload_begin',
        upload_id: 'u1',
        size: 7,
        name: 'a.mp4',
        url: ABOUT.url,
        page_url: ABOUT.pageUrl,
        fresh: false,
        automatic: true,
      },
      { type: 'upload_chunk', upload_id: 'u1', seq: 0, data: CHUNK },
      { type: 'upload_chunk', upload_id: 'u1', seq: 1, data: CHUNK },
      { type: 'upload_chunk', upload_id: 'u1', seq: 2, data: 'YQ==' },
      { type: 'upload_end', upload_id: 'u1', chunks: 3 },
    ])
    expect(fractions.at(-1)).toBe(1)
  })

  test('leaves out what is not known', async () => {
    const host = new FakeHost()
    await upload(
      host.link,
      'u1',
      { ...source([CHUNK]), name: null },
      { url: null, pageUrl: null, fresh: true, automatic: false },
      () => undefined,
    )
    expect(host.asked[0]).toEqual({ type: 'upload_begin', upload_id: 'u1', fresh: true, automatic: false })
  })

  test('never has more chunks unanswered than the window', async () => {
    const host = new FakeHost()
    host.hold = true
    const done = upload(host.link, 'u1', source(Array(5).fill(CHUNK)), ABOUT, () => undefined)
    for (const inFlight of [2, 2, 2, 2, 1]) {
      await settled()
      expect(host.held).toHaveLength(inFlight)
      host.held.shift()?.()
    }
    expect(await done).toBe('scan1')
  })

  test('stops and forgets the upload when a chunk is refused', async () => {
    const host = new FakeHost()
    host.refuseChunk = 1
    const done = upload(host.link, 'u1', source(Array(50).fill(CHUNK)), ABOUT, () => undefined)
    await expect(done).rejects.toThrow('no room')
    expect(host.types().at(-1)).toBe('upload_abort')
    expect(host.types().filter((type) => type === 'upload_chunk').length).toBeLessThan(6)
    expect(host.types()).not.toContain('upload_end')
  })

  test.each([
    ['announced to be', source([CHUNK], 301)],
    ['found to be', source(Array(200).fill(CHUNK))],
  ])('refuses what is %s too large, with nothing left behind', async (_, bytes) => {
    const host = new FakeHost()
    await expect(upload(host.link, 'u1', bytes, ABOUT, () => undefined)).rejects.toBeInstanceOf(TooLarge)
    expect(host.types().at(-1)).toBe('upload_abort')
  })

  test('has a cap of its own below what hosts take', () => {
    expect(UPLOAD_CAP_BYTES).toBeLessThan(2_147_483_648)
  })

  test('passes on what goes wrong while reading', async () => {
    const host = new FakeHost()
    const torn: ByteSource = {
      size: null,
      name: null,
      chunks: async function* () {
        yield CHUNK
        throw new Error('the blob was revoked')
      },
    }
    await expect(upload(host.link, 'u1', torn, ABOUT, () => undefined)).rejects.toThrow('revoked')
    expect(host.types().at(-1)).toBe('upload_abort')
  })
})
