/** What is in a copy of a person's data. */
export { sections } from "./repo.ts";
