import { FederationRefusal } from "../refusals.ts";

/** What an upstream provider did that it must not do, or did not do that it has to. For our log alone. */
export class UpstreamError extends Error {
  override readonly name = "UpstreamError";

  constructor(
    readonly step: "discovery" | "authorization" | "token" | "id_token" | "userinfo" | "mapping",
    message: string,
  ) {
    super(`${step}: ${message}`);
  }
}

/** An error answer of the upstream's authorization endpoint (RFC 6749 §4.1.2.1, OpenID Connect Core §3.1.2.6). */
export class UpstreamDenial extends FederationRefusal {
  constructor(readonly error: string) {
    const denied = error === "access_denied" || error === "user_cancelled_authorize";
    super(denied ? "denied" : "upstream_failed", {
      cause: new UpstreamError(
        "authorization",
        `it answered ${/^[\w.-]{1,64}$/.test(error) ? error : "an error"}`,
      ),
    });
  }
}

/** One refusal for all that goes wrong there; what it was is for the log, without what was sent or answered. */
export async function refusing<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FederationRefusal) throw error;
    throw new FederationRefusal("upstream_failed", { cause: withoutContents(error) });
  }
}

/** The library's errors hold whole responses, tokens among them. */
function withoutContents(error: unknown): Error {
  if (!(error instanceof Error)) return new Error("something that is no error");
  const code = "code" in error && typeof error.code === "string" ? ` (${error.code})` : "";
  const reason = error.cause instanceof Error ? `: ${error.cause.message}` : "";
  return new Error(`${error.name}: ${error.message}${code}${reason}`);
}
