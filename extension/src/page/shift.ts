/**
 * Notices that an element moved in the viewport although neither it nor the page scrolled or changed size (an
 * advertisement above it collapsed, a sidebar opened). No event tells that; an IntersectionObserver whose root is
 * cut to exactly where the element is now does, as soon as it is somewhere else.
 */
export class ShiftObserver {
  private observer: IntersectionObserver | null = null
  private at = ''

  constructor(
    private readonly element: Element,
    private readonly onShift: () => void,
  ) {}

  /** Watches from the element's present place; cheap when that has not changed. */
  settle(box: DOMRect): void {
    const { documentElement, defaultView } = this.element.ownerDocument
    const width = documentElement.clientWidth || defaultView?.innerWidth || 0
    const height = documentElement.clientHeight || defaultView?.innerHeight || 0
    const margin = [
      -Math.floor(box.top),
      -Math.floor(width - box.right),
      -Math.floor(height - box.bottom),
      -Math.floor(box.left),
    ]
      .map((px) => `${px}px`)
      .join(' ')
    if (margin === this.at && this.observer) return
    this.stop()
    this.at = margin
    let first = true
    try {
      this.observer = new IntersectionObserver(
        () => {
          // The first report says how things are, not that they changed.
          if (first) first = false
          else this.onShift()
        },
        // In a frame the margin only works against the frame's own document.
        { root: this.element.ownerDocument, rootMargin: margin, threshold: [0.5, 0.9, 0.99, 1] },
      )
      this.observer.observe(this.element)
    } catch {
      // A browser without a document root: moves without scroll or resize are then seen at the next event.
      this.observer = null
    }
  }

  stop(): void {
    this.observer?.disconnect()
    this.observer = null
    this.at = ''
  }
}
