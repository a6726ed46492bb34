/** A Firebase project's hash parameters: its signer key is as much worth as all of its users' hashes, and kept sealed. */
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Deps } from "../../deps.ts";
import { validationError } from "../../lib/errors.ts";
import { sealWith, unsealWith } from "../../lib/master-keys.ts";
import { SIGNER_KEY_CONTEXT } from "../passwords/verifying.ts";
import { type FirebaseHashing, readBase64 } from "./model.ts";
import type { UserImport } from "./repo.ts";

/** As the project's console shows them; the key and the separator in base64. */
const Parameters = Type.Object({
  signer_key: Type.String({ minLength: 16, maxLength: 512 }),
  salt_separator: Type.String({ maxLength: 128 }),
  rounds: Type.Integer({ minimum: 1, maximum: 16 }),
  mem_cost: Type.Integer({ minimum: 1, maximum: 16 }),
});

const contextOf = ({ id }: Pick<UserImport, "id">) => `user-import-firebase/${id}`;

/**
 * @param text JSON
 * @returns the parameters, sealed for the import
 * @throws AppError 422
 */
export function sealFirebaseParameters(
  deps: Deps,
  of: Pick<UserImport, "id">,
  text: string,
): { keyId: string; box: Buffer } {
  const parameters = readParameters(text);
  const signerKey = parameters && readBase64(parameters.signer_key);
  const separator = parameters && readSeparator(parameters.salt_separator);
  if (!parameters || !signerKey || !separator)
    throw validationError([
      {
        field: "firebase-hash-parameters",
        message:
          "Must be JSON with signer_key and salt_separator in base64, rounds and mem_cost from 1 to 16, as the project's console shows them.",
      },
    ]);
  return sealWith(deps.config.masterKeys, JSON.stringify(parameters), contextOf(of));
}

function readParameters(text: string): Static<typeof Parameters> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return Value.Check(Parameters, value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const readSeparator = (text: string) => (text === "" ? Buffer.alloc(0) : readBase64(text));

/** What each row's hash is written with: the signer key sealed once more, for the hashes, which outlive the import. */
export function openFirebaseParameters(
  deps: Deps,
  of: Pick<UserImport, "id" | "firebaseParameters" | "masterKeyId">,
): FirebaseHashing | undefined {
  if (!of.firebaseParameters) return undefined;
  const { masterKeys } = deps.config;
  const opened = unsealWith(masterKeys, { keyId: of.masterKeyId, box: of.firebaseParameters }, contextOf(of));
  const parameters = readParameters(opened.toString());
  const signerKey = parameters && readBase64(parameters.signer_key);
  const saltSeparator = parameters && readSeparator(parameters.salt_separator);
  if (!parameters || !signerKey || !saltSeparator) throw new Error("an import's parameters are none");
  const { keyId, box } = sealWith(masterKeys, signerKey, SIGNER_KEY_CONTEXT);
  return {
    memCost: parameters.mem_cost,
    rounds: parameters.rounds,
    saltSeparator,
    keyId,
    sealedSignerKey: box,
  };
}
