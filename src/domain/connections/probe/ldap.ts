import type { Deps } from "../../../deps.ts";
import { DirectoryError, withDirectory } from "../../ldap/client.ts";
import type { LdapConnection } from "../model.ts";
import { connectionSecrets } from "../service.ts";
import { failed, type Finding, ok, UNREACHABLE, warning } from "./findings.ts";

/** Whether we are let in, and find anything where people are to be found. */
export async function probeLdap(deps: Deps, connection: LdapConnection): Promise<Finding[]> {
  const { config } = connection;
  const { bind_password: password = "" } = await connectionSecrets(deps, connection);
  const reached: Finding[] = [];
  try {
    await withDirectory(deps, config, password, async (directory) => {
      reached.push(ok("connect", "It can be connected to, and its certificate is trusted."));
      await directory.bindAsReader();
      reached.push(ok("bind", "It takes bind_dn and its password."));
      const attributes = [config.subject_attribute];
      const found = await directory.search({
        base: config.base_dn,
        filter: `(${config.subject_attribute}=*)`,
        attributes,
        binary: attributes,
        most: 1,
      });
      reached.push(
        found.length > 0
          ? ok("search", `Entries with ${config.subject_attribute} are found below base_dn.`)
          : warning("search", `No entry with ${config.subject_attribute} is found below base_dn.`),
      );
    });
  } catch (err) {
    if (!(err instanceof DirectoryError)) throw err;
    deps.log.info({ err, connectionId: connection.id }, "a directory's rehearsal failed");
    reached.push(failed(err.step, err.step === "connect" ? UNREACHABLE : `${err.message}.`));
  }
  if (config.url.startsWith("ldap:") && !config.start_tls)
    reached.push(warning("tls", "Passwords travel in the clear: for development alone."));
  return reached;
}
