/**
 * How the bytes of a video are got when the daemon may not or cannot fetch its address: rules, and the fetch.
 *
 * The extension holds access to every site, so what it fetches for a page is bounded here: a page must not get
 * it to reach where the browser itself would not have let the page reach.
 */

import { fileName, isPlaylist, isWeb, parsed, sameFamily } from '../addresses'
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

/** Whether the daemon ended without ever having had bytes: then the browser may still be able to get them. */
export function hadNoBytes(scan: Scan): boolean {
  return scan.verdict.label === 'unreadable' && scan.source.kind === 'url' && scan.source.size_bytes == null
}

/**
 * Whether the extension may fetch this address for this page.
 *
 * Public or private, the address is fair where the browser has loaded media from it for the page already, or
 * where it is on the page's own host. Anything else could be a page on the web pointing a video element at a
 * device in the user's network, which the browser's own rules for local networks may have stopped.
 */
export function mayFetch(url: string, pageUrl: string, loadedByBrowser: boolean): boolean {
  const address = parsed(url)
  if (!address || !isWeb(address) || isPlaylist(url)) return false
  return loadedByBrowser || sameFamily(url, pageUrl)
}

export interface FetchedBytes extends ByteSource {
  stop: () => void
}

/**
 * Fetches with the extension's host permission, from the browser's cache where it can.
 *
 * Cookies go along only where video and page are of one family: an extension's request counts as the site's
 * own, and a foreign page must not borrow a login through it.
 *
 * @throws OutOfReach
 */
export async function fetchBytes(
  url: string,
  pageUrl: string,
  fetcher: typeof fetch = fetch,
): Promise<FetchedBytes> {
  const stop = new AbortController()
  let response: Response
  try {
    response = await fetcher(url, {
      credentials: sameFamily(url, pageUrl) ? 'include' : 'omit',
      cache: 'force-cache',
      signal: stop.signal,
    })
  } catch (error) {
    throw new OutOfReach('network', error instanceof Error ? error.message : String(error))
  }
  if (!response.ok) {
    stop.abort()
    throw new OutOfReach('status', String(response.status))
  }
  const declared = Number(response.headers.get('content-length'))
  // A compressed transfer announces the compressed length; the bytes that arrive are more.
  const encoded = response.headers.get('content-encoding')
  return {
    size: declared > 0 && !encoded ? declared : null,
    name: fileName(url),
    chunks: (chunkBytes) => encodedChunks(bodyOf(response), chunkBytes),
    stop: () => stop.abort(),
  }
}
