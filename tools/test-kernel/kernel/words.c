#include "words.h"

static int is_space(char character)
{
	return character == ' ' || (character >= '\t' && character <= '\v') || character == '\r';
}

int split_words(char *line, char *words[], int limit)
{
	int count = 0, in_word = 0;
	char quote = 0;
	char *to = line;

	for (const char *from = line; *from; from++) {
		char character = *from;

		if (!quote && is_space(character)) {
			if (in_word)
				*to++ = 0;
			in_word = 0;
			continue;
		}
		if (quote ? character == quote : character == '"' || character == '\'') {
			quote = quote ? 0 : character;
			continue;
		}
		if (character == '\\' && quote != '\'' && from[1] && (!quote || from[1] == '"' || from[1] == '\\'))
			character = *++from;
		if (!in_word) {
			if (count == limit)
				break;
			words[count++] = to;
			in_word = 1;
		}
		*to++ = character;
	}
	*to = 0;
	return count;
}
