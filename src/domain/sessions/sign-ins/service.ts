/** How people signed in before. */
export { findSignIn, signedInFrom } from "./repo.ts";
