/**
 * How the bytes of a video are got when the daemon may not or cannot fetch its address: rules, and the fetch.
 *
 * The extension holds access to every site, so what it fetches for a page is bounded here: a page must not get
 * it to reach where the browser itself would not have let the page reach.
 */

import { fileName, isBelow, isLocal, isPlaylist, isWeb, parsed, sameOrigin } from '../addresses'
import { bodyOf, encodedChunks } from '../native/base64'
import type { ByteSource } from '../native/upload'
import type { Unreachable } from '../views'
import type { Scan } from '../wire/native'

/** The bytes cannot be had; `why` picks the words that say so. */
export class OutOfReach extends Error {
  constructor(
    readonly why: Unreachable,
    readonly detail: string | null = null,
  ) {
    super(detail ? `${why}: ${detail}` : why)
    this.name = 'OutOfReach'
  }
}

// Codes of docs/threat-model.md: what these say of a video holds whoever fetches it.
const SAME_FOR_THE_BROWSER = new Set(['protected', 'too_large'])

/** Whether the daemon ended without ever having had bytes: then the browser may still be able to get them. */
export function hadNoBytes(scan: Scan): boolean {
  const { kind, size_bytes: size, problem } = scan.source
  const without = scan.verdict.label === 'unreadable' && kind === 'url' && size == null
  return without && !SAME_FOR_THE_BROWSER.has(problem ?? '')
}

/**
 * The scan, unless the daemon gave up for the video's length with nothing of it to examine: that is as long for
 * whoever sends it, but what the browser shows of it can be looked at.
 *
 * @throws OutOfReach
 */
export function withinReach(scan: Scan): Scan {
  const { label, headline } = scan.verdict
  if (label === 'unreadable' && scan.source.problem === 'too_large')
    throw new OutOfReach('too_large', headline)
  return scan
}

/**
 * Whether the extension may fetch this address for this page.
 *
 * The page's own origin is fair: its scripts can read that anyway. So is an address from which the browser has
 * loaded media for the page, because the browser's own rules let the page reach it; anything else could be a page
 * on the web that points a video element at a device in the user's network. An address that says it is local is
 * fair to local pages only, because a page's own service worker can make the browser report a load that never was.
 */
export function mayFetch(url: string, pageUrl: string, loadedByBrowser: boolean): boolean {
  const address = parsed(url)
  if (!address || !isWeb(address) || isPlaylist(url)) return false
  if (sameOrigin(url, pageUrl)) return true
  return loadedByBrowser && (!isLocal(url) || isLocal(pageUrl))
}

// A server that hangs must not hold a place in the queue: this long without a byte, or this long in all.
const STALL_MS = 20_000
const DEADLINE_MS = 5 * 60_000

export interface FetchedBytes extends ByteSource {
  stop: () => void
}

/**
 * Fetches with the extension's host permission, from the browser's cache where it can.
 *
 * Cookies go along only to the page's own host and those below it: an extension's request counts as the site's
 * own, and a foreign page must not borrow a login through it.
 *
 * @throws OutOfReach
 */
export async function fetchBytes(
  url: string,
  pageUrl: string,
  browser: { fetcher: typeof fetch; mayAccess: (url: string) => Promise<boolean> },
): Promise<FetchedBytes> {
  const { fetcher } = browser
  const stop = new AbortController()
  const deadline = setTimeout(() => stop.abort(), DEADLINE_MS)
  const end = () => {
    clearTimeout(deadline)
    stop.abort()
  }
  let response: Response
  try {
    response = await unlessStalled(stop, () =>
      fetcher(url, {
        credentials: isBelow(url, pageUrl) ? 'include' : 'omit',
        cache: 'force-cache',
        signal: stop.signal,
      }),
    )
  } catch (error) {
    end()
    if (!(await browser.mayAccess(url))) throw new OutOfReach('no_permission')
    throw new OutOfReach('network', error instanceof Error ? error.message : String(error))
  }
  if (!response.ok) {
    end()
    throw new OutOfReach('status', String(response.status))
  }
  const declared = Number(response.headers.get('content-length'))
  // A compressed transfer announces the compressed length; the bytes that arrive are more.
  const encoded = response.headers.get('content-encoding')
  return {
    size: declared > 0 && !encoded ? declared : null,
    name: fileName(url),
    chunks: (chunkBytes) => encodedChunks(watched(bodyOf(response), stop), chunkBytes),
    stop: end,
  }
}

/** The same stream, aborted when it stalls; a transfer that breaks is out of reach. */
async function* watched(
  stream: AsyncGenerator<Uint8Array>,
  stop: AbortController,
): AsyncGenerator<Uint8Array> {
  try {
    for (;;) {
      const { done, value } = await unlessStalled(stop, () => stream.next())
      if (done) return
      yield value
    }
  } catch (error) {
    throw new OutOfReach('network', error instanceof Error ? error.message : String(error))
  } finally {
    await stream.return(undefined)
  }
}

/** Waits for the network, not for ever. The time that the reader takes between two waits does not count. */
async function unlessStalled<T>(stop: AbortController, wait: () => Promise<T>): Promise<T> {
  const timer = setTimeout(() => stop.abort(), STALL_MS)
  try {
    return await wait()
  } finally {
    clearTimeout(timer)
  }
}
