/** The conditions and orders of searches for SCIM groups. */
export { groupCondition, groupOrder } from "./repo.ts";
