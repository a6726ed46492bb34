/** @jsxImportSource preact */
/** What a person looks after on the security page: factors, and the devices that are trusted. */
import type { ComponentChildren, JSX } from "preact";
import type { Locale } from "../../lib/locale.ts";
import type { Messages } from "../messages/en.ts";
import type { FormTarget } from "../shell.ts";
import { deviceName, Moment, Section } from "./account-lists.tsx";
import { ButtonLink } from "./card.tsx";
import { PostForm } from "./form.tsx";

export interface FactorView {
  name: string;
  addedAt: Date;
  lastUsedAt: Date | undefined;
  manageUrl: string;
}

export interface PasskeyView extends FactorView {
  /** What its make says; undefined when it says nothing. */
  authenticator: string | undefined;
  synced: boolean;
}

export interface TrustedDeviceView {
  id: string;
  device: { browser: string | undefined; system: string | undefined };
  /** Whether it is this browser. */
  current: boolean;
  ipAddress: string | undefined;
  lastUsedAt: Date;
  expiresAt: Date;
}

interface Words {
  t: Messages;
  locale: Locale;
}

/** @param addUrl undefined where no other can be added */
export function TotpList(props: Words & { devices: readonly FactorView[]; addUrl: string | undefined }) {
  const { t, devices, addUrl } = props;
  return (
    <Section id="totp" title={t.security.totp.title}>
      <FactorEntries {...props} factors={devices} none={t.security.totp.none} />
      {addUrl ? (
        <ButtonLink href={addUrl} secondary>
          {t.security.totp.add}
        </ButtonLink>
      ) : null}
    </Section>
  );
}

export function PasskeyList(
  props: Words & { passkeys: readonly PasskeyView[]; addUrl: string | undefined },
): JSX.Element {
  const { t, passkeys, addUrl } = props;
  const texts = t.security.passkeys;
  return (
    <Section id="passkeys" title={texts.title}>
      <FactorEntries
        {...props}
        factors={passkeys}
        none={texts.none}
        about={({ authenticator, synced, name }) => (
          <small>
            {authenticator && authenticator !== name ? `${authenticator} · ` : ""}
            {synced ? texts.synced : texts.deviceBound}
          </small>
        )}
      />
      {addUrl ? (
        <ButtonLink href={addUrl} secondary>
          {texts.add}
        </ButtonLink>
      ) : null}
    </Section>
  );
}

function FactorEntries<Factor extends FactorView>(
  props: Words & {
    factors: readonly Factor[];
    none: string;
    about?: (factor: Factor) => ComponentChildren;
  },
): JSX.Element {
  const { t, locale, factors, none, about } = props;
  if (factors.length === 0) return <p class="muted">{none}</p>;
  return (
    <ul class="entries">
      {factors.map((factor) => (
        <li>
          <div class="entry">
            <strong>
              <bdi>{factor.name}</bdi>
            </strong>
            {about?.(factor)}
            <FactorTimes factor={factor} t={t} locale={locale} />
          </div>
          <a class="manage" href={factor.manageUrl} aria-label={t.security.manageNamed(factor.name)}>
            {t.security.manage}
          </a>
        </li>
      ))}
    </ul>
  );
}

export function FactorTimes({ factor, t, locale }: Words & { factor: FactorView }): JSX.Element {
  return (
    <>
      <small>{t.security.added(<Moment at={factor.addedAt} locale={locale} />)}</small>
      <small>
        {factor.lastUsedAt
          ? t.security.lastUsed(<Moment at={factor.lastUsedAt} locale={locale} />)
          : t.security.neverUsed}
      </small>
    </>
  );
}

export interface TrustedDeviceListProps extends Words {
  devices: readonly TrustedDeviceView[];
  /** Field posted: `device_id`; without one, all of them. */
  forget: FormTarget;
}

export function TrustedDeviceList({ devices, forget, t, locale }: TrustedDeviceListProps): JSX.Element {
  const texts = t.security.devices;
  return (
    <Section id="devices" title={texts.title}>
      <p class="muted">{devices.length === 0 ? texts.none : texts.explanation}</p>
      {devices.length === 0 ? null : (
        <ul class="entries">
          {devices.map((device) => (
            <li>
              <div class="entry">
                <strong>{deviceName(device.device, t)}</strong>
                {device.current ? ` (${texts.current})` : null}
                <small>
                  {t.security.lastUsed(<Moment at={device.lastUsedAt} locale={locale} />)}
                  {device.ipAddress ? (
                    <>
                      {" · "}
                      <bdi>{device.ipAddress}</bdi>
                    </>
                  ) : null}
                </small>
                <small>{texts.until(<Moment at={device.expiresAt} locale={locale} />)}</small>
              </div>
              <PostForm {...forget} hidden={{ device_id: device.id }}>
                <button
                  type="submit"
                  class="secondary"
                  aria-label={texts.forgetNamed(deviceName(device.device, t))}
                >
                  {texts.forget}
                </button>
              </PostForm>
            </li>
          ))}
        </ul>
      )}
      {devices.length < 2 ? null : (
        <PostForm {...forget}>
          <button type="submit" class="secondary">
            {texts.forgetAll}
          </button>
        </PostForm>
      )}
    </Section>
  );
}
