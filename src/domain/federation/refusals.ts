import { AppError, type AppErrorOptions } from "../../lib/errors.ts";

/** Why a sign-in through a connection came to nothing. What a page tells the person, and nobody else learns. */
const federationProblems = {
  /** The trip is unknown, used, too old, or another browser's. */
  trip_lost: [
    400,
    "This sign-in took too long, was used already, or began in another browser. Please start again.",
  ],
  unavailable: [404, "There is no such way to sign in, or it was switched off."],
  denied: [403, "The sign-in was cancelled there. You can try again, or sign in another way."],
  upstream_failed: [
    502,
    "The provider did not complete the sign-in. Please try again, or sign in another way.",
  ],
  account_disabled: [403, "This account cannot sign in. Please ask an administrator."],
  sign_up_closed: [403, "You have no account here yet, and none can be made this way."],
  subaddress_blocked: [403, "Addresses with a plus sign cannot sign up this way."],
  email_unconfirmed: [
    403,
    "The provider has not confirmed your email address. Please confirm it there first.",
  ],
  account_exists: [
    409,
    "There is an account with this address already. Sign in to it another way, and connect the provider in your account.",
  ],
  linked_elsewhere: [409, "This account of the provider is connected to another account here."],
  link_lost: [
    403,
    "You are signed in as somebody else by now. Please open your account again and retry from there.",
  ],
} as const satisfies Record<string, readonly [number, string]>;

export type FederationProblem = keyof typeof federationProblems;

/** The code that programs see is `federation_` and the problem. */
export class FederationRefusal extends AppError {
  override readonly name = "FederationRefusal";

  /** @param options `cause`: what was wrong, for the log alone */
  constructor(
    readonly problem: FederationProblem,
    options: Pick<AppErrorOptions, "cause"> = {},
  ) {
    const [status, message] = federationProblems[problem];
    super(status, `federation_${problem}`, message, options);
  }
}
