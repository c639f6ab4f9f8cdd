#pragma once

/* Splits `line` in place into at most `limit` words, by the rules of Unikraft's argument parser: white space
 * separates; single and double quotes group; a backslash takes the meaning from the next character, but not within
 * single quotes, and within double quotes only from a quote and a backslash. A word that is empty disappears. */
int split_words(char *line, char *words[], int limit);
