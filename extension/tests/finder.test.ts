// @vitest-environment happy-dom
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { VideoFinder } from '../src/page/finder'
import { FakeTimers } from './fakes'

/** Mutation observers report in microtasks, some engines only in the next task. */
const observed = () => new Promise((resolve) => setTimeout(resolve, 5))

describe('the finder', () => {
  let found: HTMLVideoElement[]
  let lost: HTMLVideoElement[]
  let changed: [HTMLVideoElement, string][]
  let planned: (() => void)[]
  let timers: FakeTimers
  let finder: VideoFinder

  /** Lets observers report and the finder catch up. Returns how often it had planned to. */
  const catchUp = async (): Promise<number> => {
    await observed()
    const count = planned.length
    for (const work of planned.splice(0)) work()
    return count
  }

  beforeEach(() => {
    document.body.innerHTML = ''
    found = []
    lost = []
    changed = []
    planned = []
    timers = new FakeTimers()
    finder = new VideoFinder({
      document,
      shadowRootOf: (element) => element.shadowRoot,
      soon: (work) => planned.push(work),
      setTimer: timers.setTimer,
      found: (video) => found.push(video),
      lost: (video) => lost.push(video),
      changed: (video, event) => changed.push([video, event]),
      onMutation: () => undefined,
    })
  })

  afterEach(() => finder.stop())

  const ids = (videos: HTMLVideoElement[]) => videos.map(({ id }) => id)

  test('finds what is there, also in shadow roots in shadow roots', () => {
    document.body.innerHTML =
      '<video id="a"></video><div id="outer"></div><main><section><video id="b"></video></section></main>'
    const outer = document.getElementById('outer')?.attachShadow({ mode: 'open' }) as ShadowRoot
    outer.innerHTML = '<x-player></x-player>'
    const inner = outer.querySelector('x-player')?.attachShadow({ mode: 'open' }) as ShadowRoot
    inner.innerHTML = '<p><video id="c"></video></p>'
    finder.start()
    expect(ids(found).sort()).toEqual(['a', 'b', 'c'])
  })

  test('finds what is added later, wherever in the added part, and catches up once for many changes', async () => {
    finder.start()
    for (const id of ['a', 'b', 'c']) {
      const box = document.createElement('div')
      box.innerHTML = `<p><video id="${id}"></video></p>`
      document.body.append(box)
    }
    document.body.append(Object.assign(document.createElement('video'), { id: 'd' }))
    expect(await catchUp()).toBe(1)
    expect(ids(found)).toEqual(['a', 'b', 'c', 'd'])
  })

  test('finds what is added to a shadow root later', async () => {
    const root = document.body.appendChild(document.createElement('div')).attachShadow({ mode: 'open' })
    finder.start()
    root.innerHTML = '<video id="a"></video>'
    await catchUp()
    expect(ids(found)).toEqual(['a'])
  })

  test('looks again, a few times only, for a shadow root that a custom element gets later', () => {
    const host = document.body.appendChild(document.createElement('late-player'))
    document.body.append(document.createElement('never-player'))
    finder.start()
    timers.fireNext()
    host.attachShadow({ mode: 'open' }).innerHTML = '<video id="a"></video>'
    const waits = []
    while (timers.set.length > 0) waits.push(timers.fireNext())
    expect(ids(found)).toEqual(['a'])
    expect(waits.length).toBeLessThanOrEqual(4)
  })

  test('says when a video has left, but not when it was only moved', async () => {
    document.body.innerHTML = '<div><video id="a"></video></div><div><video id="b"></video></div><p></p>'
    finder.start()
    const [a, b] = found as [HTMLVideoElement, HTMLVideoElement]
    a.parentElement?.remove()
    document.querySelector('p')?.append(b)
    await catchUp()
    expect(ids(lost)).toEqual(['a'])
    expect(ids(found)).toEqual(['a', 'b'])
  })

  test('forgets the videos of a shadow root that has left', async () => {
    const host = document.body.appendChild(document.createElement('div'))
    host.attachShadow({ mode: 'open' }).innerHTML = '<video id="a"></video>'
    finder.start()
    host.remove()
    await catchUp()
    expect(ids(lost)).toEqual(['a'])
  })

  test.each(['loadstart', 'emptied', 'loadedmetadata', 'encrypted', 'playing', 'error'])(
    'hears %s, which does not bubble',
    (name) => {
      document.body.innerHTML = '<video id="a"></video>'
      finder.start()
      found[0]?.dispatchEvent(new Event(name))
      expect(changed).toEqual([[found[0], name]])
    },
  )

  test('hears media events inside shadow roots', () => {
    const host = document.body.appendChild(document.createElement('div'))
    host.attachShadow({ mode: 'open' }).innerHTML = '<video id="a"></video>'
    finder.start()
    found[0]?.dispatchEvent(new Event('loadstart'))
    expect(changed).toHaveLength(1)
  })

  test('takes the failure of a source element as news of its video', () => {
    document.body.innerHTML = '<video id="a"><source src="a.mp4"></video>'
    finder.start()
    found[0]?.querySelector('source')?.dispatchEvent(new Event('error'))
    expect(changed).toEqual([[found[0], 'error']])
  })

  test('does nothing after it was stopped', async () => {
    document.body.innerHTML = '<video id="a"></video>'
    finder.start()
    finder.stop()
    expect(ids(lost)).toEqual(['a'])
    document.body.append(document.createElement('video'))
    await catchUp()
    expect(found).toHaveLength(1)
  })

  test('is quick on a large page', () => {
    document.body.innerHTML = '<div><span>x</span><a>y</a></div>'.repeat(3000)
    const started = performance.now()
    finder.start()
    expect(performance.now() - started).toBeLessThan(2000)
  })
})
