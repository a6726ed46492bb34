import { OAuthError } from "../../lib/errors.ts";
import type { RequestParameters } from "./parameters.ts";

/**
 * The resource indicators of a request: absolute URIs without a fragment (RFC 8707 §2), each among those that the
 * client is registered for. None of them is ever ignored: a token for another audience than the one asked for
 * would be accepted where the client did not mean it to be.
 * @throws OAuthError invalid_target
 */
export function requestedResources(parameters: RequestParameters, registered: readonly string[]): string[] {
  const resources = wellFormedResources(parameters);
  for (const resource of resources) {
    if (!registered.includes(resource))
      throw new OAuthError("invalid_target", "The client is not registered for a requested resource.");
  }
  return resources;
}

/**
 * The resources of one access token out of those that were granted (RFC 8707 §2.2): all of them, or fewer.
 * @throws OAuthError invalid_target
 */
export function narrowedResources(requested: readonly string[], granted: readonly string[]): string[] {
  if (requested.some((resource) => !granted.includes(resource)))
    throw new OAuthError("invalid_target", "A requested resource was not granted.");
  return requested.length > 0 ? [...requested] : [...granted];
}

/**
 * The resource indicators of a request as far as their form goes; whether they may be had depends on the grant.
 * @throws OAuthError invalid_target
 */
export function wellFormedResources(parameters: RequestParameters): string[] {
  const resources = [...new Set(parameters.getAll("resource"))];
  if (resources.some((resource) => resource.includes("#") || !URL.canParse(resource)))
    throw new OAuthError("invalid_target", "A resource is not an absolute URI without a fragment.");
  return resources;
}
