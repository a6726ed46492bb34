/** Filters of RFC 7644 §3.4.2.2 as conditions of SQL, for the repos of the resources that are searched. */
export { conditionOf, type Source, type SourceOf, type SpecialComparison } from "./repo.ts";
