/** The conditions and orders of searches for SCIM users. */
export { userCondition, userOrder } from "./repo.ts";
