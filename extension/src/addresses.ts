/** What addresses say: pure functions over URLs. */

export function parsed(url: string): URL | null {
  try {
    return new URL(url)
  } catch {
    return null
  }
}

/** The name under which a site is switched off: its host, or null for pages that belong to no site. */
export function siteOf(url: string): string | null {
  const address = parsed(url)
  return address && isWeb(address) ? address.hostname : null
}

export const isWeb = (address: URL): boolean => address.protocol === 'http:' || address.protocol === 'https:'

/** The address without its fragment: `#t=10` plays another part of the same bytes. */
export function withoutFragment(url: string): string {
  const at = url.indexOf('#')
  return at < 0 ? url : url.slice(0, at)
}

/** The file name at the end of a web address, decoded, or null. */
export function fileName(url: string): string | null {
  const address = parsed(url)
  if (!address || !isWeb(address)) return null
  const last = address.pathname.split('/').pop() ?? ''
  try {
    return decodeURIComponent(last) || null
  } catch {
    // A stray percent sign: the raw name will do.
    return last || null
  }
}

/**
 * Whether what a page's host may see of its visitor's login includes this address: its own host and those below
 * it. Never those above: a page on one name of a shared domain is not the domain.
 */
export function isBelow(url: string, pageUrl: string): boolean {
  const video = parsed(url)
  const page = parsed(pageUrl)
  if (!video || !page || video.protocol !== page.protocol) return false
  return video.hostname === page.hostname || video.hostname.endsWith(`.${page.hostname}`)
}

export function sameOrigin(url: string, pageUrl: string): boolean {
  const video = parsed(url)
  return video !== null && video.origin === parsed(pageUrl)?.origin
}

// Loopback, private and shared ranges of RFC 6890, and "this host"; names that never leave the local network
// (RFC 6761, RFC 6762, and names without a dot). URL has already brought every spelling to the canonical one.
const IS_V4 = /^\d+(\.\d+){3}$/
const LOCAL_V4 =
  /^(0|10|127)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./
const LOCAL_V6 = /^\[(::|f[cd]|fe[89ab])/
const LOCAL_NAME = /(^|\.)(localhost|local|internal|home\.arpa)\.?$|^[^.[\]]+$/

/** Whether the address says of itself that it lies on this computer or in the user's own network. */
export function isLocal(url: string): boolean {
  const host = parsed(url)?.hostname ?? ''
  return (IS_V4.test(host) && LOCAL_V4.test(host)) || LOCAL_V6.test(host) || LOCAL_NAME.test(host)
}

/** HLS and DASH playlists: text that names the media, of no use as bytes to examine. */
export function isPlaylist(url: string): boolean {
  return /\.(m3u8|mpd)$/i.test(parsed(url)?.pathname ?? '')
}
