/** How people signed in before. */
export { findSignIn, hasSignedInFrom } from "./repo.ts";
