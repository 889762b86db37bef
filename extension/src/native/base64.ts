interface Base64Encoder {
  toBase64?: () => string
}

// String.fromCharCode takes its bytes as arguments; engines bound their number (65,536 is safe in both).
const BYTES_PER_CALL = 0x8000

/** Base64 of the bytes. Uses the browser's own encoder where there is one (Firefox 133, Chrome 140). */
export function toBase64(bytes: Uint8Array): string {
  const own = (bytes as Base64Encoder).toBase64
  if (own) return own.call(bytes)
  const pieces: string[] = []
  for (let at = 0; at < bytes.length; at += BYTES_PER_CALL) {
    pieces.push(String.fromCharCode(...bytes.subarray(at, at + BYTES_PER_CALL)))
  }
  return btoa(pieces.join(''))
}

/** Cuts a stream of byte arrays of any size into arrays of exactly `size` bytes and a shorter last one. */
export async function* recut(stream: AsyncIterable<Uint8Array>, size: number): AsyncGenerator<Uint8Array> {
  let held = new Uint8Array(size)
  let filled = 0
  for await (const piece of stream) {
    let at = 0
    while (at < piece.length) {
      const take = Math.min(size - filled, piece.length - at)
      held.set(piece.subarray(at, at + take), filled)
      filled += take
      at += take
      if (filled === size) {
        yield held
        held = new Uint8Array(size)
        filled = 0
      }
    }
  }
  if (filled > 0) yield held.subarray(0, filled)
}

/** The pieces of a response body as they arrive. Leaving the loop early cancels the transfer. */
export async function* bodyOf(response: Response): AsyncGenerator<Uint8Array> {
  if (!response.body) return
  const reader = response.body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    reader.cancel().catch(() => {
      // Already closed or failed: nothing left to cancel.
    })
  }
}

/** The stream as base64 of `chunkBytes` bytes each, the last one shorter. */
export async function* encodedChunks(
  stream: AsyncIterable<Uint8Array>,
  chunkBytes: number,
): AsyncGenerator<string> {
  for await (const chunk of recut(stream, chunkBytes)) yield toBase64(chunk)
}
