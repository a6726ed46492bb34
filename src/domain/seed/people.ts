/** Invented people, the same for the same number. Their addresses are of domains that belong to nobody (RFC 2606 §3). */

const givenNames =
  "Ada Aisha Alan Alba Amir Ana Anders Andrea Anika Anton Arjun Astrid Aurélie Beatriz Ben Bianca Björn Carla Carlos Chen Chiara Chloé Clara Daniel Daria David Diego Dmitri Edith Elena Elif Emil Emma Enzo Erik Esther Eva Fatima Felix Finn Fiona Frida Gabriel Grace Greta Hana Hannah Haruto Hugo Ibrahim Ida Inés Ingrid Isaac Isla Ivan Jan Jana Javier Jonas José Julia Kaito Karim Katja Kenji Lara Lars Laura Lea Leila Leo Liam Lina Linh Lucas Lucía Luna Maja Malik Marek Maria Marta Mateo Maya Mei Mia Miguel Mila Milan Minh Nadia Naomi Nia Niels Nina Noah Nora Olga Oliver Omar Oscar Paula Pedro Petra Pierre Priya Rafael Rania Ravi Rosa Ruben Ruth Sami Samuel Sara Sofia Sven Tara Theo Thomas Tomás Uma Vera Viktor Walter Wanda Wei Xavier Yara Yuki Yusuf Zoe Zofia".split(
    " ",
  );

const familyNames =
  "Abbott Abe Adler Ahmed Ali Allen Almeida Andersen Arnold Baker Bakker Bauer Becker Bell Berg Bianchi Black Blanc Bose Brandt Brown Byrne Carter Castro Chang Chen Clark Cohen Colombo Costa Cruz Dahl Das Diaz Diallo Dubois Duran Eder Edwards Eriksen Evans Farah Fernández Ferrari Fischer Flores Fontaine Foster Fuchs Fujita García Gomes Gray Green Gruber Gupta Haas Hansen Hayashi Hill Hoffmann Horvat Hughes Ito Ivanova Jansen Jensen Johansson Jones Joshi Kaya Keller Khan Kim King Klein Koch Kovač Kowalski Kumar Lang Larsen Lee Lehmann Lewis Li Lindberg Lopez Maier Marino Martin Mbeki Meyer Mendes Miller Moreau Moreno Morris Müller Murphy Nagy Nakamura Navarro Nguyen Nielsen Novák Nowak Okafor Olsen Ortiz Park Patel Pereira Petrov Popescu Ramos Rao Reyes Ricci Rossi Roux Ruiz Saito Sánchez Santos Sato Schmidt Schneider Silva Singh Smith Sousa Suzuki Takahashi Tanaka Taylor Tran Vargas Vogel Wagner Walker Wang Weber Weiss White Wilson Wolf Wong Wright Yamada Yıldız Young Zhang Ziegler Zimmermann".split(
    " ",
  );

const companies =
  "northwind contoso acme initech globex umbra hooli vandelay stark wayne tyrell cyberdyne soylent aperture monarch oscorp pied-piper wonka gringotts duff bluth dunder sterling prestige".split(
    " ",
  );

const places: readonly (readonly [locale: string, zoneinfo: string])[] = [
  ["en", "Europe/London"],
  ["de", "Europe/Berlin"],
  ["fr", "Europe/Paris"],
  ["es", "Europe/Madrid"],
  ["pt-BR", "America/Sao_Paulo"],
  ["ja", "Asia/Tokyo"],
  ["en-US", "America/New_York"],
  ["en-IN", "Asia/Kolkata"],
];

export interface Person {
  readonly username: string;
  readonly email: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly locale: string;
  readonly zoneinfo: string;
  readonly emailVerified: boolean;
  readonly enabled: boolean;
  /** Places in lists of roles and of organizations; undefined for who has none. */
  readonly role: number | undefined;
  readonly organization: number | undefined;
  /** How long ago they were made, and signed in last, as a share of the time that is to be filled; undefined: never. */
  readonly madeBefore: number;
  readonly signedInBefore: number | undefined;
}

/** Of a hundred people: so many have the first of the seeded roles, the second, and so on. */
const ROLE_SHARES = [0.4, 0.05, 0.005];
const ORGANIZATION_SHARE = 0.3;
const VERIFIED_SHARE = 0.9;
const ENABLED_SHARE = 0.98;
const SIGNED_IN_SHARE = 0.7;

/** @param organizations how many there are to be members of */
export function personOf(number: number, organizations: number): Person {
  const random = randomOf(number);
  const givenName = pick(givenNames, random());
  const familyName = pick(familyNames, random());
  const username = `${ascii(givenName)}.${ascii(familyName)}.${number}`;
  const [locale, zoneinfo] = pick(places, random());
  const madeBefore = random();
  const signedIn = random() < SIGNED_IN_SHARE;
  return {
    username,
    email: `${username}@${pick(companies, random())}.example.com`,
    givenName,
    familyName,
    locale,
    zoneinfo,
    emailVerified: random() < VERIFIED_SHARE,
    enabled: random() < ENABLED_SHARE,
    role: roleOf(random()),
    organization:
      organizations > 0 && random() < ORGANIZATION_SHARE ? Math.floor(random() * organizations) : undefined,
    madeBefore,
    signedInBefore: signedIn ? madeBefore * random() : undefined,
  };
}

function roleOf(share: number): number | undefined {
  let passed = 0;
  for (const [role, size] of ROLE_SHARES.entries()) {
    passed += size;
    if (share < passed) return role;
  }
  return undefined;
}

export function pick<T>(from: readonly T[], share: number): T {
  const chosen = from[Math.floor(share * from.length)];
  if (chosen === undefined) throw new RangeError("there is nothing to pick from");
  return chosen;
}

/** Letters without marks: what a username may consist of. */
const ascii = (name: string) =>
  name
    .normalize("NFD")
    .replace(/\p{M}/gu, "")
    .replaceAll("ı", "i")
    .toLowerCase()
    .replace(/[^a-z]/g, "");

/** Shares from 0 to below 1 that depend on nothing but the number (mulberry32). */
export function randomOf(number: number): () => number {
  let state = Math.imul(number ^ 0x9e3779b9, 0x85ebca6b);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
