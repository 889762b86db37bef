import { expect, test } from 'vitest'
import { bodyOf, encodedChunks, recut, toBase64 } from '../src/native/base64'

async function* pieces(...sizes: number[]): AsyncGenerator<Uint8Array> {
  let value = 0
  for (const size of sizes) yield Uint8Array.from({ length: size }, () => value++ % 256)
}

async function collect<T>(from: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of from) all.push(each)
  return all
}

const decoded = (text: string) => [...Buffer.from(text, 'base64')]

test.each([0, 1, 2, 3, 255, 0x8000, 0x8000 + 1, 200_000])('encodes %i bytes as base64', (size) => {
  const bytes = Uint8Array.from({ length: size }, (_, at) => (at * 7) % 256)
  expect(decoded(toBase64(bytes))).toEqual([...bytes])
})

test('uses the encoder of the browser where there is one', () => {
  const bytes = Object.assign(new Uint8Array(3), { toBase64: () => 'native' })
  expect(toBase64(bytes)).toBe('native')
})

test.each([
  { sizes: [], chunk: 4, lengths: [] },
  { sizes: [4], chunk: 4, lengths: [4] },
  { sizes: [1, 1, 1, 1, 1], chunk: 4, lengths: [4, 1] },
  { sizes: [13], chunk: 4, lengths: [4, 4, 4, 1] },
  { sizes: [3, 9, 0, 2], chunk: 5, lengths: [5, 5, 4] },
])('cuts pieces of $sizes into chunks of $chunk', async ({ sizes, chunk, lengths }) => {
  const chunks = await collect(recut(pieces(...sizes), chunk))
  expect(chunks.map(({ length }) => length)).toEqual(lengths)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  expect(chunks.flatMap((each) => [...each])).toEqual(Array.from({ length: total }, (_, at) => at % 256))
})

test('gives a stream as base64 chunks that join to the same bytes', async () => {
  const body = Uint8Array.from({ length: 1000 }, (_, at) => at % 251)
  const chunks = await collect(encodedChunks(bodyOf(new Response(body)), 300))
  expect(chunks).toHaveLength(4)
  expect(chunks.flatMap(decoded)).toEqual([...body])
})

test('cancels the transfer when nobody reads on', async () => {
  let cancelled = false
  const stream = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => {
      cancelled = true
    },
  })
  for await (const _ of bodyOf(new Response(stream))) break
  expect(cancelled).toBe(true)
})
