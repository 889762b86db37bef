/**
 * One picture of a playing video, as it was decoded where the browser hands that out, else as it is drawn.
 *
 * Nothing here touches how the page plays its video: no seeking, no pausing, no `crossorigin`.
 */

import { type Colour, FORMATS, type Picture } from './batch'

/** The picture belongs to another site, and the browser keeps it from extensions. */
export class Withheld extends Error {}

/** A picture that was taken, whose samples are still to be copied. Taking is quick; copying may not be. */
export interface Taken {
  copy(): Promise<Picture>
  close(): void
}

export interface PlayingVideo {
  videoWidth: number
  videoHeight: number
}

/** What WebCodecs gives; lib.dom knows it, but some browsers have none. */
type FrameMaker = new (source: CanvasImageSource, init?: VideoFrameInit) => VideoFrame

const UNKNOWN: Colour = { matrix: null, primaries: null, transfer: null, full_range: null }
const TURNS = new Set([0, 90, 180, 270])

/**
 * Takes what the video shows now.
 *
 * @throws Withheld
 */
export function take(
  video: HTMLVideoElement,
  time: number,
  makeCanvas: () => HTMLCanvasElement,
  Frame: FrameMaker | undefined,
): Taken {
  if (Frame) {
    try {
      return new TakenFrame(new Frame(video), time, () => draw(video, time, makeCanvas))
    } catch {
      // Firefox gives no frame of another site's video, but lets extensions draw it.
    }
  }
  const drawn = draw(video, time, makeCanvas)
  return { copy: async () => drawn, close: () => undefined }
}

class TakenFrame implements Taken {
  constructor(
    private readonly frame: VideoFrame,
    private readonly time: number,
    private readonly instead: () => Picture,
  ) {}

  async copy(): Promise<Picture> {
    const { frame, time } = this
    const rect = frame.visibleRect
    if (!rect) return this.instead()
    // A decoder on the graphics card may not say what it made; then it is converted, as for a canvas.
    const own = frame.format !== null && FORMATS.has(frame.format)
    const options = own ? {} : { format: 'RGBA' as const }
    const samples = new Uint8Array(frame.allocationSize(options))
    await frame.copyTo(samples, options)
    const { matrix = null, primaries = null, transfer = null, fullRange = null } = frame.colorSpace
    const turn = (frame as { rotation?: number }).rotation ?? 0
    return {
      width: rect.width,
      height: rect.height,
      format: own ? (frame.format as string) : 'RGBA',
      colour: own ? { matrix, primaries, transfer, full_range: fullRange } : UNKNOWN,
      rotation: (TURNS.has(turn) ? turn : 0) as Picture['rotation'],
      time,
      samples,
    }
  }

  close(): void {
    this.frame.close()
  }
}

/** At native size, on a canvas that the browser keeps where reading it back is cheap. */
function draw(video: HTMLVideoElement, time: number, makeCanvas: () => HTMLCanvasElement): Picture {
  const { videoWidth: width, videoHeight: height } = video
  const canvas = makeCanvas()
  if (canvas.width !== width) canvas.width = width
  if (canvas.height !== height) canvas.height = height
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) throw new Withheld('no canvas')
  try {
    context.drawImage(video, 0, 0, width, height)
    const { data } = context.getImageData(0, 0, width, height)
    return {
      width,
      height,
      format: 'RGBA',
      colour: UNKNOWN,
      rotation: 0,
      time,
      samples: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    }
  } catch (error) {
    // A tainted canvas: this browser keeps other sites' pictures from extensions.
    if (error instanceof Error && error.name === 'SecurityError') throw new Withheld(error.message)
    throw error
  }
}
