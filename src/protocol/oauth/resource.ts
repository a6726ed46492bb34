import { OAuthError } from "../../lib/errors.ts";
import type { RequestParameters } from "./parameters.ts";

/**
 * The resource indicators of a request: absolute URIs without a fragment (RFC 8707 §2), each among those that the
 * client is registered for. None of them is ever ignored: a token for another audience than the one asked for
 * would be accepted where the client did not mean it to be.
 * @throws OAuthError invalid_target
 */
export function requestedResources(parameters: RequestParameters, registered: readonly string[]): string[] {
  const resources = [...new Set(parameters.getAll("resource"))];
  for (const resource of resources) {
    if (resource.includes("#") || !URL.canParse(resource))
      throw new OAuthError("invalid_target", "A resource is not an absolute URI without a fragment.");
    if (!registered.includes(resource))
      throw new OAuthError("invalid_target", "The client is not registered for a requested resource.");
  }
  return resources;
}
