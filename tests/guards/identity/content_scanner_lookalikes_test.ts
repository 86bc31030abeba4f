import { LookalikeScan } from "../../../src/guards/identity/lookalike_scan.ts";
import { NameTable } from "../../../src/guards/identity/name_table.ts";
import { createContentScanner } from "../../../src/guards/identity/scanner.ts";
import type { IdentityPolicy } from "../../../src/guards/policy.ts";
import { assert, assertEquals } from "../../assert.ts";

const PURE: Pick<Deno.TestDefinition, "permissions"> = { permissions: "none" };

const IDENTITY: IdentityPolicy = {
  technical_name: "kprovengine",
  display_name: "KProvEngine",
  repository: "https://github.com/carcodez1/kprovengine",
};

const encoder = new TextEncoder();

function scannerOf(identity: IdentityPolicy): ReturnType<typeof createContentScanner> {
  return createContentScanner({ schema: "kprovengine.policy.v1", identity });
}

const SCANNER = scannerOf(IDENTITY);

/** Each hit on one line: `lookalike 1:3 kprоvengine`. */
function scan(content: string | Uint8Array): string[] {
  const bytes = typeof content === "string" ? encoder.encode(content) : content;
  return SCANNER.scan("a.txt", bytes).map(({ code, line, column, text }) =>
    `${code.replace("identity.", "")} ${line}:${column} ${text}`
  );
}

function encodeUtf16(text: string): Uint8Array {
  return new Uint8Array(Uint16Array.from(text.split("").map((c) => c.charCodeAt(0))).buffer);
}

const LOOKALIKES: readonly (readonly [string, string])[] = [
  ["a Cyrillic letter", "kprоvengine"],
  ["a Cyrillic letter without an ASCII prototype of its own", "кprovengine"],
  ["Cyrillic capitals", "КPRОVЕNGINЕ"],
  ["Greek letters", "kprονengine"],
  ["Greek capitals", "ΚΡROVENGINE"],
  ["an Armenian letter", "kprovenցine"],
  ["Cherokee letters", "ᏦᏢᏒOᏙᎬNᏀᎥNᎬ"],
  ["a small Cherokee letter", "kproꮩengine"],
  ["fullwidth letters", "ｋｐｒｏｖｅｎｇｉｎｅ"],
  ["mathematical letters", "𝐤𝐩𝐫𝐨𝐯𝐞𝐧𝐠𝐢𝐧𝐞"],
  ["circled letters", "ⓚⓟⓡⓞⓥⓔⓝⓖⓘⓝⓔ"],
  ["the Kelvin sign", "\u212aprovengine"],
  ["a zero-width joiner", "kprov\u200dengine"],
  ["a zero-width space", "kprov\u200bengine"],
  ["many invisible characters", `kprov${"\u200b\u2060".repeat(3000)}engine`],
  ["a soft hyphen", "kprov\u00adengine"],
  ["a byte order mark inside", "kprov\ufeffengine"],
  ["a variation selector", "kprov\ufe0fengine"],
  ["a tag character", "kprov\u{e0065}engine"],
  ["a bidirectional mark", "kprov\u200fengine"],
  ["a bidirectional override", "kprov\u202eengine"],
  ["a bidirectional isolate", "kprov\u2066engine"],
  ["a digit", "kpr0vengine"],
  ["a digit for a letter that looks like another's capital", "kproveng1ne"],
  ["a letter that looks like another's capital", "kprovenglne"],
  ["a capital with a digit", "KPR0VENGINE"],
  ["small capitals", "ᴋᴘʀᴏᴠᴇɴɢɪɴᴇ"],
  ["parenthesised letters", "⒦⒫⒭⒪⒱⒠⒩⒢⒤⒩⒠"],
  ["parenthesised capitals", "🄚🄟🄡🄞🄥🄔🄝🄖🄘🄝🄔"],
  ["squared letters", "🄺🄿🅁🄾🅅🄴🄽🄶🄸🄽🄴"],
  ["negative squared letters", "🅺🅿🆁🅾🆅🅴🅽🅶🅸🅽🅴"],
  ["negative circled letters", "🅚🅟🅡🅞🅥🅔🅝🅖🅘🅝🅔"],
  ["regional letters", "🇰🇵🇷🇴🇻🇪🇳🇬🇮🇳🇪"],
  ["outlined letters of Unicode 16", "kpr\u{1cce4}vengine"],
  ["a thorn for p, as Unicode 17 has it", "kþrovengine"],
  ["a low line below each letter", "k̲p̲r̲o̲v̲e̲n̲g̲i̲n̲e̲"],
  ["a low line below its last letter", "kprovengine̲"],
  ["a dot below a letter", "kprovengiṇe"],
  ["a stroke over a letter", "kpro̶vengine"],
  ["a hook on a letter", "ƙprovenɠine"],
  ["an empty Braille cell", "kprov\u2800engine"],
  ["the sign of a currency", "₭provengine"],
  ["signs of mathematics and APL", "kpr⊖veng⍸ne"],
  ["the owner's name with a digit's look-alike", "carcodezl"],
  ["the owner's name with a Cyrillic letter", "саrcodez1"],
];

for (const [what, text] of LOOKALIKES) {
  Deno.test(`createContentScanner() finds a look-alike with ${what}`, PURE, () => {
    for (const content of [text, `see ${text}, "é"`, `(${text})`, `x/${text}-y`]) {
      const hits = SCANNER.scan("docs/a.md", encoder.encode(`é\n${content}`));
      assertEquals(hits.length, 1, content);
      const [hit] = hits;
      assertEquals(
        [hit?.code, hit?.line, hit?.column],
        ["identity.lookalike", 2, content.indexOf(text) + 1],
        content,
      );
      assert(["kprovengine", "carcodez1"].includes(hit?.token ?? ""));
    }
  });
}

const REPOSITORIES: readonly (readonly [string, string])[] = [
  ["its host in another script", "https://githυb.com/carcodez1/kprovengine"],
  ["m of its host as rn", "https://github.corn/carcodez1/kprovengine"],
  ["a slash that is none", "https://github.com∕carcodez1/kprovengine"],
  ["a slash that is none, between host and owner", "github.com∕carcodez1"],
  ["a slash that is none, between owner and name", "carcodez1／kprovengine"],
  ["a slash behind its scheme that is none", "https:/⁄github.com/carcodez1/kprovengine"],
  ["a dot that browsers take for one", "https://github。com/carcodez1/kprovengine"],
  ["a leader for a dot", "https://github․com/carcodez1/kprovengine"],
  ["its owner and its name in another script", "https://github.com/саrcodez1/kprоvengine"],
];

for (const [what, url] of REPOSITORIES) {
  Deno.test(`createContentScanner() finds the repository's URL with ${what}, once`, PURE, () => {
    assertEquals(scan(`see ${url}#readme`), [`lookalike 1:5 ${url}`]);
  });
}

Deno.test("createContentScanner() finds the repository's host in a link to elsewhere", PURE, () => {
  assertEquals(scan("http://g1thub.com/x github.com:8080 www.github.com GitHub.com"), [
    "lookalike 1:8 g1thub.com",
  ]);
});

Deno.test("createContentScanner() finds a separator with a mark", PURE, () => {
  const scanner = scannerOf({ technical_name: "acme-etl" });
  const hits = scanner.scan("a", encoder.encode("acme∸etl acme⸚etl acme ∸ etl"));
  assertEquals(hits.map(({ text }) => text), ["acme∸etl", "acme⸚etl"]);
});

Deno.test("createContentScanner() finds a name in ASCII that holds another", PURE, () => {
  const texts = (names: readonly [string, string], text: string): string[] => {
    const [technical_name, display_name] = names;
    return scannerOf({ technical_name, display_name, display_name_allowed: ["**"] })
      .scan("a", encoder.encode(text)).map((hit) => hit.text);
  };
  assertEquals(texts(["acme-tools", "tools"], "acme-t00ls acrne-tools acme-tools tools"), [
    "acme-t00ls",
    "acrne-tools",
  ]);
  // With a letter before it, only the shorter one is a word of its own.
  assertEquals(texts(["acme-tools", "tools"], "xacme-t00ls"), ["t00ls"]);
  // A name that would begin in the midst of the m hides no other behind it.
  assertEquals(texts(["netxxa", "netxxa"], "cam\u0435txxa carn\u0435txxa"), ["n\u0435txxa"]);
  assertEquals(texts(["netxxa", "etxxa"], "m\u0435txxa"), ["\u0435txxa"]);
  // The n of the shorter name is a half of the m.
  assertEquals(texts(["carnetxx", "netxx"], "carnetxx cametxx netxx"), ["cametxx"]);
});

Deno.test("createContentScanner() reports a name once that is a part of another", PURE, () => {
  const scanner = scannerOf({ technical_name: "acme-etl", repository: "https://x.org/acme/etl" });
  const hits = scanner.scan("a", encoder.encode("acme-еtl, еtl, асme-etl"));
  assertEquals(hits.map(({ text }) => text), ["acme-еtl", "еtl", "асme-etl"]);
});

Deno.test("createContentScanner() judges a text once, however often it stands there", PURE, () => {
  const names = new NameTable(["kprovengine"]);
  let matches = 0;
  const start = { encoding: "utf-8", hasMark: false } as const;
  const lookalikes = new LookalikeScan(names, start, () => matches++);
  const bytes = encoder.encode("kprоvengine kpr0vengine ".repeat(5000));
  lookalikes.push({ bytes, start: 0, isLast: true }, true);
  assertEquals([matches, lookalikes.judged], [10_000, 2]);
  assert(names.automaton.steps < 2 * bytes.length);
});

Deno.test("LookalikeScan remembers the judgement of a thousand texts, and no more", PURE, () => {
  const names = new NameTable(["kprovengine"]);
  const scan = new LookalikeScan(names, { encoding: "utf-8", hasMark: false }, () => {});
  const hidden = (count: number): string => "\u200b".repeat(count);
  const texts = Array.from(
    { length: 1001 },
    (_, i) => `k${hidden(i % 11)}p${hidden(Math.floor(i / 11) % 11)}r${hidden(i / 121)}ovengine`,
  );
  const read = (some: readonly string[]): number => {
    scan.push({ bytes: encoder.encode(`${some.join(" ")} `), start: 0, isLast: false }, true);
    return scan.judged;
  };
  assertEquals(read(texts.slice(0, 1000)), 1000);
  assertEquals(read(texts.slice(0, 1)), 1000);
  assertEquals(read(texts.slice(1000)), 1001);
  assertEquals(read(texts.slice(0, 1)), 1002);
});

Deno.test("createContentScanner() finds a disguised name inside a longer word", PURE, () => {
  assertEquals(scan("libkprоvengineX"), ["lookalike 1:4 kprоvengine"]);
});

Deno.test("createContentScanner() finds m written for rn and rn for m", PURE, () => {
  const scanner = scannerOf({ technical_name: "carnform" });
  const texts = (text: string): string[] =>
    scanner.scan("a", encoder.encode(text)).map((hit) => hit.text);
  assertEquals(texts("carnform camform carnforrn carriform"), ["camform", "carnforrn"]);
});

const PROSE: readonly (readonly [string, string])[] = [
  ["Russian", "Все счастливые семьи похожи друг на друга; сор, рот, кепка, карта, сосна, нос."],
  ["Ukrainian", "Її джерело — міська криниця, де росте ясен."],
  ["Greek", "Η γλώσσα είναι το μέσο επικοινωνίας· οκ, κόσμος, νερό, ρόδο."],
  ["Armenian", "Բոլոր մարդիկ ծնվում են ազատ ու հավասար։"],
  ["Georgian", "ყველა ადამიანი იბადება თავისუფალი."],
  ["Arabic", "يولد جميع الناس أحرارًا متساوين في الكرامة والحقوق ١٢٣."],
  ["Persian with its zero-width non-joiner", "می\u200cخواهم خانه\u200cها را ببینم."],
  ["Hebrew with marks", "\u200fכל בני האדם\u200e kprovengine \u200fנולדו בני חורין\u200e."],
  ["Hindi", "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता प्राप्त है। क्\u200dष"],
  ["Thai", "มนุษย์ทั้งหลายเกิดมามีอิสระ\u200bและเสมอภาคกัน"],
  ["Chinese", "人人生而自由，在尊严和权利上一律平等。ｋｐ（全角）"],
  ["Japanese", "すべての人間は、生れながらにして自由であり、ＫＰＲＯＶ。"],
  ["Korean", "모든 인간은 태어날 때부터 자유로우며"],
  ["Vietnamese", "Tất cả mọi người sinh ra đều được tự do và bình đẳng."],
  ["Turkish", "Bütün insanlar hür, haysiyet ve haklar bakımından eşit doğarlar; ırmak, kapı."],
  ["Icelandic", "Hver maður er borinn frjáls; þorn, eða, æ."],
  ["French in decomposed form", "Tous les êtres humains naissent libres, cafés".normalize("NFD")],
  ["Cherokee", "ᏂᎦᏓ ᎠᏂᏴᏫ ᏂᎨᎫᏓᎸᎾ ᎠᎴ ᎤᏂᎶᏫᎭ"],
  ["emoji", "👩‍💻 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪 ❤️ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 kprovengine 👩‍💻"],
  ["mathematics", "∀ε>0 ∃δ: |𝑥−𝑎|<δ ⇒ |𝑓(𝑥)−𝐿|<ε; Kₚ, ℝ, ½, №"],
  ["typography", "“kprovengine” — ‘kprovengine’… kprovengine\u00a0is\u202fgood™, ﬁne"],
  ["a byte order mark before the name", "\ufeffkprovengine"],
  ["bars of a table", "|kproveng|ne|kproveng|ne| é kproveng|ne"],
  ["amounts of money", "₭100 ₩1,000 ¥engine ⊖ ∸"],
  [
    "identifiers near the name",
    "kprovengines kprov_engine kprov-engine provengine kprovengine2 l0l 10 O0",
  ],
];

for (const [language, text] of PROSE) {
  Deno.test(`createContentScanner() finds nothing in ${language}`, PURE, () => {
    assertEquals(scan(text), []);
    assertEquals(scan(encodeUtf16(`\ufeff${text}`)), []);
  });
}

Deno.test(
  "createContentScanner() takes a word in one other script for a short name only where it is the whole word",
  PURE,
  () => {
    const scanner = scannerOf({ technical_name: "cop", display_name: "caxap" });
    const texts = (text: string): string[] =>
      scanner.scan("a", encoder.encode(text)).map((hit) => hit.text);
    assertEquals(texts("сор, сорок, сахарный, несахар"), []);
    assertEquals(texts("сахар cоp"), ["сахар", "cоp"]);
  },
);

Deno.test(
  "createContentScanner() does not mistake a protected name with letters beyond ASCII for its look-alike",
  PURE,
  () => {
    const scanner = scannerOf({ technical_name: "müllerei" });
    const count = (text: string): number => scanner.scan("a", encoder.encode(text)).length;
    assertEquals(count("müllerei MÜLLEREI Müllerei"), 0);
    assertEquals(count("müllerei".normalize("NFD")), 0);
    assertEquals(count("mülleгei müIlerei mü\u200bllerei"), 3);
  },
);

Deno.test(
  "createContentScanner() takes letters with marks of everyday spelling for others",
  PURE,
  () => {
    const scanner = scannerOf({ technical_name: "resume", display_name: "lodz" });
    const texts = (text: string): string[] =>
      scanner.scan("a", encoder.encode(text)).map((hit) => hit.text);
    const prose = "résumé, resumé; Łódź, ŁÓDŹ lødz";
    assertEquals(texts(`${prose} ${prose.normalize("NFD")}`), []);
    assertEquals(texts("réѕume reṣume r̶esume"), ["réѕume", "reṣume", "r̶esume"]);
  },
);

Deno.test(
  "createContentScanner() sees the letter before a word, however far from what is not ASCII",
  PURE,
  () => {
    const scanner = scannerOf({ technical_name: "taxi" });
    const texts = (text: string): string[] =>
      scanner.scan("a", encoder.encode(text)).map((hit) => hit.text);
    assertEquals(texts("plain text before étaxı"), []);
    assertEquals(texts("plain text before taxı"), ["taxı"]);
  },
);

Deno.test(
  "createContentScanner() sees the letter before letters of everyday spelling, far before a rare one",
  PURE,
  () => {
    const texts = (text: string): string[] =>
      scannerOf({ technical_name: "accession" }).scan("a", encoder.encode(text))
        .map((hit) => hit.text);
    const prose = " ".repeat(100);
    const everyday = "\u00e0\u00e7\u00e7\u00e8\u015b\u015b\u00ed\u00f2";
    assertEquals(texts(`${prose}${everyday}\u1e47`), [`${everyday}\u1e47`]);
    assertEquals(texts(`${prose}\u{20000}${everyday}\u1e47`), []);
    assertEquals(texts(`${prose}${everyday}\u0578`), [`${everyday}\u0578`]);
  },
);

Deno.test(
  "createContentScanner() takes ASCII for a name of five letters, and of no fewer",
  PURE,
  () => {
    const texts = (name: string, text: string): string[] =>
      scannerOf({ technical_name: name }).scan("a", encoder.encode(text)).map((hit) => hit.text);
    assertEquals(texts("robot", "r0bot"), ["r0bot"]);
    assertEquals(texts("root", "r0ot"), []);
  },
);

Deno.test("createContentScanner() takes an m for the rn that a name begins with", PURE, () => {
  const texts = (name: string, text: string): string[] =>
    scannerOf({ technical_name: name }).scan("a", encoder.encode(text)).map((hit) => hit.text);
  assertEquals(texts("rnode-kit", "mode-kit rnode-kit"), ["mode-kit"]);
  assertEquals(texts("mode-kit", "mode-kit rnode-kit"), ["rnode-kit"]);
  assertEquals(texts("node-kit", "mode-kit"), []);
});

Deno.test("createContentScanner() takes bytes for no letters that are none in UTF-8", PURE, () => {
  // A code point behind the last, one written too long, and bytes that begin and go on nowhere.
  for (
    const bytes of [
      [0xf4, 0x90, 0x80, 0x80],
      [0xf7, 0xbf, 0xbf, 0xbf],
      [0xc1, 0xaf],
      [0xf5, 0x80, 0x80, 0x80],
      [0x80, 0xbf],
      [0xff, 0xfe],
    ]
  ) {
    const content = new Uint8Array([
      ...encoder.encode("kpr"),
      ...bytes,
      ...encoder.encode("vengine kpr\u043evengine"),
    ]);
    assertEquals(
      SCANNER.scan("a", content).map(({ text }) => text),
      ["kpr\u043evengine"],
      `${bytes}`,
    );
  }
});

Deno.test(
  "createContentScanner() sees the byte before an ASCII look-alike across a cut",
  PURE,
  () => {
    for (
      const [text, count] of [["xkpr0vengine", 0], ["-kpr0vengine", 1], [
        "kpr0vengine2",
        0,
      ]] as const
    ) {
      const bytes = encoder.encode(`some text ${text}`);
      for (let cut = 0; cut <= bytes.length; cut++) {
        const file = scannerOf({ technical_name: "kprovengine" }).scanFile("a");
        file.push(bytes.subarray(0, cut));
        file.push(bytes.subarray(cut));
        assertEquals(file.end().length, count, `${text} cut at ${cut}`);
      }
    }
  },
);

Deno.test("a look-alike full of invisible characters is shown with a few of them", PURE, () => {
  const invisible = "\u200b";
  const [shown = ""] = scan(`k${invisible.repeat(40)}pr\u043evengine`);
  assertEquals(shown.split(invisible).length - 1, 15, shown);
});

Deno.test("createContentScanner() finds a look-alike in UTF-16 wherever it is cut", PURE, () => {
  const text = `\ufeff${" ".repeat(4000)}\n kprоvengine kpr0vengine `;
  const little = encodeUtf16(text);
  for (const bytes of [little, little.map((_, i) => little[i ^ 1] ?? 0)]) {
    const whole = SCANNER.scan("a", bytes);
    assertEquals(whole.map(({ line, column }) => [line, column]), [[2, 2], [2, 14]]);
    for (let cut = 8000; cut < bytes.length; cut++) {
      const file = SCANNER.scanFile("a");
      for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) file.push(piece);
      assertEquals(file.end(), whole, `${cut}`);
    }
  }
});
