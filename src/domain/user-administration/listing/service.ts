/** The list of users: a feature of its own, as its queries are. */
export { listUsers, type UserFilter, type UserSort } from "./repo.ts";
