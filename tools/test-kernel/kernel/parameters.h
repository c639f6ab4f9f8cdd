#pragma once

/* The arrays that parameters of the kernel fill; each ends with a null pointer. */
extern char *parameter_environment[];
extern char *parameter_fstab[];
extern char *parameter_addresses[];

/* Takes the kernel's parameters from words[1] to the word `--`; without one there are none.
 * Gives how many words they are, `--` among them, or a negative error number. */
int take_parameters(int count, char *words[]);
