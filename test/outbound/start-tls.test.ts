/** The answer to StartTLS (RFC 4511 §4.14): the one thing that is believed before TLS. */
import { describe, expect, it } from "bun:test";
import { ExtendedRequest } from "ldapts";
import { readStartTlsAnswer, START_TLS_REQUEST } from "../../src/outbound/start-tls.ts";
import { result } from "../support/directory/fake.ts";

const ACCEPTED = result(1, 0x78, 0);

it("the request is what a client of LDAP sends", () => {
  const request = new ExtendedRequest({ messageId: 1, oid: "1.3.6.1.4.1.1466.20037" });
  expect(Buffer.from(START_TLS_REQUEST).toString("hex")).toBe(request.write().toString("hex"));
});

describe("an answer", () => {
  it("of success is accepted, once it is all there", () => {
    for (let length = 0; length < ACCEPTED.length; length++)
      expect(readStartTlsAnswer(ACCEPTED.subarray(0, length))).toBe("incomplete");
    expect(readStartTlsAnswer(ACCEPTED)).toBe("accepted");
  });

  it.each<[string, Buffer]>([
    ["with anything behind it", Buffer.concat([ACCEPTED, result(2, 0x61, 0)])],
    ["with one octet behind it", Buffer.concat([ACCEPTED, Buffer.from([0x30])])],
    ["of another result", result(1, 0x78, 2)],
    ["of another operation", result(1, 0x61, 0)],
    ["to another message", result(2, 0x78, 0)],
    ["of an unsolicited notification", result(0, 0x78, 0)],
    ["that is no sequence", Buffer.from([0x04, 0x00])],
    ["that is empty", Buffer.from([0x30, 0x00])],
    ["of an indefinite length", Buffer.from([0x30, 0x80, 0x02, 0x01, 0x01])],
    ["of an absurd length", Buffer.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff])],
    ["in another protocol", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
    ["that does not end", Buffer.alloc(5000, 0x30)],
  ])("%s is refused", (_, bytes) => {
    expect(readStartTlsAnswer(bytes)).toBe("refused");
  });
});
