import { xmlCrypto } from "./libraries.ts";

/**
 * Exclusive canonicalization without comments (xml-exc-c14n §3).
 * @param inclusivePrefixes what `InclusiveNamespaces` names: declared on the element even where it does not use them
 * @returns what is signed, byte for byte
 */
export function canonicalize(element: Element, inclusivePrefixes: readonly string[] = []): Buffer {
  const text = new (xmlCrypto().ExclusiveCanonicalization)().process(element, {
    inclusiveNamespacesPrefixList: [...inclusivePrefixes],
    ancestorNamespaces: inclusivePrefixes.flatMap((prefix) => {
      const namespaceURI = element.lookupNamespaceURI(prefix);
      return namespaceURI === null ? [] : [{ prefix, namespaceURI }];
    }),
  });
  return Buffer.from(text);
}
