/** Batches of pictures as the daemon reads them: docs/api.md, `POST /v1/scans/{id}/frames`. */

/** Layouts of samples that the daemon reads, in WebCodecs' words. */
export const FORMATS = new Set([
  ...['I420', 'I422', 'I444', 'NV12', 'RGBA', 'RGBX', 'BGRA', 'BGRX'],
  ...['I420P10', 'I422P10', 'I444P10', 'I420P12', 'I422P12', 'I444P12'],
])

export interface Colour {
  matrix: string | null
  primaries: string | null
  transfer: string | null
  full_range: boolean | null
}

/** One picture as the browser gave it, its planes one after the other without padding. */
export interface Picture {
  width: number
  height: number
  format: string
  colour: Colour
  rotation: 0 | 90 | 180 | 270
  /** Media time in seconds. */
  time: number
  samples: Uint8Array
}

/** Consecutive pictures of one size and layout. */
export type Run = readonly Picture[]

/** Whether two pictures can stand in one run. */
export const alike = (one: Picture, other: Picture): boolean =>
  one.width === other.width && one.height === other.height && one.format === other.format

/** The bytes of a batch: length of the head, the head, the samples. */
export async function* batchOf(number: number, run: Run): AsyncGenerator<Uint8Array> {
  const [first] = run
  if (!first) throw new Error('a run without pictures')
  const head = new TextEncoder().encode(
    JSON.stringify({
      run: number,
      width: first.width,
      height: first.height,
      format: first.format,
      times_s: run.map(({ time }) => time),
      colour: first.colour,
      rotation: first.rotation,
    }),
  )
  const start = new Uint8Array(4 + head.length)
  new DataView(start.buffer).setUint32(0, head.length)
  start.set(head, 4)
  yield start
  for (const { samples } of run) yield samples
}

// 8-bit luma of black is 16, or 0 in full range; decoders and scalers are off by one or two.
const DARKEST = 20
// Every so many samples are enough to see that a picture is not black, and prime to any row length in use.
const STEP = 97

/** Whether a picture is black all over, as those of protected videos come out. */
export function isBlack({ format, width, height, samples }: Picture): boolean {
  if (format.endsWith('P10') || format.endsWith('P12')) return false
  const packed = format.startsWith('RGB') || format.startsWith('BGR')
  const end = packed ? samples.length : width * height
  for (let at = 0; at < end; at += STEP) {
    // The fourth byte of a pixel is its alpha.
    if ((samples[at] ?? 0) > DARKEST && !(packed && at % 4 === 3)) return false
  }
  return true
}
