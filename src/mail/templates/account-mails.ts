/** What people are told about changes to their account. */
import { duration, letterFrame, moment, type PersonData, type Template, type TokenData } from "./template.ts";
import { factText } from "./untrusted-text.ts";

export const passwordChanged: Template<PersonData> = ({ name, link }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.passwordChanged.subject(tenant),
    paragraphs: [t.passwordChanged.body(tenant)],
    action: { label: t.passwordChanged.action, url: link },
    closing: [t.passwordChanged.unexpected],
  };
};

export interface EmailChangeData extends TokenData {
  newAddress: string;
}

/** To the old address: it has to approve. */
export const emailChangeRequested: Template<EmailChangeData> = (data, context) => {
  const { t, tenant, common } = letterFrame(data.name, context);
  return {
    ...common,
    subject: t.emailChangeRequested.subject(tenant),
    paragraphs: [t.emailChangeRequested.body(tenant)],
    facts: [[t.newAddress, factText(data.newAddress)]],
    action: { label: t.emailChangeRequested.action, url: data.link },
    closing: [t.validFor(duration(t, data.expiresInSeconds)), t.emailChangeRequested.unexpected],
  };
};

/** To the new address: it has to confirm. */
export const confirmNewEmail: Template<TokenData> = ({ name, link, expiresInSeconds }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.confirmNewEmail.subject(tenant),
    paragraphs: [t.confirmNewEmail.body(tenant)],
    action: { label: t.confirmNewEmail.action, url: link },
    closing: [t.validFor(duration(t, expiresInSeconds)), t.confirmNewEmail.unexpected],
  };
};

export const emailChanged: Template<PersonData & { newAddress: string }> = (data, context) => {
  const { t, tenant, common } = letterFrame(data.name, context);
  return {
    ...common,
    subject: t.emailChanged.subject(tenant),
    paragraphs: [t.emailChanged.body(tenant)],
    facts: [[t.newAddress, factText(data.newAddress)]],
    action: { label: t.emailChanged.action, url: data.link },
    closing: [t.emailChanged.unexpected],
  };
};

export const accountDeletionRequested: Template<PersonData & { dueAt: Date }> = (data, context) => {
  const { t, tenant, common } = letterFrame(data.name, context);
  return {
    ...common,
    subject: t.accountDeletionRequested.subject(tenant),
    paragraphs: [t.accountDeletionRequested.body(tenant)],
    facts: [[t.accountDeletionRequested.due, moment(data.dueAt, context)]],
    action: { label: t.accountDeletionRequested.action, url: data.link },
    closing: [t.accountDeletionRequested.unexpected],
  };
};

export const accountDeleted: Template<{ name?: string | undefined }> = ({ name }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.accountDeleted.subject(tenant),
    paragraphs: [t.accountDeleted.body(tenant)],
    closing: [t.accountDeleted.farewell],
  };
};

export const dataExportReady: Template<PersonData> = ({ name, link }, context) => {
  const { t, tenant, common } = letterFrame(name, context);
  return {
    ...common,
    subject: t.dataExportReady.subject(tenant),
    paragraphs: [t.dataExportReady.body(tenant)],
    action: { label: t.dataExportReady.action, url: link },
    closing: [t.dataExportReady.unexpected],
  };
};
