/**
 * The Makefile of a core that can be configured, and whose kernels are whatever the lines of a recipe make of its inputs:
 * enough where what counts is which tasks run, or what they cost beside a compiler.
 */
export function coreThat(...recipe: readonly string[]): string {
  return `.PHONY: all defconfig $(O)/Makefile
$(O)/Makefile:
	@mkdir -p $(O)
defconfig: $(O)/Makefile
	@cp $(UK_DEFCONFIG) $(C)
all:
${recipe.map((line) => `\t@${line}\n`).join('')}	@touch $(O)/$(N).map
`;
}

/** A line of a recipe that has one image for some targets. */
export function imageFor(...targets: readonly string[]): string {
  const copies = 'cp $(O)/image $(O)/$(N)_$(target); cp $(O)/image $(O)/$(N)_$(target).dbg;';
  return `$(foreach target,${targets.join(' ')},${copies})`;
}
