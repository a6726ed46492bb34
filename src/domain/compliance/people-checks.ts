/** Checks of how people prove who they are and what they may. Pure. A threshold is named where it is used. */
import { DORMANT_DAYS } from "./facts.ts";
import { type Evaluate, share, verdict } from "./verdict.ts";

const DAY_SECONDS = 86_400;

export const passwordPolicy: Evaluate = ({ settings, passwords }) => {
  const classes = [
    settings.password_require_uppercase,
    settings.password_require_lowercase,
    settings.password_require_digit,
    settings.password_require_symbol,
  ].filter(Boolean).length;
  const length = settings.password_min_length;
  // Long, or varied, or known to be hard to guess.
  const strong = length >= 12 || classes === 4 || settings.password_min_strength >= 3;
  const attempts = settings.max_failed_login_attempts;
  return {
    ...verdict([
      [attempts > 20, "fail", `${attempts} wrong passwords are let pass before an account is locked.`],
      [!strong, "fail", `Passwords of ${length} characters and ${classes} kinds of them are accepted.`],
      [
        passwords.weak_hashes > 0,
        "warning",
        `${passwords.weak_hashes} passwords are not yet hashed with Argon2id.`,
      ],
      [attempts > 10, "warning", `${attempts} wrong passwords are let pass before an account is locked.`],
      [true, "pass", "Passwords have to be strong, and guessing them locks the account."],
    ]),
    evidence: {
      minimum_length: length,
      required_classes: classes,
      minimum_strength: settings.password_min_strength,
      history: settings.password_history,
      breach_check: Number(settings.password_breach_check),
      failed_attempts_before_lockout: attempts,
      passwords: passwords.passwords,
      weak_hashes: passwords.weak_hashes,
    },
  };
};

export const mfaAdoption: Evaluate = ({ settings, users }) => {
  const percent = share(users.users_with_factor, users.enabled_users);
  const bare = users.admins - users.admins_with_factor;
  return {
    ...verdict([
      [settings.mfa_enforcement === "off", "fail", "Second factors are turned off."],
      [bare > 0, "fail", `${bare} of ${users.admins} administrators have no second factor.`],
      [percent < 50, "fail", `${percent} % of the users have a second factor.`],
      [percent < 90, "warning", `${percent} % of the users have a second factor.`],
      [true, "pass", `${percent} % of the users and all administrators have a second factor.`],
    ]),
    evidence: {
      enabled_users: users.enabled_users,
      users_with_factor: users.users_with_factor,
      percent_with_factor: percent,
      admins: users.admins,
      admins_with_factor: users.admins_with_factor,
      required: Number(settings.mfa_enforcement === "required"),
    },
  };
};

export const sessionManagement: Evaluate = ({ settings, sessions }, framework) => {
  const longest = Math.max(
    settings.session_lifetime,
    settings.remember_me_enabled ? settings.remembered_session_lifetime : 0,
  );
  const days = Math.ceil(longest / DAY_SECONDS);
  const idle = settings.session_idle_timeout;
  // 45 CFR § 164.312(a)(2)(iii): sessions end after a time of inactivity.
  const unattended = framework === "hipaa" && (idle === 0 || idle > DAY_SECONDS);
  const orphans = sessions.sessions_of_disabled_users;
  return {
    ...verdict([
      [orphans > 0, "fail", `${orphans} sessions of disabled users are still alive.`],
      [unattended, "fail", "No session ends within a day of inactivity."],
      [days > 30, "warning", `A session lasts up to ${days} days.`],
      [idle === 0 && days > 1, "warning", `A session lasts up to ${days} days, used or not.`],
      [true, "pass", `A session lasts up to ${days} days, and none of a disabled user is alive.`],
    ]),
    evidence: {
      session_lifetime_seconds: settings.session_lifetime,
      longest_lifetime_seconds: longest,
      idle_timeout_seconds: idle,
      access_token_lifetime_seconds: settings.access_token_lifetime,
      ...sessions,
    },
  };
};

export const accessReview: Evaluate = ({ users, events }) => ({
  ...verdict([
    [users.admins === 0, "fail", "Nobody administers the organization."],
    [users.dormant_admins > 0, "fail", `${users.dormant_admins} administrators are dormant.`],
    [events.reports_read === 0, "warning", "Nobody has read an access report in the period."],
    [users.dormant_users * 4 > users.enabled_users, "warning", `${users.dormant_users} users are dormant.`],
    [true, "pass", `Access was looked at ${events.reports_read} times, and no administrator is dormant.`],
  ]),
  evidence: {
    admins: users.admins,
    dormant_admins: users.dormant_admins,
    enabled_users: users.enabled_users,
    dormant_users: users.dormant_users,
    dormant_after_days: DORMANT_DAYS,
    access_changes: events.access_changes,
    reports_read: events.reports_read,
  },
});

export const accessControls: Evaluate = ({ users, sessions, signIns, settings }) => {
  const failed = signIns.reduce((sum, day) => sum + day.failed, 0);
  const succeeded = signIns.reduce((sum, day) => sum + day.succeeded, 0);
  const bare = users.admins - users.admins_with_factor;
  const many = users.enabled_users >= 20 && share(users.admins, users.enabled_users) > 20;
  return {
    ...verdict([
      [sessions.sessions_of_disabled_users > 0, "fail", "Disabled users still have sessions."],
      [bare > 0, "fail", `${bare} of ${users.admins} administrators have no second factor.`],
      [many, "warning", `${users.admins} of ${users.enabled_users} users are administrators.`],
      [failed > 100 && failed > succeeded, "warning", `${failed} sign-ins failed, more than succeeded.`],
      [true, "pass", "Administrators are few and well proven, and disabled users are out."],
    ]),
    evidence: {
      enabled_users: users.enabled_users,
      admins: users.admins,
      admins_with_factor: users.admins_with_factor,
      sessions_of_disabled_users: sessions.sessions_of_disabled_users,
      sign_ins: succeeded,
      failed_sign_ins: failed,
      lockout_seconds: settings.lockout_duration,
    },
  };
};
