/** @jsxImportSource preact */
import type { JSX } from "preact";
import type { Locale } from "../../lib/locale.ts";
import { translator } from "../messages/translator.ts";
import type { ImpersonationView } from "../shell.ts";
import { Name } from "./card.tsx";
import { PostForm } from "./form.tsx";

/** Above every page while an administrator is signed in as somebody else, so that nobody forgets who acts. */
export function ImpersonationBanner({
  locale,
  user,
  by,
  end,
}: ImpersonationView & { locale: Locale }): JSX.Element {
  const t = translator(locale).impersonation;
  return (
    <div class="impersonation" role="status">
      <p>{t.banner(<Name>{user}</Name>, <Name>{by}</Name>)}</p>
      <PostForm {...end}>
        <button type="submit">{t.end}</button>
      </PostForm>
    </div>
  );
}
