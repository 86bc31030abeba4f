import { assertEquals } from "../../assert.ts";
import { unless } from "../../unless.ts";
import { ANSWERS_PATH, askPackaging } from "./packaging.ts";

function whyNot(): string | null {
  try {
    const { success } = new Deno.Command("python3", { args: ["-c", "import venv"] }).outputSync();
    return success ? null : "python3 has no venv";
  } catch {
    return "there is no python3";
  }
}

Deno.test(...unless(whyNot(), "the recorded answers are those that packaging gives"), async () => {
  const directory = Deno.makeTempDirSync();
  try {
    const answers = await askPackaging(directory);
    assertEquals(answers, JSON.parse(Deno.readTextFileSync(ANSWERS_PATH)));
  } finally {
    Deno.removeSync(directory, { recursive: true });
  }
});
