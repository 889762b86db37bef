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
 * Whether one host is the other or a subdomain of it. Stricter than the browsers' "same site" (it does not
 * know that a.example.com and b.example.com belong together), which errs on the side of sending no cookies.
 */
export function sameFamily(one: string, other: string): boolean {
  const a = parsed(one)
  const b = parsed(other)
  if (!a || !b || a.protocol !== b.protocol) return false
  return (
    a.hostname === b.hostname ||
    a.hostname.endsWith(`.${b.hostname}`) ||
    b.hostname.endsWith(`.${a.hostname}`)
  )
}

/** HLS and DASH playlists: text that names the media, of no use as bytes to examine. */
export function isPlaylist(url: string): boolean {
  return /\.(m3u8|mpd)$/i.test(parsed(url)?.pathname ?? '')
}
