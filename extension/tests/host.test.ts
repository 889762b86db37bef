// @vitest-environment happy-dom
import { expect, test } from 'vitest'
import { closedHost, HOST_NAME } from '../src/page/badge'

test('the page cannot look into the host', () => {
  const { host, root } = closedHost(document)
  expect(host.localName).toBe(HOST_NAME)
  expect(host.shadowRoot).toBeNull()
  expect(root.mode).toBe('closed')
})

test('not even a page that has taken the name of the element for its own', () => {
  class Spy extends HTMLElement {
    constructor() {
      super()
      this.attachShadow({ mode: 'open' })
    }
  }
  customElements.define(HOST_NAME, Spy)
  const { host, root } = closedHost(document)
  expect(host.localName).toBe('div')
  expect(host.shadowRoot).toBeNull()
  expect(root.mode).toBe('closed')
})
