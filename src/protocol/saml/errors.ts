import { AppError } from "../../lib/errors.ts";

/** Why a message of another party was refused. For the log, the audit trail and tests; never for who sent it. */
export type SamlRefusal =
  // What it is written in.
  | "too_large"
  | "encoding"
  | "deflate"
  | "not_well_formed"
  | "doctype"
  | "entity"
  | "comment"
  | "cdata"
  | "processing_instruction"
  | "namespace"
  | "too_complex"
  | "duplicate_id"
  | "schema"
  | "unexpected_message"
  // The signature.
  | "unsigned"
  | "response_unsigned"
  | "several_signatures"
  | "misplaced_signature"
  | "signature_structure"
  | "canonicalization"
  | "signature_algorithm"
  | "signature_reference"
  | "signature_transform"
  | "digest_algorithm"
  | "signature_mismatch"
  | "digest_mismatch"
  // Encryption.
  | "not_encrypted"
  | "encryption_structure"
  | "encryption_algorithm"
  | "decryption"
  // What the message says.
  | "version"
  | "message_id"
  | "issue_instant"
  | "destination"
  | "assertion_consumer_service"
  | "issuer"
  | "status"
  | "assertion_count"
  | "subject"
  | "name_id"
  | "subject_confirmation"
  | "recipient"
  | "expired"
  | "not_yet_valid"
  | "conditions"
  | "audience"
  | "authn_statement"
  | "in_response_to"
  | "unsolicited"
  | "replayed"
  | "unknown_connection"
  | "metadata_expired"
  | "metadata"
  | "timestamp";

const PUBLIC_MESSAGE =
  "The identity provider's message was not accepted. Please try again; if it happens again, ask your administrator to look into the server's log.";

/** A message that was refused. Whoever sent it learns that it was, and nothing of why. */
export class SamlError extends AppError {
  override readonly name = "SamlError";

  /** @param detail for the log: may name what was expected, and holds nothing of the message but names and codes */
  constructor(
    readonly reason: SamlRefusal,
    detail: string,
  ) {
    super(400, "saml_message_refused", PUBLIC_MESSAGE, { cause: new Error(`${reason}: ${detail}`) });
  }
}
