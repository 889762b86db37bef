/**
 * Whether this browser hands out pixels as they are. Some alter what a page reads from a canvas, a little and at
 * random, so that visitors cannot be told apart ("farbling"). Such pixels prove nothing about a video.
 */

export interface ProbeCanvas {
  width: number
  height: number
  getContext(kind: '2d', options: { willReadFrequently: boolean }): ProbeContext | null
}

export interface ProbeContext {
  createImageData(width: number, height: number): ImageData
  putImageData(image: ImageData, x: number, y: number): void
  getImageData(x: number, y: number, width: number, height: number): ImageData
}

// Two sizes: noise may depend on the canvas's size, and small canvases may be left alone.
const SIZES = [
  [32, 16],
  [320, 180],
] as const

/** Draws known pixels and reads them back. True only if every byte is the same, both times. */
export function pixelsAreTrue(makeCanvas: () => ProbeCanvas): boolean {
  return SIZES.every(([width, height]) => {
    const canvas = makeCanvas()
    canvas.width = width
    canvas.height = height
    const context = canvas.getContext('2d', { willReadFrequently: true })
    if (!context) return false
    const drawn = context.createImageData(width, height)
    fill(drawn.data)
    context.putImageData(drawn, 0, 0)
    const first = context.getImageData(0, 0, width, height).data
    const second = context.getImageData(0, 0, width, height).data
    return same(drawn.data, first) && same(drawn.data, second)
  })
}

/** Opaque pixels of every colour value: smooth and rough places, since noise may spare flat ones. */
function fill(data: Uint8ClampedArray): void {
  // Lehmer's generator (Park and Miller 1988): the same pixels every time.
  let state = 20_231
  for (let at = 0; at < data.length; at += 4) {
    state = (state * 16_807) % 2_147_483_647
    const rough = (at >> 2) % 2 === 0
    data[at] = rough ? state & 255 : (at >> 4) & 255
    data[at + 1] = rough ? (state >> 8) & 255 : (at >> 6) & 255
    data[at + 2] = rough ? (state >> 16) & 255 : 128
    data[at + 3] = 255
  }
}

function same(one: Uint8ClampedArray, other: Uint8ClampedArray): boolean {
  return one.length === other.length && one.every((value, at) => value === other[at])
}
