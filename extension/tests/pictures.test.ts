/** What is done in the page: the probe, batches, and gathering runs from a video that plays. */

import { beforeEach, describe, expect, test } from 'vitest'
import { batchOf, isBlack, type Picture, type Run } from '../src/pictures/batch'
import { Gathering, MOST_BYTES, type Refusal, type WatchedVideo } from '../src/pictures/gather'
import { Withheld } from '../src/pictures/grab'
import { type ProbeCanvas, pixelsAreTrue } from '../src/pictures/probe'
import { FakeTimers, settled } from './fakes'

type Alter = (data: Uint8ClampedArray, width: number, read: number) => void

/** A canvas that keeps what is put on it, and hands it out altered. */
function canvasWith(alter: Alter): () => ProbeCanvas {
  return () => {
    let held = new Uint8ClampedArray()
    let reads = 0
    const canvas: ProbeCanvas = {
      width: 0,
      height: 0,
      getContext: () => ({
        createImageData: (width, height) =>
          ({ width, height, data: new Uint8ClampedArray(4 * width * height) }) as ImageData,
        putImageData: ({ data }) => {
          held = data.slice()
        },
        getImageData: (_x, _y, width) => {
          const data = held.slice()
          reads += 1
          alter(data, width, reads)
          return { data } as unknown as ImageData
        },
      }),
    }
    return canvas
  }
}

describe('the probe', () => {
  /** Sets byte `at` to what `change` makes of it. */
  const changed =
    (at: number, change: (value: number) => number, where = (_width: number, _read: number) => true): Alter =>
    (data, width, read) => {
      if (where(width, read)) data[at] = change(data[at] ?? 0)
    }
  const table: [string, Alter, boolean][] = [
    ['pixels as they are', () => undefined, true],
    ['one bit of one pixel', changed(401, (value) => value ^ 1), false],
    [
      'noise on large canvases only',
      changed(
        7,
        (value) => value ^ 1,
        (width) => width > 100,
      ),
      false,
    ],
    [
      'another value at the second reading',
      changed(
        4,
        (value) => value ^ 8,
        (_, read) => read > 1,
      ),
      false,
    ],
    ['all white', (data) => void data.fill(255), false],
  ]
  test.each(table)('sees %s', (_, alter, isTrue) => {
    expect(pixelsAreTrue(canvasWith(alter))).toBe(isTrue)
  })

  test('takes a browser without a canvas for one that alters pixels', () => {
    expect(pixelsAreTrue(() => ({ width: 0, height: 0, getContext: () => null }))).toBe(false)
  })
})

const picture = (change: Partial<Picture> = {}): Picture => ({
  width: 4,
  height: 2,
  format: 'I420',
  colour: { matrix: 'bt709', primaries: null, transfer: null, full_range: false },
  rotation: 0,
  time: 1,
  samples: new Uint8Array(12).fill(99),
  ...change,
})

test('a batch is the length of its head, its head, and its samples', async () => {
  const run = [picture(), picture({ time: 1.04 })]
  const pieces: Uint8Array[] = []
  for await (const piece of batchOf(2, run)) pieces.push(piece)
  const [head = new Uint8Array(), ...samples] = pieces
  const length = new DataView(head.buffer).getUint32(0)
  expect(head.length).toBe(4 + length)
  expect(JSON.parse(new TextDecoder().decode(head.subarray(4)))).toEqual({
    run: 2,
    width: 4,
    height: 2,
    format: 'I420',
    times_s: [1, 1.04],
    colour: { matrix: 'bt709', primaries: null, transfer: null, full_range: false },
    rotation: 0,
  })
  expect(samples).toEqual(run.map((each) => each.samples))
})

const filled = (value: number, size = 400) => new Uint8Array(size).fill(value)
const opaqueBlack = () => Uint8Array.from({ length: 4 * 200 }, (_, at) => (at % 4 === 3 ? 255 : 0))
test.each([
  ['luma of black, chroma of grey', 'I420', Uint8Array.from([...filled(16, 200), ...filled(128, 100)]), true],
  ['nearly black', 'NV12', Uint8Array.from([...filled(18, 200), ...filled(127, 100)]), true],
  ['dark grey', 'I420', filled(40), false],
  ['opaque black', 'RGBA', opaqueBlack(), true],
  ['a red picture', 'BGRA', opaqueBlack().map((value, at) => (at % 4 === 2 ? 200 : value)), false],
  ['10 bits, which are not looked at', 'I420P10', filled(0), false],
])('%s (%s): black is %s', (_, format, samples, black) => {
  expect(isBlack(picture({ width: 20, height: 10, format, samples }))).toBe(black)
})

/** A video that presents a picture whenever the test says so. */
class FakeVideo implements WatchedVideo {
  paused = false
  ended = false
  seeking = false
  playbackRate = 1
  readyState = 4
  videoWidth = 4
  videoHeight = 2
  mediaKeys: unknown = null
  waiting: ((now: number, metadata: { mediaTime: number; presentedFrames: number }) => void) | null = null
  presentedFrames = 0

  requestVideoFrameCallback(callback: NonNullable<FakeVideo['waiting']>): number {
    this.waiting = callback
    return 1
  }

  cancelVideoFrameCallback(): void {
    this.waiting = null
  }

  /** Presents pictures, `step` of them between two callbacks. */
  async present(step = 1): Promise<boolean> {
    const waiting = this.waiting
    this.waiting = null
    this.presentedFrames += step
    waiting?.(0, { mediaTime: this.presentedFrames / 25, presentedFrames: this.presentedFrames })
    await settled()
    return waiting !== null
  }
}

describe('gathering', () => {
  let video: FakeVideo
  let timers: FakeTimers
  let runs: [number, Run][]
  let refusals: Refusal[]
  let open: number
  let seen: boolean
  let honest: boolean
  let make: (time: number) => Picture
  let handled: () => Promise<void>
  let failure: Error | null
  let gathering: Gathering

  beforeEach(() => {
    video = new FakeVideo()
    timers = new FakeTimers()
    runs = []
    refusals = []
    open = 0
    seen = true
    honest = true
    failure = null
    make = (time) => picture({ time })
    handled = async () => undefined
    gathering = new Gathering({
      video,
      take: (time) => {
        if (failure) throw failure
        open += 1
        return {
          copy: async () => make(time),
          close: () => {
            open -= 1
          },
        }
      },
      seen: () => seen,
      pixelsAreTrue: () => honest,
      setTimer: timers.setTimer,
      clearTimer: timers.clearTimer,
      onRun: async (number, run) => {
        runs.push([number, run])
        await handled()
      },
      onRefusal: (why) => refusals.push(why),
    })
  })

  const play = async (pictures: number, step = 1) => {
    for (let shown = 0; shown < pictures; shown += 1) {
      if (!video.waiting && timers.set.length > 0) timers.fireNext()
      await video.present(step)
    }
  }

  test('takes eight runs of three consecutive pictures, then stops', async () => {
    gathering.start()
    await play(100)
    expect(runs.map(([number, run]) => [number, run.length])).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [n, 3]),
    )
    for (const [, run] of runs) {
      const times = run.map(({ time }) => Math.round(time * 25))
      expect(times).toEqual([times[0], (times[0] ?? 0) + 1, (times[0] ?? 0) + 2])
    }
    expect([open, timers.set.length, video.waiting]).toEqual([0, 0, null])
  })

  test('spreads them: gaps grow', async () => {
    gathering.start()
    const gaps: number[] = []
    while (timers.set.length > 0) {
      gaps.push(timers.fireNext())
      for (let shown = 0; shown < 3; shown += 1) await video.present()
    }
    expect(gaps).toEqual([0, 700, 700, 3000, 6000, 12_000, 20_000, 30_000])
  })

  test('begins again where a picture was missed, and settles for single ones where it cannot keep up', async () => {
    gathering.start()
    timers.fireNext()
    await video.present()
    await video.present(2)
    await video.present()
    expect(runs).toHaveLength(0)
    await video.present()
    expect(runs[0]?.[1].map(({ time }) => time * 25)).toEqual([3, 4, 5].map((n) => expect.closeTo(n)))
    await play(40, 2)
    expect(runs.slice(1).every(([, run]) => run.length === 1)).toBe(true)
    expect(runs.length).toBeGreaterThan(2)
    expect(open).toBe(0)
  })

  test.each([
    ['paused', () => (video.paused = true)],
    ['ended', () => (video.ended = true)],
    ['seeking', () => (video.seeking = true)],
    ['played faster', () => (video.playbackRate = 2)],
    ['without data', () => (video.readyState = 1)],
    ['not to be seen', () => (seen = false)],
  ])('takes nothing of a video that is %s', async (_, change) => {
    change()
    gathering.start()
    await play(20)
    expect([runs.length, open]).toEqual([0, 0])
    expect(timers.set).toHaveLength(1)
  })

  test('drops what it holds when the video is paused in a run', async () => {
    gathering.start()
    timers.fireNext()
    await video.present()
    video.paused = true
    await video.present()
    expect([runs.length, open]).toEqual([0, 0])
    video.paused = false
    await play(4)
    expect(runs).toHaveLength(1)
  })

  test('has one run in memory at a time: the next waits until this one is handed over', async () => {
    let done: () => void = () => undefined
    handled = () =>
      new Promise((resolve) => {
        done = resolve
      })
    gathering.start()
    await play(20)
    expect([runs.length, video.waiting, timers.set.length]).toEqual([1, null, 0])
    done()
    await settled()
    expect(timers.set).toHaveLength(1)
  })

  test('sends nothing from a browser that alters pixels', async () => {
    honest = false
    gathering.start()
    await play(20)
    expect([refusals, runs.length]).toEqual([['altered'], 0])
  })

  test.each([
    ['before', 0],
    ['in a run', 2],
  ])('leaves a protected video alone: keys set %s', async (_, shown) => {
    gathering.start()
    await play(shown)
    if (shown === 0) {
      gathering.stop()
      video.mediaKeys = {}
      gathering.start()
    }
    video.mediaKeys = {}
    await play(20)
    expect([refusals, runs.length, open]).toEqual([['protected'], 0, 0])
  })

  test('says so where the browser keeps the pictures to itself', async () => {
    failure = new Withheld('tainted')
    gathering.start()
    await play(20)
    expect([refusals, runs.length]).toEqual([['withheld'], 0])
  })

  test('goes on after a picture that could not be taken', async () => {
    failure = new Error('the player was torn down')
    gathering.start()
    await play(3)
    failure = null
    await play(4)
    expect([refusals, runs.length]).toEqual([[], 1])
  })

  test('calls three black runs black, and takes what comes after them', async () => {
    make = (time) => picture({ time, samples: filled(16, 12) })
    gathering.start()
    await play(30)
    expect([refusals, runs.length]).toEqual([['black'], 0])
    make = (time) => picture({ time })
    await play(6)
    expect(runs[0]?.[0]).toBe(0)
  })

  test('begins anew in a larger size, and passes over a smaller one', async () => {
    gathering.start()
    await play(6)
    make = (time) => picture({ time, width: 2, samples: new Uint8Array(6).fill(99) })
    await play(6)
    expect(runs.map(([number]) => number)).toEqual([0, 1])
    make = (time) => picture({ time, width: 8, samples: new Uint8Array(24).fill(99) })
    await play(6)
    expect(runs.map(([number, run]) => [number, run[0]?.width]).slice(2)).toEqual([
      [0, 8],
      [1, 8],
    ])
  })

  test('never hands over more than it may', async () => {
    const large = { length: MOST_BYTES / 4 } as Uint8Array
    make = (time) => picture({ time, format: 'I420P10', samples: large })
    gathering.start()
    await play(30)
    expect(runs).toHaveLength(1)
  })
})
