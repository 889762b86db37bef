/** Whether something of the page lies over a video where its badge would sit. */

/**
 * What covers a video is mostly its own player: overlays, controls, captions, links. Those are part of what the
 * person sees as the video, so the badge sits above them. What belongs to the page instead is held in place while
 * the page scrolls (a sticky header, a consent dialog): the badge must not shine through that.
 *
 * @param x, y the point, in CSS pixels of the viewport.
 * @param own the badge's host, which does not count.
 */
export function isCovered(video: HTMLVideoElement, x: number, y: number, own: Element): boolean {
  const root = video.getRootNode() as Document | ShadowRoot
  const document = video.ownerDocument
  const above = document.elementsFromPoint(x, y).find((element) => element !== own)
  if (!above) return false
  const anchor = root === document ? video : outermostHost(video)
  if (above === anchor || above.contains(anchor) || anchor.contains(above)) return false
  for (let step: Element | null = above; step && !step.contains(anchor); step = parentOf(step)) {
    const { position } = document.defaultView?.getComputedStyle(step) ?? { position: 'static' }
    if (position === 'fixed' || position === 'sticky') return true
  }
  return false
}

function parentOf(element: Element): Element | null {
  if (element.parentElement) return element.parentElement
  const root = element.getRootNode()
  return 'host' in root ? (root as ShadowRoot).host : null
}

/** The element of the document itself whose shadow trees hold this one. */
function outermostHost(element: Element): Element {
  let root = element.getRootNode()
  let host: Element = element
  while ('host' in root) {
    host = (root as ShadowRoot).host
    root = host.getRootNode()
  }
  return host
}
