const plugin: Deno.lint.Plugin = { name: "kprov", rules: {} };
export default plugin;
