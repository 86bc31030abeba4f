import type { ListPlan } from "./document_list.ts";
import { descriptorSchema, materialSchema } from "./parse_provenance.ts";
import type { Material, ResourceDescriptor } from "./provenance.ts";

/** How the lists of files in provenance.json are read; the materials' key sorts before the subject's. */
export const PROVENANCE_LISTS: readonly ListPlan[] = [
  {
    keys: ["predicate", "buildDefinition", "resolvedDependencies"],
    schema: materialSchema,
    keep: (item) => item,
  },
  // The subject of a run without products says again what the materials say, which is held once.
  {
    keys: ["subject"],
    schema: descriptorSchema,
    keep: (item, twin) => shareDescriptor(item as ResourceDescriptor, twin as Material | undefined),
  },
];

function shareDescriptor(
  item: ResourceDescriptor,
  twin: Material | undefined,
): ResourceDescriptor {
  return twin?.name === item.name && twin.digest.sha256 === item.digest.sha256
    ? { digest: twin.digest, name: twin.name }
    : item;
}
