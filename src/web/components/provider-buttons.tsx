/** @jsxImportSource preact */
import type { JSX } from "preact";
import type { ConnectionView } from "../federation/home-realm.ts";
import type { Messages } from "../messages/en.ts";
import { ProviderMark } from "./provider-marks.tsx";

/** The ways to sign in, or up, through somebody else. */
export function ProviderButtons(props: {
  connections: readonly ConnectionView[] | undefined;
  t: Messages;
}): JSX.Element | null {
  const { connections = [], t } = props;
  if (connections.length === 0) return null;
  return (
    <div class="providers">
      <p class="divider">
        <span>{t.federation.or}</span>
      </p>
      {connections.map(({ name, preset, url }) => (
        <a class="button secondary provider" href={url}>
          <ProviderMark preset={preset} />
          <span>
            <bdi>{t.federation.continueWith(name)}</bdi>
          </span>
        </a>
      ))}
    </div>
  );
}
