// A DOM tree as a debugging protocol hands it out, closed shadow roots included.

export interface Tree<Reference> {
  reference: Reference
  name: string
  attributes: Record<string, string>
  children: Tree<Reference>[]
}

/** Elements of a tree in document order, the root included, that a test holds for. */
export function* findAll<Reference>(
  tree: Tree<Reference>,
  holds: (node: Tree<Reference>) => boolean,
): Generator<Tree<Reference>> {
  if (holds(tree)) yield tree
  for (const child of tree.children) yield* findAll(child, holds)
}

/** The badge buttons in a document. */
export function badgeButtons<Reference>(document: Tree<Reference>, host: string): Tree<Reference>[] {
  const isHost = (node: Tree<Reference>) => node.name === host
  const isButton = (node: Tree<Reference>) => hasPart(node, 'badge')
  return [...findAll(document, isHost)].flatMap((badge) => [...findAll(badge, isButton)])
}

function hasPart<Reference>(node: Tree<Reference>, part: string): boolean {
  return (node.attributes.part ?? '').split(/\s+/).includes(part)
}
