import { describe, expect, test } from 'vitest'
import { PageReading } from '../src/page/bytes'
import type { FromPage } from '../src/protocol'
import { settled } from './fakes'

const answering = (response: () => Response) => (async () => response()) as unknown as typeof fetch
const BYTES = Uint8Array.from({ length: 10 }, (_, at) => at)

describe('reading bytes in the page', () => {
  const reading = () => {
    const sent: FromPage[] = []
    return { sent, reading: new PageReading('j', (message) => sent.push(message)) }
  }

  test('sends them in chunks, numbered, with their size, and says when it is done', async () => {
    const { sent, reading: each } = reading()
    each.more(100)
    await each.run(
      'blob:x',
      4,
      answering(() => new Response(BYTES, { headers: { 'content-length': '10' } })),
    )
    expect(sent.map(({ type }) => type)).toEqual(['bytes', 'bytes', 'bytes', 'bytes_end'])
    expect(sent.slice(0, 3)).toMatchObject([0, 1, 2].map((seq) => ({ job: 'j', seq, size: 10 })))
    const joined = sent.flatMap((message) =>
      message.type === 'bytes' ? [...Buffer.from(message.data, 'base64')] : [],
    )
    expect(joined).toEqual([...BYTES])
  })

  test('is never more than two chunks ahead of what was asked for', async () => {
    const { sent, reading: each } = reading()
    const done = each.run(
      'blob:x',
      2,
      answering(() => new Response(BYTES)),
    )
    for (const [asked, chunks] of [
      [0, 2],
      [1, 3],
      [3, 5],
    ] as const) {
      each.more(asked)
      await settled()
      expect(sent).toHaveLength(chunks + (chunks === 5 ? 1 : 0))
    }
    await done
  })

  test('stops when told to', async () => {
    const { sent, reading: each } = reading()
    const done = each.run(
      'blob:x',
      2,
      answering(() => new Response(BYTES)),
    )
    await settled()
    each.stop()
    await done
    expect(sent).toHaveLength(2)
  })

  test('says that a blob without a file behind it comes in pieces', async () => {
    const { sent, reading: each } = reading()
    await each.run('blob:x', 4, (async () => {
      throw new TypeError('Failed to fetch')
    }) as unknown as typeof fetch)
    expect(sent).toEqual([{ type: 'bytes_failed', job: 'j', why: 'pieces' }])
  })

  test('says that the bytes went away half-way', async () => {
    const { sent, reading: each } = reading()
    let pulls = 0
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) =>
        ++pulls > 1 ? controller.error(new Error('revoked')) : controller.enqueue(BYTES),
    })
    each.more(100)
    await each.run(
      'blob:x',
      4,
      answering(() => new Response(stream)),
    )
    expect(sent.at(-1)).toEqual({ type: 'bytes_failed', job: 'j', why: 'gone' })
  })
})
