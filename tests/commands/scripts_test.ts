import { testScripts } from "./test_scripts.ts";

testScripts("../scripts");
