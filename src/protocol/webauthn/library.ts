/**
 * The library that verifies what authenticators answer, loaded with the first passkey: it takes more time and memory than any
 * other, and most processes answer most requests without it.
 */
export const loadWebAuthn = () => import("@simplewebauthn/server");
